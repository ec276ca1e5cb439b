/**
 * One subscription: a member of the book with a sink, a promise while it waits, and a way out. Leaves to the book which
 * channels it has, and to its client how to leave them.
 */

import { type ConnectionError, RedixError } from "../errors.ts"
import type { Encoding } from "../options.ts"
import { type Abortable, forgetAbort, onAbort } from "../util/abort.ts"
import { nameAsyncDispose } from "../util/dispose.ts"
import type { Timed } from "../util/heap.ts"
import type { PubSubEvent } from "./events.ts"
import type { IteratorSink, Sink } from "./sink.ts"
import type { Member, Topic } from "./topic.ts"

/** A subscription, until it is ended. */
export interface Subscription extends AsyncDisposable {
  /** Ends the subscription; resolves when the server knows. Never rejects; may be called any number of times. */
  unsubscribe(): Promise<void>
}

export interface MemberOwner {
  /** The member wants nothing any more. */
  leave(member: SubscriptionMember): Promise<void>
  /** The member waits for nothing any more. */
  onSettled(member: SubscriptionMember): void
  /** The member does not wait any longer. */
  giveUp(member: SubscriptionMember, error: unknown): void
}

/** What waits for a `subscribe` to be confirmed. */
export interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  /** In ms, from when the connection stands. */
  readonly timeout: number
}

export class SubscriptionMember implements Member, Abortable, Timed {
  deadline: number = Number.POSITIVE_INFINITY
  heapIndex = -1
  readonly encoding: Encoding
  readonly topics: Set<Topic> = new Set()
  readonly waiting: Set<Topic> = new Set()
  lostBy: ConnectionError | undefined
  readonly sink: Sink

  readonly #owner: MemberOwner
  readonly #signal: AbortSignal | undefined
  #promise: Waiting | undefined
  #hasEnded = false

  constructor(
    owner: MemberOwner,
    sink: Sink,
    encoding: Encoding,
    waiting: Waiting,
    signal: AbortSignal | undefined,
  ) {
    this.#owner = owner
    this.sink = sink
    this.encoding = encoding
    this.#promise = waiting
    this.#signal = signal
    if (signal !== undefined) onAbort(signal, this)
  }

  get isReady(): boolean {
    return this.#promise === undefined && !this.#hasEnded
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** How long it may wait from when the connection stands, in ms. */
  get timeout(): number {
    return this.#promise?.timeout ?? Number.POSITIVE_INFINITY
  }

  deliver(event: PubSubEvent<Encoding>): void {
    this.sink.deliver(event)
  }

  onReady(): void {
    this.#owner.onSettled(this)
    this.#promise?.resolve()
    this.#promise = undefined
  }

  onRejected(error: unknown): void {
    this.#promise?.reject(error)
    this.#promise = undefined
    this.onEnd()
  }

  onEnd(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#promise?.reject(new RedixError("unsubscribed before the server had confirmed the subscription"))
    this.#promise = undefined
    this.#owner.onSettled(this)
    if (this.#signal !== undefined) forgetAbort(this.#signal, this)
    this.sink.end()
  }

  onAbort(reason: unknown): void {
    if (this.isReady) void this.#owner.leave(this)
    else this.#owner.giveUp(this, reason)
  }
}

/** What a `subscribe` with a handler resolves to. */
export class HandledSubscription implements Subscription {
  readonly #member: SubscriptionMember
  readonly #owner: MemberOwner
  #left: Promise<void> | undefined

  constructor(member: SubscriptionMember, owner: MemberOwner) {
    this.#member = member
    this.#owner = owner
  }

  /** For the client, which is given it back: the member, if the subscription is one of this owner. */
  memberOf(owner: MemberOwner): SubscriptionMember | undefined {
    return owner === this.#owner ? this.#member : undefined
  }

  unsubscribe(): Promise<void> {
    this.#left ??= this.#owner.leave(this.#member)
    return this.#left
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe()
  }
}

/** What a `subscribe` without a handler resolves to. Several loops over it share its events. */
export class IteratedSubscription<E extends Encoding>
  extends HandledSubscription
  implements AsyncIterable<PubSubEvent<E>>
{
  readonly #sink: IteratorSink

  constructor(member: SubscriptionMember, owner: MemberOwner, sink: IteratorSink) {
    super(member, owner)
    this.#sink = sink
  }

  [Symbol.asyncIterator](): AsyncIterator<PubSubEvent<E>, undefined> {
    return {
      next: () => eventsOf<E>(this.#sink.next()),
      return: async () => {
        this.#sink.abandon()
        await this.unsubscribe()
        return { done: true, value: undefined }
      },
    }
  }
}

/** The member's encoding is that of the type: payloads were decoded by it. */
function eventsOf<E extends Encoding>(
  step: Promise<IteratorResult<PubSubEvent<Encoding>, undefined>>,
): Promise<IteratorResult<PubSubEvent<E>, undefined>>
function eventsOf(step: Promise<unknown>): Promise<unknown> {
  return step
}

nameAsyncDispose(HandledSubscription.prototype)
