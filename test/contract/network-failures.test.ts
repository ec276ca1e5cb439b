/** Section 3 of the contract, *What happens when the network fails (the promises)*. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { ConnectionError, Redix, type RedixOptions } from "@redix/client"
import { type FakeConnection, FakeServer, handshake } from "../../support/fake-server.ts"
import { FaultProxy } from "../../support/proxy.ts"
import { freePort, RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { Clock } from "../util/clock.ts"
import {
  assertConnectionError,
  atLeast,
  closing,
  connectionFailure,
  echoing,
  fakeServer,
  hasReceived,
  nextConnection,
  nextDisconnection,
  nextFailedConnection,
  rawServer,
  sharedConnection,
  turn,
  uniqueKey,
} from "./helpers.ts"

const { server, conn: direct } = await sharedConnection()

/** A connection to the real server through a proxy that can fail. */
async function proxied(t: TestContext, options: RedixOptions = {}) {
  const proxy = await FaultProxy.start({ host: server.host, port: server.port })
  t.after(() => proxy.stop())
  const conn = closing(
    t,
    await Redix.connect({
      host: "127.0.0.1",
      port: proxy.port,
      backoffInitial: 10,
      backoffMax: 50,
      ...options,
    }),
  )
  return { proxy, conn }
}

const arrived = (connection: FakeConnection, text: string) =>
  until(() => hasReceived(connection, text), { message: `${text} did not arrive` })

const causeReason = (error: Error): unknown =>
  error.cause instanceof ConnectionError ? error.cause.reason : undefined

