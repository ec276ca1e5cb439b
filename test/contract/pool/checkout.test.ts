/** Section 7 of the contract: `checkout` and `use`. A connection of one's own, and that it is given back clean. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { inspect } from "node:util"
import { type Argument, type Checkout, ConnectionError, Pool, RedisError } from "@redix/client"
import { error as errorReply, type FakeConnection } from "../../../support/fake-server.ts"
import { freePort } from "../../../support/server.ts"
import { until } from "../../../support/wait.ts"
import {
  atLeast,
  closing,
  connectionFailure,
  fakeServer,
  misuse,
  rejection,
  sharedServer,
  turn,
  uniqueKey,
} from "../helpers.ts"
import {
  connectionWith,
  countReceived,
  echoes,
  everyWay,
  noBackoff,
  notSent,
  quick,
  scripted,
  type Watched,
  watched,
} from "./helpers.ts"

const server = await sharedServer()

/** Every way to give a connection back so that it may be used again. */
const waysBack: Record<string, (conn: Checkout) => Promise<void>> = {
  release: async (conn) => {
    await conn.release()
  },
  close: (conn) => conn.close(),
  asyncDispose: async (conn) => {
    await conn[Symbol.asyncDispose]()
  },
}

const idOf = (conn: Pick<Checkout, "command">) => conn.command(["CLIENT", "ID"])

describe("checkout", () => {
  test("gives a connection of one's own, which nobody else uses", async (t) => {
    const { pool, listed } = await watched(t, server, { size: 2 })
    const shared = (await listed()).map(({ id }) => id)
    const [a, b] = await Promise.all([pool.checkout(), pool.checkout()])
    const ids = [await idOf(a), await idOf(b)]
    assert.equal(new Set([...shared, ...ids.map(String)]).size, 4)
    assert.equal(a.status, "connected")
    assert.equal(a.protocol, 2)
    const key = uniqueKey()
    assert.equal(await a.command(["MULTI"]), "OK")
    assert.equal(await a.command(["INCR", key]), "QUEUED")
    // Neither the pool nor another checkout sees anything of the open transaction.
    for (let index = 0; index < 20; index++) {
      assert.equal(await pool.command(["ECHO", `${index}`]), `${index}`)
      assert.equal(await b.command(["GET", key]), null)
    }
    assert.deepEqual(await a.command(["EXEC"]), [1])
    assert.equal(await idOf(a), ids[0])
    await Promise.all([a.release(), b.release()])
  })

  test("has all that a connection has for commands", async (t) => {
    const { pool } = await watched(t, server)
    const conn = await pool.checkout()
    const key = uniqueKey()
    assert.equal(await conn.command(["SET", key, "1"]), "OK")
    assert.deepEqual(await conn.pipeline([["INCR", key], ["PING"]]), [2, "PONG"])
    assert.deepEqual(await conn.transactionPipeline([["INCR", key]]), [3])
    await conn.noreplyCommand(["INCR", key])
    await conn.noreplyPipeline([["INCR", key]])
    assert.deepEqual(await conn.safe.command(["GET", key]), { ok: true, value: "5" })
    assert.deepEqual(await conn.command(["GET", key], { encoding: "buffer" }), Buffer.from("5"))
    assert.ok((await rejection(conn.command(["LPUSH", key, "x"]))) instanceof RedisError)
    assert.equal(await conn.command(["BLPOP", uniqueKey(), 0.01]), null)
    await misuse(() => conn.command([]))
    await misuse(() => conn.command(["GET", key], { timeuot: 1 } as never), /timeuot/)
    await conn.release()
  })

  test("opens it on demand, and keeps it for the next", async (t) => {
    const { pool, listed } = await watched(t, server, { size: 2 })
    assert.equal((await listed()).length, 2)
    const first = await pool.use(idOf)
    for (let index = 0; index < 10; index++) assert.equal(await pool.use(idOf), first)
    assert.equal((await listed()).length, 3)
    const [a, b] = await Promise.all([pool.checkout(), pool.checkout()])
    assert.equal((await listed()).length, 4)
    await Promise.all([a.release(), b.release()])
    await Promise.all([pool.use(idOf), pool.use(idOf)])
    assert.equal((await listed()).length, 4)
  })

  test("waits for the pool's server like any request", async (t) => {
    const pool = closing(t, Pool.start({ host: server.host, port: server.port, size: 1 }))
    const conn = await pool.checkout()
    assert.equal(await conn.command(["PING"]), "PONG")
    await conn.release()
  })

  test("rejects where there is no server, with nothing sent and nothing held", async (t) => {
    const pool = closing(
      t,
      Pool.start({ host: "127.0.0.1", port: await freePort(), size: 1, maxDedicated: 1, ...quick }),
    )
    for (let index = 0; index < 3; index++) {
      const error = await notSent(pool.checkout({ timeout: 5000 }))
      assert.equal(error.final, false)
      assert.notEqual(error.reason, "timeout", inspect(error))
    }
  })

  test("a connection that cannot be opened holds no place", async (t) => {
    let full = false
    const { pool } = await scripted(
      t,
      (command, connection) =>
        full && command[0] === "PING"
          ? errorReply("ERR max number of clients reached")
          : echoes(command, connection),
      { size: 1, maxDedicated: 1 },
    )
    full = true
    for (let index = 0; index < 3; index++) await notSent(pool.checkout({ timeout: 5000 }))
    assert.equal(await pool.command(["ECHO", "still"]), "still")
    full = false
    assert.equal(await pool.use((conn) => conn.command(["ECHO", "mine"])), "mine")
  })

  test("wrong options are a TypeError", async (t) => {
    const { pool, fake } = await scripted(t, echoes, { size: 1 })
    const connections = fake.connections.length
    for (const [options, names] of [
      [{ timeout: 0 }, /timeout/],
      [{ timeout: "1" }, /timeout/],
      [{ signal: {} }, /signal/],
      [{ tiemout: 1 }, /tiemout/],
    ] as const) {
      await misuse(() => pool.checkout(options as never), names)
      await misuse(() => pool.use(async () => assert.fail("it must not run"), options as never), names)
    }
    for (const options of [null, 100]) await misuse(() => pool.checkout(options as never))
    await misuse(() => pool.use(undefined as never))
    await misuse(() => pool.use({} as never))
    await turn()
    assert.equal(fake.connections.length, connections)
    const conn = await pool.checkout({ timeout: undefined, signal: undefined })
    await conn.release()
  })
})

