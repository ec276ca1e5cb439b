/** What the command line tool tells people of commands: one line for each, made to be short. */

import { printReplyType, type ReplyType } from "../../facts/reply-type.ts"
import { anyReply, type Fact } from "../../facts/table.ts"

/** A reply whose type takes more than this tells a person nothing at a glance. */
const LONGEST_REPLY = 60

/** `src/cli/command-facts.ts`. */
export function commandFacts(facts: readonly Fact[]): string {
  return `/**
 * What people are told of commands while they type: a line for each, of name, marks, version, reply and arguments,
 * between tabs. \`catalogue.ts\` reads them.
 *
 * Generated from the table in facts/ by scripts/generate-commands.ts: change the table, then \`npm run generate\`.
 *
 * Marks: \`c\` is only the first word of others, \`d\` numbers of the reply are doubles, \`k\` the reply may be a fixed word,
 * \`r\` refused on a shared connection, \`s\` the reply is a set, \`x\` deprecated.
 */
export const COMMAND_FACTS: readonly string[] = [
${facts.map((fact) => `  ${JSON.stringify(line(fact))},`).join("\n")}
]
`
}

function line(fact: Fact): string {
  return [fact.name, marks(fact), fact.since, replyText(fact), fact.hint].join("\t")
}

function replyText(fact: Fact): string {
  if (fact.container) return ""
  const number = hasDoublesOnly(fact) ? "double" : "integer"
  const text = printReplyType(anyReply(fact.reply, 3)).replaceAll("number", number)
  return text.length > LONGEST_REPLY ? "" : text
}

function marks(fact: Fact): string {
  const { plain, cases, lengths, otherwise } = fact.reply
  // One by one: of all of them together a text in general would hide the words.
  const all = [plain, ...cases.map(({ reply }) => reply), ...lengths.values(), otherwise]
  const kinds = new Set(all.flatMap((types) => (types ? optionsOf(types[3]) : [])).map(({ kind }) => kind))
  return [
    fact.container ? "c" : "",
    hasDoublesOnly(fact) ? "d" : "",
    kinds.has("literal") ? "k" : "",
    fact.refused === undefined ? "" : "r",
    kinds.has("set") && !kinds.has("array") ? "s" : "",
    fact.deprecated ? "x" : "",
  ].join("")
}

/** Under RESP2 a double is a string. */
function hasDoublesOnly({ reply }: Fact): boolean {
  const hasNumbers = (protocol: 2 | 3) => printReplyType(anyReply(reply, protocol)).includes("number")
  return hasNumbers(3) && !hasNumbers(2)
}

function optionsOf(type: ReplyType): readonly ReplyType[] {
  return type.kind === "union" ? type.of : [type]
}
