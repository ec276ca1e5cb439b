/** Rows 22 to 30 of the fault matrix: what a server does that dies, freezes, refuses, or is in a bad way. */
import assert from "node:assert/strict"
import { connect, type Socket } from "node:net"
import { describe, type TestContext, test } from "node:test"
import { type Command, ConnectionError, RedisError, Redix } from "@redix/client"
import { error as errorReply } from "../../support/fake-server.ts"
import { RedisServer, type ServerOptions } from "../../support/server.ts"
import { once, until } from "../../support/wait.ts"
import { nameOf, type Settled, unique } from "./invariants.ts"
import {
  atLeast,
  closing,
  connected,
  echoes,
  failureOf,
  type Recorded,
  recorded,
  recovered,
  refusalOf,
  replyOf,
  scripted,
} from "./setup.ts"

interface Live extends Recorded {
  readonly server: RedisServer
  readonly send: (...command: string[]) => Promise<unknown>
}

async function liveServer(t: TestContext, options: ServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options)
  t.after(() => server.stop())
  return server
}

/** A server of its own, and a connection to it. */
async function live(
  t: TestContext,
  options: Omit<Parameters<typeof connected>[1], "host" | "port"> = {},
  serverOptions: ServerOptions = {},
): Promise<Live> {
  const server = await liveServer(t, serverOptions)
  const up = await connected(t, { host: server.host, port: server.port, ...options })
  return { server, send: (...command) => server.send(...command), ...up }
}

describe("row 22: SIGKILL and a restart", () => {
  test("disconnected, closed, recovered; every acknowledged write is there, none ran twice", async (t) => {
    const { server, send, calls, recorder, seen } = await live(t, {}, { appendOnly: true })
    let stopped = false
    const writing = (async () => {
      while (!stopped) {
        const burst = [
          calls.incr(),
          calls.incr(),
          calls.incrAtomically(2),
          // A server that has just come back and still loads refuses them, and nobody hears of it.
          calls.incrSilently(2, undefined, { unacknowledged: true }),
          calls.echo(),
        ]
        await Promise.all(burst)
        await atLeast(1)
      }
    })()
    for (let round = 1; round <= 2; round++) {
      const before = recorder.tally()["ok"] ?? 0
      await until(() => (recorder.tally()["ok"] ?? 0) > before + 50)
      const inFlight = Array.from({ length: 20 }, () => calls.incr())
      await server.kill()
      for (const each of await Promise.all(inFlight)) if (!each.ok) failureOf(each, "disconnected")
      await until(() => (recorder.tally()["closed"] ?? 0) >= round * 20)
      await server.restart()
      await recovered(calls)
    }
    stopped = true
    await writing
    assert.equal(seen.disconnections.length, 2)
    assert.ok(seen.failures.length >= 2)
    await recorder.verify(send)
  })
})

describe("row 23: ten thousand requests in flight at a kill", () => {
  test("all settle as disconnected within 100 ms of the close", async (t) => {
    const { server, conn, calls, recorder } = await live(t)
    replyOf(await calls.echo())
    server.pause()
    let closedAt = Number.NaN
    conn.on("disconnection", () => {
      closedAt = performance.now()
    })
    const inFlight = Array.from({ length: 10_000 }, () => calls.echo({ timeout: 30_000 }))
    await atLeast(20)
    await server.kill()
    const settled = await Promise.all(inFlight)
    const elapsed = performance.now() - closedAt
    for (const each of settled) failureOf(each, "disconnected")
    // 100 ms by contract; the rest is for a busy machine.
    assert.ok(Math.abs(elapsed) < 2000, `took ${elapsed} ms`)
    t.diagnostic(`settled ${Math.round(elapsed)} ms after the event`)
    await server.restart()
    await recovered(calls)
    await recorder.verify()
  })
})

