/** Who listens for switches: one for each process and group, replaced when its sentinel fails, and gone with the last user. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { PubSub, Redix } from "@redix/client"
import { array, bulk, error, simple } from "../../support/fake-server.ts"
import { until } from "../../support/wait.ts"
import { atLeast, closing, redisFailure } from "../contract/helpers.ts"
import { at, FakeRedis, FakeSentinel, quick, silence, through } from "./fakes.ts"
import { assertBetween, connected, reaches } from "./setup.ts"

const noBackoff = { backoffInitial: 60_000, backoffMax: 60_000 } as const

interface Setting {
  readonly old: FakeRedis
  readonly next: FakeRedis
  readonly first: FakeSentinel
  readonly second: FakeSentinel
}

/** Two servers and two sentinels that name the first of them. */
async function setting(t: TestContext): Promise<Setting> {
  const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
  const [first, second] = [await FakeSentinel.start(t, old), await FakeSentinel.start(t, old)]
  return { old, next, first, second }
}

/** How often somebody began to listen, at all of these. */
function subscriptions(...sentinels: FakeSentinel[]): number {
  return sentinels.reduce((sum, each) => sum + each.subscriptions, 0)
}

function listeners(...sentinels: FakeSentinel[]): number {
  return sentinels.reduce((sum, each) => sum + each.listeners.length, 0)
}

describe("one watcher", () => {
  test("serves 20 connections of a group, and is closed with the last one", async (t) => {
    const { first, second, old } = await setting(t)
    const conns = await Promise.all(Array.from({ length: 20 }, () => Redix.connect(through([first, second]))))
    for (const conn of conns) closing(t, conn)
    await until(() => listeners(first, second) === 1)
    const last = conns.pop()
    assert.ok(last)
    await Promise.all(conns.map((conn) => conn.close()))
    await until(() => old.open.length === 1)
    assert.equal(await last.command(["ECHO", "a"]), "a")
    assert.equal(listeners(first, second), 1)
    assert.equal(subscriptions(first, second), 1)
    await last.close()
    await until(() => first.open.length === 0 && second.open.length === 0)
    assert.equal(subscriptions(first, second), 1)
  })

  test("is made anew for the next user", async (t) => {
    const { first } = await setting(t)
    for (let round = 1; round <= 3; round++) {
      const conn = closing(t, await Redix.connect(through([first])))
      await until(() => first.listeners.length === 1)
      await conn.close()
      await until(() => first.open.length === 0)
      assert.equal(first.subscriptions, round)
    }
  })

  test("serves a Redix and a PubSub alike", async (t) => {
    const { first, old } = await setting(t)
    const conn = closing(t, await Redix.connect(through([first])))
    const pubsub = closing(t, await PubSub.connect(through([first])))
    const copy = closing(t, conn.duplicate())
    await copy.ready()
    await until(() => first.listeners.length === 1 && old.open.length === 3)
    conn.destroy()
    copy.destroy()
    await until(() => old.open.length === 1)
    assert.equal(first.listeners.length, 1)
    await pubsub.close()
    await until(() => first.open.length === 0)
    assert.equal(first.subscriptions, 1)
  })

  test("is of one group: another group has its own", async (t) => {
    const { first, old, next } = await setting(t)
    const other = await FakeSentinel.start(t, next)
    other.group = "another"
    const one = await connected(t, { ...through([first]), ...noBackoff })
    const two = await connected(t, { ...through([other], { group: "another" }), ...noBackoff })
    await until(() => first.listeners.length === 1 && other.listeners.length === 1)
    other.primary = old
    other.announce(next, old)
    await reaches(two.conn, at(old))
    assert.equal(one.seen.disconnections.length, 0)
  })

  test("two groups of the same sentinels do not disturb each other", async (t) => {
    const { first, old, next } = await setting(t)
    first.script = ([, verb, whose]) => {
      if (whose !== "another" || verb?.toUpperCase() !== "GET-MASTER-ADDR-BY-NAME") return undefined
      return array(bulk(next.host), bulk(`${next.port}`))
    }
    const one = await connected(t, { ...through([first]), ...noBackoff })
    const two = await connected(t, { ...through([first], { group: "another" }), ...noBackoff })
    await until(() => first.listeners.length >= 1)
    assert.equal(await one.conn.command(["ECHO", "one"]), "one")
    assert.equal(await two.conn.command(["ECHO", "two"]), "two")
    await one.conn.close()
    assert.equal(await two.conn.command(["ECHO", "two"]), "two")
    await two.conn.close()
    await until(() => first.open.length === 0)
    assert.deepEqual([old.ran("ECHO"), next.ran("ECHO")], [["one"], ["two", "two"]])
  })

  test("is not needed by a connection that failed for good", async (t) => {
    const { first } = await setting(t)
    first.primary = undefined
    await Redix.connect(through([first])).catch(() => undefined)
    await until(() => first.open.length === 0)
  })
})

