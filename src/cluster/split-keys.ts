/**
 * Commands with keys in several slots as one command for each slot, and their replies put together again. Pure. Only for
 * commands that do the same to each key, by itself.
 */

import { ConnectionError } from "../errors.ts"
import { commandInfo } from "../protocol/command-info.ts"
import { ofAll } from "./outcome.ts"
import { slotOf } from "./slots.ts"

type Command = readonly unknown[]

/** How many arguments belong to a key, and what the replies to the parts make. */
interface Kind {
  readonly step: number
  readonly merge: "values" | "sum" | "ok"
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["MGET", { step: 1, merge: "values" }],
  ["MSET", { step: 2, merge: "ok" }],
  ["DEL", { step: 1, merge: "sum" }],
  ["UNLINK", { step: 1, merge: "sum" }],
  ["EXISTS", { step: 1, merge: "sum" }],
  ["TOUCH", { step: 1, merge: "sum" }],
])

/** Some keys of a command. */
interface Slice {
  readonly command: Command
  /** Which of the command's keys these are. */
  readonly keys: number[]
}

export interface SplitCommands {
  readonly all: Command[]
  /** The replies to the commands that were given, of those to {@link all}. */
  merge(replies: readonly unknown[]): unknown[]
}

function kindOf(command: unknown): Kind | undefined {
  return Array.isArray(command) ? KINDS.get(commandInfo(command[0]).name) : undefined
}

/** Whether the command can be split, as far as its form is right. */
export function isSplittable(command: unknown): boolean {
  const kind = kindOf(command)
  if (kind === undefined || !Array.isArray(command)) return false
  return command.length > 1 && (command.length - 1) % kind.step === 0
}

export function splitKeys(commands: readonly Command[]): SplitCommands {
  const parts = commands.map((command) => ({ command, slices: slicesOf(command) }))
  return {
    all: parts.flatMap(({ slices }) => slices.map(({ command }) => command)),
    merge(replies) {
      let at = 0
      return parts.map(({ command, slices }) => {
        const own = replies.slice(at, at + slices.length)
        at += slices.length
        return merged(command, slices, own)
      })
    },
  }
}

function slicesOf(command: Command): readonly Slice[] {
  const kind = kindOf(command)
  // What is no command is refused where it is sent.
  if (kind === undefined || !isSplittable(command)) return [{ command, keys: [] }]
  const slices = new Map<number, { readonly command: unknown[]; readonly keys: number[] }>()
  for (let index = 1, key = 0; index < command.length; index += kind.step, key++) {
    const slot = slotOf(command[index])
    const slice = slices.get(slot) ?? { command: [command[0]], keys: [] }
    slices.set(slot, slice)
    slice.command.push(...command.slice(index, index + kind.step))
    slice.keys.push(key)
  }
  return [...slices.values()]
}

/** One reply of several: the first error, if one of them is one. */
function merged(command: Command, slices: readonly Slice[], replies: readonly unknown[]): unknown {
  const kind = kindOf(command)
  if (kind === undefined || slices.length === 1) return replies[0]
  const error = replies.find((reply) => reply instanceof Error)
  if (error !== undefined) return error instanceof ConnectionError ? ofAll(error, replies) : error
  if (kind.merge === "ok") return replies[0]
  if (kind.merge === "sum") return replies.reduce<number>((sum, reply) => sum + Number(reply), 0)
  return values(slices, replies)
}

function values(slices: readonly Slice[], replies: readonly unknown[]): unknown[] {
  const found: unknown[] = []
  for (const [index, { keys }] of slices.entries()) {
    const reply = replies[index]
    const list: readonly unknown[] = Array.isArray(reply) ? reply : []
    for (const [place, key] of keys.entries()) found[key] = list[place]
  }
  return found
}