describe("row 24: SIGSTOP", () => {
  test("a short one only delays, or times out; nobody gets a wrong reply afterwards", async (t) => {
    const { server, send, calls, recorder, seen } = await live(t)
    for (let round = 0; round < 5; round++) {
      server.pause()
      const hasty = [
        calls.echo({ timeout: 60 }),
        calls.incr({ timeout: 60 }),
        calls.incrAtomically(2, { timeout: 60 }),
      ]
      const patient = [calls.echo(), calls.incr(), calls.incrAtomically(2), calls.incrSilently(2)]
      for (const each of hasty) failureOf(await each, "timeout", "unknown")
      server.resume()
      for (const each of patient) replyOf(await each)
    }
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify(send)
  })

  test("a long one fails the health check and then the attempts; after SIGCONT everything is in its place", async (t) => {
    const { server, send, calls, recorder, seen } = await live(t, {
      healthCheckInterval: 300,
      commandTimeout: 400,
      timeout: 300,
    })
    server.pause()
    const lost = [calls.incr({ timeout: 100 }), calls.echo({ timeout: 100 })]
    for (const each of lost) failureOf(await each, "timeout", "unknown")
    await until(() => seen.disconnections.length === 1)
    assert.equal(seen.disconnections[0]?.error.reason, "health-check-timeout")
    // The system still accepts for a frozen process.
    const waiting = [calls.incr(), calls.incr()]
    await until(() => seen.failures.length >= 2)
    for (const { error } of seen.failures) assert.equal(error.reason, "timeout")
    for (const each of waiting) assert.ok(["closed", "timeout"].includes(nameOf(await each)))
    server.resume()
    await recovered(calls)
    await recorder.verify(send)
  })
})

describe("row 25: CLIENT KILL and CLIENT PAUSE", () => {
  test("CLIENT KILL is a disconnection like any other", async (t) => {
    const { send, calls, recorder, seen } = await live(t)
    for (let round = 1; round <= 5; round++) {
      const id = replyOf(await calls.command(["CLIENT", "ID"]))
      const blocked = calls.command(["BLPOP", unique("list"), 0], undefined, { timeout: 10_000 })
      await until(async () => String(await send("INFO", "clients")).includes("blocked_clients:1"))
      await send("CLIENT", "KILL", "ID", String(id))
      failureOf(await blocked, "disconnected", "unknown")
      await recovered(calls)
      assert.equal(seen.disconnections.length, round)
    }
    await recorder.verify(send)
  })

  test("by its own hand, in the middle of others: each before it is answered, each after it disconnected", async (t) => {
    const { send, conn, calls, recorder } = await live(t)
    for (let round = 0; round < 5; round++) {
      await conn.ready({ timeout: 10_000 })
      const before = [calls.incr(), calls.echo()]
      const suicide = calls.command(["QUIT"])
      const behind = [calls.incr(), calls.echo()]
      for (const each of before) replyOf(await each)
      replyOf(await suicide)
      for (const each of behind) failureOf(await each, "disconnected", "unknown")
      await recovered(calls)
    }
    await recorder.verify(send)
  })

  test("CLIENT PAUSE times out, and what comes of it later reaches nobody else", async (t) => {
    const { send, calls, recorder, seen } = await live(t)
    await send("CLIENT", "PAUSE", "700", "ALL")
    const hasty = [calls.incr({ timeout: 100 }), calls.echo({ timeout: 100 }), calls.incrSilently(2)]
    for (const each of hasty.slice(0, 2)) failureOf(await each, "timeout", "unknown")
    replyOf(await calls.echo())
    replyOf(await calls.incr())
    replyOf(await (hasty[2] as Promise<Settled>))
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify(send)
  })
})

describe("row 26: too many clients", () => {
  test("fails the attempt with the server's text and is tried again until there is room", async (t) => {
    const server = await liveServer(t, { args: ["--maxclients", "3"] })
    const sockets: Socket[] = []
    t.after(() => {
      for (const socket of sockets) socket.destroy()
    })
    for (let index = 0; index < 3; index++) {
      const socket = connect({ host: server.host, port: server.port })
      socket.on("error", () => undefined)
      sockets.push(socket)
      socket.write("PING\r\n")
      await once(socket, "data")
    }
    const failed = await Redix.connect({ host: server.host, port: server.port }).then(
      (conn) => closing(t, conn) && assert.fail("connected"),
      (reason: unknown) => reason,
    )
    assert.ok(failed instanceof ConnectionError)
    assert.equal(failed.reason, "handshake")
    assert.match(`${failed.message} ${failed.cause}`, /max number of clients/)

    const { conn, calls, recorder, seen } = recorded(t, {
      host: server.host,
      port: server.port,
      backoffInitial: 40,
    })
    failureOf(await calls.echo(), "closed", "not-sent")
    await until(() => seen.failures.length >= 4)
    for (const { error } of seen.failures) assert.equal(error.reason, "handshake")
    failureOf(await calls.echo(), "closed", "not-sent")
    sockets.pop()?.destroy()
    await conn.ready({ timeout: 15_000 })
    await recovered(calls)
    await recorder.verify()
  })
})

