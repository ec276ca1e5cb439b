/** Section 3 of the contract, the handshake: its bytes, its order, and which answers fail an attempt. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { RedisError, Redix, type RedixOptions } from "@redix/client"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import {
  assertConnectionError,
  closing,
  connectionFailure,
  fakeServer,
  hasReceived,
  nextConnection,
  nextFailedConnection,
  rawServer,
  redisFailure,
  rejection,
  sharedServer,
  turn,
  wire,
} from "./helpers.ts"

const server = await sharedServer()

describe("handshake", () => {
  /** The bytes that a connection sends to a server which says nothing. */
  async function firstBytes(t: TestContext, options: RedixOptions, length: number): Promise<string> {
    const silent = await rawServer(t, () => undefined)
    closing(t, Redix.start({ host: "127.0.0.1", port: silent.port, timeout: 60_000, ...options }))
    const connection = await silent.nextConnection()
    await until(() => connection.receivedBytes.length >= length, {
      message: () => `not all of the handshake came before the first reply: ${connection.receivedBytes}`,
    })
    await turn()
    return connection.receivedBytes.toString("utf8")
  }

  async function sends(t: TestContext, options: RedixOptions, ...commands: string[][]): Promise<void> {
    const expected = wire(...commands)
    assert.equal(await firstBytes(t, options, Buffer.byteLength(expected)), expected)
  }

  /** How the first attempt fails when the server answers this command so. */
  async function failsWith(
    t: TestContext,
    answer: string,
    command: string,
    reason: string,
    options: RedixOptions = {},
  ): Promise<Error> {
    const fake = await fakeServer(t, ([name = "", second = ""]) =>
      [name.toUpperCase(), `${name} ${second}`.toUpperCase()].includes(command) ? answer : undefined,
    )
    const error = await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: fake.port, ...options }),
      reason,
      "not-sent",
    )
    return error
  }

  test("a PING is sent if there is nothing else to send", async (t) => {
    await sends(t, { clientInfo: false }, ["PING"])
  })

  test("all of it is one write, in the contract's order, and no PING then", async (t) => {
    await sends(
      t,
      {
        clientInfo: false,
        username: "us:er",
        password: "pässword",
        database: 3,
        clientName: "worker",
        readonly: true,
      },
      ["AUTH", "us:er", "pässword"],
      ["SELECT", "3"],
      ["CLIENT", "SETNAME", "worker"],
      ["READONLY"],
    )
  })

  test("with protocol 3 HELLO comes first and carries the credentials", async (t) => {
    await sends(t, { clientInfo: false, protocol: 3 }, ["HELLO", "3"])
    await sends(
      t,
      { clientInfo: false, protocol: 3, username: "user", password: "pw", database: 1 },
      ["HELLO", "3", "AUTH", "user", "pw"],
      ["SELECT", "1"],
    )
    await sends(t, { clientInfo: false, protocol: 3, password: "pw" }, [
      "HELLO",
      "3",
      "AUTH",
      "default",
      "pw",
    ])
  })

  test("a password alone is AUTH with one argument; a username alone is no AUTH", async (t) => {
    await sends(t, { clientInfo: false, password: "pw" }, ["AUTH", "pw"])
    await sends(t, { clientInfo: false, username: "user" }, ["PING"])
  })

  test("CLIENT SETINFO comes twice, last, with the driver's name and version", async (t) => {
    const text = await firstBytes(t, { database: 2 }, 60)
    const fake = await fakeServer(t)
    closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, database: 2 }))
    const received = fake.connections[0]?.received ?? []
    assert.equal(text, wire(...received))
    assert.equal(received.length, 3)
    assert.deepEqual(received[0], ["SELECT", "2"])
    assert.equal(received[1]?.slice(0, 3).join(" ").toUpperCase(), "CLIENT SETINFO LIB-NAME")
    assert.match(String(received[1]?.[3]), /^[!-~]*redix[!-~]*$/i)
    assert.equal(received[2]?.slice(0, 3).join(" ").toUpperCase(), "CLIENT SETINFO LIB-VER")
    assert.match(String(received[2]?.[3]), /^\d+\.\d+\.\d+\S*$/)
  })

  test("clientInfo is sent by default and suffices as the handshake", async (t) => {
    const fake = await fakeServer(t)
    closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    assert.deepEqual(
      fake.connections[0]?.received.map((command) => command.slice(0, 3).join(" ").toUpperCase()),
      ["CLIENT SETINFO LIB-NAME", "CLIENT SETINFO LIB-VER"],
    )
  })

  test("connected is only said after the replies, and no request is sent before", async (t) => {
    let letIn: (() => void) | undefined
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] === "GET") return "+value\r\n"
      if (command[0] !== "READONLY") return undefined
      letIn = () => connection.write("+OK\r\n")
      return ""
    })
    const own = closing(
      t,
      Redix.start({
        host: "127.0.0.1",
        port: fake.port,
        clientInfo: false,
        clientName: "n",
        readonly: true,
        timeout: 60_000,
      }),
    )
    let said = false
    own.on("connection", () => {
      said = true
    })
    const reply = own.command(["GET", "k"])
    const ready = own.ready()
    await until(() => letIn, { message: "no READONLY" })
    await turn()
    assert.equal(own.status, "connecting")
    assert.equal(said, false)
    const connection = fake.connections[0]
    assert.ok(connection)
    assert.equal(hasReceived(connection, "GET"), false)
    letIn?.()
    await ready
    assert.equal(own.status, "connected")
    assert.equal(said, true)
    assert.equal(await reply, "value")
  })

  test("of SETINFO unknown subcommand, wrong number of arguments and NOPERM are ignored", async (t) => {
    for (const answer of [
      "-ERR Unknown subcommand or wrong number of arguments for 'SETINFO'. Try CLIENT HELP.\r\n",
      "-ERR unknown subcommand 'SETINFO'. Try CLIENT HELP.\r\n",
      "-ERR wrong number of arguments for 'client|setinfo' command\r\n",
      "-NOPERM this user has no permissions to run the 'client|setinfo' command\r\n",
    ]) {
      const fake = await fakeServer(t, (command) => {
        if (command[1] === "SETINFO") return answer
        return command[0] === "GET" ? "+v\r\n" : undefined
      })
      const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
      assert.equal(await own.command(["GET", "k"]), "v")
    }
  })

  test("any other error to SETINFO fails the attempt", async (t) => {
    await failsWith(t, "-ERR something else\r\n", "CLIENT SETINFO", "handshake")
    await failsWith(t, "-NOAUTH Authentication required.\r\n", "CLIENT SETINFO", "authentication")
  })

  test("a server of before 7.2, which has no SETINFO, is connected to without a complaint", async (t) => {
    const own = closing(
      t,
      await Redix.connect({ host: server.host, port: server.port, database: 1, clientName: "mine" }),
    )
    assert.equal(await own.command(["CLIENT", "GETNAME"]), "mine")
    assert.match(String(await own.command(["CLIENT", "INFO"])), / db=1 /)
  })

  test("PING answered by LOADING, MASTERDOWN or NOPERM counts as connected; callers see the server's errors", async (t) => {
    for (const code of ["LOADING", "MASTERDOWN", "NOPERM"]) {
      const fake = await fakeServer(t, (command) =>
        command[0] === "PING" || command[0] === "GET" ? `-${code} not now\r\n` : undefined,
      )
      const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
      assert.equal(own.status, "connected")
      await redisFailure(own.command(["GET", "k"]), code)
      assert.equal(fake.connections.length, 1)
    }
  })

  test("PING answered by another error fails the attempt", async (t) => {
    await failsWith(t, "-ERR nothing works\r\n", "PING", "handshake", { clientInfo: false })
    await failsWith(t, "-NOAUTH Authentication required.\r\n", "PING", "authentication", {
      clientInfo: false,
    })
  })

  test("WRONGPASS, NOAUTH and NOPERM on AUTH are reason authentication, the server's error the cause", async (t) => {
    for (const code of ["WRONGPASS", "NOAUTH", "NOPERM"]) {
      const text = `${code} for some reason`
      const error = await failsWith(t, `-${text}\r\n`, "AUTH", "authentication", { password: "pw" })
      assert.ok(error.cause instanceof RedisError)
      assert.equal(error.cause.message, text)
      assert.equal(error.cause.code, code)
      const hello = await failsWith(t, `-${text}\r\n`, "HELLO", "authentication", {
        password: "pw",
        protocol: 3,
      })
      assert.ok(hello.cause instanceof RedisError)
    }
  })

  test("another error reply is reason handshake, the server's error the cause", async (t) => {
    const select = await failsWith(t, "-ERR DB index is out of range\r\n", "SELECT", "handshake", {
      database: 99,
    })
    assert.ok(select.cause instanceof RedisError)
    assert.equal(select.cause.message, "ERR DB index is out of range")
    await failsWith(t, "-ERR no such thing\r\n", "CLIENT SETNAME", "handshake", { clientName: "x" })
    await failsWith(t, "-ERR This instance has cluster support disabled\r\n", "READONLY", "handshake", {
      readonly: true,
    })
    await failsWith(t, "-NOPROTO unsupported protocol version\r\n", "HELLO", "handshake", { protocol: 3 })
  })

  test("the message of a failed attempt says what the server said", async (t) => {
    const error = await failsWith(t, "-ERR DB index is out of range\r\n", "SELECT", "handshake", {
      database: 99,
    })
    assert.match(error.message, /DB index is out of range/)
  })

  test("a real server refuses a wrong password, a wrong user and a wrong database", async () => {
    const { host, port } = server
    await connectionFailure(
      Redix.connect({ host, port, username: "nobody", password: "x" }),
      "authentication",
    )
    const error = await connectionFailure(Redix.connect({ host, port, database: 1_000 }), "handshake")
    assert.match(String(error.cause), /DB index is out of range/)
    // A password for a server that has none.
    assert.ok((await rejection(Redix.connect({ host, port, password: "x" }))).cause instanceof RedisError)
  })

  test("an error instead of the first reply is the attempt's error", async (t) => {
    const text = "ERR max number of clients reached"
    const full = await rawServer(t, (connection) => {
      connection.write(`-${text}\r\n`)
      connection.end()
    })
    const error = await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: full.port }),
      "handshake",
      "not-sent",
    )
    assert.ok(error.cause instanceof RedisError)
    assert.equal(error.cause.message, text)
  })

  test("an error before the first reply, connection kept open, is the attempt's error too", async (t) => {
    const text = "DENIED Redis is running in protected mode because protected mode is enabled"
    const guarded = await rawServer(t, (connection) => {
      connection.write(`-${text}\r\n`)
    })
    const error = await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: guarded.port, password: "pw", database: 1 }),
      "handshake",
    )
    assert.ok(error.cause instanceof RedisError)
    assert.equal(error.cause.message, text)
  })

  test("too many clients of a real server is tried again until there is room", async (t) => {
    const small = await RedisServer.start({ args: ["--maxclients", "1"] })
    t.after(() => small.stop())
    const first = closing(t, await Redix.connect({ host: small.host, port: small.port }))
    const second = closing(
      t,
      Redix.start({ host: small.host, port: small.port, backoffInitial: 20, backoffMax: 50 }),
    )
    const failed = await nextFailedConnection(second)
    assertConnectionError(failed.error, "handshake")
    await first.close()
    await second.ready({ timeout: 10_000 })
    assert.equal(await second.command(["PING"]), "PONG")
  })

  test("a handshake that is not answered within timeout is reason timeout", async (t) => {
    const silent = await rawServer(t, () => undefined)
    await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: silent.port, timeout: 100 }),
      "timeout",
      "not-sent",
    )
  })

  test("a connection that is closed during the handshake fails the attempt", async (t) => {
    const closer = await rawServer(t, (connection) => connection.end())
    const error = await rejection(Redix.connect({ host: "127.0.0.1", port: closer.port }))
    assert.ok("outcome" in error && error.outcome === "not-sent")
  })

  test("something that does not speak Redis is reason protocol-error", async (t) => {
    const web = await rawServer(t, (connection) => {
      connection.onCommand = () => "HTTP/1.1 400 Bad Request\r\n\r\n"
    })
    await connectionFailure(Redix.connect({ host: "127.0.0.1", port: web.port }), "protocol-error")
  })

  test("bytes beyond the handshake's replies are nobody's reply", async (t) => {
    let first = true
    const fake = await fakeServer(t, (command) => {
      if (command[0] === "ECHO") return `+${command[1]}\r\n`
      if (command[0] !== "PING" || !first) return undefined
      first = false
      return "+PONG\r\n+extra\r\n"
    })
    const own = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: fake.port, clientInfo: false, backoffInitial: 10 }),
    )
    const early = await own.safe.command(["ECHO", "early"])
    if (early.ok) assert.equal(early.value, "early")
    await until(() => fake.connections.length === 2, { message: "the connection was not dropped" })
    await own.ready({ timeout: 10_000 })
    assert.equal(await own.command(["ECHO", "mine"]), "mine")
  })

  test("a password function may be sync or async and is asked at every connection", async (t) => {
    for (const asynchronous of [false, true]) {
      let calls = 0
      const next = () => {
        calls += 1
        return `pw${calls}`
      }
      const fake = await fakeServer(t)
      const own = closing(
        t,
        await Redix.connect({
          host: "127.0.0.1",
          port: fake.port,
          backoffInitial: 10,
          clientInfo: false,
          password: asynchronous ? async () => next() : next,
        }),
      )
      const back = nextConnection(own)
      fake.connections[0]?.reset()
      await back
      assert.deepEqual(fake.connections[0]?.received, [["AUTH", "pw1"]])
      assert.deepEqual(fake.connections[1]?.received, [["AUTH", "pw2"]])
    }
  })

  test("a password function that fails is reason authentication, its error the cause; it is asked again", async (t) => {
    const vault = new Error("the vault is sealed")
    for (const failing of [
      () => {
        throw vault
      },
      () => Promise.reject(vault),
    ]) {
      const fake = await fakeServer(t)
      const error = await connectionFailure(
        Redix.connect({ host: "127.0.0.1", port: fake.port, password: failing }),
        "authentication",
        "not-sent",
      )
      assert.equal(error.cause, vault)
      let sealed = true
      const own = closing(
        t,
        Redix.start({
          host: "127.0.0.1",
          port: fake.port,
          backoffInitial: 10,
          password: () => (sealed ? failing() : "open"),
        }),
      )
      const failed = await nextFailedConnection(own)
      assertConnectionError(failed.error, "authentication")
      sealed = false
      await own.ready({ timeout: 10_000 })
    }
  })

  test("a password function that returns no string fails the attempt, and what it returned is not shown", async (t) => {
    const fake = await fakeServer(t)
    const error = await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: fake.port, password: (() => ({ pw: "hunter2" })) as never }),
      "authentication",
    )
    assert.doesNotMatch(`${error.stack}${error.cause}`, /hunter2/)
  })

  test("a password function that never answers is bounded by timeout", async (t) => {
    const fake = await fakeServer(t)
    await connectionFailure(
      Redix.connect({
        host: "127.0.0.1",
        port: fake.port,
        timeout: 100,
        password: () => new Promise<string>(() => undefined),
      }),
      "timeout",
    )
  })

  test("reconnecting repeats the whole handshake", async (t) => {
    const fake = await fakeServer(t)
    const own = closing(
      t,
      await Redix.connect({
        host: "127.0.0.1",
        port: fake.port,
        backoffInitial: 10,
        username: "u",
        password: "p",
        database: 4,
        clientName: "n",
        readonly: true,
        protocol: 3,
      }),
    )
    const back = nextConnection(own)
    fake.connections[0]?.reset()
    await back
    const [first, second] = fake.connections
    assert.ok(first && second)
    assert.deepEqual(first.received.slice(0, 4), [
      ["HELLO", "3", "AUTH", "u", "p"],
      ["SELECT", "4"],
      ["CLIENT", "SETNAME", "n"],
      ["READONLY"],
    ])
    assert.deepEqual(second.received, first.received)
  })

  test("a reply split at every byte completes the handshake", async (t) => {
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] !== "PING") return undefined
      void connection.writeInPieces("+PONG\r\n", 1)
      return ""
    })
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    assert.equal(own.status, "connected")
  })
})
