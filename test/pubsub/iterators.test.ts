/** Subscriptions that are read as async iterators. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { ConnectionError, type PubSubEvent } from "@redix/client"
import { until } from "../../support/wait.ts"
import { sharedServer, uniqueKey } from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import {
  connected,
  delivered,
  protocols,
  publisher,
  Reading,
  sorted,
  subscribers,
  told,
  untilUnsubscribed,
} from "./setup.ts"

const server = await sharedServer()

/** Sends so many numbered messages, from `from` on, and resolves when they have been read from the socket. */
async function flood(fake: FakePubSub, pubsub: { ping(): Promise<unknown> }, from: number, count: number) {
  const { connection } = fake
  const messages = Array.from({ length: count }, (_, index) =>
    fake.bytes(connection, "message", "a", `${from + index}`),
  )
  connection.write(Buffer.concat(messages))
  await pubsub.ping()
  await new Promise((resolve) => setImmediate(resolve))
}

/** Reads events until one satisfies the condition, and returns all. */
async function take(
  iterator: AsyncIterator<PubSubEvent>,
  last: (event: PubSubEvent) => boolean,
): Promise<PubSubEvent[]> {
  const events: PubSubEvent[] = []
  for (;;) {
    const { done, value } = await iterator.next()
    assert.ok(!done, "the iterator ended")
    events.push(value)
    if (last(value)) return events
  }
}

function isMessage(payload: string): (event: PubSubEvent) => boolean {
  return (event) => event.type === "message" && event.payload === payload
}

