/** PING on a connection with subscriptions, where RESP2 answers it like a message: `["pong", ""]`. */

import {
  type PushVerdict,
  type Reject,
  type ReplyFacts,
  Request,
  type RequestTerms,
  type Resolve,
} from "../connection/request.ts"
import { nameError } from "../errors.ts"
import type { Encoder } from "../protocol/encode.ts"

export class PingRequest extends Request<undefined> {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly #resolve: Resolve<void>
  readonly #reject: Reject

  constructor(resolve: Resolve<void>, reject: Reject) {
    super()
    this.#resolve = resolve
    this.#reject = reject
  }

  get label(): string {
    return "PING"
  }

  get asBytes(): boolean {
    return false
  }

  encode(encoder: Encoder): void {
    encoder.command(["PING"])
  }

  override acceptPush(push: readonly unknown[]): PushVerdict {
    if (push[0] !== "pong") return "foreign"
    if (this.settle()) this.#resolve()
    return "last"
  }

  accept(reply: unknown, facts: ReplyFacts): boolean {
    if (!this.settle()) return true
    if (facts.isError) this.#reject(nameError(reply, "PING"))
    else this.#resolve()
    return true
  }

  protected rejectPromise(error: unknown): void {
    this.#reject(error)
  }
}
