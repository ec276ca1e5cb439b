/**
 * What a running server says of its commands, against the table: what is missing there, and where they differ. The way to
 * keep the table current: `npm run compare-commands -- --server redis-8`, or `--url redis://…`.
 */
import { Redix } from "@redix/client"
import { type Fact, type KeySpec, readFacts } from "../facts/table.ts"
import { fetchServer } from "../support/debian-suite.ts"
import { RedisServer } from "../support/server.ts"

/** A command as COMMAND tells it: name, arity, flags, first key, last key, step, …, subcommands. */
type Entry = readonly unknown[]

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  return at > 0 ? process.argv[at + 1] : undefined
}

const url = option("--url")
const version = option("--server")
if (version !== undefined) process.env["REDIS_SERVER_BIN"] = await fetchServer(version)
const server = url === undefined ? await RedisServer.start() : undefined
try {
  await using connection = await Redix.connect(url ?? server?.url ?? "", { protocol: 3, clientInfo: false })
  const entries = allEntries(await connection.command(["COMMAND"]))
  const docs = await connection.command(["COMMAND", "DOCS"]).catch(() => new Map<string, never>())
  const problems = compare(entries, readFacts(), docs)
  for (const problem of problems) console.log(problem)
  console.log(`${entries.size} commands of the server, ${problems.length} differences`)
} finally {
  await server?.stop()
}

/** By name, those of containers among them. */
function allEntries(list: readonly Entry[]): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const entry of list) {
    const subcommands = Array.isArray(entry[9]) ? (entry[9] as Entry[]) : []
    for (const one of [entry, ...subcommands]) entries.set(nameOf(one), one)
  }
  return entries
}

function nameOf(entry: Entry): string {
  return String(entry[0]).toUpperCase().replace("|", " ")
}

function compare(
  entries: ReadonlyMap<string, Entry>,
  facts: ReadonlyMap<string, Fact>,
  docs: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
): string[] {
  const problems: string[] = []
  for (const [name, entry] of entries) {
    const fact = facts.get(name)
    if (fact) problems.push(...differences(fact, entry).map((difference) => `${name}: ${difference}`))
    else problems.push(`${name}: missing, ${described(entry, docs.get(name.toLowerCase()))}`)
  }
  return problems.sort()
}

function differences(fact: Fact, [, arity, flags, first, last, step]: Entry): string[] {
  const has = (flag: string) => flags instanceof Set && flags.has(flag)
  const found: string[] = []
  if (arity !== fact.arity) found.push(`arity ${arity}, here ${fact.arity}`)
  const access = has("write") ? "write" : has("readonly") ? "read" : undefined
  if (access !== fact.access) found.push(`access ${access}, here ${fact.access}`)
  if (has("blocking") !== (fact.blocks !== undefined)) found.push(`blocking: ${has("blocking")}, not so here`)
  const range = firstRange(fact.keys)
  const movable = has("movablekeys") || fact.keys.some(({ kind }) => kind !== "range")
  if (!movable && `${first} ${last} ${step}` !== range)
    found.push(`keys ${first} ${last} ${step}, here ${range}`)
  return found
}

/** First key, last key and step, as servers have said it before there were several parts. */
function firstRange(keys: readonly KeySpec[]): string {
  const ranges = keys.flatMap((spec) => (spec.kind === "range" ? [spec] : []))
  const [first] = ranges
  if (!first) return "0 0 0"
  const last = ranges.at(-1) ?? first
  return `${first.first} ${last.last} ${first.step}`
}

function described([, arity]: Entry, docs: ReadonlyMap<string, unknown> | undefined): string {
  return `arity ${arity}, since ${docs?.get("since")}, ${docs?.get("group")}: ${docs?.get("summary")}`
}
