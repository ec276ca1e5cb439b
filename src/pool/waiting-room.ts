/**
 * Requests that were issued while none of a pool's connections stood, but one was on its way: they are for whichever
 * stands first. Knows their deadlines and signals; leaves to its owner when one stands, and when there is none to wait for.
 */

import type { Executor } from "../connection/executor.ts"
import type { Request, RequestOwner } from "../connection/request.ts"
import { ConnectionError } from "../errors.ts"
import { commandChecker } from "../protocol/encode.ts"
import type { Timed } from "../util/heap.ts"
import { WaitingClock } from "../util/waiting-clock.ts"

interface Waiting extends Timed, RequestOwner {
  carryOut(executor: Executor, now: number): void
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

  /** @param most how many may wait at a time */
  constructor(usualTimeout: number, most: number) {
    this.#usualTimeout = usualTimeout
    this.#most = most
  }

  /** Lets a request wait; misuse is told at once. */
  add<Payload>(request: Request<Payload>, payload: Payload): void {
    try {
      request.encode(commandChecker, payload)
    } catch (misuse) {
      request.fail(misuse)
      return
    }
    if (this.#waiting.size < this.#most) this.#admit(request, request.copyOf(payload))
    else request.fail(overloadedError(this.#most))
  }

  #admit<Payload>(request: Request<Payload>, payload: Payload): void {
    const timeout = request.needTerms().timeoutMs(this.#usualTimeout)
    const waiting: Waiting = new WaitingRequest(request, payload, timeout, this.#clock.now(), () =>
      this.#forget(waiting),
    )
    request.attach(waiting)
    this.#waiting.add(waiting)
    this.#clock.start(waiting, timeout)
  }

  /** One stands: hands all of them on, in their order. */
  carryOut(executor: Executor): void {
    const now = this.#clock.now()
    for (const waiting of [...this.#waiting]) {
      this.#forget(waiting)
      waiting.carryOut(executor, now)
    }
  }

  /** There is none to wait for. */
  failAll(error: ConnectionError): void {
    for (const waiting of [...this.#waiting]) waiting.fail(error)
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    this.#clock.stop(waiting)
  }
}

class WaitingRequest<Payload> implements Waiting {
  deadline: number = Number.POSITIVE_INFINITY
  heapIndex = -1
  readonly #request: Request<Payload>
  readonly #payload: Payload
  readonly #timeout: number
  readonly #since: number
  readonly #onOver: () => void

  /** @param onOver it has settled */
  constructor(
    request: Request<Payload>,
    payload: Payload,
    timeout: number,
    since: number,
    onOver: () => void,
  ) {
    this.#request = request
    this.#payload = payload
    this.#timeout = timeout
    this.#since = since
    this.#onOver = onOver
  }

  carryOut(executor: Executor, now: number): void {
    const terms = this.#request.needTerms()
    // It is encoded again, and has one deadline over all of it.
    terms.forgetFindings()
    terms.waitedMs = now - this.#since
    executor.submit(this.#request, this.#payload)
  }

  expire(): void {
    const message = `no reply to ${this.#request.label} within ${this.#timeout} ms: no connection stood by then`
    this.fail(new ConnectionError("timeout", message))
  }

  fail(error: unknown): void {
    this.#request.fail(error)
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
