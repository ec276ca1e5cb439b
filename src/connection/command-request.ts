/** A request of one command: its reply settles the promise. */

import { nameError } from "../errors.ts"
import type { CommandSink } from "../protocol/encode.ts"
import { encodeCommand, isSpecialCommand } from "./commands.ts"
import { type Reject, type ReplyFacts, Request, type Resolve } from "./request.ts"

export class CommandRequest extends Request<readonly unknown[]> {
  readonly asBytes: boolean
  protected readonly resolve: Resolve<unknown>
  protected readonly reject: Reject
  #name: string | undefined

  constructor(resolve: Resolve<unknown>, reject: Reject, asBytes: boolean) {
    super()
    this.resolve = resolve
    this.reject = reject
    this.asBytes = asBytes
  }

  get label(): string {
    return this.shownName ?? "the command"
  }

  /** The command's name, once it is encoded. */
  protected get shownName(): string | undefined {
    return this.#name
  }

  encode(sink: CommandSink, command: readonly unknown[]): void {
    this.#name = encodeCommand(this, sink, command, 0).shownName
  }

  override isSpecial(command: readonly unknown[]): boolean {
    return isSpecialCommand(command)
  }

  override commandsOf(command: readonly unknown[]): ReadonlyArray<readonly unknown[]> {
    return [command]
  }

  override copyOf(command: readonly unknown[]): readonly unknown[] {
    return [...command]
  }

  accept(reply: unknown, facts: ReplyFacts): boolean {
    if (!this.settle() || (facts.isError && this.follows(reply))) return true
    if (facts.failure !== undefined) this.reject(facts.failure)
    else if (facts.isError) this.reject(nameError(reply, this.shownName))
    else this.resolve(reply)
    return true
  }

  /** Whether the error is not for the caller, because the command is sent to where the error says. */
  protected follows(_error: unknown): boolean {
    return false
  }

  protected rejectPromise(error: unknown): void {
    this.reject(error)
  }
}
