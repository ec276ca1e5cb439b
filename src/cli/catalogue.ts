/** What is known of commands for people: their arguments, replies and age, by name. Leaves to others how it is shown. */

import { COMMAND_FACTS } from "./command-facts.ts"

export interface CommandFacts {
  /** In capitals; a command of a container has two words. */
  readonly name: string
  readonly since: string
  /** The type of its reply under RESP3; empty where it is too long to help. */
  readonly reply: string
  /** Its arguments, as the documentation writes them. */
  readonly hint: string
  /** It is only the first word of others. */
  readonly isContainer: boolean
  readonly isDeprecated: boolean
  readonly isRefused: boolean
  readonly repliesSet: boolean
  /** Numbers in the reply are doubles. */
  readonly repliesDoubles: boolean
  /** The reply may be a word such as `OK`. */
  readonly repliesWord: boolean
}

let catalogue: ReadonlyMap<string, CommandFacts> | undefined

/** All commands by name, in the order of the alphabet. */
export function allCommands(): ReadonlyMap<string, CommandFacts> {
  catalogue ??= new Map(COMMAND_FACTS.map((line) => [line.slice(0, line.indexOf("\t")), factsOf(line)]))
  return catalogue
}

/** The command that these words begin with; of one with two words, the second may be missing. */
export function findCommand(words: readonly (string | Uint8Array)[]): CommandFacts | undefined {
  const [first, second] = words.slice(0, 2).map((word) => Buffer.from(word).toString("latin1").toUpperCase())
  if (first === undefined) return undefined
  return allCommands().get(`${first} ${second}`) ?? allCommands().get(first)
}

function factsOf(line: string): CommandFacts {
  const [name = "", marks = "", since = "", reply = "", hint = ""] = line.split("\t")
  return {
    name,
    since,
    reply,
    hint,
    isContainer: marks.includes("c"),
    isDeprecated: marks.includes("x"),
    isRefused: marks.includes("r"),
    repliesSet: marks.includes("s"),
    repliesDoubles: marks.includes("d"),
    repliesWord: marks.includes("k"),
  }
}
