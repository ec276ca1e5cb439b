/** A request of several commands, given as an array of arrays. What becomes of their replies is left to its kinds. */

import { copyCommands, hasSpecial } from "./commands.ts"
import { Request } from "./request.ts"

export abstract class CommandsRequest extends Request<ReadonlyArray<readonly unknown[]>> {
  override isSpecial(commands: ReadonlyArray<readonly unknown[]>): boolean {
    return hasSpecial(commands)
  }

  override commandsOf(commands: ReadonlyArray<readonly unknown[]>): ReadonlyArray<readonly unknown[]> {
    return commands
  }

  override copyOf(commands: ReadonlyArray<readonly unknown[]>): ReadonlyArray<readonly unknown[]> {
    return copyCommands(commands)
  }
}
