/**
 * Which slot a command belongs to, and whether a replica may answer it. Knows commands; leaves to others who has the slot.
 */

import { type CommandInfo, commandInfo } from "../protocol/command-info.ts"
import { firstKeyPlace, keysOf } from "../protocol/command-keys.ts"
import { slotOf } from "./slots.ts"

/** The command has no keys: any node will do. */
export const ANY_NODE = -1
/** Only the server knows which keys the command has. */
export const UNKNOWN = -2

/** The slot of the command's first key, {@link ANY_NODE} or {@link UNKNOWN}. */
export function slotOfCommand(
  command: readonly unknown[],
  info: CommandInfo = commandInfo(command[0]),
): number {
  const place = firstKeyPlace(info)
  if (place > 0) return place < command.length ? slotOf(command[place]) : ANY_NODE
  if (place === 0) return ANY_NODE
  const keys = keysOf(command)
  if (keys === "unknown") return UNKNOWN
  return keys.length === 0 ? ANY_NODE : slotOf(keys[0])
}

/** The first key of the command, if the table knows it. */
export function firstKeyOf(command: readonly unknown[]): unknown {
  const keys = keysOf(command)
  return keys === "unknown" ? undefined : keys[0]
}
