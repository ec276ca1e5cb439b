// A pool of this repository's driver, by strategy: what a small command costs, and how long one waits while other callers
// fetch large values on the same connections. Peers have nothing alike.
import assert from "node:assert/strict"
import type { RedixPool } from "../clients/redix-pool.ts"
import { CLIENT_NAMES, type ClientName } from "../clients/registry.ts"
import { bigKey, smallKeys, smallValue } from "../data.ts"
import { calibrate, sample } from "./timed.ts"
import type { Bench, Sample, Workload } from "./workload.ts"

const STRATEGIES = ["least-busy", "round-robin", "random"] as const
const LOOPS = 64
/** So many loops fetch a large value each time; the others are measured. */
const LARGE_LOOPS = 2
const PATIENCE = 0.99
/** In less time, a single pause of the garbage collector is the slowest hundredth. */
const LEAST_SECONDS = 1

type Strategy = (typeof STRATEGIES)[number]

const without: readonly ClientName[] = CLIENT_NAMES.filter((name) => name !== "redix")

export const poolWorkloads: readonly Workload[] = [...STRATEGIES.map(cost), ...STRATEGIES.map(wait)]

async function open(bench: Bench, strategy: Strategy): Promise<RedixPool> {
  const { RedixPool } = await import("../clients/redix-pool.ts")
  const pool = await RedixPool.open(bench.url, strategy)
  const values = await Promise.all(smallKeys.slice(0, LOOPS).map((key) => pool.get(key)))
  assert.deepEqual(values, new Array(LOOPS).fill(smallValue))
  return pool
}

/** CPU for one of many small commands at once. */
function cost(strategy: Strategy): Workload {
  let pool: RedixPool
  let operations = LOOPS
  const run = async (count: number): Promise<void> => {
    await Promise.all(Array.from({ length: LOOPS }, (_, start) => loop(pool, start, count / LOOPS)))
  }
  return {
    name: `pool-${strategy}`,
    unit: "us",
    without,
    prepare: async (bench, seconds) => {
      pool = await open(bench, strategy)
      operations = await calibrate(run, LOOPS, seconds)
    },
    measure: () => sample(operations, () => run(operations)),
  }
}

/** How long the slowest small commands take, but for one in a hundred, beside large replies. */
function wait(strategy: Strategy): Workload {
  let pool: RedixPool
  let seconds = 0
  return {
    name: `pool-${strategy}-wait`,
    unit: "ms",
    without,
    prepare: async (bench, length) => {
      pool = await open(bench, strategy)
      seconds = Math.max(length, LEAST_SECONDS)
      await waits(pool, seconds)
    },
    measure: () => waits(pool, seconds),
  }
}

async function waits(pool: RedixPool, seconds: number): Promise<Sample> {
  const until = performance.now() + seconds * 1000
  const times: number[] = []
  const large = Array.from({ length: LARGE_LOOPS }, async () => {
    while (performance.now() < until) await pool.getBuffer(bigKey("1m"))
  })
  const small = Array.from({ length: LOOPS }, async (_, start) => {
    for (let i = start; performance.now() < until; i++) {
      const before = performance.now()
      await pool.get(smallKeys[i % smallKeys.length]!)
      times.push(performance.now() - before)
    }
  })
  await Promise.all([...large, ...small])
  times.sort((a, b) => a - b)
  return { value: times[Math.floor(times.length * PATIENCE)]!, operations: times.length }
}

async function loop(client: RedixPool, start: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await client.get(smallKeys[(start + i) % smallKeys.length]!)
}
