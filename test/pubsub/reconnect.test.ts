/** Row 31 of the fault matrix: connections that break, and what a subscription is told of it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { ConnectionError, PubSub } from "@redix/client"
import type { FakeConnection } from "../../support/fake-server.ts"
import { freePort, RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { connectionFailure, redisFailure, sharedServer, turn, uniqueKey } from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import {
  connected,
  delivered,
  Log,
  protocols,
  proxyTo,
  publisher,
  Reading,
  sorted,
  started,
  subscribers,
  untilUnsubscribed,
} from "./setup.ts"

const server = await sharedServer()

for (const protocol of protocols) {
  describe(`a connection that breaks, RESP${protocol}`, () => {
    test("CLIENT KILL: one `disconnected` for each subscription, then `subscribed` for each channel", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const prefix = uniqueKey()
      const [a, b] = [`${prefix}:a`, `${prefix}:b`]
      const [both, onlyA, pattern, shard] = [new Log(), new Log(), new Log(), new Log()]
      await pubsub.subscribe([a, b], both.handler)
      await pubsub.subscribe(a, onlyA.handler)
      await pubsub.psubscribe(`${prefix}*`, pattern.handler)
      await pubsub.ssubscribe(a, shard.handler)
      const reading = new Reading(await pubsub.subscribe(b))
      await conn.pipeline([
        ["PUBLISH", a, "before"],
        ["SPUBLISH", a, "before"],
      ])
      for (const log of [both, onlyA, pattern, shard]) await log.untilPayload("before")

      for (let round = 1; round <= 5; round++) {
        assert.equal(await conn.command(["CLIENT", "KILL", "TYPE", "PUBSUB"]), 1)
        await both.until("subscribed", 2 + 2 * round)
        await onlyA.until("subscribed", 1 + round)
        await pattern.until("psubscribed", 1 + round)
        await shard.until("ssubscribed", 1 + round)
        await reading.until("subscribed", 1 + round)
        // What is published after `subscribed` arrives.
        await conn.pipeline([
          ["PUBLISH", a, `${round}`],
          ["PUBLISH", b, `${round}`],
          ["SPUBLISH", a, `${round}`],
        ])
        for (const log of [onlyA, pattern, shard, reading]) await log.untilPayload(`${round}`)
        await until(() => both.payloads.filter((payload) => payload === `${round}`).length === 2)
      }
      const rounds = [1, 2, 3, 4, 5]
      assert.deepEqual(onlyA.lines, [
        `subscribed ${a}`,
        `message ${a} before`,
        ...rounds.flatMap((round) => ["disconnected", `subscribed ${a}`, `message ${a} ${round}`]),
      ])
      assert.deepEqual(shard.lines, [
        `ssubscribed ${a}`,
        `smessage ${a} before`,
        ...rounds.flatMap((round) => ["disconnected", `ssubscribed ${a}`, `smessage ${a} ${round}`]),
      ])
      assert.deepEqual(reading.lines, [
        `subscribed ${b}`,
        ...rounds.flatMap((round) => ["disconnected", `subscribed ${b}`, `message ${b} ${round}`]),
      ])
      for (const log of [both, pattern])
        assert.equal(log.count("disconnected"), 5, "not one for each channel")
      const error = onlyA.last("disconnected")?.error
      assert.ok(error instanceof ConnectionError)
      assert.equal(await subscribers(server, a), 1)
    })

    test("a reset within a message, at each byte: nothing partial, twice or astray", async (t) => {
      const proxy = await proxyTo(t, server)
      const pubsub = await connected(t, proxy, { protocol, backoffInitial: 1, backoffMax: 2 })
      const conn = await publisher(t, server)
      const [a, b] = [uniqueKey("a"), uniqueKey("b")]
      const [log, other] = [new Log(), new Log()]
      await pubsub.subscribe([a, b], log.handler)
      await pubsub.subscribe(b, other.handler)
      let gaps = 0
      const frame = (payload: string) =>
        `*3\r\n$7\r\nmessage\r\n$${a.length}\r\n${a}\r\n$${payload.length}\r\n${payload}\r\n`.length
      const published: string[] = []
      for (const ending of ["fin", "rst"] as const) {
        for (let cut = 1; cut < frame(`${ending}:0123456789:00`); cut += 1) {
          const payload = `${ending}:0123456789:${String(cut).padStart(2, "0")}`
          published.push(payload)
          proxy.cutAfterBytes("to-client", cut, ending)
          await conn.command(["PUBLISH", a, payload])
          gaps += 1
          await log.until("subscribed", 2 + 2 * gaps)
          await other.until("subscribed", 1 + gaps)
          if (cut % 10 === 0) {
            await conn.command(["PUBLISH", b, `whole ${payload}`])
            await other.untilPayload(`whole ${payload}`)
          }
        }
      }
      await delivered(pubsub)
      // All but the last byte were delivered at most, so no message was complete.
      const wholes = published
        .filter((payload) => Number(payload.slice(-2)) % 10 === 0)
        .map((payload) => `whole ${payload}`)
      assert.deepEqual(other.payloads, wholes)
      assert.deepEqual(log.payloads, wholes)
      assert.equal(log.count("disconnected"), gaps)
      assert.equal(other.count("disconnected"), gaps)
      const brackets = other.lines.filter((line) => !line.startsWith("message"))
      assert.deepEqual(brackets, [
        `subscribed ${b}`,
        ...Array.from({ length: gaps }, () => ["disconnected", `subscribed ${b}`]).flat(),
      ])
    })

    test("a stream of messages cut again and again: in order, each at most once, complete outside of the gaps", async (t) => {
      const proxy = await proxyTo(t, server)
      const pubsub = await connected(t, proxy, { protocol, backoffInitial: 1, backoffMax: 2 })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const log = new Log()
      await pubsub.subscribe(name, log.handler)
      let published = 0
      for (let round = 1; round <= 20; round++) {
        proxy.cutAfterBytes("to-client", 1 + round * 137, round % 2 === 0 ? "fin" : "rst")
        while (log.count("subscribed") <= round) {
          await conn.command(["PUBLISH", name, `${published}`])
          published += 1
        }
      }
      await conn.command(["PUBLISH", name, "last"])
      await log.untilPayload("last")
      let previous = -1
      let inGap = false
      for (const { type, payload } of log.events) {
        if (type === "disconnected") inGap = true
        if (type !== "message" || payload === "last") continue
        const number = Number(payload)
        assert.equal(String(number), payload, "whole")
        assert.ok(inGap ? number > previous : number === previous + 1, `${number} after ${previous}`)
        previous = number
        inGap = false
      }
      assert.equal(log.count("disconnected"), 20)
    })

    test("while the server has not yet confirmed the resubscription, nobody is told anything", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const log = new Log()
      await pubsub.subscribe("a", log.handler)
      fake.held = ([name]) => name === "SUBSCRIBE"
      const [first] = fake.server.connections
      first?.reset()
      await until(() => fake.connection !== first)
      const command = await fake.connection.nextCommand("SUBSCRIBE")
      await pubsub.ready()
      await turn()
      assert.deepEqual(log.lines, ["subscribed a", "disconnected"])
      fake.held = () => false
      fake.answer(command)
      await log.until("subscribed", 2)
      assert.deepEqual(log.lines, ["subscribed a", "disconnected", "subscribed a"])
    })

    test("the half of a message that came before the break is forgotten", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const log = new Log()
      await pubsub.subscribe("a", log.handler)
      const bytes = fake.bytes(fake.connection, "message", "a", "0123456789")
      fake.connection.write(Buffer.concat([bytes, bytes.subarray(0, bytes.length - 4)]))
      await log.untilPayload("0123456789")
      fake.connection.end()
      await log.until("subscribed", 2)
      fake.publish("a", "next")
      await log.untilPayload("next")
      assert.deepEqual(log.payloads, ["0123456789", "next"])
    })

    for (const [what, bytes] of [
      ["that are no RESP", "nonsense\r\n"],
      ["that answer nothing", "+OK\r\n"],
      ["that answer nothing, a number", ":1\r\n"],
      ["that say they are a message and are none", "*1\r\n$7\r\nmessage\r\n"],
    ] as const) {
      test(`bytes ${what}: the connection is broken off, and comes back`, async (t) => {
        const fake = await FakePubSub.start(t)
        const pubsub = await connected(t, fake, { protocol })
        const log = new Log()
        await pubsub.subscribe("a", log.handler)
        fake.connection.write(bytes)
        await until(() => fake.server.connections.length === 2, {
          timeout: 3_000,
          message: "a new connection",
        })
        await log.until("subscribed", 2)
        const error = log.last("disconnected")?.error
        assert.ok(error instanceof ConnectionError)
        const reasons = [error, error.cause].map((each) => each instanceof ConnectionError && each.reason)
        assert.ok(reasons.includes("protocol-error"), `${reasons}`)
        fake.publish("a", "hello")
        await log.untilPayload("hello")
      })
    }
  })
}

describe("a server that goes and comes back", () => {
  test("SIGKILL and restart: everything is subscribed again", async (t) => {
    const own = await RedisServer.start()
    t.after(() => own.stop())
    const pubsub = await connected(t, own)
    const log = new Log()
    await pubsub.subscribe(["a", "b"], log.handler)
    await pubsub.psubscribe("p*", log.handler)
    await own.send("PUBLISH", "a", "before")
    await log.untilPayload("before")
    for (let round = 1; round <= 2; round++) {
      await own.kill()
      await log.until("disconnected", 2 * round)
      assert.notEqual(pubsub.status, "connected")
      await own.restart()
      await log.until("subscribed", 2 + 2 * round)
      await log.until("psubscribed", 1 + round)
      await own.send("PUBLISH", "b", `b${round}`)
      await own.send("PUBLISH", "pattern", `p${round}`)
      await log.untilPayload(`b${round}`)
      await log.untilPayload(`p${round}`)
    }
    // One handler in two subscriptions: each of them tells its own gap.
    assert.equal(log.count("disconnected"), 4)
    assert.deepEqual(log.payloads, ["before", "b1", "p1", "b2", "p2"])
  })

  test("one that is not there at the start: what was asked for waits, and is applied", async (t) => {
    const port = await freePort()
    const pubsub = started(t, { host: "127.0.0.1", port })
    const log = new Log()
    let failures = 0
    pubsub.on("failedConnection", () => {
      failures += 1
    })
    const waiting = [
      pubsub.subscribe("a", log.handler),
      pubsub.psubscribe(["b*", "c*"], log.handler),
      pubsub.ssubscribe("d", log.handler),
    ]
    await until(() => failures >= 3)
    const own = await RedisServer.start({ port })
    t.after(() => own.stop())
    await Promise.all(waiting)
    assert.deepEqual(sorted(log.lines), ["psubscribed b*", "psubscribed c*", "ssubscribed d", "subscribed a"])
    assert.equal(await subscribers(own, "a"), 1)
  })
})

describe("subscribing without a connection", () => {
  test("waits, and its deadline runs from when the connection is up", async (t) => {
    const proxy = await proxyTo(t, server)
    const pubsub = await connected(t, proxy, { commandTimeout: 2_000 })
    const conn = await publisher(t, server)
    const [a, b] = [uniqueKey("a"), uniqueKey("b")]
    const [log, waiter] = [new Log(), new Log()]
    await pubsub.subscribe(a, log.handler)
    let failures = 0
    pubsub.on("failedConnection", () => {
      failures += 1
    })
    proxy.refuse()
    proxy.reset()
    await log.until("disconnected")

    let settled = false
    const started = performance.now()
    const pending = pubsub.subscribe([b, a], waiter.handler, { timeout: 1_000 }).finally(() => {
      settled = true
    })
    await until(() => performance.now() - started > 1_200 && failures >= 3)
    assert.equal(settled, false, "it waits for the connection, not for its deadline")
    assert.deepEqual(waiter.lines, [], "a subscription that was not there saw no gap")
    await proxy.accept()
    await pending
    await conn.pipeline([
      ["PUBLISH", a, "1"],
      ["PUBLISH", b, "2"],
    ])
    await waiter.untilPayload("2")
    assert.deepEqual(sorted(waiter.lines.slice(0, 2)), [`subscribed ${a}`, `subscribed ${b}`])
    assert.deepEqual(waiter.payloads, ["1", "2"])
    await log.untilPayload("1")
    assert.deepEqual(log.lines, [`subscribed ${a}`, "disconnected", `subscribed ${a}`, `message ${a} 1`])
  })

  test("a server that does not answer then: timeout, and nothing stays", async (t) => {
    const fake = await FakePubSub.start(t)
    const port = fake.port
    const pubsub = started(t, { host: fake.host, port, commandTimeout: 20_000 })
    fake.held = ([name]) => name?.endsWith("SUBSCRIBE") === true
    const log = new Log()
    const kept = new Log()
    const failures = [
      connectionFailure(pubsub.subscribe("a", log.handler, { timeout: 50 }), "timeout"),
      connectionFailure(pubsub.psubscribe("a", { timeout: 50 }), "timeout"),
    ]
    const waiting = pubsub.subscribe("b", kept.handler)
    await Promise.all(failures)
    // Now it answers what it was sent, in order; a late confirmation reaches nobody.
    fake.held = () => false
    for (const command of fake.connection.received.filter(([name]) => name?.endsWith("SUBSCRIBE")))
      fake.answer(command)
    await waiting
    await until(() => fake.topics().size === 1)
    fake.push(fake.connection, "message", "a", "stray")
    fake.publish("b", "hello")
    await kept.untilPayload("hello")
    assert.deepEqual(log.lines, [])
    assert.equal(fake.topics(fake.connection, "PSUBSCRIBE").size, 0)
    assert.equal(fake.server.connections.length, 1)
    assert.equal(pubsub.status, "connected")
    await pubsub.ping()
  })

  test("`commandTimeout` is the deadline by default", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake, { commandTimeout: 50 })
    fake.held = ([name]) => name === "SUBSCRIBE"
    await connectionFailure(
      pubsub.subscribe("a", () => {}),
      "timeout",
      "unknown",
    )
    await connectionFailure(pubsub.subscribe("a"), "timeout")
  })

  test("a SUBSCRIBE whose connection broke before the confirmation is applied on the next one", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const { connection } = fake
    fake.held = (_, from) => from === connection
    const log = new Log()
    const pending = pubsub.subscribe(["a", "b"], log.handler)
    await connection.nextCommand("SUBSCRIBE")
    connection.reset()
    await pending
    assert.deepEqual(sorted(log.lines.filter((line) => line !== "disconnected")), [
      "subscribed a",
      "subscribed b",
    ])
    fake.publish("a", "hello")
    await log.untilPayload("hello")
  })

  test("one that was half confirmed when the connection broke is told of the gap", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const { connection } = fake
    const [log, other] = [new Log(), new Log()]
    await pubsub.subscribe("a", other.handler)
    fake.held = (_, from) => from === connection
    const pending = pubsub.subscribe(["a", "b"], log.handler)
    await connection.nextCommand("SUBSCRIBE")
    await connection.nextCommand("SUBSCRIBE")
    fake.push(connection, "message", "a", "1")
    await other.untilPayload("1")
    connection.reset()
    await pending
    fake.publish("a", "2")
    await log.untilPayload("2")
    // Whether or not it had been told of `a` before the gap: then it is told of the gap as well.
    const own = log.lines.filter((line) => !line.endsWith(" b"))
    const whole = ["subscribed a", "message a 1", "disconnected", "subscribed a", "message a 2"]
    const late = ["subscribed a", "message a 2"]
    assert.deepEqual(own, own.length === late.length ? late : whole)
  })

  test("one that is refused on the reconnection rejects, and the others are applied", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const log = new Log()
    const refused = new Log()
    await pubsub.subscribe("a", log.handler)
    fake.refused.add("bad")
    fake.connection.reset()
    await log.until("disconnected")
    const failure = redisFailure(pubsub.subscribe(["bad", "good"], refused.handler), "NOPERM")
    const waiting = pubsub.subscribe(["b", "c"], log.handler)
    await failure
    await waiting
    await log.until("subscribed", 4)
    await until(() => fake.topics().size === 3)
    assert.deepEqual(sorted([...fake.topics()]), ["a", "b", "c"])
    fake.push(fake.connection, "message", "good", "stray")
    await pubsub.ping()
    assert.deepEqual(refused.payloads, [])
    assert.equal(log.count("unsubscribed"), 0)
  })
})

describe("what the server does of its own accord", () => {
  for (const protocol of protocols) {
    test(`a shard channel that it takes away is asked for again, RESP${protocol}`, async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const { connection } = fake
      const [log, other] = [new Log(), new Log()]
      await pubsub.ssubscribe(["a", "b"], log.handler)
      await pubsub.subscribe("a", other.handler)
      fake.topics(connection, "SSUBSCRIBE").delete("a")
      fake.push(connection, "sunsubscribe", "a", 1)
      await until(() => fake.names("SSUBSCRIBE", connection).length === 3)
      assert.equal(fake.names("SSUBSCRIBE", connection).at(-1), "a")
      await pubsub.ping()
      fake.push(connection, "smessage", "a", "to a")
      fake.push(connection, "smessage", "b", "to b")
      fake.publish("a", "to the channel")
      await log.untilPayload("to b")
      await other.untilPayload("to the channel")
      assert.deepEqual(log.payloads, ["to a", "to b"])
      assert.deepEqual(other.lines, ["subscribed a", "message a to the channel"])
      assert.equal(fake.server.connections.length, 1)
    })
  }
})

describe("exitOnDisconnection", () => {
  test("the first loss is the end: told to each subscription, and to who waits", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake, { exitOnDisconnection: true })
    const log = new Log()
    await pubsub.subscribe(["a", "b"], log.handler)
    fake.held = () => true
    const waiting = [
      connectionFailure(
        pubsub.subscribe("c", () => {}),
        "disconnected",
      ),
      connectionFailure(pubsub.ping(), "disconnected"),
    ]
    await fake.connection.nextCommand("SUBSCRIBE")
    fake.connection.reset()
    const errors = await Promise.all(waiting)
    assert.ok(errors.every(({ final }) => final))
    const reason = await pubsub.closed
    assert.ok(reason instanceof ConnectionError)
    assert.equal(pubsub.status, "closed")
    assert.equal(log.count("disconnected"), 1)
    assert.equal(log.lines.length, 3)
    const late = await connectionFailure(pubsub.subscribe("d"), "closed", "not-sent")
    assert.equal(late.final, true)
    assert.equal(fake.server.connections.length, 1)
  })

  test("a first attempt that fails is the end as well", async (t) => {
    const pubsub = started(t, { host: "127.0.0.1", port: await freePort(), exitOnDisconnection: true })
    const error = await connectionFailure(pubsub.subscribe("a"), "closed", "not-sent")
    assert.equal(error.final, true)
    const reason = await pubsub.closed
    assert.ok(reason instanceof ConnectionError)
    assert.equal(reason.reason, "refused")
    assert.equal(pubsub.status, "closed")
  })
})

describe("many channels", () => {
  /** Which connections have been sent how many SUBSCRIBE commands. */
  const commands = (fake: FakePubSub, connection: FakeConnection) => fake.commands("SUBSCRIBE", connection)

  test("ten thousand, subscribed one by one, are subscribed again in few large commands", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const names = Array.from({ length: 10_000 }, (_, index) => `channel:${index}`)
    const log = new Log()
    await Promise.all(names.map((name) => pubsub.subscribe(name, log.handler)))
    assert.equal(log.count("subscribed"), 10_000)
    assert.equal(commands(fake, fake.connection).length, 10_000, "different calls are never merged")
    const patterns = names.slice(0, 1000).map((name) => `${name}*`)
    await pubsub.psubscribe(patterns, log.handler)

    fake.connection.reset()
    await log.until("subscribed", 20_000)
    await log.until("psubscribed", 2_000)
    const again = commands(fake, fake.connection)
    assert.ok(again.length <= 50, `${again.length} commands`)
    assert.deepEqual(sorted(fake.names("SUBSCRIBE")), sorted(names), "each once")
    assert.deepEqual(sorted(fake.names("PSUBSCRIBE")), sorted(patterns))
    assert.deepEqual(fake.complaints, [])
    // Each call is a subscription, and each of them saw the gap.
    assert.equal(log.count("disconnected"), 10_001)
  })
})

test("events of the connection, too, tell of the reconnection", async (t) => {
  const pubsub = PubSub.start({ host: server.host, port: server.port, backoffInitial: 5, name: uniqueKey() })
  t.after(() => pubsub.destroy())
  const events: string[] = []
  pubsub.on("connection", (event) => {
    assert.equal(event.name, pubsub.name)
    assert.equal(event.connection, pubsub)
    events.push(`connection ${event.address} ${event.reconnection}`)
  })
  pubsub.on("disconnection", ({ address, error }) => {
    assert.ok(error instanceof ConnectionError)
    events.push(`disconnection ${address}`)
  })
  const name = uniqueKey()
  const log = new Log()
  await pubsub.subscribe(name, log.handler)
  await server.send("CLIENT", "KILL", "TYPE", "PUBSUB")
  await log.until("subscribed", 2)
  const address = `${server.host}:${server.port}`
  assert.deepEqual(events, [
    `connection ${address} false`,
    `disconnection ${address}`,
    `connection ${address} true`,
  ])
  await pubsub.close()
  await untilUnsubscribed(server, name)
})
