/** A request of MULTI, some commands and EXEC: what EXEC replies settles the promise. */

import { ConnectionError, nameError, RedisError, withoutStack } from "../errors.ts"
import { type CommandSink, encodeOnce } from "../protocol/encode.ts"
import { keepOne, unused } from "../util/keep.ts"
import { type CommandNames, checkPipeline, encodeCommands, nameAt, refuseCommands } from "./commands.ts"
import { CommandsRequest } from "./commands-request.ts"
import type { Reject, ReplyFacts, RequestTerms, Resolve } from "./request.ts"

const MULTI = encodeOnce(["MULTI"])
const EXEC = encodeOnce(["EXEC"])
const TRANSACTION_COMMANDS: ReadonlySet<string> = new Set(["MULTI", "EXEC", "DISCARD"])

export class TransactionRequest extends CommandsRequest {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly asBytes: boolean
  protected readonly resolve: Resolve<unknown[] | null>
  protected readonly reject: Reject
  #names: CommandNames
  /** Replies before EXEC's: MULTI's and one "QUEUED" for each command. */
  #toQueue = 0
  #received = 0
  /** The first command that was refused instead of queued. */
  #queueingError: RedisError | undefined

  constructor(resolve: Resolve<unknown[] | null>, reject: Reject, asBytes: boolean) {
    super()
    this.resolve = resolve
    this.reject = reject
    this.asBytes = asBytes
  }

  get label(): string {
    return `a transaction of ${this.#toQueue - 1}`
  }

  override get isRefusedInMulti(): boolean {
    return true
  }

  encode(sink: CommandSink, commands: ReadonlyArray<readonly unknown[]>): void {
    checkPipeline(commands)
    refuseCommands(commands, TRANSACTION_COMMANDS, "transactionPipeline sends MULTI and EXEC itself")
    sink.raw(MULTI)
    this.#names = encodeCommands(this, sink, commands, 1)
    sink.raw(EXEC)
    this.#toQueue = commands.length + 1
    this.#noteEffects()
  }

  /** Nothing blocks inside of a transaction, and what it does to the session is done by EXEC. */
  #noteEffects(): void {
    if (this.terms === undefined) return
    this.terms.blockMs = 0
    if (this.terms.effects !== undefined) this.endWatch()
  }

  override endWatch(): void {
    const terms = this.needTerms()
    terms.effects ??= []
    terms.effects.push({ kind: "exec", replyIndex: this.#toQueue, database: undefined, isAnswered: false })
  }

  override toldOf(commands: ReadonlyArray<readonly unknown[]>): unknown[][] {
    return [["MULTI"], ...super.toldOf(commands), ["EXEC"]]
  }

  accept(reply: unknown, facts: ReplyFacts): boolean {
    if (this.#received < this.#toQueue) {
      const index = this.#received++
      if (facts.isError) this.#queueingError ??= nameError(reply, this.#nameOfReply(index))
      return false
    }
    if (!facts.isError && reply !== null && !Array.isArray(reply)) {
      throw new ConnectionError("protocol-error", "EXEC was answered by something other than replies", {
        outcome: "unknown",
      })
    }
    if (!this.settle()) return true
    // If EXEC has replies, it was carried out, whatever was said before.
    const error = facts.isError ? (this.#queueingError ?? reply) : undefined
    if (error === undefined || !this.follows(error)) this.#settleWith(reply, facts)
    return true
  }

  /** Whether the error is not for the caller, because the transaction, which was not carried out, is sent elsewhere. */
  protected follows(_error: unknown): boolean {
    return false
  }

  #nameOfReply(index: number): string | undefined {
    return index === 0 ? "MULTI" : nameAt(this.#names, index - 1)
  }

  #settleWith(reply: unknown, facts: ReplyFacts): void {
    if (facts.failure !== undefined) this.reject(facts.failure)
    else if (facts.isError) this.reject(this.#execError(reply))
    else if (Array.isArray(reply)) this.resolve(facts.holdsErrors ? this.#nameErrors(reply) : reply)
    else this.resolve(null)
  }

  #execError(reply: unknown): RedisError {
    const error = nameError(reply, "EXEC")
    const cause = this.#queueingError
    // Without MULTI, the commands ran one by one: that it was refused is the error to see.
    if (cause?.command === "MULTI") return cause
    return cause === undefined ? error : withoutStack(() => new RedisError(error.message, "EXEC", { cause }))
  }

  #nameErrors(replies: unknown[]): unknown[] {
    return replies.map((reply, index) =>
      reply instanceof RedisError ? nameError(reply, nameAt(this.#names, index)) : reply,
    )
  }

  protected rejectPromise(error: unknown): void {
    this.reject(error)
  }
}

keepOne(new TransactionRequest(unused, unused, false))
