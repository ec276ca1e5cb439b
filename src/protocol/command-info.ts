/**
 * What the driver knows of single commands on a shared connection. The facts are those of the generated table; where
 * keys are is left to `command-keys.ts`, and to others what follows from all this.
 */

import { isUint8Array } from "node:util/types"
import { SPECIAL_COMMANDS } from "./command-table.ts"

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
  /** Asks the server to close the connection. */
  | "quit"
  /** Which node of a cluster answers for what. */
  | "routing"
  /** Something else that lasts, and that nothing undoes without knowing what was before. */
  | "lasting"

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
  /** Where its first key is, kept here by `command-keys.ts` once it was looked for. */
  keyPlace: number | undefined
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

/** `XREAD … BLOCK <ms> … STREAMS …`, the search beginning at `from`. */
function streamBlockTime(command: readonly unknown[], from: number): number {
  for (let index = from; index < command.length; index++) {
    if (isWord(command[index], "STREAMS")) return 0
    if (isWord(command[index], "BLOCK")) return blockTime(command[index + 1], 1)
  }
  return 0
}

/** What would become of a shared connection, and what to use instead. */
const REFUSALS: Readonly<Record<string, string>> = {
  subscriber: "it would turn the connection into a subscriber: use PubSub",
  monitor: "it would turn the connection into a stream of commands: use redis-cli, or the server's SLOWLOG",
  protocol:
    'it would change the protocol under the connection: use the option "protocol", "username" or "password"',
  reset: "it would undo what the driver has set up: use a new connection (duplicate)",
  replication: "it would turn the connection into a replica's stream: open a socket of your own for it",
  reply: "it would shift the replies of all later commands: use noreplyCommand or noreplyPipeline",
}

const SESSION_EFFECTS: Readonly<Record<string, (command: readonly unknown[]) => SessionEffectKind>> = {
  multi: () => "multi",
  exec: () => "exec",
  discard: () => "discard",
  watch: () => "watch",
  unwatch: () => "unwatch",
  select: () => "select",
  auth: () => "auth",
  tracking: (command) => (isWord(command[2], "OFF") ? "tracking-off" : "tracking-on"),
  quit: () => "quit",
  routing: () => "routing",
  lasting: () => "lasting",
}

/** A row of the table, such as `blocks last s`, as what it means. */
function specialCommand(fact: string): SpecialCommand {
  const [kind, word = "", ...rest] = fact.split(" ")
  if (kind === "refused") return { refusal: () => REFUSALS[word] }
  if (kind === "session") return { sessionEffect: (command) => SESSION_EFFECTS[word]?.(command) }
  if (word === "BLOCK") return { blockMs: (command) => streamBlockTime(command, Number(rest[1])) }
  const msPerUnit = rest[0] === "s" ? 1000 : 1
  const index = word === "last" ? -1 : Number(word)
  return { blockMs: (command) => blockTime(command.at(index), msPerUnit) }
}

/** A container is as special as the command that its second word makes of it. */
function specialContainer(subcommands: ReadonlyMap<string, SpecialCommand>): SpecialCommand {
  const of = (command: readonly unknown[]) => subcommands.get(argumentText(command[1]).toUpperCase())
  return {
    refusal: (command) => of(command)?.refusal?.(command),
    sessionEffect: (command) => of(command)?.sessionEffect?.(command),
  }
}

function readTable(): ReadonlyMap<string, SpecialCommand> {
  const special = new Map<string, SpecialCommand>()
  const containers = new Map<string, Map<string, SpecialCommand>>()
  for (const [fact, names] of Object.entries(SPECIAL_COMMANDS)) {
    for (const name of names.split(" ")) {
      const [first = "", second] = name.split("|")
      const subcommands = containers.get(first) ?? new Map<string, SpecialCommand>()
      if (second === undefined) special.set(first, specialCommand(fact))
      else containers.set(first, subcommands.set(second, specialCommand(fact)))
    }
  }
  for (const [name, subcommands] of containers) special.set(name, specialContainer(subcommands))
  return special
}

const specialCommands = readTable()

/** Names as they were spelled, so that the usual command is found without changing its case. */
const infoBySpelling = new Map<string, CommandInfo>()
/** Names come from users: the map must not grow with whatever they make up. */
const MOST_SPELLINGS = 1024

/** What is known of the command with this name, in any letter case and also as bytes. */
export function commandInfo(name: unknown): CommandInfo {
  // Mostly the same as before: several layers ask about a command, and pipelines have many of a kind.
  if (name === lastName) return lastInfo
  const known = typeof name === "string" ? infoBySpelling.get(name) : undefined
  lastInfo = known ?? lookUp(argumentText(name))
  // Bytes may be other bytes the next time, and a part of a long text would keep all of that.
  lastName = known === undefined ? NO_NAME : name
  return lastInfo
}

const NO_NAME = Symbol("no name")
const NO_COMMAND: CommandInfo = { name: "", shownName: undefined, special: undefined, keyPlace: undefined }
/** The name that was looked up last, if it is a known one, and what it is. */
let lastName: unknown = NO_NAME
let lastInfo = NO_COMMAND

function lookUp(spelling: string): CommandInfo {
  // Beyond ASCII, other letters have capitals that occur in names of commands ("ſ" has "S").
  const isName = /^[\w.-]{1,64}$/.test(spelling)
  const name = isName ? spelling.toUpperCase() : spelling
  const info: CommandInfo = {
    name,
    shownName: isName ? name : undefined,
    special: specialCommands.get(name),
    keyPlace: undefined,
  }
  // A copy: a part of a long text would keep all of that.
  if (isName && infoBySpelling.size < MOST_SPELLINGS)
    infoBySpelling.set(Buffer.from(spelling).toString(), info)
  return info
}