describe("at most maxDedicated connections are checked out", () => {
  test("the next waits until one is given back, in order", async (t) => {
    const { pool, listed } = await watched(t, server, { size: 1, maxDedicated: 2 })
    const held = [await pool.checkout(), await pool.checkout()]
    const order: number[] = []
    const waiting = [0, 1, 2].map(async (index) => {
      const conn = await pool.checkout()
      order.push(index)
      return conn
    })
    await atLeast(50)
    assert.deepEqual(order, [])
    assert.equal((await listed()).length, 3)
    for (const [index, conn] of held.entries()) {
      await conn.release()
      assert.equal((await waiting[index])?.status, "connected")
      assert.deepEqual(order, [0, 1].slice(0, index + 1))
    }
    await (await waiting[0])?.release()
    await waiting[2]
    assert.deepEqual(order, [0, 1, 2])
    assert.equal((await listed()).length, 3)
    for (const each of waiting) await (await each).release()
  })

  test("a deadline ends the waiting, with nothing sent, and its place goes to the next", async (t) => {
    const { pool } = await watched(t, server, { size: 1, maxDedicated: 1 })
    const held = await pool.checkout()
    const late = connectionFailure(pool.checkout({ timeout: 50 }), "timeout", "not-sent")
    const lateUse = connectionFailure(
      pool.use(async () => assert.fail("it must not run"), { timeout: 50 }),
      "timeout",
      "not-sent",
    )
    const patient = pool.checkout({ timeout: 60_000 })
    assert.equal((await late).final, false)
    await lateUse
    await held.release()
    const conn = await patient
    assert.equal(await conn.command(["PING"]), "PONG")
    await conn.release()
    // What has rejected took nothing.
    assert.equal(await pool.use((next) => next.command(["PING"])), "PONG")
  })

  test("without a timeout the waiting has the default deadline", async (t) => {
    const { pool } = await watched(t, server, { size: 1, maxDedicated: 1, commandTimeout: 200 })
    const held = await pool.checkout()
    await connectionFailure(pool.checkout(), "timeout", "not-sent")
    await held.release()
  })

  test("an abort ends the waiting with the signal's reason, and its place goes to the next", async (t) => {
    const { pool } = await watched(t, server, { size: 1, maxDedicated: 1 })
    const held = await pool.checkout()
    const reason = new Error("not wanted")
    const controller = new AbortController()
    const { signal } = controller
    const aborted = [
      pool.checkout({ signal }),
      pool.use(async () => assert.fail("it must not run"), { signal }),
    ].map((promise) => assert.rejects(promise, (error) => error === reason))
    const patient = pool.checkout()
    await turn()
    controller.abort(reason)
    await Promise.all(aborted)
    await assert.rejects(pool.checkout({ signal }), (error) => error === reason)
    await held.release()
    await (await patient).release()
  })

  test("an abort after it was given out changes nothing", async (t) => {
    const { pool } = await watched(t, server)
    const controller = new AbortController()
    const conn = await pool.checkout({ signal: controller.signal, timeout: 50 })
    controller.abort()
    await atLeast(100)
    assert.equal(await conn.command(["PING"]), "PONG")
    await conn.release()
  })

  test("after an abort or a deadline while it is being opened, it is for the next", async (t) => {
    let isMute = false
    const { pool, fake } = await scripted(
      t,
      (command, connection) =>
        isMute && command[0] === "PING" ? Buffer.alloc(0) : echoes(command, connection),
      { size: 1, maxDedicated: 1, timeout: 60_000 },
    )
    isMute = true
    const controller = new AbortController()
    const aborted = assert.rejects(pool.checkout({ signal: controller.signal }), { name: "AbortError" })
    await until(() => fake.connections.length === 2)
    controller.abort()
    await aborted
    await connectionFailure(pool.checkout({ timeout: 50 }), "timeout", "not-sent")
    isMute = false
    const next = pool.use((conn) => conn.command(["ECHO", "mine"]), { timeout: 5000 })
    // What the first two have waited for in vain.
    fake.connections[1]?.write("+PONG\r\n")
    assert.equal(await next, "mine")
  })

  test("one that is never done being opened holds its place for timeout ms", async (t) => {
    let isMute = false
    const { pool } = await scripted(
      t,
      (command, connection) =>
        isMute && command[0] === "PING" ? Buffer.alloc(0) : echoes(command, connection),
      { size: 1, maxDedicated: 1, timeout: 300 },
    )
    isMute = true
    await connectionFailure(pool.checkout({ timeout: 50 }), "timeout", "not-sent")
    const failed = notSent(pool.checkout({ timeout: 5000 }))
    isMute = false
    assert.equal((await failed).reason, "closed")
    assert.equal(await pool.use((conn) => conn.command(["ECHO", "mine"]), { timeout: 5000 }), "mine")
  })

  test("by default a hundred", async (t) => {
    const { pool } = await scripted(t, echoes, { size: 1 })
    const held = await Promise.all(Array.from({ length: 100 }, () => pool.checkout()))
    await connectionFailure(pool.checkout({ timeout: 50 }), "timeout", "not-sent")
    await held[0]?.release()
    await (await pool.checkout({ timeout: 5000 })).release()
    for (const conn of held) await conn.release()
  })
})

