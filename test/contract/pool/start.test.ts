/** Section 7 of the contract: how a pool starts. Its connections, options, name, events and status. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import {
  ConnectionError,
  type ConnectionEvent,
  type DisconnectionEvent,
  Pool,
  PubSub,
  Redix,
} from "@redix/client"
import { handshake } from "../../../support/fake-server.ts"
import { freePort } from "../../../support/server.ts"
import { until } from "../../../support/wait.ts"
import {
  assertConnectionError,
  atLeast,
  closing,
  connectionFailure,
  fakeServer,
  misuse,
  rawServer,
  rejection,
  sharedServer,
  throwsTypeError,
  uniqueKey,
} from "../helpers.ts"
import { echoes, everyWay, noBackoff, quick, scripted, watched } from "./helpers.ts"

const server = await sharedServer({ unixSocket: true })

const at = () => ({ host: server.host, port: server.port })

describe("the connections of a pool", () => {
  test("are five, all opened at the start, before any request, and no more for any number of requests", async (t) => {
    const clientName = uniqueKey("pool").replaceAll(":", "-")
    const pool = closing(t, Pool.start({ ...at(), clientName }))
    const count = async () =>
      String(await server.send("CLIENT", "LIST")).split(` name=${clientName} `).length - 1
    await until(async () => (await count()) === 5)
    const key = uniqueKey()
    const replies = await Promise.all(Array.from({ length: 500 }, () => pool.command(["INCR", key])))
    assert.deepEqual(
      replies.sort((a, b) => a - b),
      replies.map((_, index) => index + 1),
    )
    assert.equal(await count(), 5)
  })

  test("are as many as size says", async (t) => {
    for (const size of [1, 3, 12]) {
      const { pool, listed } = await watched(t, server, { size })
      await Promise.all(Array.from({ length: 100 }, () => pool.command(["PING"])))
      assert.equal((await listed()).length, size)
      await pool.close()
    }
  })

  test("are opened at once, none waits for another", async (t) => {
    const silent = await rawServer(t, () => undefined)
    closing(t, Pool.start({ host: "127.0.0.1", port: silent.port, size: 4 }))
    await until(() => silent.connections.length === 4)
    await atLeast(50)
    assert.equal(silent.connections.length, 4)
  })

  test("each have every option of a connection", async (t) => {
    await server.send("ACL", "SETUSER", "pooled", "on", ">secret", "~*", "&*", "+@all")
    const { pool, listed } = await watched(t, server, {
      size: 3,
      database: 4,
      username: "pooled",
      password: async () => "secret",
    })
    for (const { db, user } of await listed()) assert.deepEqual({ db, user }, { db: "4", user: "pooled" })
    const conn = await pool.checkout()
    assert.match(String(await conn.command(["CLIENT", "INFO"])), / db=4 .* user=pooled /)
    await conn.release()
    assert.equal((await listed()).length, 4)
  })

  test("are made anew when they drop, each by itself", async (t) => {
    const { pool, listed, untilListed, kill } = await watched(t, server, { size: 4, ...quick })
    const old = await listed()
    await kill(old.slice(0, 3))
    const now = await untilListed(4)
    assert.ok(now.some(({ id }) => id === old[3]?.id))
    assert.equal(await pool.command(["PING"]), "PONG")
  })
})

describe("the options of a pool", () => {
  test("that are unknown or wrong are a TypeError that names them", async () => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ size: 0 }, /size/],
      [{ size: -1 }, /size/],
      [{ size: 1.5 }, /size/],
      [{ size: Number.NaN }, /size/],
      [{ size: Number.POSITIVE_INFINITY }, /size/],
      [{ size: "5" }, /size/],
      [{ size: null }, /size/],
      [{ strategy: "fastest" }, /strategy/],
      [{ strategy: "RANDOM" }, /strategy/],
      [{ strategy: 1 }, /strategy/],
      [{ maxDedicated: -1 }, /maxDedicated/],
      [{ maxDedicated: 1.5 }, /maxDedicated/],
      [{ maxDedicated: Number.NaN }, /maxDedicated/],
      [{ maxDedicated: "100" }, /maxDedicated/],
      [{ sise: 5 }, /sise/],
      [{ port: "6379" }, /port/],
      [{ commandTimeout: 0 }, /commandTimeout/],
    ]
    for (const [options, names] of wrong) {
      throwsTypeError(() => Pool.start(options as never), names)
      throwsTypeError(() => Pool.start("redis://localhost", options as never), names)
      await misuse(() => Pool.connect(options as never), names)
    }
  })

  test("may be undefined each, and come after a URI over which they win", async (t) => {
    const none = { size: undefined, strategy: undefined, maxDedicated: undefined, name: undefined }
    const pool = closing(t, await Pool.connect(server.url, none))
    assert.equal(await pool.command(["PING"]), "PONG")
    const other = closing(t, await Pool.connect(`${server.url}/3`, { database: 5, size: 1 }))
    assert.match(String(await other.command(["CLIENT", "INFO"])), / db=5 /)
  })

  test("of the first argument: passed but undefined, empty or no URI is a TypeError", async () => {
    for (const value of [undefined, "", "http://localhost", 6379, null]) {
      throwsTypeError(() => Pool.start(value as never))
      await misuse(() => Pool.connect(value as never))
    }
  })

  test("are not those of a single connection", () => {
    for (const options of [{ size: 5 }, { strategy: "random" }, { maxDedicated: 1 }]) {
      throwsTypeError(() => Redix.start(options as never), new RegExp(Object.keys(options)[0] ?? ""))
    }
  })

  test("take a unix socket and protocol 3 as well", async (t) => {
    const { path } = server
    const pool = closing(t, await Pool.connect({ path, protocol: 3, size: 2 }))
    assert.equal(pool.protocol, 3)
    const key = uniqueKey()
    await pool.command(["HSET", key, "f", "v"])
    assert.deepEqual(await pool.command(["HGETALL", key]), new Map([["f", "v"]]))
    await pool.use(async (conn) => {
      assert.deepEqual(await conn.command(["HGETALL", key]), new Map([["f", "v"]]))
    })
  })

  test("maxInFlight bounds what waits for the one connection of a pool of one", async (t) => {
    const { pool } = await scripted(t, echoes, { size: 1, maxInFlight: 1 })
    const slow = pool.safe.command(["SLOW"], { timeout: 500 })
    await connectionFailure(pool.command(["ECHO", "x"]), "overloaded", "not-sent")
    await slow
  })
})

describe("connect", () => {
  test("rejects with why the first attempts failed, for good, and leaves nothing", async (t) => {
    const port = await freePort()
    const error = await connectionFailure(
      Pool.connect({ host: "127.0.0.1", port, size: 3, ...quick }),
      "refused",
      "not-sent",
    )
    assert.equal(error.final, true)
    const late = await fakeServer(t, echoes, { port })
    await atLeast(100)
    assert.equal(late.connections.length, 0)
  })

  test("rejects with the server's refusal of the password", async () => {
    const error = await connectionFailure(
      Pool.connect({ ...at(), username: "nobody", password: "hunter2" }),
      "authentication",
      "not-sent",
    )
    assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /hunter2/)
  })
})

describe("the name of a pool", () => {
  test("is its own, not that of its connections, and is known to Pool and to Redix", async (t) => {
    const name = uniqueKey("name")
    const pool = closing(t, Pool.start({ ...at(), name }))
    assert.equal(pool.name, name)
    assert.equal(Pool.named(name), pool)
    assert.equal(Redix.named<Pool>(name), pool)
    assert.equal(Redix.whereis(name), pool)
    await pool.use(async () => assert.equal(Pool.named(name), pool))
    assert.throws(() => Pool.start({ ...at(), name }), new RegExp(name))
    assert.throws(() => Redix.start({ ...at(), name }), new RegExp(name))
    assert.match((await rejection(Pool.connect({ ...at(), name }))).message, new RegExp(name))
    await pool.close()
    assert.equal(Redix.whereis(name), undefined)
    assert.throws(() => Pool.named(name), new RegExp(name))
  })

  test("of something else is not a pool's", async (t) => {
    const [redix, pool] = [uniqueKey("name"), uniqueKey("name")]
    closing(t, Redix.start({ ...at(), name: redix }))
    closing(t, Pool.start({ ...at(), name: pool }))
    assert.throws(() => Pool.named(redix), Error)
    assert.throws(() => PubSub.named(pool), Error)
  })

  test("is freed when connect rejects, and not taken by wrong options", async () => {
    const name = uniqueKey("name")
    await rejection(Pool.connect({ host: "127.0.0.1", port: await freePort(), name }))
    throwsTypeError(() => Pool.start({ name, size: 0 }), /size/)
    assert.equal(Redix.whereis(name), undefined)
  })
})

describe("the strategy of a pool", () => {
  /** How many commands of that name each connection has received. */
  const counts = (fake: Awaited<ReturnType<typeof scripted>>["fake"], text: string) =>
    fake.connections.map(({ received }) => received.filter((words) => words[1]?.startsWith(text)).length)

  for (const strategy of ["least-busy", undefined] as const) {
    test(`${strategy ?? "by default"}: the connection with the least in flight`, async (t) => {
      const { pool, fake } = await scripted(t, echoes, { size: 3, strategy })
      await Promise.all(Array.from({ length: 30 }, (_, index) => pool.command(["ECHO", `even ${index}`])))
      assert.deepEqual(counts(fake, "even"), [10, 10, 10])
      // Two that are never answered go to two connections, and what follows to the third.
      const slow = [0, 1].map((index) => pool.safe.command(["SLOW", `slow ${index}`], { timeout: 60_000 }))
      await until(() => counts(fake, "slow").filter((count) => count === 1).length === 2)
      for (let index = 0; index < 20; index++) await pool.command(["ECHO", `other ${index}`])
      assert.deepEqual(
        counts(fake, "other"),
        counts(fake, "slow").map((count) => (count === 0 ? 20 : 0)),
      )
      pool.destroy()
      await Promise.all(slow)
    })
  }

  test("round-robin: one after the other, however busy", async (t) => {
    const { pool, fake } = await scripted(t, echoes, { size: 3, strategy: "round-robin" })
    for (let index = 0; index < 12; index++) await pool.command(["ECHO", `tag ${index}`])
    assert.deepEqual(counts(fake, "tag"), [4, 4, 4])
    const order = fake.connections.map(({ received }) =>
      received.flatMap((words) => (words[1]?.startsWith("tag") ? [Number(words[1].slice(4)) % 3] : [])),
    )
    for (const each of order) assert.equal(new Set(each).size, 1, inspect(order))
  })

  test("random: any of them, in no order", async (t) => {
    const { pool, fake } = await scripted(t, echoes, { size: 3, strategy: "random" })
    for (let index = 0; index < 300; index++) await pool.command(["ECHO", `tag ${index}`])
    // That one of three gets none of 300, or that all are even, happens about never.
    assert.ok(counts(fake, "tag").every((count) => count > 0))
    const first = fake.connections[0]?.received.flatMap(([, tag]) =>
      tag?.startsWith("tag") ? [Number(tag.slice(4)) % 3] : [],
    )
    assert.ok(new Set(first).size > 1)
  })
})

