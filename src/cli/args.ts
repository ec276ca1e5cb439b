/**
 * The arguments of the program: one table of options, which they are read by and which `--help` is printed from. Leaves
 * to others what an option does.
 */

import { type ParseArgsConfig, parseArgs } from "node:util"
import { UsageError } from "./exit.ts"

/** What can be asked for; `run` is one command, a file of them, or the prompt. */
export type Mode = "run" | "subscribe" | "bench" | "doctor"

type Group = "Connection" | "Output" | "Commands" | Mode

export interface OptionRow {
  readonly name: string
  readonly short?: string
  /** What stands for its value in the help; without it, the option is a switch. */
  readonly value?: string
  readonly repeats?: boolean
  readonly group: Group
  readonly doc: string
}

export const OPTION_ROWS: readonly OptionRow[] = [
  {
    name: "url",
    value: "URL",
    repeats: true,
    group: "Connection",
    doc: "redis://, rediss:// (TLS), valkey://, valkeys:// or unix://. Default: REDIS_URL",
  },
  {
    name: "host",
    short: "h",
    value: "NAME",
    group: "Connection",
    doc: "host name or address. Default: localhost",
  },
  { name: "port", short: "p", value: "NUMBER", group: "Connection", doc: "port. Default: 6379" },
  {
    name: "socket",
    short: "s",
    value: "PATH",
    group: "Connection",
    doc: "Unix domain socket, in place of host and port",
  },
  { name: "db", short: "n", value: "NUMBER", group: "Connection", doc: "database to select" },
  { name: "user", short: "u", value: "NAME", group: "Connection", doc: "user name" },
  {
    name: "password",
    value: "TEXT",
    group: "Connection",
    doc: "password; better in REDIS_PASSWORD, since others may see arguments",
  },
  { name: "askpass", group: "Connection", doc: "ask for the password in the terminal, without showing it" },
  { name: "tls", group: "Connection", doc: "use TLS" },
  {
    name: "ca",
    value: "FILE",
    group: "Connection",
    doc: "certificates of the authorities to trust, as PEM (implies --tls)",
  },
  {
    name: "cert",
    value: "FILE",
    group: "Connection",
    doc: "certificate to show to the server, as PEM (implies --tls)",
  },
  { name: "key", value: "FILE", group: "Connection", doc: "private key of --cert, as PEM" },
  {
    name: "servername",
    value: "NAME",
    group: "Connection",
    doc: "name that the server's certificate has to be for",
  },
  { name: "insecure", group: "Connection", doc: "accept any certificate (implies --tls)" },
  {
    name: "cluster",
    group: "Connection",
    doc: "a cluster: --url says one of its nodes, and may be repeated",
  },
  {
    name: "sentinel",
    value: "HOST:PORT",
    repeats: true,
    group: "Connection",
    doc: "ask this sentinel where the server is (a URL too); may be repeated",
  },
  {
    name: "group",
    value: "NAME",
    group: "Connection",
    doc: "group of servers that the sentinels know. Default: mymaster",
  },
  { name: "replica", group: "Connection", doc: "with --sentinel: a replica instead of the primary" },
  { name: "sentinel-user", value: "NAME", group: "Connection", doc: "user name at the sentinels" },
  {
    name: "sentinel-password",
    value: "TEXT",
    group: "Connection",
    doc: "password at the sentinels; better in REDIS_SENTINEL_PASSWORD",
  },
  {
    name: "protocol",
    value: "2|3",
    group: "Connection",
    doc: "version of the wire protocol. Default: 3, or 2 where it is unknown",
  },
  {
    name: "timeout",
    value: "MS",
    group: "Connection",
    doc: "time for connecting, and for each reply; 0 for no limit. Default: 5000",
  },
  { name: "json", group: "Output", doc: "replies and reports as JSON, one value in a line" },
  {
    name: "raw",
    group: "Output",
    doc: "replies as they are, without types and quotes. Default without a terminal",
  },
  { name: "pretty", group: "Output", doc: "replies for people, with types. Default in a terminal" },
  {
    name: "stdin-argument",
    short: "x",
    group: "Commands",
    doc: "read the last argument of COMMAND from standard input",
  },
  {
    name: "replies",
    group: "Commands",
    doc: "with commands from standard input: print each reply too (as do --raw and --json)",
  },
  { name: "exact", group: "subscribe", doc: "take names as they are, also those with * ? [" },
  { name: "shard", group: "subscribe", doc: "names are shard channels" },
  { name: "count", value: "NUMBER", group: "subscribe", doc: "end after so many messages" },
  { name: "requests", value: "NUMBER", group: "bench", doc: "requests for each test. Default: 100000" },
  {
    name: "connections",
    value: "NUMBER",
    group: "bench",
    doc: "connections. Default: 1, since one serves many callers",
  },
  {
    name: "concurrency",
    value: "NUMBER",
    group: "bench",
    doc: "requests in flight at a time, over all connections. Default: 50",
  },
  { name: "pipeline", value: "NUMBER", group: "bench", doc: "commands in each request. Default: 1" },
  { name: "size", value: "BYTES", group: "bench", doc: "size of the values. Default: 16" },
  { name: "keys", value: "NUMBER", group: "bench", doc: "keys to spread over. Default: 1000" },
  { name: "pings", value: "NUMBER", group: "doctor", doc: "round trips to measure. Default: 200" },
  { name: "help", group: "Output", doc: "this text" },
  { name: "version", group: "Output", doc: "the version" },
]

