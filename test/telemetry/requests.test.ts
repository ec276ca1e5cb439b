/** Section 9 of the contract: what is told of requests, on each topology. */
import assert from "node:assert/strict"
import { AsyncLocalStorage, createHook } from "node:async_hooks"
import { execFile } from "node:child_process"
import { channel, tracingChannel } from "node:diagnostics_channel"
import { describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { ConnectionError, channels, Pool, PubSub, RedisError, Redix } from "@redix/client"
import { closing, fakeServer, misuse, sharedServer, uniqueKey } from "../contract/helpers.ts"
import { assertAccounted, FAILURE, heard, kinds, SUCCESS, spelled } from "./setup.ts"

const server = await sharedServer()

describe("a request", () => {
  test("is told of around its call and at its end, with one object", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port, database: 3 }))
    const all = heard(t)
    const metadata = { user: 1 }
    const promise = conn.command(["GET", uniqueKey()], { metadata })
    assert.deepEqual(kinds(all), ["start", "end"])
    assert.equal(await promise, null)
    assert.deepEqual(kinds(all), SUCCESS)
    const [start, , , last] = all
    assert.equal(new Set(all.map(({ event }) => event)).size, 1)
    assert.ok(start && last)
    assert.ok(!("duration" in start.seen) && !("error" in start.seen))
    assert.equal(start.seen.connection, conn)
    assert.equal(start.seen.name, undefined)
    assert.equal(start.seen.address, `localhost:${server.port}`)
    assert.equal(start.seen.database, 3)
    assert.equal(start.seen.metadata, metadata)
    assert.ok(typeof last.seen.duration === "number" && last.seen.duration > 0)
    assert.ok(!("error" in last.seen))
  })

  test("bears the name of its connection", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port, name: "telemetry-name" }))
    const all = heard(t)
    await conn.command(["PING"])
    assert.equal(all[0]?.event.name, "telemetry-name")
  })

  test("that fails has its error told of before its end", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = heard(t)
    const error = await conn.command(["NO-SUCH"]).catch((reason: unknown) => reason)
    assert.deepEqual(kinds(all), FAILURE)
    assert.ok(error instanceof RedisError)
    for (const { kind, seen } of all.slice(2)) assert.equal(seen.error, error, kind)
    for (const { kind, seen } of all.slice(2)) assert.ok(seen.duration !== undefined, kind)
  })

  test("whose replies hold errors does not fail", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = heard(t)
    const key = uniqueKey()
    await conn.pipeline([["SET", key, "text"], ["INCR", key], ["NO-SUCH"]])
    await conn.transactionPipeline([
      ["SET", key, "text"],
      ["INCR", key],
    ])
    assert.deepEqual(kinds(all), [...SUCCESS, ...SUCCESS])
  })

  test("ends, for those who listen, before its caller goes on", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const order: string[] = []
    heard(t, ({ kind }) => order.push(kind))
    await conn.command(["PING"]).then(() => order.push("caller"))
    await conn.command(["NO-SUCH"]).catch(() => order.push("caller"))
    assert.deepEqual(order, [...SUCCESS, "caller", ...FAILURE, "caller"])
  })

  test("fails within its call where there is no connection, and is told of all the same", async (t) => {
    const conn = await Redix.connect({ port: server.port })
    await conn.close()
    const all = heard(t)
    const promise = conn.command(["PING"])
    assert.deepEqual(kinds(all), FAILURE)
    await assert.rejects(promise, { reason: "closed" })
    assert.ok(all[2]?.seen.error instanceof ConnectionError)
  })

  test("by way of safe is told of as any other", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = heard(t)
    assert.equal((await conn.safe.command(["NO-SUCH"])).ok, false)
    assert.equal((await conn.safe.pipeline([["PING"]])).ok, true)
    assert.deepEqual(kinds(all), [...FAILURE, ...SUCCESS])
    assert.equal(all[0]?.event.connection, conn)
  })

  test("that is aborted or comes too late fails once", async (t) => {
    const fake = await fakeServer(t, ([name]) => (name === "GET" ? "" : undefined))
    const conn = closing(t, await Redix.connect({ port: fake.port }))
    const all = heard(t)
    const controller = new AbortController()
    const aborted = conn.command(["GET", "a"], { signal: controller.signal })
    const late = conn.command(["GET", "b"], { timeout: 20 })
    controller.abort(new TypeError("a reason of one's own"))
    await assert.rejects(aborted, /a reason of one's own/)
    await assert.rejects(late, { reason: "timeout" })
    const failed = assertAccounted(all, 2)
    assert.equal(failed.length, 2)
  })

  test("whose signal was aborted before fails as others do, whatever the reason", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = heard(t)
    const reason = new TypeError("enough")
    await assert.rejects(conn.command(["GET", "a"], { signal: AbortSignal.abort(reason) }), reason)
    assert.deepEqual(kinds(all), FAILURE)
    assert.equal(all[2]?.seen.error, reason)
  })
})