describe("requests while there is no connection", () => {
  test("issued during the first attempt they wait for its result, in order and before newer ones", async (t) => {
    let letIn: (() => void) | undefined
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] === "ECHO") return `+${command[1]}\r\n`
      if (command[0] !== "PING") return undefined
      letIn = () => connection.write("+PONG\r\n")
      return ""
    })
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    const early = [conn.command(["ECHO", "1"]), conn.command(["ECHO", "2"])]
    await until(() => letIn, { message: "no handshake" })
    early.push(conn.command(["ECHO", "3"]))
    conn.once("connection", () => {
      early.push(conn.command(["ECHO", "4"]))
    })
    letIn?.()
    await conn.ready()
    assert.deepEqual(await Promise.all(early), ["1", "2", "3", "4"])
    assert.deepEqual(
      fake.connections[0]?.received.filter(([name]) => name === "ECHO").map(([, tag]) => tag),
      ["1", "2", "3", "4"],
    )
  })

  test("issued during a later attempt they wait for its result too", async (t) => {
    let attempts = 0
    let letIn: (() => void) | undefined
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] === "ECHO") return `+${command[1]}\r\n`
      if (command[0] !== "PING") return undefined
      attempts += 1
      if (attempts === 1) return "+PONG\r\n"
      letIn = () => connection.write("+PONG\r\n")
      return ""
    })
    const conn = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false, backoffInitial: 10 }),
    )
    fake.connections[0]?.reset()
    await until(() => letIn, { message: "no second handshake" })
    assert.equal(conn.status, "connecting")
    const waiting = conn.command(["ECHO", "waited"])
    letIn?.()
    assert.equal(await waiting, "waited")
  })

  test("they wait within their timeout", async (t) => {
    const silent = await rawServer(t, () => undefined)
    const conn = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: silent.port, timeout: 60_000, commandTimeout: 50 }),
    )
    await connectionFailure(conn.command(["PING"]), "timeout", "not-sent")
    await connectionFailure(conn.pipeline([["PING"]], { timeout: 30 }), "timeout", "not-sent")
    await connectionFailure(conn.transactionPipeline([["PING"]], { timeout: 30 }), "timeout", "not-sent")
    await connectionFailure(conn.noreplyCommand(["PING"], { timeout: 30 }), "timeout", "not-sent")
    assert.equal(conn.status, "connecting")
  })

  test("the timeout is one deadline over waiting and wire", async (t) => {
    let letIn: (() => void) | undefined
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] !== "PING") return undefined
      letIn = () => connection.write("+PONG\r\n")
      return ""
    })
    const conn = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: fake.port, clientInfo: false, timeout: 60_000 }),
    )
    const order: string[] = []
    const note = (name: string) => () => {
      order.push(name)
    }
    const early = connectionFailure(conn.command(["SLOW"], { timeout: 700 }), "timeout", "unknown").then(
      note("early"),
    )
    await until(() => letIn, { message: "no handshake" })
    await atLeast(500)
    letIn?.()
    await conn.ready()
    const late = connectionFailure(conn.command(["SLOW"], { timeout: 600 }), "timeout", "unknown").then(
      note("late"),
    )
    await Promise.all([early, late])
    assert.deepEqual(order, ["early", "late"])
  })

  test("what waited for a failed attempt rejects with closed, not sent, the attempt's error the cause", async (t) => {
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: await freePort() }))
    const waiting = [
      connectionFailure(conn.command(["PING"]), "closed", "not-sent"),
      connectionFailure(conn.pipeline([["PING"]]), "closed", "not-sent"),
      connectionFailure(conn.transactionPipeline([["PING"]]), "closed", "not-sent"),
      connectionFailure(conn.noreplyCommand(["PING"]), "closed", "not-sent"),
    ]
    const { error: attempt } = await nextFailedConnection(conn)
    for (const error of await Promise.all(waiting)) {
      assert.ok(error.cause instanceof ConnectionError)
      assert.equal(error.cause.reason, "refused")
      assert.equal(error.cause.message, attempt.message)
      assert.equal(error.final, false)
    }
  })

  test("likewise for an attempt that fails by its handshake or its timeout", async (t) => {
    const refusing = await fakeServer(t, (command) =>
      command[0] === "AUTH" ? "-WRONGPASS no\r\n" : undefined,
    )
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: refusing.port, password: "x" }))
    const error = await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    assert.equal(causeReason(error), "authentication")
    const silent = await rawServer(t, () => undefined)
    const slow = closing(t, Redix.start({ host: "127.0.0.1", port: silent.port, timeout: 100 }))
    const late = await connectionFailure(slow.command(["PING"], { timeout: 60_000 }), "closed", "not-sent")
    assert.equal(causeReason(late), "timeout")
  })

  test("issued between attempts they reject at once with closed: there is no offline queue", async (t) => {
    const clock = new Clock(t)
    const conn = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: await freePort(), backoffInitial: 60_000 }),
    )
    await nextFailedConnection(conn)
    const options = { timeout: 60_000 }
    for (const call of [
      () => conn.command(["PING"], options),
      () => conn.pipeline([["PING"]], options),
      () => conn.transactionPipeline([["PING"]], options),
      () => conn.noreplyCommand(["PING"], options),
      () => conn.noreplyPipeline([["PING"]], options),
    ]) {
      const error = await clock.stand(connectionFailure(call(), "closed", "not-sent"))
      assert.equal(error.final, false)
    }
  })

  test("many requests between attempts all reject, and none of them runs later", async (t) => {
    const { fake, conn, connection } = await echoing(t, { backoffInitial: 300, backoffMax: 300 })
    const dropped = nextDisconnection(conn)
    connection.reset()
    await dropped
    const all = Array.from({ length: 10_000 }, () =>
      connectionFailure(conn.command(["SET", "never", "1"]), "closed"),
    )
    await Promise.all(all)
    await conn.ready({ timeout: 10_000 })
    assert.equal(await conn.command(["ECHO", "x"]), "x")
    assert.ok(!fake.connections.some((each) => hasReceived(each, "never")))
  })
})

