/** What the connection's tests share: a request that only notes what became of it. */

import { encodeCommands } from "../../src/connection/commands.ts"
import { type ReplyFacts, Request, RequestTerms } from "../../src/connection/request.ts"
import type { Encoder } from "../../src/protocol/encode.ts"

export const sound: ReplyFacts = { isError: false, holdsErrors: false, failure: undefined }
export const errorReply: ReplyFacts = { isError: true, holdsErrors: false, failure: undefined }

/** A request of commands, which takes one reply for each and notes its rejection. */
export class StubRequest extends Request<ReadonlyArray<readonly unknown[]>> {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly asBytes = false
  readonly label: string
  readonly errors: unknown[] = []
  readonly replies: unknown[] = []
  #expected = 1

  constructor(label = "") {
    super()
    this.label = label
  }

  /** With terms, as of a caller who gave a timeout (ms); `undefined` for terms without. */
  withTerms(timeout: number | undefined, blockMs = 0, signal?: AbortSignal): this {
    this.terms = new RequestTerms(this, timeout, signal)
    this.terms.blockMs = blockMs
    return this
  }

  encode(encoder: Encoder, commands: ReadonlyArray<readonly unknown[]>): void {
    this.#expected = commands.length
    encodeCommands(this, encoder, commands, 0)
  }

  accept(reply: unknown): boolean {
    this.replies.push(reply)
    if (this.replies.length < this.#expected) return false
    this.settle()
    return true
  }

  protected rejectPromise(error: unknown): void {
    this.errors.push(error)
  }
}