describe("commands", () => {
  test("are a copy of what is sent, whatever the caller does with the arrays", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = heard(t)
    const key = uniqueKey()
    const command = ["SET", key, "1"]
    const promise = conn.command(command)
    command[2] = "2"
    await promise
    assert.deepEqual(all.at(-1)?.event.commands, [["SET", key, "1"]])
  })

  test("hold what is sent around them", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = heard(t)
    await conn.transactionPipeline([["SET", "a", 1]])
    await conn.noreplyCommand(["SET", "a", 2])
    await conn.noreplyPipeline([
      ["SET", "a", 3],
      ["SET", "a", 4],
    ])
    const starts = all.filter(({ kind }) => kind === "start").map(({ event }) => spelled(event.commands))
    assert.deepEqual(starts, [
      ["MULTI", "SET a 1", "EXEC"],
      ["CLIENT REPLY OFF", "SET a 2", "CLIENT REPLY ON"],
      ["CLIENT REPLY OFF", "SET a 3", "SET a 4", "CLIENT REPLY ON"],
    ])
  })
})

describe("misuse", () => {
  test("is not told of", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const pool = closing(t, await Pool.connect({ port: server.port, size: 1 }))
    const all = heard(t)
    const anything = (value: unknown): never => value as never
    for (const client of [conn, pool]) {
      await misuse(() => client.command(anything(["GET", undefined])))
      await misuse(() => client.command(anything([])))
      await misuse(() => client.command(anything(undefined)))
      await misuse(() => client.command(anything(["SUBSCRIBE", "a"])))
      await misuse(() => client.command(["GET", "a"], anything({ timeout: -1 })))
      await misuse(() => client.command(["GET", "a"], anything({ nope: 1 })))
      await misuse(() =>
        client.command(anything([]), { signal: AbortSignal.abort() }).catch((e) => {
          throw e.name === "AbortError" ? new TypeError("aborted") : e
        }),
      )
      await misuse(() => client.pipeline(anything([])))
      await misuse(() => client.pipeline(anything([["GET", {}]])))
      await misuse(() => client.transactionPipeline(anything([["MULTI"]])))
      await misuse(() => client.noreplyPipeline(anything([["WATCH", "a"]])))
    }
    await misuse(() => pool.command(["WATCH", "a"]))
    await misuse(() => pool.command(["BLPOP", "a", anything({})]))
    assert.deepEqual(all, [])
    await conn.command(["MULTI"])
    const count = all.length
    await misuse(() => conn.transactionPipeline([["GET", "a"]]), /MULTI/)
    assert.equal(all.length, count)
    await conn.command(["DISCARD"])
  })

  test("of a connection that is closed is misuse as well", async (t) => {
    const conn = await Redix.connect({ port: server.port })
    await conn.close()
    const all = heard(t)
    await misuse(() => conn.command(["GET", undefined as never]))
    assert.deepEqual(all, [])
  })
})

