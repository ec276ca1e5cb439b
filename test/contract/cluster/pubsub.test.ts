/** Section 8 of the contract: Pub/Sub in a cluster. Shard channels are subscribed at the node of their slot, and follow it. */
import assert from "node:assert/strict"
import { beforeEach, describe, type TestContext, test } from "node:test"
import { PubSub, type PubSubEvent, type PubSubOptions } from "@redix/client"
import type { ClusterNode } from "../../../support/cluster.ts"
import { freePort } from "../../../support/port.ts"
import { until } from "../../../support/wait.ts"
import { closing, misuse, rejection, throwsTypeError, uniqueKey } from "../helpers.ts"
import { fakeNodes, keyIn, moved, quick, sharedClient, slotA, spelled } from "./setup.ts"

const { real, cluster } = await sharedClient({}, quick)

/** Everything that a subscription is told. */
interface Told {
  readonly events: PubSubEvent[]
  readonly handler: (event: PubSubEvent) => void
  /** Payloads of messages, of whatever kind. */
  readonly payloads: () => unknown[]
  readonly kinds: () => string[]
}

function told(): Told {
  const events: PubSubEvent[] = []
  return {
    events,
    handler: (event) => void events.push(event),
    payloads: () => events.flatMap((event) => ("payload" in event ? [event.payload] : [])),
    kinds: () => events.map(({ type }) => type),
  }
}

describe("options", () => {
  test("are those of a cluster's seeds, and exclude other places", async () => {
    const cluster = { nodes: ["redis://127.0.0.1:7000"] }
    for (const options of [
      { cluster: { nodes: [] } },
      { cluster: {} },
      { cluster: { nodes: ["redis://user:geheim@localhost:7000"] } },
      { cluster: { nodes: ["redis://localhost:7000/1"] } },
      { cluster: { nodes: ["redis://a:1", "rediss://b:1"] } },
      { cluster: { ...cluster, nodez: 1 } },
      { cluster, host: "localhost" },
      { cluster, port: 7000 },
      { cluster, path: "/tmp/redis.sock" },
      { cluster, database: 1 },
      { cluster, sentinel: { sentinels: ["redis://localhost:26379"], group: "g" } },
    ]) {
      const error = throwsTypeError(() => PubSub.start(options as PubSubOptions))
      assert.ok(!error.message.includes("geheim"))
      await misuse(() => PubSub.connect(options as PubSubOptions))
    }
  })

  test("connect rejects where there is no node", async () => {
    const nodes = [`redis://127.0.0.1:${await freePort()}`]
    const error = await rejection(PubSub.connect({ cluster: { nodes }, ...quick }))
    assert.ok(
      "reason" in error && (error.reason === "no-reachable-node" || error.reason === "refused"),
      String(error),
    )
  })
})