describe("requests in flight when the connection drops", () => {
  for (const [how, drop] of [
    ["is reset", (connection: FakeConnection) => connection.reset()],
    ["is ended by the server", (connection: FakeConnection) => connection.end()],
  ] as const) {
    test(`reject with disconnected when it ${how}, and are never sent again`, async (t) => {
      const { fake, conn, connection } = await echoing(t)
      const dropped = nextDisconnection(conn)
      const failures = [
        connectionFailure(conn.command(["INCR", "never again"]), "disconnected", "unknown"),
        connectionFailure(
          conn.pipeline([
            ["INCR", "never again"],
            ["GET", "never again"],
          ]),
          "disconnected",
          "unknown",
        ),
        connectionFailure(conn.transactionPipeline([["INCR", "never again"]]), "disconnected", "unknown"),
        connectionFailure(conn.noreplyCommand(["LAST", "never again"]), "disconnected", "unknown"),
      ]
      await until(() => connection.received.some(([name]) => name === "LAST"), {
        message: "LAST did not arrive",
      })
      const back = nextConnection(conn)
      drop(connection)
      const errors = await Promise.all(failures)
      for (const error of errors) {
        assert.equal(error.final, false)
        assert.equal(error.address, `127.0.0.1:${fake.port}`)
      }
      assertConnectionError((await dropped).error, "disconnected")
      await back
      assert.equal(await conn.command(["ECHO", "next"]), "next")
      const second = fake.connections[1]
      assert.ok(second)
      assert.equal(hasReceived(second, "never again"), false)
    })
  }

  test("cause says why", async (t) => {
    const { conn, connection } = await echoing(t)
    const slow = connectionFailure(conn.command(["SLOW"]), "disconnected", "unknown")
    await arrived(connection, "SLOW")
    connection.reset()
    const { cause } = await slow
    assert.ok(cause instanceof Error)
    assert.equal((cause as { code?: string }).code, "ECONNRESET")
  })

  test("a real server that is killed: disconnected, then refused and closed, then back", async (t) => {
    const own = await RedisServer.start()
    t.after(() => own.stop())
    const conn = closing(
      t,
      await Redix.connect({ host: own.host, port: own.port, backoffInitial: 20, backoffMax: 50 }),
    )
    const dropped = nextDisconnection(conn)
    const failed = nextFailedConnection(conn)
    const pop = connectionFailure(conn.command(["BLPOP", "k", 0]), "disconnected", "unknown")
    await until(async () => String(await own.send("INFO", "clients")).includes("blocked_clients:1"))
    await own.kill("SIGKILL")
    await pop
    assertConnectionError((await dropped).error, "disconnected")
    assertConnectionError((await failed).error, "refused")
    await own.restart()
    await conn.ready({ timeout: 20_000 })
    assert.equal(await conn.command(["PING"]), "PONG")
  })

  test("10,000 of them all settle", async (t) => {
    const { conn, connection } = await echoing(t)
    const all = Array.from({ length: 10_000 }, (_, index) =>
      connectionFailure(conn.command(["SLOW", `tag ${index}`]), "disconnected", "unknown"),
    )
    await until(() => connection.received.length >= 10_001, { message: "not all arrived" })
    connection.reset()
    await Promise.all(all)
  })

  test("replies that came before the drop reach their callers", async (t) => {
    const { conn, connection } = await echoing(t)
    const first = conn.command(["FIRST"])
    const second = connectionFailure(conn.command(["SECOND"]), "disconnected", "unknown")
    await arrived(connection, "SECOND")
    connection.write("+first\r\n+sec")
    connection.end()
    assert.equal(await first, "first")
    await second
  })

  test("a partial reply is dropped with its connection and does not leak into the next", async (t) => {
    const { conn, connection } = await echoing(t)
    const slow = connectionFailure(conn.command(["SLOW"]), "disconnected", "unknown")
    await arrived(connection, "SLOW")
    const back = nextConnection(conn)
    connection.write("*3\r\n$5\r\nhel")
    await turn()
    connection.reset()
    await slow
    await back
    assert.equal(await conn.command(["ECHO", "clean"]), "clean")
  })

  test("what was not yet handed to the socket is not sent", async (t) => {
    const { conn, connection } = await echoing(t, { commandTimeout: 60_000 })
    connection.pause()
    const sent = connectionFailure(
      conn.command(["LARGE", Buffer.alloc(64 * 1024 * 1024)]),
      "disconnected",
      "unknown",
    )
    await atLeast(50)
    const unsent = connectionFailure(conn.command(["SET", "never", "1"]), "disconnected", "not-sent")
    await turn()
    connection.reset()
    await unsent
    await sent
  })

  test("a command runs at most once for each call, also when its reply is lost", async (t) => {
    const { proxy, conn } = await proxied(t)
    const keys: string[] = []
    let rejected = 0
    for (let round = 0; round < 10; round++) {
      await conn.ready({ timeout: 10_000 })
      const key = uniqueKey("once")
      keys.push(key)
      proxy.blackhole("to-client")
      const incr = conn.command(["INCR", key]).catch((error: unknown) => {
        assertConnectionError(error, "disconnected", "unknown")
        rejected += 1
      })
      await until(async () => (await direct.command(["GET", key])) === "1", { message: "INCR did not run" })
      const back = nextConnection(conn)
      proxy.reset()
      proxy.restore()
      await incr
      await back
    }
    for (const key of keys) assert.equal(await direct.command(["GET", key]), "1")
    assert.equal(rejected, 10)
  })

  test("CLIENT KILL and QUIT are disconnections like any other", async (t) => {
    const conn = closing(
      t,
      await Redix.connect({ host: server.host, port: server.port, backoffInitial: 10, backoffMax: 50 }),
    )
    let back = nextConnection(conn)
    await server.send("CLIENT", "KILL", "ID", String(await conn.command(["CLIENT", "ID"])))
    await back
    assert.equal(await conn.command(["PING"]), "PONG")
    back = nextConnection(conn)
    assert.equal(await conn.command(["QUIT"]), "OK")
    await back
    assert.equal(await conn.command(["PING"]), "PONG")
  })
})

