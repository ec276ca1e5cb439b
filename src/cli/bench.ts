/** Throughput and latency, measured with real requests: which tests, and what is shown of them. */

import { randomBytes } from "node:crypto"
import { Cluster, RedisError, RedixError } from "../index.ts"
import type { Options } from "./args.ts"
import { drawHistogram, sparkline } from "./chart.ts"
import { type Connection, connect } from "./connect.ts"
import { type Context, throwIfInterrupted } from "./context.ts"
import { EXIT, UsageError } from "./exit.ts"
import { Histogram } from "./histogram.ts"
import { json } from "./print.ts"
import { Progress } from "./progress.ts"
import { harmlessLine } from "./quote.ts"
import {
  columnsOf,
  counted,
  duration,
  grouped,
  isTerminal,
  type Paint,
  paintFor,
  writeLine,
} from "./terminal.ts"

/** Requests before each test that are not counted. */
const MOST_WARM_UP = 5000

type Words = (string | Buffer)[]

interface Test {
  readonly name: string
  /** The command of the nth request. */
  readonly command: (index: number) => Words
  /** What comes before and is not counted. Of a command that is not ours, it must not be sent more often than asked. */
  readonly warmUp: (index: number) => Words
  /** What has to be there before, if anything. */
  readonly prepare?: (index: number) => Words
}

interface Settings {
  readonly requests: number
  readonly connections: number
  readonly concurrency: number
  readonly pipeline: number
  readonly size: number
  readonly keys: number
  /** Keys are spread over its slots. */
  readonly isCluster: boolean
}

interface Result {
  readonly name: string
  readonly requests: number
  readonly commands: number
  readonly errors: number
  readonly firstError: string | undefined
  readonly seconds: number
  readonly latency: Histogram
}

export async function runBench(context: Context): Promise<number> {
  const { options, words, target, interruption } = context
  const settings = settingsOf(options, target.seeds !== undefined)
  const asJson = options.has("json")
  if (options.has("raw")) throw new UsageError("redix bench knows no --raw: use --json")
  const conns: Connection[] = []
  const prefix = `redix:bench:${randomBytes(4).toString("hex")}`
  try {
    for (let count = 0; count < settings.connections; count++) {
      conns.push(await connect(target, { exitOnDisconnection: true }))
      throwIfInterrupted(interruption)
    }
    const bench = new Bench(conns, settings, prefix, interruption.signal)
    const results: Result[] = []
    const paint = paintFor(process.stdout)
    const head = await headOf(conns[0], target.label, settings)
    if (!asJson) writeLine(process.stdout, paint.dim(head))
    try {
      for (const test of words.length > 0
        ? [customTest(words, settings, prefix)]
        : standardTests(settings, prefix)) {
        const result = await bench.run(test)
        throwIfInterrupted(interruption)
        results.push(result)
        if (!asJson) writeLine(process.stdout, resultLine(result, paint))
      }
    } finally {
      await bench.cleanUp()
    }
    if (asJson)
      writeLine(process.stdout, json(report(head, settings, results), isTerminal(process.stdout) ? 2 : 0))
    else draw(results, paint)
    return results.some(({ errors }) => errors > 0) ? EXIT.failed : EXIT.ok
  } finally {
    for (const conn of conns) conn.destroy()
  }
}

class Bench {
  readonly #conns: readonly Connection[]
  readonly #settings: Settings
  readonly #prefix: string
  readonly #signal: AbortSignal

  constructor(conns: readonly Connection[], settings: Settings, prefix: string, signal: AbortSignal) {
    this.#conns = conns
    this.#settings = settings
    this.#prefix = prefix
    this.#signal = signal
  }

