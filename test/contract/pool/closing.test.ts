/** Section 7 of the contract: how a pool ends, with connections checked out and without. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Pool } from "@redix/client"
import { freePort } from "../../../support/server.ts"
import { until } from "../../../support/wait.ts"
import {
  assertEndedByItself,
  closing,
  connectionFailure,
  misuse,
  runNode,
  sharedServer,
  turn,
  uniqueKey,
} from "../helpers.ts"
import { echoes, everyWay, scripted, watched } from "./helpers.ts"

const server = await sharedServer()

/** Asserts that the pool has ended for its callers, though connections of theirs may still be open. */
async function assertEnded(pool: Pool): Promise<void> {
  assert.equal(pool.status, "closed")
  for (const call of [
    ...everyWay(pool),
    () => pool.command(["BLPOP", "k", 0]),
    () => pool.checkout(),
    () => pool.use(async () => assert.fail("it must not run")),
    () => pool.watch(["k"], async () => assert.fail("it must not run")),
    () => pool.ready(),
  ]) {
    assert.equal((await connectionFailure(call(), "closed", "not-sent")).final, true)
  }
}

describe("close", () => {
  test("waits for checkouts, which may finish their work; nothing new is begun", async (t) => {
    const { pool, listed } = await watched(t, server, { size: 2 })
    const conn = await pool.checkout()
    const key = uniqueKey()
    await conn.command(["WATCH", key])
    let closed = false
    const close = pool.close({ timeout: 60_000 }).finally(() => {
      closed = true
    })
    await assertEnded(pool)
    assert.equal(conn.status, "connected")
    assert.equal(await conn.command(["PING"]), "PONG")
    assert.deepEqual(await conn.transactionPipeline([["INCR", key]]), [1])
    await conn.noreplyCommand(["INCR", key])
    await turn()
    assert.equal(closed, false)
    await conn.release()
    assert.equal(await close, undefined)
    assert.equal(await pool.closed, undefined)
    await until(async () => (await listed()).length === 0)
    assert.equal(await server.send("GET", key), "2")
  })

  test("waits for use and watch, whose results are true", async (t) => {
    const { pool, listed } = await watched(t, server, { size: 1 })
    const key = uniqueKey()
    let enter = () => {}
    const entered = new Promise<void>((resolve) => {
      enter = resolve
    })
    let go = () => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const used = pool.use(async (conn) => {
      await gate
      return conn.command(["INCR", key])
    })
    const watching = pool.watch([uniqueKey()], async () => {
      enter()
      await gate
      return [["INCR", key]]
    })
    await entered
    await until(async () => (await listed()).length === 3)
    const close = pool.close({ timeout: 60_000 })
    await turn()
    go()
    const [one, two] = await Promise.all([used, watching])
    assert.deepEqual([one, two?.[0]].sort(), [1, 2])
    await close
    await until(async () => (await listed()).length === 0)
  })

  test("destroys what is still checked out after its timeout", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 1 })
    const [idle, busy] = await Promise.all([pool.checkout(), pool.checkout()])
    const pop = connectionFailure(busy.command(["BLPOP", uniqueKey(), 0]), "closed", "unknown")
    await untilBlocked(1)
    assert.equal(await pool.close({ timeout: 50 }), undefined)
    await pop
    for (const conn of [idle, busy]) {
      assert.equal(conn.status, "closed")
      for (const call of everyWay(conn)) await connectionFailure(call(), "closed", "not-sent")
      await conn.release()
      await conn.close()
      await conn[Symbol.asyncDispose]()
      conn.destroy()
    }
    await until(async () => (await listed()).length === 0)
    assert.equal(await pool.closed, undefined)
  })

  test("with a timeout of 0 waits for none", async (t) => {
    const { pool, listed } = await watched(t, server, { size: 1 })
    const conn = await pool.checkout()
    await pool.close({ timeout: 0 })
    await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    await until(async () => (await listed()).length === 0)
  })

  test("does not wait for blocking commands, nor for what waits for a connection", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 1 })
    const key = uniqueKey()
    const blocked = connectionFailure(pool.command(["BLPOP", key, 0]), "closed", "unknown")
    await untilBlocked(1)
    const options = { timeout: 60_000 }
    const waiting = [
      pool.command(["BLPOP", key, 0]),
      pool.pipeline([["BLPOP", key, 0]], options),
      pool.checkout(options),
      pool.use(async () => assert.fail("it must not run"), options),
      pool.watch([key], async () => assert.fail("it must not run"), options),
    ].map((call) => connectionFailure(call, "closed", "not-sent"))
    await turn()
    await pool.close({ timeout: Number.POSITIVE_INFINITY })
    assert.equal((await blocked).final, true)
    for (const error of await Promise.all(waiting)) assert.equal(error.final, true)
    await until(async () => (await listed()).length === 0)
    assert.equal(await server.send("RPUSH", key, "v"), 1)
  })

  test("a checkout that is being opened rejects with closed", async (t) => {
    let mute = false
    const { pool, fake } = await scripted(
      t,
      (command, connection) =>
        mute && command[0] === "PING" ? Buffer.alloc(0) : echoes(command, connection),
      { size: 1, timeout: 60_000 },
    )
    mute = true
    const opening = connectionFailure(pool.checkout({ timeout: 60_000 }), "closed", "not-sent")
    const blocking = connectionFailure(pool.command(["BLPOP", "never", 0]), "closed", "not-sent")
    await until(() => fake.connections.length === 3)
    await pool.close({ timeout: Number.POSITIVE_INFINITY })
    await Promise.all([opening, blocking])
    await Promise.all(fake.connections.map(({ closed }) => closed))
  })

  test("waits for the replies in flight on all connections", async (t) => {
    const { pool } = await watched(t, server, { size: 3 })
    const key = uniqueKey()
    const inFlight = Array.from({ length: 300 }, () => pool.command(["INCR", key]))
    const close = pool.close()
    const counts = await Promise.all(inFlight)
    assert.equal(new Set(counts).size, 300)
    await close
    assert.equal(await server.send("GET", key), "300")
  })

  test("closes also the connections that are kept for the next", async (t) => {
    const { pool, listed } = await watched(t, server, { size: 1 })
    const held = await Promise.all([pool.checkout(), pool.checkout(), pool.checkout()])
    for (const conn of held) await conn.release()
    await pool.command(["BLPOP", uniqueKey(), 0.01])
    assert.equal((await listed()).length, 4)
    await pool.close()
    await until(async () => (await listed()).length === 0)
  })

  test("is idempotent, also together with destroy and dispose", async (t) => {
    const { pool } = await watched(t, server)
    const conn = await pool.checkout()
    const options = { timeout: Number.POSITIVE_INFINITY }
    let ended = 0
    const all = [pool.close(options), pool.close(options), pool[Symbol.asyncDispose]()].map(async (close) => {
      await close
      ended += 1
    })
    await turn()
    assert.equal(ended, 0)
    pool.destroy()
    await until(() => ended === all.length)
    await pool.close()
    await pool[Symbol.asyncDispose]()
    pool.destroy()
    await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    await assertEnded(pool)
  })

  test("at the end of a scope", async (t) => {
    let held: Pool | undefined
    {
      await using pool = closing(t, await Pool.connect({ host: server.host, port: server.port }))
      held = pool
      assert.equal(await pool.command(["PING"]), "PONG")
    }
    await assertEnded(held)
  })

  test("wrong options are a TypeError, and nothing is closed", async (t) => {
    const { pool } = await watched(t, server)
    await misuse(() => pool.close({ timeout: -1 }), /timeout/)
    await misuse(() => pool.close({ tiemout: 1 } as never), /tiemout/)
    assert.equal(await pool.command(["PING"]), "PONG")
  })

  test("while nothing stands", async (t) => {
    const port = await freePort()
    const pool = closing(t, Pool.start({ host: "127.0.0.1", port, backoffInitial: 60_000 }))
    await new Promise((resolve) => pool.once("failedConnection", resolve))
    await pool.close()
    await assertEnded(pool)
    assert.equal(await pool.closed, undefined)
  })
})

