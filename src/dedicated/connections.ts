/**
 * The dedicated connections to one server: opened when one is needed, for one user at a time, and kept for the next.
 * Commands that block and checkouts have them, so that nobody waits behind these. Leaves to the limit how many there may
 * be, also of others, and to its owner whether anybody may use it.
 */

import type { Connection, ConnectionListener } from "../connection/connection.ts"
import type { Request } from "../connection/request.ts"
import type { Lifecycle } from "../lifecycle.ts"
import type { ResolvedOptions } from "../options.ts"
import { timerDelay } from "../util/delay.ts"
import { closedError, refuse } from "./closed.ts"
import { Held, type HeldOwner, type HeldSource } from "./held.ts"
import { Lease } from "./lease.ts"
import type { DedicatedLimit } from "./limit.ts"
import { WaitingCheckout, WaitingRequest } from "./waiting.ts"

type Settings = Pick<ResolvedOptions, "commandTimeout" | "database">

export class DedicatedConnections implements HeldOwner, HeldSource {
  readonly #limit: DedicatedLimit
  readonly #settings: Settings
  readonly #open: (listener: ConnectionListener) => Connection
  readonly #all = new Set<Held>()
  /** The one used last is the last. */
  readonly #idle: Held[] = []
  readonly #leases = new Set<Lease>()
  readonly #waiting = new Set<{ fail(error: unknown): void }>()
  /** Connections that have ended and are being closed. */
  readonly #closing = new Set<Promise<void>>()
  #keepsAlive = true
  #isClosed = false
  #whenClosed: Promise<void> | undefined
  #onNoLease: (() => void) | undefined

  /** @param open opens a connection that ends when it drops, or when its first attempt fails */
  constructor(limit: DedicatedLimit, settings: Settings, open: (listener: ConnectionListener) => Connection) {
    this.#limit = limit
    this.#settings = settings
    this.#open = open
  }

  /**
   * Carries out a request that blocks, on a connection of its own. Whoever calls has checked it by encoding it, so that
   * its block time is known.
   */
  run<Payload>(request: Request<Payload>, payload: Payload): void {
    if (this.#isClosed) {
      refuse(request, payload, closedError("the connection is closed"))
      return
    }
    const timeout = request.needTerms().timeoutMs(this.#settings.commandTimeout)
    const held = this.#limit.isContended ? undefined : this.takeNow()
    if (held !== undefined) this.#carryOut(held, request, payload, 0)
    else this.#waitWith(request, request.copyOf(payload), timeout)
  }

  /** Resolves to a connection that stands, for the caller alone until the lease is given back. */
  lease(lifecycle: Lifecycle, timeout: number, signal: AbortSignal | undefined): Promise<Lease> {
    if (this.#isClosed) return Promise.reject(closedError("the connection is closed"))
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const waiter = new WaitingCheckout(
        this.#limit,
        this,
        timeout,
        signal,
        (held) => {
          this.#waiting.delete(waiter)
          resolve(this.#leaseOf(held, lifecycle))
        },
        (error) => {
          this.#waiting.delete(waiter)
          reject(error)
        },
      )
      this.#waiting.add(waiter)
      waiter.start()
    })
  }

  takeNow(): Held | undefined {
    const idle = this.#idle.pop()
    if (idle !== undefined) {
      this.#limit.removeIdle(idle)
      return idle
    }
    if (!this.#limit.reserve()) return undefined
    const held = new Held(this.#open, this)
    if (!this.#keepsAlive) held.connection.keepAlive(false)
    this.#all.add(held)
    return held
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    for (const { connection } of this.#all) connection.keepAlive(keepsAlive)
  }

  /**
   * Ends all but the checkouts, waits for these at most `timeout` ms, and ends them. Resolves when everything is closed.
   */
  close(timeout: number): Promise<void> {
    this.#whenClosed ??= this.#close(timeout)
    return this.#whenClosed
  }

  /** Ends all, now. */
  destroy(): void {
    this.#shut()
    for (const held of [...this.#all]) held.discard()
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
    this.#all.delete(held)
    const closed = held.connection.close(0)
    this.#closing.add(closed)
    void closed.then(() => this.#closing.delete(closed))
    this.#limit.free()
  }

  #waitWith<Payload>(request: Request<Payload>, payload: Payload, timeout: number): void {
    const waiter = new WaitingRequest(
      this.#limit,
      this,
      request,
      timeout,
      (held, waitedMs) => this.#carryOut(held, request, payload, waitedMs),
      () => this.#waiting.delete(waiter),
    )
    this.#waiting.add(waiter)
    waiter.start()
  }

  #carryOut<Payload>(held: Held, request: Request<Payload>, payload: Payload, waitedMs: number): void {
    const terms = request.needTerms()
    terms.forgetFindings()
    terms.waitedMs = waitedMs
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
    for (const waiter of [...this.#waiting]) waiter.fail(closedError("the connection is closed"))
    for (const held of [...this.#all]) if (!(held.user instanceof Lease)) held.discard()
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
