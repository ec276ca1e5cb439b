/**
 * What the fault tests of a cluster share: a stream of writes over many slots, each to keys of its own, and what must hold
 * of them whatever breaks. Knows nothing of which fault a test causes.
 */
import assert from "node:assert/strict"
import { inspect } from "node:util"
import { type Cluster, ConnectionError, RedisError } from "@redix/client"
import { keyIn, slotOf } from "../../support/slots.ts"
import { unique } from "./invariants.ts"
import { atLeast, seededRandom } from "./setup.ts"

/** The increments of one key, and how the only one that was asked for ended. */
export interface Write {
  readonly key: string
  readonly slot: number
  readonly what: string
  readonly issuedAt: number
  settledAt: number
  /** `"silent"`: resolved, but nobody was told what became of it. */
  outcome: "pending" | "acknowledged" | "silent" | "not-sent" | "unknown" | "refused"
  error: unknown
}

/** One that should not have failed, or should not have succeeded like that. */
export interface Violation {
  readonly what: string
  readonly error: unknown
}

export interface LoadOptions {
  /** Which slots are written to; any of these. */
  readonly slots: readonly number[]
  readonly seed: number
  /** How many are busy at the same time. Default 8. */
  readonly workers?: number
  /** Ms within which each request has to settle. Default 5000. */
  readonly timeout?: number
}

/** For a slow machine; what settles later than its timeout and this counts as hung. */
const graceMs = 5000

export class Load {
  readonly writes: Write[] = []
  /** Replies of others, requests that took too long, errors that nobody may see. */
  readonly violations: Violation[] = []
  readonly #cluster: Cluster
  readonly #slots: readonly number[]
  readonly #timeout: number
  readonly #random: () => number
  readonly #workers: Promise<void>[]
  #stopped = false

  constructor(cluster: Cluster, { slots, seed, workers = 8, timeout = 5000 }: LoadOptions) {
    this.#cluster = cluster
    this.#slots = slots
    this.#timeout = timeout
    this.#random = seededRandom(seed)
    this.#workers = Array.from({ length: workers }, () => this.#work())
  }

  /** Resolves when the last request has settled. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#workers)
  }

  /** Those that were acknowledged and issued after that time, in some slots or in all. */
  acknowledgedAfter(time: number, inSlots: (slot: number) => boolean = () => true): Write[] {
    return this.writes.filter(
      ({ outcome, issuedAt, slot }) => outcome === "acknowledged" && issuedAt > time && inSlots(slot),
    )
  }

  /** Those that were not carried out, or of which that is not known. */
  get failed(): Write[] {
    return this.writes.filter(({ outcome }) => !["pending", "acknowledged", "silent"].includes(outcome))
  }

  /** How many ended in which way. */
  tally(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { outcome, error } of this.writes) {
      const name = error === undefined ? outcome : `${outcome} ${nameOf(error)}`
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  /**
   * Everything that is wrong, a sentence each. `values` are what the cluster holds for {@link writes}; `mayBeLost` says which
   * acknowledged ones may be gone, with a primary that died.
   */
  judge(values: readonly (string | null)[], mayBeLost: (write: Write) => boolean = () => false): string[] {
    const faults = this.violations.map(({ what, error }) => `${what}: ${inspect(error)}`)
    for (const [index, write] of this.writes.entries()) {
      const { key, what, outcome, error } = write
      const runs = Number(values[index] ?? 0)
      if (outcome === "pending") faults.push(`${what} ${key} hangs`)
      if (runs > 1) faults.push(`${what} ${key} ran ${runs} times`)
      if (runs > 0 && (outcome === "not-sent" || outcome === "refused")) {
        faults.push(`${what} ${key} ran although it ended with ${outcome} ${nameOf(error)}`)
      }
      if (runs === 0 && outcome === "acknowledged" && !mayBeLost(write)) {
        faults.push(`${what} ${key} was acknowledged and is lost`)
      }
      const illegal = error === undefined ? undefined : illegality(error)
      if (illegal) faults.push(`${what} ${key} ${illegal}`)
    }
    return faults
  }

  async #work(): Promise<void> {
    const kinds = [
      () => this.#single(),
      () => this.#single(),
      () => this.#pipeline(),
      () => this.#transaction(),
      () => this.#silent(),
      () => this.#echo(),
    ]
    while (!this.#stopped) {
      const began = performance.now()
      await this.#oneOf(kinds)()
      const elapsed = performance.now() - began
      if (elapsed > this.#timeout + graceMs) {
        this.violations.push({ what: "a request", error: `took ${Math.round(elapsed)} ms` })
      }
      await atLeast(1)
    }
  }

