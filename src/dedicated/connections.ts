/**
 * The dedicated connections to one server: opened when one is needed, for one user at a time, and kept for the next.
 * Commands that block and checkouts have them, so that nobody waits behind these. Leaves to the limit how many there may
 * be, also of others, and to its owner whether anybody may use it.
 */

import { Backoff } from "../connection/backoff.ts"
import type { Connection, ConnectionListener } from "../connection/connection.ts"
import type { Request } from "../connection/request.ts"
import { addStats, type ConnectionStats, NO_STATS, waitingStats } from "../connection/stats.ts"
import type { Placed } from "../connection/trace.ts"
import { ConnectionError } from "../errors.ts"
import type { Lifecycle } from "../lifecycle.ts"
import type { ResolvedOptions } from "../options.ts"
import { timerDelay } from "../util/delay.ts"
import { backingOffError, closedError, overloadedError, refuse } from "./closed.ts"
import { Held, type HeldOwner, type HeldSource } from "./held.ts"
import { Lease } from "./lease.ts"
import type { DedicatedLimit } from "./limit.ts"
import { WaitingCheckout, WaitingRequest } from "./waiting.ts"

type Settings = Pick<
  ResolvedOptions,
  "commandTimeout" | "database" | "maxInFlight" | "backoffInitial" | "backoffMax"
>

export class DedicatedConnections implements HeldOwner, HeldSource {
  readonly #limit: DedicatedLimit
  readonly #settings: Settings
  readonly #isReachable: () => boolean
  readonly #open: (listener: ConnectionListener, delay: number) => Connection
  readonly #backoff: Backoff
  readonly #all = new Set<Held>()
  /** The one used last is the last. */
  readonly #idle: Held[] = []
  readonly #leases = new Set<Lease>()
  readonly #waitingRequests = new Set<{ fail(error: unknown): void }>()
  readonly #waitingCheckouts = new Set<{ fail(error: unknown): void }>()
  /** Connections that have ended and are being closed. */
  readonly #closing = new Set<Promise<void>>()
  /** Of connections that are no more. */
  #ended: ConnectionStats = NO_STATS
  /** Requests that have settled while they waited. */
  #settledWaiting = 0
  /** Requests that were rejected at the call. */
  #refused = 0
  #keepsAlive = true
  /** Why none could be opened the last time, and until when, by `performance.now()`, no other attempt begins. */
  #failure: ConnectionError | undefined
  #backsOffUntil = 0
  #isClosed = false
  /** Whether what ends with it is not to be had elsewhere either. */
  #isFinal = true
  #whenClosed: Promise<void> | undefined
  #onNoLease: (() => void) | undefined

  /**
   * @param isReachable whether the server is known to be there
   * @param open opens a connection that ends when it drops, or when its first attempt fails, which begins after so many ms
   */
  constructor(
    limit: DedicatedLimit,
    settings: Settings,
    isReachable: () => boolean,
    open: (listener: ConnectionListener, delay: number) => Connection,
  ) {
    this.#limit = limit
    this.#settings = settings
    this.#isReachable = isReachable
    this.#open = open
    this.#backoff = new Backoff(settings.backoffInitial, settings.backoffMax)
  }

