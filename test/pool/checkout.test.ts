/** Checkouts: a connection of one's own, given back clean, whatever happens meanwhile. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type Checkout, type Pool, Redix } from "@redix/client"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import { freePort, RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import {
  atLeast,
  connectionFailure,
  misuse,
  nextDisconnection,
  redisFailure,
  rejection,
  sharedServer,
  uniqueKey,
} from "../contract/helpers.ts"
import { blocked, clients, connected, proxyTo, started } from "./setup.ts"

const server = await sharedServer()

const idOf = (conn: Checkout) => conn.command(["CLIENT", "ID"])

/** The number of the connection that the next checkout gets. */
async function nextId(pool: Pool): Promise<number> {
  return pool.use(idOf)
}

describe("a checkout", () => {
  test("is a Redix of its own, and the same connection again for the next", async (t) => {
    const pool = await connected(t, server)
    const conn = await pool.checkout()
    assert.ok(conn instanceof Redix)
    assert.equal(conn.status, "connected")
    const id = await idOf(conn)
    const other = await pool.checkout()
    assert.notEqual(await idOf(other), id)
    await other.release()
    await conn.release()
    assert.equal(await nextId(pool), id)
  })

  test("takes what a pool refuses, and refuses what a connection refuses", async (t) => {
    const pool = await connected(t, server)
    const key = uniqueKey()
    await using conn = await pool.checkout()
    await conn.command(["WATCH", key])
    await conn.command(["MULTI"])
    await conn.command(["INCR", key])
    assert.deepEqual(await conn.command(["EXEC"]), [1])
    assert.equal(await conn.command(["BLPOP", uniqueKey(), 0.01]), null)
    await misuse(() => conn.command(["SUBSCRIBE", "a"]), /PubSub/)
  })

  test("given back by release, close or its end of scope, and any number of times", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 1 })
    const first = await pool.checkout()
    await Promise.all([first.release(), first.close(), first.release()])
    const second = await pool.checkout()
    await second.close()
    {
      await using third = await pool.checkout()
      await third.command(["PING"])
    }
    for (const conn of [first, second]) {
      assert.equal(conn.status, "closed")
      assert.equal(await conn.closed, undefined)
      const error = await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
      assert.equal(error.final, true)
      await connectionFailure(conn.ready(), "closed")
      await misuse(() => conn.command([] as never))
    }
    // A checkout that is over has no power over the connection that another one has now.
    const fourth = await pool.checkout()
    await first.release()
    first.destroy()
    assert.equal(await fourth.command(["PING"]), "PONG")
    await fourth.release()
  })

  test("destroy discards it", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 1 })
    const conn = await pool.checkout()
    const id = await idOf(conn)
    const flying = connectionFailure(conn.command(["BLPOP", uniqueKey(), 0]), "closed")
    conn.destroy()
    await flying
    await conn.release()
    await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    assert.notEqual(await nextId(pool), id)
  })

  const undone: readonly (readonly [what: string, (conn: Checkout, key: string) => Promise<unknown>])[] = [
    ["a MULTI", (conn, key) => conn.pipeline([["MULTI"], ["INCR", key]])],
    ["a WATCH", (conn, key) => conn.command(["WATCH", key])],
    ["a WATCH and a MULTI", (conn, key) => conn.pipeline([["WATCH", key], ["MULTI"]])],
    ["a SELECT", (conn) => conn.command(["SELECT", 3])],
    ["a SELECT inside of a MULTI", (conn) => conn.pipeline([["MULTI"], ["SELECT", 3], ["EXEC"]])],
    ["a SELECT without reply", (conn) => conn.noreplyCommand(["SELECT", 3])],
    [
      "what is not awaited",
      async (conn, key) => void conn.safe.pipeline([["SELECT", 2], ["WATCH", key], ["MULTI"]]),
    ],
    ["nothing", (conn) => conn.command(["PING"])],
    [
      "tracking that is off again",
      (conn) =>
        conn.pipeline([
          ["CLIENT", "TRACKING", "ON"],
          ["CLIENT", "TRACKING", "OFF"],
        ]),
    ],
  ]

  for (const database of [undefined, 1]) {
    for (const [what, leave] of undone) {
      test(`${what} is undone, and the connection kept (database ${database})`, async (t) => {
        const pool = await connected(t, server, { database })
        const key = uniqueKey()
        const conn = await pool.checkout()
        const id = await idOf(conn)
        await leave(conn, key)
        await conn.release()
        const next = await pool.checkout()
        assert.equal(await idOf(next), id)
        const info = await next.command(["CLIENT", "INFO"])
        assert.match(info, new RegExp(` db=${database ?? 0} `))
        assert.match(info, / multi=-1 /)
        await pool.command(["SET", key, 0])
        assert.deepEqual(await next.transactionPipeline([["INCR", key]]), [1])
        await next.release()
      })
    }
  }

  const replaced: readonly (readonly [what: string, (conn: Checkout) => Promise<unknown>])[] = [
    ["AUTH", (conn) => conn.command(["AUTH", "default", "any"])],
    ["CLIENT TRACKING", (conn) => conn.command(["CLIENT", "TRACKING", "ON"])],
    [
      "CLIENT TRACKING that is off again only in a transaction which is discarded",
      (conn) =>
        conn.pipeline([["CLIENT", "TRACKING", "ON"], ["MULTI"], ["CLIENT", "TRACKING", "OFF"], ["DISCARD"]]),
    ],
    ["CLIENT TRACKING without reply", (conn) => conn.noreplyCommand(["CLIENT", "TRACKING", "ON"])],
    [
      "CLIENT TRACKING that may be off again",
      async (conn) => {
        await conn.command(["CLIENT", "TRACKING", "ON"])
        await conn.noreplyCommand(["CLIENT", "TRACKING", "OFF", "NOSUCHWORD"])
      },
    ],
    ["CLIENT SETNAME", (conn) => conn.command(["CLIENT", "SETNAME", "mine"])],
    ["READONLY", (conn) => conn.safe.command(["READONLY"])],
    ["something that blocks", async (conn) => void conn.safe.command(["BLPOP", uniqueKey(), 0])],
    ["QUIT", (conn) => conn.safe.command(["QUIT"])],
  ]

  for (const [what, leave] of replaced) {
    test(`after ${what} the connection is replaced`, async (t) => {
      const pool = await connected(t, server, { maxDedicated: 1 })
      const conn = await pool.checkout()
      const id = await idOf(conn)
      await leave(conn)
      await conn.release()
      assert.notEqual(await nextId(pool), id)
    })
  }

  test("what ran although CLIENT REPLY was refused is not handed on", async (t) => {
    await server.send("ACL", "SETUSER", "loud", "on", ">pw", "~*", "+@all", "-client|reply")
    const credentials = { username: "loud", password: "pw" }
    const pool = await connected(t, server, { maxDedicated: 1, ...credentials })
    const tracking = await pool.checkout()
    await redisFailure(tracking.noreplyCommand(["CLIENT", "TRACKING", "ON"]), "NOPERM")
    await tracking.release()
    const next = await pool.checkout()
    assert.deepEqual((await next.command(["CLIENT", "TRACKINGINFO"]))[1], ["off"])
    const both = [next.command(["SELECT", 0]), redisFailure(next.noreplyCommand(["SELECT", 3]), "NOPERM")]
    await Promise.all(both)
    await next.release()
    assert.match(await pool.use((conn) => conn.command(["CLIENT", "INFO"])), / db=0 /)
  })

  test("an UNWATCH that was not accepted ends nothing", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 1 })
    const key = uniqueKey()
    const conn = await pool.checkout()
    await conn.command(["WATCH", key])
    await conn.noreplyCommand(["UNWATCH", "too many arguments"])
    await conn.release()
    await pool.command(["SET", key, 0])
    assert.deepEqual(await pool.use((next) => next.transactionPipeline([["INCR", key]])), [1])
  })

  test("what is in flight gets its reply before it goes back, and what blocks does not", async (t) => {
    const pool = await connected(t, server)
    const key = uniqueKey()
    const conn = await pool.checkout()
    const replies = Promise.all(Array.from({ length: 50 }, () => conn.command(["INCR", key])))
    await conn.release()
    assert.equal((await replies).at(-1), 50)
    const other = await pool.checkout()
    const blocks = connectionFailure(other.command(["BLPOP", uniqueKey(), 0]), "closed", "unknown")
    await blocked(server, 1)
    await other.release()
    await blocks
  })

  test("a reply that does not come is waited for no longer than the timeout", async (t) => {
    const mute = new Set<unknown>()
    const fake = await FakeServer.start((connection) => {
      connection.onCommand = (command) => {
        if (command[0] === "GET") mute.add(connection)
        return mute.has(connection) ? undefined : (handshake(command) ?? "+OK\r\n")
      }
    })
    t.after(() => fake.stop())
    const pool = await connected(t, fake, { maxDedicated: 1 })
    const conn = await pool.checkout()
    const unanswered = connectionFailure(conn.command(["GET", "k"]), "closed", "unknown")
    await conn.close({ timeout: 50 })
    await unanswered
    const again = await pool.checkout()
    await again.close({ timeout: 0 })
    assert.equal(fake.connections.length, 4)
  })

  test("once it drops every call rejects until it is given back, and it never connects again", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy, { maxDedicated: 1 })
    const conn = await pool.checkout()
    await conn.command(["WATCH", uniqueKey()])
    const dropped = nextDisconnection(conn)
    proxy.reset()
    const { error, connection } = await dropped
    assert.equal(connection, conn)
    assert.equal(error.reason, "disconnected")
    assert.equal(conn.status, "closed")
    assert.equal((await conn.closed)?.reason, "disconnected")
    await pool.ready()
    const refused = await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    assert.equal(refused.final, true)
    await atLeast(50)
    await connectionFailure(conn.transactionPipeline([["PING"]]), "closed", "not-sent")
    await conn.release()
    await pool.use((next) => next.command(["PING"]))
  })

  test("a connection that drops while it is being given back is forgotten", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy, { maxDedicated: 1 })
    const conn = await pool.checkout()
    await conn.command(["WATCH", uniqueKey()])
    proxy.blackhole("both")
    const returned = conn.release()
    const waits = pool.checkout()
    await atLeast(20)
    proxy.restore()
    proxy.reset()
    await returned
    await (await waits).release()
  })

  test("duplicate makes a connection of its own", async (t) => {
    const pool = await connected(t, server)
    const conn = await pool.checkout()
    const other = conn.duplicate()
    t.after(() => other.destroy())
    await conn.release()
    assert.equal(await other.command(["PING"]), "PONG")
  })
})