describe("a sentinel that is listened to", () => {
  test("and dies is replaced by another one, whose switches count", async (t) => {
    const { first, second, old, next } = await setting(t)
    const { conn, seen } = await connected(t, { ...through([first, second]), ...noBackoff })
    await until(() => first.listeners.length === 1)
    await first.stop()
    await until(() => second.listeners.length === 1)
    assert.equal(seen.disconnections.length, 0)
    second.primary = next
    second.announce(old, next)
    await reaches(conn, at(next))
  })

  test("and dies while the primary moves: the switch that was missed is noticed", async (t) => {
    const { first, second, next } = await setting(t)
    const { conn } = await connected(t, { ...through([first, second]), ...noBackoff })
    await until(() => first.listeners.length === 1)
    second.primary = next
    await first.stop()
    await reaches(conn, at(next))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    assert.deepEqual(next.ran("ECHO"), ["a"])
  })

  test("and freezes while the primary moves is replaced, and the switch that was missed is noticed", async (t) => {
    const { first, second, next } = await setting(t)
    const { conn } = await connected(t, { ...through([first, second], { timeout: 200 }), ...noBackoff })
    await until(() => first.listeners.length === 1)
    second.primary = next
    first.freeze()
    await reaches(conn, at(next), 20_000)
    await until(() => second.listeners.length === 1)
  })

  test("and comes back alone is listened to again", async (t) => {
    const { first, old, next } = await setting(t)
    const { conn, seen } = await connected(t, { ...through([first]), ...noBackoff })
    await until(() => first.listeners.length === 1)
    await first.stop()
    assert.equal(await conn.command(["ECHO", "alone"]), "alone")
    await first.listen(t)
    await until(() => first.listeners.length === 1, { timeout: 15_000 })
    assert.equal(seen.disconnections.length, 0)
    first.primary = next
    first.announce(old, next)
    await reaches(conn, at(next))
  })

  test("and refuses to be listened to does no harm", async (t) => {
    const { first, old } = await setting(t)
    first.script = ([name]) => (name === "SUBSCRIBE" ? error("NOPERM no channels for you") : undefined)
    const { conn, seen } = await connected(t, through([first]))
    await until(() => first.subscriptions >= 1)
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    for (const each of old.open) each.reset()
    await until(() => seen.connections.length === 2)
    assert.ok(first.subscriptions < 20, "it must not be asked over and over without a pause")
    await conn.close()
    await until(() => first.open.length === 0)
  })

  test("may be a learned one", async (t) => {
    const { first, second, old, next } = await setting(t)
    first.others = [second]
    const { conn } = await connected(t, { ...through([first]), ...noBackoff })
    await until(() => first.listeners.length === 1)
    await first.stop()
    await until(() => second.listeners.length === 1)
    second.primary = next
    second.announce(old, next)
    await reaches(conn, at(next))
  })

  test("is logged in to like the others", async (t) => {
    const { old, next } = await setting(t)
    const login = { username: "asker", password: "of-the-sentinels" }
    const guarded = await FakeSentinel.start(t, old, { login })
    const { conn } = await connected(t, { ...through([guarded], login), ...noBackoff })
    await until(() => guarded.listeners.length === 1)
    guarded.primary = next
    guarded.announce(old, next)
    await reaches(conn, at(next))
  })

  test("takes its time to say so does not delay the connection", async (t) => {
    const { first, old } = await setting(t)
    first.script = ([name]) => (name === "SUBSCRIBE" ? silence : undefined)
    const { conn } = await connected(t, through([first]))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    assert.deepEqual(old.ran("ECHO"), ["a"])
  })
})

