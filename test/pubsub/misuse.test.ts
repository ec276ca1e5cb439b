/** Misuse: a `TypeError` that says what is wrong, and nothing is sent. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { PubSub, Redix, type SubscribeOptions } from "@redix/client"
import { misuse, throwsTypeError } from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import { connected } from "./setup.ts"

/** Anything at all in a place of some type. */
function wrong<T>(value: unknown): T {
  return value as T
}

type Names = Parameters<PubSub["unsubscribe"]>[0]
type Leaving = Parameters<PubSub["unsubscribe"]>[1]

describe("misuse", () => {
  test("of names", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const values = [undefined, null, 1, true, {}, [], [1], ["a", undefined], [["a"]], [null], () => {}]
    for (const value of values) {
      for (const method of ["subscribe", "psubscribe", "ssubscribe"] as const) {
        await misuse(() => pubsub[method](wrong<string>(value), () => {}))
        await misuse(() => pubsub[method](wrong<string>(value)))
      }
      if (value === undefined) continue
      if (Array.isArray(value) && value.length === 0) continue
      await misuse(() => pubsub.unsubscribe(wrong<Names>(value)))
      await misuse(() => pubsub.punsubscribe(wrong<Names>(value)))
      await misuse(() => pubsub.sunsubscribe(wrong<Names>(value)))
    }
    await pubsub.ping()
    assert.deepEqual(
      fake.connection.received.map(([name]) => name).filter((name) => name !== "PING"),
      [],
    )
  })

  test("of handlers and options", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    for (const handler of ["handler", 1, true, Symbol("handler")])
      await misuse(() => pubsub.subscribe("a", wrong<() => void>(handler)))
    const options: [Record<string, unknown>, RegExp][] = [
      [{ encoding: "latin1" }, /encoding/],
      [{ encoding: 1 }, /encoding/],
      [{ maxBuffered: 0 }, /maxBuffered/],
      [{ maxBuffered: -1 }, /maxBuffered/],
      [{ maxBuffered: 1.5 }, /maxBuffered/],
      [{ maxBuffered: Number.NaN }, /maxBuffered/],
      [{ maxBuffered: "10" }, /maxBuffered/],
      [{ timeout: 0 }, /timeout/],
      [{ timeout: -1 }, /timeout/],
      [{ timeout: "1" }, /timeout/],
      [{ timeout: Number.NaN }, /timeout/],
      [{ signal: {} }, /signal/],
      [{ signal: new AbortController() }, /signal/],
      [{ maxBufferd: 10 }, /maxBufferd/],
      [{ channel: "a" }, /channel/],
    ]
    for (const [each, pattern] of options) {
      await misuse(() => pubsub.subscribe("a", () => {}, wrong<SubscribeOptions>(each)), pattern)
      await misuse(() => pubsub.psubscribe("a", wrong<SubscribeOptions>(each)), pattern)
      await misuse(() => pubsub.ssubscribe("a", () => {}, wrong<SubscribeOptions>(each)), pattern)
    }
    await misuse(() => pubsub.subscribe("a", () => {}, wrong<SubscribeOptions>("options")))
    await misuse(() =>
      pubsub.subscribe(
        "a",
        () => {},
        wrong<SubscribeOptions>(() => {}),
      ),
    )
    await pubsub.ping()
    assert.ok(fake.connection.received.every(([name]) => name === "PING"))

    // `undefined` counts as not given, everywhere.
    const options2 = { encoding: undefined, maxBuffered: undefined, timeout: undefined, signal: undefined }
    await pubsub.subscribe("a", () => {}, options2)
    await pubsub.subscribe("a", options2)
    await pubsub.subscribe("a", () => {}, undefined)
    await pubsub.subscribe("a", undefined)
    await pubsub.subscribe("a", () => {}, { timeout: Number.POSITIVE_INFINITY, maxBuffered: 1 })
  })

  test("of the subscription to leave", async (t) => {
    const fake = await FakePubSub.start(t)
    const [pubsub, other] = [await connected(t, fake), await connected(t, fake)]
    const subscription = await pubsub.subscribe("a", () => {})
    for (const value of [null, "subscription", {}, () => {}])
      await misuse(() => pubsub.unsubscribe("a", wrong<Leaving>(value)))
    assert.deepEqual([...fake.topics(fake.server.connections[0])], ["a"])
    // One of somebody else has nothing to leave here, whether that is an error or not.
    await other
      .unsubscribe("a", subscription)
      .catch((error: unknown) => assert.ok(error instanceof TypeError))
    await pubsub.ping()
    assert.deepEqual([...fake.topics(fake.server.connections[0])], ["a"])
  })

  test("of start and connect", async () => {
    throwsTypeError(() => PubSub.start(wrong<string>(undefined)))
    throwsTypeError(() => PubSub.start(""))
    throwsTypeError(() => PubSub.start("http://localhost"))
    throwsTypeError(() => PubSub.start("redis://localhost?db=1"))
    throwsTypeError(() => PubSub.start({ prot: 1 } as object), /prot/)
    throwsTypeError(() => PubSub.start({ port: wrong<number>("6379") }), /port/)
    throwsTypeError(
      () => PubSub.start({ fetchClientIdOnConnect: wrong<boolean>("yes") }),
      /fetchClientIdOnConnect/,
    )
    throwsTypeError(() => PubSub.start({ healthCheckInterval: -1 }), /healthCheckInterval/)
    await misuse(() => PubSub.connect(wrong<string>(undefined)))
    await misuse(() => PubSub.connect({ prot: 1 } as object), /prot/)
    const error = throwsTypeError(() => PubSub.start("redis://:hunter2@localhost/x"))
    assert.ok(!error.message.includes("hunter2"))
    // What only Pub/Sub knows is unknown to a connection.
    throwsTypeError(() => Redix.start({ fetchClientIdOnConnect: true } as object), /fetchClientIdOnConnect/)
  })

  test("does not throw out of the call, also when the connection has ended", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    pubsub.destroy()
    await misuse(() => pubsub.subscribe(wrong<string>(1)))
    await misuse(() => pubsub.subscribe("a", wrong<() => void>("handler")))
  })
})
