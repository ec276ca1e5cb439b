/**
 * Those who wait for a dedicated connection: a request that blocks, and a checkout. Each has one deadline over all of
 * its waiting, and a signal. Leaves to the limit whose turn it is, and to the source where connections come from.
 */

import type { Request, RequestOwner } from "../connection/request.ts"
import { ConnectionError } from "../errors.ts"
import { type Abortable, forgetAbort, onAbort } from "../util/abort.ts"
import { failedError, tooLateError } from "./closed.ts"
import type { Held, HeldSource, HeldUser } from "./held.ts"
import type { DedicatedLimit, Waiter } from "./limit.ts"

/** A request that waits for a connection of its own. */
export class WaitingRequest<Payload> implements Waiter, RequestOwner {
  deadline: number = Number.POSITIVE_INFINITY
  heapIndex = -1
  readonly #limit: DedicatedLimit
  readonly #source: HeldSource
  readonly #request: Request<Payload>
  readonly #timeout: number
  readonly #since: number
  readonly #carryOut: (held: Held, waitedMs: number) => void
  readonly #onOver: (hasSettled: boolean) => void

  /**
   * @param carryOut submits the request, if its turn has come
   * @param onOver it waits no longer, because it has settled or because it is carried out
   */
  constructor(
    limit: DedicatedLimit,
    source: HeldSource,
    request: Request<Payload>,
    timeout: number,
    carryOut: (held: Held, waitedMs: number) => void,
    onOver: (hasSettled: boolean) => void,
  ) {
    this.#limit = limit
    this.#source = source
    this.#request = request
    this.#timeout = timeout
    this.#since = limit.now()
    this.#carryOut = carryOut
    this.#onOver = onOver
  }

  start(): void {
    this.#request.attach(this)
    const { waitedMs } = this.#request.needTerms()
    this.#limit.startClock(this, Math.max(0, this.#timeout - waitedMs))
    this.#limit.wait(this)
  }

  tryTake(): boolean {
    const held = this.#source.takeNow()
    if (held === undefined) return false
    if (held instanceof ConnectionError) {
      this.fail(held)
      return true
    }
    this.#stop(false)
    this.#carryOut(held, this.#limit.now() - this.#since)
    return true
  }

  expire(): void {
    this.fail(tooLateError(this.#timeout, this.#limit.most))
  }

  fail(error: unknown): void {
    this.#request.fail(error)
  }

  onRequestAborted(_request: Request, reason: unknown): void {
    this.fail(reason)
  }

  afterAborts(): void {}

  onRequestSettled(): void {
    this.#limit.forget(this)
    this.#stop(true)
  }

  #stop(hasSettled: boolean): void {
    this.#limit.stopClock(this)
    this.#onOver(hasSettled)
  }
}

/** A checkout that waits for a connection, and then until that stands. */
export class WaitingCheckout implements Waiter, HeldUser, Abortable {
  deadline: number = Number.POSITIVE_INFINITY
  heapIndex = -1
  readonly #limit: DedicatedLimit
  readonly #source: HeldSource
  readonly #timeout: number
  readonly #signal: AbortSignal | undefined
  readonly #onReady: (held: Held) => void
  readonly #onFailed: (error: unknown) => void
  #held: Held | undefined

  /** @param onReady takes the connection over, at once */
  constructor(
    limit: DedicatedLimit,
    source: HeldSource,
    timeout: number,
    signal: AbortSignal | undefined,
    onReady: (held: Held) => void,
    onFailed: (error: unknown) => void,
  ) {
    this.#limit = limit
    this.#source = source
    this.#timeout = timeout
    this.#signal = signal
    this.#onReady = onReady
    this.#onFailed = onFailed
  }

  start(): void {
    const hasTaken = !this.#limit.isContended && this.tryTake()
    // There is nothing to wait for: it has one that stands, or has failed.
    if (hasTaken && this.#held === undefined) return
    if (!hasTaken) this.#limit.wait(this)
    if (this.#signal !== undefined) onAbort(this.#signal, this)
    this.#limit.startClock(this, this.#timeout)
  }

  tryTake(): boolean {
    const held = this.#source.takeNow()
    if (held === undefined) return false
    if (held instanceof ConnectionError) {
      this.fail(held)
      return true
    }
    this.#held = held
    held.user = this
    if (held.connection.status === "connected") this.onConnected()
    return true
  }

  onConnected(): void {
    const held = this.#held
    this.#stop()
    if (held !== undefined) this.#onReady(held)
  }

  onDisconnected(): void {}

  onEnded(error: ConnectionError | undefined): void {
    this.#held = undefined
    this.fail(failedError(error))
  }

  expire(): void {
    this.fail(tooLateError(this.#timeout, this.#limit.most))
  }

  onAbort(reason: unknown): void {
    this.fail(reason)
  }

  /** A connection that is being made already is for the next. */
  fail(error: unknown): void {
    const held = this.#held
    this.#stop()
    this.#onFailed(error)
    held?.giveBack()
  }

  #stop(): void {
    this.#held = undefined
    this.#limit.forget(this)
    this.#limit.stopClock(this)
    if (this.#signal !== undefined) forgetAbort(this.#signal, this)
  }
}
