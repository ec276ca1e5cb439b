/**
 * What is told of one request to those who listen: that it begins, and how it ends. Stands between the request and its
 * promise, so that requests know nothing of it; made only where somebody listens.
 *
 * Whether a request is misuse, of which nothing is told, only those know who carry it out. So it is submitted first and told
 * of right afterwards, still within the call; what has settled by then is told of last.
 *
 * Whoever settles a request is in the middle of something: of handing out replies, of failing all that there is. Listeners
 * may call back into the client, so the end is told in a microtask, like everything that callers do about it.
 */

import { AsyncResource } from "node:async_hooks"
import { performance } from "node:perf_hooks"
import { ownChannels, type PipelineEvent } from "../telemetry.ts"
import type { Reject, Resolve } from "./request.ts"

/** Where a request is carried out. */
export interface Place {
  readonly address: string
}

/** The client that a request was asked of. */
export interface Caller extends Place {
  readonly name: string | undefined
}

/** Who wants to know who carries a request out. */
export interface Placed {
  /** Takes the place of whoever was told before. */
  carriedBy(place: Place): void
  /** One of those who carry out a part of it. */
  partlyCarriedBy(place: Place): void
}

/** What is told of a request from its beginning. */
export interface Told {
  readonly database: number | undefined
  readonly commands: ReadonlyArray<readonly unknown[]>
  readonly metadata: unknown
}

type OpenEvent = { -readonly [Key in keyof PipelineEvent]: PipelineEvent[Key] }

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

export class Trace<T> implements Placed {
  readonly #caller: Caller
  readonly #since = performance.now()
  readonly #resolve: Resolve<T>
  readonly #reject: Reject
  #place: Place
  #severalPlaces = false
  #event: OpenEvent | undefined
  /** The asynchronous context of the call. */
  #scope: AsyncResource | undefined
  /** How it has ended before it was told that it began. */
  #early: Outcome<T> | undefined

  /** @param resolve, reject those of the promise; the request gets those of the trace */
  constructor(caller: Caller, resolve: Resolve<T>, reject: Reject) {
    this.#caller = caller
    this.#place = caller
    this.#resolve = resolve
    this.#reject = reject
  }

  readonly resolve: Resolve<T> = (value) => {
    this.#settle({ value })
  }

  readonly reject: Reject = (error) => {
    this.#settle({ error })
  }

  #settle(outcome: Outcome<T>): void {
    const scope = this.#scope
    if (scope === undefined) {
      this.#early = outcome
      return
    }
    const event = this.#settled()
    queueMicrotask(() => this.#end(outcome, event, scope))
  }

  carriedBy(place: Place): void {
    this.#place = place
  }

  partlyCarriedBy(place: Place): void {
    this.#severalPlaces ||= this.#place !== this.#caller && this.#place !== place
    this.#place = this.#severalPlaces ? this.#caller : place
  }

  /**
   * Whether it is misuse. That is found within the call, as is that the signal was aborted before: with whatever reason, and
   * then nobody has looked at the commands.
   */
  isMisuse(signal: AbortSignal | undefined, isSound: () => boolean): boolean {
    const early = this.#early
    if (early === undefined || !("error" in early)) return false
    if (signal?.aborted === true && early.error === signal.reason) return !isSound()
    return early.error instanceof TypeError
  }

  /** Nothing is told of it, however it ends. */
  skip(): void {
    const early = this.#early
    if (early === undefined) throw new Error("a request cannot be skipped before it has settled")
    this.#handOver(early)
  }

  /** Tells that it has begun, and from now on how it ends. */
  begin({ database, commands, metadata }: Told): void {
    const { name } = this.#caller
    const { address } = this.#place
    const event: OpenEvent = { connection: this.#caller, name, address, database, commands, metadata }
    this.#event = event
    const scope = ownChannels.start.runStores(event, newScope)
    ownChannels.end.publish(event)
    this.#scope = scope
    if (this.#early !== undefined) this.#end(this.#early, this.#settled(), scope)
  }

  #end(outcome: Outcome<T>, event: OpenEvent, scope: AsyncResource): void {
    if ("error" in outcome) {
      event.error = outcome.error
      scope.runInAsyncScope(tellFailure, undefined, event)
    } else scope.runInAsyncScope(tellEnd, undefined, event)
    this.#handOver(outcome)
  }

  #handOver(outcome: Outcome<T>): void {
    if ("error" in outcome) this.#reject(outcome.error)
    else this.#resolve(outcome.value)
  }

  #settled(): OpenEvent {
    const event = this.#event
    if (event === undefined) throw new Error("a request cannot end before it has begun")
    event.address = this.#place.address
    event.duration = performance.now() - this.#since
    return event
  }
}

function newScope(): AsyncResource {
  return new AsyncResource("RedixRequest")
}

function tellEnd(event: PipelineEvent): void {
  ownChannels.asyncStart.publish(event)
  ownChannels.asyncEnd.publish(event)
}

function tellFailure(event: PipelineEvent): void {
  ownChannels.error.publish(event)
  tellEnd(event)
}
