/**
 * Requests that were issued while none of a pool's connections stood, but one was on its way: they are for whichever
 * stands first. Knows their deadlines and signals; leaves to its owner when one stands, and when there is none to wait for.
 */

import type { Executor } from "../connection/executor.ts"
import type { Request, RequestOwner } from "../connection/request.ts"
import { type ConnectionStats, waitingStats } from "../connection/stats.ts"
import type { Placed } from "../connection/trace.ts"
import { ConnectionError } from "../errors.ts"
import { commandChecker } from "../protocol/encode.ts"
import type { Timed } from "../util/heap.ts"
import { WaitingClock } from "../util/waiting-clock.ts"

/** Who carries out what has waited, and says who does. */
type Carrier = Required<Pick<Executor, "submit" | "submitTraced">>

interface Waiting extends Timed, RequestOwner {
  carryOut(carrier: Carrier, now: number): void
  expire(): void
  fail(error: unknown): void
}

export class WaitingRoom {
  readonly #usualTimeout: number
  readonly #most: number
  readonly #waiting = new Set<Waiting>()
  readonly #clock: WaitingClock<Waiting> = new WaitingClock(
    (waiting) => waiting.expire(),
    () => 0,
  )

  /** How many have settled while they waited, and how many were not let in. */
  #settled = 0
  #refused = 0

  /** @param most how many may wait at a time */
  constructor(usualTimeout: number, most: number) {
    this.#usualTimeout = usualTimeout
    this.#most = most
  }

  /**
   * Lets a request wait; misuse is told at once.
   * @param placed who wants to know which connection carries it out in the end
   */
  add<Payload>(request: Request<Payload>, payload: Payload, placed?: Placed): void {
    try {
      request.encode(commandChecker, payload)
    } catch (misuse) {
      request.fail(misuse)
      return
    }
    if (this.#waiting.size < this.#most) this.#admit(request, request.copyOf(payload), placed)
    else {
      this.#refused++
      request.fail(overloadedError(this.#most))
    }
  }

  #admit<Payload>(request: Request<Payload>, payload: Payload, placed: Placed | undefined): void {
    const timeout = request.needTerms().timeoutMs(this.#usualTimeout)
    const parts = { request, payload, placed, timeout, since: this.#clock.now() }
    const waiting: Waiting = new WaitingRequest(parts, () => {
      if (this.#forget(waiting)) this.#settled++
    })
    request.attach(waiting)
    this.#waiting.add(waiting)
    this.#clock.start(waiting, timeout)
  }

  /** One stands: hands all of them on, in their order. */
  carryOut(carrier: Carrier): void {
    const now = this.#clock.now()
    // One may have settled because of another before it.
    for (const waiting of [...this.#waiting]) if (this.#forget(waiting)) waiting.carryOut(carrier, now)
  }

  /** There is none to wait for. */
  failAll(error: ConnectionError): void {
    for (const waiting of [...this.#waiting]) waiting.fail(error)
  }

  /** Of those that wait, that have settled meanwhile, and that there was no room for. */
  stats(): ConnectionStats {
    return waitingStats(this.#waiting.size, this.#settled, this.#refused)
  }

  /** Whether it waited. One that was handed on may settle before anybody else is told of that. */
  #forget(waiting: Waiting): boolean {
    if (!this.#waiting.delete(waiting)) return false
    this.#clock.stop(waiting)
    return true
  }
}

interface Parts<Payload> {
  readonly request: Request<Payload>
  readonly payload: Payload
  readonly placed: Placed | undefined
  readonly timeout: number
  readonly since: number
}

class WaitingRequest<Payload> implements Waiting {
  deadline: number = Number.POSITIVE_INFINITY
  heapIndex = -1
  readonly #parts: Parts<Payload>
  readonly #onOver: () => void

  /** @param onOver it has settled */
  constructor(parts: Parts<Payload>, onOver: () => void) {
    this.#parts = parts
    this.#onOver = onOver
  }

  carryOut(carrier: Carrier, now: number): void {
    const { request, payload, placed, since } = this.#parts
    const terms = request.needTerms()
    // It is encoded again, and has one deadline over all of it.
    terms.forgetFindings()
    terms.waitedMs = now - since
    if (placed === undefined) carrier.submit(request, payload)
    else carrier.submitTraced(request, payload, placed)
  }

  expire(): void {
    const { request, timeout } = this.#parts
    const message = `no reply to ${request.label} within ${timeout} ms: no connection stood by then`
    this.fail(new ConnectionError("timeout", message))
  }

  fail(error: unknown): void {
    this.#parts.request.fail(error)
  }

  onRequestAborted(_request: Request, reason: unknown): void {
    this.fail(reason)
  }

  afterAborts(): void {}

  onRequestSettled(): void {
    this.#onOver()
  }
}

function overloadedError(most: number): ConnectionError {
  return new ConnectionError("overloaded", `${most} requests wait for a connection (maxInFlight)`)
}
