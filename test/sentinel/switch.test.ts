/** What `+switch-master` does to connections: they move at once, and nothing runs twice or on the wrong server. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { inspect } from "node:util"
import { PubSub, type PubSubEvent, Redix, type RedixOptions } from "@redix/client"
import { until } from "../../support/wait.ts"
import { assertConnectionError, closing, connectionFailure } from "../contract/helpers.ts"
import { Clock } from "../util/clock.ts"
import { at, FakeRedis, FakeSentinel, silence, through } from "./fakes.ts"
import { connected, reaches, type Seen, started } from "./setup.ts"

/** So long that whatever succeeds within a test cannot have waited for it. */
const noBackoff = { backoffInitial: 60_000, backoffMax: 60_000 } as const

interface Setting {
  readonly old: FakeRedis
  readonly next: FakeRedis
  readonly sentinel: FakeSentinel
  readonly conn: Redix<2>
  readonly seen: Seen
}

/** A primary, a server that is to become the next one, and a connection that listens for that. */
async function setting(t: TestContext, options: RedixOptions<2> = {}): Promise<Setting> {
  const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
  const sentinel = await FakeSentinel.start(t, old)
  const both = await connected(t, { ...through([sentinel]), ...noBackoff, ...options })
  await until(() => sentinel.listeners.length === 1)
  return { old, next, sentinel, ...both }
}

/** Moves the primary, and says so. */
function move({ sentinel, old, next }: Pick<Setting, "sentinel" | "old" | "next">): void {
  sentinel.primary = next
  sentinel.announce(old, next)
}

