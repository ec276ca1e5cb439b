/**
 * Requests that were issued while none of a pool's connections stood, but one was on its way: they are for whichever
 * stands first. Leaves to its owner when one stands, and when there is none to wait for.
 */

import type { Executor } from "../connection/executor.ts"
import type { Request } from "../connection/request.ts"
import type { Placed } from "../connection/trace.ts"
import { WaitingRoom } from "../connection/waiting-room.ts"
import { ConnectionError } from "../errors.ts"
import { commandChecker } from "../protocol/encode.ts"

/** Who carries out what has waited, and says who does. */
type Carrier = Required<Pick<Executor, "submit" | "submitTraced">>

export class PoolWaitingRoom extends WaitingRoom {
  readonly #carrier: Carrier
  readonly #most: number

  /** @param most how many may wait at a time */
  constructor(carrier: Carrier, commandTimeout: number, most: number) {
    super(
      commandTimeout,
      (label, timeout) => `no reply to ${label} within ${timeout} ms: no connection stood by then`,
    )
    this.#carrier = carrier
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
    if (this.size >= this.#most) {
      this.refuse(request, overloadedError(this.#most))
      return
    }
    const copy = request.copyOf(payload)
    this.hold(request, () => {
      // It is encoded again.
      request.terms?.forgetFindings()
      if (placed === undefined) this.#carrier.submit(request, copy)
      else this.#carrier.submitTraced(request, copy, placed)
    })
  }
}

function overloadedError(most: number): ConnectionError {
  return new ConnectionError("overloaded", `${most} requests wait for a connection (maxInFlight)`)
}
