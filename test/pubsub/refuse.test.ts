/** Subscriptions that the server refuses: nothing stays of them, and nobody else notices. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisError } from "@redix/client"
import { until } from "../../support/wait.ts"
import { redisFailure, sharedServer, uniqueKey } from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import {
  codeOf,
  connected,
  delivered,
  Log,
  protocols,
  publisher,
  Reading,
  sorted,
  subscribers,
  untilUnsubscribed,
} from "./setup.ts"

const server = await sharedServer()

/** A user of the server who may subscribe to what matches these patterns. */
async function user(...allowed: string[]): Promise<{ username: string; password: string }> {
  const username = uniqueKey("user").replaceAll(":", "-")
  const channels = allowed.map((pattern) => `&${pattern}`)
  await server.send("ACL", "SETUSER", username, "on", ">secret", "~*", "+@all", "resetchannels", ...channels)
  return { username, password: "secret" }
}

for (const protocol of protocols) {
  describe(`refused, RESP${protocol}`, () => {
    test("rejects with the server's error, and nothing stays half-registered", async (t) => {
      const prefix = uniqueKey()
      const [good, bad] = [`${prefix}:good`, `${prefix}:bad`]
      const pubsub = await connected(t, server, { protocol, ...(await user(good)) })
      const conn = await publisher(t, server)
      const log = new Log()

      const error = await redisFailure(pubsub.subscribe([good, bad], log.handler), "NOPERM")
      assert.ok(!error.message.includes("secret"))
      assert.equal(await subscribers(server, good), 0)
      await conn.command(["PUBLISH", good, "to nobody"])
      await delivered(pubsub)
      assert.deepEqual(log.lines, [], "a subscription that never was is told nothing")

      // The connection is as good as before.
      const later = new Log()
      await pubsub.subscribe(good, later.handler)
      await conn.command(["PUBLISH", good, "hello"])
      await later.untilPayload("hello")
      assert.deepEqual(log.lines, [])
      assert.equal(pubsub.status, "connected")
    })

    test("patterns and shard channels likewise", async (t) => {
      const prefix = uniqueKey()
      const pubsub = await connected(t, server, { protocol, ...(await user(`${prefix}*`)) })
      await redisFailure(
        pubsub.psubscribe("other*", () => {}),
        "NOPERM",
      )
      await redisFailure(pubsub.psubscribe("other*"), "NOPERM")
      await redisFailure(
        pubsub.ssubscribe(["other", prefix], () => {}),
        "NOPERM",
      )
      const log = new Log()
      await pubsub.psubscribe(`${prefix}*`, log.handler)
      await pubsub.ssubscribe(prefix, log.handler)
      assert.deepEqual(log.lines, [`psubscribed ${prefix}*`, `ssubscribed ${prefix}`])
    })

    test("a user who may not subscribe at all", async (t) => {
      const credentials = await user("*")
      await server.send("ACL", "SETUSER", credentials.username, "-subscribe")
      const pubsub = await connected(t, server, { protocol, ...credentials })
      const error = await redisFailure(pubsub.subscribe("a"), "NOPERM")
      assert.ok(error instanceof RedisError)
      await pubsub.ping()
      await pubsub.psubscribe("a", () => {})
    })

    test("those who wait for the same refused name are all refused, and what else they asked for is given back", async (t) => {
      const prefix = uniqueKey()
      const [good, bad] = [`${prefix}:good`, `${prefix}:bad`]
      const pubsub = await connected(t, server, { protocol, ...(await user(good)) })
      const failures = [
        redisFailure(
          pubsub.subscribe(bad, () => {}),
          "NOPERM",
        ),
        redisFailure(
          pubsub.subscribe(bad, () => {}),
          "NOPERM",
        ),
        redisFailure(
          pubsub.subscribe([good, bad], () => {}),
          "NOPERM",
        ),
      ]
      await Promise.all(failures)
      await untilUnsubscribed(server, good)
    })

    test("who waits for a good name is not refused for the bad one in another call", async (t) => {
      const prefix = uniqueKey()
      const [good, bad] = [`${prefix}:good`, `${prefix}:bad`]
      const pubsub = await connected(t, server, { protocol, ...(await user(good)) })
      const conn = await publisher(t, server)
      const log = new Log()
      const failure = redisFailure(
        pubsub.subscribe([good, bad], () => {}),
        "NOPERM",
      )
      const joined = pubsub.subscribe(good, log.handler)
      await failure
      await joined
      assert.equal(await conn.command(["PUBLISH", good, "hello"]), 1)
      await log.untilPayload("hello")
      assert.deepEqual(log.lines, [`subscribed ${good}`, `message ${good} hello`])
    })

    test("a subscription that the server has confirmed is not disturbed by a later call that is refused", async (t) => {
      const prefix = uniqueKey()
      const [good, bad] = [`${prefix}:good`, `${prefix}:bad`]
      const pubsub = await connected(t, server, { protocol, ...(await user(good)) })
      const conn = await publisher(t, server)
      const log = new Log()
      await pubsub.subscribe(good, log.handler)
      await redisFailure(
        pubsub.subscribe([good, bad], () => {}),
        "NOPERM",
      )
      await delivered(pubsub)
      assert.equal(await conn.command(["PUBLISH", good, "hello"]), 1)
      await log.untilPayload("hello")
      assert.deepEqual(log.lines, [`subscribed ${good}`, `message ${good} hello`])
    })

    test("a channel that is refused on resubscription is told with the error, and the others live", async (t) => {
      const prefix = uniqueKey()
      const [a, b, c] = [`${prefix}:a`, `${prefix}:b`, `${prefix}:c`]
      const credentials = await user(a, b, c)
      const pubsub = await connected(t, server, { protocol, ...credentials })
      const conn = await publisher(t, server)
      const [all, onlyB, onlyC] = [new Log(), new Log(), new Log()]
      await pubsub.subscribe([a, b, c], all.handler)
      await pubsub.subscribe(b, onlyB.handler)
      await pubsub.subscribe(c, onlyC.handler)
      const reading = new Reading(await pubsub.subscribe([b]))

      // The server breaks off whoever is subscribed to what they no longer may.
      await server.send("ACL", "SETUSER", credentials.username, "resetchannels", `&${a}`, `&${c}`)
      await all.until("unsubscribed")
      await all.until("subscribed", 5)
      await onlyB.until("unsubscribed")
      await onlyC.until("subscribed", 2)

      assert.equal(codeOf(all.last("unsubscribed")?.error), "NOPERM")
      assert.deepEqual(sorted(all.lines.slice(0, 3)), [
        `subscribed ${a}`,
        `subscribed ${b}`,
        `subscribed ${c}`,
      ])
      assert.equal(all.lines[3], "disconnected")
      assert.deepEqual(sorted(all.lines.slice(4)), [
        `subscribed ${a}`,
        `subscribed ${c}`,
        `unsubscribed ${b} NOPERM`,
      ])
      assert.deepEqual(onlyB.lines, [`subscribed ${b}`, "disconnected", `unsubscribed ${b} NOPERM`])
      assert.deepEqual(onlyC.lines, [`subscribed ${c}`, "disconnected", `subscribed ${c}`])
      // An iterator to which nothing can come any more ends.
      await reading.done
      assert.deepEqual(reading.lines, onlyB.lines)

      await conn.pipeline([a, b, c].map((name) => ["PUBLISH", name, `to ${name}`]))
      await all.untilPayload(`to ${c}`)
      await onlyC.untilPayload(`to ${c}`)
      assert.deepEqual(all.payloads, [`to ${a}`, `to ${c}`])

      // Once it is allowed again it can be had again.
      await server.send("ACL", "SETUSER", credentials.username, `&${b}`)
      const again = new Log()
      await pubsub.subscribe(b, again.handler)
      assert.deepEqual(again.lines, [`subscribed ${b}`])
    })

    test("among a thousand a few refused ones are found in few commands, and the others live", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const names = Array.from({ length: 1000 }, (_, index) => `channel:${index}`)
      const bad = ["channel:0", "channel:500", "channel:999"]
      const logs = new Map(names.map((name) => [name, new Log()]))
      await Promise.all([...logs].map(([name, log]) => pubsub.subscribe(name, log.handler)))
      const pattern = new Log()
      await pubsub.psubscribe(["good*", "bad*"], pattern.handler)

      for (const name of [...bad, "bad*"]) fake.refused.add(name)
      fake.connection.reset()
      for (const [name, log] of logs)
        await log.until(bad.includes(name) ? "unsubscribed" : "subscribed", bad.includes(name) ? 1 : 2)
      await pattern.until("punsubscribed")
      await pattern.until("psubscribed", 3)
      for (const [name, log] of logs) {
        const end = bad.includes(name) ? `unsubscribed ${name} NOPERM` : `subscribed ${name}`
        assert.deepEqual(log.lines, [`subscribed ${name}`, "disconnected", end])
      }
      assert.deepEqual(sorted(pattern.lines.slice(3)), ["psubscribed good*", "punsubscribed bad* NOPERM"])

      assert.equal(fake.server.connections.length, 2)
      // Each halving costs two commands, and a thousand names are halved ten times.
      const count = fake.commands("SUBSCRIBE").length
      assert.ok(count <= 1 + bad.length * 2 * 10 + 10, `${count} commands`)
      assert.deepEqual(fake.complaints, [], "what is confirmed is not asked for again")
      fake.publish("channel:1", "hello")
      await logs.get("channel:1")?.untilPayload("hello")
    })

    test("all of them refused on resubscription", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol })
      const log = new Log()
      const names = ["a", "b", "c", "d", "e"]
      await pubsub.subscribe(names, log.handler)
      for (const name of names) fake.refused.add(name)
      fake.connection.reset()
      await log.until("unsubscribed", names.length)
      await pubsub.ping()
      assert.equal(log.count("disconnected"), 1)
      assert.equal(log.count("subscribed"), names.length)
      assert.equal(log.count("unsubscribed"), names.length)
      assert.equal(fake.server.connections.length, 2, "a refusal does not end the connection")

      // What was refused is not asked for again, nor told again, at the next reconnection.
      fake.refused.clear()
      fake.connection.reset()
      await until(() => fake.server.connections.length === 3)
      await pubsub.ready()
      const next = new Log()
      await pubsub.subscribe("z", next.handler)
      assert.deepEqual(fake.names("SUBSCRIBE"), ["z"])
      assert.equal(log.count("subscribed"), names.length)
    })
  })
}
