/** Figures that can be read at any time: what they count, and that they add up whatever happens. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type ConnectionStats, Pool, PubSub, Redix } from "@redix/client"
import { RedisCluster } from "../../support/cluster.ts"
import { until } from "../../support/wait.ts"
import { connected } from "../contract/cluster/setup.ts"
import { closing, fakeServer, sharedServer, uniqueKey } from "../contract/helpers.ts"
import { Clock, TimedRequest } from "../util/clock.ts"

const server = await sharedServer()

function assertSum<Stats extends ConnectionStats>(stats: Stats): Stats {
  assert.equal(stats.accepted, stats.settled + stats.waiting + stats.inFlight)
  for (const value of [stats.waiting, stats.inFlight, stats.settled, stats.lateReplies, stats.refused])
    assert.ok(value >= 0)
  return stats
}

describe("the stats of a connection", () => {
  test("tell what waits, what is in flight and what has settled", async (t) => {
    const fake = await fakeServer(t, ([name]) => (name === "GET" ? "" : undefined))
    const conn = closing(t, await Redix.connect({ port: fake.port }))
    const { bytesRead: _, bytesWritten: __, ...counts } = conn.stats()
    assert.deepEqual(new Set(Object.values(counts)), new Set([0]))
    const first = conn.safe.command(["GET", "a"])
    const second = conn.safe.pipeline([
      ["GET", "a"],
      ["GET", "b"],
    ])
    assert.deepEqual([conn.stats().accepted, conn.stats().waiting, conn.stats().inFlight], [2, 2, 0])
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([conn.stats().accepted, conn.stats().waiting, conn.stats().inFlight], [2, 0, 2])
    fake.connections.at(-1)?.write("$-1\r\n")
    await first
    assert.deepEqual([assertSum(conn.stats()).settled, conn.stats().inFlight], [1, 1])
    conn.destroy()
    await second
    assert.deepEqual([assertSum(conn.stats()).settled, conn.stats().inFlight], [2, 0])
    await conn.safe.command(["GET", "a"])
    assert.deepEqual([conn.stats().accepted, conn.stats().refused], [2, 1])
    // Misuse is nobody's.
    await conn.safe.command([] as never)
    assert.equal(conn.stats().refused, 1)
  })

  test("count replies that nobody waits for", async (t) => {
    const fake = await fakeServer(t, ([name]) => (name === "GET" ? "" : undefined))
    const conn = closing(t, await Redix.connect({ port: fake.port }))
    const controller = new AbortController()
    const { signal } = controller
    const requests = [
      conn.safe.command(["GET", "a"], { timeout: 10 }),
      conn.safe.command(["GET", "b"], { signal }),
      conn.safe.pipeline(
        [
          ["GET", "c"],
          ["GET", "d"],
        ],
        { signal },
      ),
      conn.safe.command(["GET", "e"]),
    ]
    // Aborted before it is sent: nothing is replied to it.
    const unsent = conn.safe.command(["GET", "f"], { signal: AbortSignal.timeout(1) })
    await requests[0]
    controller.abort()
    await Promise.all([...requests.slice(0, 3), unsent])
    assert.equal(conn.stats().lateReplies, 0)
    assert.equal(assertSum(conn.stats()).inFlight, 1)
    fake.connections
      .at(-1)
      ?.write("$-1\r\n".repeat(fake.connections.at(-1)?.received.filter(([n]) => n === "GET").length ?? 0))
    await requests[3]
    await until(() => conn.stats().lateReplies >= 4)
    assertSum(conn.stats())
  })

  test("count bytes as the server does, and reconnections", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port, backoffInitial: 1, backoffMax: 2 }))
    const before = conn.stats()
    assert.ok(before.bytesRead > 0 && before.bytesWritten > 0)
    await conn.command(["ECHO", "x".repeat(100_000)])
    const afterwards = conn.stats()
    assert.equal(
      afterwards.bytesWritten - before.bytesWritten,
      "*2\r\n$4\r\nECHO\r\n$100000\r\n\r\n".length + 100_000,
    )
    assert.equal(afterwards.bytesRead - before.bytesRead, "$100000\r\n\r\n".length + 100_000)
    await conn.safe.command(["QUIT"])
    await until(() => conn.stats().reconnections === 1)
    await until(() => conn.status === "connected")
    assert.ok(conn.stats().bytesRead > afterwards.bytesRead)
    assert.ok(conn.stats().bytesWritten > afterwards.bytesWritten)
    await conn.close()
    assert.equal(conn.stats().reconnections, 1)
    assertSum(conn.stats())
  })

  test("add up whatever happens", async (t) => {
    const conn = closing(
      t,
      await Redix.connect({ port: server.port, backoffInitial: 1, backoffMax: 2, maxInFlight: 100 }),
    )
    const admin = closing(t, await Redix.connect({ port: server.port }))
    const outcomes: Promise<unknown>[] = []
    let last = 0
    for (let round = 0; round < 60; round++) {
      const controller = new AbortController()
      for (let index = 0; index < 20; index++)
        outcomes.push(
          conn.safe.command(["GET", "a"], index % 3 === 0 ? { signal: controller.signal } : {}),
          conn.safe.noreplyPipeline([["SET", "a", 1]], { timeout: index % 2 === 0 ? 1 : 1000 }),
        )
      if (round % 2 === 0) controller.abort()
      else setImmediate(() => controller.abort())
      if (round % 20 === 10) await admin.command(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
      const { accepted } = assertSum(conn.stats())
      assert.ok(accepted >= last)
      last = accepted
      await new Promise((resolve) => setImmediate(resolve))
      assertSum(conn.stats())
    }
    await Promise.all(outcomes)
    const { accepted, settled, refused, waiting, inFlight } = assertSum(conn.stats())
    assert.deepEqual([waiting, inFlight, settled], [0, 0, accepted])
    assert.equal(accepted + refused, outcomes.length)
  })

  test("of a PubSub count what it asks", async (t) => {
    const pubsub = closing(t, await PubSub.connect({ port: server.port }))
    await pubsub.subscribe(["a", "b"], () => {})
    assert.equal(assertSum(pubsub.stats()).accepted, 1)
  })
})

describe("the stats of a pool", () => {
  test("are those of its connections, dedicated ones and those that wait for one included", async (t) => {
    const clock = new Clock(t)
    const pool = closing(t, await Pool.connect({ port: server.port, size: 2, maxDedicated: 1 }))
    await until(() => pool.stats().connections.filter(({ status }) => status === "connected").length === 2)
    await Promise.all([pool.command(["PING"]), pool.command(["PING"])])
    const blocked = [
      pool.safe.command(["BLPOP", uniqueKey(), 5]),
      pool.safe.command(["BLPOP", uniqueKey(), 5]),
    ]
    const late = new TimedRequest(clock, pool.command(["BLPOP", uniqueKey(), 5], { timeout: 20 }))
    await until(() => pool.stats().inFlight === 1)
    assert.equal(pool.stats().connections.length, 3)
    assert.equal(assertSum(pool.stats()).accepted, 5)
    assert.equal(pool.stats().waiting, 2)
    await late.assertTimeOver(20)
    assert.deepEqual([pool.stats().accepted, pool.stats().settled, pool.stats().waiting], [5, 3, 1])
    for (const each of pool.stats().connections) assert.equal(assertSum(each) && each.address, pool.address)
    await pool.close()
    await Promise.all(blocked)
    assert.deepEqual([assertSum(pool.stats()).accepted, pool.stats().settled], [5, 5])
  })

  test("keep what dedicated connections have done that are no more", async (t) => {
    const pool = closing(t, await Pool.connect({ port: server.port, size: 1 }))
    const conn = await pool.checkout()
    await conn.command(["PING"])
    assert.equal(conn.stats().accepted, 1)
    conn.destroy()
    assert.equal(pool.stats().connections.length, 1)
    assert.equal(assertSum(pool.stats()).accepted, 1)
  })
})

describe("the stats of a cluster", () => {
  test("are those of its nodes", async (t) => {
    const real = await RedisCluster.start({ primaries: 3, replicasPerPrimary: 0 })
    t.after(() => real.stop())
    const cluster = await connected(t, real)
    await Promise.all(cluster.nodes().map(({ connection }) => connection.ready()))
    const before = cluster.stats()
    await Promise.all(Array.from({ length: 30 }, (_, index) => cluster.command(["SET", `stats:${index}`, 1])))
    await cluster.pipeline(Array.from({ length: 30 }, (_, index) => ["GET", `stats:${index}`] as const))
    const stats = assertSum(cluster.stats())
    assert.equal(stats.connections.length, 3)
    assert.ok(stats.accepted - before.accepted >= 33)
    assert.deepEqual(
      stats.connections.map(({ address }) => address).sort(),
      cluster
        .nodes()
        .map(({ host, port }) => `${host}:${port}`)
        .sort(),
    )
    await cluster.close()
    assert.ok(assertSum(cluster.stats()).settled >= stats.settled)
  })
})
