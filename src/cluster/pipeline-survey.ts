/**
 * All that has to be known of the usual pipeline before it can be sent, found in one pass over it: that nothing in it is
 * special or misuse, and which slots its commands are in. Leaves all other pipelines to those who look more closely.
 */

import { commandInfo } from "../protocol/command-info.ts"
import { slotOfCommand, UNKNOWN } from "./routing.ts"

type Commands = ReadonlyArray<readonly unknown[]>

export interface Survey {
  /** The same commands, whatever the caller does with the arrays. */
  readonly commands: Commands
  /** The slot of each, as {@link slotOfCommand} has it. */
  readonly slots: readonly number[]
}

const NO_INFO = commandInfo("")

/** `undefined` where there is more to look at. */
export function survey(given: Commands): Survey | undefined {
  if (!Array.isArray(given) || given.length === 0) return undefined
  const commands: Array<readonly unknown[]> = []
  const slots: number[] = []
  // Mostly, the next command has the same name.
  let name: unknown
  let info = NO_INFO
  for (let place = 0; place < given.length; place++) {
    const command: unknown = given[place]
    if (!isUsual(command)) return undefined
    if (command[0] !== name) {
      name = command[0]
      info = commandInfo(name)
    }
    const slot = info.special === undefined ? slotOfCommand(command, info) : UNKNOWN
    if (slot === UNKNOWN) return undefined
    commands.push(command.slice())
    slots.push(slot)
  }
  return { commands, slots }
}

/** Whether it is an array of strings and plain numbers. */
function isUsual(command: unknown): command is readonly unknown[] {
  if (!Array.isArray(command) || command.length === 0) return false
  for (let index = 0; index < command.length; index++) {
    const argument: unknown = command[index]
    if (typeof argument !== "string" && !Number.isFinite(argument)) return false
  }
  return true
}
