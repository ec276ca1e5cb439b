/**
 * Everything at once against three real nodes: connections that break, freeze and crawl, slots that move, requests that are
 * aborted or run out of time. What must hold: each request settles in time and with an error that callers may see, each
 * reply is that of its command, nothing runs twice, what is acknowledged has run, and what was "not sent" has not.
 * Each run has another seed; `REDIX_CLUSTER_SEED=123` rolls the same dice, `REDIX_CLUSTER_CHAOS_MS` makes it longer.
 */
import assert from "node:assert/strict"
import { after, before, describe, type TestContext, test } from "node:test"
import { inspect } from "node:util"
import { Cluster, ConnectionError, RedisError } from "@redix/client"
import { keyIn, RedisCluster } from "../../support/cluster.ts"
import { FaultProxy } from "../../support/proxy.ts"
import { until } from "../../support/wait.ts"
import { Recorder, unique } from "./invariants.ts"
import { atLeast, closing, seededRandom } from "./setup.ts"

const seed = Number(process.env["REDIX_CLUSTER_SEED"] ?? Date.now() % 1_000_000_000)
const chaosMs = Number(process.env["REDIX_CLUSTER_CHAOS_MS"] ?? 5000)
const workers = 24
const commandTimeout = 1000
/** For a slow machine; what settles later than its timeout and this counts as hung. */
const graceMs = 5000
/** Of the connections for single users, which must all be there again in the end. */
const maxDedicated = 6

/** Keys are in these; the first few move. */
const slots = [3, 700, 5300, 5600, 8000, 10_800, 11_000, 14_000, 16_300]
const moving = slots.slice(0, 4)

const dice = seededRandom(seed)
/** From 0 up to, not including, `end`. */
const below = (end: number): number => Math.floor(dice() * end)
const oneOf = <T>(items: readonly T[]): T => items[below(items.length)] as T

/** What a caller may see when connections break and requests are given up. Redirections may not be seen. */
const legalReasons = new Set([
  "closed",
  "disconnected",
  "timeout",
  "health-check-timeout",
  "too-many-redirections",
])
const legalCodes = new Set(["CLUSTERDOWN", "EXECABORT"])
/** What signals are aborted with. */
const enough = new Error("enough")

/** An increment of a key of its own, and what its caller knows of it. */
interface Write {
  readonly key: string
  readonly what: string
  knowledge: "ran" | "has not run" | "unknown"
  /** Those that run all or not at all. */
  readonly together: readonly string[]
}

interface Limits {
  readonly timeout?: number
  readonly signal?: AbortSignal
}

class Chaos {
  readonly faults: string[] = []
  readonly writes: Write[] = []
  readonly tally = new Map<string, number>()
  isOver = false
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async work(): Promise<void> {
    const kinds = [
      () => this.#single(),
      () => this.#pipeline(),
      () => this.#pipelineWithBlock(),
      () => this.#transaction(),
      () => this.#withoutReply(),
      () => this.#echo(),
      () => this.#pop(),
      () => this.#watch(),
    ]
    while (!this.isOver) {
      await oneOf(kinds)()
      if (below(4) === 0) await atLeast(below(4))
    }
  }