describe("bytes that nobody can account for", () => {
  for (const [what, bytes] of [
    ["an unknown type", "hello\r\n"],
    ["an integer that is none", ":12a\r\n"],
    ["an empty integer", ":\r\n"],
    ["a length that is none", "$x\r\nabc\r\n"],
    ["a length below -1", "$-2\r\n"],
    ["an array length below -1", "*-2\r\n"],
    ["a bulk string without its CRLF", "$3\r\nabcXY"],
    ["a length with a sign in it", "$1-1\r\nabc\r\n"],
    ["a CR without LF", "+OK\rX\n"],
    ["an unknown type inside an array", "*2\r\n:1\r\nhello\r\n"],
    ["an attribute or push in RESP2, or another unknown type", "@3\r\nabc\r\n"],
  ] as const) {
    test(`${what} drops the connection`, async (t) => {
      const { fake, conn, connection } = await echoing(t)
      const dropped = nextDisconnection(conn)
      const back = nextConnection(conn)
      const first = connectionFailure(conn.command(["FIRST"]), "disconnected", "unknown")
      const second = connectionFailure(conn.command(["SECOND"]), "disconnected", "unknown")
      await arrived(connection, "SECOND")
      connection.write(bytes)
      for (const error of await Promise.all([first, second]))
        assert.equal(causeReason(error), "protocol-error")
      assertConnectionError((await dropped).error, "protocol-error")
      await back
      await connection.closed
      assert.equal(await conn.command(["ECHO", "next"]), "next")
      assert.equal(fake.connections.length, 2)
    })
  }

  test("a reply that nobody asked for drops the connection and reaches no later caller", async (t) => {
    for (const bytes of ["+stray\r\n", ":1\r\n", "-ERR stray\r\n", "$3\r\nabc\r\n", "*0\r\n"]) {
      const { conn, connection } = await echoing(t)
      const dropped = nextDisconnection(conn)
      const back = nextConnection(conn)
      connection.write(bytes)
      assertConnectionError((await dropped).error, "protocol-error")
      await back
      assert.equal(await conn.command(["ECHO", "mine"]), "mine")
    }
  })

  test("a reply too many behind an answer: the answer arrives, the connection is dropped", async (t) => {
    const { conn, connection } = await echoing(t)
    const dropped = nextDisconnection(conn)
    const reply = conn.command(["ASK"])
    await arrived(connection, "ASK")
    connection.write("+mine\r\n+stray\r\n")
    assert.equal(await reply, "mine")
    assertConnectionError((await dropped).error, "protocol-error")
  })

  test("a claimed length of gigabytes is no allocation and no value", async (t) => {
    for (const bytes of [
      "*2147483647\r\n",
      "$9999999999\r\n",
      "*9223372036854775807\r\n",
      "$9223372036854775808\r\n",
    ]) {
      const { conn, connection } = await echoing(t)
      const before = process.memoryUsage().rss
      const slow = conn.command(["SLOW"], { timeout: 200 }).then(
        () => assert.fail("it has no reply"),
        (error: unknown) => error,
      )
      await arrived(connection, "SLOW")
      connection.write(bytes)
      const error = await slow
      assert.ok(error instanceof ConnectionError)
      assert.ok(error.reason === "timeout" || error.reason === "disconnected")
      assert.ok(process.memoryUsage().rss - before < 500 * 1024 * 1024)
      conn.destroy()
    }
  })
})