describe("the status and the events of a pool", () => {
  test("each connection that stands, drops or fails is told of, as the pool's", async (t) => {
    const fake = await fakeServer(t, echoes)
    const name = uniqueKey("name")
    const pool = closing(t, Pool.start({ host: fake.host, port: fake.port, size: 3, name, ...quick }))
    assert.equal(pool.status, "connecting")
    const connections: ConnectionEvent[] = []
    const drops: DisconnectionEvent[] = []
    pool.on("connection", (event) => connections.push(event))
    pool.on("disconnection", (event) => drops.push(event))
    await until(() => connections.length === 3)
    for (const event of connections) {
      assert.equal(event.connection, pool)
      assert.equal(event.name, name)
      assert.equal(event.address, `127.0.0.1:${fake.port}`)
      assert.equal(event.reconnection, false)
    }
    fake.connections[1]?.reset()
    await until(() => connections.length === 4)
    assert.equal(connections[3]?.reconnection, true)
    assert.equal(drops.length, 1)
    assert.equal(drops[0]?.connection, pool)
    assert.equal(drops[0]?.name, name)
    assertConnectionError(drops[0]?.error, "disconnected")
    assert.equal(drops[0]?.error.final, false)
  })

  test("it is connected while at least one connection is", async (t) => {
    const { pool, fake } = await scripted(t, echoes, { size: 3, ...noBackoff })
    let drops = 0
    pool.on("disconnection", () => {
      drops += 1
    })
    for (const index of [0, 1]) {
      fake.connections[index]?.reset()
      await until(() => drops === index + 1)
      assert.equal(pool.status, "connected")
      assert.equal(await pool.ready({ timeout: 1000 }), undefined)
    }
    fake.connections[2]?.reset()
    await until(() => drops === 3)
    assert.equal(pool.status, "disconnected")
    for (const call of everyWay(pool)) {
      assert.equal((await connectionFailure(call(), "closed", "not-sent")).final, false)
    }
    assert.equal(await Promise.race([pool.closed, "not ended"]), "not ended")
  })

  test("it is connected, and ready resolves, as soon as one connection is", async (t) => {
    const fake = await rawServer(t, (connection) => {
      if (fake.connections.length === 3)
        connection.onCommand = (command) => echoes(command, connection) ?? handshake(command)
    })
    const pool = closing(t, Pool.start({ host: "127.0.0.1", port: fake.port, size: 3 }))
    await pool.ready({ timeout: 4000 })
    assert.equal(pool.status, "connected")
  })

  test("failed attempts are told of, and go on until the server is there", async (t) => {
    const port = await freePort()
    const pool = closing(t, Pool.start({ host: "127.0.0.1", port, size: 2, ...quick }))
    const failures: DisconnectionEvent[] = []
    pool.on("failedConnection", (event) => failures.push(event))
    const waiting = connectionFailure(pool.command(["PING"]), "closed", "not-sent")
    await until(() => failures.length >= 4)
    for (const { connection, address, error } of failures) {
      assert.equal(connection, pool)
      assert.equal(address, `127.0.0.1:${port}`)
      assertConnectionError(error, "refused", "not-sent")
      assert.equal(error.final, false)
    }
    const { cause } = await waiting
    assert.ok(cause instanceof ConnectionError)
    const late = await fakeServer(t, echoes, { port })
    await pool.ready({ timeout: 10_000 })
    assert.equal(await pool.command(["ECHO", "here"]), "here")
    await until(() => late.connections.length === 2)
  })
})
