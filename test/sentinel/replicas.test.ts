/** `role: "replica"`: one at random among those that are up, or else the next sentinel. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { Redix } from "@redix/client"
import { array, bulk, error } from "../../support/fake-server.ts"
import { freePort } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { closing, connectionFailure, redisFailure } from "../contract/helpers.ts"
import { at, FakeRedis, FakeSentinel, type Place, through } from "./fakes.ts"
import { connected, reaches, sentinelFailures, started } from "./setup.ts"

const role = "replica"

async function replicas(t: TestContext, count: number): Promise<FakeRedis[]> {
  return Promise.all(Array.from({ length: count }, () => FakeRedis.start(t, "slave")))
}

describe("a replica", () => {
  test("is picked at random, and its role confirmed", async (t) => {
    const [one, two] = (await replicas(t, 2)) as [FakeRedis, FakeRedis]
    const sentinel = await FakeSentinel.start(t, await FakeRedis.start(t))
    sentinel.replicas = [one, two]
    const conns = await Promise.all(
      Array.from({ length: 40 }, () => Redix.connect(through([sentinel], { role }))),
    )
    for (const conn of conns) closing(t, conn)
    // That all 40 pick the same one happens once in 10^12 runs.
    assert.equal(one.connections.length + two.connections.length, 40)
    assert.ok(one.connections.length > 0 && two.connections.length > 0)
    assert.equal(one.commands("ROLE").length, one.connections.length)
  })

  test("is picked anew on every attempt", async (t) => {
    const [one, two] = (await replicas(t, 2)) as [FakeRedis, FakeRedis]
    const sentinel = await FakeSentinel.start(t, await FakeRedis.start(t))
    sentinel.replicas = [one]
    const { conn } = await connected(t, through([sentinel], { role }))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    sentinel.replicas = [two]
    await one.stop()
    await reaches(conn, at(two))
  })

  for (const flags of [
    "s_down,slave",
    "o_down,s_down,slave",
    "slave,disconnected",
    "s_down,slave,disconnected",
  ]) {
    test(`that is ${flags} is not picked as long as there is another one`, async (t) => {
      const [up, down] = (await replicas(t, 2)) as [FakeRedis, FakeRedis]
      const sentinel = await FakeSentinel.start(t, await FakeRedis.start(t))
      sentinel.replicas = [
        { host: down.host, port: down.port, flags },
        { host: up.host, port: up.port },
      ]
      for (let count = 0; count < 12; count++) closing(t, await Redix.connect(through([sentinel], { role })))
      assert.equal(down.connections.length, 0)
      assert.equal(up.connections.length, 12)
    })
  }

  test("that is the primary by now is not used: the next sentinel is asked", async (t) => {
    const [replica] = (await replicas(t, 1)) as [FakeRedis]
    const promoted = await FakeRedis.start(t)
    const [stale, good] = [await FakeSentinel.start(t, promoted), await FakeSentinel.start(t, promoted)]
    stale.replicas = [promoted]
    good.replicas = [replica]
    const { seen } = await connected(t, through([stale, good], { role }))
    assert.deepEqual(sentinelFailures(seen), [[at(stale), "wrong-role"]])
    assert.equal(seen.log.at(-1), `connection ${at(replica)}`)
  })

  test("that refuses is no end: a later attempt finds another one", async (t) => {
    const [replica] = (await replicas(t, 1)) as [FakeRedis]
    const dead: Place = { host: "127.0.0.1", port: await freePort() }
    const sentinel = await FakeSentinel.start(t, await FakeRedis.start(t))
    sentinel.replicas = [dead, replica]
    const { conn } = started(t, through([sentinel], { role }))
    await reaches(conn, at(replica))
  })

  const nothing: readonly (readonly [string, string])[] = [
    ["none", array()],
    [
      "none that is up",
      array(array(...["ip", "127.0.0.1", "port", "6379", "flags", "s_down,slave"].map((x) => bulk(x)))),
    ],
    ["no group", error("ERR No such master with that name")],
    ["no list", ":1\r\n"],
    ["a null", "*-1\r\n"],
    ["a list of texts", array(bulk("127.0.0.1"), bulk("6379"))],
    ["one without an address", array(array(bulk("flags"), bulk("slave")))],
    [
      "one with a bad port",
      array(array(...["ip", "127.0.0.1", "port", "0", "flags", "slave"].map((x) => bulk(x)))),
    ],
  ]
  for (const [what, bytes] of nothing) {
    test(`where a sentinel knows ${what}, the next one is asked`, async (t) => {
      const [replica] = (await replicas(t, 1)) as [FakeRedis]
      const primary = await FakeRedis.start(t)
      const [odd, good] = [await FakeSentinel.start(t, primary), await FakeSentinel.start(t, primary)]
      odd.script = ([, verb]) => (/^(REPLICAS|SLAVES)$/i.test(verb ?? "") ? bytes : undefined)
      good.replicas = [replica]
      const { seen } = await connected(t, through([odd, good], { role }))
      assert.equal(seen.failures.length, 1)
      assert.equal(seen.failures[0]?.sentinelAddress, at(odd))
      assert.equal(seen.log.at(-1), `connection ${at(replica)}`)
    })
  }

  test("where there is none at all: no-viable-sentinel, never the primary", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const failure = await connectionFailure(
      Redix.connect(through([sentinel], { role })),
      "no-viable-sentinel",
    )
    assert.match(failure.message, /replica/)
    assert.equal(primary.connections.length, 0)
  })

  test("that refuses a write says so to the caller, and stays connected", async (t) => {
    const [replica] = (await replicas(t, 1)) as [FakeRedis]
    const sentinel = await FakeSentinel.start(t, await FakeRedis.start(t))
    sentinel.replicas = [replica]
    replica.readonly = true
    const { conn, seen } = await connected(t, through([sentinel], { role }))
    await redisFailure(conn.command(["SET", "a", "b"]), "READONLY")
    await redisFailure(conn.command(["SET", "a", "b"]), "READONLY")
    await until(async () => (await conn.command(["ECHO", "still"])) === "still")
    assert.deepEqual(seen.log, [`connection ${at(replica)}`])
  })

  test("that has become the primary is left at once for another one", async (t) => {
    const [primary, replica] = [await FakeRedis.start(t), await FakeRedis.start(t, "slave")]
    const sentinel = await FakeSentinel.start(t, primary)
    sentinel.replicas = [replica]
    const { conn, seen } = await connected(t, { ...through([sentinel], { role }), backoffInitial: 60_000 })
    await until(() => sentinel.listeners.length === 1)
    primary.role = "slave"
    replica.role = "master"
    sentinel.primary = replica
    sentinel.replicas = [primary]
    sentinel.announce(primary, replica)
    await reaches(conn, at(primary))
    assert.deepEqual(seen.failures, [])
  })

  test("that stays a replica is kept when the primary moves", async (t) => {
    const [primary, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    const [replica] = (await replicas(t, 1)) as [FakeRedis]
    const sentinel = await FakeSentinel.start(t, primary)
    sentinel.replicas = [replica]
    const mine = await connected(t, through([sentinel], { role }))
    const other = await connected(t, through([sentinel]))
    await until(() => sentinel.listeners.length === 1)
    sentinel.primary = next
    sentinel.announce(primary, next)
    // One watcher tells both of them, so what it does to the one it has done to the other.
    await reaches(other.conn, at(next))
    assert.equal(await mine.conn.command(["ECHO", "still"]), "still")
    assert.deepEqual(mine.seen.log, [`connection ${at(replica)}`])
  })
})
