/**
 * Row 37 of the fault matrix: slots move between live nodes under a stream of requests, and nobody notices.
 * `REDIX_CLUSTER_SEED=123` repeats the requests of a run.
 */
import assert from "node:assert/strict"
import { after, before, describe, type TestContext, test } from "node:test"
import { Cluster, RedixError } from "@redix/client"
import { keyIn, RedisCluster } from "../../support/cluster.ts"
import { until } from "../../support/wait.ts"
import { assertNothing, Load } from "./cluster-setup.ts"
import { unique } from "./invariants.ts"
import { atLeast, closing } from "./setup.ts"

const seed = Number(process.env["REDIX_CLUSTER_SEED"] ?? Date.now() % 1_000_000_000)

let real: RedisCluster
before(async () => {
  real = await RedisCluster.start({ replicasPerPrimary: 0 })
})
after(() => real?.stop())

/** Moves each slot on to the next primary, keys in two steps, so that for a while they are on both sides. */
async function moveOn(slots: readonly number[], pauseMs: number): Promise<void> {
  const primaries = await real.primaries()
  for (const slot of slots) {
    const from = await real.primaryOf(slot)
    const to = primaries[(primaries.indexOf(from) + 1) % primaries.length]
    assert.ok(to)
    const migration = await real.startMigration(slot, to)
    await atLeast(pauseMs)
    await migration.moveKeys()
    await atLeast(pauseMs)
    await migration.finish()
  }
}

async function client(t: TestContext, options: { maxRedirections?: number } = {}): Promise<Cluster> {
  return closing(t, await Cluster.connect({ nodes: real.urls(), clientInfo: false, ...options }))
}

describe("row 37: slots move under a stream of requests", () => {
  test("no error, no redirection seen, nothing lost, nothing twice", async (t) => {
    t.diagnostic(`REDIX_CLUSTER_SEED=${seed}`)
    const slots = [10, 4000, 8000, 12_000, 16_000]
    const load = new Load(await client(t), { slots, seed })
    t.after(() => load.stop())
    await until(() => load.acknowledgedAfter(0).length > 200)
    for (let round = 0; round < 3; round++) await moveOn(slots, 20)
    const after = performance.now()
    await until(() => load.acknowledgedAfter(after).length > 200)
    await load.stop()
    t.diagnostic(JSON.stringify(load.tally()))
    assert.deepEqual(load.failed.slice(0, 5), [])
    assertNothing(load.judge(await real.values(load.writes.map(({ key }) => key))))
    const silent = load.writes.filter(({ outcome }) => outcome === "silent")
    const values = await real.values(silent.map(({ key }) => key))
    // Nobody was told, and yet all have run.
    assert.ok(silent.length > 10)
    assert.ok(values.every((value) => value === "1"))
  })

  test("commands with several keys wait until all of them have moved", async (t) => {
    // Keys stay on both sides for longer than the default would wait.
    const cluster = await client(t, { maxRedirections: 100 })
    const slot = 600
    const keys = Array.from({ length: 10 }, (_, index) => keyIn(slot, `several:${index}`))
    await cluster.command(["MSET", ...keys.flatMap((key) => [key, "0"])])
    let stopped = false
    const failures: unknown[] = []
    const rounds: number[] = []
    const writers = [1, 2].map(async (writer) => {
      for (let round = 1; !stopped; round++) {
        const value = `${writer}:${round}`
        try {
          await cluster.command(["MSET", ...keys.flatMap((key) => [key, value])])
          const values = await cluster.command(["MGET", ...keys])
          // MSET is atomic: whoever was last, all keys have the value of one.
          if (new Set(values).size !== 1) failures.push(values)
          const replies = await cluster.transactionPipeline(keys.map((key): string[] => ["GET", key]))
          if (new Set(replies).size !== 1) failures.push(replies)
        } catch (error) {
          failures.push(error)
        }
        rounds.push(round)
        await atLeast(1)
      }
    })
    await until(() => rounds.length > 20)
    const primaries = await real.primaries()
    for (let turn = 0; turn < 4; turn++) {
      const from = await real.primaryOf(slot)
      const to = primaries[(primaries.indexOf(from) + 1) % primaries.length]
      assert.ok(to)
      const migration = await real.startMigration(slot, to)
      await migration.moveKeys(keys.slice(0, 5))
      await atLeast(40)
      await migration.finish()
      const before = rounds.length
      await until(() => rounds.length > before + 5)
    }
    stopped = true
    await Promise.all(writers)
    assert.deepEqual(failures.slice(0, 3), [])
  })

  test("pipelines to one slot keep their order throughout", async (t) => {
    const cluster = await client(t)
    const slot = 700
    const list = keyIn(slot, unique("list"))
    let sent = 0
    let stopped = false
    const failures: unknown[] = []
    const writer = (async () => {
      while (!stopped) {
        const batch = Array.from({ length: 20 }, () => `${sent++}`)
        const replies = await cluster.pipeline(batch.map((value): string[] => ["RPUSH", list, value]))
        failures.push(...replies.filter((reply) => reply instanceof RedixError))
        await atLeast(1)
      }
    })()
    await until(() => sent > 200)
    for (let turn = 0; turn < 4; turn++) await moveOn([slot], 10)
    stopped = true
    await writer
    assert.deepEqual(failures.slice(0, 3), [])
    const values = await cluster.command(["LRANGE", list, 0, -1])
    assert.deepEqual(
      values,
      Array.from({ length: sent }, (_, index) => `${index}`),
    )
  })

  test("blocking commands and checkouts find their slot again", async (t) => {
    const cluster = await client(t)
    const slot = 800
    const list = keyIn(slot, unique("list"))
    const popped = cluster.command(["BLPOP", list, 0], { timeout: 20_000 })
    const settled = popped.then(
      () => true,
      () => true,
    )
    await until(async () =>
      / blocked_clients:1|blocked_clients:1\r/.test(
        String(await (await real.primaryOf(slot)).send("INFO", "clients")),
      ),
    )
    // The server sends the waiting one away with MOVED.
    await moveOn([slot], 0)
    await cluster.command(["RPUSH", list, "value"])
    await settled
    assert.deepEqual(await popped, [list, "value"])
    await cluster.use(
      async (conn) => {
        assert.equal(await conn.command(["LLEN", list]), 0)
      },
      { key: list },
    )
  })
})
