/** Unsubscribing: by channel, by subscription, by signal, and in the middle of something else. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { until } from "../../support/wait.ts"
import { rejection, sharedServer, turn, uniqueKey } from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import {
  connected,
  delivered,
  Log,
  protocols,
  proxyTo,
  publisher,
  shardSubscribers,
  sorted,
  subscribers,
  untilUnsubscribed,
} from "./setup.ts"

const server = await sharedServer()

for (const protocol of protocols) {
  describe(`unsubscribing, RESP${protocol}`, () => {
    test("the last one out unsubscribes on the server, and no one before", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const [one, two] = [new Log(), new Log()]
      const first = await pubsub.subscribe(name, one.handler)
      const second = await pubsub.subscribe(name, two.handler)

      await first.unsubscribe()
      await delivered(pubsub)
      assert.equal(await conn.command(["PUBLISH", name, "to two"]), 1)
      await two.untilPayload("to two")
      await delivered(pubsub)
      assert.deepEqual(one.payloads, [])

      await second.unsubscribe()
      await untilUnsubscribed(server, name)
      await conn.command(["PUBLISH", name, "to nobody"])
      await delivered(pubsub)
      assert.deepEqual(two.payloads, ["to two"])
      assert.deepEqual(two.lines.slice(0, 2), [`subscribed ${name}`, `message ${name} to two`])
    })

    test("a subscription that leaves some of its channels is told so, and keeps the others", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const [a, b, c] = [uniqueKey("a"), uniqueKey("b"), uniqueKey("c")]
      const [log, other] = [new Log(), new Log()]
      const subscription = await pubsub.subscribe([a, b, c], log.handler)
      await pubsub.subscribe([a, b], other.handler)

      await pubsub.unsubscribe(a, subscription)
      await pubsub.unsubscribe([c], subscription)
      await untilUnsubscribed(server, c)
      await conn.pipeline([a, b, c].map((name) => ["PUBLISH", name, `to ${name}`]))
      await log.untilPayload(`to ${b}`)
      await other.untilPayload(`to ${b}`)
      assert.deepEqual(log.payloads, [`to ${b}`])
      assert.deepEqual(other.payloads, [`to ${a}`, `to ${b}`])
      assert.deepEqual(log.lines.slice(3, 5), [`unsubscribed ${a}`, `unsubscribed ${c}`])
      assert.equal(other.count("unsubscribed"), 0)
    })

    test("a channel is left for all of its subscriptions", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const [a, b] = [uniqueKey("a"), uniqueKey("b")]
      const [one, two, pattern] = [new Log(), new Log(), new Log()]
      await pubsub.subscribe([a, b], one.handler)
      await pubsub.subscribe(a, two.handler)
      await pubsub.psubscribe(a, pattern.handler)

      await pubsub.unsubscribe(a)
      await untilUnsubscribed(server, a)
      await conn.pipeline([
        ["PUBLISH", a, "to the pattern"],
        ["PUBLISH", b, "to b"],
      ])
      await one.untilPayload("to b")
      await pattern.untilPayload("to the pattern")
      assert.deepEqual(one.payloads, ["to b"])
      assert.deepEqual(two.payloads, [])
      assert.deepEqual(one.lines.slice(2, 3), [`unsubscribed ${a}`])
      assert.deepEqual(two.lines, [`subscribed ${a}`, `unsubscribed ${a}`])
    })

    test("without a channel all of that kind, and only of that kind", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const names = [uniqueKey("a"), uniqueKey("b")] as const
      const logs = { channel: new Log(), pattern: new Log(), shard: new Log() }
      await pubsub.subscribe(names, logs.channel.handler)
      await pubsub.psubscribe(names, logs.pattern.handler)
      await pubsub.ssubscribe(names, logs.shard.handler)

      await pubsub.unsubscribe()
      await untilUnsubscribed(server, names[0])
      await untilUnsubscribed(server, names[1])
      assert.equal(logs.channel.count("unsubscribed"), 2)
      assert.equal(await conn.command(["PUBLISH", names[0], "x"]), 1)
      await logs.pattern.untilPayload("x")

      await pubsub.punsubscribe()
      assert.equal(logs.pattern.count("punsubscribed"), 2)
      await delivered(pubsub)
      assert.equal(await conn.command(["PUBLISH", names[0], "y"]), 0)
      assert.equal(await conn.command(["SPUBLISH", names[1], "z"]), 1)
      await logs.shard.untilPayload("z")

      await pubsub.sunsubscribe()
      assert.equal(logs.shard.count("sunsubscribed"), 2)
      await until(async () => (await shardSubscribers(server, names[1])) === 0)
    })

    test("without a channel but with a subscription all that this one has", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const [a, b] = [uniqueKey("a"), uniqueKey("b")]
      const subscription = await pubsub.subscribe([a, b], () => {})
      await pubsub.subscribe(b, () => {})
      await pubsub.unsubscribe(undefined, subscription)
      await untilUnsubscribed(server, a)
      assert.equal(await subscribers(server, b), 1)
    })

    test("patterns and shard channels, one by one", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const [a, b] = [uniqueKey("a"), uniqueKey("b")]
      const log = new Log()
      const patterns = await pubsub.psubscribe([`${a}*`, `${b}*`], log.handler)
      const shards = await pubsub.ssubscribe([a, b], log.handler)
      await pubsub.punsubscribe(`${a}*`)
      await pubsub.sunsubscribe(Buffer.from(a), shards)
      await delivered(pubsub)
      assert.deepEqual(log.lines.slice(4), [`punsubscribed ${a}*`, `sunsubscribed ${a}`])
      await until(async () => (await shardSubscribers(server, a)) === 0)
      assert.equal(await conn.command(["PUBLISH", a, "x"]), 0)
      assert.equal(await conn.command(["PUBLISH", b, "x"]), 1)
      await patterns.unsubscribe()
      await delivered(pubsub)
      assert.equal(await conn.command(["PUBLISH", b, "x"]), 0)
      assert.equal(await shardSubscribers(server, b), 1)
    })

    test("`await using` ends with its block", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const name = uniqueKey()
      {
        await using subscription = await pubsub.subscribe(name, () => {})
        assert.equal(typeof subscription.unsubscribe, "function")
        assert.equal(await subscribers(server, name), 1)
      }
      await untilUnsubscribed(server, name)
    })

    test("a signal ends a subscription as unsubscribe() does", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const [a, b] = [uniqueKey("a"), uniqueKey("b")]
      const [log, other] = [new Log(), new Log()]
      const stop = new AbortController()
      await pubsub.subscribe([a, b], log.handler, { signal: stop.signal })
      await pubsub.psubscribe(a, () => {}, { signal: stop.signal })
      await pubsub.subscribe(b, other.handler)
      stop.abort()
      await untilUnsubscribed(server, a)
      assert.equal(await subscribers(server, b), 1)
      assert.equal(Number(await server.send("PUBSUB", "NUMPAT")), 0)
      assert.deepEqual(log.payloads, [])
    })

    test("nothing is delivered from the call of unsubscribe on, whatever is still under way", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const log = new Log()
      const subscription = await pubsub.subscribe("a", log.handler)
      fake.held = ([name]) => name === "UNSUBSCRIBE"
      const done = subscription.unsubscribe()
      const command = await fake.connection.nextCommand("UNSUBSCRIBE")
      const before = log.lines.length
      fake.publish("a", "late")
      await turn()
      await turn()
      fake.held = () => false
      fake.answer(command)
      await done
      await pubsub.ping()
      assert.deepEqual(log.payloads, [])
      assert.ok(log.lines.length <= Math.max(before, 2), `${log.lines}`)
    })

    test("a channel is left in one command, and what is not subscribed is not asked for", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const subscription = await pubsub.subscribe(["a", "b", "c"], () => {})
      await pubsub.subscribe("b", () => {})
      await pubsub.unsubscribe("nothing")
      await pubsub.punsubscribe("nothing")
      await pubsub.sunsubscribe()
      await subscription.unsubscribe()
      await subscription.unsubscribe()
      await subscription[Symbol.asyncDispose]()
      await pubsub.ping()
      assert.deepEqual(
        fake.commands("UNSUBSCRIBE").map((command) => sorted(command)),
        [["UNSUBSCRIBE", "a", "c"]],
      )
      assert.deepEqual(fake.commands("PUNSUBSCRIBE"), [])
      assert.deepEqual(fake.commands("SUNSUBSCRIBE"), [])
      assert.deepEqual([...fake.topics()], ["b"])
    })

    test("a subscribe while the UNSUBSCRIBE is in flight is written again, and never joins what is going", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const { connection } = fake
      const [old, fresh] = [new Log(), new Log()]
      const subscription = await pubsub.subscribe("a", old.handler)
      fake.held = ([name]) => name?.endsWith("SUBSCRIBE") === true
      const left = subscription.unsubscribe()
      const leaving = await connection.nextCommand("UNSUBSCRIBE")
      let resolved = false
      const again = pubsub.subscribe("a", fresh.handler).then((value) => {
        resolved = true
        return value
      })
      const coming = await connection.nextCommand("SUBSCRIBE")
      fake.held = () => false
      fake.answer(leaving)
      await left
      await turn()
      await turn()
      assert.equal(resolved, false)
      assert.deepEqual(fresh.lines, [])
      fake.answer(coming)
      await again
      fake.publish("a", "hello")
      await fresh.untilPayload("hello")
      assert.deepEqual(fresh.lines, ["subscribed a", "message a hello"])
      assert.deepEqual(old.payloads, [])
      assert.deepEqual(fake.names("SUBSCRIBE"), ["a", "a"])
      assert.deepEqual(fake.names("UNSUBSCRIBE"), ["a"])
    })

    test("over and over without waiting, the last word counts", async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const log = new Log()
      for (let round = 0; round < 50; round++) {
        const subscription = await pubsub.subscribe(name, () => {})
        void subscription.unsubscribe()
      }
      await pubsub.subscribe(name, log.handler)
      await delivered(pubsub)
      assert.equal(await conn.command(["PUBLISH", name, "hello"]), 1)
      await log.untilPayload("hello")
      await pubsub.unsubscribe()
      await untilUnsubscribed(server, name)
    })

    test("a subscription that is still waiting can be given up by its signal", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const { connection } = fake
      const [log, other] = [new Log(), new Log()]
      fake.held = ([name]) => name === "SUBSCRIBE"
      const stop = new AbortController()
      const given = rejection(pubsub.subscribe("a", log.handler, { signal: stop.signal }))
      const kept = pubsub.subscribe("a", other.handler)
      const command = await connection.nextCommand("SUBSCRIBE")
      const reason = new Error("enough")
      stop.abort(reason)
      assert.equal(await given, reason)
      fake.held = () => false
      fake.answer(command)
      await kept
      fake.publish("a", "hello")
      await other.untilPayload("hello")
      await pubsub.ping()
      assert.deepEqual(log.lines, [])
      assert.deepEqual(fake.names("UNSUBSCRIBE"), [], "somebody else still wants it")
    })

    test("when the last one gives up waiting, the server is told, and a late confirmation changes nothing", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const { connection } = fake
      const log = new Log()
      fake.held = ([name]) => name === "SUBSCRIBE"
      const stop = new AbortController()
      const given = [
        rejection(pubsub.subscribe("a", log.handler, { signal: stop.signal })),
        rejection(pubsub.subscribe("a", log.handler, { signal: stop.signal })),
      ]
      const command = await connection.nextCommand("SUBSCRIBE")
      stop.abort(new Error("enough"))
      await Promise.all(given)
      fake.answer(command)
      // In order: the server executes what it was sent, one after the other.
      fake.held = () => false
      await connection.nextCommand("UNSUBSCRIBE")
      await until(() => fake.topics().size === 0)
      fake.push(connection, "message", "a", "stray")
      await pubsub.ping()
      assert.deepEqual(log.lines, [])
      await pubsub.subscribe("a", log.handler)
      assert.deepEqual(log.lines, ["subscribed a"])
    })

    test("a signal that has been aborted before: nothing is sent", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const reason = new Error("before")
      const signal = AbortSignal.abort(reason)
      assert.equal(await rejection(pubsub.subscribe("a", () => {}, { signal })), reason)
      assert.equal(await rejection(pubsub.psubscribe("a", { signal })), reason)
      await pubsub.ping()
      assert.deepEqual(fake.names("SUBSCRIBE"), [])
      assert.deepEqual(fake.names("PSUBSCRIBE"), [])
    })

    test("a channel that is left while somebody waits for it: all settle, and nothing stays", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const { connection } = fake
      const log = new Log()
      fake.held = ([name]) => name?.endsWith("SUBSCRIBE") === true
      const waiting = pubsub.subscribe("a", log.handler).then(
        () => "resolved",
        () => "rejected",
      )
      const coming = await connection.nextCommand("SUBSCRIBE")
      const left = pubsub.unsubscribe("a")
      const leaving = await connection.nextCommand("UNSUBSCRIBE")
      fake.held = () => false
      fake.answer(coming)
      fake.answer(leaving)
      await Promise.all([waiting, left])
      fake.push(connection, "message", "a", "stray")
      await pubsub.ping()
      assert.deepEqual(log.payloads, [])
      assert.equal(fake.topics().size, 0)
      assert.equal(fake.server.connections.length, 1)
    })
  })
}

describe("unsubscribing without a connection", () => {
  test("what was left while disconnected is not subscribed again", async (t) => {
    const proxy = await proxyTo(t, server)
    const pubsub = await connected(t, proxy)
    const conn = await publisher(t, server)
    const [a, b, c] = [uniqueKey("a"), uniqueKey("b"), uniqueKey("c")]
    const [log, other] = [new Log(), new Log()]
    const subscription = await pubsub.subscribe([a, b], log.handler)
    await pubsub.subscribe(c, other.handler)
    const patterns = await pubsub.psubscribe(`${a}*`, other.handler)

    proxy.refuse()
    proxy.reset()
    await log.until("disconnected")
    await pubsub.unsubscribe(a)
    await pubsub.unsubscribe("unknown")
    await patterns.unsubscribe()
    await proxy.accept()
    await log.until("subscribed", 3)
    await other.until("subscribed", 2)
    await delivered(pubsub)

    assert.equal(await conn.command(["PUBLISH", a, "x"]), 0)
    assert.equal(await conn.command(["PUBLISH", b, "y"]), 1)
    await log.untilPayload("y")
    await subscription.unsubscribe()
    await untilUnsubscribed(server, b)
    assert.equal(await subscribers(server, c), 1)
  })

  test("a subscribe that waits for the connection can be given up, and leaves nothing", async (t) => {
    const proxy = await proxyTo(t, server)
    const pubsub = await connected(t, proxy)
    const [a, b] = [uniqueKey("a"), uniqueKey("b")]
    const [log, other] = [new Log(), new Log()]
    await pubsub.subscribe(b, other.handler)
    proxy.refuse()
    proxy.reset()
    await other.until("disconnected")
    const stop = new AbortController()
    const given = rejection(pubsub.subscribe(a, log.handler, { signal: stop.signal }))
    const reason = new Error("enough")
    stop.abort(reason)
    assert.equal(await given, reason)
    await proxy.accept()
    await other.until("subscribed", 2)
    await delivered(pubsub)
    assert.equal(await subscribers(server, a), 0)
    assert.deepEqual(log.lines, [])
  })

  test("an UNSUBSCRIBE that got lost with its connection is done", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const [log, other] = [new Log(), new Log()]
    const subscription = await pubsub.subscribe("a", log.handler)
    await pubsub.subscribe("b", other.handler)
    fake.held = ([name]) => name === "UNSUBSCRIBE"
    const left = subscription.unsubscribe()
    await fake.connection.nextCommand("UNSUBSCRIBE")
    fake.connection.reset()
    await left
    await other.until("subscribed", 2)
    await pubsub.ping()
    assert.deepEqual([...fake.topics()], ["b"])
    assert.deepEqual(log.payloads, [])
  })

  test("after the end of the connection it is done as well", async (t) => {
    const pubsub = await connected(t, server)
    const name = uniqueKey()
    const stop = new AbortController()
    const subscription = await pubsub.subscribe(name, () => {}, { signal: stop.signal })
    await pubsub.close()
    await subscription.unsubscribe()
    await subscription[Symbol.asyncDispose]()
    stop.abort()
    await untilUnsubscribed(server, name)
  })
})
