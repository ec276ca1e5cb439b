/** Section 7 of the contract: blocking commands run on connections of their own, opened on demand, at most `maxDedicated`. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { inspect } from "node:util"
import { type Argument, type Command, ConnectionError } from "@redix/client"
import { type FakeConnection, nullBulk } from "../../../support/fake-server.ts"
import { atLeast, connectionFailure, redisFailure, sharedServer, turn, uniqueKey } from "../helpers.ts"
import { countReceived, echoes, noBackoff, notSent, quick, scripted, watched } from "./helpers.ts"

const server = await sharedServer()

/** A signal's reason, and that a promise rejects with it. */
function abortable(): {
  signal: AbortSignal
  abort: () => void
  rejects: (promise: Promise<unknown>) => Promise<void>
} {
  const controller = new AbortController()
  const reason = new Error("not wanted")
  return {
    signal: controller.signal,
    abort: () => controller.abort(reason),
    rejects: (promise) => assert.rejects(promise, (error) => error === reason),
  }
}

describe("blocking commands on a pool", () => {
  test("hold up nobody, nor each other, each on a connection of its own", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 1 })
    const shared = (await listed()).map(({ id }) => id)
    const lists = Array.from({ length: 10 }, () => uniqueKey("list"))
    const pops = lists.map((list) => pool.command(["BLPOP", list, 0]))
    const blocked = await untilBlocked(10)
    assert.ok(blocked.every(({ id }) => !shared.includes(id)))
    for (let index = 0; index < 20; index++) {
      assert.equal(await pool.command(["ECHO", `${index}`]), `${index}`)
      assert.deepEqual(await pool.transactionPipeline([["PING"]]), ["PONG"])
      await pool.noreplyCommand(["PING"])
    }
    for (const list of [...lists].reverse()) await pool.command(["RPUSH", list, "v"])
    assert.deepEqual(
      await Promise.all(pops),
      lists.map((list) => [list, "v"]),
    )
    assert.equal((await listed()).length, 11)
  })

  test("are known by their names and forms, however written, also in a pipeline", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 1 })
    const shared = (await listed()).map(({ id }) => id)
    const [list, other, stream] = [uniqueKey(), uniqueKey(), uniqueKey()]
    await pool.command(["XGROUP", "CREATE", stream, "group", "$", "MKSTREAM"])
    const blocking: Command[][] = [
      [["BLPOP", list, 0]],
      [["brpop", list, other, "0"]],
      [[Buffer.from("BlPop"), list, 0n]],
      [["BLMOVE", list, other, "LEFT", "RIGHT", 0]],
      [["BRPOPLPUSH", list, other, 0]],
      [["BLMPOP", 0, 1, list, "LEFT"]],
      [["BZPOPMIN", uniqueKey(), 0]],
      [["BZPOPMAX", uniqueKey(), 0]],
      [["BZMPOP", 0, 1, uniqueKey(), "MIN"]],
      [["XREAD", "BLOCK", 0, "STREAMS", stream, "$"]],
      [["xreadgroup", "group", "group", "me", "count", 1, "block", 0, "streams", stream, ">"]],
      [["WAIT", 1, 0]],
      [["PING"], ["BLPOP", list, 0], ["PING"]],
    ]
    for (const commands of blocking) {
      const { signal, abort, rejects } = abortable()
      const [only] = commands
      const call =
        commands.length === 1 && only ? pool.command(only, { signal }) : pool.pipeline(commands, { signal })
      const rejected = rejects(call)
      const [own] = await untilBlocked(1)
      assert.ok(own && !shared.includes(own.id), inspect(commands))
      assert.equal(await pool.command(["PING"]), "PONG")
      abort()
      await rejected
      await untilBlocked(0)
    }
  })

  test("use what was opened before: one after the other they need one", async (t) => {
    const { pool, listed } = await watched(t, server, { size: 1 })
    for (let index = 0; index < 10; index++)
      assert.equal(await pool.command(["BLPOP", uniqueKey(), 0.01]), null)
    const key = uniqueKey()
    for (let index = 0; index < 10; index++) {
      await pool.command(["RPUSH", key, index])
      assert.deepEqual(await pool.command(["BLPOP", key, 0]), [key, `${index}`])
    }
    assert.equal((await listed()).length, 2)
    await pool.use(async (conn) => assert.equal(await conn.command(["PING"]), "PONG"))
    assert.equal((await listed()).length, 2)
  })

  test("have the replies, errors and encodings of all others", async (t) => {
    const { pool } = await watched(t, server, { size: 1, maxDedicated: 1 })
    const key = uniqueKey()
    await pool.command(["RPUSH", key, Buffer.from([0xff]), "b"])
    assert.deepEqual(await pool.command(["BLPOP", key, 0], { encoding: "buffer" }), [
      Buffer.from(key),
      Buffer.from([0xff]),
    ])
    assert.deepEqual(await pool.safe.command(["BLPOP", key, 0]), { ok: true, value: [key, "b"] })
    await pool.command(["SET", key, "text"])
    await redisFailure(pool.command(["BLPOP", key, 0]), "WRONGTYPE")
    const command: Argument[] = ["BLPOP", key, uniqueKey(), 0]
    const list = uniqueKey()
    command[1] = list
    const pop = pool.command(command)
    command[1] = "another"
    await pool.command(["RPUSH", list, "v"])
    assert.deepEqual(await pop, [list, "v"])
  })

  test("on a checked-out connection run there", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 1 })
    const conn = await pool.checkout()
    const id = String(await conn.command(["CLIENT", "ID"]))
    const key = uniqueKey()
    const pop = conn.command(["BLPOP", key, 0])
    assert.equal((await untilBlocked(1))[0]?.id, id)
    assert.equal((await listed()).length, 2)
    await pool.command(["RPUSH", key, "v"])
    assert.deepEqual(await pop, [key, "v"])
    await conn.release()
  })
})

