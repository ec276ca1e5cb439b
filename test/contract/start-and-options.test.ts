/** Section 3 of the contract: `start`, `connect`, and each option of a connection. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { ConnectionError, Redix, type RedixOptions } from "@redix/client"
import { freePort } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { Clock } from "../util/clock.ts"
import {
  assertConnectionError,
  assertEndedByItself,
  closing,
  connectionFailure,
  fakeServer,
  hasReceived,
  misuse,
  nextConnection,
  nextDisconnection,
  nextFailedConnection,
  rawServer,
  redisFailure,
  rejection,
  runNode,
  sharedServer,
  throwsTypeError,
} from "./helpers.ts"

const server = await sharedServer()

/** A connection to where nothing listens, and how many of its attempts have failed. */
async function refused(
  t: TestContext,
  options: RedixOptions<2>,
): Promise<{ conn: Redix; failures: () => number }> {
  const conn = closing(t, Redix.start({ host: "127.0.0.1", port: await freePort(), ...options }))
  let failures = 0
  conn.on("failedConnection", () => {
    failures += 1
  })
  return { conn, failures: () => failures }
}

describe("start and connect", () => {
  test("start without arguments is localhost:6379", async (t) => {
    const conn = closing(t, Redix.start())
    // Whether or not something listens there.
    const { address } = await Promise.race([nextConnection(conn), nextFailedConnection(conn)])
    assert.equal(address, "localhost:6379")
  })

  test("start returns at once and connects in the background", async (t) => {
    const conn = closing(t, Redix.start({ host: server.host, port: server.port }))
    assert.ok(conn instanceof Redix)
    assert.equal(conn.status, "connecting")
    await conn.ready()
    assert.equal(conn.status, "connected")
  })

  test("start returns also when nothing listens", async (t) => {
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: await freePort() }))
    const { error } = await nextFailedConnection(conn)
    assertConnectionError(error, "refused")
  })

  test("start takes options, a URI, or a URI and options", async (t) => {
    const { host, port, url } = server
    for (const conn of [
      Redix.start({ host, port }),
      Redix.start(url),
      Redix.start(url, { clientName: "x" }),
      Redix.start(url, {}),
      Redix.start(url, undefined),
    ]) {
      closing(t, conn)
      assert.equal(await conn.command(["PING"]), "PONG")
    }
  })

  test("options win over the URI", async (t) => {
    const other = await freePort()
    const conn = closing(
      t,
      await Redix.connect(`redis://127.0.0.1:${other}/7`, { port: server.port, database: 2 }),
    )
    assert.match(String(await conn.command(["CLIENT", "INFO"])), / db=2 /)
    const fake = await fakeServer(t)
    closing(
      t,
      await Redix.connect(`redis://a:b@127.0.0.1:${other}/7`, {
        port: fake.port,
        username: "c",
        password: "d",
        database: 1,
        clientInfo: false,
      }),
    )
    assert.deepEqual(fake.connections[0]?.received, [
      ["AUTH", "c", "d"],
      ["SELECT", "1"],
    ])
  })

  test("an option that is undefined does not win over the URI: it counts as not given", async (t) => {
    const fake = await fakeServer(t)
    closing(
      t,
      await Redix.connect(`redis://a:b@127.0.0.1:${fake.port}/7`, {
        host: undefined,
        port: undefined,
        path: undefined,
        username: undefined,
        password: undefined,
        database: undefined,
        clientInfo: false,
      }),
    )
    assert.deepEqual(fake.connections[0]?.received, [
      ["AUTH", "a", "b"],
      ["SELECT", "7"],
    ])
  })

  test("connect takes the same arguments and resolves once connected", async (t) => {
    const { host, port, url } = server
    for (const pending of [
      Redix.connect({ host, port }),
      Redix.connect(url),
      Redix.connect("redis://127.0.0.1:1", { port }),
    ]) {
      const conn = closing(t, await pending)
      assert.equal(conn.status, "connected")
      assert.equal(await conn.command(["PING"]), "PONG")
    }
  })

  test("connect rejects with a ConnectionError if the first attempt fails", async () => {
    const error = await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: await freePort() }),
      "refused",
      "not-sent",
    )
    assert.equal((error.cause as { code?: string }).code, "ECONNREFUSED")
  })

  test("a connect that has failed tries nothing more and keeps no process alive", async () => {
    const port = await freePort()
    const result = await runNode(`
      import { Redix } from "@redix/client"
      const error = await Redix.connect({ host: "127.0.0.1", port: ${port}, backoffInitial: 10 }).catch((error) => error)
      console.log(error.reason, error.final)
    `)
    assert.equal(assertEndedByItself(result).trim(), "refused true")
  })

  test("a first argument that is passed but undefined or empty is a TypeError", async () => {
    for (const nothing of [undefined, "", null]) {
      throwsTypeError(() => Redix.start(nothing as never))
      throwsTypeError(() => Redix.start(nothing as never, { port: server.port }))
      await misuse(() => Redix.connect(nothing as never))
      await misuse(() => Redix.connect(nothing as never, { port: server.port }))
    }
  })

  test("a first argument of another type is a TypeError", async () => {
    for (const value of [6379, true, [], Symbol("s"), () => undefined]) {
      throwsTypeError(() => Redix.start(value as never))
      await misuse(() => Redix.connect(value as never))
    }
  })

  test("options as a second argument that is no object are a TypeError", async () => {
    for (const value of [6379, true, "x", null]) {
      throwsTypeError(() => Redix.start("redis://localhost", value as never))
      await misuse(() => Redix.connect("redis://localhost", value as never))
    }
  })
})

