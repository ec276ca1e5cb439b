/** What a line at the prompt may go on with: completions for Tab, and the hint behind the cursor. No terminal here. */

import { allCommands, type CommandFacts } from "./catalogue.ts"
import { expectationAfter } from "./shape.ts"

/** What the prompt itself understands, beside commands of the server. */
export const PROMPT_COMMANDS: ReadonlyMap<string, string> = new Map([
  [":help", "[COMMAND]"],
  [":pipeline", ""],
  [":send", ""],
  [":cancel", ""],
  [":time", "[COMMAND …]"],
  [":format", "<pretty | json | raw>"],
  [":clear", ""],
  [":quit", ""],
])

interface Typed {
  /** Words that are followed by a space. */
  readonly complete: readonly string[]
  /** The word at the end, or "". */
  readonly partial: string
}

/** For `node:readline`: what may stand in place of the last word, and that word. */
export function completionsOf(line: string): [hits: string[], partial: string] {
  const { complete, partial } = typedOf(line)
  const hits = candidates(complete)
    .filter((candidate) => candidate.toUpperCase().startsWith(partial.toUpperCase()))
    .map((candidate) => `${inCaseOf(partial, candidate)} `)
  return [hits, partial]
}

/** What is still expected, to be shown behind the line; "" for nothing. */
export function hintOf(line: string): string {
  if (line.trim() === "") return ""
  const { complete, partial } = typedOf(line)
  const words = partial === "" ? complete : [...complete, partial]
  const [first = "", ...others] = words
  const rest = first.startsWith(":") ? promptHint(first, others) : commandHint(words)
  return rest === "" ? "" : `${partial === "" ? "" : " "}${rest}`
}

function promptHint(first: string, others: readonly string[]): string {
  if (first === ":time" && others.length > 0) return commandHint(others)
  return others.length > 0 ? "" : (PROMPT_COMMANDS.get(first) ?? "")
}

function commandHint(words: readonly string[]): string {
  const [command, rest] = commandOf(words)
  if (command === undefined) return ""
  if (command.isContainer) return rest.length > 0 ? "" : `<${subcommandsOf(command.name).join(" | ")}>`
  const expected = expectationAfter(command.hint, rest).rest
  return command.isDeprecated ? `${expected} (deprecated)`.trim() : expected
}

function candidates(complete: readonly string[]): readonly string[] {
  const [first, second] = complete
  if (first === undefined) return [...firstWords(), ...PROMPT_COMMANDS.keys()]
  if (first === ":help") return second === undefined ? firstWords() : subcommandsOf(second)
  if (first === ":format") return second === undefined ? ["pretty", "json", "raw"] : []
  if (first === ":time") return candidates(complete.slice(1)).filter((word) => !word.startsWith(":"))
  const [command, rest] = commandOf(complete)
  if (command === undefined) return []
  return command.isContainer && rest.length === 0
    ? subcommandsOf(command.name)
    : expectationAfter(command.hint, rest).literals
}

/** The command that the words begin with, and the words after its name. */
function commandOf(words: readonly string[]): [CommandFacts | undefined, readonly string[]] {
  const [first = "", second = ""] = words.map((word) => word.toUpperCase())
  const whole = allCommands().get(`${first} ${second}`)
  return whole ? [whole, words.slice(2)] : [allCommands().get(first), words.slice(1)]
}

function firstWords(): string[] {
  return [...allCommands().keys()].filter((name) => !name.includes(" "))
}

function subcommandsOf(container: string): string[] {
  const prefix = `${container.toUpperCase()} `
  return [...allCommands().keys()]
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
}

function typedOf(line: string): Typed {
  // A quote that is open goes on to the end.
  const words = line.match(/(?:"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|[^\s"'])+/gs) ?? []
  if (/\s$/.test(line) && line.trimEnd().endsWith(words.at(-1) ?? "")) return { complete: words, partial: "" }
  return { complete: words.slice(0, -1), partial: words.at(-1) ?? "" }
}

/** Whoever writes in small letters goes on in small letters. */
function inCaseOf(partial: string, candidate: string): string {
  return partial !== "" && partial === partial.toLowerCase() && /[a-z]/.test(partial)
    ? candidate.toLowerCase()
    : candidate
}
