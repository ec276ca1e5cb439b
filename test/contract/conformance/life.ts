/** Conformance: starting, waiting, events, names, and the end of a client. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { ConnectionError, Redix } from "@redix/client"
import { until } from "../../../support/wait.ts"
import {
  assertEndedByItself,
  connectionFailure,
  misuse,
  rejection,
  runNode,
  turn,
  uniqueKey,
} from "../helpers.ts"
import { type Bed, type Client, clientName, keys, nextEvent } from "./bed.ts"

export function lifeCases(bed: Bed): void {
  /** A user that nobody else logs in as, so that its connections can be broken off, and only they. */
  const ownUser = async () => {
    const user = { username: clientName(), password: "secret" }
    await bed.everywhere("ACL", "SETUSER", user.username, "on", ">secret", "~*", "&*", "+@all")
    return user
  }

  /** Asserts that every method rejects since the client has ended. */
  const assertEnded = async (client: Client) => {
    assert.equal(client.status, "closed")
    for (const call of [
      () => client.command(["PING"]),
      () => client.pipeline([["PING"]]),
      () => client.transactionPipeline([["GET", keys()()]]),
      () => client.noreplyCommand(["PING"]),
      () => client.noreplyPipeline([["PING"]]),
      () => client.command(["BLPOP", keys()(), 0]),
      () => client.ready(),
    ]) {
      const error = await connectionFailure(call(), "closed", "not-sent")
      assert.equal(error.final, true)
    }
  }

  describe("start and ready", () => {
    test("start returns at once, requests wait for the connection, ready for its standing", async (t) => {
      const own = bed.setting.start()
      t.after(() => own.destroy())
      assert.equal(own.status, "connecting")
      const key = keys()
      const early = Promise.all([
        own.command(["INCR", key("a")]),
        own.pipeline([["INCR", key("b")]]),
        own.transactionPipeline([["INCR", key("c")]]),
        own.noreplyCommand(["INCR", key("d")]),
      ])
      assert.equal(await own.ready(), undefined)
      assert.equal(own.status, "connected")
      assert.deepEqual(await early, [1, [1], [1], undefined])
      assert.equal(await own.command(["GET", key("d")]), "1")
      assert.equal(await own.ready({ timeout: 1 }), undefined)
    })

    test("connect resolves once connected", async (t) => {
      const own = await bed.own(t)
      assert.equal(own.status, "connected")
      assert.equal(own.name, undefined)
    })

    test("a first argument that is passed but undefined or empty is a TypeError", async () => {
      const start: unknown = Reflect.get(bed.client.constructor, "start")
      const connect: unknown = Reflect.get(bed.client.constructor, "connect")
      assert.ok(typeof start === "function" && typeof connect === "function")
      for (const value of [undefined, ""]) {
        assert.throws(() => start.call(bed.client.constructor, value), TypeError)
        await misuse(() => connect.call(bed.client.constructor, value))
      }
    })

    test("wrong options of ready and close are TypeErrors, and nothing ends", async () => {
      const { client } = bed
      await misuse(() => client.ready({ timeout: -1 }), /timeout/)
      await misuse(() => client.ready({ signal: 1 } as never), /signal/)
      await misuse(() => client.close({ timeout: -1 }), /timeout/)
      await misuse(() => client.close({ tiemout: 1 } as never), /tiemout/)
      assert.equal(await client.command(["PING"]), "PONG")
    })

    test("clientName is the name of every connection", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name })
      await own.command(["GET", keys()()])
      assert.ok((await bed.clientLines(name)).length > 0)
    })
  })

  describe("events", () => {
    test("connection says which client, under which name, where, and that it is the first", async (t) => {
      const name = uniqueKey("name")
      const own = bed.setting.start({ name })
      t.after(() => own.destroy())
      const event = await nextEvent(own, "connection")
      assert.equal(event.connection, own)
      assert.equal(event.name, name)
      assert.equal(event.reconnection, false)
      assert.ok(
        bed.setting.servers.some(({ host, port }) => event.address === `${host}:${port}`),
        `unknown address ${event.address}`,
      )
    })

    test("on listens until off, once listens once, and there is no error event", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name, backoffInitial: 10, backoffMax: 50 })
      const seen = { always: 0, once: 0, error: 0 }
      const always = () => {
        seen.always += 1
      }
      own.on("disconnection", always)
      own.once("disconnection", () => {
        seen.once += 1
      })
      own.on("error" as never, () => {
        seen.error += 1
      })
      for (let round = 1; round <= 2; round++) {
        const drop = nextEvent(own, "disconnection")
        const back = nextEvent(own, "connection")
        await bed.kill(name)
        await Promise.all([drop, back])
        await own.ready()
        assert.ok(seen.always >= round)
        assert.equal(seen.once, 1)
      }
      own.off("disconnection", always)
      const before = seen.always
      const drop = nextEvent(own, "disconnection")
      await bed.kill(name)
      await drop
      assert.equal(seen.always, before)
      assert.equal(seen.once, 1)
      assert.equal(seen.error, 0)
    })

    test("a listener that throws surfaces as an uncaught exception and harms nothing", async () => {
      const victim = await ownUser()
      const result = await runNode(`
        ${bed.setting.program(victim)}
        const caught = []
        process.on("uncaughtException", (error) => caught.push(error.message))
        process.on("unhandledRejection", () => caught.push("a rejection"))
        client.on("disconnection", () => { throw new Error("from a listener") })
        let second = false
        client.on("disconnection", () => { second = true })
        await client.safe.command(["CLIENT", "KILL", "USER", "${victim.username}", "SKIPME", "no"])
        while (caught.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
        await client.ready()
        console.log(JSON.stringify({ caught: [...new Set(caught)], second }))
        await client.close()
      `)
      assert.deepEqual(JSON.parse(assertEndedByItself(result)), { caught: ["from a listener"], second: true })
    })
  })

  describe("names", () => {
    test("a client is found by its name, which is in use until its end", async (t) => {
      const name = uniqueKey("name")
      const own = bed.setting.start({ name })
      t.after(() => own.destroy())
      assert.equal(own.name, name)
      assert.equal(bed.setting.named(name), own)
      assert.equal(Redix.named(name), own)
      assert.equal(Redix.whereis(name), own)
      assert.throws(() => bed.setting.start({ name }), new RegExp(name))
      assert.match((await rejection(bed.setting.connect({ name }))).message, new RegExp(name))
      await own.close()
      assert.equal(Redix.whereis(name), undefined)
      assert.throws(() => bed.setting.named(name), new RegExp(name))
      const second = bed.setting.start({ name })
      own.destroy()
      assert.equal(bed.setting.named(name), second)
      second.destroy()
      assert.equal(Redix.whereis(name), undefined)
    })
  })

  describe("close", () => {
    test("waits for the replies in flight and takes no more requests", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name })
      const key = keys()
      const resume = await bed.holdWrites(t)
      const inFlight = own.command(["SET", key("a"), "1"])
      const together = own.pipeline([["SET", key("b"), "1"]])
      await bed.untilHeld(name)
      let closed = false
      const close = own.close().finally(() => {
        closed = true
      })
      await assertEnded(own)
      await turn()
      assert.equal(closed, false)
      await resume()
      assert.deepEqual(await Promise.all([inFlight, together]), ["OK", ["OK"]])
      assert.equal(await close, undefined)
      assert.equal(await own.closed, undefined)
      await until(async () => (await bed.clientLines(name)).length === 0)
    })

    test("waits at most its timeout; what is left rejects with closed, outcome unknown", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name })
      const key = keys()
      await bed.holdWrites(t)
      const left = [
        own.command(["SET", key(), "1"], { timeout: 60_000 }),
        own.transactionPipeline([["SET", key(), "1"]], { timeout: 60_000 }),
      ].map((call) => connectionFailure(call, "closed", "unknown"))
      await bed.untilHeld(name)
      assert.equal(await own.close({ timeout: 50 }), undefined)
      for (const error of await Promise.all(left)) assert.equal(error.final, true)
      await until(async () => (await bed.clientLines(name)).length === 0)
    })

    test("is idempotent, also after destroy, and so is asyncDispose", async () => {
      const own = await bed.setting.connect()
      await Promise.all([own.close(), own.close({ timeout: 1 }), own[Symbol.asyncDispose]()])
      own.destroy()
      await own.close()
      await own[Symbol.asyncDispose]()
      await assertEnded(own)
      let disposed: Client | undefined
      {
        await using scoped = await bed.setting.connect()
        disposed = scoped
        assert.equal(scoped.status, "connected")
      }
      await assertEnded(disposed)
    })

    test("while connecting: what waits rejects with closed at once", async (t) => {
      const own = bed.setting.start()
      t.after(() => own.destroy())
      const waiting = own.safe.command(["PING"])
      const ready = connectionFailure(own.ready(), "closed")
      const close = own.close()
      await assertEnded(own)
      await close
      assert.equal((await ready).final, true)
      const result = await waiting
      assert.ok(!result.ok && result.error instanceof ConnectionError)
      assert.equal(result.error.reason, "closed")
      assert.equal(result.error.outcome, "not-sent")
    })
  })

  describe("destroy", () => {
    test("ends at once: what is in flight rejects with closed, what was not sent as not sent", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name })
      const key = keys()
      const resume = await bed.holdWrites(t)
      const inFlight = connectionFailure(own.command(["SET", key("a"), "1"]), "closed", "unknown")
      await bed.untilBlocked(name, 1)
      const unsent = connectionFailure(own.command(["SET", key("b"), "1"]), "closed", "not-sent")
      assert.equal(own.destroy(), undefined)
      assert.equal(own.status, "closed")
      for (const error of [await inFlight, await unsent]) assert.equal(error.final, true)
      own.destroy()
      assert.equal(await own.closed, undefined)
      await assertEnded(own)
      await until(async () => (await bed.clientLines(name)).length === 0)
      await resume()
      assert.equal(await bed.client.command(["GET", key("b")]), null)
    })

    test("in the turn of start nothing is left of it", async () => {
      const name = clientName()
      const own = bed.setting.start({ clientName: name })
      own.destroy()
      await assertEnded(own)
      assert.equal(await own.closed, undefined)
      await until(async () => (await bed.clientLines(name)).length === 0)
    })

    test("closed does not settle before the end", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name, backoffInitial: 10 })
      let settled = false
      void own.closed.then(() => {
        settled = true
      })
      const back = nextEvent(own, "connection")
      await bed.kill(name)
      await back
      await turn()
      assert.equal(settled, false)
      own.destroy()
      assert.equal(await own.closed, undefined)
    })
  })

  describe("the process", () => {
    test("lives as long as the client, and ends by itself after close, destroy, dispose or unref", async () => {
      const program = bed.setting.program()
      const key = keys()("none")
      const ending = [
        `${program} await client.command(["PING"]); await client.close()`,
        `${program} client.destroy()`,
        `${program} await client[Symbol.asyncDispose]()`,
        `${program}
         client.command(["BLPOP", "${key}", 0]).catch(() => {})
         setTimeout(() => client.close({ timeout: 60_000 }), 100)`,
        `${program} client.command(["BLPOP", "${key}", 0.1]).then(() => client.unref())`,
      ]
      const [open, held, ...results] = await Promise.all([
        runNode(`${program} console.log("up")`, { lingersAfter: "up" }),
        runNode(`${program} client.unref(); client.ref(); console.log("up")`, { lingersAfter: "up" }),
        ...ending.map((source) => runNode(source)),
      ])
      assert.equal(open.signal, "SIGKILL")
      assert.equal(held.signal, "SIGKILL")
      for (const result of results) {
        assertEndedByItself(result)
        assert.equal(result.stderr, "")
      }
    })

    test("sees no rejection of a promise that its program never looked at", async () => {
      const victim = await ownUser()
      const result = await runNode(`
        ${bed.setting.program(victim)}
        let unhandled = 0
        process.on("unhandledRejection", () => { unhandled += 1 })
        process.on("uncaughtException", () => { unhandled += 100 })
        void client.closed
        void client.safe.command(["NOSUCH.COMMAND", "${keys()()}"])
        void client.safe.command([])
        await client.safe.command(["CLIENT", "KILL", "USER", "${victim.username}", "SKIPME", "no"])
        await client.ready()
        void client.safe.command(["BLPOP", "${keys()()}", 0])
        void client.safe.command(["PING"])
        client.destroy()
        await new Promise((resolve) => setTimeout(resolve, 50))
        console.log(unhandled)
      `)
      assert.equal(assertEndedByItself(result).trim(), "0")
    })
  })
}