describe("row 27: LOADING", () => {
  test("counts as connected, whatever of the handshake says so; callers see it; no disconnect loop", async (t) => {
    let loading = true
    const loadingError = errorReply("LOADING Redis is loading the dataset in memory")
    const { fake, calls, recorder, seen } = await scripted(t, (command) => {
      if (loading && (command[0] === "PING" || command[0] === "ECHO" || command[0] === "INCR"))
        return loadingError
      return echoes(command)
    })
    for (let round = 0; round < 20; round++) {
      refusalOf(await calls.echo(), "LOADING")
      refusalOf(await calls.incr(), "LOADING")
    }
    loading = false
    replyOf(await calls.echo())
    assert.equal(fake.connections.length, 1)
    assert.deepEqual([seen.connections.length, seen.disconnections.length, seen.failures.length], [1, 0, 0])
    await recorder.verify()
  })

  test("of a real server after a restart: LOADING to the callers, then back by itself", async (t) => {
    const { server, send, calls, recorder, seen } = await live(
      t,
      { commandTimeout: 20_000 },
      {
        appendOnly: true,
        args: ["--key-load-delay", "40", "--loading-process-events-interval-bytes", "1024"],
      },
    )
    const script = "for i = 1, 14000 do redis.call('SET', 'loading:' .. i, i) end"
    replyOf(await calls.command(["EVAL", script, 0]))
    const restarted = server.restart()
    let refused = 0
    await until(
      async () => {
        const settled = await calls.command(["GET", "loading:14000"])
        if (settled.ok) return settled.value === "14000"
        if (settled.error instanceof RedisError) {
          assert.equal(settled.error.code, "LOADING")
          refused += 1
        }
        return false
      },
      { timeout: 20_000 },
    )
    await restarted
    assert.ok(refused > 0, "nobody has seen the server loading")
    t.diagnostic(`${refused} callers saw LOADING`)
    assert.equal(seen.disconnections.length, 1)
    await recovered(calls)
    await recorder.verify(send)
  })
})

describe("row 28: passwords", () => {
  test("a wrong one: connect() rejects with the server's text and without the password", async (t) => {
    const server = await liveServer(t, { args: ["--requirepass", "right"], auth: { password: "right" } })
    const attempts: readonly (readonly [string | undefined, RegExp])[] = [
      ["wrong-one", /WRONGPASS/],
      [undefined, /NOAUTH/],
    ]
    for (const [password, text] of attempts) {
      const failed = await Redix.connect({ host: server.host, port: server.port, password }).then(
        (conn) => closing(t, conn) && assert.fail("connected"),
        (reason: unknown) => reason,
      )
      assert.ok(failed instanceof ConnectionError)
      assert.equal(failed.reason, "authentication")
      assert.match(`${failed.message} ${failed.cause}`, text)
      assert.doesNotMatch(`${failed.message} ${failed.cause}`, /wrong-one/)
    }
  })

  test("rotated: a running client backs off, rejects with closed, and recovers when its password is valid", async (t) => {
    const server = await liveServer(t, { args: ["--requirepass", "one"], auth: { password: "one" } })
    const { calls, recorder, seen } = await connected(t, {
      host: server.host,
      port: server.port,
      password: "one",
      backoffInitial: 50,
    })
    await server.send("CONFIG", "SET", "requirepass", "two")
    server.auth = { password: "two" }
    await server.send("CLIENT", "KILL", "TYPE", "normal")
    await until(() => seen.failures.length >= 3)
    for (const { error } of seen.failures) assert.equal(error.reason, "authentication")
    failureOf(await calls.incr(), "closed", "not-sent")
    await server.send("CONFIG", "SET", "requirepass", "one")
    server.auth = { password: "one" }
    await recovered(calls)
    await recorder.verify((...command) => server.send(...command))
  })

  test("a function is asked on every connection; if it fails, that attempt fails and the next asks again", async (t) => {
    const server = await liveServer(t, { args: ["--requirepass", "one"], auth: { password: "one" } })
    let current = "one"
    let broken: "no" | "throws" | "rejects" = "no"
    let asked = 0
    const { calls, recorder, seen } = await connected(t, {
      host: server.host,
      port: server.port,
      password: () => {
        asked += 1
        if (broken === "throws") throw new Error("the vault is shut")
        return broken === "rejects"
          ? Promise.reject(new Error("the vault is shut"))
          : Promise.resolve(current)
      },
    })
    assert.equal(asked, 1)
    await server.send("CONFIG", "SET", "requirepass", "two")
    server.auth = { password: "two" }
    current = "two"
    await server.send("CLIENT", "KILL", "TYPE", "normal")
    await recovered(calls)
    for (const how of ["throws", "rejects"] as const) {
      broken = how
      const failures = seen.failures.length
      await server.send("CLIENT", "KILL", "TYPE", "normal")
      await until(() => seen.failures.length >= failures + 2)
      const error = seen.failures.at(-1)?.error
      assert.equal(error?.reason, "authentication")
      assert.match(String(error?.cause), /vault is shut/)
      failureOf(await calls.echo(), "closed", "not-sent")
      broken = "no"
      await recovered(calls)
    }
    await recorder.verify()
  })
})

