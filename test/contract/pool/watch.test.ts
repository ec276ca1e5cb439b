/** Section 7 of the contract: `watch`, optimistic locking. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { type Argument, type Checkout, ConnectionError, Pool, RedisError } from "@redix/client"
import { freePort } from "../../../support/server.ts"
import { until } from "../../../support/wait.ts"
import {
  closing,
  connectionFailure,
  misuse,
  redisFailure,
  sharedServer,
  turn,
  uniqueKey,
} from "../helpers.ts"
import { countReceived, echoes, notSent, quick, scripted, type Watched, watched } from "./helpers.ts"

const server = await sharedServer()

/** Asserts that the only connection that may be checked out is free, and that nothing is watched there. */
async function assertClean({ pool }: Watched, key: string): Promise<void> {
  await pool.command(["SET", key, "0"])
  await pool.use(
    async (conn) => {
      assert.deepEqual(await conn.transactionPipeline([["INCR", key]]), [1])
      assert.match(String(await conn.command(["CLIENT", "INFO"])), / multi=-1 /)
    },
    { timeout: 5000 },
  )
}

const single = { size: 1, maxDedicated: 1, ...quick } as const

describe("watch", () => {
  test("resolves to EXEC's replies", async (t) => {
    const all = await watched(t, server, single)
    const { pool } = all
    const key = uniqueKey()
    await pool.command(["SET", key, "41"])
    const replies = await pool.watch([key], async (conn) => {
      const value = Number(await conn.command(["GET", key]))
      return [
        ["SET", key, value + 1],
        ["GET", key],
      ]
    })
    assert.deepEqual(replies, ["OK", "42"])
    await assertClean(all, key)
  })

  test("keeps errors of single commands as values in their place", async (t) => {
    const { pool } = await watched(t, server, single)
    const key = uniqueKey()
    const replies = await pool.watch([key], async () => [
      ["SET", key, "text"],
      ["INCR", key],
    ])
    assert.ok(replies)
    assert.equal(replies[0], "OK")
    assert.ok(replies[1] instanceof RedisError)
  })

  test("watches each of the keys, given as text or bytes, from before the callback runs", async (t) => {
    const { pool } = await watched(t, server, single)
    const names = [uniqueKey(), uniqueKey(), uniqueKey()]
    const keys: (string | Uint8Array)[] = [
      names[0] ?? "",
      Buffer.from(names[1] ?? ""),
      new Uint8Array(Buffer.from(names[2] ?? "")),
    ]
    for (const changed of names) {
      let attempts = 0
      const replies = await pool.watch(
        keys,
        async () => {
          attempts += 1
          if (attempts === 1) await pool.command(["SET", changed, "changed"])
          return [["INCR", uniqueKey()]]
        },
        { retries: 1 },
      )
      assert.deepEqual(replies, [1])
      assert.equal(attempts, 2)
    }
  })

  test("is not disturbed by changes of other keys, nor by what its own callback reads", async (t) => {
    const { pool } = await watched(t, server, single)
    const key = uniqueKey()
    let attempts = 0
    const replies = await pool.watch([key], async (conn) => {
      attempts += 1
      await pool.command(["INCR", uniqueKey()])
      await conn.pipeline([["GET", key], ["PING"]])
      return [["INCR", key]]
    })
    assert.deepEqual(replies, [1])
    assert.equal(attempts, 1)
  })

  test("runs the callback again when a key has changed, with what is there then", async (t) => {
    const all = await watched(t, server, single)
    const { pool } = all
    const key = uniqueKey()
    await pool.command(["SET", key, "0"])
    const seen: unknown[] = []
    const replies = await pool.watch([key], async (conn) => {
      const value = await conn.command(["GET", key])
      seen.push(value)
      if (seen.length <= 3) await pool.command(["SET", key, `${seen.length * 10}`])
      return [["SET", key, `${Number(value) + 1}`]]
    })
    assert.deepEqual(replies, ["OK"])
    assert.deepEqual(seen, ["0", "10", "20", "30"])
    assert.equal(await pool.command(["GET", key]), "31")
    await assertClean(all, key)
  })

  for (const retries of [0, 1, 4]) {
    test(`resolves to null once ${retries} retries are used up, after ${retries + 1} attempts`, async (t) => {
      const all = await watched(t, server, single)
      const { pool } = all
      const [key, written] = [uniqueKey(), uniqueKey()]
      let attempts = 0
      const replies = await pool.watch(
        [key],
        async () => {
          attempts += 1
          await pool.command(["INCR", key])
          return [["INCR", written]]
        },
        { retries },
      )
      assert.equal(replies, null)
      assert.equal(attempts, retries + 1)
      assert.equal(await pool.command(["EXISTS", written]), 0)
      await assertClean(all, key)
    })
  }

  test("has 10 retries by default", async (t) => {
    const { pool } = await watched(t, server, single)
    const key = uniqueKey()
    let attempts = 0
    const replies = await pool.watch([key], async () => {
      attempts += 1
      await pool.command(["INCR", key])
      return [["PING"]]
    })
    assert.equal(replies, null)
    assert.equal(attempts, 11)
  })

  test("gives up when the callback returns null: nothing runs, nothing is watched any more", async (t) => {
    const all = await watched(t, server, single)
    const { pool } = all
    const key = uniqueKey()
    let attempts = 0
    let held: Checkout | undefined
    const replies = await pool.watch([key], async (conn) => {
      held = conn
      attempts += 1
      await pool.command(["SET", key, "changed"])
      return null
    })
    assert.equal(replies, null)
    assert.equal(attempts, 1)
    assert.ok(held)
    await connectionFailure(held.command(["PING"]), "closed", "not-sent")
    await assertClean(all, key)
  })

  test("rejects with what the callback throws: nothing runs, and the connection is given back clean", async (t) => {
    const all = await watched(t, server, single)
    const { pool } = all
    const key = uniqueKey()
    const reason = new Error("mine")
    let attempts = 0
    const throwing: ((conn: Checkout) => Promise<null>)[] = [
      async () => {
        throw reason
      },
      async (conn) => {
        await conn.command(["SELECT", 5])
        throw reason
      },
      async (conn) => {
        await conn.command(["MULTI"])
        await conn.command(["INCR", key])
        throw reason
      },
      () => {
        throw reason
      },
    ]
    for (const callback of throwing) {
      const watching = pool.watch([key], (conn) => {
        attempts += 1
        return callback(conn)
      })
      await assert.rejects(watching, (error) => error === reason)
      await assertClean(all, key)
      assert.match(String(await pool.use((conn) => conn.command(["CLIENT", "INFO"]))), / db=0 /)
    }
    assert.equal(attempts, throwing.length)
  })

  test("rejects with EXECABORT when a command cannot be queued, and is not tried again", async (t) => {
    const all = await watched(t, server, single)
    const { pool } = all
    const key = uniqueKey()
    let attempts = 0
    const watching = pool.watch([key], async () => {
      attempts += 1
      return [["SET", key, "v"], ["NOSUCHCOMMAND"]]
    })
    const error = await redisFailure(watching, "EXECABORT")
    assert.ok(error.cause instanceof RedisError)
    assert.equal(attempts, 1)
    assert.equal(await pool.command(["EXISTS", key]), 0)
    await assertClean(all, key)
  })

  test("loses no increment of concurrent callers", async (t) => {
    const { pool } = await watched(t, server, { size: 2, maxDedicated: 8 })
    const key = uniqueKey()
    const increment = () =>
      pool.watch(
        [key],
        async (conn) => {
          const value = Number((await conn.command(["GET", key])) ?? 0)
          return [["SET", key, value + 1]]
        },
        { retries: 1000 },
      )
    const results = await Promise.all(Array.from({ length: 20 }, increment))
    assert.ok(results.every((replies) => replies?.[0] === "OK"))
    assert.equal(await pool.command(["GET", key]), "20")
  })

  test("waits for a connection of its own within its deadline and its signal", async (t) => {
    const all = await watched(t, server, single)
    const { pool } = all
    const key = uniqueKey()
    const held = await pool.checkout()
    const never = async () => assert.fail("it must not run")
    await connectionFailure(pool.watch([key], never, { timeout: 50 }), "timeout", "not-sent")
    const controller = new AbortController()
    const { signal } = controller
    const reason = new Error("not wanted")
    const aborted = assert.rejects(pool.watch([key], never, { signal }), (error) => error === reason)
    await turn()
    controller.abort(reason)
    await aborted
    await assert.rejects(pool.watch([key], never, { signal }), (error) => error === reason)
    await held.release()
    await assertClean(all, key)
  })

  test("wrong keys, callbacks, commands and options are a TypeError, and the connection is free", async (t) => {
    const all = await watched(t, server, single)
    const { pool } = all
    const key = uniqueKey()
    const never = async () => assert.fail("it must not run")
    for (const keys of [undefined, null, {}, [], [undefined], [["nested"]], [{}]]) {
      await misuse(() => pool.watch(keys as never, never))
    }
    await misuse(() => pool.watch([key], undefined as never))
    await misuse(() => pool.watch([key], [["PING"]] as never))
    for (const [options, names] of [
      [{ retries: -1 }, /retries/],
      [{ retries: 1.5 }, /retries/],
      [{ retries: Number.NaN }, /retries/],
      [{ retries: "1" }, /retries/],
      [{ timeout: 0 }, /timeout/],
      [{ signal: {} }, /signal/],
      [{ retires: 1 }, /retires/],
    ] as const) {
      await misuse(() => pool.watch([key], never, options as never), names)
    }
    for (const commands of [
      undefined,
      [],
      "PING",
      [[]],
      ["PING"],
      [["GET", undefined]],
      [["SUBSCRIBE", "c"]],
    ]) {
      let attempts = 0
      await misuse(() =>
        pool.watch([key], (async () => {
          attempts += 1
          return commands
        }) as never),
      )
      assert.equal(attempts, 1, inspect(commands))
      await assertClean(all, key)
    }
  })

  test("sends what the commands were when the callback returned them", async (t) => {
    const { pool } = await watched(t, server, single)
    const key = uniqueKey()
    const command: Argument[] = ["SET", key, "before"]
    const list: Argument[][] = [command]
    const watching = pool.watch([key], async () => list)
    const replies: readonly unknown[] | null = await watching
    command[2] = "after"
    list.length = 0
    assert.deepEqual(replies, ["OK"])
    assert.equal(await pool.command(["GET", key]), "before")
  })

  test("rejects on a pool that has ended", async (t) => {
    const { pool } = await watched(t, server, single)
    pool.destroy()
    const error = await connectionFailure(
      pool.watch(["key"], async () => assert.fail("it must not run")),
      "closed",
      "not-sent",
    )
    assert.equal(error.final, true)
  })
})

