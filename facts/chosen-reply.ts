/**
 * Which of the replies in a rule a command has, by the words in it: what the types of the driver decide when compiling,
 * decided at run time from the same table.
 */
import type { Protocol, ReplyType } from "./reply-type.ts"
import { anyReply, type Fact, type ReplyRule, type Words } from "./table.ts"

/** The entry for a command, by its first two words or by the first; `undefined` where there is none. */
export function factOf(facts: ReadonlyMap<string, Fact>, command: readonly string[]): Fact | undefined {
  const [first = "", second = ""] = command.map((word) => word.toUpperCase())
  return facts.get(`${first} ${second}`) ?? facts.get(first)
}

/** The reply to the command under the protocol. */
export function chosenReply(fact: Fact, command: readonly string[], protocol: Protocol): ReplyType {
  const { lengths, words, plain } = fact.reply
  if (lengths.size > 0) {
    const types = lengths.get(command.length) ?? fact.reply.otherwise
    return types ? types[protocol] : anyReply(fact.reply, protocol)
  }
  if (!words || !plain) return anyReply(fact.reply, protocol)
  const found = optionsIn(command, words, fact.reply)
  const fitting = fact.reply.cases.find(({ words: list, needs }) =>
    needs === "all" ? list.every((word) => found.has(word)) : list.some((word) => found.has(word)),
  )
  return (fitting?.reply ?? plain)[protocol]
}

/** The options of a command, without what belongs to them. */
function optionsIn(command: readonly string[], words: Words, rule: ReplyRule): ReadonlySet<string> {
  const deciding = new Set(rule.cases.flatMap((one) => one.words))
  const found = new Set<string>()
  let index = words.position
  if (words.where === "after numkeys") index += 1 + Number(command[words.position])
  while (index < command.length) {
    const word = (command[index] ?? "").toUpperCase()
    const takes = words.takes.get(word)
    if (takes === undefined && !deciding.has(word)) {
      if (words.where === "at") break
      index += 1
      continue
    }
    found.add(word)
    if (takes === "rest") break
    index += 1 + (takes ?? 0)
  }
  return found
}
