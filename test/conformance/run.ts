/**
 * Sends every form to its server, under both protocols, as text and as bytes, and holds each reply against the table.
 * Says how many there were, which commands of the server had none, and what disagreed.
 */
import { readFileSync } from "node:fs"
import { type Argument, type Command, RedisError, Redix } from "@redix/client"
import { chosenReply, factOf } from "../../facts/chosen-reply.ts"
import { printReplyType } from "../../facts/reply-type.ts"
import { type Fact, readFacts } from "../../facts/table.ts"
import type { RedisServer } from "../../support/server.ts"
import { mismatch } from "./check-reply.ts"
import { type Form, readForms } from "./forms.ts"
import { giveSlots, isAtLeast, type Servers } from "./servers.ts"

export interface Report {
  readonly server: string
  /** Commands that the server offers, those of containers by themselves. */
  readonly offered: number
  /** Commands that were tried. */
  readonly tried: number
  readonly forms: number
  /** Replies held against the table. */
  readonly replies: number
  /** Commands of which no form had any reply but an error. */
  readonly errorsOnly: readonly string[]
  /** Why commands were left out. */
  readonly excluded: readonly string[]
  readonly disagreements: readonly string[]
}

interface Mode {
  readonly protocol: 2 | 3
  readonly bytes: boolean
}

const MODES: readonly Mode[] = [
  { protocol: 2, bytes: false },
  { protocol: 3, bytes: false },
  { protocol: 2, bytes: true },
  { protocol: 3, bytes: true },
]

const LIBRARY = [
  "#!lua name=mine",
  'redis.register_function{function_name="one", callback=function() return 1 end, flags={"no-writes"}}',
].join("\n")

export async function runConformance(servers: Servers): Promise<Report> {
  const facts = readFacts()
  const offered = await commandsOf(servers)
  const forms = readForms().filter((form) => isFor(form, servers, offered, facts))
  const disagreements = new Set<string>()
  const answered = new Set<string>()
  let replies = 0
  for (const mode of MODES) {
    for (const [kind, server] of Object.entries(servers.of)) {
      const list = forms.filter((form) => form.server === kind)
      if (kind === "cluster") await giveSlots(server)
      const runner = new Runner(server, mode, servers.target.port)
      for (const form of list) {
        const fact = factOf(facts, form.command)
        const outcome = fact ? await runner.run(form, fact) : "is not in the table"
        if (outcome === undefined && fact) answered.add(fact.name)
        if (typeof outcome === "string") {
          disagreements.add(
            `RESP${mode.protocol}${mode.bytes ? " as bytes" : ""}: ${form.line}\n    ${outcome}`,
          )
        }
        replies++
      }
      runner.close()
    }
  }
  const tried = new Set(forms.flatMap(({ command }) => factOf(facts, command)?.name ?? []))
  const excluded = readExclusions(facts)
  for (const name of offered) {
    if (!tried.has(name) && !excluded.has(name) && !facts.get(name)?.container)
      disagreements.add(`${name}: no form tries it, and nothing says why`)
  }
  return {
    server: `${servers.vendor} ${servers.version}`,
    offered: [...offered].filter((name) => !facts.get(name)?.container).length,
    tried: tried.size,
    forms: forms.length,
    replies,
    errorsOnly: [...tried].filter((name) => !answered.has(name)).sort(),
    excluded: [...excluded].filter(([name]) => offered.has(name)).map(([name, why]) => `${name}: ${why}`),
    disagreements: [...disagreements],
  }
}

/** What the report says, in a few lines. */
export function printReport(report: Report): string {
  return [
    `${report.server}: ${report.tried} of ${report.offered} commands in ${report.forms} forms, ` +
      `${report.replies} replies, ${report.disagreements.length} disagreements`,
    `only errors could be had of: ${report.errorsOnly.join(", ") || "none"}`,
    ...report.excluded.map((line) => `left out: ${line}`),
    ...report.disagreements,
  ].join("\n")
}

/** One server in one mode. */
class Runner {
  readonly #server: RedisServer
  readonly #mode: Mode
  readonly #targetPort: number
  #shared: Redix<2 | 3> | undefined

  constructor(server: RedisServer, mode: Mode, targetPort: number) {
    this.#server = server
    this.#mode = mode
    this.#targetPort = targetPort
  }