describe("listeners", () => {
  test("that are added later see nothing of requests that nobody listened to", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const before = conn.command(["PING"])
    const all = heard(t)
    await before
    assert.deepEqual(all, [])
  })

  test("make all the difference: without one nothing is made for it", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    let made = 0
    const hook = createHook({
      init(_, type) {
        if (type === "RedixRequest") made++
      },
    }).enable()
    t.after(() => hook.disable())
    await conn.command(["PING"])
    await conn.pipeline([["PING"], ["PING"]])
    assert.equal(made, 0)
    heard(t)
    await conn.command(["PING"])
    assert.equal(made, 1)
  })

  test("may listen to one of the channels alone", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    for (const kind of ["start", "end", "asyncStart", "asyncEnd", "error"] as const) {
      const told: unknown[] = []
      const listener = (event: unknown): void => void told.push(event)
      const one = channel(`tracing:redix:pipeline:${kind}`)
      assert.equal(channels.pipeline.hasSubscribers, false)
      one.subscribe(listener)
      assert.equal(channels.pipeline.hasSubscribers, true)
      await conn.command(["NO-SUCH"]).catch(() => {})
      one.unsubscribe(listener)
      await conn.command(["NO-SUCH"]).catch(() => {})
      assert.equal(told.length, 1, kind)
    }
  })

  test("may use the typed channels", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const durations: number[] = []
    const listeners = { asyncEnd: ({ duration }: { duration: number }) => void durations.push(duration) }
    channels.pipeline.subscribe(listeners)
    t.after(() => channels.pipeline.unsubscribe(listeners))
    await conn.command(["PING"])
    channels.pipeline.unsubscribe(listeners)
    await conn.command(["PING"])
    assert.equal(durations.length, 1)
  })

  test("of a channel that was got by name before or after are the same, also after garbage collection", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const told: unknown[] = []
    const listener = (event: unknown): void => void told.push(event)
    channel("tracing:redix:pipeline:asyncEnd").subscribe(listener)
    t.after(() => channel("tracing:redix:pipeline:asyncEnd").unsubscribe(listener))
    globalThis.gc?.()
    await conn.command(["PING"])
    assert.equal(told.length, 1)
    assert.equal(tracingChannel("redix:pipeline").asyncEnd, channel("tracing:redix:pipeline:asyncEnd"))
  })

  test("that issue requests themselves disturb nothing", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    let depth = 0
    const inner: Promise<unknown>[] = []
    const all = heard(t, ({ kind }) => {
      if (kind === "asyncEnd" && depth++ < 3) inner.push(conn.command(["PING"]))
      if (kind === "start" && depth === 0) inner.push(conn.command(["ECHO", `${++depth}`]))
    })
    assert.equal(await conn.command(["ECHO", "outer"]), "outer")
    while (inner.length > 0) await Promise.all(inner.splice(0))
    assert.deepEqual(assertAccounted(all, all.filter(({ kind }) => kind === "start").length), [])
  })
})

describe("the caller's context", () => {
  test("is that of listeners and of what goes on, for each of many requests at once", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const pool = closing(t, await Pool.connect({ port: server.port, size: 2 }))
    const storage = new AsyncLocalStorage<number>()
    const seen = new Map<unknown, (number | undefined)[]>()
    heard(t, ({ event }) => {
      seen.set(event.metadata, [...(seen.get(event.metadata) ?? []), storage.getStore()])
    })
    const clients = [conn, pool]
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        storage.run(index, async () => {
          const client = clients[index % 2] ?? conn
          await client.command(["PING"], { metadata: index })
          assert.equal(storage.getStore(), index)
          await client.command(["NO-SUCH"], { metadata: index }).catch(() => {})
          assert.equal(storage.getStore(), index)
          await client.noreplyCommand(["SET", uniqueKey(), 1], { metadata: index })
          assert.equal(storage.getStore(), index)
        }),
      ),
    )
    assert.equal(seen.size, 50)
    for (const [index, stores] of seen) assert.deepEqual(new Set(stores), new Set([index]))
  })

  test("holds what listeners have bound to the start", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const storage = new AsyncLocalStorage<unknown>()
    const start = channel("tracing:redix:pipeline:start")
    start.bindStore(storage, (event) => event)
    t.after(() => start.unbindStore(storage))
    const seen: unknown[] = []
    const all = heard(t, ({ kind, event }) => {
      if (kind !== "end") seen.push(storage.getStore() === event)
    })
    await conn.command(["PING"])
    assert.equal(all.length, 4)
    assert.deepEqual(seen, [true, true, true])
    assert.equal(storage.getStore(), undefined)
  })
})

describe("a listener that throws", () => {
  test("surfaces as an uncaught exception and harms neither requests nor other listeners", async () => {
    const { runNode } = await import("../contract/helpers.ts")
    const { code, stdout, stderr } = await runNode(`
      import { channels, Redix } from "@redix/client"
      const uncaught = []
      process.on("uncaughtException", (error) => uncaught.push(error.message))
      const conn = Redix.start({ port: ${server.port} })
      for (const kind of ["start", "end", "asyncStart", "asyncEnd", "error"])
        channels.pipeline.subscribe({ [kind]() { throw new Error(kind) } })
      channels.connection.subscribe(() => { throw new Error("connection") })
      let ends = 0
      channels.pipeline.subscribe({ asyncEnd() { ends++ } })
      const replies = await Promise.all([conn.command(["PING"]), conn.command(["ECHO", "a"]), conn.command(["NOPE"]).catch((e) => e.code)])
      await new Promise((resolve) => setTimeout(resolve, 20))
      await conn.close()
      console.log(JSON.stringify({ replies, ends, uncaught: uncaught.sort() }))
    `)
    assert.equal(code, 0, stderr)
    const { replies, ends, uncaught } = JSON.parse(stdout)
    assert.deepEqual(replies, ["PONG", "a", "ERR"])
    assert.equal(ends, 3)
    assert.deepEqual(
      new Set(uncaught),
      new Set(["connection", "start", "end", "asyncStart", "asyncEnd", "error"]),
    )
  })
})

