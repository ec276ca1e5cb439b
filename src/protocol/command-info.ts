/**
 * What the driver knows of single commands: the only list of such facts. Leaves to others what follows from them.
 */

import { isUint8Array } from "node:util/types"

/** What a command does to the session of its connection, beside its reply. */
export type SessionEffectKind =
  | "multi"
  | "exec"
  | "discard"
  | "watch"
  | "unwatch"
  | "select"
  | "auth"
  | "tracking-on"
  | "tracking-off"

/** What is special about a command on a connection that is shared by many callers. */
export interface SpecialCommand {
  /** Why this command, with these arguments, is refused, and what to use instead; `undefined` if it is not. */
  readonly refusal?: (command: readonly unknown[]) => string | undefined
  /** For how many ms the command may block its connection; 0 for not, `Infinity` for ever. */
  readonly blockMs?: (command: readonly unknown[]) => number
  readonly sessionEffect?: (command: readonly unknown[]) => SessionEffectKind | undefined
}

export interface CommandInfo {
  /** In capitals. */
  readonly name: string
  /** The same for error messages, if it can be one: a caller's mistake may have put anything in its place. */
  readonly shownName: string | undefined
  /** `undefined` for nearly all commands. */
  readonly special: SpecialCommand | undefined
}

/** `argument` as text, for looking at it; bytes are taken as Latin-1, so that names stay themselves. */
export function argumentText(argument: unknown): string {
  if (typeof argument === "string") return argument
  if (isUint8Array(argument)) return Buffer.from(argument).toString("latin1")
  return typeof argument === "number" || typeof argument === "bigint" ? String(argument) : ""
}

function isWord(argument: unknown, word: string): boolean {
  if (typeof argument !== "string" && !isUint8Array(argument)) return false
  return argument.length === word.length && argumentText(argument).toUpperCase() === word
}

/** A block time of the server in ms: 0 means for ever, and what is no time does not block (the server refuses it). */
function blockTime(argument: unknown, msPerUnit: number): number {
  const text = argumentText(argument)
  const units = text.trim() === "" ? Number.NaN : Number(text)
  if (!(units >= 0)) return 0
  return units === 0 ? Number.POSITIVE_INFINITY : units * msPerUnit
}

const SECOND = 1000
const blocksByLast: SpecialCommand = { blockMs: (command) => blockTime(command[command.length - 1], SECOND) }
const blocksByFirst: SpecialCommand = { blockMs: (command) => blockTime(command[1], SECOND) }

/** `XREAD … BLOCK <ms> … STREAMS …`, the search beginning at `from`. */
function streamBlockTime(command: readonly unknown[], from: number): number {
  for (let index = from; index < command.length; index++) {
    if (isWord(command[index], "STREAMS")) return 0
    if (isWord(command[index], "BLOCK")) return blockTime(command[index + 1], 1)
  }
  return 0
}

function refused(instead: string): SpecialCommand {
  return { refusal: () => instead }
}

function effect(kind: SessionEffectKind): SpecialCommand {
  return { sessionEffect: () => kind }
}

const usePubSub = refused("it would turn the connection into a subscriber: use PubSub")
const useProtocol = refused(
  'it would change the protocol under the connection: use the option "protocol", "username" or "password"',
)
const useReplication = refused(
  "it would turn the connection into a replica's stream: open a socket of your own for it",
)

const client: SpecialCommand = {
  refusal: (command) =>
    isWord(command[1], "REPLY")
      ? "it would shift the replies of all later commands: use noreplyCommand or noreplyPipeline"
      : undefined,
  sessionEffect: (command) => {
    if (!isWord(command[1], "TRACKING")) return undefined
    return isWord(command[2], "OFF") ? "tracking-off" : "tracking-on"
  },
}

const specialCommands: ReadonlyMap<string, SpecialCommand> = new Map([
  ["SUBSCRIBE", usePubSub],
  ["PSUBSCRIBE", usePubSub],
  ["SSUBSCRIBE", usePubSub],
  ["UNSUBSCRIBE", usePubSub],
  ["PUNSUBSCRIBE", usePubSub],
  ["SUNSUBSCRIBE", usePubSub],
  [
    "MONITOR",
    refused("it would turn the connection into a stream of commands: use redis-cli, or the server's SLOWLOG"),
  ],
  ["HELLO", useProtocol],
  ["RESET", refused("it would undo what the driver has set up: use a new connection (duplicate)")],
  ["SYNC", useReplication],
  ["PSYNC", useReplication],
  ["REPLCONF", useReplication],
  ["CLIENT", client],
  ["BLPOP", blocksByLast],
  ["BRPOP", blocksByLast],
  ["BLMOVE", blocksByLast],
  ["BRPOPLPUSH", blocksByLast],
  ["BZPOPMIN", blocksByLast],
  ["BZPOPMAX", blocksByLast],
  ["BLMPOP", blocksByFirst],
  ["BZMPOP", blocksByFirst],
  ["WAIT", { blockMs: (command) => blockTime(command[2], 1) }],
  ["WAITAOF", { blockMs: (command) => blockTime(command[3], 1) }],
  ["XREAD", { blockMs: (command) => streamBlockTime(command, 1) }],
  ["XREADGROUP", { blockMs: (command) => streamBlockTime(command, 4) }],
  ["MULTI", effect("multi")],
  ["EXEC", effect("exec")],
  ["DISCARD", effect("discard")],
  ["WATCH", effect("watch")],
  ["UNWATCH", effect("unwatch")],
  ["SELECT", effect("select")],
  ["AUTH", effect("auth")],
])

/** Names as they were spelled, so that the usual command is found without changing its case. */
const infoBySpelling = new Map<string, CommandInfo>()
/** Names come from users: the map must not grow with whatever they make up. */
const MOST_SPELLINGS = 1024

/** What is known of the command with this name, in any letter case and also as bytes. */
export function commandInfo(name: unknown): CommandInfo {
  const known = typeof name === "string" ? infoBySpelling.get(name) : undefined
  return known ?? lookUp(argumentText(name))
}

function lookUp(spelling: string): CommandInfo {
  // Beyond ASCII, other letters have capitals that occur in names of commands ("ſ" has "S").
  const isName = /^[\w.-]{1,64}$/.test(spelling)
  const name = isName ? spelling.toUpperCase() : spelling
  const info = { name, shownName: isName ? name : undefined, special: specialCommands.get(name) }
  // A copy: a part of a long text would keep all of that.
  if (isName && infoBySpelling.size < MOST_SPELLINGS)
    infoBySpelling.set(Buffer.from(spelling).toString(), info)
  return info
}