describe("half-open connections", () => {
  test("nothing coming back for healthCheckInterval tears the socket down and reconnects", async (t) => {
    const { fake, conn } = await echoing(t, { healthCheckInterval: 200 })
    const dropped = nextDisconnection(conn)
    const back = nextConnection(conn)
    const first = connectionFailure(conn.command(["SLOW"]), "disconnected", "unknown")
    const error = await first
    assert.equal(causeReason(error), "health-check-timeout")
    assertConnectionError((await dropped).error, "health-check-timeout")
    await back
    assert.equal(fake.connections.length, 2)
    assert.equal(await conn.command(["ECHO", "x"]), "x")
  })

  test("through a network that swallows everything", async (t) => {
    const { proxy, conn } = await proxied(t, { healthCheckInterval: 600 })
    const dropped = nextDisconnection(conn)
    proxy.blackhole("both")
    const slow = connectionFailure(conn.command(["PING"]), "disconnected", "unknown")
    await slow
    assertConnectionError((await dropped).error, "health-check-timeout")
    proxy.restore()
    await conn.ready({ timeout: 20_000 })
    assert.equal(await conn.command(["PING"]), "PONG")
  })

  test("not before the interval has passed", async (t) => {
    const { conn } = await echoing(t, { healthCheckInterval: 400 })
    const start = performance.now()
    await connectionFailure(conn.command(["SLOW"]), "disconnected")
    assert.ok(performance.now() - start >= 395)
  })

  test("an idle connection is never torn down, and the check costs no traffic", async (t) => {
    const { fake, conn, connection } = await echoing(t, { healthCheckInterval: 50 })
    const bytes = connection.receivedBytes.length
    await atLeast(400)
    assert.equal(conn.status, "connected")
    assert.equal(connection.receivedBytes.length, bytes)
    assert.equal(fake.connections.length, 1)
    assert.equal(await conn.command(["ECHO", "x"]), "x")
  })

  test("the clock runs from the last byte received: a slow reply is progress", async (t) => {
    const { fake, conn, connection } = await echoing(t, { healthCheckInterval: 1_000 })
    const slow = conn.command(["SLOW"], { encoding: "utf8" })
    await arrived(connection, "SLOW")
    // 8 pieces, 200 ms apart: longer than the interval, never silent for as long.
    await connection.writeInPieces("$8\r\nabcdefgh\r\n", 2, 200)
    assert.equal(await slow, "abcdefgh")
    assert.equal(fake.connections.length, 1)
  })

  test("a finite timeout given with the oldest request raises the limit for it", async (t) => {
    const { fake, conn, connection } = await echoing(t, { healthCheckInterval: 100 })
    const slow = conn.command(["SLOW"], { timeout: 60_000 })
    await arrived(connection, "SLOW")
    await atLeast(500)
    connection.write("+slow\r\n")
    assert.equal(await slow, "slow")
    assert.equal(fake.connections.length, 1)
  })

  test("commandTimeout does not raise it, nor does an infinite timeout", async (t) => {
    const { conn } = await echoing(t, { healthCheckInterval: 100, commandTimeout: 60_000 })
    const first = await connectionFailure(conn.command(["SLOW"]), "disconnected", "unknown")
    assert.equal(causeReason(first), "health-check-timeout")
    await conn.ready({ timeout: 10_000 })
    const second = await connectionFailure(
      conn.command(["SLOW"], { timeout: Number.POSITIVE_INFINITY }),
      "disconnected",
      "unknown",
    )
    assert.equal(causeReason(second), "health-check-timeout")
  })

  test("Infinity is never", async (t) => {
    const { fake, conn, connection } = await echoing(t, { healthCheckInterval: Number.POSITIVE_INFINITY })
    const slow = conn.command(["SLOW"])
    await arrived(connection, "SLOW")
    await atLeast(300)
    connection.write("+slow\r\n")
    assert.equal(await slow, "slow")
    assert.equal(fake.connections.length, 1)
  })

  test("a request that timed out still counts: the connection of it is half open", async (t) => {
    const { conn } = await echoing(t, { healthCheckInterval: 300 })
    const dropped = nextDisconnection(conn)
    await connectionFailure(conn.command(["SLOW"], { timeout: 50 }), "timeout", "unknown")
    assertConnectionError((await dropped).error, "health-check-timeout")
  })
})

