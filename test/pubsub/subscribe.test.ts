/** Subscribing: what is confirmed, what arrives, and what the server gets to see of it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { PubSub, PubSubEvent } from "@redix/client"
import { until } from "../../support/wait.ts"
import { sharedServer, turn, uniqueKey } from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import {
  connected,
  delivered,
  Log,
  protocols,
  publisher,
  shardSubscribers,
  sorted,
  subscribers,
  told,
} from "./setup.ts"

const server = await sharedServer()

for (const protocol of protocols) {
  describe(`subscribing, RESP${protocol}`, () => {
    test("resolves when the server has confirmed: what is published after that arrives, in order", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey("channel")
      const log = new Log()

      await pubsub.subscribe(name, log.handler)
      assert.equal(await subscribers(server, name), 1)
      const payloads = Array.from({ length: 200 }, (_, index) => `${index}`)
      const receivers = await conn.pipeline(payloads.map((payload) => ["PUBLISH", name, payload]))
      assert.ok(receivers.every((count) => count === 1))

      await log.untilPayload("199")
      assert.deepEqual(log.lines, [
        `subscribed ${name}`,
        ...payloads.map((each) => `message ${name} ${each}`),
      ])
    })

    test("tells of each channel before it resolves", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const names = [uniqueKey(), uniqueKey(), uniqueKey()]
      const log = new Log()
      await pubsub.subscribe(names, log.handler)
      assert.deepEqual(
        sorted(log.lines),
        sorted(names.map((name) => `subscribed ${name}`)),
        "one for each channel",
      )
    })

    test("several subscriptions on one channel each get every message once, over one subscription of the server", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const logs = [new Log(), new Log(), new Log()]
      const [first, ...others] = logs as [Log, ...Log[]]

      await pubsub.subscribe(name, first.handler)
      await Promise.all(others.map((log) => pubsub.subscribe(name, log.handler)))
      assert.equal(await conn.command(["PUBLISH", name, "hello"]), 1)

      for (const log of logs) await log.untilPayload("hello")
      await delivered(pubsub)
      for (const log of logs) assert.deepEqual(log.lines, [`subscribed ${name}`, `message ${name} hello`])
    })

    test("one handler in two subscriptions is told twice, each time as its own subscription", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const log = new Log()

      await pubsub.subscribe(name, log.handler)
      const second = await pubsub.subscribe(name, log.handler)
      await conn.command(["PUBLISH", name, "both"])
      await until(() => log.payloads.length === 2)
      await second.unsubscribe()
      await conn.command(["PUBLISH", name, "one"])
      await log.untilPayload("one")
      await delivered(pubsub)
      assert.deepEqual(log.payloads, ["both", "both", "one"])
    })

    test("a name given twice in one call counts once", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const log = new Log()

      await pubsub.subscribe([name, name], log.handler)
      await conn.command(["PUBLISH", name, "hello"])
      await log.untilPayload("hello")
      await delivered(pubsub)
      assert.deepEqual(log.lines, [`subscribed ${name}`, `message ${name} hello`])
    })

    test("channels, patterns and shard channels of one name are three things", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const [channel, pattern, shard] = [new Log(), new Log(), new Log()]

      await Promise.all([
        pubsub.subscribe(name, channel.handler),
        pubsub.psubscribe(name, pattern.handler),
        pubsub.ssubscribe(name, shard.handler),
      ])
      assert.equal(await conn.command(["PUBLISH", name, "plain"]), 2)
      assert.equal(await conn.command(["SPUBLISH", name, "sharded"]), 1)

      await Promise.all([
        channel.untilPayload("plain"),
        pattern.untilPayload("plain"),
        shard.untilPayload("sharded"),
      ])
      await delivered(pubsub)
      assert.deepEqual(channel.lines, [`subscribed ${name}`, `message ${name} plain`])
      assert.deepEqual(pattern.lines, [`psubscribed ${name}`, `pmessage ${name} ${name} plain`])
      assert.deepEqual(shard.lines, [`ssubscribed ${name}`, `smessage ${name} sharded`])
    })

    test("a message tells the pattern and the channel, once for each pattern that matches", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const prefix = uniqueKey()
      const log = new Log()

      await pubsub.psubscribe([`${prefix}:*`, `${prefix}:a?`], log.handler)
      await conn.pipeline([
        ["PUBLISH", `${prefix}:ab`, "both"],
        ["PUBLISH", `${prefix}:c`, "first"],
        ["PUBLISH", `${prefix}`, "none"],
      ])
      await log.untilPayload("first")
      await delivered(pubsub)
      const messages = log.lines.filter((line) => line.startsWith("pmessage"))
      assert.deepEqual(sorted(messages.slice(0, 2)), [
        `pmessage ${prefix}:* ${prefix}:ab both`,
        `pmessage ${prefix}:a? ${prefix}:ab both`,
      ])
      assert.deepEqual(messages.slice(2), [`pmessage ${prefix}:* ${prefix}:c first`])
    })

    test("any string is a name, also one that reads like the protocol", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const names = [
        "subscribe",
        "unsubscribe",
        "message",
        "pong",
        "*",
        "a\r\nb",
        "$-1\r\n",
        " ",
        "",
        "ünïcödé 🎈",
        "__proto__",
        "constructor",
      ]
      const logs = names.map(() => new Log())
      await Promise.all(names.map((name, index) => pubsub.subscribe(name, (logs[index] as Log).handler)))
      for (const name of names) assert.equal(await conn.command(["PUBLISH", name, `to ${name}`]), 1)
      for (const [index, name] of names.entries()) {
        const log = logs[index] as Log
        await log.untilPayload(`to ${name}`)
        assert.deepEqual(
          log.events.map(({ type, channel }) => [type, channel]),
          [
            ["subscribed", name],
            ["message", name],
          ],
        )
        assert.deepEqual(log.payloads, [`to ${name}`])
      }
    })

    test("names are bytes: those that are no UTF-8 are told apart", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const prefix = uniqueKey()
      const [one, two] = [0xff, 0xfe].map((byte) => Buffer.from([...Buffer.from(prefix), byte])) as [
        Buffer,
        Buffer,
      ]
      const [logOne, logTwo] = [new Log(), new Log()]

      await pubsub.subscribe(one, logOne.handler)
      await pubsub.subscribe([two], logTwo.handler)
      assert.equal(await conn.command(["PUBLISH", one, "to one"]), 1)
      assert.equal(await conn.command(["PUBLISH", two, "to two"]), 1)
      await logOne.untilPayload("to one")
      await logTwo.untilPayload("to two")
      await delivered(pubsub)
      assert.deepEqual(logOne.payloads, ["to one"])
      assert.deepEqual(logTwo.payloads, ["to two"])

      await pubsub.unsubscribe(one)
      await delivered(pubsub)
      assert.equal(await conn.command(["PUBLISH", one, "to nobody"]), 0)
      assert.equal(await conn.command(["PUBLISH", two, "to two again"]), 1)
    })

    test("a name as bytes and the same name as a string are one channel", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey("näme")
      const [text, bytes] = [new Log(), new Log()]
      await pubsub.subscribe(name, text.handler)
      await pubsub.subscribe(new Uint8Array(Buffer.from(name)), bytes.handler)
      assert.equal(await conn.command(["PUBLISH", name, "hello"]), 1)
      await text.untilPayload("hello")
      await bytes.untilPayload("hello")
      assert.deepEqual(bytes.lines, [`subscribed ${name}`, `message ${name} hello`])
    })

    test("payloads are bytes; each subscription gets them in its own encoding", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const [text, bytes, sameBytes] = [new Log(), new Log(), new Log()]
      await pubsub.subscribe(name, text.handler)
      await pubsub.subscribe(name, bytes.handler, { encoding: "buffer" })
      await pubsub.psubscribe(name, sameBytes.handler, { encoding: "buffer" })
      const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
      const payloads = [
        all,
        Buffer.from("é🎈"),
        Buffer.from([0xc3]),
        Buffer.alloc(0),
        Buffer.from("\r\n$3\r\n"),
      ]
      for (const payload of payloads) await conn.command(["PUBLISH", name, payload])

      for (const log of [text, bytes, sameBytes]) await until(() => log.payloads.length === payloads.length)
      const received = (log: Log) => log.events.filter(({ type }) => type.endsWith("message"))
      assert.deepEqual(
        received(text).map(({ payload }) => payload),
        payloads.map(String),
      )
      for (const log of [bytes, sameBytes])
        for (const [index, { payload }] of received(log).entries()) {
          assert.ok(Buffer.isBuffer(payload))
          assert.deepEqual(payload, payloads[index])
        }
    })

    test("a payload of several MiB arrives whole, and the small one behind it too", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const large = Buffer.alloc(5 * 1024 * 1024, "0123456789")
      const log = new Log()
      await pubsub.subscribe(name, log.handler, { encoding: "buffer" })
      await conn.pipeline([
        ["PUBLISH", name, large],
        ["PUBLISH", name, "small"],
      ])
      await until(() => log.count("message") === 2, { timeout: 20_000 })
      const [first, second] = log.events.slice(1)
      assert.ok(Buffer.isBuffer(first?.payload) && first.payload.equals(large))
      assert.deepEqual(second?.payload, Buffer.from("small"))
    })

    test("a handler may subscribe and unsubscribe", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const [name, other] = [uniqueKey(), uniqueKey()]
      const [log, inner] = [new Log(), new Log()]
      let pending: Promise<unknown> | undefined
      const subscription = await pubsub.subscribe(name, (event) => {
        log.handler(event)
        if (event.type !== "message" || pending) return
        pending = Promise.all([subscription.unsubscribe(), pubsub.subscribe(other, inner.handler)])
      })
      await conn.pipeline([
        ["PUBLISH", name, "first"],
        ["PUBLISH", name, "second"],
      ])
      await until(() => pending !== undefined)
      await pending
      await delivered(pubsub)
      assert.deepEqual(log.payloads, ["first"])
      assert.equal(await subscribers(server, name), 0)
      await conn.command(["PUBLISH", other, "third"])
      await inner.untilPayload("third")
    })

    test("a thousand channels, patterns and shard channels over one connection", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const prefix = uniqueKey()
      const names = Array.from({ length: 1000 }, (_, index) => `${prefix}:${index}:`)
      const logs = { channels: new Log(), patterns: new Log(), shards: new Log() }
      await Promise.all([
        pubsub.subscribe(names, logs.channels.handler),
        ...names.map((name) => pubsub.psubscribe(`${name}?`, logs.patterns.handler)),
        pubsub.ssubscribe(names, logs.shards.handler),
      ])
      await conn.pipeline(
        names.flatMap((name) => [
          ["PUBLISH", name, `c${name}`],
          ["PUBLISH", `${name}x`, `p${name}`],
          ["SPUBLISH", name, `s${name}`],
        ]),
      )
      await until(() => Object.values(logs).every((log) => log.payloads.length === 1000), { timeout: 20_000 })
      assert.deepEqual(
        logs.channels.payloads,
        names.map((name) => `c${name}`),
      )
      assert.deepEqual(
        logs.patterns.payloads,
        names.map((name) => `p${name}`),
      )
      assert.deepEqual(
        logs.shards.payloads,
        names.map((name) => `s${name}`),
      )
      assert.equal(await shardSubscribers(server, names[0] as string), 1)
    })
  })

  describe(`what the server sees of subscribing, RESP${protocol}`, () => {
    test("one SUBSCRIBE for a channel, however many subscriptions wait for it or have it", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const { connection } = fake
      fake.held = ([name]) => name === "SUBSCRIBE"
      const logs = [new Log(), new Log(), new Log()]
      let resolved = 0
      const waiting = logs.map(async (log) => {
        await pubsub.subscribe("a", log.handler)
        resolved += 1
      })
      const command = await connection.nextCommand("SUBSCRIBE")
      await turn()
      await turn()
      assert.equal(resolved, 0, "nobody is told before the server has confirmed")
      assert.ok(logs.every((log) => log.lines.length === 0))

      fake.held = () => false
      fake.answer(command)
      await Promise.all(waiting)
      const late = new Log()
      await pubsub.subscribe("a", late.handler)
      await pubsub.ping()
      assert.deepEqual(fake.names("SUBSCRIBE"), ["a"])
      for (const log of [...logs, late]) assert.deepEqual(log.lines, ["subscribed a"])
      assert.deepEqual(fake.complaints, [])
    })

    test("the names of one call in one command, and only those that are new", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const log = new Log()
      await pubsub.subscribe(["a", "b", "c"], () => {})
      await pubsub.subscribe(["c", "d", "a", "e"], log.handler)
      assert.deepEqual(fake.commands("SUBSCRIBE"), [
        ["SUBSCRIBE", "a", "b", "c"],
        ["SUBSCRIBE", "d", "e"],
      ])
      assert.deepEqual(sorted(log.lines), ["subscribed a", "subscribed c", "subscribed d", "subscribed e"])
      fake.publish("a", "x")
      fake.publish("e", "y")
      await log.untilPayload("y")
      assert.deepEqual(log.payloads, ["x", "y"])
    })

    test("the calls of one tick each as a command of their own", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      await Promise.all([
        pubsub.subscribe("a", () => {}),
        pubsub.psubscribe("b*", () => {}),
        pubsub.ssubscribe("c", () => {}),
        pubsub.subscribe("d", () => {}),
      ])
      const sent = fake.connection.received.filter(([name]) => name?.endsWith("SUBSCRIBE"))
      assert.deepEqual(sorted(sent), [
        ["PSUBSCRIBE", "b*"],
        ["SSUBSCRIBE", "c"],
        ["SUBSCRIBE", "a"],
        ["SUBSCRIBE", "d"],
      ])
    })

    test("names as they were at the call, and later as well", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const names = ["a", "b"]
      const bytes = Buffer.from("bytes")
      const log = new Log()
      const pending = pubsub.subscribe(names, log.handler)
      names[0] = "x"
      names.push("y")
      await pending
      await pubsub.subscribe(bytes, log.handler)
      bytes.fill(0)
      assert.deepEqual(fake.names("SUBSCRIBE"), ["a", "b", "bytes"])

      fake.connection.reset()
      await log.until("subscribed", 6)
      assert.deepEqual(sorted(fake.names("SUBSCRIBE")), ["a", "b", "bytes"])
    })

    test("messages for what nobody has subscribed to are dropped, and harm nothing", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const log = new Log()
      await pubsub.subscribe("a", log.handler)
      fake.push(fake.connection, "message", "other", "x")
      fake.push(fake.connection, "pmessage", "a", "a", "y")
      fake.push(fake.connection, "smessage", "a", "z")
      fake.publish("a", "mine")
      await log.untilPayload("mine")
      await delivered(pubsub)
      assert.deepEqual(log.lines, ["subscribed a", "message a mine"])
      assert.equal(fake.server.connections.length, 1)
    })

    test("confirmations and messages that are cut anywhere and come together are told apart", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const { connection } = fake
      for (const size of [1, 2, 3, 7, 1000]) {
        const name = `a${size}`
        const log = new Log()
        fake.held = ([verb]) => verb === "SUBSCRIBE"
        const pending = pubsub.subscribe([name, `${name}b`], log.handler)
        const command = await connection.nextCommand("SUBSCRIBE")
        fake.held = () => false
        const bytes = Buffer.concat([
          Buffer.from(fake.reply(connection, command) as Buffer),
          fake.bytes(connection, "message", name, "one"),
          fake.bytes(connection, "message", `${name}b`, "two"),
          fake.bytes(connection, "message", name, "three"),
        ])
        await connection.writeInPieces(bytes, size)
        await pending
        await log.untilPayload("three")
        assert.deepEqual(log.lines, [
          `subscribed ${name}`,
          `subscribed ${name}b`,
          `message ${name} one`,
          `message ${name}b two`,
          `message ${name} three`,
        ])
      }
      assert.equal(fake.server.connections.length, 1)
    })
  })
}

test("events are a discriminated union", async (t) => {
  const pubsub = await connected(t, server)
  const conn = await publisher(t, server)
  const name = uniqueKey()
  const texts: string[] = []
  const lengths: number[] = []
  await pubsub.subscribe(name, (event) => {
    if (event.type === "message") texts.push(event.channel.concat(String(event.payload)))
    else if (event.type === "unsubscribed" || event.type === "disconnected")
      texts.push(`${event.error?.name}`)
    else if (event.type === "dropped") lengths.push(event.count)
    else if (event.type === "subscribed") texts.push(event.channel)
  })
  await pubsub.psubscribe(
    name,
    (event) => {
      if (event.type === "pmessage" && Buffer.isBuffer(event.payload)) lengths.push(event.payload.length)
    },
    { encoding: "buffer" },
  )
  await conn.command(["PUBLISH", name, "hello"])
  await until(() => lengths.length === 1 && texts.length === 2)
  assert.deepEqual(texts, [name, `${name}hello`])
  assert.deepEqual(lengths, [5])
  const event: PubSubEvent = { type: "dropped", count: 3 }
  assert.equal(told(event), "dropped 3")
  const typed: PubSub = pubsub
  assert.equal(typed.status, "connected")
})
