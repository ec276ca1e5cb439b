/** Sections 6 and 7 of the contract: a pool whose servers are found through Sentinel, and moves with the primary. */
import assert from "node:assert/strict"
import { after, before, describe, type TestContext, test } from "node:test"
import { inspect } from "node:util"
import { ConnectionError, Pool, type PoolOptions } from "@redix/client"
import { nullBulk } from "../../../support/fake-server.ts"
import { freePort } from "../../../support/server.ts"
import { until } from "../../../support/wait.ts"
import { Recorder } from "../../faults/invariants.ts"
import { FakeRedis, FakeSentinel, silence, through } from "../../sentinel/fakes.ts"
import { Group } from "../../sentinel/real.ts"
import { closing, connectionFailure, throwsTypeError, uniqueKey } from "../helpers.ts"
import { noBackoff } from "./helpers.ts"

describe("a pool through real sentinels", () => {
  let group: Group

  before(async () => {
    group = await Group.start()
  })

  after(() => group?.stop())

  const backoff = { clientInfo: false, backoffInitial: 50, backoffMax: 200 } as const

  /** The port of the server that a connection leads to. */
  const portOf = async (client: Pick<Pool, "command">) =>
    Number(/tcp_port:(\d+)/.exec(String(await client.command(["INFO", "server"])))?.[1])

  test("has all of its connections at the primary", async (t) => {
    const { port } = await group.primary()
    const pool = closing(
      t,
      await Pool.connect({ ...backoff, sentinel: group.options(), size: 3, strategy: "round-robin" }),
    )
    for (let index = 0; index < 9; index++) assert.equal(await portOf(pool), port)
    assert.equal(await pool.use(portOf), port)
    const key = uniqueKey()
    await pool.command(["RPUSH", key, "v"])
    assert.deepEqual(await pool.command(["BLPOP", key, 0]), [key, "v"])
    assert.deepEqual(await pool.watch([key], async () => [["INCR", key]]), [1])
    await pool.close()
  })

  test("or at replicas", async (t) => {
    const { port } = await group.primary()
    const sentinel = { ...group.options(), role: "replica" as const }
    const pool = closing(t, await Pool.connect({ ...backoff, sentinel, size: 4, strategy: "round-robin" }))
    for (let index = 0; index < 8; index++) {
      const role = await pool.command(["ROLE"])
      assert.ok(Array.isArray(role))
      assert.deepEqual([role[0], role[2]], ["slave", port])
    }
    const own: unknown = await pool.use((conn) => conn.command(["ROLE"]))
    assert.ok(Array.isArray(own) && own[0] === "slave")
  })

  test("follows a failover: nothing runs twice, and all of it is at the new primary then", async (t) => {
    const old = await group.primary()
    const pool = closing(
      t,
      await Pool.connect({ ...backoff, sentinel: group.options(), size: 3, strategy: "round-robin" }),
    )
    const [held, kept] = await Promise.all([pool.checkout(), pool.checkout()])
    await kept.release()
    assert.equal(await portOf(held), old.port)
    const watching = await group.listenedTo()
    const recorder = new Recorder()
    const calls = recorder.wrap(pool)
    let stopped = false
    const worker = async (step: () => Promise<unknown>) => {
      while (!stopped) {
        await step()
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
    // What the old primary still takes may be lost; that is for the accounts of other tests.
    const workers = [0, 1, 2].map(() => worker(() => calls.echo()))
    const { next, stop } = await group.listen(watching)
    await watching.send("SENTINEL", "FAILOVER", "mymaster")
    const { port } = await next
    stop()
    assert.notEqual(port, old.port)
    await until(() => held.status !== "connected")
    for (let round = 0; round < 3; round++) {
      const result = await held.safe.command(["PING"])
      assert.ok(!result.ok && result.error instanceof ConnectionError, inspect(result))
    }
    await until(async () => {
      const ports = await Promise.all([0, 1, 2].map(() => portOf(pool).catch(() => 0)))
      return ports.every((each) => each === port)
    })
    const own = await Promise.all([pool.checkout(), pool.checkout(), pool.checkout()])
    for (const conn of own) assert.equal(await portOf(conn), port)
    for (const conn of own) await conn.release()
    await held.release()
    assert.equal(await pool.command(["SET", uniqueKey(), "v"]), "OK")
    stopped = true
    await Promise.all(workers)
    await recorder.verify()
  })
})

describe("a pool through scripted sentinels", () => {
  interface Setting {
    readonly old: FakeRedis
    readonly next: FakeRedis
    readonly sentinel: FakeSentinel
    readonly pool: Pool
    /** Makes the next one the primary, and says so. */
    move(): void
  }

  async function setting(t: TestContext, options: PoolOptions<2> = {}): Promise<Setting> {
    const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    const sentinel = await FakeSentinel.start(t, old)
    const { size = 2 } = options
    const pool = closing(t, await Pool.connect({ ...through([sentinel]), ...noBackoff, ...options, size }))
    await until(() => old.open.length === size && sentinel.listeners.length >= 1)
    const move = () => {
      sentinel.primary = next
      sentinel.announce(old, next)
    }
    return { old, next, sentinel, pool, move }
  }

  test("moves with all of its connections when the primary has moved", async (t) => {
    const { old, next, pool, move } = await setting(t, { size: 3 })
    move()
    await until(() => old.open.length === 0 && next.open.length === 3)
    await pool.ready({ timeout: 5000 })
    for (let index = 0; index < 10; index++) assert.equal(await pool.command(["ECHO", "after"]), "after")
    assert.deepEqual(old.ran("ECHO"), [])
    assert.equal(next.open.length, 3)
  })

  test("keeps no connection to the old primary for the next checkout or blocking command", async (t) => {
    const { old, next, pool, move } = await setting(t)
    for (const server of [old, next]) {
      server.script = ([name]) => (name === "BLPOP" ? nullBulk : undefined)
    }
    const held = await Promise.all([pool.checkout(), pool.checkout()])
    for (const conn of held) await conn.release()
    assert.equal(await pool.command(["BLPOP", "before", 0]), null)
    assert.ok(old.open.length >= 4)
    move()
    await until(() => old.open.length === 0)
    const own = await Promise.all([pool.checkout(), pool.checkout()])
    for (const conn of own) assert.equal(await conn.command(["ECHO", "own"]), "own")
    assert.equal(await pool.command(["BLPOP", "after", 0]), null)
    for (const conn of own) await conn.release()
    assert.deepEqual(old.ran("ECHO"), [])
    assert.deepEqual(next.ran("BLPOP"), ["after"])
  })

  test("lets a checked-out connection drop with the move, and not follow it", async (t) => {
    const { old, next, pool, move } = await setting(t)
    const conn = await pool.checkout()
    assert.equal(await conn.command(["WATCH", "key"]), "OK")
    move()
    await until(() => conn.status !== "connected")
    for (const call of [
      () => conn.command(["ECHO", "astray"]),
      () => conn.transactionPipeline([["ECHO", "astray"]]),
    ]) {
      await assert.rejects(call(), ConnectionError)
    }
    await until(() => next.open.length === 2)
    assert.deepEqual([...old.ran("ECHO"), ...next.ran("ECHO"), ...next.ran("WATCH")], [])
    await conn.release()
    assert.equal(await pool.use((own) => own.command(["ECHO", "own"])), "own")
    assert.deepEqual(next.ran("ECHO"), ["own"])
  })

  test("rejects with disconnected what was in flight at the old primary, blocking commands as well", async (t) => {
    const { old, next, pool, move } = await setting(t)
    old.script = ([name]) => (name === "SET" || name === "BLPOP" ? silence : undefined)
    const failures = [pool.command(["SET", "key", "1"]), pool.command(["BLPOP", "list", 0])].map((call) =>
      connectionFailure(call, "disconnected", "unknown"),
    )
    await until(() => old.commands("BLPOP").length === 1 && old.commands("SET").length === 1)
    move()
    for (const error of await Promise.all(failures)) assert.equal(error.final, false)
    await until(() => next.open.length === 2)
    assert.deepEqual([...next.ran("SET"), ...next.ran("BLPOP")], [])
  })

  test("rejects with no-viable-sentinel where no sentinel is", async () => {
    const sentinel = { sentinels: [`redis://127.0.0.1:${await freePort()}`], group: "mymaster" }
    const error = await connectionFailure(Pool.connect({ sentinel }), "no-viable-sentinel", "not-sent")
    assert.equal(error.final, true)
  })

  test("takes no address beside the sentinels", () => {
    const sentinel = { sentinels: ["redis://127.0.0.1:26379"], group: "mymaster" }
    for (const address of [{ host: "localhost" }, { port: 6379 }, { path: "/tmp/redis.sock" }]) {
      throwsTypeError(() => Pool.start({ sentinel, ...address }), /sentinel/)
    }
  })
})
