/**
 * The table of command facts, read from the text files beside this one. Knows their form, which `README.md` explains;
 * leaves it to the generator, the conformance tests and the comparison with servers what to do with the facts.
 */
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Protocol, parseReplyType, type ReplyType, type ReplyTypes, unionOf } from "./reply-type.ts"

/** Where the keys of a command stand: one part of it; a command may have several. */
export type KeySpec =
  /** From `first` to `last`, which counts from the end where it is negative, each `step`th. */
  | { readonly kind: "range"; readonly first: number; readonly last: number; readonly step: number }
  /** A count at `count`, and so many keys after it, each `step`th. */
  | { readonly kind: "numkeys"; readonly count: number; readonly step: number }
  /** After a word: one key, all that follow, or the first half of them. */
  | {
      readonly kind: "after"
      readonly word: string
      readonly which: "one" | "all" | "half"
      /** Where the word is looked for. */
      readonly from: number
    }

/** How long a command blocks: the argument that says it (`BLOCK`: the one after that word), and its unit. */
export interface Blocks {
  readonly argument: "last" | "BLOCK" | number
  /** Where the word is looked for. */
  readonly from: number | undefined
  readonly unit: "s" | "ms"
}

/** Where the options of a command are looked for. */
export interface Words {
  /** `from`: anywhere from there on; `at`: from there on until the first that is none; `after`: behind the keys. */
  readonly where: "from" | "at" | "after numkeys"
  readonly position: number
  /** How many arguments belong to an option; `rest`: all that follow are no options. */
  readonly takes: ReadonlyMap<string, number | "rest">
}

/** A reply that goes by options: by all of `words`, or by any of them. */
export interface Case {
  readonly words: readonly string[]
  readonly needs: "all" | "any"
  readonly reply: ReplyTypes
}

export interface ReplyRule {
  /** The reply without any of the words of `cases`. */
  readonly plain: ReplyTypes | undefined
  readonly words: Words | undefined
  /** The first that fits holds. */
  readonly cases: readonly Case[]
  /** By the number of elements, the name included. */
  readonly lengths: ReadonlyMap<number, ReplyTypes>
  readonly otherwise: ReplyTypes | undefined
}

export interface Fact {
  /** In capitals; commands of a container have two words. */
  readonly name: string
  /** The arguments, for people. */
  readonly hint: string
  readonly group: string
  readonly since: string
  /** The number of elements, the name included; at least so many where it is negative. */
  readonly arity: number
  readonly access: "read" | "write" | undefined
  readonly deprecated: boolean
  /** Only the first word of other commands. */
  readonly container: boolean
  readonly keys: readonly KeySpec[]
  readonly blocks: Blocks | undefined
  /** Why it cannot be sent on a shared connection, in a word. */
  readonly refused: string | undefined
  /** What it does to the session of its connection, in a word. */
  readonly session: string | undefined
  readonly reply: ReplyRule
}

const folder = fileURLToPath(new URL(".", import.meta.url))

/** All facts, by name, in the order of the alphabet. */
export function readFacts(): ReadonlyMap<string, Fact> {
  const files = readdirSync(folder).filter((file) => file.endsWith(".txt"))
  const facts = files.flatMap((file) =>
    readFileSync(folder + file, "utf8")
      .trim()
      .split(/\n{2,}/)
      .map((block) => parseFact(block, file.slice(0, -".txt".length))),
  )
  facts.sort((a, b) => (a.name < b.name ? -1 : 1))
  const byName = new Map(facts.map((fact) => [fact.name, fact]))
  if (byName.size !== facts.length) throw new Error("a command is listed twice")
  return byName
}

/** All that the reply may be, whatever the options. */
export function anyReply(rule: ReplyRule, protocol: Protocol): ReplyType {
  const all = [rule.plain, ...rule.cases.map(({ reply }) => reply), ...rule.lengths.values(), rule.otherwise]
  return unionOf(all.flatMap((types) => (types ? [types[protocol]] : [])))
}

/** Reads one block of a file. Throws for what is none, with the block in its message. */
export function parseFact(block: string, group: string): Fact {
  try {
    const [head = "", facts = "", ...rules] = block.split("\n")
    return { ...parseHead(head), group, ...parseFacts(facts), reply: parseRules(rules) }
  } catch (cause) {
    throw new Error(`in ${group}.txt:\n${block}`, { cause })
  }
}