describe("destroy", () => {
  test("ends everything now: the pool's requests, checkouts, blocking commands and what waits", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 2 })
    const key = uniqueKey()
    const conn = await pool.checkout()
    const used = connectionFailure(conn.command(["BLPOP", key, 0]), "closed", "unknown")
    const pop = connectionFailure(pool.command(["BLPOP", key, 0]), "closed", "unknown")
    await untilBlocked(2)
    const waiting = [pool.command(["BLPOP", key, 0]), pool.checkout()].map((call) =>
      connectionFailure(call, "closed", "not-sent"),
    )
    const unsent = connectionFailure(pool.command(["SET", key, "1"]), "closed", "not-sent")
    assert.equal(pool.destroy(), undefined)
    for (const error of await Promise.all([used, pop, ...waiting, unsent])) assert.equal(error.final, true)
    await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    await assertEnded(pool)
    assert.equal(await pool.closed, undefined)
    await conn.release()
    pool.destroy()
    await until(async () => (await listed()).length === 0)
    assert.equal(await server.send("EXISTS", key), 0)
  })

  test("in the turn of start opens nothing that stays", async (t) => {
    const clientName = uniqueKey("pool").replaceAll(":", "-")
    const pool = closing(t, Pool.start({ host: server.host, port: server.port, clientName }))
    pool.destroy()
    await assertEnded(pool)
    await until(async () => !String(await server.send("CLIENT", "LIST")).includes(clientName))
  })
})

