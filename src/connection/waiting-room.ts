/**
 * Requests that no connection has yet, since something has to happen first: a connection stands, it is known who has what, a
 * while has passed. Knows their deadlines and signals; leaves to others what they wait for, and what is done with them then.
 */

import { ConnectionError, withoutStack } from "../errors.ts"
import type { Timed } from "../util/heap.ts"
import { WaitingClock } from "../util/waiting-clock.ts"
import type { Request, RequestOwner } from "./request.ts"
import { type ConnectionStats, waitingStats } from "./stats.ts"

/** Who has to stay for as long as requests wait to be sent there. */
export interface Awaited {
  awaiting: number
}

/** A request that waits. */
class Hold implements Timed, RequestOwner {
  deadline: number = Number.POSITIVE_INFINITY
  heapIndex = -1
  readonly request: Request
  readonly since: number
  readonly timeout: number
  readonly proceed: () => void
  timer: NodeJS.Timeout | undefined
  awaited: Awaited | undefined
  readonly #room: WaitingRoom

  constructor(request: Request, since: number, timeout: number, proceed: () => void, room: WaitingRoom) {
    this.request = request
    this.since = since
    this.timeout = timeout
    this.proceed = proceed
    this.#room = room
  }

  onRequestAborted(request: Request, reason: unknown): void {
    request.fail(reason)
  }

  afterAborts(): void {}

  onRequestSettled(): void {
    this.#room.onSettled(this)
  }
}

export class WaitingRoom {
  readonly #commandTimeout: number
  readonly #sayTooLate: (label: string, timeout: number) => string
  readonly #holds = new Set<Hold>()
  /** Why nobody may wait any more. */
  #closed: (() => ConnectionError) | undefined
  /** Those that wait for {@link proceedAll}. */
  readonly #forAll = new Set<Hold>()
  readonly #clock = new WaitingClock<Hold>(
    (hold) => this.#expire(hold),
    () => 0,
  )

  /** How many have settled while they waited, and how many were not let in. */
  #settled = 0
  #refused = 0

  /**
   * @param commandTimeout the time of a request that has none of its own, in ms
   * @param sayTooLate what a request is told whose time, in ms, is up
   */
  constructor(commandTimeout: number, sayTooLate: (label: string, timeout: number) => string) {
    this.#commandTimeout = commandTimeout
    this.#sayTooLate = sayTooLate
  }

  /** How many there are. */
  get size(): number {
    return this.#holds.size
  }

  /** The request waits for {@link proceedAll}. `proceed` is called then, unless the request has settled before. */
  hold(request: Request, proceed: () => void): void {
    const hold = this.#enter(request, proceed)
    if (hold !== undefined) this.#forAll.add(hold)
  }

  /** The request waits for so many ms until it is sent there. */
  holdFor(request: Request, ms: number, awaited: Awaited, proceed: () => void): void {
    const hold = this.#enter(request, proceed)
    if (hold === undefined) return
    hold.awaited = awaited
    awaited.awaiting++
    // What keeps the process alive is the connections.
    hold.timer = setTimeout(() => this.#proceed(hold), ms).unref()
  }

  /** The request waits until the returned function is called. */
  holdUntil(request: Request, proceed: () => void): () => void {
    const hold = this.#enter(request, proceed)
    return () => {
      if (hold !== undefined) this.#proceed(hold)
    }
  }

  /** Fails a request that may not even wait. */
  refuse(request: Request, error: ConnectionError): void {
    this.#refused++
    request.fail(error)
  }

  #enter(request: Request, proceed: () => void): Hold | undefined {
    if (this.#closed !== undefined) {
      request.fail(withoutStack(this.#closed))
      return undefined
    }
    const terms = request.needTerms()
    const timeout = terms.timeoutMs(this.#commandTimeout)
    const hold = new Hold(request, this.#clock.now(), timeout, proceed, this)
    this.#holds.add(hold)
    request.attach(hold)
    this.#clock.start(hold, Math.max(0, timeout - terms.waitedMs))
    return hold
  }

  /** In their order. One may have settled because of another before it: that one does not go on. */
  proceedAll(): void {
    for (const hold of [...this.#forAll]) this.#proceed(hold)
  }

  /** Fails those that wait for {@link proceedAll}. */
  failWaiting(makeError: () => ConnectionError): void {
    for (const { request } of [...this.#forAll]) request.fail(withoutStack(makeError))
  }

  /** Fails all that wait, and from now on those that would have to. */
  close(makeError: () => ConnectionError): void {
    this.#closed = makeError
    for (const { request } of [...this.#holds]) request.fail(withoutStack(makeError))
  }

  #proceed(hold: Hold): void {
    if (!this.#leave(hold)) return
    hold.request.needTerms().waitedMs += this.#clock.now() - hold.since
    hold.proceed()
  }

  /** Of those that wait, that have settled meanwhile, and that were not let in. */
  stats(): ConnectionStats {
    return waitingStats(this.#holds.size, this.#settled, this.#refused)
  }

  onSettled(hold: Hold): void {
    if (this.#leave(hold)) this.#settled++
  }

  /** Whether it waited. One that goes on may settle before anybody else is told of that. */
  #leave(hold: Hold): boolean {
    if (!this.#holds.delete(hold)) return false
    this.#forAll.delete(hold)
    this.#clock.stop(hold)
    clearTimeout(hold.timer)
    if (hold.awaited !== undefined) hold.awaited.awaiting--
    return true
  }

  #expire({ request, timeout }: Hold): void {
    const message = this.#sayTooLate(request.label, timeout)
    request.fail(withoutStack(() => new ConnectionError("timeout", message, { outcome: "not-sent" })))
  }
}