describe("when the primary has moved", () => {
  test("the connection moves at once, without backoff, though the old one still answers", async (t) => {
    const all = await setting(t)
    const { conn, seen, old, next } = all
    move(all)
    await reaches(conn, at(next))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    assert.deepEqual(next.ran("ECHO"), ["a"])
    assert.deepEqual(old.ran("ECHO"), [])
    await until(() => old.open.length === 0)
    assert.deepEqual(seen.log, [
      `connection ${at(old)}`,
      `disconnection ${at(old)}`,
      `connection ${at(next)}`,
    ])
    assert.equal(seen.connections[1]?.reconnection, true)
    assert.ok(!("sessionLost" in (seen.connections[1] ?? {})))
    assertConnectionError(seen.disconnections[0]?.error, "disconnected")
  })

  test("it moves back as well, and as often as it takes", async (t) => {
    const all = await setting(t)
    const { conn, seen, old, next, sentinel } = all
    move(all)
    await reaches(conn, at(next))
    move({ sentinel, old: next, next: old })
    await reaches(conn, at(old))
    move(all)
    await reaches(conn, at(next))
    assert.equal(seen.connections.length, 4)
    assert.deepEqual(seen.failures, [])
  })

  test("the role of the new one is confirmed first", async (t) => {
    const all = await setting(t, { backoffInitial: 5, backoffMax: 20 })
    const { conn, seen, next } = all
    next.role = "slave"
    move(all)
    await until(() => seen.failures.length > 0)
    assert.equal(seen.failures[0]?.error.reason, "wrong-role")
    assert.deepEqual(next.ran("ECHO"), [])
    next.role = "master"
    await reaches(conn, at(next))
  })

  test("what is in flight rejects with `disconnected`, and is not sent again", async (t) => {
    const all = await setting(t)
    const { conn, old, next } = all
    old.script = ([name]) => (name === "SET" || name === "BLPOP" ? silence : undefined)
    const single = connectionFailure(conn.command(["SET", "single", "1"]), "disconnected", "unknown")
    const pipeline = connectionFailure(
      conn.pipeline([
        ["SET", "first", "1"],
        ["SET", "second", "1"],
      ]),
      "disconnected",
      "unknown",
    )
    const blocking = connectionFailure(conn.command(["BLPOP", "nothing", 0]), "disconnected", "unknown")
    await until(() => old.commands("BLPOP").length === 1)
    move(all)
    for (const each of [single, pipeline, blocking]) assert.equal((await each).final, false)
    await reaches(conn, at(next))
    assert.equal(await conn.command(["ECHO", "after"]), "after")
    assert.deepEqual(next.ran("SET"), [])
    assert.deepEqual(next.ran("BLPOP"), [])
    assert.deepEqual(old.ran("SET"), ["single", "first", "second"])
  })

  test("what is issued while it moves waits, and runs on the new one exactly once", async (t) => {
    const all = await setting(t)
    const { conn, seen, old, next } = all
    const held: (() => void)[] = []
    next.script = (command, connection) => {
      if (command[0] !== "ROLE") return undefined
      held.push(() => connection.write(next.reply(command, connection) ?? ""))
      return silence
    }
    move(all)
    await until(() => held.length === 1)
    assert.equal(conn.status, "connecting")
    const keys = Array.from({ length: 50 }, (_, index) => `key:${index}`)
    const replies = Promise.all(keys.map((key) => conn.command(["ECHO", key])))
    for (const answer of held) answer()
    assert.deepEqual(await replies, keys)
    assert.deepEqual(next.ran("ECHO"), keys)
    assert.deepEqual(old.ran("ECHO"), [])
    assert.equal(seen.disconnections.length, 1)
  })

  test("what is issued in the listener of the disconnection waits for the new one", async (t) => {
    const all = await setting(t)
    const { conn, old, next } = all
    const reply = new Promise((resolve, reject) => {
      conn.once("disconnection", () => conn.command(["ECHO", "meanwhile"]).then(resolve, reject))
    })
    move(all)
    assert.equal(await reply, "meanwhile")
    assert.deepEqual([old.ran("ECHO"), next.ran("ECHO")], [[], ["meanwhile"]])
  })

  test("what could not be handed to the socket yet waits, and runs on the new one exactly once", async (t) => {
    const all = await setting(t, { commandTimeout: 30_000 })
    const { conn, old, next } = all
    for (const each of old.open) each.pause()
    const big = "x".repeat(1 << 20)
    const keys = Array.from({ length: 48 }, (_, index) => `big:${index}`)
    const results: Promise<"stored" | "not-sent" | "unknown">[] = []
    for (const key of keys) {
      const outcome = conn.command(["SET", key, big]).then(
        () => "stored" as const,
        (error: unknown) => {
          assertConnectionError(error, "disconnected")
          return error.outcome
        },
      )
      results.push(outcome)
      // Each in a tick of its own, so that the first ones are handed over and the last ones are not.
      await new Promise((resolve) => setImmediate(resolve))
    }
    move(all)
    const outcomes = await Promise.all(results)
    const stored = keys.filter((_, index) => outcomes[index] === "stored")
    assert.ok(stored.length > 0, inspect(outcomes))
    assert.ok(outcomes.includes("unknown"), inspect(outcomes))
    assert.ok(!outcomes.includes("not-sent"), inspect(outcomes))
    assert.deepEqual(next.ran("SET"), stored)
  })

  test("many callers at work: each command runs on one server, in order, and none twice", async (t) => {
    const all = await setting(t)
    const { conn, old, next, sentinel } = all
    const outcomes = new Map<string, string>()
    const calls: Promise<void>[] = []
    let stopped = false
    const work = async () => {
      for (let index = 0; !stopped; index++) {
        const key = `key:${index}`
        const call = conn.command(["SET", key, "1"]).then(
          () => void outcomes.set(key, "stored"),
          (error: unknown) => {
            assertConnectionError(error, "disconnected")
            outcomes.set(key, error.outcome)
          },
        )
        calls.push(call)
        if (index % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const working = work()
    for (const [from, to] of [
      [old, next],
      [next, old],
      [old, next],
      [next, old],
    ] as const) {
      const before = to.commands("SET").length
      move({ sentinel, old: from, next: to })
      await until(() => to.commands("SET").length > before + 100)
    }
    stopped = true
    await working
    await Promise.all(calls)
    const ran = [...old.ran("SET"), ...next.ran("SET")]
    assert.equal(new Set(ran).size, ran.length, "none twice")
    const here = new Set(ran)
    for (const [key, outcome] of outcomes) {
      if (outcome === "stored") assert.ok(here.has(key), `${key} was acknowledged and never ran`)
      if (outcome === "not-sent") assert.ok(!here.has(key), `${key} ran, though it was not sent`)
    }
    assert.equal(outcomes.size, calls.length)
  })

  test("a connection that must not reconnect ends", async (t) => {
    const all = await setting(t, { exitOnDisconnection: true })
    const { conn } = all
    move(all)
    assertConnectionError(await conn.closed, "disconnected")
    assert.equal(conn.status, "closed")
    await until(() => all.old.open.length === 0 && all.sentinel.open.length === 0)
  })

  test("what was set by hand is told to be gone", async (t) => {
    const all = await setting(t)
    const { conn, seen, next } = all
    await conn.command(["WATCH", "key"])
    move(all)
    await reaches(conn, at(next))
    assert.equal(seen.connections[1]?.sessionLost, true)
  })

  test("a `close` that waits for replies is not disturbed for long: it ends, and nothing is left", async (t) => {
    const all = await setting(t)
    const { conn, old, sentinel } = all
    old.script = ([name]) => (name === "SET" ? silence : undefined)
    const failure = connectionFailure(conn.command(["SET", "a", "b"]), "disconnected")
    failure.catch(() => undefined)
    await until(() => old.commands("SET").length === 1)
    const closed = conn.close({ timeout: 1000 })
    if (sentinel.listeners.length > 0) move(all)
    await closed
    await failure.catch((error: unknown) => assert.match(inspect(error), /closed/))
    await until(() => old.open.length === 0 && sentinel.open.length === 0)
  })

  test("an attempt that is stuck at the old primary is given up for the new one", async (t) => {
    const clock = new Clock(t)
    const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    const sentinel = await FakeSentinel.start(t, old)
    old.script = () => silence
    const { conn } = started(t, { ...through([sentinel]), ...noBackoff, timeout: 20_000 })
    const reply = conn.command(["ECHO", "a"], { timeout: 20_000 })
    reply.catch(() => undefined)
    await until(() => old.received.length > 0 && sentinel.listeners.length === 1)
    move({ sentinel, old, next })
    // Without a wait for the attempt that is stuck, nor for the next one.
    assert.equal(await clock.stand(reply), "a")
    await reaches(conn, at(next))
  })

  test("a wait between two attempts is cut short", async (t) => {
    const all = await setting(t)
    const { conn, seen, old, next, sentinel } = all
    await old.stop()
    await until(() => seen.disconnections.length === 1)
    assert.ok(sentinel.listeners.length === 1)
    move(all)
    await reaches(conn, at(next), 3500)
  })

  test("an answer of another sentinel that is out of date does not lead back to the old primary", async (t) => {
    const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    const [stale, good] = [await FakeSentinel.start(t, old), await FakeSentinel.start(t, old)]
    await stale.stop()
    const { conn, seen } = await connected(t, through([stale, good]))
    await until(() => good.listeners.length === 1)
    await stale.listen(t)
    move({ sentinel: good, old, next })
    await reaches(conn, at(next), 3500)
    assert.equal(await conn.command(["SET", "a", "b"]), "OK")
    assert.deepEqual(old.ran("SET"), [])
    assert.ok(
      seen.connections.slice(1).every(({ address }) => address === at(next)),
      inspect(seen.log),
    )
  })
})

describe("what is no move", () => {
  test("a switch of another group, to the same address, or out of a damaged message", async (t) => {
    const all = await setting(t)
    const { conn, seen, old, next, sentinel } = all
    const foreign = await FakeRedis.start(t)
    sentinel.announce(old, foreign, "another")
    sentinel.announce(old, foreign, "mymaster2")
    sentinel.announce(foreign, old)
    for (const payload of [
      "",
      "mymaster",
      "mymaster 127.0.0.1",
      `mymaster 127.0.0.1 ${old.port} 127.0.0.1`,
      "   ",
    ]) {
      sentinel.publish("+switch-master", payload)
    }
    assert.equal(await conn.command(["ECHO", "still"]), "still")
    // In order: when this one has had its effect, those before have had theirs.
    move(all)
    await reaches(conn, at(next))
    assert.deepEqual(old.ran("ECHO"), ["still"])
    assert.equal(seen.disconnections.length, 1)
    assert.equal(foreign.connections.length, 0)
  })

  test("the answer of one that is asked anew and names the same server", async (t) => {
    const { conn, seen, sentinel, old } = await setting(t)
    for (const each of sentinel.listeners) each.reset()
    await until(() => sentinel.listeners.length === 1 && sentinel.subscriptions === 2)
    await until(() => sentinel.asked >= 2)
    assert.equal(await conn.command(["ECHO", "still"]), "still")
    assert.deepEqual(seen.log, [`connection ${at(old)}`])
  })
})

describe("other kinds of connections", () => {
  test("a PubSub moves too: a gap is told, and everything subscribed again", async (t) => {
    const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    const sentinel = await FakeSentinel.start(t, old)
    const pubsub = closing(t, await PubSub.connect({ ...through([sentinel]), ...noBackoff }))
    const events: PubSubEvent[] = []
    await pubsub.subscribe(["news", "weather"], (event) => void events.push(event))
    await until(() => sentinel.listeners.length === 1)
    old.publish("news", "one")
    await until(() => events.length === 3)
    move({ sentinel, old, next })
    await until(() => next.subscribers("news").length === 1 && next.subscribers("weather").length === 1)
    await until(() => events.length === 6)
    next.publish("news", "two")
    await until(() => events.length === 7)
    const types = events.map(({ type }) => type)
    const twice = ["subscribed", "subscribed"]
    assert.deepEqual(types, [...twice, "message", "disconnected", ...twice, "message"])
    await until(() => old.open.length === 0)
  })

  test("RESP3 connections move as well", async (t) => {
    const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    const sentinel = await FakeSentinel.start(t, old)
    const conn = closing(t, await Redix.connect({ ...through([sentinel]), ...noBackoff, protocol: 3 }))
    await until(() => sentinel.listeners.length === 1)
    move({ sentinel, old, next })
    await until(() => next.open.length === 1)
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    assert.deepEqual(next.ran("ECHO"), ["a"])
  })

  test("20 connections all move", async (t) => {
    const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    const sentinel = await FakeSentinel.start(t, old)
    const options = { ...through([sentinel]), ...noBackoff }
    const conns = await Promise.all(Array.from({ length: 20 }, () => Redix.connect(options)))
    for (const conn of conns) closing(t, conn)
    await until(() => sentinel.listeners.length === 1)
    move({ sentinel, old, next })
    await until(() => old.open.length === 0 && next.open.length === 20)
    const replies = await Promise.all(conns.map((conn, index) => conn.command(["ECHO", index])))
    assert.deepEqual(
      replies,
      conns.map((_, index) => `${index}`),
    )
  })
})