describe("a blocking command that is not wanted any more", () => {
  test("is dropped at the server when it is aborted: nothing is popped for nobody, and nobody else is disturbed", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 2, ...noBackoff })
    const shared = (await listed()).map(({ id }) => id)
    const [key, kept] = [uniqueKey(), uniqueKey()]
    const keep = pool.command(["BLPOP", kept, 0])
    const [other] = await untilBlocked(1)
    for (const send of [
      (signal: AbortSignal) => pool.command(["BLPOP", key, 0], { signal }),
      (signal: AbortSignal) => pool.pipeline([["PING"], ["BRPOP", key, 0]], { signal }),
    ]) {
      const { signal, abort, rejects } = abortable()
      const pop = rejects(send(signal))
      await untilBlocked(2)
      abort()
      await pop
      await untilBlocked(1)
      assert.equal(await pool.command(["RPUSH", key, "v"]), 1)
      assert.equal(await pool.command(["LLEN", key]), 1)
      await pool.command(["DEL", key])
    }
    assert.equal(pool.status, "connected")
    const ids = (await listed()).map(({ id }) => id)
    assert.ok([...shared, other?.id ?? ""].every((id) => ids.includes(id)))
    await pool.command(["RPUSH", kept, "v"])
    assert.deepEqual(await keep, [kept, "v"])
  })

  test("is dropped at the server when it times out", async (t) => {
    const { pool, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 1, ...noBackoff })
    const key = uniqueKey()
    for (let round = 0; round < 3; round++) {
      const call =
        round === 1
          ? pool.pipeline([["BLPOP", key, 30]], { timeout: 100 })
          : pool.command(["BLPOP", key, 0], { timeout: 100 })
      await connectionFailure(call, "timeout", "unknown")
      await untilBlocked(0)
      assert.equal(await pool.command(["RPUSH", key, "v"]), 1)
      assert.equal(await pool.command(["LPOP", key]), "v")
    }
  })

  test("is never sent when it was aborted before the call, or in its turn", async (t) => {
    const { pool, fake } = await scripted(t, echoes, { size: 1, maxDedicated: 1 })
    const { signal, abort, rejects } = abortable()
    const pop = rejects(pool.command(["BLPOP", "never", 0], { signal }))
    abort()
    await pop
    await rejects(pool.command(["BLPOP", "never", 0], { signal }))
    await rejects(pool.pipeline([["BLPOP", "never", 0]], { signal }))
    assert.equal(await pool.use((conn) => conn.command(["ECHO", "free"]), { timeout: 5000 }), "free")
    assert.equal(countReceived(fake, "BLPOP"), 0)
  })

  test("rejects with disconnected when its connection drops, and is not sent again", async (t) => {
    const { pool, untilBlocked, kill } = await watched(t, server, { size: 1, maxDedicated: 1, ...quick })
    const key = uniqueKey()
    const pop = connectionFailure(pool.command(["BLPOP", key, 0]), "disconnected", "unknown")
    await kill(await untilBlocked(1))
    assert.ok((await pop).cause instanceof Error)
    await atLeast(50)
    await untilBlocked(0)
    assert.equal(await pool.command(["RPUSH", key, "v"]), 1)
    assert.deepEqual(await pool.command(["BLPOP", key, 0], { timeout: 5000 }), [key, "v"])
  })
})

