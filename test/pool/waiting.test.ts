/** Requests that are issued while none of a pool's connections stands: they are for the first that does. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { freePort } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { connectionFailure, misuse, rejection } from "../contract/helpers.ts"
import { Clock, TimedRequest } from "../util/clock.ts"
import { hesitant, started } from "./setup.ts"

describe("before any connection of a pool stands", () => {
  for (const strategy of ["least-busy", "round-robin", "random"] as const) {
    test(`requests wait for the first that does, whichever it is (${strategy})`, async (t) => {
      const { pool, greet } = await hesitant(t, { strategy })
      const echoes = Array.from({ length: 20 }, (_, index) => pool.command(["ECHO", `${index}`]))
      const piped = pool.pipeline([
        ["ECHO", "a"],
        ["ECHO", "b"],
      ])
      await greet(1)
      assert.deepEqual(
        await Promise.all(echoes),
        echoes.map((_, index) => `${index}`),
      )
      assert.deepEqual(await piped, ["a", "b"])
    })
  }

  test("what is sent is what was given, and in that order", async (t) => {
    const { pool, fake, greet } = await hesitant(t)
    const command: [string, string] = ["ECHO", "first"]
    const first = pool.command(command)
    command[1] = "second"
    const second = pool.command(command)
    command[1] = "never"
    await greet(2)
    assert.deepEqual(await Promise.all([first, second]), ["first", "second"])
    assert.deepEqual(
      fake.connections.flatMap(({ received }) => received).filter(([name]) => name === "ECHO"),
      [
        ["ECHO", "first"],
        ["ECHO", "second"],
      ],
    )
  })

  test("a timeout and a signal end the waiting, and nothing is sent", async (t) => {
    const { pool, fake, greet } = await hesitant(t, { commandTimeout: 40 })
    const stop = new AbortController()
    const stopped = rejection(pool.command(["ECHO", "stopped"], { signal: stop.signal, timeout: 5000 }))
    await connectionFailure(pool.command(["ECHO", "late"]), "timeout", "not-sent")
    await connectionFailure(pool.noreplyCommand(["ECHO", "late"], { timeout: 20 }), "timeout", "not-sent")
    stop.abort(new Error("stop"))
    assert.equal((await stopped).message, "stop")
    const rest = pool.command(["ECHO", "rest"], { timeout: 5000 })
    await greet(0)
    assert.equal(await rest, "rest")
    const echoed = fake.connections.flatMap(({ received }) => received).filter(([name]) => name === "ECHO")
    assert.deepEqual(echoed, [["ECHO", "rest"]])
  })

  test("a request has one deadline over its waiting and its reply", async (t) => {
    const clock = new Clock(t)
    const { pool, fake, greet } = await hesitant(t)
    const request = new TimedRequest(clock, pool.command(["GET", "k"], { timeout: 1000 }))
    await clock.pass(600)
    await greet(0)
    const [connection] = fake.connections
    if (connection !== undefined) connection.onCommand = () => undefined
    await clock.standUntil(() => connection?.received.some(([name]) => name === "GET") === true)
    const error = await request.assertTimeOver(400)
    assert.equal(error.outcome, "unknown")
  })

  test("what waits rejects once no connection is on its way any more", async (t) => {
    const pool = started(t, { host: "127.0.0.1", port: await freePort() }, { backoffInitial: 1000 })
    const error = await connectionFailure(pool.command(["PING"]), "closed", "not-sent")
    assert.equal(error.final, false)
    assert.ok(error.cause instanceof Error)
    assert.equal(pool.status, "disconnected")
  })

  test("close, destroy and exitOnDisconnection reject what waits, for good", async (t) => {
    for (const end of ["close", "destroy"] as const) {
      const { pool } = await hesitant(t)
      const failed = connectionFailure(pool.command(["ECHO", "x"]), "closed", "not-sent")
      await pool[end]()
      assert.equal((await failed).final, true)
    }
    const { pool, fake } = await hesitant(t, { exitOnDisconnection: true })
    const failed = connectionFailure(pool.command(["ECHO", "x"]), "closed", "not-sent")
    await until(() => fake.connections.length === 3)
    fake.connections[1]?.reset()
    assert.equal((await failed).final, true)
    assert.equal((await pool.closed)?.final, true)
  })

  test("misuse is told at once, and maxInFlight bounds what waits", async (t) => {
    const { pool, greet } = await hesitant(t, { maxInFlight: 2 })
    await misuse(() => pool.command(["GET", undefined as never]), /GET/)
    const waiting = [pool.command(["ECHO", "a"]), pool.pipeline([["ECHO", "b"]])]
    await connectionFailure(pool.command(["ECHO", "c"]), "overloaded", "not-sent")
    await greet(0)
    assert.deepEqual(await Promise.all(waiting), ["a", ["b"]])
  })
})