describe("given back", () => {
  for (const [name, giveBack] of Object.entries(waysBack)) {
    test(`by ${name}: its methods reject with closed, again and again is no harm`, async (t) => {
      const { pool } = await watched(t, server, { size: 1, maxDedicated: 1 })
      const conn = await pool.checkout()
      const id = await idOf(conn)
      await giveBack(conn)
      const assertOver = async () => {
        assert.equal(conn.status, "closed")
        for (const call of everyWay(conn)) await connectionFailure(call(), "closed", "not-sent")
        const result = await conn.safe.command(["PING"])
        assert.ok(!result.ok && result.error instanceof ConnectionError)
        assert.equal(result.error.reason, "closed")
      }
      await assertOver()
      // Somebody else has the same connection now, which the first holder has no hand in any more.
      const next = await pool.checkout()
      assert.equal(await idOf(next), id)
      const key = uniqueKey()
      await next.command(["WATCH", key])
      for (const again of Object.values(waysBack)) await again(conn)
      conn.destroy()
      await assertOver()
      const third = connectionFailure(pool.checkout({ timeout: 100 }), "timeout", "not-sent")
      assert.equal(await idOf(next), id)
      await pool.command(["SET", key, "changed"])
      assert.equal(await next.transactionPipeline([["SET", key, "mine"]]), null)
      await third
      await next.release()
    })
  }

  test("at the end of its scope", async (t) => {
    const { pool } = await watched(t, server, { size: 1, maxDedicated: 1 })
    let held: Checkout | undefined
    {
      await using conn = await pool.checkout()
      held = conn
      assert.equal(await conn.command(["PING"]), "PONG")
    }
    await connectionFailure(held.command(["PING"]), "closed", "not-sent")
    assert.equal(await pool.use((conn) => conn.command(["PING"])), "PONG")
  })

  test("by destroy: it is not used again, and what was in flight rejects with closed", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 1 })
    const conn = await pool.checkout()
    const id = String(await idOf(conn))
    const pop = connectionFailure(conn.command(["BLPOP", uniqueKey(), 0]), "closed", "unknown")
    await untilBlocked(1)
    const key = uniqueKey()
    const unsent = connectionFailure(conn.command(["SET", key, "1"]), "closed", "not-sent")
    assert.equal(conn.destroy(), undefined)
    await Promise.all([pop, unsent])
    assert.equal(conn.status, "closed")
    for (const call of everyWay(conn)) await connectionFailure(call(), "closed", "not-sent")
    conn.destroy()
    for (const again of Object.values(waysBack)) await again(conn)
    await until(async () => (await listed()).every((each) => each.id !== id))
    assert.equal(await pool.command(["EXISTS", key]), 0)
    assert.notEqual(String(await pool.use(idOf)), id)
  })

  test("with requests in flight: they settle, run at most once, and shift nobody's replies", async (t) => {
    const { pool } = await watched(t, server, { size: 1, maxDedicated: 1 })
    for (let round = 0; round < 20; round++) {
      const keys = [uniqueKey(), uniqueKey()]
      const conn = await pool.checkout()
      const left = keys.map((key) => conn.safe.command(["INCR", key]))
      const back = conn.release()
      const tag = uniqueKey("tag")
      assert.equal(await pool.use((next) => next.command(["ECHO", tag])), tag)
      await back
      for (const [index, result] of (await Promise.all(left)).entries()) {
        const count = Number(await pool.command(["GET", keys[index] ?? ""]))
        if (result.ok) assert.deepEqual([result.value, count], [1, 1])
        else {
          assert.ok(result.error instanceof ConnectionError, inspect(result.error))
          assert.ok(result.error.outcome === "unknown" ? count <= 1 : count === 0)
        }
      }
    }
  })

  test("with a request that timed out: its late reply reaches nobody else", async (t) => {
    const owed = new Set<FakeConnection>()
    const { pool } = await scripted(
      t,
      (command, connection) => {
        if (command[0] === "SLOW") owed.add(connection)
        if (command[0] === "ECHO" && owed.delete(connection)) connection.write("+late\r\n")
        return echoes(command, connection)
      },
      { size: 1, maxDedicated: 1 },
    )
    const conn = await pool.checkout()
    await connectionFailure(conn.command(["SLOW"], { timeout: 50 }), "timeout", "unknown")
    await conn.release()
    assert.equal(await pool.use((next) => next.command(["ECHO", "mine"])), "mine")
  })

  test("with a blocking command in flight: it rejects, and nothing is popped for nobody", async (t) => {
    const { pool, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 1 })
    for (const giveBack of Object.values(waysBack)) {
      const key = uniqueKey()
      const conn = await pool.checkout()
      const pop = connectionFailure(conn.command(["BLPOP", key, 0]), "closed", "unknown")
      await untilBlocked(1)
      await giveBack(conn)
      await pop
      await untilBlocked(0)
      assert.equal(await pool.command(["RPUSH", key, "v"]), 1)
      assert.equal(await pool.use((next) => next.command(["PING"])), "PONG")
      assert.equal(await pool.command(["LLEN", key]), 1)
    }
  })
})

