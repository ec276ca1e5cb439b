/** Commands that block, on a pool: each has a connection of its own, and settles whatever happens to it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { connectionFailure, rejection, sharedServer, uniqueKey } from "../contract/helpers.ts"
import { Clock, TimedRequest } from "../util/clock.ts"
import { blocked, clients, connected, proxyTo, started } from "./setup.ts"

const server = await sharedServer()

describe("blocking commands of a pool", () => {
  test("hold up neither other commands nor one another", async (t) => {
    const pool = await connected(t, server, { size: 1, commandTimeout: 1000 })
    const [a, b, c] = [uniqueKey(), uniqueKey(), uniqueKey()]
    const first = pool.command(["BLPOP", a, 0])
    const second = pool.pipeline([["PING"], ["BLPOP", b, 0]])
    const third = pool.command(["XREAD", "BLOCK", 0, "STREAMS", c, "$"])
    await blocked(server, 3)
    assert.equal(await pool.command(["PING"]), "PONG")
    await pool.command(["RPUSH", b, "2"])
    assert.deepEqual(await second, ["PONG", [b, "2"]])
    await pool.command(["XADD", c, "1-1", "f", "v"])
    assert.deepEqual(await third, [[c, [["1-1", ["f", "v"]]]]])
    await pool.command(["RPUSH", a, "1"])
    assert.deepEqual(await first, [a, "1"])
  })

  test("are not those inside of a transaction, nor those that do not block", async (t) => {
    const own = await RedisServer.start()
    t.after(() => own.stop())
    const pool = await connected(t, own, { size: 1 })
    const key = uniqueKey()
    assert.deepEqual(await pool.transactionPipeline([["BLPOP", key, 0]]), [null])
    assert.deepEqual(await pool.pipeline([["MULTI"], ["BLPOP", key, 0], ["EXEC"]]), ["OK", "QUEUED", [null]])
    assert.equal(await pool.command(["XREAD", "STREAMS", key, "0"]), null)
    assert.equal(await clients(own), 1)
  })

  test("leave a connection for the next one", async (t) => {
    const own = await RedisServer.start()
    t.after(() => own.stop())
    const pool = await connected(t, own, { size: 1 })
    const key = uniqueKey()
    for (let i = 0; i < 20; i++) {
      await pool.command(["RPUSH", key, i])
      assert.deepEqual(await pool.command(["BLPOP", key, 1]), [key, String(i)])
    }
    assert.equal(await clients(own), 2)
  })

  test("wait their turn beyond maxDedicated, and what is sent is what was given", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 2 })
    const keys = [uniqueKey(), uniqueKey(), uniqueKey(), uniqueKey()] as const
    const command: [string, string, number] = ["BLPOP", keys[0], 0]
    const requests = keys.map((key) => {
      command[1] = key
      return pool.command(command)
    })
    command[1] = "something else"
    await blocked(server, 2)
    await pool.command(["RPUSH", keys[1], "b"])
    assert.deepEqual(await requests[1], [keys[1], "b"])
    await pool.command(["RPUSH", keys[2], "c"])
    assert.deepEqual(await requests[2], [keys[2], "c"])
    await pool.command(["RPUSH", keys[0], "a"])
    await pool.command(["RPUSH", keys[3], "d"])
    assert.deepEqual(await Promise.all(requests), [
      [keys[0], "a"],
      [keys[1], "b"],
      [keys[2], "c"],
      [keys[3], "d"],
    ])
  })

  test("one deadline is over waiting and blocking", async (t) => {
    const clock = new Clock(t)
    const pool = await connected(t, server, { maxDedicated: 1, commandTimeout: 60_000 })
    const key = uniqueKey()
    const block = (timeout: number) =>
      new TimedRequest(clock, pool.command(["BLPOP", uniqueKey(), 0], { timeout }))
    const first = pool.command(["BLPOP", key, 0])
    await blocked(server, 1)
    const begun = clock.now
    const [waits, reaches] = [block(300), block(1000)]
    assert.equal((await waits.assertTimeOver(300)).outcome, "not-sent")
    await clock.pass(300)
    await pool.command(["RPUSH", key, "v"])
    assert.deepEqual(await first, [key, "v"])
    await blocked(server, 1)
    assert.equal((await reaches.assertTimeOver(1000 - (clock.now - begun))).outcome, "unknown")
  })

  test("the block time is added to the usual timeout, also while waiting", async (t) => {
    const clock = new Clock(t)
    const pool = await connected(t, server, { maxDedicated: 1, commandTimeout: 400 })
    const key = uniqueKey()
    const first = pool.command(["BLPOP", key, 0])
    await blocked(server, 1)
    const waits = new TimedRequest(clock, pool.command(["BLPOP", uniqueKey(), 0.3]))
    assert.equal((await waits.assertTimeOver(400 + 300)).outcome, "not-sent")
    const settled = pool.command(["BLPOP", uniqueKey(), 0.05])
    await pool.command(["RPUSH", key, "v"])
    await first
    assert.equal(await settled, null)
  })

  test("aborted while waiting it is never sent, aborted while blocking the server forgets it", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 1 })
    const key = uniqueKey()
    const [stopFirst, stopSecond] = [new AbortController(), new AbortController()]
    const first = rejection(pool.command(["BLPOP", key, 0], { signal: stopFirst.signal }))
    await blocked(server, 1)
    const second = rejection(pool.command(["BLPOP", key, 0], { signal: stopSecond.signal }))
    const third = pool.command(["BLPOP", key, 0])
    stopSecond.abort(new Error("second"))
    assert.equal((await second).message, "second")
    stopFirst.abort(new Error("first"))
    assert.equal((await first).message, "first")
    // The place is free for the third, on another connection.
    await blocked(server, 1)
    await pool.command(["RPUSH", key, "v"])
    assert.deepEqual(await third, [key, "v"])
    assert.equal(await pool.command(["LLEN", key]), 0)
  })

  test("aborted in its own tick, its connection is kept", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 1 })
    const key = uniqueKey()
    await pool.command(["RPUSH", key, "a"])
    await pool.command(["BLPOP", key, 0])
    const stop = new AbortController()
    const aborted = rejection(pool.command(["BLPOP", key, 0], { signal: stop.signal }))
    stop.abort(new Error("stop"))
    assert.equal((await aborted).message, "stop")
    await pool.command(["RPUSH", key, "b"])
    assert.deepEqual(await pool.command(["BLPOP", key, 1]), [key, "b"])
  })

  test("a drop rejects it, not for good, and frees the place", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy, { maxDedicated: 1 })
    const first = connectionFailure(pool.command(["BLPOP", uniqueKey(), 0]), "disconnected", "unknown")
    await blocked(server, 1)
    proxy.reset()
    assert.equal((await first).final, false)
    await pool.ready()
    const key = uniqueKey()
    await until(async () => (await pool.safe.command(["RPUSH", key, "v"])).ok)
    assert.deepEqual(await pool.command(["BLPOP", key, 1]), [key, "v"])
  })

  test("an idle connection that drops is forgotten", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy, { maxDedicated: 1 })
    const key = uniqueKey()
    await pool.pipeline([["RPUSH", key, "a", "b"], ["PING"]])
    await pool.command(["BLPOP", key, 1])
    const dropped = new Promise((resolve) => pool.once("disconnection", resolve))
    proxy.reset()
    await dropped
    await until(async () => (await pool.safe.command(["PING"])).ok)
    assert.deepEqual(await pool.command(["BLPOP", key, 1]), [key, "b"])
  })

  test("a failed attempt rejects what waited for it and frees the place", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy, { maxDedicated: 1 })
    proxy.refuse()
    for (let i = 0; i < 3; i++) {
      const error = await connectionFailure(pool.command(["BLPOP", uniqueKey(), 0]), "closed", "not-sent")
      assert.equal(error.final, false)
      assert.ok(error.cause instanceof Error)
    }
    await proxy.accept()
    assert.equal(await pool.command(["BLPOP", uniqueKey(), 0.01]), null)
  })

  test("timed out while connecting it is not sent, and the connection is for the next", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy, { maxDedicated: 1 })
    proxy.blackhole("both")
    await connectionFailure(pool.command(["BLPOP", uniqueKey(), 1], { timeout: 50 }), "timeout", "not-sent")
    proxy.restore()
    assert.equal(await pool.command(["BLPOP", uniqueKey(), 0.01]), null)
    assert.equal(proxy.connections, 3)
  })

  for (const how of ["close", "destroy"] as const) {
    test(`${how} rejects those that block, connect and wait`, async (t) => {
      const proxy = await proxyTo(t, server)
      const pool = await connected(t, proxy, { maxDedicated: 2 })
      const blocks = connectionFailure(pool.command(["BLPOP", uniqueKey(), 0]), "closed", "unknown")
      await blocked(server, 1)
      proxy.blackhole("both")
      const connects = connectionFailure(pool.command(["BLPOP", uniqueKey(), 0]), "closed", "not-sent")
      const waits = connectionFailure(pool.command(["BLPOP", uniqueKey(), 0]), "closed", "not-sent")
      if (how === "close") await pool.close()
      else pool.destroy()
      for (const error of await Promise.all([blocks, connects, waits])) assert.equal(error.final, true)
      await connectionFailure(pool.command(["BLPOP", uniqueKey(), 0]), "closed", "not-sent")
      assert.equal(await pool.closed, undefined)
    })
  }

  test("a pool that never connected still settles them", async (t) => {
    const proxy = await proxyTo(t, server)
    proxy.refuse()
    const pool = started(t, proxy)
    await connectionFailure(pool.command(["BLPOP", uniqueKey(), 0]), "closed", "not-sent")
  })
})
