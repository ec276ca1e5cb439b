/** A request of one command: its reply settles the promise. */

import { nameError } from "../errors.ts"
import type { CommandSink } from "../protocol/encode.ts"
import { encodeCommand, isSpecialCommand } from "./commands.ts"
import { type Reject, type ReplyFacts, Request, type Resolve } from "./request.ts"

export class CommandRequest extends Request<readonly unknown[]> {
  readonly asBytes: boolean
  readonly #resolve: Resolve<unknown>
  readonly #reject: Reject
  #name: string | undefined

  constructor(resolve: Resolve<unknown>, reject: Reject, asBytes: boolean) {
    super()
    this.#resolve = resolve
    this.#reject = reject
    this.asBytes = asBytes
  }

  get label(): string {
    return this.#name ?? "the command"
  }

  encode(sink: CommandSink, command: readonly unknown[]): void {
    this.#name = encodeCommand(this, sink, command, 0).shownName
  }

  override isSpecial(command: readonly unknown[]): boolean {
    return isSpecialCommand(command)
  }

  override commandsOf(command: readonly unknown[]): readonly unknown[] {
    return [command]
  }

  override copyOf(command: readonly unknown[]): readonly unknown[] {
    return [...command]
  }

  accept(reply: unknown, facts: ReplyFacts): boolean {
    if (!this.settle()) return true
    if (facts.failure !== undefined) this.#reject(facts.failure)
    else if (facts.isError) this.#reject(nameError(reply, this.#name))
    else this.#resolve(reply)
    return true
  }

  protected rejectPromise(error: unknown): void {
    this.#reject(error)
  }
}
