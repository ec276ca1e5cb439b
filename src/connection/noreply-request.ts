/**
 * A request whose replies the server is told to suppress: CLIENT REPLY OFF, the commands, CLIENT REPLY ON, of which only
 * the last is answered. Unless CLIENT is refused, and then every command is.
 *
 * Source: https://redis.io/docs/latest/commands/client-reply/
 */

import { ConnectionError, nameError } from "../errors.ts"
import { type CommandSink, encodeOnce } from "../protocol/encode.ts"
import { keepOne, unused } from "../util/keep.ts"
import { checkPipeline, encodeCommands, refuseCommands } from "./commands.ts"
import { CommandsRequest } from "./commands-request.ts"
import type { Reject, ReplyFacts, RequestTerms, Resolve } from "./request.ts"

const REPLY_OFF = encodeOnce(["CLIENT", "REPLY", "OFF"])
const REPLY_ON = encodeOnce(["CLIENT", "REPLY", "ON"])
const TRANSACTION_COMMANDS: ReadonlySet<string> = new Set(["MULTI", "EXEC", "DISCARD", "WATCH"])

/** Refuses what is of no use without replies, also where these are read and thrown away. */
export function refuseTransactions(commands: readonly unknown[]): void {
  refuseCommands(commands, TRANSACTION_COMMANDS, "without replies nobody would know whether it took effect")
}

export class NoreplyRequest extends CommandsRequest {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly #resolve: Resolve<void>
  readonly #reject: Reject
  #count = 0
  /** Replies that still follow a refused CLIENT REPLY OFF; `undefined` before the first reply. */
  #toDiscard: number | undefined

  constructor(resolve: Resolve<void>, reject: Reject) {
    super()
    this.#resolve = resolve
    this.#reject = reject
  }

  get asBytes(): boolean {
    return false
  }

  get label(): string {
    return `CLIENT REPLY ON after ${this.#count} commands without replies`
  }

  override get isRefusedInMulti(): boolean {
    return true
  }

  /** A connection on which CLIENT REPLY ON went unanswered may be mute for ever. */
  override get mustBeAnswered(): boolean {
    return this.#toDiscard === undefined
  }

  encode(sink: CommandSink, commands: ReadonlyArray<readonly unknown[]>): void {
    // A deadline of its own even with the usual timeout: it must hold after the caller has gone.
    this.needTerms()
    checkPipeline(commands)
    refuseTransactions(commands)
    sink.raw(REPLY_OFF)
    encodeCommands(this, sink, commands, 0)
    sink.raw(REPLY_ON)
    this.#count = commands.length
    this.#adaptEffects()
  }

  /**
   * All goes by CLIENT REPLY ON's reply, which does not say what was accepted: the database of a SELECT is unknown then,
   * and what ends something may not have.
   */
  #adaptEffects(): void {
    const { terms } = this
    if (terms?.effects === undefined) return
    const kept = terms.effects.filter(({ kind }) => kind !== "unwatch" && kind !== "tracking-off")
    terms.effects = kept.map((effect) => ({ ...effect, replyIndex: 0, database: undefined }))
  }

  override toldOf(commands: ReadonlyArray<readonly unknown[]>): unknown[][] {
    return [["CLIENT", "REPLY", "OFF"], ...super.toldOf(commands), ["CLIENT", "REPLY", "ON"]]
  }

  accept(reply: unknown, facts: ReplyFacts): boolean {
    if (this.#toDiscard !== undefined) return --this.#toDiscard === 0
    if (facts.isError) {
      // Every command is answered then, and so is CLIENT REPLY ON.
      this.#toDiscard = this.#count + 1
      this.fail(nameError(reply, "CLIENT"))
      return false
    }
    this.#toDiscard = 0
    if (reply !== "OK") {
      throw new ConnectionError("protocol-error", "CLIENT REPLY ON was not answered by OK", {
        outcome: "unknown",
      })
    }
    if (this.settle()) this.#resolve()
    return true
  }

  protected rejectPromise(error: unknown): void {
    this.#reject(error)
  }
}

keepOne(new NoreplyRequest(unused, unused))