/** A command of a container is written as servers do: `CONFIG|GET`. */
function parseHead(head: string): Pick<Fact, "name" | "hint"> {
  const [name, hint = ""] = divided(head, " ")
  if (!/^[A-Z_]/.test(name)) throw new Error(`no command: ${head}`)
  return { name: name.replace("|", " "), hint }
}

type Facts = Omit<Fact, "name" | "hint" | "group" | "reply">

function parseFacts(line: string): Facts {
  const facts: { -readonly [Name in keyof Facts]: Facts[Name] } = {
    since: "",
    arity: 0,
    access: undefined,
    deprecated: false,
    container: false,
    keys: [],
    blocks: undefined,
    refused: undefined,
    session: undefined,
  }
  for (const item of line.trim().split(", ")) {
    const [word, value = ""] = divided(item, " ")
    if (word === "since") facts.since = value
    else if (word === "arity") facts.arity = integer(value)
    else if (word === "read" || word === "write") facts.access = word
    else if (word === "deprecated" || word === "container") facts[word] = true
    else if (word === "keys") facts.keys = value.split(" + ").map(parseKeys)
    else if (word === "blocks") facts.blocks = parseBlocks(value)
    else if (word === "refused" || word === "session") facts[word] = value
    else throw new Error(`no fact: ${item}`)
  }
  if (facts.since === "" || facts.arity === 0) throw new Error("since or arity is missing")
  return facts
}

function parseKeys(text: string): KeySpec {
  const [place = "", step = "1"] = text.split("/")
  const [word, ...rest] = place.split(" ")
  if (word === "numkeys") return { kind: "numkeys", count: integer(rest[0]), step: integer(step) }
  if (word === "after") {
    const [keyword = "", which, , from] = rest
    if (which !== "one" && which !== "all" && which !== "half") throw new Error(`no keys: ${text}`)
    return { kind: "after", word: keyword, which, from: integer(from) }
  }
  const [first, last = first] = place.split("..")
  return { kind: "range", first: integer(first), last: integer(last), step: integer(step) }
}

function parseBlocks(text: string): Blocks {
  const [, argument, from, unit] = /^(last|\d+|BLOCK from (\d+)) (s|ms)$/.exec(text) ?? []
  if (argument === undefined || (unit !== "s" && unit !== "ms")) throw new Error(`no block time: ${text}`)
  if (from !== undefined) return { argument: "BLOCK", from: integer(from), unit }
  return { argument: argument === "last" ? "last" : integer(argument), from: undefined, unit }
}

function parseRules(lines: readonly string[]): ReplyRule {
  const rule = {
    plain: undefined as ReplyTypes | undefined,
    words: undefined as Words | undefined,
    cases: [] as Case[],
    lengths: new Map<number, ReplyTypes>(),
    otherwise: undefined as ReplyTypes | undefined,
  }
  for (const line of lines) {
    const [word, rest = ""] = divided(line.trim(), " ")
    const [condition, value = ""] = divided(rest, ":")
    if (word === "reply") rule.plain = parseReplyType(rest)
    else if (word === "otherwise:") rule.otherwise = parseReplyType(rest)
    else if (word === "length") rule.lengths.set(integer(condition), parseReplyType(value))
    else if (word === "with") rule.cases.push(parseCase(condition, value))
    else if (word === "words") rule.words = parseWords(condition, value)
    else throw new Error(`no rule: ${line}`)
  }
  return rule
}

function parseCase(condition: string, value: string): Case {
  const needs = condition.includes("&") ? "all" : "any"
  return { words: condition.split(needs === "all" ? " & " : " | "), needs, reply: parseReplyType(value) }
}

function parseWords(place: string, list: string): Words {
  const [, where, position] = /^(from|at|after numkeys) (\d)$/.exec(place) ?? []
  if (where !== "from" && where !== "at" && where !== "after numkeys") throw new Error(`no place: ${place}`)
  const words = list.split(" ").filter((word) => word !== "")
  const takes = words.map((word) => {
    const [name, count = "0"] = divided(word, "=")
    return [name, count === "rest" ? count : integer(count)] as const
  })
  return { where, position: integer(position), takes: new Map(takes) }
}

function divided(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

function integer(text: string | undefined): number {
  const value = Number(text)
  if (!Number.isInteger(value) || text === "") throw new Error(`no number: ${text}`)
  return value
}
