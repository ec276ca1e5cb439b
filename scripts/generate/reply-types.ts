/** The table as TypeScript interfaces: names to replies, replies by options, and lengths that are too short. */
import { type Protocol, printReplyType, type ReplyTypes } from "../../facts/reply-type.ts"
import { anyReply, type Case, type Fact, type ReplyRule, type Words } from "../../facts/table.ts"

const HEAD = `/**
 * Reply types of the commands that are known, and what they depend on. Types only.
 *
 * Generated from the table in facts/ by scripts/generate-commands.ts: change the table, then \`npm run generate\`.
 */

import type { Reply } from "./types.ts"

/**
 * A reply that depends on the number of elements of the command.
 */
export interface ByLength<Lengths, Otherwise = never> {
  lengths: Lengths
  otherwise: Otherwise
}

/**
 * A reply that depends on words among the arguments, looked for from an index on. \`Words\`: how many arguments belong to
 * each word, and what it stands for in \`Replies\`, of which the first holds whose words were all found.
 */
export interface ByWords<From, Words, Replies, Leading = false> {
  from: From
  words: Words
  replies: Replies
  /** Only until the first argument that is none of them. */
  leading: Leading
}
`

/** `src/protocol/builtin-replies.ts`. */
export function replyTypes(facts: readonly Fact[]): string {
  // What is refused has no reply, and a container alone is an error.
  const typed = facts.filter(({ refused, container }) => refused === undefined && !container)
  const single = typed.filter(({ name }) => !name.includes(" "))
  const sub = typed.filter(({ name }) => name.includes(" "))
  const containers = new Set(sub.map(({ name }) => name.split(" ")[0] ?? ""))
  return [
    HEAD,
    interfaceOf(
      "BuiltinReplies",
      "Commands of one word, under RESP2; and under RESP3 where {@link BuiltinReplies3} does not differ.",
      single.map((fact) => documented(fact, replyOf(fact, 2))),
    ),
    interfaceOf(
      "BuiltinSubReplies",
      "The same for commands of two words.",
      sub.map((fact) => documented(fact, replyOf(fact, 2))),
    ),
    interfaceOf("BuiltinReplies3", "Replies under RESP3, where they differ.", typed.flatMap(differing)),
    interfaceOf(
      "RepliesByOptions",
      "Replies that depend on options.",
      typed.flatMap((fact) => rule(fact, 2)),
    ),
    interfaceOf(
      "RepliesByOptions3",
      "The same under RESP3, where it differs.",
      typed.flatMap((fact) => rule(fact, 3)),
    ),
    interfaceOf(
      "Containers",
      "Commands whose second word says which one is meant.",
      [...containers].map((name) => `  ${name}: true`),
    ),
    interfaceOf("TooShort", "How long a command cannot be.", facts.flatMap(tooShort)),
  ].join("\n")
}

function interfaceOf(name: string, what: string, members: readonly string[]): string {
  return `/** ${what} */\nexport interface ${name} {\n${members.join("\n")}\n}\n`
}

function replyOf({ reply }: Fact, protocol: Protocol): string {
  return printReplyType(anyReply(reply, protocol))
}

function documented(fact: Fact, reply: string): string {
  return `  /** ${hintOf(fact)} */\n  ${key(fact.name)}: ${reply}`
}

function hintOf({ name, hint, since, group, deprecated }: Fact): string {
  const call = hint === "" ? name : `${name} ${hint}`
  return [`\`${call}\``, `since ${since}`, group, ...(deprecated ? ["better not in new programs"] : [])].join(
    " · ",
  )
}

function key(name: string): string {
  return /^\w+$/.test(name) ? name : `"${name}"`
}

function differing(fact: Fact): string[] {
  const reply = replyOf(fact, 3)
  return reply === replyOf(fact, 2) ? [] : [`  ${key(fact.name)}: ${reply}`]
}

function rule(fact: Fact, protocol: Protocol): string[] {
  const text = printRule(fact.reply, protocol)
  const two = printRule(fact.reply, 2)
  if (text === undefined || (protocol === 3 && text === two)) {
    if (text === undefined && protocol === 3 && two !== undefined)
      throw new Error(`${fact.name}: depends on options under RESP2 only, which the types do not know`)
    return []
  }
  return [`  ${key(fact.name)}: ${text}`]
}

function printRule(rule: ReplyRule, protocol: Protocol): string | undefined {
  const print = (types: ReplyTypes) => printReplyType(types[protocol])
  const all = [rule.plain, ...rule.cases.map(({ reply }) => reply), ...rule.lengths.values(), rule.otherwise]
  // Under one of the protocols they may all look alike.
  if (new Set(all.flatMap((types) => (types ? [print(types)] : []))).size < 2) return undefined
  if (rule.lengths.size > 0) {
    const lengths = [...rule.lengths].map(([length, types]) => `${length}: ${print(types)}`)
    const otherwise = rule.otherwise ? `, ${print(rule.otherwise)}` : ""
    return `ByLength<{ ${lengths.join("; ")} }${otherwise}>`
  }
  if (!rule.words || !rule.plain) throw new Error("cases without a plain reply or a place for their words")
  return printWords(rule.words, rule.cases, rule.plain, print)
}

function printWords(
  words: Words,
  cases: readonly Case[],
  plain: ReplyTypes,
  print: (types: ReplyTypes) => string,
): string {
  const meanings = new Map<string, string>()
  for (const { words: list, needs } of cases) {
    for (const word of list) meanings.set(word, (needs === "any" && list[0]) || word)
  }
  const entries = [...new Set([...words.takes.keys(), ...meanings.keys()])].map((word) => {
    const takes = words.takes.get(word) ?? 0
    const meaning = meanings.get(word)
    return `${key(word)}: [${takes === "rest" ? '"rest"' : takes}, ${meaning ? `"${meaning}"` : "never"}]`
  })
  const replies = cases.map(({ words: list, needs, reply }) => {
    const needed = needs === "any" ? list.slice(0, 1) : list
    return `[${needed.map((word) => `"${word}"`).join(" | ")}, ${print(reply)}]`
  })
  const from = words.where === "after numkeys" ? `"numkeys"` : words.position
  const leading = words.where === "at" ? ", true" : ""
  return `ByWords<${from}, { ${entries.join("; ")} }, [${[...replies, `[never, ${print(plain)}]`].join(", ")}]${leading}>`
}

/** The lengths below the least, for those commands that need more than their name. */
function tooShort({ name, arity }: Fact): string[] {
  const least = Math.abs(arity)
  const first = name.split(" ").length
  if (least <= first) return []
  const lengths = Array.from({ length: least - first }, (_, index) => first + index)
  return [`  ${key(name)}: ${lengths.join(" | ")}`]
}
