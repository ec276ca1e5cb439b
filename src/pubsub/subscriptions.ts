/**
 * The subscriptions of a client: what users ask of them, and how long they wait. Joins the book and the members; leaves to
 * the book who wants what, and to its owner the links.
 */

import { ConnectionError, type RedisError } from "../errors.ts"
import type { SubscribeOptions } from "../options.ts"
import { WaitingClock } from "../util/waiting-clock.ts"
import { Book, type BookOwner } from "./book.ts"
import type { Kind } from "./kind.ts"
import type { Link } from "./link.ts"
import type { Name } from "./names.ts"
import type { Sink } from "./sink.ts"
import { type MemberOwner, SubscriptionMember } from "./subscription.ts"
import type { BookLink, Member } from "./topic.ts"

/** After a server could not subscribe just now. */
const RETRY_MS = 1000

/** Who has the links. */
export interface SubscriptionsOwner extends Omit<BookOwner, "retryLater"> {
  readonly address: string
  readonly isClosed: boolean
  /** All links that there are. */
  links(): Iterable<Link>
}

export class Subscriptions implements BookOwner, MemberOwner {
  readonly book: Book = new Book(this)
  readonly #owner: SubscriptionsOwner
  readonly #commandTimeout: number
  /** Members whose call to subscribe has not settled. */
  readonly #waiting = new Set<SubscriptionMember>()
  readonly #clock: WaitingClock<SubscriptionMember>
  #retryTimer: NodeJS.Timeout | undefined

  /** @param commandTimeout for calls that give none, in ms */
  constructor(owner: SubscriptionsOwner, commandTimeout: number) {
    this.#owner = owner
    this.#commandTimeout = commandTimeout
    this.#clock = new WaitingClock(
      (member) => this.#expire(member),
      () => this.#progress(),
    )
  }

  #progress(): number {
    let sum = 0
    for (const { connection } of this.#owner.links()) sum += connection.progress
    return sum
  }

  // ── what users ask ────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when the server has confirmed all names. */
  subscribe(
    kind: Kind,
    names: readonly Name[],
    sink: Sink,
    options: SubscribeOptions,
  ): Promise<SubscriptionMember> {
    const { signal, encoding = "utf8", timeout = this.#commandTimeout } = options
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (this.#owner.isClosed) return Promise.reject(this.#closed(undefined))
    return new Promise((resolve, reject) => {
      const waiting = { resolve: () => resolve(member), reject, timeout }
      const member = new SubscriptionMember(this, sink, encoding, waiting, signal)
      this.#waiting.add(member)
      this.book.join(member, kind, names)
      this.#runClock(member)
    })
  }

  /** Takes names (all of the kind, without any) from one member, or from all. Resolves when the server knows. */
  unsubscribe(kind: Kind, names: readonly Name[] | undefined, only: Member | undefined): Promise<void> {
    const shares = this.book.shares(
      kind,
      names?.map(({ key }) => key),
    )
    const left = only === undefined ? shares : shares.filter(({ member }) => member === only)
    return new Promise((resolve) => this.book.leave(left, resolve))
  }

  leave(member: SubscriptionMember): Promise<void> {
    const shares = [...member.topics].map((topic) => ({ member, topic }))
    return new Promise((resolve) => this.book.leave(shares, resolve))
  }

  onSettled(member: SubscriptionMember): void {
    this.#waiting.delete(member)
    this.#clock.stop(member)
  }

  giveUp(member: SubscriptionMember, error: unknown): void {
    this.book.reject(member, error)
  }

  // ── how long they wait ────────────────────────────────────────────────────────────────────────────────────────

  /** Links have come or gone, or what is wanted on them has. */
  onLinksChanged(): void {
    for (const member of this.#waiting) this.#runClock(member)
  }

  /** A call may wait for so long while all the links stand that it needs. */
  #runClock(member: SubscriptionMember): void {
    for (const topic of member.waiting) {
      if (topic.link?.isUp === true) continue
      this.#clock.stop(member)
      return
    }
    if (this.#waiting.has(member)) this.#clock.start(member, member.timeout)
  }

  #expire(member: SubscriptionMember): void {
    const message = `not confirmed by the server within ${member.timeout} ms`
    const [topic] = member.waiting
    const details = { address: topic?.link?.address ?? this.#owner.address, outcome: "unknown" } as const
    this.giveUp(member, new ConnectionError("timeout", message, details))
  }

  // ── what the book asks ────────────────────────────────────────────────────────────────────────────────────────

  slotOf(kind: Kind, key: string): number | undefined {
    return this.#owner.slotOf(kind, key)
  }

  linkOf(slot: number | undefined): BookLink | undefined {
    return this.#owner.linkOf(slot)
  }

  isMoved(link: BookLink, error: RedisError): boolean {
    return this.#owner.isMoved(link, error)
  }

  onEndedByServer(): void {
    this.#owner.onEndedByServer()
  }

  onLeft(link: BookLink): void {
    this.#owner.onLeft(link)
  }

  retryLater(): void {
    clearTimeout(this.#retryTimer)
    this.#retryTimer = setTimeout(() => this.#retry(), RETRY_MS)
    this.#retryTimer.unref()
  }

  #retry(): void {
    for (const link of this.#owner.links()) if (link.isUp) link.subscribeAll()
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** All has ended for good. */
  onEnded(cause: ConnectionError | undefined): void {
    clearTimeout(this.#retryTimer)
    for (const member of this.#waiting) this.#clock.stop(member)
    this.book.onEnded(this.#closed(cause))
  }

  #closed(cause: ConnectionError | undefined): ConnectionError {
    const details = { address: this.#owner.address, cause, final: true }
    return new ConnectionError("closed", "the connection is closed", details)
  }
}