  async #single(): Promise<void> {
    const write = this.#write("INCR")
    const limits = this.#limits()
    const reply = await this.#settled("INCR", limits, this.#cluster.command(["INCR", write.key], limits))
    this.#learn(write, reply)
  }

  async #pipeline(): Promise<void> {
    const writes = Array.from({ length: 1 + below(30) }, () => this.#write("INCR in a pipeline"))
    const limits = this.#limits()
    const commands = writes.map(({ key }): string[] => ["INCR", key])
    const replies = await this.#settled("a pipeline", limits, this.#cluster.pipeline(commands, limits))
    this.#learnAll(writes, replies)
  }

  async #pipelineWithBlock(): Promise<void> {
    const slot = oneOf(slots)
    const [first, last] = [this.#write("INCR before a block"), this.#write("INCR after a block")]
    const block = this.#together("INCR in a block", slot)
    const limits = this.#limits()
    const commands = [
      ["INCR", first.key],
      ["MULTI"],
      ...block.map(({ key }): string[] => ["INCR", key]),
      ["EXEC"],
      ["INCR", last.key],
    ]
    const replies = await this.#settled("a block", limits, this.#cluster.pipeline(commands, limits))
    if (Array.isArray(replies)) {
      this.#learn(first, replies[0])
      this.#learnAll(block, replies[4])
      this.#learn(last, replies[5])
    } else this.#learnAll([first, ...block, last], replies)
  }

  async #transaction(): Promise<void> {
    const writes = this.#together("INCR in a transaction", oneOf(slots))
    const limits = this.#limits()
    const commands = writes.map(({ key }): string[] => ["INCR", key])
    const sent = this.#cluster.transactionPipeline(commands, limits)
    this.#learnAll(writes, await this.#settled("a transaction", limits, sent))
  }

  async #withoutReply(): Promise<void> {
    const writes = [this.#write("noreply"), this.#write("noreply")]
    const limits = this.#limits()
    const sent = this.#cluster.noreplyPipeline(
      writes.map(({ key }): string[] => ["INCR", key]),
      limits,
    )
    // Of one that fails it is not said which part of it has run, and of others not what the server said.
    await this.#settled("noreply", limits, sent)
  }

  /** Tags that only their own replies can have, of any node and of several. */
  async #echo(): Promise<void> {
    const limits = this.#limits()
    const tags = Array.from({ length: 6 }, () => unique())
    const commands = tags.map((tag): string[] => ["ECHO", tag])
    const mixed = tags.flatMap((tag, place): string[][] => [
      ["EXISTS", keyIn(oneOf(slots), tag)],
      commands[place] ?? [],
    ])
    const replies = await this.#settled("ECHO", limits, this.#cluster.pipeline(mixed, limits))
    if (!Array.isArray(replies)) return
    for (const [place, reply] of replies.entries()) {
      const expected = place % 2 === 0 ? 0 : tags[(place - 1) / 2]
      if (!(reply instanceof Error) && reply !== expected)
        this.faults.push(`place ${place} of a pipeline was answered by ${inspect(reply)}, not ${expected}`)
      if (reply instanceof Error) this.#judge(`place ${place}`, reply, limits)
    }
  }

  /** Blocks, mostly in vain; a value that is popped must be the one of this list. */
  async #pop(): Promise<void> {
    const list = keyIn(oneOf(slots), unique("list"))
    const limits = this.#limits()
    const pushed = below(2) === 0 ? this.#cluster.command(["RPUSH", list, list]) : Promise.resolve(0)
    const popped = this.#cluster.command(["BLPOP", list, 0.05], limits)
    const [value] = await Promise.all([
      this.#settled("BLPOP", limits, popped),
      this.#settled("RPUSH", {}, pushed),
    ])
    const isRight = value === null || (Array.isArray(value) && value[0] === list && value[1] === list)
    if (!(value instanceof Error) && !isRight) this.faults.push(`BLPOP ${list} got ${inspect(value)}`)
  }

  async #watch(): Promise<void> {
    const write = this.#write("INCR after WATCH")
    const sent = this.#cluster.watch(write.key, () => [["INCR", write.key]], { retries: 2 })
    const result = await this.#settled("watch", { timeout: 5 * commandTimeout }, sent)
    this.#learn(write, Array.isArray(result) ? result[0] : result)
  }

  /** Some are patient, some have little time, some are aborted. */
  #limits(): Limits {
    const kind = below(10)
    if (kind === 0) return { timeout: 1 + below(40) }
    if (kind > 2) return {}
    const controller = new AbortController()
    if (kind === 1) setTimeout(() => controller.abort(enough), below(15))
    else process.nextTick(() => controller.abort(enough))
    return { signal: controller.signal }
  }

  #write(what: string, slot = oneOf(slots)): Write {
    const write: Write = { key: keyIn(slot, unique("key")), what, knowledge: "unknown", together: [] }
    this.writes.push(write)
    return write
  }

  #together(what: string, slot: number): Write[] {
    const together = [keyIn(slot, unique("a")), keyIn(slot, unique("b"))]
    const writes = together.map((key): Write => ({ key, what, knowledge: "unknown", together }))
    this.writes.push(...writes)
    return writes
  }

  /** The reply, or the error that it ended with; whatever is wrong with that, or with the time it took, is noted. */
  async #settled(what: string, limits: Limits, promise: Promise<unknown>): Promise<unknown> {
    const began = performance.now()
    const { timeout = commandTimeout } = limits
    let timer: NodeJS.Timeout | undefined
    const hung = new Promise<"hung">((resolve) => {
      timer = setTimeout(resolve, timeout + graceMs, "hung")
    })
    const ended = promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ value: error }),
    )
    const first = await Promise.race([ended, hung])
    clearTimeout(timer)
    if (first === "hung") {
      this.faults.push(`${what} has not settled for ${Math.round(performance.now() - began)} ms`)
      return new Error("hung")
    }
    const { value } = first
    if (value instanceof Error) this.#judge(what, value, limits)
    else this.#count("ok")
    return value
  }

  #judge(what: string, error: Error, { signal }: Limits): void {
    if (error === enough && signal?.aborted === true) this.#count("aborted")
    else if (error instanceof ConnectionError && legalReasons.has(error.reason)) {
      this.#count(error.reason)
      if (error.final) this.faults.push(`${what} failed for good: ${inspect(error)}`)
    } else if (error instanceof RedisError && legalCodes.has(error.code)) this.#count(error.code)
    else this.faults.push(`${what} ended with ${inspect(error)}`)
  }

  #count(name: string): void {
    this.tally.set(name, (this.tally.get(name) ?? 0) + 1)
  }

  #learnAll(writes: readonly Write[], replies: unknown): void {
    for (const [place, write] of writes.entries())
      this.#learn(write, Array.isArray(replies) ? replies[place] : replies)
  }

  #learn(write: Write, reply: unknown): void {
    if (reply === 1) write.knowledge = "ran"
    else if (reply instanceof ConnectionError)
      write.knowledge = reply.outcome === "not-sent" ? "has not run" : "unknown"
    else if (reply instanceof RedisError) {
      write.knowledge = "has not run"
      this.#judge(write.what, reply, {})
    } else if (!(reply instanceof Error) && reply !== null && reply !== undefined)
      this.faults.push(`${write.what} ${write.key} was answered by ${inspect(reply)}`)
  }

  /** Holds what is in the cluster against what callers know. */
  judgeWrites(values: readonly (string | null)[]): void {
    const runs = new Map(this.writes.map(({ key }, index) => [key, Number(values[index] ?? 0)]))
    for (const { key, what, knowledge, together } of this.writes) {
      const times = runs.get(key) ?? 0
      if (times > 1) this.faults.push(`${what} ${key} ran ${times} times`)
      if (times === 0 && knowledge === "ran") this.faults.push(`${what} ${key} was acknowledged and is lost`)
      if (times > 0 && knowledge === "has not run")
        this.faults.push(`${what} ${key} ran although it was said not to`)
      if (together.some((other) => runs.get(other) !== times)) this.faults.push(`${what} ${key} ran in part`)
    }
  }
}