describe("connection attempts that fail", () => {
  test("are reported and tried again for ever, whatever the reason", async (t) => {
    const password = { fails: true }
    const cases: [string, RedixOptions, (port: number) => Promise<FakeServer | undefined>][] = [
      ["refused", {}, () => Promise.resolve(undefined)],
      ["timeout", { timeout: 30 }, (port) => FakeServer.start(() => undefined, { port })],
      [
        "authentication",
        { password: "x" },
        (port) =>
          FakeServer.start(
            (connection) => {
              connection.onCommand = () => "-WRONGPASS invalid username-password pair\r\n"
            },
            { port },
          ),
      ],
      [
        "handshake",
        {},
        (port) =>
          FakeServer.start(
            (connection) => {
              connection.write("-ERR max number of clients reached\r\n")
              connection.end()
            },
            { port },
          ),
      ],
      [
        "authentication",
        {
          password: () => {
            if (password.fails) throw new Error("no password today")
            return "x"
          },
        },
        () => Promise.resolve(undefined),
      ],
    ]
    for (const [reason, options, serve] of cases) {
      password.fails = true
      const port = await freePort()
      const bad = await serve(port)
      const conn = closing(
        t,
        Redix.start({ host: "127.0.0.1", port, backoffInitial: 5, backoffMax: 20, ...options }),
      )
      for (let attempt = 0; attempt < 5; attempt++) {
        assertConnectionError((await nextFailedConnection(conn)).error, reason, "not-sent")
      }
      await bad?.stop()
      password.fails = false
      const good = await FakeServer.start(
        (connection) => {
          connection.onCommand = (command) => handshake(command)
        },
        { port },
      )
      t.after(() => good.stop())
      await conn.ready({ timeout: 20_000 })
      assert.equal(conn.status, "connected", reason)
      conn.destroy()
    }
  })

  test("a server that accepts and closes is no hot loop", async (t) => {
    const clock = new Clock(t)
    const closer = await rawServer(t, (connection) => connection.end())
    const conn = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: closer.port, backoffInitial: 100, backoffMax: 100 }),
    )
    let failures = 0
    conn.on("failedConnection", () => {
      failures += 1
    })
    for (let attempt = 1; attempt <= 5; attempt++) {
      await clock.standUntil(() => failures === attempt)
      assert.equal(closer.connections.length, attempt)
      await clock.pass(45)
      assert.equal(conn.status, "disconnected", "the wait is half of the backoff at least")
      await clock.pass(60)
    }
    assert.notEqual(conn.status, "connected")
  })

  test("a server that comes later is found", async (t) => {
    const port = await freePort()
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port, backoffInitial: 10, backoffMax: 50 }))
    await nextFailedConnection(conn)
    const late = await RedisServer.start({ port })
    t.after(() => late.stop())
    await conn.ready({ timeout: 20_000 })
    assert.equal(await conn.command(["PING"]), "PONG")
  })
})

describe("replies and their callers", () => {
  test("a reply reaches only the call that it answers, through drops, timeouts, aborts and split packets", async (t) => {
    const { proxy, conn } = await proxied(t, { commandTimeout: 2_000 })
    proxy.split(3)
    let answered = 0
    let answeredBefore = 0
    const calls: Promise<void>[] = []
    for (let index = 0; index < 1_500; index++) {
      const tag = `tag-${index}`
      const options =
        index % 7 === 0 ? { timeout: 1 } : index % 11 === 0 ? { signal: AbortSignal.timeout(1) } : {}
      calls.push(
        conn.command(["ECHO", tag], options).then(
          (reply) => {
            assert.equal(reply, tag)
            answered += 1
          },
          (error: unknown) => {
            assert.ok(
              error instanceof ConnectionError || (error instanceof Error && error.name === "TimeoutError"),
            )
          },
        ),
      )
      if (index % 100 === 99) await turn()
      if (index % 500 === 499) {
        // On a busy machine, each reset could come before any reply.
        await until(() => answered > answeredBefore)
        answeredBefore = answered
        proxy.reset()
        await conn.ready({ timeout: 20_000 })
      }
    }
    await Promise.all(calls)
    proxy.restore()
    await conn.ready({ timeout: 20_000 })
    assert.equal(await conn.command(["ECHO", "end"], { timeout: 20_000 }), "end")
    assert.ok(answered > 0)
  })

  test("a server that is stopped and goes on answers late, and to nobody else", async (t) => {
    const own = await RedisServer.start()
    t.after(() => own.stop())
    const conn = closing(t, await Redix.connect({ host: own.host, port: own.port }))
    own.pause()
    const late = connectionFailure(conn.command(["ECHO", "late"], { timeout: 100 }), "timeout", "unknown")
    await late
    const next = conn.command(["ECHO", "next"], { timeout: 20_000 })
    own.resume()
    assert.equal(await next, "next")
  })
})
