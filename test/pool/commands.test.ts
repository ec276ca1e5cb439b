/** Commands on a pool: which connection carries them out, and which are refused. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Pool, type PoolStrategy, unwrap } from "@redix/client"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import {
  connectionFailure,
  misuse,
  redisFailure,
  sharedServer,
  throwsTypeError,
  uniqueKey,
} from "../contract/helpers.ts"
import { clients, connected, proxyTo, quick, started } from "./setup.ts"

const server = await sharedServer()

describe("commands of a pool", () => {
  test("every kind of request works, typed as on a connection", async (t) => {
    const pool = await connected(t, server)
    const key = uniqueKey()
    assert.equal(await pool.command(["SET", key, 1]), "OK")
    assert.deepEqual(
      unwrap(
        await pool.pipeline([
          ["INCR", key],
          ["GET", key],
        ]),
      ),
      [2, "2"],
    )
    assert.deepEqual(
      await pool.transactionPipeline([
        ["INCR", key],
        ["GET", key],
      ]),
      [3, "3"],
    )
    await pool.noreplyCommand(["INCR", key])
    await pool.noreplyPipeline([
      ["INCR", key],
      ["INCR", key],
    ])
    assert.deepEqual(await pool.safe.command(["GET", key]), { ok: true, value: "6" })
    const failed = await pool.safe.command(["LPUSH", key, "x"])
    assert.equal(failed.ok, false)
    await redisFailure(pool.command(["LPUSH", key, "x"]), "WRONGTYPE")
    assert.deepEqual(await pool.command(["GET", key], { encoding: "buffer" }), Buffer.from("6"))
  })

  test("all of its connections open at once, and no more", async (t) => {
    const own = await RedisServer.start()
    t.after(() => own.stop())
    const pool = await connected(t, own, { size: 4 })
    await Promise.all(Array.from({ length: 100 }, () => pool.command(["PING"])))
    assert.equal(await clients(own), 4)
  })

  for (const protocol of [2, 3] as const) {
    test(`protocol ${protocol}`, async (t) => {
      const pool = Pool.start({ ...quick, host: server.host, port: server.port, protocol })
      t.after(() => pool.destroy())
      const key = uniqueKey()
      await pool.command(["HSET", key, "f", "v"])
      const hash: unknown = await pool.command(["HGETALL", key])
      assert.deepEqual(hash, protocol === 2 ? ["f", "v"] : new Map([["f", "v"]]))
    })
  }

  test("wrong options are a TypeError that names the option", () => {
    for (const [options, name] of [
      [{ size: 0 }, /"size"/],
      [{ size: 1.5 }, /"size"/],
      [{ strategy: "fastest" }, /"strategy"/],
      [{ maxDedicated: 0 }, /"maxDedicated"/],
      [{ poolSize: 3 }, /did you mean "size"/],
    ] as const) {
      throwsTypeError(() => Pool.start(options as object), name)
    }
  })
})

/** A pool on a server that answers GET only when told to; which connection got what. */
async function scripted(t: import("node:test").TestContext, strategy: PoolStrategy, size: number) {
  const fake = await FakeServer.start((connection) => {
    connection.onCommand = (command) => (command[0] === "GET" ? undefined : (handshake(command) ?? "+OK\r\n"))
  })
  t.after(() => fake.stop())
  const pool = await connected(t, fake, { strategy, size })
  const counts = () =>
    fake.connections.map(({ received }) => received.filter(([name]) => name === "GET").length).sort()
  return { fake, pool, counts }
}

describe("strategies", () => {
  test("least-busy: the connection with the fewest requests under way, equals taking turns", async (t) => {
    const { fake, pool, counts } = await scripted(t, "least-busy", 3)
    const requests = Array.from({ length: 6 }, () => pool.command(["GET", "k"]))
    await until(() => counts().join() === "2,2,2")
    // One of them answers all it has: the next two go there.
    const [free] = fake.connections
    free?.write("$1\r\nv\r\n$1\r\nv\r\n")
    await Promise.race(requests)
    await until(async () => (await pool.safe.command(["PING"])).ok)
    requests.push(pool.command(["GET", "k"]), pool.command(["GET", "k"]))
    await until(() => free?.received.filter(([name]) => name === "GET").length === 4)
    pool.destroy()
    await Promise.allSettled(requests)
  })

  test("round-robin: each in turn, whatever it has to do", async (t) => {
    const { pool, counts } = await scripted(t, "round-robin", 3)
    const requests = Array.from({ length: 9 }, () => pool.command(["GET", "k"]))
    await until(() => counts().join() === "3,3,3")
    pool.destroy()
    await Promise.allSettled(requests)
  })

  test("random: all of them get something", async (t) => {
    const { pool, counts } = await scripted(t, "random", 3)
    const requests = Array.from({ length: 300 }, () => pool.command(["GET", "k"]))
    await until(() => counts().reduce((sum, count) => sum + count, 0) === 300)
    assert.ok(
      counts().every((count) => count > 50),
      counts().join(),
    )
    pool.destroy()
    await Promise.allSettled(requests)
  })
})