describe("iterators", () => {
  for (const protocol of protocols) {
    test(`begin with what was subscribed, then come the messages, RESP${protocol}`, async (t) => {
      const pubsub = await connected(t, server, { protocol })
      const conn = await publisher(t, server)
      const [a, b] = [uniqueKey("a"), uniqueKey("b")]
      const lines: string[] = []
      for await (const event of await pubsub.subscribe([a, b])) {
        lines.push(told(event))
        if (lines.length === 2)
          await conn.pipeline([
            ["PUBLISH", a, "1"],
            ["PUBLISH", b, "2"],
            ["PUBLISH", a, "3"],
          ])
        if (lines.length === 5) break
      }
      assert.deepEqual(sorted(lines.slice(0, 2)), [`subscribed ${a}`, `subscribed ${b}`])
      assert.deepEqual(lines.slice(2), [`message ${a} 1`, `message ${b} 2`, `message ${a} 3`])
      // Leaving the loop unsubscribes.
      await untilUnsubscribed(server, a)
      await untilUnsubscribed(server, b)
    })
  }

  test("lose nothing that came before somebody read", async (t) => {
    const pubsub = await connected(t, server)
    const conn = await publisher(t, server)
    const name = uniqueKey()
    const subscription = await pubsub.subscribe(name)
    for (let index = 0; index < 100; index++) await conn.command(["PUBLISH", name, index])
    await delivered(pubsub)
    const events = await take(subscription[Symbol.asyncIterator](), isMessage("99"))
    assert.deepEqual(events.map(told), [
      `subscribed ${name}`,
      ...Array.from({ length: 100 }, (_, index) => `message ${name} ${index}`),
    ])
  })

  test("of patterns and shard channels, in their encodings", async (t) => {
    const pubsub = await connected(t, server)
    const conn = await publisher(t, server)
    const name = uniqueKey()
    const patterns = await pubsub.psubscribe(`${name}*`, { encoding: "buffer" })
    const shards = await pubsub.ssubscribe(name)
    await conn.command(["PUBLISH", `${name}!`, Buffer.from([0xff])])
    await conn.command(["SPUBLISH", name, "x"])
    const lines: string[] = []
    for await (const event of patterns) {
      lines.push(told(event))
      if (event.type === "pmessage") break
    }
    for await (const event of shards) {
      lines.push(told(event))
      if (event.type === "smessage") break
    }
    assert.deepEqual(lines, [
      `psubscribed ${name}*`,
      `pmessage ${name}* ${name}! 0xff`,
      `ssubscribed ${name}`,
      `smessage ${name} x`,
    ])
  })

  for (const way of ["break", "throw", "return"] as const) {
    test(`leaving the loop by ${way} unsubscribes`, async (t) => {
      const pubsub = await connected(t, server)
      const name = uniqueKey()
      const boom = new Error("boom")
      const leave = async (): Promise<string> => {
        for await (const event of await pubsub.subscribe(name)) {
          assert.equal(await subscribers(server, name), 1)
          if (way === "throw") throw boom
          if (way === "return") return event.type
          break
        }
        return "left"
      }
      const outcome = await leave().catch((error: unknown) => error)
      assert.deepEqual(outcome, { break: "left", throw: boom, return: "subscribed" }[way])
      await untilUnsubscribed(server, name)
    })
  }

  test("leaving one loop leaves the other subscriptions alone", async (t) => {
    const pubsub = await connected(t, server)
    const conn = await publisher(t, server)
    const name = uniqueKey()
    const kept = new Reading(await pubsub.subscribe(name))
    for await (const _ of await pubsub.subscribe(name)) break
    await delivered(pubsub)
    assert.equal(await conn.command(["PUBLISH", name, "hello"]), 1)
    await kept.untilPayload("hello")
    assert.deepEqual(kept.lines, [`subscribed ${name}`, `message ${name} hello`])
  })

  test("several at once each get everything", async (t) => {
    const pubsub = await connected(t, server)
    const conn = await publisher(t, server)
    const name = uniqueKey()
    const readings = await Promise.all(
      Array.from({ length: 10 }, async () => new Reading(await pubsub.subscribe(name))),
    )
    const payloads = Array.from({ length: 50 }, (_, index) => `${index}`)
    await conn.pipeline(payloads.map((payload) => ["PUBLISH", name, payload]))
    for (const reading of readings) await reading.untilPayload("49")
    await pubsub.unsubscribe(name)
    for (const reading of readings) {
      await reading.done
      assert.deepEqual(reading.payloads, payloads)
      assert.equal(reading.lines[0], `subscribed ${name}`)
    }
  })

  test("asked for several events at once they answer in order", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const subscription = await pubsub.subscribe("a")
    const iterator = subscription[Symbol.asyncIterator]()
    const asked = Array.from({ length: 5 }, () => iterator.next())
    await flood(fake, pubsub, 0, 3)
    const answers = (await Promise.all(asked.slice(0, 4))).map(({ value }) => told(value))
    assert.deepEqual(answers, ["subscribed a", "message a 0", "message a 1", "message a 2"])
    await subscription.unsubscribe()
    for (;;) {
      const { done } = await (asked.pop() ?? iterator.next())
      if (done) break
    }
  })

  test("end when they are unsubscribed, also while somebody waits for the next event", async (t) => {
    const pubsub = await connected(t, server)
    const name = uniqueKey()
    const stop = new AbortController()
    const byMethod = await pubsub.subscribe(name)
    const readings = [
      new Reading(byMethod),
      new Reading(await pubsub.subscribe(name, { signal: stop.signal })),
      new Reading(await pubsub.subscribe(name)),
    ]
    for (const reading of readings) await reading.until("subscribed")
    await byMethod.unsubscribe()
    await readings[0]?.done
    stop.abort()
    await readings[1]?.done
    await pubsub.unsubscribe()
    await readings[2]?.done
    for (const reading of readings) assert.deepEqual(reading.payloads, [])
    const end = await byMethod[Symbol.asyncIterator]().next()
    assert.equal(end.done, true)
  })

  test("end only when the last of their channels is left", async (t) => {
    const pubsub = await connected(t, server)
    const conn = await publisher(t, server)
    const [a, b] = [uniqueKey("a"), uniqueKey("b")]
    const reading = new Reading(await pubsub.subscribe([a, b]))
    await pubsub.unsubscribe(a)
    await conn.command(["PUBLISH", b, "hello"])
    await reading.untilPayload("hello")
    assert.equal(reading.count("unsubscribed"), 1)
    await pubsub.unsubscribe(b)
    await reading.done
  })

  test("that are not read keep the newest and tell how many were dropped", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const subscription = await pubsub.subscribe("a", { maxBuffered: 10 })
    const iterator = subscription[Symbol.asyncIterator]()
    assert.equal(told((await iterator.next()).value), "subscribed a")

    await flood(fake, pubsub, 0, 100)
    const events = await take(iterator, isMessage("99"))
    const [first, ...rest] = events
    assert.ok(first?.type === "dropped", `${events.map(told)}`)
    assert.ok(rest.length <= 10, `${rest.length} were buffered`)
    assert.equal(first.count + rest.length, 100, `${events.map(told)}`)
    assert.deepEqual(
      rest.map(told),
      rest.map((_, index) => `message a ${100 - rest.length + index}`),
    )

    // It is over when it is told: what comes next arrives again, and a second flood is told anew.
    await flood(fake, pubsub, 100, 3)
    const calm = await take(iterator, isMessage("102"))
    assert.deepEqual(calm.map(told), ["message a 100", "message a 101", "message a 102"])
    await flood(fake, pubsub, 103, 50)
    const again = await take(iterator, isMessage("152"))
    const dropped = again.filter((event) => event.type === "dropped")
    assert.equal(dropped.length, 1)
    assert.equal((dropped[0]?.count ?? 0) + again.length - 1, 50)
  })

  test("that are read a little between floods account for every message", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const subscription = await pubsub.subscribe("a", { maxBuffered: 7 })
    const iterator = subscription[Symbol.asyncIterator]()
    const events: PubSubEvent[] = [(await iterator.next()).value]
    let sent = 0
    for (let round = 1; round <= 20; round++) {
      await flood(fake, pubsub, sent, round)
      sent += round
      for (let index = 0; index < 3 && sent > 3; index++) events.push((await iterator.next()).value)
    }
    events.push(...(await take(iterator, isMessage(`${sent - 1}`))))
    let next = 0
    for (const event of events.slice(1)) {
      if (event.type === "dropped") next += event.count
      else {
        assert.equal(told(event), `message a ${next}`)
        next += 1
      }
    }
    assert.equal(next, sent, "every message was either seen or counted")
  })

  test("hold ten thousand events unless told otherwise", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const subscription = await pubsub.subscribe("a")
    const iterator = subscription[Symbol.asyncIterator]()
    await iterator.next()
    await flood(fake, pubsub, 0, 9_990)
    const within = await take(iterator, isMessage("9989"))
    assert.equal(within.length, 9_990)
    await flood(fake, pubsub, 0, 10_500)
    const beyond = await take(iterator, isMessage("10499"))
    const [first] = beyond
    assert.ok(first?.type === "dropped")
    assert.ok(beyond.length - 1 <= 10_000 && beyond.length - 1 >= 9_990, `${beyond.length}`)
    assert.equal(first.count + beyond.length - 1, 10_500)
  })

  test("handlers are called for every event, however many", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    let count = 0
    await pubsub.subscribe("a", (event) => {
      if (event.type === "message") count += 1
    })
    await flood(fake, pubsub, 0, 20_000)
    await until(() => count === 20_000)
  })

  test("tell the gap and go on over a reconnection", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const reading = new Reading(await pubsub.subscribe("a"))
    await reading.until("subscribed")
    fake.connection.reset()
    await reading.until("subscribed", 2)
    fake.publish("a", "after")
    await reading.untilPayload("after")
    assert.deepEqual(reading.lines, ["subscribed a", "disconnected", "subscribed a", "message a after"])
    assert.ok(reading.last("disconnected")?.error instanceof ConnectionError)
  })

  for (const [way, end] of [
    ["close()", (pubsub) => pubsub.close()],
    ["destroy()", async (pubsub) => pubsub.destroy()],
    ["the end of an exitOnDisconnection", async (_, fake) => fake.connection.reset()],
  ] as const satisfies readonly (readonly [
    string,
    (pubsub: { close(): Promise<void>; destroy(): void }, fake: FakePubSub) => Promise<void>,
  ])[]) {
    test(`end after "disconnected" with ${way}, and never throw`, async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { exitOnDisconnection: true })
      const subscription = await pubsub.subscribe("a")
      const reading = new Reading(subscription)
      const other = await pubsub.psubscribe("b*")
      await reading.until("subscribed")
      await end(pubsub, fake)
      await reading.done
      await pubsub.closed
      assert.deepEqual(reading.lines, ["subscribed a", "disconnected"])
      assert.ok(reading.last("disconnected")?.error instanceof ConnectionError)
      // The other one was not read until now: what it has buffered comes first.
      const late = new Reading(other)
      await late.done
      assert.deepEqual(late.lines, ["psubscribed b*", "disconnected"])
      const iterator = subscription[Symbol.asyncIterator]()
      assert.equal((await iterator.next()).done, true)
      assert.equal((await iterator.return?.())?.done ?? true, true)
    })
  }

  test("that end while nobody reads them hold on to nothing of the server", async (t) => {
    const pubsub = await connected(t, server)
    const name = uniqueKey()
    const subscription = await pubsub.subscribe(name)
    const iterator = subscription[Symbol.asyncIterator]()
    await iterator.return?.()
    await untilUnsubscribed(server, name)
    assert.equal((await iterator.next()).done, true)
  })
})