describe("waiting for a checkout", () => {
  test("first come, first served; a timeout and a signal end it", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 1 })
    const first = await pool.checkout()
    const order: string[] = []
    const stop = new AbortController()
    const late = connectionFailure(pool.checkout({ timeout: 30 }), "timeout", "not-sent")
    const stopped = rejection(pool.checkout({ signal: stop.signal }))
    const second = pool.checkout().then((conn) => {
      order.push("second")
      return conn
    })
    const third = pool.checkout().then((conn) => {
      order.push("third")
      return conn
    })
    await late
    stop.abort(new Error("stop"))
    assert.equal((await stopped).message, "stop")
    await first.release()
    await (await second).release()
    await (await third).release()
    assert.deepEqual(order, ["second", "third"])
    assert.equal((await rejection(pool.checkout({ signal: stop.signal }))).message, "stop")
  })

  test("the default timeout is commandTimeout", async (t) => {
    const pool = await connected(t, server, { maxDedicated: 1, commandTimeout: 50 })
    const conn = await pool.checkout()
    await connectionFailure(pool.checkout(), "timeout", "not-sent")
    await conn.release()
  })

  test("while connecting: timeout, abort, failed attempt, close and destroy", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy, { maxDedicated: 1 })
    proxy.blackhole("both")
    await connectionFailure(pool.checkout({ timeout: 30 }), "timeout", "not-sent")
    const stop = new AbortController()
    const stopped = rejection(pool.checkout({ signal: stop.signal }))
    await atLeast(20)
    stop.abort(new Error("stop"))
    assert.equal((await stopped).message, "stop")
    const failed = connectionFailure(pool.checkout(), "closed", "not-sent")
    await atLeast(20)
    proxy.reset()
    const error = await failed
    assert.equal(error.final, false)
    assert.ok(error.cause instanceof Error)
    const closed = connectionFailure(pool.checkout(), "closed", "not-sent")
    await atLeast(20)
    await pool.close()
    assert.equal((await closed).final, true)
    await connectionFailure(pool.checkout(), "closed", "not-sent")
  })

  test("misuse", async (t) => {
    const pool = started(t, server)
    await misuse(() => pool.checkout({ timeout: 0 }), /"timeout"/)
    await misuse(() => pool.checkout({ key: "k" } as never), /"key"/)
    await misuse(() => pool.use(undefined as never), /callback/)
    await misuse(() => pool.watch("k", "no function" as never), /callback/)
    await misuse(() => pool.watch([], () => null), /key/)
    const unreachable = started(t, { host: "127.0.0.1", port: await freePort() })
    await misuse(() => unreachable.watch([undefined as never], () => null), /WATCH/)
    await misuse(() => pool.watch("k", () => null, { retries: -1 }), /"retries"/)
  })
})