  async run(test: Test): Promise<Result> {
    const { requests, concurrency, pipeline } = this.#settings
    if (test.prepare) await this.#prepare(test.prepare)
    await this.#warmUp(test)
    const latency = new Histogram()
    let issued = 0
    let errors = 0
    let firstError: string | undefined
    const fail = (error: RedixError) => {
      errors += 1
      firstError ??= error.message
    }
    const startedAt = performance.now()
    const seconds = () => (performance.now() - startedAt) / 1000
    const progress = new Progress(process.stderr, () => ({
      share: latency.count / requests,
      text: `${test.name}  ${grouped((latency.count * pipeline) / Math.max(0.001, seconds()))}/s`,
    }))
    const work = async (conn: Connection) => {
      while (issued < requests && !this.#signal.aborted) {
        const index = issued++
        const sentAt = performance.now()
        if (pipeline === 1) {
          const result = await conn.safe.command(test.command(index), { encoding: "buffer" })
          if (!result.ok) failOrThrow(result.error, fail)
        } else {
          const commands = Array.from({ length: pipeline }, (_, at) => test.command(index * pipeline + at))
          for (const reply of await conn.pipeline(commands, { encoding: "buffer" })) {
            if (reply instanceof RedixError) failOrThrow(reply, fail)
          }
        }
        latency.record(performance.now() - sentAt)
      }
    }
    try {
      await Promise.all(
        Array.from({ length: Math.min(concurrency, requests) }, (_, at) => work(this.#conn(at))),
      )
    } finally {
      progress.stop()
    }
    return {
      name: test.name,
      requests: latency.count,
      commands: latency.count * pipeline,
      errors,
      firstError,
      seconds: seconds(),
      latency,
    }
  }

  /** What comes first is slow for reasons of this program: the code is not compiled yet. Errors are for the test to tell. */
  async #warmUp({ warmUp: command }: Test): Promise<void> {
    const { concurrency, pipeline, requests } = this.#settings
    const count = Math.min(requests * pipeline, MOST_WARM_UP)
    for (let from = 0; from < count && !this.#signal.aborted; from += concurrency) {
      const some = Array.from({ length: Math.min(concurrency, count - from) }, (_, at) => from + at)
      await Promise.all(
        some.map(async (index) => {
          const result = await this.#conn(index).safe.command(command(index), { encoding: "buffer" })
          if (!result.ok) failOrThrow(result.error, () => undefined)
        }),
      )
    }
  }

  /** Removes every key that a test may have made. */
  async cleanUp(): Promise<void> {
    if (this.#conn(0).status !== "connected") return
    const { keys, isCluster } = this.#settings
    const names = Array.from({ length: keys }, (_, index) => index).flatMap((index) =>
      KINDS.map((kind) => keyOf(this.#prefix, kind, index, isCluster)),
    )
    // One by one: in a cluster, keys of one command have to be in one slot.
    for (let from = 0; from < names.length; from += 1000) {
      await this.#conn(0).safe.pipeline(names.slice(from, from + 1000).map((name) => ["DEL", name]))
    }
  }

  async #prepare(command: (index: number) => Words): Promise<void> {
    const { keys } = this.#settings
    for (let from = 0; from < keys; from += 1000) {
      const count = Math.min(1000, keys - from)
      await this.#conn(0).pipeline(Array.from({ length: count }, (_, at) => command(from + at)))
    }
  }

  #conn(index: number): Connection {
    const conn = this.#conns[index % this.#conns.length]
    if (conn === undefined) throw new Error("no connection")
    return conn
  }
}

/** Error replies are counted; anything else ends the test. */
function failOrThrow(error: Error, fail: (error: RedixError) => void): void {
  if (!(error instanceof RedisError)) throw error
  fail(error)
}

const KINDS = ["string", "counter", "list", "hash"] as const

/** Keys of one MGET. In a cluster they are in one slot, and each such group in another. */
const GROUP = 10

function keyOf(prefix: string, kind: (typeof KINDS)[number], index: number, isCluster: boolean): string {
  const place = isCluster ? `{${prefix.slice(-8)}${Math.floor(index / GROUP)}}:${index}` : index
  return `${prefix}:${kind}:${place}`
}

/** The places of the keys of the nth MGET. */
function groupAt(index: number, { keys, isCluster }: Settings): number[] {
  const first = isCluster ? Math.floor((index % keys) / GROUP) * GROUP : index
  const most = isCluster ? Math.min(GROUP, keys - first) : GROUP
  return Array.from({ length: GROUP }, (_, at) => first + (at % most))
}

function standardTests(settings: Settings, prefix: string): Test[] {
  const { keys, size, isCluster } = settings
  const value = "x".repeat(size)
  const key = (kind: (typeof KINDS)[number], index: number) => keyOf(prefix, kind, index % keys, isCluster)
  const set = (index: number): Words => ["SET", key("string", index), value]
  const test = (name: string, command: Test["command"], prepare?: Test["prepare"]): Test => ({
    name,
    command,
    warmUp: command,
    ...(prepare ? { prepare } : {}),
  })
  return [
    test("PING", () => ["PING"]),
    test("SET", set),
    test("GET", (index) => ["GET", key("string", index)], set),
    test("INCR", (index) => ["INCR", key("counter", index)]),
    test("LPUSH", (index) => ["LPUSH", key("list", index), value]),
    test("LPOP", (index) => ["LPOP", key("list", index)]),
    test("HSET", (index) => ["HSET", key("hash", index), "field", value]),
    test(`MGET (${GROUP})`, (index) => ["MGET", ...groupAt(index, settings).map((at) => key("string", at))]),
  ]
}

function customTest(words: readonly string[], { keys, size, isCluster }: Settings, prefix: string): Test {
  const value = "x".repeat(size)
  const command = (index: number): Words =>
    words.map((word) =>
      word
        .replaceAll("__key__", keyOf(prefix, "string", index % keys, isCluster))
        .replaceAll("__value__", value),
    )
  return { name: harmlessLine(words.join(" ")).slice(0, 30), command, warmUp: () => ["PING"] }
}

function settingsOf(options: Options, isCluster: boolean): Settings {
  return {
    isCluster,
    requests: options.integer("requests", 1) ?? 100_000,
    connections: options.integer("connections", 1, 1000) ?? 1,
    concurrency: options.integer("concurrency", 1, 100_000) ?? 50,
    pipeline: options.integer("pipeline", 1, 100_000) ?? 1,
    size: options.integer("size", 0, 512 * 1024 * 1024) ?? 16,
    keys: options.integer("keys", 1, 10_000_000) ?? 1000,
  }
}

async function headOf(conn: Connection | undefined, label: string, settings: Settings): Promise<string> {
  const info = await conn?.safe.command(["INFO", "server"])
  const text = info?.ok ? String(info.value) : ""
  const version = /^(valkey|redis)_version:(\S+)/m.exec(text)
  const server = version ? `${version[1] === "valkey" ? "Valkey" : "Redis"} ${version[2]} at ` : ""
  const pipelined = settings.pipeline > 1 ? `, ${settings.pipeline} commands in each` : ""
  const place =
    conn instanceof Cluster ? `${label} of ${counted(conn.nodes("primary").length, "node")}` : conn?.address
  return `${server}${place ?? label}: ${counted(settings.requests, "request")} each${pipelined}, ${settings.concurrency} at a time over ${counted(settings.connections, "connection")}${conn instanceof Cluster ? " to each node" : ""}`
}

function resultLine({ name, commands, seconds, latency, errors, firstError }: Result, paint: Paint): string {
  const rate = grouped(commands / Math.max(seconds, 1e-6)).padStart(9)
  const times = [50, 95, 99].map(
    (percent) => `p${percent} ${duration(latency.percentile(percent)).padStart(7)}`,
  )
  const line = `${paint.bold(name.padEnd(Math.max(10, name.length + 1)))}${paint.green(rate)}/s  ${times.join("  ")}  ${paint.cyan(sparkline(latency))}`
  if (errors === 0) return line
  return `${line}\n  ${paint.red(`${counted(errors, "error")}, the first: ${harmlessLine(firstError ?? "")}`)}`
}

function draw(results: readonly Result[], paint: Paint): void {
  for (const { name, latency } of results.length === 1 ? results : [...results].slice(0, 3)) {
    writeLine(process.stdout)
    const worst = `p99.9 ${duration(latency.percentile(99.9))}, max ${duration(latency.max)}`
    writeLine(
      process.stdout,
      `${paint.bold(`Latency of ${name}`)}  ${paint.dim(`mean ${duration(latency.mean)}, ${worst}`)}`,
    )
    for (const line of drawHistogram(latency, columnsOf(process.stdout), paint))
      writeLine(process.stdout, line)
  }
  writeLine(process.stdout)
  writeLine(process.stdout, paint.dim(CLOSED_LOOP))
}

/** What such measurements cannot tell. */
const CLOSED_LOOP =
  "Each caller waits for a reply before it sends again, so a stall of the server is seen by few requests\n(coordinated omission). What came first, until the code was warm, is not counted."

/** What `--json` prints: times in ms. */
function report(title: string, settings: Settings, results: readonly Result[]): object {
  return {
    title,
    loop: "closed",
    ...settings,
    tests: results.map(({ name, requests, commands, errors, firstError, seconds, latency }) => ({
      name,
      requests,
      commands,
      errors,
      ...(firstError === undefined ? {} : { firstError }),
      seconds,
      commandsPerSecond: Math.round(commands / seconds),
      latencyMs: {
        min: latency.min,
        mean: latency.mean,
        p50: latency.percentile(50),
        p90: latency.percentile(90),
        p95: latency.percentile(95),
        p99: latency.percentile(99),
        p999: latency.percentile(99.9),
        max: latency.max,
      },
      histogram: latency.rows(24).map(({ upTo, count }) => ({ upToMs: Number(upTo.toPrecision(3)), count })),
    })),
  }
}