describe("maxDedicated", () => {
  test("bounds them: what is beyond waits, and every one gets its turn", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 3 })
    const lists = Array.from({ length: 12 }, () => uniqueKey("list"))
    const pops = lists.map((list) => pool.command(["BLPOP", list, 0]))
    await untilBlocked(3)
    await turn()
    for (const list of lists) {
      assert.ok((await listed()).length <= 4)
      await pool.command(["RPUSH", list, "v"])
    }
    assert.deepEqual(
      await Promise.all(pops),
      lists.map((list) => [list, "v"]),
    )
    assert.equal((await listed()).length, 4)
  })

  test("is shared with checkouts, and all that waits has its turn in order", async (t) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 1 })
    const key = uniqueKey()
    const order: string[] = []
    const held = await pool.checkout()
    const first = pool.command(["BLPOP", key, 0]).finally(() => order.push("first"))
    const second = pool.checkout().finally(() => order.push("second"))
    const third = pool.command(["BRPOP", key, 0]).finally(() => order.push("third"))
    const fourth = pool.use(async () => order.push("fourth"))
    await turn()
    assert.deepEqual(await untilBlocked(0), [])
    await held.release()
    await untilBlocked(1)
    assert.deepEqual(order, [])
    await pool.command(["RPUSH", key, "v"])
    assert.deepEqual(await first, [key, "v"])
    const conn = await second
    await turn()
    assert.deepEqual(order, ["first", "second"])
    assert.deepEqual(await untilBlocked(0), [])
    await conn.release()
    await untilBlocked(1)
    assert.deepEqual(order, ["first", "second"])
    await pool.command(["RPUSH", key, "w"])
    assert.deepEqual(await third, [key, "w"])
    await fourth
    assert.deepEqual(order, ["first", "second", "third", "fourth"])
    assert.equal((await listed()).length, 2)
  })

  test("a blocking command holds a place that a checkout waits for", async (t) => {
    const { pool, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 1 })
    const key = uniqueKey()
    const pop = pool.command(["BLPOP", key, 0])
    await untilBlocked(1)
    await connectionFailure(pool.checkout({ timeout: 50 }), "timeout", "not-sent")
    const waiting = pool.checkout()
    await pool.command(["RPUSH", key, "v"])
    await pop
    await (await waiting).release()
  })

  test("what waits longer than its deadline rejects, not sent, and takes nothing", async (t) => {
    const { pool, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 1, commandTimeout: 100 })
    const key = uniqueKey()
    const held = await pool.checkout()
    const given = connectionFailure(pool.command(["BLPOP", key, 0], { timeout: 100 }), "timeout", "not-sent")
    // The block time counts: 100 ms and 200 ms more.
    const begin = performance.now()
    const byDefault = connectionFailure(pool.command(["BLPOP", key, 0.2]), "timeout", "not-sent")
    const forever = pool.pipeline([["BLPOP", key, 0]])
    await given
    await byDefault
    assert.ok(performance.now() - begin >= 290)
    await pool.command(["RPUSH", key, "v"])
    await atLeast(200)
    assert.equal(await pool.command(["LLEN", key]), 1)
    await held.release()
    assert.deepEqual(await forever, [[key, "v"]])
    await untilBlocked(0)
  })

  test("waiting and blocking have one deadline", async (t) => {
    const { pool, untilBlocked } = await watched(t, server, { size: 1, maxDedicated: 1 })
    const key = uniqueKey()
    const held = await pool.checkout()
    const pop = connectionFailure(pool.command(["BLPOP", key, 0], { timeout: 600 }), "timeout", "unknown")
    await atLeast(100)
    await held.release()
    await untilBlocked(1)
    await pop
    await untilBlocked(0)
    assert.equal(await pool.command(["RPUSH", key, "v"]), 1)
  })

  test("what is aborted while it waits is never sent, and its place goes to the next", async (t) => {
    const { pool, fake } = await scripted(
      t,
      (command, connection) => (command[0] === "BLPOP" ? nullBulk : echoes(command, connection)),
      { size: 1, maxDedicated: 1 },
    )
    const held = await pool.checkout()
    const { signal, abort, rejects } = abortable()
    const aborted = [
      rejects(pool.command(["BLPOP", "never", 0], { signal })),
      rejects(pool.pipeline([["BLPOP", "never", 0]], { signal })),
    ]
    const next = pool.command(["BLPOP", "next", 0])
    await turn()
    abort()
    await Promise.all(aborted)
    await held.release()
    assert.equal(await next, null)
    assert.ok(fake.connections.every(({ received }) => received.every((words) => !words.includes("never"))))
    assert.equal(await pool.use((conn) => conn.command(["ECHO", "free"]), { timeout: 5000 }), "free")
  })

  test("an abort, a timeout and a drop each free the place", async (t) => {
    const { pool, untilBlocked, kill } = await watched(t, server, { size: 1, maxDedicated: 1, ...quick })
    const endings: ((
      call: (signal?: AbortSignal, timeout?: number) => Promise<unknown>,
    ) => Promise<unknown>)[] = [
      async (call) => {
        const { signal, abort, rejects } = abortable()
        const pop = rejects(call(signal))
        await untilBlocked(1)
        abort()
        await pop
      },
      (call) => connectionFailure(call(undefined, 100), "timeout", "unknown"),
      async (call) => {
        const pop = connectionFailure(call(), "disconnected", "unknown")
        await kill(await untilBlocked(1))
        await pop
      },
    ]
    for (const end of endings) {
      await end((signal, timeout) => pool.command(["BLPOP", uniqueKey(), 0], { signal, timeout }))
      assert.equal(await pool.use((conn) => conn.command(["PING"]), { timeout: 5000 }), "PONG")
      await untilBlocked(0)
    }
  })

  test("a connection that cannot be opened rejects what was to run on it, and holds no place", async (t) => {
    let full = false
    const { pool, fake } = await scripted(
      t,
      (command, connection) => {
        if (full && command[0] === "PING") return "-ERR max number of clients reached\r\n"
        return command[0] === "BLPOP" ? nullBulk : echoes(command, connection)
      },
      { size: 1, maxDedicated: 1 },
    )
    full = true
    for (let round = 0; round < 3; round++) {
      const error = await notSent(pool.command(["BLPOP", "never", 0], { timeout: 5000 }))
      assert.ok(error instanceof ConnectionError)
      assert.equal(error.final, false)
      assert.notEqual(error.reason, "timeout")
    }
    full = false
    assert.equal(await pool.command(["BLPOP", "now", 0], { timeout: 5000 }), null)
    assert.ok(fake.connections.every(({ received }) => received.every((words) => !words.includes("never"))))
  })

  test("one that drops while it is kept is not used again", async (t) => {
    const own: FakeConnection[] = []
    const { pool, fake } = await scripted(
      t,
      (command, connection) => {
        if (command[0] !== "BLPOP") return echoes(command, connection)
        own.push(connection)
        return nullBulk
      },
      { size: 1, maxDedicated: 1 },
    )
    assert.equal(await pool.command(["BLPOP", "a", 0]), null)
    own[0]?.reset()
    await own[0]?.closed
    await turn()
    assert.equal(await pool.command(["BLPOP", "b", 0], { timeout: 5000 }), null)
    assert.notEqual(own[1], own[0])
    assert.ok(fake.connections.length >= 3)
  })
})