describe("use", () => {
  test("gives back after a value, a throw and a rejection", async (t) => {
    const own = await RedisServer.start()
    t.after(() => own.stop())
    const pool = await connected(t, own, { maxDedicated: 1 })
    assert.equal(await pool.use(() => 7), 7)
    assert.equal(await pool.use((conn) => conn.command(["PING"])), "PONG")
    const thrown = await rejection(
      pool.use(() => {
        throw new Error("thrown")
      }),
    )
    assert.equal(thrown.message, "thrown")
    const rejected = await rejection(pool.use(async () => Promise.reject(new Error("rejected"))))
    assert.equal(rejected.message, "rejected")
    let kept: Checkout | undefined
    await pool.use((conn) => {
      kept = conn
    })
    await connectionFailure(kept?.command(["PING"]) ?? Promise.resolve(), "closed", "not-sent")
    assert.equal(await clients(own), 3)
  })
})

describe("closing a pool with checkouts", () => {
  test("they go on until they are given back", async (t) => {
    const pool = await connected(t, server)
    const conn = await pool.checkout()
    let isClosed = false
    const closed = pool.close().then(() => {
      isClosed = true
    })
    await connectionFailure(pool.command(["PING"]), "closed", "not-sent")
    await connectionFailure(pool.checkout(), "closed", "not-sent")
    assert.equal(pool.status, "closed")
    assert.equal(await conn.command(["PING"]), "PONG")
    await atLeast(30)
    assert.equal(await conn.command(["PING"]), "PONG")
    assert.equal(isClosed, false)
    await conn.release()
    await closed
    assert.equal(await pool.closed, undefined)
  })

  test("those that are not given back are destroyed after the timeout", async (t) => {
    const pool = await connected(t, server)
    const conn = await pool.checkout()
    const flying = connectionFailure(conn.command(["BLPOP", uniqueKey(), 0]), "closed", "unknown")
    await blocked(server, 1)
    await pool.close({ timeout: 50 })
    await flying
    assert.equal(conn.status, "closed")
    await conn.release()
  })

  test("destroy ends them at once, also while close waits or they are being given back", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy)
    const [first, second] = await Promise.all([pool.checkout(), pool.checkout()])
    await second.command(["WATCH", uniqueKey()])
    proxy.blackhole("both")
    const flying = connectionFailure(first.command(["PING"]), "closed")
    const returned = second.release()
    const closed = pool.close({ timeout: Number.POSITIVE_INFINITY })
    pool.destroy()
    await Promise.all([flying, returned, closed, pool.closed])
    proxy.restore()
    await until(() => proxy.openConnections === 0)
  })
})