/** Options by their names, as they were given. */
export class Options {
  readonly #values: ReadonlyMap<string, readonly (string | boolean)[]>

  constructor(values: ReadonlyMap<string, readonly (string | boolean)[]>) {
    this.#values = values
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  text(name: string): string | undefined {
    return this.texts(name).at(-1)
  }

  texts(name: string): string[] {
    return (this.#values.get(name) ?? []).filter((value) => typeof value === "string")
  }

  /** An integer of at least `least`. */
  integer(name: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    const limit = most === Number.MAX_SAFE_INTEGER ? `at least ${least}` : `between ${least} and ${most}`
    throw new UsageError(`--${name}: expected an integer of ${limit}`)
  }
}

export interface Call {
  readonly mode: Mode
  readonly options: Options
  /** The command and its arguments, or the channels; empty for the prompt and for commands from a file. */
  readonly words: readonly string[]
}

/** What the program is asked for. Throws a {@link UsageError}. */
export function readArguments(args: readonly string[]): Call {
  const start = firstWord(args)
  const front = args.slice(0, start)
  const [word = "", ...after] = args.slice(start)
  const mode = modeOf(word)
  if (mode === "run") {
    // What follows the command is its own: `SET key -5`.
    const values = readOptions(front, "run", false).values
    return { mode, options: new Options(values), words: args.slice(start) }
  }
  const values = readOptions(front, mode, false).values
  const rest = readOptions(after, mode, mode === "subscribe" || mode === "bench")
  for (const [name, list] of rest.values) values.set(name, [...(values.get(name) ?? []), ...list])
  return { mode, options: new Options(values), words: rest.words }
}

function modeOf(word: string): Mode {
  if (word === "bench" || word === "doctor" || word === "subscribe") return word
  return "run"
}

/** Where the first argument is that is neither an option nor the value of one. */
function firstWord(args: readonly string[]): number {
  const { tokens } = parseArgs({
    args: [...args],
    options: configOf(OPTION_ROWS),
    strict: false,
    tokens: true,
    allowPositionals: true,
  })
  for (const token of tokens) {
    if (token.kind === "positional") return token.index
    if (token.kind === "option-terminator") return token.index + 1
  }
  return args.length
}

function configOf(rows: readonly OptionRow[]): NonNullable<ParseArgsConfig["options"]> {
  return Object.fromEntries(
    rows.map(({ name, short, value }) => [
      name,
      {
        type: value === undefined ? "boolean" : "string",
        multiple: true,
        ...(short === undefined ? {} : { short }),
      },
    ]),
  )
}

function readOptions(
  args: readonly string[],
  mode: Mode,
  takesWords: boolean,
): { values: Map<string, (string | boolean)[]>; words: string[] } {
  const groups: readonly Group[] = ["Connection", "Output", "Commands", mode]
  const rows = OPTION_ROWS.filter(({ group }) => groups.includes(group))
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: configOf(rows),
      strict: true,
      allowPositionals: takesWords,
    })
    const lists = new Map<string, (string | boolean)[]>()
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) continue
      const list = Array.isArray(value) ? value : [value]
      const row = OPTION_ROWS.find((row) => row.name === name)
      if (list.length > 1 && row?.value !== undefined && !row.repeats) {
        throw new UsageError(`--${name} is given twice`)
      }
      lists.set(name, list)
    }
    return { values: lists, words: positionals }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(shortMessage(error, args, mode))
  }
}

/** What is wrong, in the first sentence of the parser, which goes on about things that do not help here. */
function shortMessage(error: unknown, args: readonly string[], mode: Mode): string {
  const message = error instanceof Error ? error.message : String(error)
  if (args.at(-1) === "-h") return "-h is the host: -h NAME; for help it is --help"
  const unknown = /^Unknown option '([^']+)'/.exec(message)?.[1]
  if (unknown !== undefined) {
    const owner = OPTION_ROWS.find(({ name }) => `--${name}` === unknown)
    if (owner) return `${unknown} is an option of redix ${owner.group}`
    const near = OPTION_ROWS.find(({ name }) => name.startsWith(unknown.replace(/^-+/, "")))
    return `unknown option ${unknown}${near ? `: did you mean --${near.name}?` : ""}`
  }
  if (/^Unexpected argument/.test(message)) return `redix ${mode} takes no arguments`
  return (message.split(/\. |\n/)[0] ?? message).replace(
    /^Option '(.+?)(?: <value>)?' argument missing$/,
    "$1 needs a value",
  )
}