describe("a pool", () => {
  test("tells of the pool, and of the member's address", async (t) => {
    const pool = closing(t, await Pool.connect({ port: server.port, size: 2, name: "telemetry-pool" }))
    const all = heard(t)
    await pool.command(["PING"])
    await pool.pipeline([["PING"], ["PING"]])
    await pool.command(["BLPOP", uniqueKey(), 0.01])
    await pool.noreplyCommand(["SET", uniqueKey(), 1])
    assert.deepEqual(assertAccounted(all, 4), [])
    for (const { event } of all) {
      assert.equal(event.connection, pool)
      assert.equal(event.name, "telemetry-pool")
      assert.equal(event.address, `localhost:${server.port}`)
    }
  })

  test("tells of what is done on a checkout as of the checkout", async (t) => {
    const pool = closing(t, await Pool.connect({ port: server.port, size: 1 }))
    const conn = await pool.checkout()
    const all = heard(t)
    await conn.command(["WATCH", "a"])
    await conn.command(["SELECT", 2])
    await conn.command(["PING"])
    // What the driver does to clean it is its own affair.
    await conn.release()
    assert.deepEqual(assertAccounted(all, 3), [])
    for (const { event } of all) assert.equal(event.connection, conn)
    assert.equal(all.at(-1)?.event.database, 2)
    const key = uniqueKey()
    await pool.watch(key, async () => [["SET", key, 1]])
    assert.deepEqual(
      all
        .filter(({ kind }) => kind === "start")
        .slice(3)
        .flatMap(({ event }) => spelled(event.commands)),
      [`WATCH ${key}`, "MULTI", `SET ${key} 1`, "EXEC"],
    )
  })
})

describe("PubSub", () => {
  test("has no requests to be told of", async (t) => {
    const pubsub = closing(t, await PubSub.connect({ port: server.port }))
    const all = heard(t)
    await pubsub.subscribe("channel", () => {})
    await pubsub.ping()
    await pubsub.unsubscribe()
    assert.deepEqual(all, [])
  })
})

describe("whatever happens", () => {
  test("each request begins once and ends once: kills, aborts, timeouts and a close", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port, backoffInitial: 1, backoffMax: 2 }))
    const pool = closing(
      t,
      await Pool.connect({ port: server.port, size: 2, backoffInitial: 1, backoffMax: 2 }),
    )
    const admin = closing(t, await Redix.connect({ port: server.port }))
    const killing = ["CLIENT", "KILL", "TYPE", "normal"]
    const all = heard(t)
    const outcomes: Promise<unknown>[] = []
    let killed = 0
    for (let round = 0; round < 40; round++) {
      for (const client of [conn, pool]) {
        const controller = new AbortController()
        outcomes.push(
          client.safe.command(["GET", "a"], { metadata: round }),
          client.safe.command(["GET", "a"], { timeout: 1 }),
          client.safe.command(["GET", "a"], { signal: controller.signal }),
          client.safe.pipeline([["GET", "a"], ["NO-SUCH"]]),
          client.safe.transactionPipeline([["GET", "a"]]),
          client.safe.noreplyCommand(["SET", "a", 1]),
          client.safe.command(["BLPOP", uniqueKey(), 0.002], { timeout: 5 }),
          client.safe.command(["NO-SUCH"]),
        )
        if (round % 3 === 0) controller.abort()
        else if (round % 3 === 1) setImmediate(() => controller.abort())
      }
      if (round % 10 === 5) {
        await admin.command([...killing, "SKIPME", "yes"])
        killed++
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    conn.destroy()
    const settled = await Promise.all(outcomes)
    await pool.close()
    const failures = settled.filter((result) => (result as { ok: boolean }).ok === false).length
    const failed = assertAccounted(all, settled.length + killed)
    assert.equal(failed.length, failures)
    assert.ok(failures > 100)
  })
})

describe("the program for any runtime", () => {
  test("ends well on this one", async () => {
    const file = fileURLToPath(new URL("any-runtime.mjs", import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [file, `redis://localhost:${server.port}`])
    assert.equal(stdout, "ok\n")
  })
})