/** Breaks connections, until it is over; everything is in order again then. */
async function breakThings(proxies: readonly FaultProxy[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await atLeast(20 + below(120))
    const proxy = oneOf(proxies)
    const kind = below(9)
    if (kind === 0) proxy.reset()
    else if (kind === 1) proxy.cut()
    else if (kind === 2) proxy.cutAfterBytes("to-client", below(3000), oneOf(["rst", "fin"] as const))
    else if (kind === 3) proxy.cutAfterBytes("to-server", below(3000), oneOf(["rst", "fin"] as const))
    else if (kind === 4) proxy.split(1 + below(20))
    else if (kind === 5) proxy.delay(below(30))
    else if (kind === 6) proxy.blackhole(oneOf(["to-client", "to-server", "both"] as const))
    else proxy.restore()
  }
  for (const proxy of proxies) proxy.restore()
}

async function moveThings(real: RedisCluster, isOver: () => boolean): Promise<number> {
  const primaries = await real.primaries()
  let moves = 0
  for (; !isOver(); moves++) {
    const slot = oneOf(moving)
    const from = await real.primaryOf(slot)
    const migration = await real.startMigration(slot, oneOf(primaries.filter((node) => node !== from)))
    await migration.moveKeys()
    await migration.finish()
  }
  return moves
}