describe("a READONLY error", () => {
  async function demoted(t: TestContext) {
    const all = await setting(t)
    const { first, old } = all
    const both = await connected(t, { ...quick, ...through([first]), ...noBackoff })
    await until(() => first.listeners.length === 1)
    await settled(first)
    old.readonly = true
    return { ...all, ...both }
  }

  /** Resolves once nobody asks any more. */
  async function settled(sentinel: FakeSentinel): Promise<void> {
    let [count, since] = [sentinel.received.length, performance.now()]
    await until(() => {
      if (sentinel.received.length !== count) [count, since] = [sentinel.received.length, performance.now()]
      return performance.now() - since > 100
    })
  }

  test("goes to its caller, and the connection moves where the sentinels name another server", async (t) => {
    const { conn, seen, first, old, next } = await demoted(t)
    first.primary = next
    const failure = await redisFailure(conn.command(["SET", "a", "b"]), "READONLY")
    assert.equal(failure.command, "SET")
    await reaches(conn, at(next))
    assert.equal(await conn.command(["SET", "a", "b"]), "OK")
    assert.deepEqual(seen.log, [
      `connection ${at(old)}`,
      `disconnection ${at(old)}`,
      `connection ${at(next)}`,
    ])
  })

  test("in a pipeline stands in its place, and moves the connection as well", async (t) => {
    const { conn, first, next } = await demoted(t)
    first.primary = next
    const replies = await conn.pipeline([
      ["ECHO", "a"],
      ["SET", "a", "b"],
      ["ECHO", "c"],
    ])
    assert.equal(replies[0], "a")
    assert.match(String(replies[1]), /READONLY/)
    assert.equal(replies[2], "c")
    await reaches(conn, at(next))
  })

  test("by which a transaction was discarded moves the connection as well", async (t) => {
    const { conn, first, old, next } = await demoted(t)
    first.primary = next
    old.script = ([name]) => {
      if (name === "MULTI") return simple("OK")
      return name === "EXEC"
        ? error("EXECABORT Transaction discarded because of previous errors.")
        : undefined
    }
    const failure = await redisFailure(conn.transactionPipeline([["SET", "a", "b"]]), "EXECABORT")
    assert.match(String(failure.cause), /READONLY/)
    await reaches(conn, at(next))
  })

  test("moves nothing where the sentinels still name the same server", async (t) => {
    const { conn, seen, first, old } = await demoted(t)
    const before = first.asked
    await redisFailure(conn.command(["SET", "a", "b"]), "READONLY")
    await until(() => first.asked > before)
    await settled(first)
    assert.equal(await conn.command(["ECHO", "still"]), "still")
    assert.deepEqual(seen.log, [`connection ${at(old)}`])
  })

  test("makes the sentinels be asked at most once a second, however many there are", async (t) => {
    const { conn, first, old, seen } = await demoted(t)
    const before = first.asked
    const begin = performance.now()
    let failures = 0
    while (performance.now() - begin < 2500) {
      const results = await Promise.all(
        Array.from({ length: 10 }, () => conn.safe.command(["SET", "a", "b"])),
      )
      failures += results.filter(({ ok }) => !ok).length
      await atLeast(5)
    }
    const seconds = (performance.now() - begin) / 1000
    assert.ok(failures > 100)
    assertBetween(first.asked - before, 2, Math.floor(seconds) + 2)
    assert.deepEqual(seen.log, [`connection ${at(old)}`])
  })

  test("of a switch that was not announced yet is followed by a later one", async (t) => {
    const { conn, first, next } = await demoted(t)
    await redisFailure(conn.command(["SET", "a", "b"]), "READONLY")
    first.primary = next
    await until(
      async () => {
        const result = await conn.safe.command(["SET", "a", "b"])
        return result.ok
      },
      { timeout: 10_000, interval: 20 },
    )
    assert.equal(next.ran("SET").length, 1)
  })

  test("of a connection without sentinels asks nobody and breaks nothing", async (t) => {
    const server = await FakeRedis.start(t)
    server.readonly = true
    const { conn, seen } = await connected(t, { ...quick, host: server.host, port: server.port })
    await redisFailure(conn.command(["SET", "a", "b"]), "READONLY")
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    assert.equal(seen.disconnections.length, 0)
  })
})