describe("under load", () => {
  test("blocking commands, aborts, checkouts and plain commands do not mix up, and no place is lost", async (t: TestContext) => {
    const { pool, listed, untilBlocked } = await watched(t, server, { size: 2, maxDedicated: 5 })
    const workers = Array.from({ length: 40 }, async (_, index) => {
      for (let round = 0; round < 5; round++) {
        const tag = `${index} ${round}`
        const key = uniqueKey()
        if (index % 4 === 0) {
          await pool.command(["RPUSH", key, tag])
          assert.deepEqual(await pool.command(["BLPOP", key, 0]), [key, tag])
        } else if (index % 4 === 1) {
          const { signal, abort, rejects } = abortable()
          const pop = rejects(pool.command(["BLPOP", key, 0], { signal }))
          await atLeast((index * 7 + round * 3) % 20)
          abort()
          await pop
          assert.equal(await pool.command(["RPUSH", key, tag]), 1)
        } else if (index % 4 === 2) {
          const replies = await pool.use(async (conn) => {
            await conn.command(["MULTI"])
            await conn.command(["ECHO", tag])
            return conn.command(["EXEC"])
          })
          assert.deepEqual(replies, [tag])
        } else {
          assert.equal(await pool.command(["ECHO", tag]), tag)
        }
      }
    })
    await Promise.all(workers)
    await untilBlocked(0)
    assert.ok((await listed()).length <= 7)
    const held = await Promise.all(Array.from({ length: 5 }, () => pool.checkout({ timeout: 5000 })))
    await connectionFailure(pool.checkout({ timeout: 50 }), "timeout", "not-sent")
    for (const conn of held) await conn.release()
  })
})
