/** Section 3 of the contract, the options of a request: `timeout`, `signal`, `encoding`, `metadata`. */
import assert from "node:assert/strict"
import { getEventListeners } from "node:events"
import { describe, test } from "node:test"
import { Redix, type RequestOptions } from "@redix/client"
import { until } from "../../support/wait.ts"
import { Clock, TimedRequest } from "../util/clock.ts"
import {
  atLeast,
  closing,
  connectionFailure,
  echoing,
  fakeServer,
  hasReceived,
  misuse,
  nextConnection,
  sharedConnection,
  turn,
  uniqueKey,
} from "./helpers.ts"

const { server, conn } = await sharedConnection()

describe("request options", () => {
  test("an unknown option or a wrong value is a TypeError that names the option", async () => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ timeout: 0 }, /timeout/],
      [{ timeout: -1 }, /timeout/],
      [{ timeout: Number.NaN }, /timeout/],
      [{ timeout: Number.NEGATIVE_INFINITY }, /timeout/],
      [{ timeout: "100" }, /timeout/],
      [{ timeout: null }, /timeout/],
      [{ timeout: 10n }, /timeout/],
      [{ signal: {} }, /signal/],
      [{ signal: "abort" }, /signal/],
      [{ signal: null }, /signal/],
      [{ signal: new AbortController() }, /signal/],
      [{ encoding: "latin1" }, /encoding/],
      [{ encoding: "UTF8" }, /encoding/],
      [{ encoding: null }, /encoding/],
      [{ encoding: true }, /encoding/],
      [{ timeuot: 100 }, /timeuot/],
      [{ route: "replica" }, /route/],
      [{ TIMEOUT: 100 }, /TIMEOUT/],
    ]
    for (const [options, names] of wrong) {
      await misuse(() => conn.command(["PING"], options as never), names)
      await misuse(() => conn.pipeline([["PING"]], options as never), names)
      await misuse(() => conn.transactionPipeline([["PING"]], options as never), names)
      await misuse(() => conn.noreplyCommand(["PING"], options as never), names)
      await misuse(() => conn.noreplyPipeline([["PING"]], options as never), names)
    }
  })

  test("options that are not an object are a TypeError", async () => {
    for (const options of [null, 100, "buffer", true]) {
      await misuse(() => conn.command(["PING"], options as never))
      await misuse(() => conn.pipeline([["PING"]], options as never))
    }
  })

  test("every option accepts undefined, and so do the options themselves", async () => {
    const none: RequestOptions = {
      timeout: undefined,
      signal: undefined,
      encoding: undefined,
      metadata: undefined,
    }
    assert.equal(await conn.command(["PING"], none), "PONG")
    assert.equal(await conn.command(["PING"], undefined), "PONG")
    assert.equal(await conn.command(["PING"], {}), "PONG")
    assert.deepEqual(await conn.pipeline([["PING"]], none), ["PONG"])
    assert.deepEqual(await conn.transactionPipeline([["PING"]], none), ["PONG"])
    await conn.noreplyCommand(["PING"], none)
  })

  test("metadata may be anything", async () => {
    for (const metadata of [null, 1, "text", { a: 1 }, [1], Symbol("s"), () => undefined]) {
      assert.equal(await conn.command(["PING"], { metadata }), "PONG")
    }
  })

  test("a request whose reply does not come in time rejects with timeout and the connection stays up", async (t) => {
    const { conn: own, fake } = await echoing(t)
    await connectionFailure(own.command(["SLOW"], { timeout: 50 }), "timeout", "unknown")
    await connectionFailure(own.transactionPipeline([["SLOW"]], { timeout: 50 }), "timeout", "unknown")
    assert.equal(own.status, "connected")
    assert.equal(fake.connections.length, 1)
  })

  test("commandTimeout is the default of timeout", async (t) => {
    const { conn: own } = await echoing(t, { commandTimeout: 50 })
    await connectionFailure(own.command(["SLOW"]), "timeout", "unknown")
    await connectionFailure(own.pipeline([["SLOW"]]), "timeout", "unknown")
    await connectionFailure(own.command(["SLOW"], { timeout: undefined }), "timeout", "unknown")
  })

  test("a request does not reject before its timeout has passed", async (t) => {
    const clock = new Clock(t)
    const { conn: own, connection } = await echoing(t)
    const request = new TimedRequest(clock, own.command(["SLOW"], { timeout: 300 }))
    await clock.standUntil(() => hasReceived(connection, "SLOW"))
    await request.assertTimeOver(300)
  })

  test("a timeout of one request wins over commandTimeout, in both directions", async (t) => {
    const { conn: own, connection } = await echoing(t, { commandTimeout: 50 })
    const long = own.command(["LONG"], { timeout: 60_000 })
    const forever = own.command(["FOREVER"], { timeout: Number.POSITIVE_INFINITY })
    await connectionFailure(own.command(["SHORT"]), "timeout")
    await atLeast(100)
    connection.write("+long\r\n+forever\r\n+short\r\n")
    assert.equal(await long, "long")
    assert.equal(await forever, "forever")
  })

  test("a timeout longer than a timer can hold does not fire at once", async (t) => {
    const { conn: own, connection } = await echoing(t, {
      commandTimeout: 2 ** 40,
      healthCheckInterval: 2 ** 41,
    })
    const first = own.command(["FIRST"])
    const second = own.command(["SECOND"], { timeout: 2 ** 33 })
    await until(() => hasReceived(connection, "SECOND"), { message: "SECOND did not arrive" })
    await atLeast(50)
    connection.write("+1\r\n+2\r\n")
    assert.deepEqual(await Promise.all([first, second]), ["1", "2"])
  })

  test("a timed out request keeps its place, so the next reply is not shifted", async (t) => {
    const { conn: own, connection } = await echoing(t)
    await connectionFailure(own.command(["SLOW"], { timeout: 50 }), "timeout")
    const next = own.command(["NEXT"])
    await until(() => hasReceived(connection, "NEXT"), { message: "NEXT did not arrive" })
    connection.write("+late\r\n+next\r\n")
    assert.equal(await next, "next")
    assert.equal(await own.command(["ECHO", "more"]), "more")
  })

  test("the late reply of a timed out pipeline is thrown away whole, also one that had begun", async (t) => {
    const { conn: own, connection } = await echoing(t)
    const slow = connectionFailure(
      own.pipeline([["A"], ["B"], ["C"]], { timeout: 100 }),
      "timeout",
      "unknown",
    )
    await until(() => hasReceived(connection, "C"), { message: "C did not arrive" })
    connection.write("+a\r\n*3\r\n:1\r\n$5\r\nhe")
    await slow
    const next = own.command(["NEXT"])
    await until(() => hasReceived(connection, "NEXT"), { message: "NEXT did not arrive" })
    connection.write("llo\r\n:3\r\n-ERR late\r\n+next\r\n")
    assert.equal(await next, "next")
  })

  test("an aborted request rejects with the signal's reason, whatever that is", async (t) => {
    const { conn: own, connection } = await echoing(t)
    for (const reason of [new Error("mine"), "a string", { an: "object" }, undefined]) {
      const controller = new AbortController()
      const slow = own.command(["SLOW"], { signal: controller.signal }).then(
        () => assert.fail("it should have been aborted"),
        (error: unknown) => error,
      )
      const count = connection.received.length
      await until(() => connection.received.length > count, { message: "SLOW did not arrive" })
      controller.abort(reason)
      assert.equal(await slow, controller.signal.reason)
    }
    assert.equal(own.status, "connected")
  })

  test("a signal that was aborted before the call: never sent", async (t) => {
    const { conn: own, connection } = await echoing(t)
    const reason = new Error("mine")
    const options: RequestOptions = { signal: AbortSignal.abort(reason) }
    for (const call of [
      () => own.command(["SET", "never", "1"], options),
      () => own.pipeline([["SET", "never", "1"]], options),
      () => own.transactionPipeline([["SET", "never", "1"]], options),
      () => own.noreplyCommand(["SET", "never", "1"], options),
      () => own.noreplyPipeline([["SET", "never", "1"]], options),
    ]) {
      await assert.rejects(call(), (error) => error === reason)
    }
    assert.equal(await own.command(["ECHO", "end"]), "end")
    assert.equal(hasReceived(connection, "never"), false)
  })

  test("aborted in the turn of its call: never sent, and its neighbours are", async (t) => {
    const { conn: own, connection } = await echoing(t)
    const controller = new AbortController()
    const before = own.command(["ECHO", "before"])
    const aborted = [
      own.command(["SET", "never", "1"], { signal: controller.signal }),
      own.pipeline(
        [
          ["SET", "never", "2"],
          ["SET", "never", "3"],
        ],
        { signal: controller.signal },
      ),
      own.command(["SET", "never", Buffer.alloc(200_000, "x")], { signal: controller.signal }),
    ].map((promise) => assert.rejects(promise, { name: "AbortError" }))
    const after = own.command(["ECHO", "after"])
    controller.abort()
    await Promise.all(aborted)
    assert.equal(await before, "before")
    assert.equal(await after, "after")
    assert.equal(await own.command(["ECHO", "end"]), "end")
    assert.equal(hasReceived(connection, "never"), false)
  })

  test("any mixture of aborts in the turn of the calls leaves exactly the others, in order", async (t) => {
    const { conn: own, connection } = await echoing(t, { commandTimeout: 30_000 })
    const controller = new AbortController()
    const { signal } = controller
    const kept: Promise<unknown>[] = []
    const tags: string[] = []
    const aborted: Promise<unknown>[] = []
    const abort = (promise: Promise<unknown>) => aborted.push(assert.rejects(promise, { name: "AbortError" }))
    for (let index = 0; index < 3_000; index++) {
      const tag = `${index} ${"x".repeat((index * 37) % 300)}`
      if (index % 5 === 1) abort(own.command(["SET", "never", tag], { signal }))
      else if (index % 50 === 2) abort(own.transactionPipeline([["SET", "never", tag]], { signal }))
      else if (index % 50 === 3) abort(own.noreplyCommand(["SET", "never", tag], { signal }))
      else if (index % 500 === 4) abort(own.command(["SET", "never", Buffer.alloc(70_000)], { signal }))
      else {
        kept.push(own.command(["ECHO", tag]))
        tags.push(tag)
      }
    }
    controller.abort()
    await Promise.all(aborted)
    assert.deepEqual(await Promise.all(kept), tags)
    assert.equal(hasReceived(connection, "never"), false)
    assert.deepEqual(
      connection.received.slice(1).map(([name, tag]) => `${name} ${tag}`),
      tags.map((tag) => `ECHO ${tag}`),
    )
  })

  test("a noreply or a transaction that is aborted after it was sent shifts no reply", async () => {
    const key = uniqueKey()
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController()
      const { signal } = controller
      const noreply = conn.safe.noreplyPipeline(
        [
          ["INCR", key],
          ["INCR", key],
        ],
        { signal },
      )
      const transaction = conn.safe.transactionPipeline(
        [
          ["ECHO", "a"],
          ["ECHO", "b"],
        ],
        { signal },
      )
      const before = conn.command(["ECHO", `before ${round}`])
      if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      else await new Promise<void>((resolve) => queueMicrotask(resolve))
      controller.abort()
      const after = conn.command(["ECHO", `after ${round}`])
      await Promise.all([noreply, transaction])
      assert.equal(await before, `before ${round}`)
      assert.equal(await after, `after ${round}`)
    }
  })

  test("aborted or timed out while waiting for the connection: never sent", async (t) => {
    let letIn: (() => void) | undefined
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] === "ECHO") return `+${command[1]}\r\n`
      if (command[0] !== "PING") return undefined
      letIn = () => connection.write("+PONG\r\n")
      return ""
    })
    const own = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: fake.port, clientInfo: false, timeout: 60_000 }),
    )
    const reason = new Error("mine")
    const controller = new AbortController()
    const aborted = assert.rejects(
      own.command(["SET", "never", "1"], { signal: controller.signal }),
      (error) => error === reason,
    )
    const timedOut = connectionFailure(
      own.command(["SET", "never", "2"], { timeout: 50 }),
      "timeout",
      "not-sent",
    )
    const waiting = own.command(["ECHO", "waited"])
    await until(() => letIn, { message: "no handshake" })
    controller.abort(reason)
    await aborted
    await timedOut
    letIn?.()
    assert.equal(await waiting, "waited")
    const connection = fake.connections[0]
    assert.ok(connection)
    assert.equal(hasReceived(connection, "never"), false)
  })

  test("aborted while the server does not read: what was not handed to the socket is never sent", async (t) => {
    const { conn: own, connection } = await echoing(t, { commandTimeout: 60_000 })
    connection.pause()
    const large = own.command(["LARGE", Buffer.alloc(64 * 1024 * 1024)])
    large.catch(() => undefined)
    await atLeast(50)
    const controller = new AbortController()
    const aborted = assert.rejects(own.command(["SET", "never", "1"], { signal: controller.signal }), {
      name: "AbortError",
    })
    const late = connectionFailure(own.command(["SET", "never", "2"], { timeout: 50 }), "timeout", "not-sent")
    const kept = own.command(["ECHO", "kept"])
    await turn()
    controller.abort()
    await aborted
    await late
    connection.write("+large\r\n")
    connection.resume()
    assert.equal(await large, "large")
    assert.equal(await kept, "kept")
    assert.equal(hasReceived(connection, "never"), false)
  })

  test("the late reply of an aborted request reaches no other caller", async (t) => {
    const { conn: own, connection } = await echoing(t)
    const controller = new AbortController()
    const aborted = assert.rejects(own.command(["SLOW"], { signal: controller.signal }), {
      name: "AbortError",
    })
    await until(() => hasReceived(connection, "SLOW"), { message: "SLOW did not arrive" })
    controller.abort()
    await aborted
    const next = own.command(["NEXT"])
    await until(() => hasReceived(connection, "NEXT"), { message: "NEXT did not arrive" })
    connection.write("+late\r\n+next\r\n")
    assert.equal(await next, "next")
  })

  test("an abort after the reply changes nothing, and no listener stays on the signal", async (t) => {
    const { conn: own, connection } = await echoing(t)
    const controller = new AbortController()
    const { signal } = controller
    for (let index = 0; index < 20; index++) {
      assert.equal(await own.command(["ECHO", "x"], { signal }), "x")
      assert.deepEqual(await own.pipeline([["ECHO", "y"]], { signal }), ["y"])
    }
    await connectionFailure(own.command(["SLOW"], { signal, timeout: 30 }), "timeout")
    assert.equal(getEventListeners(signal, "abort").length, 0)
    controller.abort()
    connection.write("+late\r\n")
    assert.equal(await own.command(["ECHO", "z"]), "z")
  })

  test("one signal may abort many requests", async (t) => {
    const { conn: own } = await echoing(t)
    const controller = new AbortController()
    const all = Array.from({ length: 100 }, () =>
      assert.rejects(own.command(["SLOW"], { signal: controller.signal }), { name: "AbortError" }),
    )
    await turn()
    controller.abort()
    await Promise.all(all)
    assert.equal(own.status, "connected")
  })

  test("AbortSignal.timeout works as a signal", async (t) => {
    const { conn: own } = await echoing(t)
    await assert.rejects(own.command(["SLOW"], { signal: AbortSignal.timeout(50) }), { name: "TimeoutError" })
  })

  test("the time in which the event loop itself was blocked does not count", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, "v"])
    for (let round = 0; round < 3; round++) {
      const reply = conn.command(["GET", key], { timeout: 100 })
      await new Promise((resolve) => setImmediate(resolve))
      const until = performance.now() + 400
      while (performance.now() < until);
      assert.equal(await reply, "v")
    }
  })

  test("a blocked event loop is no half-open connection either", async (t) => {
    const own = closing(
      t,
      await Redix.connect({ host: server.host, port: server.port, healthCheckInterval: 200 }),
    )
    let drops = 0
    own.on("disconnection", () => {
      drops += 1
    })
    const reply = own.command(["ECHO", "here"])
    await new Promise((resolve) => setImmediate(resolve))
    const until = performance.now() + 800
    while (performance.now() < until);
    assert.equal(await reply, "here")
    assert.equal(drops, 0)
  })

  test("a request and its timeout leave nothing behind when disconnected at the same time", async (t) => {
    const { conn: own, connection } = await echoing(t)
    const slow = own.command(["SLOW"], { timeout: 50 }).then(
      () => assert.fail("it has no reply"),
      (error: unknown) => error,
    )
    await atLeast(45)
    const back = nextConnection(own)
    connection.reset()
    const error = await slow
    assert.ok(error instanceof Error && "reason" in error)
    assert.ok(error.reason === "timeout" || error.reason === "disconnected")
    await back
    assert.equal(await own.command(["ECHO", "x"]), "x")
  })
})