describe("the process", () => {
  const start = () => `
    import { Pool } from "@redix/client"
    const pool = await Pool.connect({ host: "127.0.0.1", port: ${server.port}, size: 3 })
  `

  test("ends by itself after the pool, with whatever it had open", async () => {
    const refused = await freePort()
    const scripts = [
      `${start()} await pool.use((conn) => conn.command(["PING"])); await pool.close()`,
      `${start()} await pool.checkout(); pool.destroy()`,
      `${start()} await pool.checkout(); await pool.close({ timeout: 50 })`,
      `${start()}
       pool.command(["BLPOP", "nothing", 0]).catch(() => {})
       setTimeout(() => pool.close({ timeout: 60_000 }), 50)`,
      `${start()}
       const conn = await pool.checkout()
       pool.close({ timeout: 60_000 })
       setTimeout(() => conn.release(), 50)`,
      `${start()}
       await pool.command(["BLPOP", "nothing", 0.05])
       await pool.use((conn) => conn.command(["PING"]))
       await pool[Symbol.asyncDispose]()`,
      `import { Pool } from "@redix/client"
       const pool = Pool.start({ host: "127.0.0.1", port: ${refused}, backoffInitial: 60_000 })
       pool.once("failedConnection", () => pool.close())`,
      `${start()}
       await pool.use((conn) => conn.command(["PING"]))
       await pool.command(["BLPOP", "nothing", 0.05])
       pool.unref()`,
      `${start()}
       pool.unref()
       setTimeout(() => {}, 300)
       pool.use((conn) => conn.command(["PING"])).then(() => pool.command(["BLPOP", "nothing", 0]))`,
    ]
    const results = await Promise.all(scripts.map((script) => runNode(script)))
    for (const [index, result] of results.entries()) {
      assert.equal(result.stderr, "", scripts[index])
      assertEndedByItself(result)
    }
  })

  test("lives as long as the pool does", async () => {
    const [open, held] = await Promise.all([
      runNode(`${start()} console.log("up")`, { lingersAfter: "up" }),
      runNode(`${start()} pool.unref(); pool.ref(); console.log("up")`, { lingersAfter: "up" }),
    ])
    assert.equal(open.signal, "SIGKILL")
    assert.equal(held.signal, "SIGKILL")
  })

  test("sees no rejection of a promise that its program never looked at", async () => {
    const result = await runNode(`
      ${start()}
      let unhandled = 0
      process.on("unhandledRejection", () => { unhandled += 1 })
      process.on("uncaughtException", () => { unhandled += 100 })
      const conn = await pool.checkout()
      await pool.use((other) => other.command(["PING"]))
      await pool.safe.command(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"])
      await new Promise((resolve) => setTimeout(resolve, 50))
      await conn.release()
      await pool.ready()
      await pool.checkout()
      void pool.closed
      pool.destroy()
      await new Promise((resolve) => setTimeout(resolve, 50))
      console.log(unhandled)
    `)
    assert.equal(assertEndedByItself(result).trim(), "0")
  })
})