describe("given back clean", () => {
  const bytes = (...words: string[]): Argument[] => words.map((word) => Buffer.from(word.toLowerCase()))

  /** What a holder may leave behind. */
  const traces: Record<string, (conn: Checkout, key: string) => Promise<unknown>> = {
    "an open MULTI": (conn) => conn.command(["MULTI"]),
    "an open MULTI, in bytes": (conn) => conn.command(bytes("MULTI")),
    "a MULTI with commands": (conn, key) => conn.pipeline([["MULTI"], ["INCR", key], ["INCR", key]]),
    "a MULTI with a command that was refused": async (conn) => {
      await conn.command(["MULTI"])
      await conn.safe.command(["NOSUCHCOMMAND"])
    },
    "a MULTI whose EXEC nobody waits for": async (conn) => {
      await conn.command(["MULTI"])
      void conn.safe.command(["EXEC"])
    },
    "a WATCH": (conn, key) => conn.command(["WATCH", key]),
    "a WATCH, in bytes": (conn, key) => conn.command([Buffer.from("watch"), key]),
    "a WATCH in a pipeline": (conn, key) => conn.pipeline([["PING"], ["WATCH", key], ["GET", key]]),
    "a WATCH and a MULTI": async (conn, key) => {
      await conn.command(["WATCH", key])
      await conn.command(["MULTI"])
    },
    "a WATCH nobody waits for": async (conn, key) => void conn.safe.command(["WATCH", key]),
    "a SELECT": (conn) => conn.command(["SELECT", 5]),
    "a SELECT, in bytes": (conn) => conn.command(bytes("SELECT", "5")),
    "a SELECT in a transaction": (conn) => conn.transactionPipeline([["SELECT", 5], ["PING"]]),
    "a SELECT nobody waits for": async (conn) => void conn.safe.command(["SELECT", 5]),
    "a SELECT without a reply": (conn) => conn.noreplyCommand(["SELECT", 5]),
    "an AUTH": (conn) => conn.command(["AUTH", "other", "secret"]),
    "an AUTH, in bytes": (conn) => conn.command(bytes("AUTH", "other", "secret")),
    "an AUTH without a reply": (conn) => conn.noreplyCommand(["AUTH", "other", "secret"]),
    "CLIENT TRACKING": async (conn) => {
      const id = Number(await idOf(conn))
      return conn.command(["CLIENT", "TRACKING", "ON", "REDIRECT", id])
    },
    "a MULTI and an error thrown": (conn) => conn.command(["MULTI"]),
  }

  /** Asserts that the next holder finds nothing of it. */
  const assertClean = async ({ pool }: Watched, key: string, database = 0) => {
    // Whoever watches that key is told by this.
    await pool.command(["SET", key, "0"])
    await pool.use(async (conn) => {
      assert.deepEqual(await conn.transactionPipeline([["INCR", key]]), [1])
      assert.equal(await conn.command(["INCR", key]), 2)
      const info = String(await conn.command(["CLIENT", "INFO"]))
      assert.match(info, new RegExp(` db=${database} `))
      assert.match(info, / user=default /)
      assert.match(info, / multi=-1 /)
      assert.doesNotMatch(info, / flags=[^ ]*[txd]/)
    })
    assert.match(
      String(await pool.command(["CLIENT", "INFO"])),
      new RegExp(` db=${database} .* user=default `),
    )
  }

  const start = async (t: TestContext, database?: number) => {
    await server.send("ACL", "SETUSER", "other", "on", ">secret", "~*", "&*", "+@all")
    return watched(t, server, { size: 1, maxDedicated: 1, database })
  }

  for (const [trace, leave] of Object.entries(traces)) {
    test(`of ${trace}`, async (t) => {
      const setting = await start(t)
      const { pool } = setting
      for (const giveBack of Object.values(waysBack)) {
        const key = uniqueKey()
        const conn = await pool.checkout()
        await leave(conn, key)
        await giveBack(conn)
        await assertClean(setting, key)
      }
      const key = uniqueKey()
      await pool.use(async (conn) => void (await leave(conn, key)))
      await assertClean(setting, key)
      const reason = new Error("thrown")
      const used = pool.use(async (conn) => {
        await leave(conn, key)
        throw reason
      })
      await assert.rejects(used, (error) => error === reason)
      await assertClean(setting, key)
    })
  }

  test("of a SELECT means the pool's own database", async (t) => {
    const setting = await start(t, 2)
    const { pool } = setting
    for (const database of [0, 5]) {
      const key = uniqueKey()
      await pool.use(async (conn) => {
        await conn.command(["SELECT", database])
        assert.match(String(await conn.command(["CLIENT", "INFO"])), new RegExp(` db=${database} `))
      })
      await assertClean(setting, key, 2)
    }
  })

  test("what a transaction that was left open had queued does not run", async (t) => {
    const { pool } = await start(t)
    const key = uniqueKey()
    await pool.use((conn) => conn.pipeline([["MULTI"], ["SET", key, "queued"]]))
    await pool.use((conn) => conn.command(["PING"]))
    assert.equal(await pool.command(["GET", key]), null)
  })

  test("what was ended by its holder needs no other connection", async (t) => {
    const { pool } = await start(t)
    const id = await pool.use(idOf)
    const key = uniqueKey()
    await pool.use(async (conn) => {
      await conn.command(["INCR", key])
      await conn.transactionPipeline([["INCR", key]])
      await conn.noreplyCommand(["INCR", key])
      await conn.safe.command(["NOSUCHCOMMAND"])
      await conn.command(["BLPOP", uniqueKey(), 0.01])
    })
    assert.equal(await pool.use(idOf), id)
  })
})

