/**
 * Commands without the secrets in them, for everything that is told of commands. Knows which arguments of which commands
 * are secrets; leaves to others what is told.
 */

import { argumentText, commandInfo } from "./command-info.ts"

export const REDACTED = "[redacted]"

type Command = readonly unknown[]

/** A copy of the command, its secrets replaced. */
export function redacted(command: Command): unknown[] {
  const name = argumentText(command[0])
  return /\s/.test(name) ? redactedWords(name, command) : withoutSecrets(command)
}

function withoutSecrets(command: Command): unknown[] {
  const copy = command.slice()
  const secrets = secretsOf(command)
  if (secrets !== undefined) for (const index of secrets) copy[index] = REDACTED
  return copy
}

/** `"CONFIG SET"` or `"AUTH password"` in place of a name: the server knows no such command, but the secret is one all the same. */
function redactedWords(name: string, [first, ...rest]: Command): unknown[] {
  const words = name.trim().split(/\s+/)
  const copy = withoutSecrets([...words, ...rest])
  const own = copy.splice(0, words.length)
  return [own.includes(REDACTED) ? own.join(" ") : first, ...copy]
}

/** Which arguments are secrets, by their index. */
function secretsOf(command: Command): Iterable<number> | undefined {
  switch (commandInfo(command[0]).name) {
    case "AUTH":
      return from(1, command)
    case "HELLO":
      return ofHello(command)
    case "ACL":
      return word(command, 1) === "SETUSER" ? from(2, command) : undefined
    case "CONFIG":
      return word(command, 1) === "SET" ? ofPairs(2, command) : undefined
    case "MODULE":
      return ofModule(command)
    case "SENTINEL":
      return ofSentinel(command)
    case "MIGRATE":
      return ofMigrate(command)
    default:
      return undefined
  }
}

/** In capitals. */
function word(command: Command, index: number): string {
  return argumentText(command[index]).toUpperCase()
}

function* from(first: number, command: Command): Generator<number> {
  for (let index = first; index < command.length; index++) yield index
}

/** `HELLO [version [AUTH user password] [SETNAME name]]` */
function* ofHello(command: Command): Generator<number> {
  for (let index = 2; index < command.length; index++) {
    if (word(command, index) !== "AUTH") continue
    yield* within(command, index + 1, 2)
    index += 2
  }
}

/** Names and values in turn: `requirepass`, `masterauth`, `primaryauth`, `tls-key-file-pass`, `sentinel-pass`, … */
function* ofPairs(first: number, command: Command): Generator<number> {
  for (let index = first; index + 1 < command.length; index += 2)
    if (/PASS|AUTH$/.test(word(command, index))) yield index + 1
}

/** `SENTINEL SET group name value …` and `SENTINEL CONFIG SET name value …` */
function ofSentinel(command: Command): Iterable<number> | undefined {
  const isSet = word(command, 1) === "SET" || (word(command, 1) === "CONFIG" && word(command, 2) === "SET")
  return isSet ? ofPairs(3, command) : undefined
}

/**
 * `MODULE LOAD path [argument …]` and `MODULE LOADEX path [CONFIG name value …] [ARGS argument …]`: which of them is a
 * password, only the module knows.
 */
function ofModule(command: Command): Iterable<number> | undefined {
  const sub = word(command, 1)
  if (sub === "LOAD") return from(3, command)
  return sub === "LOADEX" ? ofLoadEx(command) : undefined
}

function* ofLoadEx(command: Command): Generator<number> {
  let index = 3
  for (; word(command, index) === "CONFIG"; index += 3) yield* within(command, index + 2, 1)
  yield* from(word(command, index) === "ARGS" ? index + 1 : index, command)
}

/** `MIGRATE host port key db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS key …]` */
function* ofMigrate(command: Command): Generator<number> {
  for (let index = 6; index < command.length; index++) {
    const option = word(command, index)
    if (option === "KEYS") return
    const count = option === "AUTH" ? 1 : option === "AUTH2" ? 2 : 0
    yield* within(command, index + 1, count)
    index += count
  }
}

function* within(command: Command, first: number, count: number): Generator<number> {
  for (let index = first; index < first + count && index < command.length; index++) yield index
}
