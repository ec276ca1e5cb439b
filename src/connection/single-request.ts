/**
 * What requests of one command have in common: the reply settles the promise. A class without fields: a level of classes
 * that has them costs each request that is made.
 */

import { nameError } from "../errors.ts"
import type { CommandSink } from "../protocol/encode.ts"
import { isSpecialCommand } from "./commands.ts"
import { type Reject, type ReplyFacts, Request, type Resolve } from "./request.ts"

export abstract class SingleRequest extends Request<readonly unknown[]> {
  protected abstract readonly resolve: Resolve<unknown>
  protected abstract readonly reject: Reject
  /** The command's name, once that is known. */
  protected abstract readonly shownName: string | undefined

  abstract override encode(sink: CommandSink, command: readonly unknown[]): void

  get label(): string {
    return this.shownName ?? "the command"
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