  /**
   * Carries out a request that blocks, on a connection of its own. Whoever calls has checked it by encoding it, so that
   * its block time is known.
   * @param placed who wants to know which connection that is
   */
  run<Payload>(request: Request<Payload>, payload: Payload, placed?: Placed): void {
    if (this.#isClosed) {
      if (refuse(request, payload, this.#closedError())) this.#refused++
      return
    }
    const timeout = request.needTerms().timeoutMs(this.#settings.commandTimeout)
    const held = this.#limit.isContended ? undefined : this.takeNow()
    if (held === undefined) this.#waitWith(request, payload, timeout, placed)
    else if (held instanceof ConnectionError) this.#refuse(request, held)
    else this.#carryOut(held, request, payload, 0, placed)
  }

  /** Resolves to a connection that stands, for the caller alone until the lease is given back. */
  lease(lifecycle: Lifecycle, timeout: number, signal: AbortSignal | undefined): Promise<Lease> {
    if (this.#isClosed) return Promise.reject(this.#closedError())
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const waiter = new WaitingCheckout(
        this.#limit,
        this,
        timeout,
        signal,
        (held) => {
          this.#waitingCheckouts.delete(waiter)
          resolve(this.#leaseOf(held, lifecycle))
        },
        (error) => {
          this.#waitingCheckouts.delete(waiter)
          reject(error)
        },
      )
      this.#waitingCheckouts.add(waiter)
      waiter.start()
    })
  }

  takeNow(): Held | ConnectionError | undefined {
    const idle = this.#takeIdle()
    if (idle !== undefined) return idle
    if (this.#limit.isFull) return undefined
    const delay = this.#backsOffUntil - performance.now()
    const failure = delay > 0 ? this.#failure : undefined
    if (failure !== undefined && !this.#isReachable()) return backingOffError(failure)
    this.#limit.reserve()
    const held = new Held((listener) => this.#open(listener, this.#patience(delay)), this)
    if (!this.#keepsAlive) held.connection.keepAlive(false)
    this.#all.add(held)
    return held
  }

  /** Those that there are. */
  connections(): Connection[] {
    return [...this.#all].map(({ connection }) => connection)
  }

  /** Of the requests that wait or were refused, and of the connections that have ended. */
  otherStats(): ConnectionStats {
    const waiting = waitingStats(this.#waitingRequests.size, this.#settledWaiting, this.#refused)
    return addStats(this.#ended, waiting)
  }

  /** Where others reach the server, the next attempt need not be put off for longer and longer. */
  #patience(delay: number): number {
    return Math.min(Math.max(delay, 0), this.#settings.backoffInitial)
  }

  /** One that stands, if there is: another may still be on its way, for somebody who has given up. */
  #takeIdle(): Held | undefined {
    const idle = this.#idle
    let index = idle.length - 1
    while (index >= 0 && idle[index]?.connection.status !== "connected") index--
    const [taken] = idle.splice(index, 1)
    if (taken !== undefined) this.#limit.removeIdle(taken)
    return taken
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    for (const { connection } of this.#all) connection.keepAlive(keepsAlive)
  }

  /**
   * Ends all but the checkouts, waits for these at most `timeout` ms, and ends them. Resolves when everything is closed.
   * @param isFinal whether that is the end for those who use it; otherwise there are others of its kind
   */
  close(timeout: number, isFinal = true): Promise<void> {
    if (!this.#isClosed) this.#isFinal = isFinal
    this.#whenClosed ??= this.#close(timeout)
    return this.#whenClosed
  }

  /** Ends all, now. */
  destroy(): void {
    this.#shut()
    for (const held of [...this.#all]) held.discard(this.#isFinal)
  }

  /** The server takes connections: there is nothing to wait for after an attempt that has failed. */
  onConnected(): void {
    this.#failure = undefined
    this.#backsOffUntil = 0
    this.#backoff.reset()
  }

  /** Several attempts at once that fail count as one. */
  onAttemptFailed(error: ConnectionError): void {
    const now = performance.now()
    if (now < this.#backsOffUntil) return
    this.#failure = error
    this.#backsOffUntil = now + this.#backoff.next()
  }

  onGivenBack(held: Held): void {
    if (this.#isClosed) {
      held.discard()
      return
    }
    held.connection.keepAlive(this.#keepsAlive)
    this.#idle.push(held)
    this.#limit.addIdle(held)
  }

  onEnded(held: Held): void {
    const index = this.#idle.indexOf(held)
    if (index >= 0) this.#idle.splice(index, 1)
    this.#limit.removeIdle(held)
    if (this.#all.delete(held)) this.#ended = addStats(this.#ended, held.connection.stats())
    const closed = held.connection.close(0)
    this.#closing.add(closed)
    void closed.then(() => this.#closing.delete(closed))
    this.#limit.free()
  }

  /** Rejects a request at the call. */
  #refuse<Payload>(request: Request<Payload>, error: ConnectionError): void {
    this.#refused++
    request.fail(error)
  }

  #waitWith<Payload>(
    request: Request<Payload>,
    given: Payload,
    timeout: number,
    placed: Placed | undefined,
  ): void {
    const { maxInFlight } = this.#settings
    if (this.#waitingRequests.size >= maxInFlight) {
      this.#refuse(request, overloadedError(maxInFlight))
      return
    }
    const payload = request.copyOf(given)
    const waiter = new WaitingRequest(
      this.#limit,
      this,
      request,
      timeout,
      (held, waitedMs) => this.#carryOut(held, request, payload, waitedMs, placed),
      (hasSettled) => {
        if (this.#waitingRequests.delete(waiter) && hasSettled) this.#settledWaiting++
      },
    )
    this.#waitingRequests.add(waiter)
    waiter.start()
  }

  #carryOut<Payload>(
    held: Held,
    request: Request<Payload>,
    payload: Payload,
    waitedMs: number,
    placed: Placed | undefined,
  ): void {
    placed?.carriedBy(held.connection)
    const terms = request.needTerms()
    terms.forgetFindings()
    terms.waitedMs += waitedMs
    terms.clock = held.connection
    // Not at once: if it was abandoned, the connection is about to be left.
    terms.onSettled = () => process.nextTick(giveBack, held)
    held.connection.submit(request, payload)
  }

  #leaseOf(held: Held, lifecycle: Lifecycle): Lease {
    const lease = new Lease(held, lifecycle, this.#settings.database ?? 0, (over) => {
      this.#leases.delete(over)
      if (this.#leases.size === 0) this.#onNoLease?.()
    })
    this.#leases.add(lease)
    return lease
  }

  /** Nobody gets a connection any more, and only checkouts keep theirs. */
  #shut(): void {
    this.#isClosed = true
    for (const waiter of [...this.#waitingRequests, ...this.#waitingCheckouts])
      waiter.fail(this.#closedError())
    for (const held of [...this.#all]) if (!(held.user instanceof Lease)) held.discard(this.#isFinal)
  }

  #closedError(): ConnectionError {
    return closedError("the connection is closed", undefined, this.#isFinal)
  }

  async #close(timeout: number): Promise<void> {
    this.#shut()
    if (this.#leases.size > 0) await this.#noLease(timeout)
    this.destroy()
    await Promise.all(this.#closing)
  }

  #noLease(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const timer =
        timeout === Number.POSITIVE_INFINITY ? undefined : setTimeout(resolve, timerDelay(timeout))
      if (!this.#keepsAlive) timer?.unref()
      this.#onNoLease = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function giveBack(held: Held): void {
  held.giveBack()
}
