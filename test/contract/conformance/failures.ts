/** Conformance: deadlines, aborts, connections that drop, and servers that are not there. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { inspect } from "node:util"
import { ConnectionError, RedisError } from "@redix/client"
import { freePort } from "../../../support/server.ts"
import { until } from "../../../support/wait.ts"
import { assertConnectionError, connectionFailure, rawServer, turn } from "../helpers.ts"
import { type Bed, type Client, clientName, keys, nextEvent, type Place } from "./bed.ts"

/** Comes back soon. */
const quick = { backoffInitial: 10, backoffMax: 50 } as const

export function failureCases(bed: Bed): void {
  /** Every way to send a write to that key. */
  const writes = (client: Client, key: string, options: { timeout?: number; signal?: AbortSignal }) => [
    () => client.command(["SET", key, "1"], options),
    () => client.pipeline([["SET", key, "1"]], options),
    () => client.transactionPipeline([["SET", key, "1"]], options),
    () => client.noreplyCommand(["SET", key, "1"], options),
    () => client.noreplyPipeline([["SET", key, "1"]], options),
  ]

  /** Asserts that the requests after the present moment get their own replies, on all connections. */
  const assertInStep = async (client: Client) => {
    const tags = Array.from({ length: 50 }, (_, index) => `tag ${index}`)
    assert.deepEqual(await Promise.all(tags.map((tag) => client.command(["ECHO", tag]))), tags)
  }

  describe("timeouts", () => {
    test("a request whose reply is late rejects with timeout; it may still run, and its reply reaches nobody else", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name })
      const key = keys()
      const resume = await bed.holdWrites(t)
      const calls = [
        own.command(["SET", key("a"), "1"], { timeout: 100 }),
        own.pipeline([["INCR", key("b")], ["PING"]], { timeout: 100 }),
        own.transactionPipeline([["INCR", key("c")]], { timeout: 100 }),
      ].map((call) => connectionFailure(call, "timeout", "unknown"))
      for (const error of await Promise.all(calls)) assert.equal(error.final, false)
      await resume()
      await until(async () => (await own.command(["GET", key("a")])) === "1")
      await assertInStep(own)
      assert.equal(own.status, "connected")
    })

    test("commandTimeout is the default of timeout", async (t) => {
      const own = await bed.own(t, { commandTimeout: 100 })
      const key = keys()
      const resume = await bed.holdWrites(t)
      await connectionFailure(own.command(["SET", key(), "1"]), "timeout", "unknown")
      await connectionFailure(own.command(["SET", key(), "1"], { timeout: undefined }), "timeout", "unknown")
      const patient = own.command(["SET", key("patient"), "1"], { timeout: Number.POSITIVE_INFINITY })
      await connectionFailure(own.pipeline([["SET", key(), "1"]]), "timeout", "unknown")
      await resume()
      assert.equal(await patient, "OK")
    })

    test("a request that waits for the connection is not sent after its time", async (t) => {
      const { place } = await silentPlace(t)
      const own = bed.setting.startAt(place, quick)
      t.after(() => own.destroy())
      const waiting = writes(own, keys()(), { timeout: 50 }).map((call) =>
        connectionFailure(call(), "timeout", "not-sent"),
      )
      await Promise.all(waiting)
      await connectionFailure(own.ready({ timeout: 50 }), "timeout")
    })
  })

  describe("aborts", () => {
    test("a signal that was aborted before the call: its reason, and nothing is sent", async () => {
      const { client } = bed
      const key = keys()
      const reason = { any: "thing" }
      const signal = AbortSignal.abort(reason)
      for (const call of writes(client, key(), { signal })) {
        await assert.rejects(call(), (error) => error === reason)
      }
      assert.equal(await client.command(["EXISTS", key()]), 0)
    })

    test("aborted in the turn of its call: never sent, and its neighbours are", async () => {
      const { client } = bed
      const key = keys()
      const controller = new AbortController()
      const reason = new Error("not wanted")
      const before = client.command(["INCR", key("before")])
      const aborted = writes(client, key(), { signal: controller.signal }).map((call) =>
        assert.rejects(call(), (error) => error === reason),
      )
      const after = client.command(["INCR", key("after")])
      controller.abort(reason)
      await Promise.all(aborted)
      assert.deepEqual(await Promise.all([before, after]), [1, 1])
      await assertInStep(client)
      assert.equal(await client.command(["EXISTS", key()]), 0)
    })

    test("aborted after it was sent: its reason at once, and its reply reaches nobody else", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name })
      const key = keys()
      const controller = new AbortController()
      const reason = new Error("not wanted any more")
      const resume = await bed.holdWrites(t)
      const aborted = assert.rejects(
        own.command(["SET", key(), "1"], { signal: controller.signal, timeout: 60_000 }),
        (error) => error === reason,
      )
      await bed.untilBlocked(name, 1)
      controller.abort(reason)
      await aborted
      await resume()
      await assertInStep(own)
      assert.equal(own.status, "connected")
    })

    test("while the connection is being made: the reason, and nothing is sent", async (t) => {
      const { place } = await silentPlace(t)
      const own = bed.setting.startAt(place, quick)
      t.after(() => own.destroy())
      const controller = new AbortController()
      const reason = new Error("not wanted")
      const waiting = [
        ...writes(own, keys()(), { signal: controller.signal }).map((call) => call()),
        own.ready({ signal: controller.signal }),
      ].map((call) => assert.rejects(call, (error) => error === reason))
      await turn()
      controller.abort(reason)
      await Promise.all(waiting)
      await assert.rejects(own.ready({ signal: controller.signal }), (error) => error === reason)
    })

    test("an abort after the reply changes nothing", async () => {
      const { client } = bed
      const controller = new AbortController()
      const calls = Array.from({ length: 20 }, (_, index) =>
        client.command(["ECHO", `${index}`], { signal: controller.signal }),
      )
      assert.equal((await Promise.all(calls)).length, 20)
      controller.abort()
      await assertInStep(client)
    })
  })

  describe("a connection that drops", () => {
    test("what is in flight rejects with disconnected, is not sent again, and the client comes back", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name, ...quick })
      const key = keys()
      const resume = await bed.holdWrites(t)
      const calls = [
        own.command(["INCR", key("a")]),
        own.pipeline([
          ["INCR", key("b")],
          ["INCR", key("b")],
        ]),
        own.noreplyCommand(["INCR", key("c")]),
      ]
      const failures = calls.map((call) => connectionFailure(call, "disconnected", "unknown"))
      await bed.untilHeld(name)
      const drop = nextEvent(own, "disconnection")
      const back = nextEvent(own, "connection")
      assert.ok((await bed.kill(name)) > 0)
      for (const error of await Promise.all(failures)) {
        assert.equal(error.final, false)
        assert.ok(error.cause instanceof Error, inspect(error))
      }
      await resume()
      const { connection, error } = await drop
      assert.equal(connection, own)
      assertConnectionError(error, "disconnected")
      assert.equal((await back).reconnection, true)
      await own.ready({ timeout: 10_000 })
      await until(async () => (await own.safe.command(["GET", key("d")])).ok)
      assert.deepEqual(await own.command(["MGET", key("a"), key("b"), key("c")]), [null, null, null])
      await assertInStep(own)
    })

    test("of a pipeline some of whose commands were answered", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name, ...quick })
      const key = keys()
      const call = own.pipeline([
        ["INCR", key("a")],
        ["BLPOP", key("list"), 0],
        ["INCR", key("b")],
      ])
      const settled = call.then(
        (value) => ({ value, error: undefined }),
        (error: unknown) => ({ value: undefined, error }),
      )
      await bed.untilBlocked(name, 1)
      await bed.kill(name)
      const { value, error } = await settled
      if (bed.topology.failsOneByOne) {
        assert.ok(value, inspect(error))
        assert.equal(value[0], 1)
        assertConnectionError(value[1], "disconnected", "unknown")
        assert.ok(value[2] instanceof ConnectionError, inspect(value[2]))
      } else {
        assertConnectionError(error, "disconnected", "unknown")
      }
      assert.deepEqual(await bed.client.command(["MGET", key("a"), key("b")]), ["1", null])
    })
  })

  describe("servers that are not there", () => {
    test("connect rejects with why, for good", async () => {
      const place = await nobodysPlace()
      const error = await connectionFailure(
        bed.setting.connectAt(place),
        bed.topology.nobodyThere,
        "not-sent",
      )
      assert.equal(error.final, true)
    })

    test("after start, requests wait for the attempt, then reject with closed and its error; later ones at once", async (t) => {
      const place = await nobodysPlace()
      const own = bed.setting.startAt(place, { backoffInitial: 60_000, backoffMax: 60_000 })
      t.after(() => own.destroy())
      assert.equal(own.status, "connecting")
      const failed = nextEvent(own, "failedConnection")
      const options = { timeout: Number.POSITIVE_INFINITY }
      const waiting = writes(own, keys()(), options).map((call) =>
        connectionFailure(call(), "closed", "not-sent"),
      )
      for (const error of await Promise.all(waiting)) {
        assert.equal(error.final, false)
        assert.ok(error.cause instanceof ConnectionError, inspect(error.cause))
      }
      const { connection, error } = await failed
      assert.equal(connection, own)
      assert.ok(error instanceof ConnectionError)
      await until(() => own.status === "disconnected")
      for (const call of writes(own, keys()(), options)) await connectionFailure(call(), "closed", "not-sent")
      assert.equal(await own.close(), undefined)
      assert.equal(await own.closed, undefined)
    })

    test("nothing shows a password", async (t) => {
      const place = await nobodysPlace()
      const options = { username: "somebody", password: "hunter2" }
      const own = bed.setting.startAt(place, options)
      t.after(() => own.destroy())
      const failed = nextEvent(own, "failedConnection")
      const waiting = connectionFailure(own.command(["PING"]), "closed")
      const refused = await connectionFailure(bed.setting.connectAt(place, options), bed.topology.nobodyThere)
      for (const value of [own, refused, await waiting, await failed]) {
        assert.doesNotMatch(inspect(value, { depth: 20, showHidden: true }), /hunter2/)
      }
    })

    test("a client whose password the servers refuse tries again, and connect rejects", async (t) => {
      const options = { username: "nobody", password: "wrong", ...quick }
      const error = await connectionFailureOf(bed.setting.connect(options))
      assert.equal(error.final, true)
      const own = bed.setting.start(options)
      t.after(() => own.destroy())
      const waiting = connectionFailure(own.command(["PING"]), "closed", "not-sent")
      for (let round = 0; round < 2; round++) {
        const event = await nextEvent(own, "failedConnection")
        assert.ok(event.error instanceof ConnectionError)
        assert.equal(event.error.final, false)
      }
      assert.ok(!((await waiting).cause instanceof RedisError))
      const user = ["ACL", "SETUSER", "nobody", "on", ">wrong", "~*", "&*", "+@all"]
      await bed.everywhere(...user)
      t.after(() => bed.everywhere("ACL", "DELUSER", "nobody"))
      await own.ready({ timeout: 10_000 })
      assert.equal(await own.command(["PING"]), "PONG")
    })
  })
}

/** A place where connections are accepted, and nothing is said. */
async function silentPlace(t: TestContext): Promise<{ place: Place }> {
  const server = await rawServer(t, () => undefined)
  return { place: { host: "127.0.0.1", port: server.port } }
}

/** A place where nobody listens. */
async function nobodysPlace(): Promise<Place> {
  return { host: "127.0.0.1", port: await freePort() }
}

/** The `ConnectionError`, of whatever reason, that a promise rejects with. */
async function connectionFailureOf(promise: Promise<unknown>): Promise<ConnectionError> {
  const error: unknown = await promise.then(
    (value) => assert.fail(`expected a rejection, got ${inspect(value)}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ConnectionError, inspect(error))
  return error
}