describe("with real nodes", () => {
  // A failed test must not spoil the next one.
  beforeEach(() => real.mend())

  async function subscriber(t: TestContext): Promise<PubSub> {
    return closing(t, await PubSub.connect({ cluster: { nodes: real.urls() }, ...quick }))
  }

  /** Publishes until it arrives. What was published before a subscription was complete is nobody's. */
  async function arrives(channel: string, to: Told, how: "PUBLISH" | "SPUBLISH" = "SPUBLISH"): Promise<void> {
    const before = to.payloads().length
    const text = uniqueKey("message")
    await until(
      async () => {
        await cluster.safe.command([how, channel, text])
        return to.payloads().slice(before).includes(text)
      },
      { timeout: 15_000, interval: 20, message: `a message on ${channel}; told so far: ${to.kinds()}` },
    )
  }

  const listeners = async (node: ClusterNode, channel: string): Promise<number> => {
    const reply = await node.send("PUBSUB", "SHARDNUMSUB", channel)
    return Array.isArray(reply) ? Number(reply[1]) : 0
  }

  test("a shard channel is subscribed at the node of its slot, and what is published after that arrives", async (t) => {
    const pubsub = await subscriber(t)
    for (const slot of [100, 8000, 16_000]) {
      const channel = keyIn(slot, uniqueKey("channel"))
      const heard = told()
      const subscription = await pubsub.ssubscribe(channel, heard.handler)
      assert.equal(await listeners(await real.primaryOf(slot), channel), 1)
      assert.equal(await cluster.command(["SPUBLISH", channel, "one"]), 1)
      await until(() => heard.events.length === 2)
      assert.deepEqual(heard.events, [
        { type: "ssubscribed", channel },
        { type: "smessage", channel, payload: "one" },
      ])
      await subscription.unsubscribe()
      await until(async () => (await listeners(await real.primaryOf(slot), channel)) === 0)
      assert.equal(await cluster.command(["SPUBLISH", channel, "nobody"]), 0)
    }
  })

  test("channels of one call may be of different slots", async (t) => {
    const pubsub = await subscriber(t)
    const channels = [100, 200, 8000, 16_000].map((slot) => keyIn(slot, uniqueKey("channel")))
    const heard = told()
    const subscription = await pubsub.ssubscribe(channels, heard.handler)
    assert.deepEqual(
      heard.kinds(),
      channels.map(() => "ssubscribed"),
    )
    for (const channel of channels) assert.equal(await cluster.command(["SPUBLISH", channel, channel]), 1)
    await until(() => heard.payloads().length === 4)
    assert.deepEqual(new Set(heard.payloads()), new Set(channels))
    await subscription.unsubscribe()
    assert.deepEqual(
      heard.kinds().slice(-4),
      channels.map(() => "sunsubscribed"),
    )
  })

  test("other channels and patterns are subscribed at any node, and hear what is published at any other", async (t) => {
    const pubsub = await subscriber(t)
    const channel = uniqueKey("channel")
    const [plain, pattern, shard] = [told(), told(), told()]
    await pubsub.subscribe(channel, plain.handler)
    await pubsub.psubscribe(`${channel}*`, pattern.handler)
    await pubsub.ssubscribe(channel, shard.handler)
    for (const node of real.nodes) await node.send("PUBLISH", channel, `from ${node.port}`)
    await until(() => plain.payloads().length === 6 && pattern.payloads().length === 6)
    assert.deepEqual(new Set(plain.payloads()), new Set(real.nodes.map(({ port }) => `from ${port}`)))
    assert.equal(shard.payloads().length, 0)
    await pubsub.ping()
    assert.equal(pubsub.status, "connected")
  })

  test("a shard channel follows its slot to another node", async (t) => {
    const pubsub = await subscriber(t)
    const slot = 300
    const channel = keyIn(slot, uniqueKey("channel"))
    const stays = keyIn(16_100, uniqueKey("channel"))
    const [heard, other] = [told(), told()]
    await pubsub.ssubscribe(channel, heard.handler)
    await pubsub.ssubscribe(stays, other.handler)
    await arrives(channel, heard)
    const to = await real.primaryOf(8000)
    await real.migrateSlot(slot, to)
    await arrives(channel, heard)
    assert.equal(await listeners(to, channel), 1)
    assert.equal(heard.kinds().filter((kind) => kind === "ssubscribed").length, 2)
    assert.ok(!heard.events.some((event) => event.type === "sunsubscribed" && event.error !== undefined))
    // The others have noticed nothing.
    await arrives(stays, other)
    assert.deepEqual(new Set(other.kinds()), new Set(["ssubscribed", "smessage"]))
    assert.equal(other.kinds().filter((kind) => kind === "ssubscribed").length, 1)
  })

  for (const how of ["CLUSTER FAILOVER", "the death of its node"] as const) {
    test(`a shard channel follows its slot through ${how}`, async (t) => {
      const pubsub = await subscriber(t)
      const slot = 9000
      const channel = keyIn(slot, uniqueKey("channel"))
      const heard = told()
      await pubsub.ssubscribe(channel, heard.handler)
      await arrives(channel, heard)
      const old = await real.primaryOf(slot)
      if (how === "CLUSTER FAILOVER") await real.failover(old)
      else {
        await real.kill(old)
        await until(async () => (await real.findPrimaryOf(slot)) !== undefined)
      }
      await arrives(channel, heard)
      const next = await real.primaryOf(slot)
      assert.notEqual(next, old)
      // A deposed primary is a replica of the same slots, and hears what is published there: nobody has to leave it.
      if (how === "CLUSTER FAILOVER") return
      await until(async () => (await listeners(next, channel)) === 1)
      const kinds = heard.kinds().filter((kind) => kind !== "smessage")
      assert.equal(kinds[1], "disconnected")
      assert.equal(kinds.at(-1), "ssubscribed")
    })
  }

  test("the node of the other channels dies: they go on at another one", async (t) => {
    const pubsub = await subscriber(t)
    const channel = uniqueKey("channel")
    const heard = told()
    await pubsub.subscribe(channel, heard.handler)
    const subscribed = await Promise.all(
      real.nodes.map(async (node) => {
        const reply = await node.send("PUBSUB", "NUMSUB", channel)
        return Array.isArray(reply) && Number(reply[1]) === 1
      }),
    )
    assert.equal(subscribed.filter(Boolean).length, 1)
    const node = real.nodes[subscribed.indexOf(true)]
    assert.ok(node)
    await real.kill(node)
    await until(() => heard.kinds().filter((kind) => kind === "subscribed").length === 2, { timeout: 15_000 })
    assert.deepEqual(heard.kinds(), ["subscribed", "disconnected", "subscribed"])
    await until(
      async () =>
        (await real.findPrimaryOf(100)) &&
        (await real.findPrimaryOf(8000)) &&
        (await real.findPrimaryOf(16_000)),
    )
    await arrives(channel, heard, "PUBLISH")
  })

  test("an iterator goes on over a move, and ends with the subscription", async (t) => {
    const pubsub = await subscriber(t)
    const slot = 5000
    const channel = keyIn(slot, uniqueKey("channel"))
    const subscription = await pubsub.ssubscribe(channel)
    const heard = told()
    const reading = (async () => {
      for await (const event of subscription) heard.handler(event)
    })()
    await arrives(channel, heard)
    await real.migrateSlot(slot, await real.primaryOf(16_000))
    await arrives(channel, heard)
    await subscription.unsubscribe()
    await reading
    await pubsub.close()
    assert.equal(pubsub.status, "closed")
  })
})

