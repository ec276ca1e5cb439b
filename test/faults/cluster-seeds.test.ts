/** Row 38 of the fault matrix: seeds that are dead or frozen, and nodes that send in circles. */
import assert from "node:assert/strict"
import { after, afterEach, before, describe, test } from "node:test"
import { Cluster } from "@redix/client"
import { keyIn, RedisCluster } from "../../support/cluster.ts"
import { until } from "../../support/wait.ts"
import { Recorder } from "./invariants.ts"
import { closing, failureOf, quick, replyOf } from "./setup.ts"

/** What two seeds in a row may cost by contract, and room for a busy machine. */
const startMs = 2 * 1000 + 2000

let real: RedisCluster
before(async () => {
  real = await RedisCluster.start({ args: ["--cluster-require-full-coverage", "no"], nodeTimeout: 15_000 })
})
after(() => real?.stop())
afterEach(() => real.mend())

describe("row 38: seeds", () => {
  test("dead and frozen ones come first, and a connection is there in time all the same", async (t) => {
    // With so long a timeout of nodes nobody takes over: the frozen one stays what it is in the layout.
    const replicas = real.nodes.slice(3)
    const [dead, frozen] = replicas
    assert.ok(dead && frozen)
    await real.kill(dead)
    real.freeze(frozen)
    const begin = performance.now()
    const cluster = closing(
      t,
      await Cluster.connect({
        ...quick,
        nodes: [frozen.url, dead.url, frozen.url, real.nodes[0]?.url ?? ""],
        timeout: 30_000,
      }),
    )
    const elapsed = performance.now() - begin
    t.diagnostic(`${Math.round(elapsed)} ms`)
    assert.ok(elapsed < startMs, `took ${elapsed} ms`)
    const recorder = new Recorder()
    const calls = recorder.wrap(cluster)
    for (const each of await Promise.all(Array.from({ length: 100 }, () => calls.incr()))) replyOf(each)
    await recorder.verify()
  })

  test("a frozen primary does not keep the others from being served, from the start on", async (t) => {
    const frozen = await real.primaryOf(8000)
    real.freeze(frozen)
    const cluster = closing(
      t,
      await Cluster.connect({ ...quick, nodes: real.urls(3), timeout: 30_000, commandTimeout: 1000 }),
    )
    const calls = new Recorder().wrap(cluster, { timeout: 1000 })
    for (const slot of [100, 16_000])
      replyOf(await calls.command(["SET", keyIn(slot), "1"], { timeout: 10_000 }))
    const lost = await calls.command(["SET", keyIn(8000), "1"], { timeout: 300 })
    assert.ok(!lost.ok)
    const pipeline = await cluster.pipeline(
      [
        ["GET", keyIn(100)],
        ["GET", keyIn(8000)],
        ["GET", keyIn(16_000)],
      ],
      {
        timeout: 500,
      },
    )
    assert.deepEqual([pipeline[0], pipeline[2]], ["1", "1"])
    assert.ok(pipeline[1] instanceof Error)
    real.thaw(frozen)
    await until(async () => (await cluster.safe.command(["SET", keyIn(8000), "1"])).ok, { timeout: 15_000 })
  })
})

describe("row 38: a redirect loop", () => {
  test("between two real nodes ends with too-many-redirections, for its slot alone", async (t) => {
    const slot = 42
    const from = await real.primaryOf(slot)
    const to = await real.primaryOf(16_000)
    const cluster = closing(t, await Cluster.connect({ ...quick, nodes: real.urls(3) }))
    const recorder = new Recorder()
    // Each takes the other for the owner.
    await from.send("CLUSTER", "SETSLOT", `${slot}`, "NODE", to.id)
    await to.send("CLUSTER", "SETSLOT", `${slot}`, "NODE", from.id)
    const calls = recorder.wrap(cluster)
    try {
      const before = await redirections(from, to)
      const loop = failureOf(await calls.command(["SET", keyIn(slot), "1"]), "too-many-redirections")
      assert.equal(loop.final, false)
      assert.equal((await redirections(from, to)) - before, 6)
      const replies = await cluster.pipeline([
        ["SET", keyIn(slot + 1), "1"],
        ["SET", keyIn(slot), "1"],
        ["SET", keyIn(16_000), "1"],
      ])
      assert.deepEqual([replies[0], replies[2]], ["OK", "OK"])
      assert.ok(
        replies[1] instanceof Error &&
          "reason" in replies[1] &&
          replies[1].reason === "too-many-redirections",
      )
      assert.equal(cluster.status, "connected")
    } finally {
      for (const node of [to, from]) await node.send("CLUSTER", "SETSLOT", `${slot}`, "NODE", from.id)
    }
  })
})

/** How often these nodes have sent somebody elsewhere. */
async function redirections(...nodes: { send(...command: string[]): Promise<unknown> }[]): Promise<number> {
  const texts = await Promise.all(nodes.map((node) => node.send("INFO", "errorstats").then(String)))
  return texts.reduce((sum, text) => sum + Number(/errorstat_MOVED:count=(\d+)/.exec(text)?.[1] ?? 0), 0)
}