describe("watch whose connection drops", () => {
  test("before the transaction was sent: it is tried again on another one", async (t) => {
    const all = await watched(t, server, single)
    const { pool, listed, kill } = all
    const key = uniqueKey()
    const ids: string[] = []
    const replies = await pool.watch([key], async (conn) => {
      const id = String(await conn.command(["CLIENT", "ID"]))
      ids.push(id)
      if (ids.length === 1) {
        await kill((await listed()).filter((each) => each.id === id))
        await until(() => conn.status !== "connected")
      }
      return [["INCR", key]]
    })
    assert.deepEqual(replies, [1])
    assert.equal(new Set(ids).size, 2)
    assert.equal(await pool.command(["GET", key]), "1")
    await assertClean(all, key)
  })

  test("before the transaction was sent, and without retries: it rejects, not sent", async (t) => {
    const all = await watched(t, server, single)
    const { pool, listed, kill } = all
    const key = uniqueKey()
    let attempts = 0
    const watching = pool.watch(
      [key],
      async (conn) => {
        attempts += 1
        const id = String(await conn.command(["CLIENT", "ID"]))
        await kill((await listed()).filter((each) => each.id === id))
        await until(() => conn.status !== "connected")
        return [["INCR", key]]
      },
      { retries: 0 },
    )
    await notSent(watching)
    assert.equal(attempts, 1)
    assert.equal(await pool.command(["EXISTS", key]), 0)
    await assertClean(all, key)
  })

  test("while EXEC is in flight: it may have run, and is not tried again", async (t) => {
    const { pool, fake } = await scripted(
      t,
      (command, connection) => {
        if (command[0] === "WATCH") return "+OK\r\n"
        if (command[0] === "EXEC") connection.reset()
        return echoes(command, connection)
      },
      { size: 1, maxDedicated: 1 },
    )
    let attempts = 0
    const watching = pool.watch(["key"], async () => {
      attempts += 1
      return [["INCR", "key"]]
    })
    const error = await connectionFailure(watching, "disconnected", "unknown")
    assert.ok(error.cause instanceof Error)
    assert.equal(attempts, 1)
    assert.equal(countReceived(fake, "EXEC"), 1)
    assert.equal(await pool.use((conn) => conn.command(["ECHO", "free"]), { timeout: 5000 }), "free")
  })

  test("while anything else is in flight whose outcome is unknown: it rejects as well", async (t) => {
    const { pool, fake } = await scripted(
      t,
      (command, connection) => {
        if (command[0] === "WATCH") connection.reset()
        return echoes(command, connection)
      },
      { size: 1, maxDedicated: 1 },
    )
    await connectionFailure(
      pool.watch(["key"], async () => assert.fail("it must not run")),
      "disconnected",
      "unknown",
    )
    assert.equal(countReceived(fake, "WATCH"), 1)
    assert.equal(await pool.use((conn) => conn.command(["ECHO", "free"]), { timeout: 5000 }), "free")
  })

  test("no server at all: it rejects, not sent, and the callback never ran", async (t) => {
    const pool = closing(t, Pool.start({ host: "127.0.0.1", port: await freePort(), ...single }))
    const error = await notSent(
      pool.watch(["key"], async () => assert.fail("it must not run"), { retries: 2, timeout: 5000 }),
    )
    assert.ok(error instanceof ConnectionError)
    assert.equal(error.final, false)
  })
})
