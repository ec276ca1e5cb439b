/** Section 3 of the contract: ready, close, destroy, closed, status, events, names, duplicate, ref and unref. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  ConnectionError,
  type ConnectionEvent,
  type DisconnectionEvent,
  Redix,
  type Status,
} from "@redix/client"
import { FakeServer, handshake } from "../../support/fake-server.ts"
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
  rejection,
  runNode,
  sharedServer,
  throwsTypeError,
  turn,
  uniqueKey,
} from "./helpers.ts"

const server = await sharedServer()

const at = () => ({ host: server.host, port: server.port })

describe("ready", () => {
  test("resolves when connected, at once if that is so", async (t) => {
    const conn = closing(t, Redix.start(at()))
    assert.equal(await conn.ready(), undefined)
    assert.equal(conn.status, "connected")
    assert.equal(await conn.ready(), undefined)
    assert.equal(await conn.ready({ timeout: 1 }), undefined)
  })

  test("waits over failed attempts until there is a connection", async (t) => {
    const port = await freePort()
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port, backoffInitial: 10, backoffMax: 50 }))
    const ready = conn.ready()
    await nextFailedConnection(conn)
    await nextFailedConnection(conn)
    const late = await FakeServer.start(
      (connection) => {
        connection.onCommand = (command) => handshake(command)
      },
      { port },
    )
    t.after(() => late.stop())
    await ready
    assert.equal(conn.status, "connected")
  })

  test("rejects with timeout after its timeout", async (t) => {
    const silent = await rawServer(t, () => undefined)
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: silent.port }))
    await connectionFailure(conn.ready({ timeout: 50 }), "timeout")
    assert.equal(conn.status, "connecting")
  })

  test("rejects with the signal's reason", async (t) => {
    const silent = await rawServer(t, () => undefined)
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: silent.port }))
    const reason = new Error("mine")
    const controller = new AbortController()
    const ready = assert.rejects(conn.ready({ signal: controller.signal }), (error) => error === reason)
    controller.abort(reason)
    await ready
    await assert.rejects(conn.ready({ signal: AbortSignal.abort(reason) }), (error) => error === reason)
  })

  test("rejects with closed when the connection ends or has ended", async (t) => {
    const silent = await rawServer(t, () => undefined)
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: silent.port }))
    const ready = connectionFailure(conn.ready(), "closed")
    conn.destroy()
    assert.equal((await ready).final, true)
    assert.equal((await connectionFailure(conn.ready(), "closed")).final, true)
  })

  test("a wrong option is a TypeError", async (t) => {
    const conn = closing(t, await Redix.connect(at()))
    await misuse(() => conn.ready({ timeout: -1 }), /timeout/)
    await misuse(() => conn.ready({ signal: 1 } as never), /signal/)
    await misuse(() => conn.ready({ tiemout: 1 } as never), /tiemout/)
  })
})

describe("close", () => {
  test("waits for the replies in flight and stops taking requests", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const connection = fake.connections[0]
    assert.ok(connection)
    const inFlight = conn.command(["SLOW"])
    const sameTurn = conn.command(["LAST"])
    let closed = false
    const close = conn.close().finally(() => {
      closed = true
    })
    const late = await connectionFailure(conn.command(["SET", "never", "1"]), "closed", "not-sent")
    assert.equal(late.final, true)
    assert.equal(conn.status, "closed")
    await until(() => hasReceived(connection, "LAST"), { message: "LAST did not arrive" })
    assert.equal(closed, false)
    connection.write("+slow\r\n+last\r\n")
    assert.equal(await inFlight, "slow")
    assert.equal(await sameTurn, "last")
    assert.equal(await close, undefined)
    await connection.closed
    assert.equal(hasReceived(connection, "never"), false)
  })

  test("what waits because the server does not read is still sent and answered", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? `+${command[1]}\r\n` : undefined))
    const conn = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, commandTimeout: 30_000 }),
    )
    const connection = fake.connections[0]
    assert.ok(connection)
    connection.pause()
    const large = conn.command(["LARGE", Buffer.alloc(32 * 1024 * 1024)])
    await turn()
    const behind = conn.command(["ECHO", "behind"])
    await turn()
    const close = conn.close({ timeout: 30_000 })
    connection.write("+large\r\n")
    connection.resume()
    assert.equal(await large, "large")
    assert.equal(await behind, "behind")
    await close
    await connection.closed
  })

  test("closes an idle connection, and every method rejects from then on", async (t) => {
    const fake = await fakeServer(t)
    const conn = await Redix.connect({ host: "127.0.0.1", port: fake.port })
    await conn.close()
    await fake.connections[0]?.closed
    assert.equal(conn.status, "closed")
    for (const call of [
      () => conn.command(["PING"]),
      () => conn.pipeline([["PING"]]),
      () => conn.transactionPipeline([["PING"]]),
      () => conn.noreplyCommand(["PING"]),
      () => conn.noreplyPipeline([["PING"]]),
      () => conn.ready(),
    ]) {
      const error = await connectionFailure(call(), "closed", "not-sent")
      assert.equal(error.final, true)
    }
  })

  test("is idempotent: every call resolves, also after destroy", async () => {
    const conn = await Redix.connect(at())
    await Promise.all([conn.close(), conn.close(), conn.close({ timeout: 1 })])
    await conn.close()
    conn.destroy()
    await conn.close()
    const other = Redix.start(at())
    other.destroy()
    other.destroy()
    await other.close()
  })

  test("what is left after timeout rejects with closed, outcome unknown; close itself resolves", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const command = connectionFailure(conn.command(["SLOW"], { timeout: 60_000 }), "closed", "unknown")
    const pipeline = connectionFailure(conn.pipeline([["SLOW"]], { timeout: 60_000 }), "closed", "unknown")
    const connection = fake.connections[0]
    assert.ok(connection)
    await until(() => hasReceived(connection, "SLOW"), { message: "SLOW did not arrive" })
    assert.equal(await conn.close({ timeout: 50 }), undefined)
    assert.equal((await command).final, true)
    await pipeline
    await connection.closed
  })

  test("resolves also when the connection drops meanwhile", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const slow = rejection(conn.command(["SLOW"]))
    const connection = fake.connections[0]
    assert.ok(connection)
    await until(() => hasReceived(connection, "SLOW"), { message: "SLOW did not arrive" })
    const close = conn.close()
    connection.reset()
    await close
    assert.ok((await slow) instanceof ConnectionError)
    assert.equal(fake.connections.length, 1)
  })

  test("does not wait for blocking commands: they reject with closed, outcome unknown", async (t) => {
    const clock = new Clock(t)
    const conn = closing(t, await Redix.connect(at()))
    const pop = connectionFailure(conn.command(["BLPOP", uniqueKey(), 0]), "closed", "unknown")
    await until(async () => String(await server.send("INFO", "clients")).includes("blocked_clients:1"), {
      message: "no blocked client",
    })
    await clock.stand(conn.close({ timeout: 60_000 }))
    await pop
  })

  test("requests that wait for an attempt reject at once with closed, not sent", async (t) => {
    const clock = new Clock(t)
    const silent = await rawServer(t, () => undefined)
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: silent.port, timeout: 60_000 }))
    const waiting = connectionFailure(conn.command(["PING"], { timeout: 60_000 }), "closed", "not-sent")
    await silent.nextConnection()
    const close = conn.close({ timeout: 60_000 })
    assert.equal((await clock.stand(waiting)).final, true)
    await clock.stand(close)
  })

  test("during the wait for the next attempt ends the connection at once", async (t) => {
    const conn = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: await freePort(), backoffInitial: 60_000 }),
    )
    await nextFailedConnection(conn)
    await conn.close()
    assert.equal(conn.status, "closed")
    assert.equal(await conn.closed, undefined)
  })

  test("a wrong option is a TypeError", async (t) => {
    const conn = closing(t, await Redix.connect(at()))
    await misuse(() => conn.close({ timeout: -1 }), /timeout/)
    await misuse(() => conn.close({ tiemout: 1 } as never), /tiemout/)
    assert.equal(await conn.command(["PING"]), "PONG")
  })

  test("Symbol.asyncDispose is close", async (t) => {
    const fake = await fakeServer(t)
    let held: Redix | undefined
    {
      await using conn = await Redix.connect({ host: "127.0.0.1", port: fake.port })
      held = conn
      assert.equal(conn.status, "connected")
    }
    assert.equal(held.status, "closed")
    await fake.connections[0]?.closed
    await held[Symbol.asyncDispose]()
  })
})

describe("destroy", () => {
  test("closes now: what is in flight rejects with closed, what was not sent as not sent", async (t) => {
    const fake = await fakeServer(t)
    const conn = await Redix.connect({ host: "127.0.0.1", port: fake.port })
    const connection = fake.connections[0]
    assert.ok(connection)
    const inFlight = connectionFailure(conn.command(["SLOW"]), "closed", "unknown")
    await until(() => hasReceived(connection, "SLOW"), { message: "SLOW did not arrive" })
    const unsent = connectionFailure(conn.command(["SET", "never", "1"]), "closed", "not-sent")
    assert.equal(conn.destroy(), undefined)
    assert.equal(conn.status, "closed")
    assert.equal((await inFlight).final, true)
    assert.equal((await unsent).final, true)
    await connection.closed
    assert.equal(hasReceived(connection, "never"), false)
  })

  test("while connecting breaks the attempt off", async (t) => {
    const silent = await rawServer(t, () => undefined)
    const conn = Redix.start({ host: "127.0.0.1", port: silent.port })
    const waiting = connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    const connection = await silent.nextConnection()
    conn.destroy()
    await waiting
    await connection.closed
    assert.equal(await conn.closed, undefined)
  })

  test("in the turn of start nothing is left of it", async (t) => {
    const conn = closing(t, Redix.start(at()))
    conn.destroy()
    assert.equal(conn.status, "closed")
    assert.equal(await conn.closed, undefined)
    await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
  })
})

describe("closed", () => {
  test("settles when the connection has ended for good: undefined when it was closed", async (t) => {
    const conn = closing(t, await Redix.connect(at()))
    let settled = false
    void conn.closed.then(() => {
      settled = true
    })
    await conn.command(["PING"])
    await turn()
    assert.equal(settled, false)
    await conn.close()
    assert.equal(await conn.closed, undefined)
    const other = await Redix.connect(at())
    other.destroy()
    assert.equal(await other.closed, undefined)
  })

  test("does not settle at a disconnection that is followed by a reconnection", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, backoffInitial: 10 }))
    let settled = false
    void conn.closed.then(() => {
      settled = true
    })
    const back = nextConnection(conn)
    fake.connections[0]?.reset()
    await back
    await turn()
    assert.equal(settled, false)
  })
})

describe("status", () => {
  test("goes from connecting over connected and disconnected to closed", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: fake.port, backoffInitial: 10 }))
    const seen: Status[] = [conn.status]
    conn.on("connection", () => seen.push(conn.status))
    conn.on("disconnection", () => seen.push(conn.status))
    await conn.ready()
    const back = nextConnection(conn)
    fake.connections[0]?.reset()
    await back
    await conn.close()
    seen.push(conn.status)
    assert.deepEqual(seen, ["connecting", "connected", "disconnected", "connected", "closed"])
  })

  test("is disconnected between attempts and connecting during one", async (t) => {
    const conn = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: await freePort(), backoffInitial: 60_000 }),
    )
    assert.equal(conn.status, "connecting")
    await nextFailedConnection(conn)
    assert.equal(conn.status, "disconnected")
  })
})

describe("events", () => {
  test("connection says which, under which name, where, and whether it is a reconnection", async (t) => {
    const fake = await fakeServer(t)
    const name = uniqueKey("name")
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port: fake.port, name, backoffInitial: 10 }))
    const first = await nextConnection(conn)
    assert.equal(first.connection, conn)
    assert.equal(first.name, name)
    assert.equal(first.address, `127.0.0.1:${fake.port}`)
    assert.equal(first.reconnection, false)
    const back = nextConnection(conn)
    fake.connections[0]?.reset()
    assert.equal((await back).reconnection, true)
  })

  test("the first success after a failed first attempt is a reconnection", async (t) => {
    const port = await freePort()
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port, backoffInitial: 10, backoffMax: 20 }))
    await nextFailedConnection(conn)
    const connected = nextConnection(conn)
    const late = await FakeServer.start(
      (connection) => {
        connection.onCommand = (command) => handshake(command)
      },
      { port },
    )
    t.after(() => late.stop())
    assert.equal((await connected).reconnection, true)
  })

  test("disconnection carries a ConnectionError", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const dropped = nextDisconnection(conn)
    fake.connections[0]?.reset()
    const event = await dropped
    assert.equal(event.connection, conn)
    assert.equal(event.name, undefined)
    assert.equal(event.address, `127.0.0.1:${fake.port}`)
    assertConnectionError(event.error, "disconnected")
    assert.equal(event.error.final, false)
    assert.equal(event.error.address, `127.0.0.1:${fake.port}`)
  })

  test("failedConnection carries a ConnectionError", async (t) => {
    const port = await freePort()
    const conn = closing(t, Redix.start({ host: "127.0.0.1", port }))
    const event = await nextFailedConnection(conn)
    assert.equal(event.connection, conn)
    assert.equal(event.address, `127.0.0.1:${port}`)
    assertConnectionError(event.error, "refused", "not-sent")
  })

  test("nobody needs to listen, and there is no error event", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, backoffInitial: 10 }))
    let errors = 0
    conn.on(
      "error" as never,
      (() => {
        errors += 1
      }) as never,
    )
    const back = nextConnection(conn)
    fake.connections[0]?.reset()
    await back
    await fake.stop()
    await nextFailedConnection(conn)
    assert.equal(errors, 0)
  })

  test("on listens until off, once listens once", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, backoffInitial: 10 }))
    const seen: string[] = []
    const always = (_event: ConnectionEvent) => {
      seen.push("on")
    }
    const drops = (_event: DisconnectionEvent) => {
      seen.push("drop")
    }
    conn.on("connection", always)
    conn.once("connection", () => {
      seen.push("once")
    })
    conn.on("disconnection", drops)
    for (let round = 0; round < 2; round++) {
      const back = nextConnection(conn)
      fake.connections[round]?.reset()
      await back
    }
    conn.off("connection", always)
    conn.off("disconnection", drops)
    const back = nextConnection(conn)
    fake.connections[2]?.reset()
    await back
    assert.deepEqual(seen, ["drop", "on", "once", "drop", "on"])
  })

  test("a connection that fails in two ways at once is one disconnection", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, backoffInitial: 10 }))
    let drops = 0
    conn.on("disconnection", () => {
      drops += 1
    })
    const back = nextConnection(conn)
    const connection = fake.connections[0]
    connection?.write("garbage\r\n")
    connection?.reset()
    await back
    assert.equal(drops, 1)
  })

  test("a listener that throws surfaces as an uncaught exception on a later tick and harms nothing", async () => {
    const result = await runNode(`
      import { Redix } from "@redix/client"
      const caught = []
      process.on("uncaughtException", (error) => caught.push(error.message))
      process.on("unhandledRejection", () => caught.push("a rejection"))
      const conn = Redix.start({ host: "127.0.0.1", port: ${server.port} })
      let second = false
      conn.on("connection", () => { throw new Error("from a listener") })
      conn.on("connection", () => { second = true })
      const reply = await conn.command(["ECHO", "works"])
      while (caught.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      console.log(JSON.stringify({ caught, second, reply, status: conn.status, again: await conn.command(["PING"]) }))
      await conn.close()
    `)
    assert.deepEqual(JSON.parse(assertEndedByItself(result)), {
      caught: ["from a listener"],
      second: true,
      reply: "works",
      status: "connected",
      again: "PONG",
    })
  })

  test("addresses of IPv6 stand in brackets", async (t) => {
    const port = await freePort()
    const conn = closing(t, Redix.start({ host: "::1", port }))
    const { address, error } = await nextFailedConnection(conn)
    assert.equal(address, `[::1]:${port}`)
    assert.equal(error.address, `[::1]:${port}`)
  })

  test("the connection event after a lost MULTI, WATCH, AUTH or CLIENT TRACKING says sessionLost, others do not", async (t) => {
    const kill = async (conn: Redix) => {
      const back = nextConnection(conn)
      await server.send("CLIENT", "KILL", "ID", String(await conn.command(["CLIENT", "ID"])))
      return back
    }
    await server.send("ACL", "SETUSER", "bob", "on", ">builder", "~*", "+@all")
    for (const command of [
      ["WATCH", uniqueKey()],
      ["AUTH", "bob", "builder"],
      ["CLIENT", "TRACKING", "ON", "REDIRECT", "self"],
    ]) {
      const conn = closing(t, await Redix.connect({ ...at(), backoffInitial: 10 }))
      const id = String(await conn.command(["CLIENT", "ID"]))
      await conn.command(command.map((word) => (word === "self" ? id : word)))
      assert.equal((await kill(conn)).sessionLost, true, command[0])
      assert.notEqual((await kill(conn)).sessionLost, true, command[0])
    }
    const multi = closing(t, await Redix.connect({ ...at(), backoffInitial: 10 }))
    const id = String(await multi.command(["CLIENT", "ID"]))
    await multi.command(["MULTI"])
    const back = nextConnection(multi)
    await server.send("CLIENT", "KILL", "ID", id)
    assert.equal((await back).sessionLost, true)
    const plain = closing(t, await Redix.connect({ ...at(), backoffInitial: 10 }))
    await plain.command(["SELECT", 3])
    await plain.transactionPipeline([["PING"]])
    assert.notEqual((await kill(plain)).sessionLost, true)
  })
})

describe("names", () => {
  test("a connection that was started with a name is found by it", async (t) => {
    const name = uniqueKey("name")
    const conn = closing(t, Redix.start({ ...at(), name }))
    assert.equal(conn.name, name)
    assert.equal(Redix.named(name), conn)
    assert.equal(Redix.whereis(name), conn)
  })

  test("an unknown name: named throws an Error, whereis is undefined", () => {
    const name = uniqueKey("name")
    assert.throws(() => Redix.named(name), Error)
    assert.throws(() => Redix.named(name), new RegExp(name))
    assert.equal(Redix.whereis(name), undefined)
  })

  test("a name in use is an Error", async (t) => {
    const name = uniqueKey("name")
    const conn = closing(t, Redix.start({ ...at(), name }))
    assert.throws(() => Redix.start({ ...at(), name }), new RegExp(name))
    const error = await rejection(Redix.connect({ ...at(), name }))
    assert.match(error.message, new RegExp(name))
    assert.equal(Redix.named(name), conn)
  })

  test("the name is freed when the connection ends, however it ends", async (t) => {
    const name = uniqueKey("name")
    const first = closing(t, await Redix.connect({ ...at(), name }))
    await first.close()
    assert.equal(Redix.whereis(name), undefined)
    const second = closing(t, await Redix.connect({ ...at(), name }))
    second.destroy()
    assert.equal(Redix.whereis(name), undefined)
    await rejection(Redix.connect({ host: "127.0.0.1", port: await freePort(), name }))
    assert.equal(Redix.whereis(name), undefined)
    const third = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: await freePort(), name, exitOnDisconnection: true }),
    )
    await third.closed
    assert.equal(Redix.whereis(name), undefined)
    const fourth = closing(t, Redix.start({ ...at(), name }))
    await first.close()
    first.destroy()
    assert.equal(Redix.named(name), fourth)
  })

  test("a name is not freed by a disconnection", async (t) => {
    const fake = await fakeServer(t)
    const name = uniqueKey("name")
    const conn = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, name, backoffInitial: 60_000 }),
    )
    const dropped = nextDisconnection(conn)
    fake.connections[0]?.reset()
    await dropped
    assert.equal(Redix.named(name), conn)
  })

  test("options that are refused take no name", () => {
    const name = uniqueKey("name")
    throwsTypeError(() => Redix.start({ name, nonsense: 1 } as never))
    throwsTypeError(() => Redix.start("http://localhost", { name }))
    assert.equal(Redix.whereis(name), undefined)
  })

  test("whereis is for hot reload: start only what does not run yet", async (t) => {
    const name = uniqueKey("name")
    const load = () => Redix.whereis(name) ?? Redix.start({ ...at(), name })
    const first = load()
    closing(t, first as Redix)
    assert.equal(load(), first)
  })
})

describe("duplicate", () => {
  test("gives a connection of its own with the same options, unnamed", async (t) => {
    const name = uniqueKey("name")
    await server.send("ACL", "SETUSER", "dup", "on", ">pw", "~*", "+@all")
    const conn = closing(
      t,
      await Redix.connect({
        ...at(),
        name,
        database: 4,
        username: "dup",
        password: "pw",
        clientName: "twin",
        protocol: 3,
      }),
    )
    const twin = closing(t, conn.duplicate())
    assert.notEqual(twin, conn)
    assert.equal(twin.name, undefined)
    assert.equal(twin.protocol, 3)
    assert.equal(Redix.named(name), conn)
    assert.match(String(await twin.command(["CLIENT", "INFO"])), / name=twin .* db=4 .* user=dup /)
    assert.notEqual(await twin.command(["CLIENT", "ID"]), await conn.command(["CLIENT", "ID"]))
    await conn.close()
    assert.equal(await twin.command(["PING"]), "PONG")
  })

  test("options of its own win", async (t) => {
    const name = uniqueKey("name")
    const conn = closing(t, await Redix.connect(server.url, { database: 4, clientName: "a" }))
    const twin = closing(t, conn.duplicate({ database: 5, name }))
    assert.match(String(await twin.command(["CLIENT", "INFO"])), / name=a .* db=5 /)
    assert.equal(Redix.named(name), twin)
  })

  test("works on a closed connection too; wrong options throw a TypeError", async (t) => {
    const conn = await Redix.connect(at())
    await conn.close()
    const twin = closing(t, conn.duplicate())
    assert.equal(await twin.command(["PING"]), "PONG")
    throwsTypeError(() => conn.duplicate({ nonsense: 1 } as never), /nonsense/)
    throwsTypeError(() => conn.duplicate({ port: "x" } as never), /port/)
  })
})

describe("the process", () => {
  const start = () => `
    import { Redix } from "@redix/client"
    const conn = await Redix.connect({ host: "127.0.0.1", port: ${server.port} })
  `

  test("an open connection keeps it alive; after unref it does not, after ref it does", async () => {
    const [open, loose, held] = await Promise.all([
      runNode(`${start()} console.log("up")`, { lingersAfter: "up" }),
      runNode(`${start()} conn.unref(); console.log("up")`),
      runNode(`${start()} conn.unref(); conn.ref(); console.log("up")`, { lingersAfter: "up" }),
    ])
    assert.equal(open.stdout.trim(), "up")
    assert.equal(open.signal, "SIGKILL")
    assert.equal(assertEndedByItself(loose).trim(), "up")
    assert.equal(held.stdout.trim(), "up")
    assert.equal(held.signal, "SIGKILL")
  })

  test("a connection that waits for its next attempt keeps it alive as well, unless unref was called", async () => {
    const port = await freePort()
    const script = (rest: string) => `
      import { Redix } from "@redix/client"
      const conn = Redix.start({ host: "127.0.0.1", port: ${port}, backoffInitial: 200, backoffMax: 200 })
      ${rest}
      await new Promise((resolve) => conn.once("failedConnection", resolve))
      console.log("failed")
    `
    const [open, before, later] = await Promise.all([
      runNode(script(""), { lingersAfter: "failed" }),
      runNode(`${script("")} conn.unref()`),
      runNode(script("setTimeout(() => conn.unref(), 700)")),
    ])
    assert.equal(open.signal, "SIGKILL")
    assertEndedByItself(before)
    assertEndedByItself(later)
  })

  test("nothing of the driver outlives close, destroy or a dispose, in whatever state", async () => {
    const refused = await freePort()
    const scripts = [
      `${start()} await conn.close()`,
      `${start()} conn.destroy()`,
      `${start()} await conn[Symbol.asyncDispose]()`,
      `${start()} await conn.command(["SET", "k", "v"], { timeout: 60_000 }); await conn.close()`,
      `${start()} conn.command(["BLPOP", "nothing", 0]).catch(() => {}); setTimeout(() => conn.close(), 50)`,
      `import { Redix } from "@redix/client"
       const conn = Redix.start({ host: "127.0.0.1", port: ${server.port} }); conn.close()`,
      `import { Redix } from "@redix/client"
       const conn = Redix.start({ host: "127.0.0.1", port: ${refused}, backoffInitial: 60_000 })
       conn.once("failedConnection", () => conn.close())`,
      `import { createServer } from "node:net"
       import { Redix } from "@redix/client"
       const silent = createServer((socket) => socket.unref().on("error", () => {})).listen(0, () => {
         const conn = Redix.start({ host: "127.0.0.1", port: silent.address().port, timeout: 60_000 })
         conn.command(["PING"], { timeout: 60_000 }).catch(() => {})
         silent.once("connection", () => { silent.close(); setImmediate(() => conn.destroy()) })
       })`,
    ]
    const results = await Promise.all(scripts.map((script) => runNode(script)))
    results.forEach((result) => {
      assertEndedByItself(result)
      assert.equal(result.stderr, "")
    })
  })

  test('where a runtime lacks Symbol.asyncDispose, dispose is keyed by Symbol.for("nodejs.asyncDispose")', async () => {
    assert.equal(typeof Reflect.get(Redix.prototype, Symbol.asyncDispose), "function")
    const result = await runNode(
      `
        const Real = Symbol
        const Old = function Symbol(text) { return Real(text) }
        for (const key of Reflect.ownKeys(Real)) {
          if (key === "asyncDispose" || key === "dispose") continue
          Object.defineProperty(Old, key, Object.getOwnPropertyDescriptor(Real, key))
        }
        globalThis.Symbol = Old
        const { Redix } = require("@redix/client")
        const conn = Redix.start({ host: "127.0.0.1", port: ${server.port} })
        console.log(typeof Symbol.asyncDispose, typeof conn[Symbol.for("nodejs.asyncDispose")])
        conn[Symbol.for("nodejs.asyncDispose")]().then(() => console.log(conn.status))
      `,
      { type: "commonjs" },
    )
    assert.equal(assertEndedByItself(result).trim(), "undefined function\nclosed")
  })

  test("a promise that the caller never looks at is a rejection of nobody's", async () => {
    const result = await runNode(`
      import { Redix } from "@redix/client"
      let unhandled = 0
      process.on("unhandledRejection", () => { unhandled += 1 })
      process.on("uncaughtException", () => { unhandled += 100 })
      const conn = await Redix.connect({ host: "127.0.0.1", port: ${server.port}, backoffInitial: 10 })
      void conn.closed
      void conn.safe.command(["NOSUCHCOMMAND"])
      void conn.safe.command([])
      await conn.command(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"]).catch(() => {})
      await conn.ready()
      conn.destroy()
      await new Promise((resolve) => setTimeout(resolve, 50))
      console.log(unhandled)
    `)
    assert.equal(assertEndedByItself(result).trim(), "0")
  })
})