  async #single(): Promise<void> {
    const write = this.#write("INCR")
    const result = await this.#cluster.safe.command(["INCR", write.key])
    settle(write, result.ok ? result.value : result.error)
  }

  async #pipeline(): Promise<void> {
    const writes = Array.from({ length: 6 }, () => this.#write("INCR in a pipeline"))
    const result = await this.#cluster.safe.pipeline(writes.map(({ key }): string[] => ["INCR", key]))
    for (const [index, write] of writes.entries())
      settle(write, result.ok ? result.value[index] : result.error)
  }

  /** Of one key: over several, while they are on both sides, it waits for as long as that takes. */
  async #transaction(): Promise<void> {
    const write = this.#write("INCR in a transaction")
    const result = await this.#cluster.safe.transactionPipeline([
      ["INCR", write.key],
      ["EXISTS", write.key],
    ])
    settle(write, result.ok ? result.value?.[0] : result.error)
    if (result.ok && (result.value === null || result.value[1] !== 1)) {
      this.violations.push({ what: "a transaction", error: result.value })
    }
  }

  async #silent(): Promise<void> {
    const writes = [this.#write("noreply"), this.#write("noreply")]
    const result = await this.#cluster.safe.noreplyPipeline(writes.map(({ key }): string[] => ["INCR", key]))
    for (const write of writes) {
      // Of one that failed for a whole pipeline it is not said which part has run.
      if (!result.ok) settle(write, result.error, "unknown")
      else {
        write.outcome = "silent"
        write.settledAt = performance.now()
      }
    }
  }

  /** A tag that only its own reply can have. */
  async #echo(): Promise<void> {
    const slot = this.#oneOf(this.#slots)
    const tag = unique()
    const key = keyIn(slot, tag)
    const result = await this.#cluster.safe.pipeline([
      ["SET", key, tag],
      ["GET", key],
    ])
    if (!result.ok) return
    const [set, get] = result.value
    if (set instanceof Error || get instanceof Error) return
    // A failover in between may have lost it.
    if (set !== "OK" || (get !== tag && get !== null))
      this.violations.push({ what: `GET ${key}`, error: result.value })
  }

  #write(what: string, slot: number = this.#oneOf(this.#slots)): Write {
    const key = keyIn(slot, unique("key"))
    const write: Write = {
      key,
      slot: slotOf(key),
      what,
      issuedAt: performance.now(),
      settledAt: 0,
      outcome: "pending",
      error: undefined,
    }
    this.writes.push(write)
    return write
  }

  #oneOf<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)] as T
  }
}

/** `of` says what the outcome of a failure is where the error itself is about more than this write. */
function settle(write: Write, value: unknown, of?: "unknown"): void {
  write.settledAt = performance.now()
  if (value === 1) {
    write.outcome = "acknowledged"
    return
  }
  write.error = value
  if (value instanceof ConnectionError) write.outcome = of ?? value.outcome
  else if (value instanceof RedisError) write.outcome = of ?? "refused"
  else write.outcome = "unknown"
}

/** What may be seen when a node dies. Redirections may not. */
const legalReasons = new Set([
  "closed",
  "disconnected",
  "timeout",
  "refused",
  "health-check-timeout",
  "too-many-redirections",
  "no-reachable-node",
])
const legalCodes = new Set(["CLUSTERDOWN", "LOADING", "MASTERDOWN", "READONLY", "EXECABORT"])

function illegality(error: unknown): string | undefined {
  if (error instanceof ConnectionError)
    return legalReasons.has(error.reason) ? undefined : `has the reason ${error.reason}`
  if (error instanceof RedisError) return legalCodes.has(error.code) ? undefined : `leaked ${error.message}`
  return `got the reply ${inspect(error)}`
}

function nameOf(error: unknown): string {
  if (error instanceof ConnectionError) return error.reason
  return error instanceof RedisError ? error.code : inspect(error)
}

/** Asserts that nothing is wrong; shows the first few things that are. */
export function assertNothing(faults: readonly string[]): void {
  assert.deepEqual(faults.slice(0, 20), [])
}