  close(): void {
    this.#shared?.destroy()
  }

  /** What disagrees; `undefined` for nothing, an error for one that was to be expected. */
  async run(form: Form, fact: Fact): Promise<string | RedisError | undefined> {
    const connection = await this.#connection(form.own)
    try {
      const before: Argument[] = []
      // Keys of an earlier form would change what is looked at here.
      if (form.server === "plain" || form.server === "cluster") await connection.command(["FLUSHALL"])
      for (const command of form.before) before.push(await this.#prepare(connection, command, before))
      return await this.#try(connection, form, fact, before)
    } finally {
      if (form.own) connection.destroy()
    }
  }

  async #try(
    connection: Redix<2 | 3>,
    form: Form,
    fact: Fact,
    before: readonly Argument[],
  ): Promise<string | RedisError | undefined> {
    const { protocol, bytes } = this.#mode
    const command: Command = this.#filledIn(form.command, before)
    const result = await connection.safe.command(command, { encoding: bytes ? "buffer" : "utf8" })
    if (result.ok) return mismatch(result.value, chosenReply(fact, form.command, protocol), bytes)
    if (result.error instanceof RedisError && form.errors.includes(result.error.code)) return result.error
    const type = printReplyType(chosenReply(fact, form.command, protocol))
    return `${result.error.message} (prepared: ${before.join(", ")}), not ${type}`
  }

  /** The reply, as an argument for later commands of the form. Errors are not of interest here. */
  async #prepare(
    connection: Redix<2 | 3>,
    words: readonly string[],
    before: readonly Argument[],
  ): Promise<Argument> {
    const command: Command = this.#filledIn(words, before)
    const result = await connection.safe.command(command, { encoding: "buffer" })
    if (!result.ok) return result.error.message
    return Buffer.isBuffer(result.value) ? result.value : String(result.value)
  }

  #filledIn(words: readonly string[], before: readonly Argument[]): Argument[] {
    return words.map((word) => {
      if (word === "{port}") return this.#targetPort
      if (word === "{library}") return LIBRARY
      const place = /^\{(\d)\}$/.exec(word)?.[1]
      return place === undefined ? word : (before[Number(place)] ?? "")
    })
  }

  async #connection(own: boolean): Promise<Redix<2 | 3>> {
    if (!own && this.#shared?.status === "connected") return this.#shared
    const { host, port } = this.#server
    const options = { host, port, clientInfo: false, protocol: this.#mode.protocol }
    const connection: Redix<2 | 3> = await Redix.connect<2 | 3>(options)
    if (!own) this.#shared = connection
    return connection
  }
}

/** The names of all commands that the servers have, in capitals; those of containers by two words. */
async function commandsOf(servers: Servers): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const server of [servers.of.plain, servers.of.sentinel]) {
    await using connection = await Redix.connect(server.url, { clientInfo: false })
    for (const [name, , , , , , , , , subcommands] of await connection.command(["COMMAND"])) {
      names.add(String(name).toUpperCase())
      for (const [sub] of Array.isArray(subcommands) ? (subcommands as unknown[][]) : [])
        names.add(String(sub).toUpperCase().replace("|", " "))
    }
  }
  return names
}

function isFor(
  form: Form,
  { vendor, version }: Servers,
  offered: ReadonlySet<string>,
  facts: ReadonlyMap<string, Fact>,
): boolean {
  const { needs } = form
  if (needs) return needs.vendor === vendor && isAtLeast(version, needs.version)
  const fact = factOf(facts, form.command)
  return fact === undefined || offered.has(fact.name)
}

/** Why commands have no form: by the list, or because the driver refuses them. */
function readExclusions(facts: ReadonlyMap<string, Fact>): ReadonlyMap<string, string> {
  const excluded = new Map<string, string>()
  for (const { name, refused } of facts.values()) {
    if (refused !== undefined) excluded.set(name, `refused by the driver (${refused})`)
  }
  const file = new URL("excluded.txt", import.meta.url)
  for (const line of readFileSync(file, "utf8").trim().split("\n")) {
    const [name = "", ...why] = line.split(" ")
    excluded.set(name.replace("|", " "), why.join(" "))
  }
  return excluded
}
