/** A request of several commands: an array of their replies settles the promise, error replies in their places. */

import { nameError } from "../errors.ts"
import type { CommandSink } from "../protocol/encode.ts"
import { keepOne, unused } from "../util/keep.ts"
import { type CommandNames, checkPipeline, encodeCommands, nameAt } from "./commands.ts"
import { CommandsRequest } from "./commands-request.ts"
import type { Reject, ReplyFacts, RequestTerms, Resolve } from "./request.ts"

export class PipelineRequest extends CommandsRequest {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly asBytes: boolean
  readonly #resolve: Resolve<unknown[]>
  readonly #reject: Reject
  #names: CommandNames
  #replies: unknown[] = []
  #received = 0
  #failure: Error | undefined

  constructor(resolve: Resolve<unknown[]>, reject: Reject, asBytes: boolean) {
    super()
    this.#resolve = resolve
    this.#reject = reject
    this.asBytes = asBytes
  }

  get label(): string {
    return `a pipeline of ${this.#replies.length} (${this.#received} replies came)`
  }

  encode(sink: CommandSink, commands: ReadonlyArray<readonly unknown[]>): void {
    checkPipeline(commands)
    this.#names = encodeCommands(this, sink, commands, 0)
    this.#replies = new Array<unknown>(commands.length)
  }

  accept(reply: unknown, facts: ReplyFacts): boolean {
    const index = this.#received++
    if (facts.failure !== undefined) this.#failure ??= facts.failure
    this.#replies[index] = facts.isError ? nameError(reply, nameAt(this.#names, index)) : reply
    if (this.#received < this.#replies.length) return false
    if (!this.settle()) return true
    if (this.#failure !== undefined) this.#reject(this.#failure)
    else this.#resolve(this.#replies)
    return true
  }

  protected rejectPromise(error: unknown): void {
    this.#reject(error)
  }
}

keepOne(new PipelineRequest(unused, unused, false))
