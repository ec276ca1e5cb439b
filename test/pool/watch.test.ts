/** Optimistic locking on a pool. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { unwrap } from "@redix/client"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import { connectionFailure, redisFailure, rejection, sharedServer, uniqueKey } from "../contract/helpers.ts"
import { connected, deferred, proxyTo } from "./setup.ts"

const server = await sharedServer()

describe("watch", () => {
  test("carries out what the callback returns, and loses no update", async (t) => {
    const pool = await connected(t, server)
    const key = uniqueKey()
    const increment = () =>
      pool.watch(
        key,
        async (conn) => {
          const value = Number(await conn.command(["GET", key]))
          return [["SET", key, value + 1]]
        },
        { retries: Number.POSITIVE_INFINITY },
      )
    const results = await Promise.all(Array.from({ length: 20 }, increment))
    for (const replies of results) assert.deepEqual(replies, ["OK"])
    assert.equal(await pool.command(["GET", key]), "20")
  })

  test("replies are typed as those of a transaction", async (t) => {
    const pool = await connected(t, server)
    const key = uniqueKey()
    const replies = await pool.watch([key], () => [
      ["SET", key, 1],
      ["INCR", key],
      ["LPUSH", key, "x"],
    ])
    assert.ok(replies)
    const count: number = unwrap([replies[1]])[0]
    assert.equal(count, 2)
    assert.ok(replies[2] instanceof Error)
  })

  test("null once the retries are used up", async (t) => {
    const pool = await connected(t, server)
    const key = uniqueKey()
    for (const [retries, calls] of [
      [undefined, 11],
      [0, 1],
      [3, 4],
    ] as const) {
      let called = 0
      const replies = await pool.watch(
        [key],
        async () => {
          called += 1
          await pool.command(["INCR", key])
          return [["SET", key, "mine"]]
        },
        { retries },
      )
      assert.equal(replies, null)
      assert.equal(called, calls)
    }
  })

  test("null from the callback gives up, and a throw rejects; nothing stays watched", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 1 })
    const key = uniqueKey()
    const id = await pool.use((conn) => conn.command(["CLIENT", "ID"]))
    assert.equal(await pool.watch(key, () => null), null)
    const error = await rejection(pool.watch(key, () => Promise.reject(new Error("mine"))))
    assert.equal(error.message, "mine")
    await pool.use(async (conn) => {
      assert.equal(await conn.command(["CLIENT", "ID"]), id)
      await pool.command(["SET", key, 0])
      assert.deepEqual(await conn.transactionPipeline([["INCR", key]]), [1])
    })
  })

  test("errors of the server reject", async (t) => {
    const pool = await connected(t, server)
    const key = uniqueKey()
    await redisFailure(
      pool.watch(key, () => [["NOTACOMMAND"]]),
      "EXECABORT",
    )
    assert.ok((await rejection(pool.watch(key, () => []))) instanceof TypeError)
  })

  test("a drop before anything was sent is tried again", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy)
    const key = uniqueKey()
    let called = 0
    const replies = await pool.watch(key, async (conn) => {
      called += 1
      if (called === 1) {
        proxy.reset()
        await conn.closed
      }
      return [["INCR", key]]
    })
    assert.deepEqual(replies, [1])
    assert.equal(called, 2)
  })

  test("a drop counts as a retry", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy)
    const failed = pool.watch(
      uniqueKey(),
      async (conn) => {
        proxy.reset()
        await conn.closed
        return [["PING"]]
      },
      { retries: 2 },
    )
    await connectionFailure(failed, "closed", "not-sent")
  })

  test("a drop after EXEC was sent rejects, and it is not run again", async (t) => {
    let execs = 0
    const fake = await FakeServer.start((connection) => {
      connection.onCommand = (command) => {
        if (command[0] === "EXEC") {
          execs += 1
          connection.reset()
          return undefined
        }
        return handshake(command) ?? "+OK\r\n"
      }
    })
    t.after(() => fake.stop())
    const pool = await connected(t, fake)
    await connectionFailure(
      pool.watch("k", () => [["INCR", "k"]]),
      "disconnected",
      "unknown",
    )
    assert.equal(execs, 1)
  })

  test("a signal ends it while it waits, and between rounds", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 1 })
    const key = uniqueKey()
    const conn = await pool.checkout()
    const stop = new AbortController()
    const waits = rejection(pool.watch(key, () => [["PING"]], { signal: stop.signal }))
    stop.abort(new Error("stop"))
    assert.equal((await waits).message, "stop")
    await connectionFailure(
      pool.watch(key, () => [["PING"]], { timeout: 20 }),
      "timeout",
      "not-sent",
    )
    await conn.release()
    const again = new AbortController()
    const reached = deferred()
    const rounds = rejection(
      pool.watch(
        key,
        async () => {
          await pool.command(["INCR", key])
          reached.resolve()
          return [["PING"]]
        },
        { signal: again.signal, retries: Number.POSITIVE_INFINITY },
      ),
    )
    await reached.promise
    again.abort(new Error("again"))
    assert.equal((await rounds).message, "again")
    await pool.use((each) => each.command(["PING"]))
  })
})