describe("a checked-out connection that drops", () => {
  test("never reconnects: every call rejects until it is given back", async (t) => {
    const { pool, fake } = await scripted(
      t,
      (command) => (command[0] === "WATCH" ? "+OK\r\n" : echoes(command, undefined as never)),
      {
        size: 1,
      },
    )
    const conn = await pool.checkout()
    assert.equal(await conn.command(["ECHO", "mine"]), "mine")
    assert.equal(await conn.command(["WATCH", "key"]), "OK")
    const connection = await connectionWith(fake, "mine")
    const inFlight = connectionFailure(conn.command(["SLOW"]), "disconnected", "unknown")
    await connectionWith(fake, "SLOW")
    const before = fake.connections.length
    connection.reset()
    await inFlight
    await until(() => conn.status !== "connected")
    for (let round = 0; round < 3; round++) {
      for (const call of everyWay(conn)) await notSent(call())
      assert.notEqual(conn.status, "connected")
      await atLeast(50)
    }
    assert.equal(fake.connections.length, before)
    await conn.release()
    for (const call of everyWay(conn)) await connectionFailure(call(), "closed", "not-sent")
    assert.equal(await pool.use((next) => next.command(["ECHO", "next"])), "next")
    assert.notEqual(await connectionWith(fake, "next"), connection)
    assert.equal(countReceived(fake, "WATCH"), 1)
  })

  test("loses no WATCH in silence: the transaction after it is not run", async (t) => {
    const { pool, listed, kill } = await watched(t, server, { size: 1, ...quick })
    const key = uniqueKey()
    const conn = await pool.checkout()
    const id = String(await idOf(conn))
    await conn.command(["WATCH", key])
    await kill((await listed()).filter((each) => each.id === id))
    await pool.command(["SET", key, "changed"])
    const error = await rejection(conn.transactionPipeline([["SET", key, "mine"]]))
    assert.ok(error instanceof ConnectionError, inspect(error))
    await rejection(conn.transactionPipeline([["SET", key, "mine"]]))
    assert.equal(await pool.command(["GET", key]), "changed")
    await conn.release()
  })

  test("frees its place when it is given back", async (t) => {
    const { pool, listed, kill } = await watched(t, server, { size: 1, maxDedicated: 1, ...quick })
    for (const giveBack of [...Object.values(waysBack), async (conn: Checkout) => conn.destroy()]) {
      const conn = await pool.checkout()
      const id = String(await idOf(conn))
      await kill((await listed()).filter((each) => each.id === id))
      await until(() => conn.status !== "connected")
      await giveBack(conn)
      assert.notEqual(String(await pool.use(idOf, { timeout: 5000 })), id)
    }
  })

  test("while it is kept for the next: the next gets another", async (t) => {
    const { pool, listed, kill } = await watched(t, server, { size: 1, maxDedicated: 1, ...noBackoff })
    const id = String(await pool.use(idOf))
    await kill((await listed()).filter((each) => each.id === id))
    await turn()
    assert.notEqual(String(await pool.use(idOf)), id)
  })

  test("drops alone: neither the pool nor other checkouts notice", async (t) => {
    const { pool, listed, kill } = await watched(t, server, { size: 2, ...noBackoff })
    const [a, b] = await Promise.all([pool.checkout(), pool.checkout()])
    const [id, other] = [String(await idOf(a)), await idOf(b)]
    await kill((await listed()).filter((each) => each.id === id))
    await until(() => a.status !== "connected")
    assert.equal(pool.status, "connected")
    assert.equal(await idOf(b), other)
    for (let index = 0; index < 10; index++) assert.equal(await pool.command(["PING"]), "PONG")
    await Promise.all([a.release(), b.release()])
  })

  test("nobody who waits for nothing gets to see a rejection", async (t) => {
    const { pool, listed, kill } = await watched(t, server, { size: 1, ...quick })
    const conn = await pool.checkout()
    const id = String(await idOf(conn))
    // The runner fails a test in which a rejection is not handled.
    await kill((await listed()).filter((each) => each.id === id))
    await until(() => conn.status !== "connected")
    await turn()
    await conn.release()
  })
})