describe("options", () => {
  const at = () => ({ host: server.host, port: server.port })

  test("an unknown key is a TypeError that names it", async () => {
    for (const key of ["hots", "Host", "ssl", "db", "retryStrategy", "lazyConnect", "size", "encoding"]) {
      throwsTypeError(() => Redix.start({ [key]: 1 } as never), new RegExp(key))
      throwsTypeError(() => Redix.start("redis://localhost", { [key]: 1 } as never), new RegExp(key))
      await misuse(() => Redix.connect({ [key]: 1 } as never), new RegExp(key))
    }
  })

  test("a wrong type or value is a TypeError that names the option", async () => {
    const wrong: Record<string, unknown[]> = {
      host: [1, null, {}, true],
      port: ["6379", -1, 65_536, 1.5, Number.NaN, null],
      path: [1, null, {}],
      database: ["three", -1, 1.5, Number.NaN, null, {}],
      username: [1, null, {}],
      password: [1, null, {}, true],
      tls: ["yes", 1, null],
      socket: ["x", 1, null, true],
      timeout: ["5000", -1, Number.NaN, null],
      commandTimeout: ["5000", 0, -1, Number.NaN, null],
      backoffInitial: ["500", -1, Number.NaN, null],
      backoffMax: ["500", -1, Number.NaN, null],
      exitOnDisconnection: ["yes", 1, null],
      healthCheckInterval: ["1", -1, Number.NaN, null, false],
      name: [1, null, {}],
      clientName: [1, null, {}],
      clientInfo: ["yes", 1, null],
      readonly: ["yes", 1, null],
      protocol: ["2", 1, 4, null, Number.NaN],
      maxInFlight: ["1", -1, Number.NaN, null],
      sentinel: ["redis://s", 1, true, null],
    }
    for (const [option, values] of Object.entries(wrong)) {
      for (const value of values) {
        throwsTypeError(() => Redix.start({ [option]: value } as never), new RegExp(option))
        await misuse(() => Redix.connect({ [option]: value } as never), new RegExp(option))
      }
    }
  })

  test("every option accepts undefined", async (t) => {
    const conn = closing(
      t,
      await Redix.connect({
        ...at(),
        path: undefined,
        database: undefined,
        username: undefined,
        password: undefined,
        tls: undefined,
        socket: undefined,
        timeout: undefined,
        commandTimeout: undefined,
        backoffInitial: undefined,
        backoffMax: undefined,
        exitOnDisconnection: undefined,
        healthCheckInterval: undefined,
        name: undefined,
        clientName: undefined,
        clientInfo: undefined,
        readonly: undefined,
        protocol: undefined,
        maxInFlight: undefined,
        sentinel: undefined,
      }),
    )
    assert.equal(await conn.command(["PING"]), "PONG")
    assert.equal(conn.name, undefined)
  })

  test("Infinity is a value of every time and of maxInFlight, 0 one of backoffInitial", async (t) => {
    const conn = closing(
      t,
      await Redix.connect({
        ...at(),
        timeout: Number.POSITIVE_INFINITY,
        commandTimeout: Number.POSITIVE_INFINITY,
        backoffInitial: 0,
        backoffMax: Number.POSITIVE_INFINITY,
        healthCheckInterval: Number.POSITIVE_INFINITY,
        maxInFlight: Number.POSITIVE_INFINITY,
      }),
    )
    const back = nextConnection(conn)
    await server.send("CLIENT", "KILL", "ID", String(await conn.command(["CLIENT", "ID"])))
    await back
    assert.equal(await conn.command(["PING"]), "PONG")
  })

  test("a host with several addresses is connected to at the one that answers", async (t) => {
    const conn = closing(t, await Redix.connect({ host: "localhost", port: server.port }))
    assert.equal(await conn.command(["PING"]), "PONG")
    const port = await freePort()
    const error = await connectionFailure(Redix.connect({ host: "localhost", port }), "refused", "not-sent")
    assert.equal(error.address, `localhost:${port}`)
    assert.equal((error.cause as { code?: string }).code, "ECONNREFUSED")
  })

  test("host and port go not together with path or sentinel", () => {
    const sentinel = { sentinels: ["redis://127.0.0.1:1"], group: "g" }
    throwsTypeError(() => Redix.start({ host: "localhost", path: "/tmp/x.sock" }), /path/)
    throwsTypeError(() => Redix.start({ port: 1, path: "/tmp/x.sock" }), /path/)
    throwsTypeError(() => Redix.start({ host: "localhost", sentinel } as never), /sentinel/)
    throwsTypeError(() => Redix.start({ port: 1, sentinel } as never), /sentinel/)
    throwsTypeError(() => Redix.start({ path: "/tmp/x.sock", sentinel } as never), /sentinel/)
  })

  test("the options that were passed are neither changed nor held: changing them later changes nothing", async (t) => {
    const options = Object.freeze({ ...at(), database: 1, socket: Object.freeze({ noDelay: true }) })
    const conn = closing(t, await Redix.connect(options))
    assert.match(String(await conn.command(["CLIENT", "INFO"])), / db=1 /)
    const loose = { ...at(), database: 1, backoffInitial: 10 }
    const other = closing(t, await Redix.connect(loose))
    loose.database = 5
    const back = nextConnection(other)
    await server.send("CLIENT", "KILL", "ID", String(await other.command(["CLIENT", "ID"])))
    await back
    assert.match(String(await other.command(["CLIENT", "INFO"])), / db=1 /)
  })

  test("database issues SELECT after connecting; none is issued without it", async (t) => {
    const conn = closing(t, await Redix.connect({ ...at(), database: 3 }))
    assert.match(String(await conn.command(["CLIENT", "INFO"])), / db=3 /)
    const fake = await fakeServer(t)
    closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    assert.equal(
      fake.connections[0]?.received.some(([name]) => name === "SELECT"),
      false,
    )
  })

  test("a SELECT by hand that is accepted takes the place of database from then on", async (t) => {
    for (const select of [
      ["SELECT", 5],
      ["select", "5"],
      [Buffer.from("Select"), Buffer.from("5")],
    ] as const) {
      const conn = closing(t, await Redix.connect({ ...at(), database: 3, backoffInitial: 10 }))
      await conn.command(select)
      const back = nextConnection(conn)
      await server.send("CLIENT", "KILL", "ID", String(await conn.command(["CLIENT", "ID"])))
      await back
      assert.match(String(await conn.command(["CLIENT", "INFO"])), / db=5 /)
    }
  })

  test("also inside a pipeline, a transaction, and without a database before", async (t) => {
    const kill = async (conn: Redix) => {
      const back = nextConnection(conn)
      await server.send("CLIENT", "KILL", "ID", String(await conn.command(["CLIENT", "ID"])))
      await back
      return String(await conn.command(["CLIENT", "INFO"]))
    }
    const piped = closing(t, await Redix.connect({ ...at(), backoffInitial: 10 }))
    await piped.pipeline([["SELECT", 4], ["SELECT", 6], ["PING"]])
    assert.match(await kill(piped), / db=6 /)
    const queued = closing(t, await Redix.connect({ ...at(), backoffInitial: 10 }))
    await queued.transactionPipeline([["SELECT", 7]])
    assert.match(await kill(queued), / db=7 /)
  })

  test("a SELECT that is refused changes nothing", async (t) => {
    const conn = closing(t, await Redix.connect({ ...at(), database: 3, backoffInitial: 10 }))
    await redisFailure(conn.command(["SELECT", 999]), "ERR")
    await redisFailure(conn.command(["SELECT", "x"]), "ERR")
    const back = nextConnection(conn)
    await server.send("CLIENT", "KILL", "ID", String(await conn.command(["CLIENT", "ID"])))
    await back
    assert.match(String(await conn.command(["CLIENT", "INFO"])), / db=3 /)
  })

  test("username and password log in to a real server", async (t) => {
    await server.send("ACL", "SETUSER", "alice", "on", ">wonder:land", "~*", "+@all")
    const conn = closing(t, await Redix.connect({ ...at(), username: "alice", password: "wonder:land" }))
    assert.equal(await conn.command(["ACL", "WHOAMI"]), "alice")
  })

  test("socket takes options of net.connect", async (t) => {
    const asked: string[] = []
    const conn = closing(
      t,
      await Redix.connect({
        host: "redis.test",
        port: server.port,
        socket: {
          lookup: (host, options, callback) => {
            asked.push(host)
            if (options.all) callback(null, [{ address: "127.0.0.1", family: 4 }])
            else callback(null, "127.0.0.1", 4)
          },
        },
      }),
    )
    assert.equal(await conn.command(["PING"]), "PONG")
    assert.deepEqual([...new Set(asked)], ["redis.test"])
    const family = closing(
      t,
      await Redix.connect({ host: "localhost", port: server.port, socket: { family: 4 } }),
    )
    assert.equal(await family.command(["PING"]), "PONG")
  })

  test("timeout bounds an attempt", async (t) => {
    const silent = await rawServer(t, () => undefined)
    await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: silent.port, timeout: 100 }),
      "timeout",
      "not-sent",
    )
  })

  test("without options a request, an attempt and close take 5 s at most, and the first backoff is half a second", async (t) => {
    const clock = new Clock(t)
    const silent = await rawServer(t, () => undefined)
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const closer = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const left = connectionFailure(closer.command(["SLOW"], { timeout: 60_000 }), "closed", "unknown")
    const [first, second] = fake.connections
    assert.ok(first && second)
    await until(() => hasReceived(second, "SLOW"), { message: "SLOW did not arrive" })
    const { failures } = await refused(t, {})
    await clock.standUntil(() => failures() === 1)
    const settled: string[] = []
    const note = (what: string, promise: Promise<unknown>): Promise<unknown> =>
      promise.finally(() => settled.push(what))
    const all = [
      note("request", connectionFailure(conn.command(["SLOW"]), "timeout", "unknown")),
      note(
        "attempt",
        connectionFailure(Redix.connect({ host: "127.0.0.1", port: silent.port }), "timeout", "not-sent"),
      ),
      note("close", closer.close()),
    ]
    await clock.standUntil(() => hasReceived(first, "SLOW"))
    await clock.pass(245)
    assert.equal(failures(), 1)
    await clock.pass(260)
    await clock.standUntil(() => failures() === 2)
    await clock.pass(5000 - 245 - 260 - 10)
    assert.deepEqual(settled, [])
    await clock.pass(20)
    await clock.stand(Promise.all([...all, left]))
  })

  test("the wait before a reconnection starts at backoffInitial, spread by jitter within [0.5, 1] of it", async (t) => {
    const clock = new Clock(t)
    for (let round = 0; round < 3; round++) {
      const { conn, failures } = await refused(t, { backoffInitial: 200 })
      await clock.standUntil(() => failures() === 1)
      await clock.pass(95)
      assert.equal(conn.status, "disconnected")
      await clock.pass(110)
      await clock.standUntil(() => failures() === 2)
      conn.destroy()
    }
  })

  test("the wait grows by 1.5 at every attempt", async (t) => {
    const clock = new Clock(t)
    const { conn, failures } = await refused(t, { backoffInitial: 40 })
    for (let attempt = 0; attempt < 6; attempt++) {
      await clock.standUntil(() => failures() === attempt + 1)
      const wait = 40 * 1.5 ** attempt
      // The jitter leaves at least one half.
      await clock.pass(Math.floor(wait / 2) - 2)
      assert.equal(conn.status, "disconnected", `before attempt ${attempt}`)
      await clock.pass(Math.ceil(wait / 2) + 4)
    }
    await clock.standUntil(() => failures() === 7)
  })

  test("backoffMax bounds the wait", async (t) => {
    const clock = new Clock(t)
    const { failures } = await refused(t, { backoffInitial: 10, backoffMax: 20 })
    for (let attempt = 1; attempt < 20; attempt++) {
      await clock.standUntil(() => failures() === attempt)
      await clock.pass(22)
    }
    await clock.standUntil(() => failures() === 20)
  })

  test("the wait starts over after a connection that was up", async (t) => {
    const clock = new Clock(t)
    const fake = await fakeServer(t)
    const conn = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, backoffInitial: 20, backoffMax: 60_000 }),
    )
    for (let drop = 0; drop < 20; drop++) {
      const lost = nextDisconnection(conn)
      const back = nextConnection(conn)
      fake.connections[drop]?.reset()
      await lost
      await clock.pass(22)
      await clock.stand(back)
    }
  })

  test("exitOnDisconnection: the first disconnection ends the connection for good", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(
      t,
      await Redix.connect({
        host: "127.0.0.1",
        port: fake.port,
        backoffInitial: 1,
        exitOnDisconnection: true,
      }),
    )
    const event = nextDisconnection(conn)
    const inFlight = connectionFailure(conn.command(["SLOW"]), "disconnected", "unknown")
    await until(() => fake.connections[0] && hasReceived(fake.connections[0], "SLOW"), { message: "no SLOW" })
    fake.connections[0]?.reset()
    assert.equal((await inFlight).final, true)
    const { error } = await event
    assert.equal(error.final, true)
    assert.ok((await conn.closed) instanceof ConnectionError)
    assert.equal(conn.status, "closed")
    const after = await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    assert.equal(after.final, true)
    assert.equal(fake.connections.length, 1)
  })

  test("exitOnDisconnection: a failed first attempt ends it as well", async (t) => {
    const conn = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: await freePort(), exitOnDisconnection: true }),
    )
    const waiting = connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    const ready = rejection(conn.ready())
    const error = await conn.closed
    assertConnectionError(error, "refused")
    assert.equal(error.final, true)
    assert.equal((await waiting).final, true)
    assert.ok((await ready) instanceof ConnectionError)
    assert.equal(conn.status, "closed")
  })

  test("clientName is set and set again", async (t) => {
    const conn = closing(t, await Redix.connect({ ...at(), clientName: "worker-1", backoffInitial: 10 }))
    assert.equal(await conn.command(["CLIENT", "GETNAME"]), "worker-1")
    const back = nextConnection(conn)
    await server.send("CLIENT", "KILL", "ID", String(await conn.command(["CLIENT", "ID"])))
    await back
    assert.equal(await conn.command(["CLIENT", "GETNAME"]), "worker-1")
  })

  test("protocol is 2 by default, 3 when asked for, and stands on the connection", async (t) => {
    const two = closing(t, await Redix.connect(at()))
    const three = closing(t, await Redix.connect({ ...at(), protocol: 3 }))
    assert.equal(two.protocol, 2)
    assert.equal(three.protocol, 3)
    assert.match(String(await two.command(["CLIENT", "INFO"])), / resp=2/)
    assert.match(String(await three.command(["CLIENT", "INFO"])), / resp=3/)
  })

  test("maxInFlight: what is beyond it rejects at once with overloaded, and nothing of it is sent", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? `+${command[1]}\r\n` : undefined))
    const conn = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, maxInFlight: 3, commandTimeout: 60_000 }),
    )
    const first = conn.command(["SLOW", "1"])
    const second = conn.pipeline([
      ["SLOW", "2"],
      ["SLOW", "3"],
      ["SLOW", "4"],
    ])
    const third = conn.command(["SLOW", "5"])
    const error = await connectionFailure(conn.command(["SET", "never", "1"]), "overloaded", "not-sent")
    assert.equal(error.final, false)
    await connectionFailure(conn.pipeline([["SET", "never", "2"]]), "overloaded", "not-sent")
    await connectionFailure(conn.transactionPipeline([["SET", "never", "3"]]), "overloaded", "not-sent")
    await connectionFailure(conn.noreplyCommand(["SET", "never", "4"]), "overloaded", "not-sent")
    const connection = fake.connections[0]
    assert.ok(connection)
    await until(() => hasReceived(connection, "5"), { message: "5 did not arrive" })
    connection.write("+1\r\n+2\r\n+3\r\n+4\r\n+5\r\n")
    assert.deepEqual(await Promise.all([first, second, third]), ["1", ["2", "3", "4"], "5"])
    assert.equal(await conn.command(["ECHO", "room"]), "room")
    assert.equal(hasReceived(connection, "never"), false)
  })

  test("maxInFlight: a timed out request counts until its reply has come", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? `+${command[1]}\r\n` : undefined))
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, maxInFlight: 1 }))
    await connectionFailure(conn.command(["SLOW"], { timeout: 50 }), "timeout")
    await connectionFailure(conn.command(["ECHO", "x"]), "overloaded", "not-sent")
    fake.connections[0]?.write("+late\r\n")
    await until(async () => (await conn.safe.command(["ECHO", "x"])).ok, { message: "no room again" })
  })

  test("maxInFlight: requests that wait for the connection count too", async (t) => {
    const silent = await rawServer(t, () => undefined)
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: silent.port, maxInFlight: 2 }))
    const waiting = [
      connectionFailure(conn.command(["PING"]), "closed"),
      connectionFailure(conn.command(["PING"]), "closed"),
    ]
    await connectionFailure(conn.command(["PING"]), "overloaded", "not-sent")
    conn.destroy()
    await Promise.all(waiting)
  })

  test("maxInFlight counts nothing twice and forgets nothing over drops, aborts and timeouts", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? `+${command[1]}\r\n` : undefined))
    const conn = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, maxInFlight: 2, backoffInitial: 10 }),
    )
    for (let round = 0; round < 5; round++) {
      const controller = new AbortController()
      const aborted = rejection(conn.command(["NEVER"], { signal: controller.signal }))
      controller.abort()
      await aborted
      await connectionFailure(conn.command(["SLOW"], { timeout: 20 }), "timeout")
      const dropped = connectionFailure(conn.command(["SLOW"]), "disconnected")
      const connection = fake.connections[round]
      assert.ok(connection)
      await until(() => connection.received.filter(([name]) => name === "SLOW").length === 2, {
        message: "no SLOW",
      })
      const back = nextConnection(conn)
      connection.reset()
      await dropped
      await back
      const replies = await Promise.all([conn.command(["ECHO", "a"]), conn.command(["ECHO", "b"])])
      assert.deepEqual(replies, ["a", "b"])
    }
  })

  test("readonly issues READONLY; not without it", async (t) => {
    const fake = await fakeServer(t)
    closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false, readonly: true }))
    assert.deepEqual(fake.connections[0]?.received, [["PING"]])
    assert.deepEqual(fake.connections[1]?.received, [["READONLY"]])
  })
})