describe("row 29: READONLY after a demotion", () => {
  test("goes to its caller, and the connection stays", async (t) => {
    const { send, calls, recorder, seen } = await live(t)
    replyOf(await calls.incr())
    await send("REPLICAOF", "127.0.0.1", "1")
    refusalOf(await calls.incr(), "READONLY")
    const mixed = replyOf(
      await calls.pipeline([
        ["ECHO", "a"],
        ["SET", "k", "v"],
        ["ECHO", "b"],
      ]),
    ) as unknown[]
    assert.equal(mixed[0], "a")
    assert.ok(mixed[1] instanceof RedisError && mixed[1].code === "READONLY")
    assert.equal(mixed[2], "b")
    await send("REPLICAOF", "NO", "ONE")
    replyOf(await calls.incr())
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify(send)
  })
})

describe("row 30: errors of the server in pipelines", () => {
  /** The codes of the errors of a pipeline, and `"ok"` where there is none. */
  function codes(settled: Settled): string[] {
    return (replyOf(settled) as unknown[]).map((each) => (each instanceof RedisError ? each.code : "ok"))
  }

  test("WRONGTYPE, NOSCRIPT, ERR and a nested one stand in their exact places", async (t) => {
    const { calls, recorder, seen } = await live(t)
    const key = unique("string")
    const parts: readonly (readonly [Command, string])[] = [
      [["SET", key, "v"], "ok"],
      [["LPUSH", key, "x"], "WRONGTYPE"],
      [["EVALSHA", "0".repeat(40), 0], "NOSCRIPT"],
      [["NOSUCHCOMMAND", "a"], "ERR"],
      [["GET", key], "ok"],
      [["INCR", key], "ERR"],
      [["EVAL", "return redis.error_reply('MINE of a script')", 0], "MINE"],
    ]
    // Every rotation, so that each kind comes first, last and beside every other.
    for (let shift = 0; shift < parts.length; shift++) {
      const turned = [...parts.slice(shift), ...parts.slice(0, shift)]
      replyOf(await calls.command(["SET", key, "v"]))
      assert.deepEqual(
        codes(await calls.pipeline(turned.map(([command]) => command))),
        turned.map(([, code]) => code),
      )
    }
    replyOf(await calls.echo())
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify()
  })

  test("OOM hits the writes and only them", async (t) => {
    const { send, calls, recorder } = await live(t)
    replyOf(await calls.command(["SET", "faults:old", "v"]))
    await send("CONFIG", "SET", "maxmemory", "1")
    const commands: Command[] = [
      ["SET", "faults:new", "v"],
      ["GET", "faults:old"],
      ["LPUSH", "faults:list", "x"],
      ["DEL", "faults:old"],
      ["ECHO", "still here"],
    ]
    assert.deepEqual(codes(await calls.pipeline(commands)), ["OOM", "ok", "OOM", "ok", "ok"])
    refusalOf(await calls.incr(), "OOM")
    refusalOf(await calls.incrAtomically(2), "EXECABORT")
    await send("CONFIG", "SET", "maxmemory", "0")
    replyOf(await calls.incr())
    await recorder.verify(send)
  })

  test("BUSY while a script runs; the connection is the same afterwards", async (t) => {
    const { send, calls, recorder, seen } = await live(
      t,
      { commandTimeout: 20_000 },
      { args: ["--lua-time-limit", "10"] },
    )
    const running = assert.rejects(send("EVAL", "while true do end", "0"))
    await until(async () => !(await calls.command(["GET", "k"])).ok)
    const commands: Command[] = [
      ["GET", "k"],
      ["ECHO", "a"],
      ["SCRIPT", "KILL"],
    ]
    assert.deepEqual(codes(await calls.pipeline(commands)), ["BUSY", "BUSY", "ok"])
    await running
    await recovered(calls)
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify()
  })
})