describe("a pool with connections that are down", () => {
  test("no call fails for want of a connection while another one lives", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy, { size: 3, backoffInitial: 10_000, backoffMax: 10_000 })
    await new Promise<void>((resolve) => {
      pool.once("disconnection", () => resolve())
      // The next byte for a client ends one of the connections.
      proxy.cutAfterBytes("to-client", 0, "rst")
      void connectionFailure(pool.command(["PING"]), "disconnected", "unknown")
    })
    assert.equal(pool.status, "connected")
    for (let i = 0; i < 50; i++) assert.equal(await pool.command(["PING"]), "PONG")
  })

  test("while the first attempts are under way, calls wait", async (t) => {
    const pool = started(t, server)
    assert.equal(pool.status, "connecting")
    assert.equal(await pool.command(["PING"]), "PONG")
    assert.equal(pool.status, "connected")
  })

  test("between attempts they reject at once, and what waited rejects with the cause", async (t) => {
    const proxy = await proxyTo(t, server)
    proxy.refuse()
    const pool = started(t, proxy, { backoffInitial: 10_000 })
    const waited = await connectionFailure(pool.command(["PING"]), "closed", "not-sent")
    assert.ok(waited.cause instanceof Error)
    await until(() => pool.status === "disconnected")
    const refused = await connectionFailure(pool.command(["PING"]), "closed", "not-sent")
    assert.equal(refused.final, false)
  })
})

describe("commands that are refused", () => {
  const rows: readonly (readonly [command: readonly string[], instead: RegExp])[] = [
    [["MULTI"], /transactionPipeline/],
    [["EXEC"], /transactionPipeline/],
    [["DISCARD"], /transactionPipeline/],
    [["WATCH", "k"], /watch/],
    [["UNWATCH"], /watch/],
    [["SELECT", "1"], /checkout/],
    [["AUTH", "secret"], /checkout/],
    [["QUIT"], /checkout/],
    [["CLIENT", "TRACKING", "ON"], /checkout/],
    [["CLIENT", "TRACKING", "OFF"], /checkout/],
    [["SUBSCRIBE", "a"], /PubSub/],
    [["CLIENT", "REPLY", "OFF"], /noreply/],
  ]

  for (const [command, instead] of rows) {
    test(`${command.join(" ")}, in any spelling and by any method, and nothing is sent`, async (t) => {
      const { fake, pool } = await scripted(t, "round-robin", 1)
      const sent = () => fake.connections.flatMap(({ received }) => received).length
      const before = sent()
      const [name = "", ...rest] = command
      const spellings = [
        command,
        [name.toLowerCase(), ...rest.map((word) => word.toLowerCase())],
        [Buffer.from(name), ...rest],
        [Buffer.from(name.toLowerCase()), ...rest],
      ]
      for (const spelling of spellings) {
        const error = await misuse(() => pool.command(spelling), instead)
        assert.doesNotMatch(error.message, /secret/)
        await misuse(() => pool.pipeline([["PING"], spelling]), instead, /element 1/)
        await misuse(() => pool.noreplyCommand(spelling), instead)
        await misuse(() => pool.transactionPipeline([spelling]), instead)
      }
      assert.equal(sent(), before)
    })
  }

  test("a pipeline that holds a whole MULTI … EXEC is not refused, and half of one is", async (t) => {
    const pool = await connected(t, server)
    const key = uniqueKey()
    const replies = await pool.pipeline([["MULTI"], ["INCR", key], ["EXEC"], ["GET", key]])
    assert.deepEqual(replies, ["OK", "QUEUED", [1], "1"])
    await misuse(() => pool.pipeline([["MULTI"], ["INCR", key]]), /transactionPipeline/)
    await misuse(() => pool.pipeline([["EXEC"], ["MULTI"], ["INCR", key]]), /transactionPipeline/)
    await misuse(() => pool.pipeline([["MULTI"], ["MULTI"], ["EXEC"]]), /transactionPipeline/)
    await misuse(() => pool.pipeline([["MULTI"], ["SELECT", 1], ["EXEC"]]), /checkout/)
    await misuse(() => pool.pipeline([["MULTI"], ["DISCARD"]]), /transactionPipeline/)
    assert.equal(await pool.command(["GET", key]), "1")
  })

  test("misuse that is not a command rejects as on a connection", async (t) => {
    const pool = await connected(t, server)
    await misuse(() => pool.command([] as never))
    await misuse(() => pool.command(undefined as never))
    await misuse(() => pool.pipeline([]))
    await misuse(() => pool.pipeline(undefined as never))
    await misuse(() => pool.pipeline([undefined] as never))
    await misuse(() => pool.pipeline([["BLPOP", "k", 1], undefined] as never), /element 1/)
    await misuse(() => pool.command(["BLPOP", "k", undefined] as never), /BLPOP/)
    assert.equal(await pool.command(["PING"]), "PONG")
  })
})