/** One for each node, and how to get there. */
async function proxied(t: TestContext, real: RedisCluster): Promise<Map<number, FaultProxy>> {
  const proxies = new Map<number, FaultProxy>()
  for (const { host, port } of real.nodes) {
    const proxy = await FaultProxy.start({ host, port })
    t.after(() => proxy.stop())
    proxies.set(port, proxy)
  }
  return proxies
}

let real: RedisCluster
before(async () => {
  real = await RedisCluster.start({ replicasPerPrimary: 0, nodeTimeout: 10_000 })
})
after(() => real?.stop())

describe("chaos", () => {
  test("breaks no promise", async (t) => {
    t.diagnostic(`REDIX_CLUSTER_SEED=${seed}`)
    const recorder = new Recorder()
    const proxies = await proxied(t, real)
    const cluster = closing(
      t,
      await Cluster.connect({
        nodes: [...proxies.values()].map(({ url }) => url),
        natMap: (_host, port) => proxies.get(port),
        clientInfo: false,
        commandTimeout,
        timeout: 500,
        backoffInitial: 5,
        backoffMax: 50,
        healthCheckInterval: 300,
        maxRedirections: 50,
        maxDedicated,
      }),
    )
    const chaos = new Chaos(cluster)
    const isOver = () => chaos.isOver
    const movers = moveThings(real, isOver)
    const breakers = breakThings([...proxies.values()], isOver)
    const busy = Array.from({ length: workers }, () => chaos.work())
    await atLeast(chaosMs)
    chaos.isOver = true
    const [moves] = await Promise.all([movers, breakers, ...busy])
    t.diagnostic(`${moves} moves, ${chaos.writes.length} writes, ${inspect([...chaos.tally])}`)

    await recovered(cluster)
    chaos.judgeWrites(await real.values(chaos.writes.map(({ key }) => key)))
    assert.deepEqual(chaos.faults.slice(0, 20), [], `with REDIX_CLUSTER_SEED=${seed}`)
    assert.ok((chaos.tally.get("ok") ?? 0) > 100, "hardly anything has worked")
    await allThere(cluster)
    for (const { connection } of cluster.nodes("all")) assert.equal(connection.status, "connected")
    await cluster.close()
    for (const proxy of proxies.values()) await until(() => proxy.openConnections === 0)
    await recorder.verify()
  })
})

/** Every slot answers again. */
async function recovered(cluster: Cluster): Promise<void> {
  for (const slot of slots) {
    const key = keyIn(slot, unique("recovered"))
    await until(async () => (await cluster.safe.command(["SET", key, "1"])).ok, { message: `slot ${slot}` })
  }
  await Promise.all(cluster.nodes().map(({ connection }) => connection.ready({ timeout: 10_000 })))
}

/** None of the connections for single users was lost count of. */
async function allThere(cluster: Cluster): Promise<void> {
  const checkouts = await Promise.all(
    Array.from({ length: maxDedicated }, (_, index) =>
      cluster.checkout({ key: keyIn(slots[index % slots.length] ?? 0, "own"), timeout: 5000 }),
    ),
  )
  await Promise.all(checkouts.map((checkout) => checkout.release()))
}