describe("SSUBSCRIBE that is answered with MOVED", () => {
  test("is followed, and the subscription is complete where it led to", async (t) => {
    const fake = await fakeNodes(t)
    const [a, b] = [fake.node(0), fake.node(1)]
    const channel = keyIn(slotA, "channel")
    const confirm = (kind: string, name: string, count: number) =>
      `*3\r\n$${kind.length}\r\n${kind}\r\n$${name.length}\r\n${name}\r\n:${count}\r\n`
    fake.assign(slotA, a)
    a.script = ([name]) => (name?.toUpperCase() === "SSUBSCRIBE" ? moved(slotA, b) : undefined)
    b.script = ([name, first = ""], _, connection) => {
      if (name?.toUpperCase() === "SUNSUBSCRIBE") return confirm("sunsubscribe", first, 0)
      if (name?.toUpperCase() !== "SSUBSCRIBE") return undefined
      setTimeout(() => connection.write(confirm("smessage", first, 0).replace(":0\r\n", "$2\r\nhi\r\n")), 10)
      return confirm("ssubscribe", first, 1)
    }
    const pubsub = closing(t, await PubSub.connect({ cluster: { nodes: fake.urls() }, ...quick }))
    const heard = told()
    await pubsub.ssubscribe(channel, heard.handler)
    await until(() => heard.payloads().length === 1)
    assert.deepEqual(heard.kinds(), ["ssubscribed", "smessage"])
    assert.deepEqual(spelled(b.commands).filter((command) => /^ssubscribe/i.test(command)).length, 1)
  })
})