describe("use", () => {
  test("resolves to the callback's value and gives the connection back", async (t) => {
    const { pool } = await watched(t, server, { size: 1, maxDedicated: 1 })
    let held: Checkout | undefined
    const value = await pool.use(async (conn) => {
      held = conn
      return { pong: await conn.command(["PING"]) }
    })
    assert.deepEqual(value, { pong: "PONG" })
    assert.ok(held)
    await connectionFailure(held.command(["PING"]), "closed", "not-sent")
    assert.equal(await pool.use(async () => undefined), undefined)
  })

  test("rejects with what the callback throws or rejects with, and gives the connection back", async (t) => {
    const { pool } = await watched(t, server, { size: 1, maxDedicated: 1 })
    const held: Checkout[] = []
    for (const reason of [new Error("mine"), "a string", undefined]) {
      const used = pool.use(async (conn) => {
        held.push(conn)
        await conn.command(["PING"])
        throw reason
      })
      assert.equal(
        await used
          .then(
            () => "no rejection",
            (error: unknown) => ({ error }),
          )
          .then((result) => inspect(result)),
        inspect({ error: reason }),
      )
    }
    const reason = new Error("at once")
    const thrown = pool.use((conn) => {
      held.push(conn)
      throw reason
    })
    await assert.rejects(thrown, (error) => error === reason)
    assert.equal(held.length, 4)
    for (const conn of held) await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    assert.equal(await pool.use((conn) => conn.command(["PING"]), { timeout: 5000 }), "PONG")
  })

  test("does not mind that the callback has given it back, or destroyed it", async (t) => {
    const { pool } = await watched(t, server, { size: 1, maxDedicated: 1 })
    for (const giveBack of [...Object.values(waysBack), async (conn: Checkout) => conn.destroy()]) {
      const value = await pool.use(async (conn) => {
        await giveBack(conn)
        return "done"
      })
      assert.equal(value, "done")
    }
    const conn = await pool.checkout({ timeout: 5000 })
    await connectionFailure(pool.checkout({ timeout: 50 }), "timeout", "not-sent")
    await conn.release()
  })

  test("holds up nobody else", async (t) => {
    const { pool, untilBlocked } = await watched(t, server, { size: 1 })
    const key = uniqueKey()
    const pop = pool.use((conn) => conn.command(["BLPOP", key, 0]))
    await untilBlocked(1)
    assert.equal(await pool.command(["PING"]), "PONG")
    assert.equal(await pool.use((conn) => conn.command(["PING"])), "PONG")
    await pool.command(["RPUSH", key, "v"])
    assert.deepEqual(await pop, [key, "v"])
  })
})

test("a pool of which nobody has an own connection has none", async (t) => {
  const fake = await fakeServer(t, echoes)
  const pool = closing(t, await Pool.connect({ host: fake.host, port: fake.port, size: 2 }))
  for (let index = 0; index < 50; index++) await pool.command(["ECHO", "x"])
  assert.equal(fake.connections.length, 2)
})
