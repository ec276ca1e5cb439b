/**
 * Rows 29, 33, 34 and 35 of the fault matrix, with real components: the primary is killed, frozen, and deposed while it still
 * works, and sentinels are dead and frozen, all under a stream of writes.
 */
import assert from "node:assert/strict"
import { after, afterEach, before, beforeEach, describe, type TestContext, test } from "node:test"
import { PubSub, type PubSubEvent, Redix } from "@redix/client"
import { freePort, type RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { closing } from "../contract/helpers.ts"
import { Clock } from "../util/clock.ts"
import { type Announcement, assertAccounts, Group, Writes } from "./real.ts"
import { assertBetween, connected, reaches, type Seen, started } from "./setup.ts"

/** From the news of the switch to the next write that is acknowledged: 1 s, the backoff, and room for a busy machine. */
const recoveryMs = 3500
const backoff = { clientInfo: false, backoffInitial: 100, backoffMax: 300 } as const

let whole: Group
before(async () => {
  whole = await Group.start()
})
after(() => whole?.stop())
// A failed test must not spoil the next one.
beforeEach(() => whole.healthy())
afterEach(async () => {
  for (const each of [...whole.servers, ...whole.sentinels]) {
    if (each.running) each.resume()
    else await each.restart()
  }
  const primary = await whole.primary()
  for (const each of whole.servers) {
    if (each !== primary) await each.send("REPLICAOF", primary.host, `${primary.port}`)
  }
})

interface Failover {
  readonly conn: Redix<2>
  readonly seen: Seen
  readonly writes: Writes
  readonly old: RedisServer
  readonly next: RedisServer
  readonly announced: Announcement
}

/** Causes a failover under a stream of writes, and waits until the connection has followed it. */
async function failover(
  t: TestContext,
  cause: (primary: RedisServer, sentinel: RedisServer) => Promise<unknown> | undefined,
  sentinels: readonly RedisServer[] = whole.sentinels,
  prepare: () => Promise<unknown> = async () => undefined,
): Promise<Failover> {
  const old = await whole.primary()
  const { conn, seen } = await connected(t, { ...backoff, sentinel: whole.options(sentinels) })
  await prepare()
  const sentinel = await whole.listenedTo()
  const listening = await whole.listen(sentinel)
  t.after(listening.stop)
  const writes = new Writes(conn)
  t.after(() => writes.stop())
  await until(() => writes.acknowledgedAfter(0).length > 50)
  const begin = performance.now()
  await cause(old, sentinel)
  const announced = await listening.next
  t.diagnostic(`announced after ${Math.round(announced.at - begin)} ms`)
  const next = whole.byPort(announced.port)
  assert.notEqual(next, old)
  await until(() => writes.acknowledgedAfter(announced.at + 50).length > 100, {
    timeout: 20_000,
    message: () => `writes to be acknowledged again; so far: ${seen.log.join(", ")}`,
  })
  await reaches(conn, `${next.host}:${next.port}`)
  const [first] = writes.all.filter(
    ({ outcome, settledAt }) => outcome === "acknowledged" && settledAt > announced.at + 50,
  )
  assert.ok(first)
  t.diagnostic(`acknowledged again ${Math.round(first.settledAt - announced.at)} ms after the announcement`)
  assertBetween(first.settledAt - announced.at, 0, recoveryMs)
  return { conn, seen, writes, old, next, announced }
}

describe("a failover under a stream of writes", () => {
  test("by hand, the old primary being alive: no acknowledged write goes there any more", async (t) => {
    const pubsub = closing(t, await PubSub.connect({ ...backoff, sentinel: whole.options() }))
    const events: PubSubEvent[] = []
    await pubsub.subscribe("news", (event) => void events.push(event))
    const { conn, seen, writes, old, next, announced } = await failover(t, (_, sentinel) =>
      sentinel.send("SENTINEL", "FAILOVER", "mymaster"),
    )
    await writes.stop()
    await assertAccounts(writes, announced, next, old)
    assert.equal(seen.disconnections.length, 1, seen.log.join(", "))
    await until(() => events.filter(({ type }) => type === "subscribed").length === 2)
    await conn.command(["PUBLISH", "news", "hello"])
    await until(() => events.at(-1)?.type === "message")
    assert.deepEqual(
      events.map(({ type }) => type),
      ["subscribed", "disconnected", "subscribed", "message"],
    )
    await whole.demote(old)
    await assertAccounts(writes, announced, next, old)
  })

  test("announced by a sentinel that is not the first one: what the others still say leads nowhere", async (t) => {
    const [first, second] = whole.sentinels as [RedisServer, RedisServer]
    const { writes, old, next, announced } = await failover(
      t,
      (_, sentinel) => {
        assert.equal(sentinel, second)
        return sentinel.send("SENTINEL", "FAILOVER", "mymaster")
      },
      [first, second],
      async () => {
        await first.kill()
        await until(async () => (await whole.listenedTo()) === second)
        await first.restart()
        await whole.healthy()
      },
    )
    await writes.stop()
    await assertAccounts(writes, announced, next, old)
  })

  test("by SIGKILL: writes are acknowledged again soon after the promotion", async (t) => {
    const { seen, writes, old, next, announced } = await failover(t, (primary) => primary.kill())
    await writes.stop()
    await assertAccounts(writes, announced, next)
    assert.ok(seen.disconnections.length >= 1)
    await old.restart()
    await whole.demote(old)
  })

  test("by SIGSTOP: a frozen primary is left, and not gone back to when it wakes up", async (t) => {
    let late: Redix<2> | undefined
    const { conn, seen, writes, old, next, announced } = await failover(t, (primary) => {
      primary.pause()
      // With a timeout so long that it would be stuck at the frozen primary, were it not told better.
      late = closing(t, Redix.start({ ...backoff, timeout: 20_000, sentinel: whole.options() }))
      return undefined
    })
    // Before the old primary wakes up, which would let it connect there.
    const lateness = await late?.ready({ timeout: recoveryMs }).catch((error: unknown) => error)
    const stuck = writes.all.filter(({ outcome, settledAt }) => outcome === "unknown" && settledAt > 0)
    assert.ok(stuck.length > 0, "what was in flight at the frozen primary rejects")
    const count = writes.all.length
    old.resume()
    await old.send("PING")
    await until(() => writes.all.length > count + 100)
    await writes.stop()
    await assertAccounts(writes, announced, next, old)
    assert.equal(seen.disconnections.length, 1, seen.log.join(", "))
    await reaches(conn, `${next.host}:${next.port}`)
    await whole.demote(old)
    await assertAccounts(writes, announced, next, old)
    assert.equal(
      await lateness,
      undefined,
      "a connection that was begun meanwhile is told of the switch as well",
    )
  })
})

describe("sentinels", () => {
  test("that are dead and frozen, in front of a good one, cost little", async (t) => {
    const clock = new Clock(t)
    const [frozen, good] = whole.sentinels.slice(1) as [RedisServer, RedisServer]
    frozen.pause()
    const dead = `redis://127.0.0.1:${await freePort()}`
    const { conn, seen } = started(t, {
      ...backoff,
      sentinel: { group: "mymaster", sentinels: [dead, frozen.url, good.url] },
    })
    // The dead one takes no time; the frozen one half a second, which is the timeout of sentinels.
    await clock.standUntil(() => seen.failures.length === 1)
    await clock.pass(510)
    await clock.standUntil(() => conn.status === "connected")
    assert.equal(await conn.command(["SET", "a", "b"]), "OK")
    assert.deepEqual(
      seen.failures.map(({ error }) => error.reason),
      ["refused", "timeout"],
    )
    frozen.resume()
  })

  test("lead to replicas, each time to one of them", async (t) => {
    const primary = await whole.primary()
    const options = { ...backoff, sentinel: { ...whole.options(), role: "replica" as const } }
    const conns = await Promise.all(Array.from({ length: 20 }, () => Redix.connect(options)))
    for (const conn of conns) closing(t, conn)
    const ports = new Set<string>()
    for (const conn of conns) {
      const role = await conn.command(["ROLE"])
      assert.ok(Array.isArray(role))
      assert.deepEqual([role[0], role[2]], ["slave", primary.port])
      ports.add(/tcp_port:(\d+)/.exec(String(await conn.command(["INFO", "server"])))?.[1] ?? "")
    }
    // That all 20 pick the same one happens once in 500 000 runs.
    assert.equal(ports.size, 2)
    assert.ok(!ports.has(`${primary.port}`))
  })

  test("with a user that may do no more than the guide says are enough to follow", async (t) => {
    const [sentinel] = whole.sentinels as [RedisServer]
    const questions = ["get-master-addr-by-name", "replicas", "sentinels"].map((each) => `+sentinel|${each}`)
    const rights = ["+ping", ...questions, "+subscribe", "&+switch-master"]
    await sentinel.send("ACL", "SETUSER", "app", "on", ">secret", ...rights)
    await sentinel.send("ACL", "LOG", "RESET")
    t.after(() => sentinel.send("ACL", "DELUSER", "app"))
    const login = { username: "app", password: "secret" }
    for (const role of ["primary", "replica"] as const) {
      const { conn } = await connected(t, {
        ...backoff,
        sentinel: { ...whole.options([sentinel]), ...login, role },
      })
      await whole.listenedTo()
      await conn.close()
    }
    assert.deepEqual(await sentinel.send("ACL", "LOG"), [])
  })

  test("that are learned are enough when the listed one is dead", async (t) => {
    const [listed] = whole.sentinels as [RedisServer]
    const primary = await whole.primary()
    const { conn, seen } = await connected(t, { ...backoff, sentinel: whole.options([listed]) })
    await listed.kill()
    await primary.send("CLIENT", "KILL", "TYPE", "normal")
    await until(() => seen.connections.length === 2)
    assert.equal(await conn.command(["SET", "a", "b"]), "OK")
    await listed.restart()
  })
})
