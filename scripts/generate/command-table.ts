/** The table as data for run time, made to be short rather than to be looked at. */
import type { Blocks, Fact, KeySpec } from "../../facts/table.ts"

/** `src/protocol/command-table.ts`. */
export function commandTable(facts: readonly Fact[]): string {
  return `/**
 * What the driver has to know of commands when it runs: names, sorted by what is so about them.
 *
 * Generated from the table in facts/ by scripts/generate-commands.ts: change the table, then \`npm run generate\`.
 */

/** What is special on a connection that many callers share, and the commands that do it. */
export const SPECIAL_COMMANDS: Readonly<Record<string, string>> = {
${lines(groupBy(facts, specialities))}
}

/** Where the keys are, and the commands that have them there. A name with \`!\` only reads. */
export const KEY_POSITIONS: Readonly<Record<string, string>> = {
${lines(
  groupBy(
    facts.filter(({ container }) => !container),
    (fact) => [fact.keys.map(keySpec).join(" + ")],
    marked,
  ),
)}
}
`
}

function specialities({ refused, session, blocks }: Fact): string[] {
  return [
    ...(refused === undefined ? [] : [`refused ${refused}`]),
    ...(session === undefined ? [] : [`session ${session}`]),
    ...(blocks === undefined ? [] : [`blocks ${argumentOf(blocks)} ${blocks.unit}`]),
  ]
}

function argumentOf({ argument, from }: Blocks): string {
  return from === undefined ? `${argument}` : `${argument} from ${from}`
}

function groupBy(
  facts: readonly Fact[],
  what: (fact: Fact) => string[],
  print: (fact: Fact) => string = nameOf,
): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const fact of facts) {
    for (const key of what(fact)) groups.set(key, [...(groups.get(key) ?? []), print(fact)])
  }
  return groups
}

function nameOf({ name }: Fact): string {
  return name.replace(" ", "|")
}

function marked(fact: Fact): string {
  return fact.access === "read" ? `${nameOf(fact)}!` : nameOf(fact)
}

function keySpec(spec: KeySpec): string {
  switch (spec.kind) {
    case "range":
      return spec.first === spec.last ? `${spec.first}` : `${spec.first}..${spec.last}${step(spec.step)}`
    case "numkeys":
      return `numkeys ${spec.count}${step(spec.step)}`
    case "after":
      return `after ${spec.word} ${spec.which} from ${spec.from}`
  }
}

function step(count: number): string {
  return count === 1 ? "" : `/${count}`
}

function lines(groups: ReadonlyMap<string, readonly string[]>): string {
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted
    .map(([key, names]) => `  ${JSON.stringify(key)}: ${JSON.stringify(names.join(" "))},`)
    .join("\n")
}
