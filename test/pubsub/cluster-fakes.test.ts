/** Pub/Sub in a cluster of scripted nodes: what real ones do not do on command. */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { ConnectionError, PubSub, type PubSubOptions, RedisError } from "@redix/client"
import { FakeCluster } from "../../support/fake-cluster.ts"
import { keyIn } from "../../support/slots.ts"
import { until } from "../../support/wait.ts"
import { closing, rejection } from "../contract/helpers.ts"
import { FakePubSubCluster } from "./cluster-fake.ts"
import { Log, protocols, quick, Reading, sorted } from "./setup.ts"

/** Slots of the first, the second and the third node. */
const [slotA, slotB, slotC] = [100, 8000, 16_000] as const
const a = keyIn(slotA, "a")
const a2 = keyIn(slotA, "a2")
const b = keyIn(slotB, "b")
const c = keyIn(slotC, "c")

async function subscriber(
  t: TestContext,
  { fake }: FakePubSubCluster,
  options: PubSubOptions = {},
): Promise<PubSub> {
  const cluster = { nodes: fake.urls() }
  return closing(t, await PubSub.connect({ ...quick, cluster, ...options }))
}

function connectionError(error: unknown, reason: string): ConnectionError {
  assert.ok(error instanceof ConnectionError, String(error))
  assert.equal(error.reason, reason)
  return error
}

for (const protocol of protocols) {
  describe(`shard channels in a cluster, RESP${protocol}`, () => {
    test("one call: a command for each slot, at its node, and events of each; links that are not needed close", async (t) => {
      const nodes = await FakePubSubCluster.start(t)
      const pubsub = await subscriber(t, nodes, { protocol })
      await until(() => nodes.fake.openConnections === 1)
      const log = new Log()
      const subscription = await pubsub.ssubscribe([a, b, a2], log.handler)
      assert.deepEqual(
        sorted(log.lines),
        sorted([`ssubscribed ${a}`, `ssubscribed ${a2}`, `ssubscribed ${b}`]),
      )
      assert.deepEqual(nodes.node(0).commands.at(-1), ["SSUBSCRIBE", a, a2])
      assert.deepEqual(nodes.node(1).commands.at(-1), ["SSUBSCRIBE", b])
      assert.equal(nodes.fake.openConnections, 3)
      await pubsub.ping()
      await pubsub.sunsubscribe(b, subscription)
      await until(() => nodes.fake.openConnections === 2)
      nodes.spublish(a2, "hello")
      await log.untilPayload("hello")
      await subscription.unsubscribe()
      await until(() => nodes.fake.openConnections === 1)
      assert.deepEqual(nodes.listeners("SSUBSCRIBE", a), [])
      assert.deepEqual(nodes.complaints, [])
    })

    test("a slot that moves takes its channels along; nobody else notices", async (t) => {
      const nodes = await FakePubSubCluster.start(t)
      const pubsub = await subscriber(t, nodes, { protocol })
      const [log, other] = [new Log(), new Log()]
      await pubsub.ssubscribe([a, b], log.handler)
      await pubsub.ssubscribe(b, other.handler)
      nodes.move(slotA, nodes.node(2), false)
      await log.until("ssubscribed", 3)
      assert.deepEqual(nodes.listeners("SSUBSCRIBE", a), [nodes.node(2)])
      nodes.spublish(a, "there")
      await log.untilPayload("there")
      // A layout that is behind does not lead back.
      await until(() => nodes.fake.layoutsAsked >= 3)
      assert.deepEqual(sorted(log.lines.slice(0, 2)), sorted([`ssubscribed ${a}`, `ssubscribed ${b}`]))
      assert.deepEqual(log.lines.slice(2), [`ssubscribed ${a}`, `smessage ${a} there`])
      assert.deepEqual(other.lines, [`ssubscribed ${b}`])
      assert.deepEqual(nodes.complaints, [])
    })

    test("a layout that says that the slot is elsewhere is followed, and the gap is told", async (t) => {
      const nodes = await FakePubSubCluster.start(t)
      const cluster = { nodes: nodes.fake.urls(), topologyRefreshInterval: 100 }
      const pubsub = await subscriber(t, nodes, { protocol, cluster })
      const log = new Log()
      await pubsub.ssubscribe(a, log.handler)
      nodes.moveSilently(slotA, nodes.node(1))
      await log.until("ssubscribed", 2)
      assert.deepEqual(log.lines, [`ssubscribed ${a}`, "disconnected", `ssubscribed ${a}`])
      // The old one is left, and what it still says is for nobody.
      nodes.spublish(a, "old", nodes.node(0))
      nodes.spublish(a, "new")
      await log.untilPayload("new")
      assert.deepEqual(log.payloads, ["new"])
      await until(() => nodes.listeners("SSUBSCRIBE", a).length === 1)
    })

    test("an unsubscribe while the slot moves shifts no reply", async (t) => {
      const nodes = await FakePubSubCluster.start(t)
      const pubsub = await subscriber(t, nodes, { protocol })
      const [log, stays] = [new Log(), new Log()]
      const subscription = await pubsub.ssubscribe(a, log.handler)
      await pubsub.ssubscribe(keyIn(slotA + 1, "stays"), stays.handler)
      // The command is on its way when the node ends the subscription by itself, and answers with MOVED then.
      const left = subscription.unsubscribe()
      nodes.move(slotA, nodes.node(1))
      await left
      await pubsub.ssubscribe(keyIn(slotA + 2, "next"), new Log().handler)
      await pubsub.ping()
      assert.equal(stays.count("disconnected"), 0)
      assert.deepEqual(nodes.listeners("SSUBSCRIBE", a), [])
    })

    test("the node of a channel is lost: disconnected, and subscribed where the slot is then", async (t) => {
      const nodes = await FakePubSubCluster.start(t)
      const pubsub = await subscriber(t, nodes, { protocol })
      const [log, other] = [new Log(), new Log()]
      await pubsub.ssubscribe(c, log.handler)
      await pubsub.ssubscribe(a, other.handler)
      nodes.moveSilently(slotC, nodes.node(1))
      await nodes.node(2).server.stop()
      await log.until("ssubscribed", 2)
      assert.deepEqual(log.lines, [`ssubscribed ${c}`, "disconnected", `ssubscribed ${c}`])
      assert.deepEqual(other.lines, [`ssubscribed ${a}`])
      assert.deepEqual(nodes.listeners("SSUBSCRIBE", c), [nodes.node(1)])
    })

    test("a refused channel: nothing of the call is left anywhere", async (t) => {
      const nodes = await FakePubSubCluster.start(t)
      const pubsub = await subscriber(t, nodes, { protocol })
      const log = new Log()
      await pubsub.ssubscribe(a, log.handler)
      nodes.refused.add(c)
      const error = await rejection(pubsub.ssubscribe([a, b, c], new Log().handler))
      assert.ok(error instanceof RedisError && error.code === "NOPERM", String(error))
      await until(() => nodes.listeners("SSUBSCRIBE", b).length === 0)
      assert.equal(nodes.listeners("SSUBSCRIBE", a).length, 1)
      await until(() => nodes.fake.openConnections === 2)
      nodes.spublish(a, "still")
      await log.untilPayload("still")
    })
  })
}

describe("redirections of shard channels", () => {
  test("that go round in a circle end, and leave nothing", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const pubsub = await subscriber(t, nodes)
    nodes.ssubscribe = (node, slot) => {
      if (slot !== slotA) return undefined
      return `-MOVED ${slot} ${nodes.node(node.index === 0 ? 1 : 0).address}\r\n`
    }
    connectionError(await rejection(pubsub.ssubscribe([a, c], new Log().handler)), "too-many-redirections")
    const asked = nodes.fake.commands.filter(([word]) => word === "SSUBSCRIBE")
    assert.ok(asked.length <= 8, `${asked.length} commands`)
    await until(() => nodes.fake.openConnections === 1)
    assert.deepEqual(nodes.listeners("SSUBSCRIBE", c), [])
  })

  test("of a channel that was subscribed to: it is asked for again every now and then", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const pubsub = await subscriber(t, nodes)
    const log = new Log()
    await pubsub.ssubscribe(a, log.handler)
    let isRound = true
    nodes.ssubscribe = (node) =>
      isRound ? `-MOVED ${slotA} ${nodes.node(node.index === 0 ? 1 : 0).address}\r\n` : undefined
    nodes.move(slotA, nodes.node(1))
    await until(() => nodes.fake.commands.filter(([word]) => word === "SSUBSCRIBE").length >= 10)
    isRound = false
    await log.until("ssubscribed", 2)
    assert.equal(log.count("sunsubscribed"), 0)
  })

  test("a signal that is aborted on the way: nothing is left", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const pubsub = await subscriber(t, nodes)
    const stop = new AbortController()
    nodes.ssubscribe = (node, slot) => {
      if (node.index !== 1) return `-MOVED ${slot} ${nodes.node(1).address}\r\n`
      setImmediate(() => stop.abort(new Error("given up")))
      return ""
    }
    const error = await rejection(pubsub.ssubscribe(a, new Log().handler, { signal: stop.signal }))
    assert.equal(error.message, "given up")
    await nodes.node(1).nextCommand("SUNSUBSCRIBE")
  })

  test("CLUSTERDOWN goes to the caller; what is subscribed already comes back by itself", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const pubsub = await subscriber(t, nodes)
    const log = new Log()
    await pubsub.ssubscribe(a, log.handler)
    nodes.ssubscribe = () => "-CLUSTERDOWN Hash slot not served\r\n"
    const error = await rejection(pubsub.ssubscribe(a2, new Log().handler))
    assert.ok(error instanceof RedisError && error.code === "CLUSTERDOWN")
    nodes.node(0).reset()
    await log.until("disconnected")
    await until(() => nodes.node(0).commands.filter(([word]) => word === "SSUBSCRIBE").length >= 2)
    nodes.ssubscribe = () => undefined
    await log.until("ssubscribed", 2)
  })
})

describe("waiting in a cluster", () => {
  test("a node that does not confirm: the call is over in time, and rejects for all of its slots", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const pubsub = await subscriber(t, nodes)
    nodes.ssubscribe = (node) => (node.index === 1 ? "" : undefined)
    connectionError(await rejection(pubsub.ssubscribe([a, b], new Log().handler, { timeout: 50 })), "timeout")
    await until(() => nodes.listeners("SSUBSCRIBE", a).length === 0)
  })

  test("a node that is silent is left once the layout says that another one has the slot", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const pubsub = await subscriber(t, nodes, { healthCheckInterval: 200 })
    const log = new Log()
    await pubsub.ssubscribe(a, log.handler)
    nodes.frozen.add(nodes.node(0))
    nodes.node(0).layout = "LOADING"
    nodes.moveSilently(slotA, nodes.node(1))
    await log.until("ssubscribed", 2)
    assert.deepEqual(log.lines, [`ssubscribed ${a}`, "disconnected", `ssubscribed ${a}`])
  })

  test("while nobody has the slot; and is given up by a signal, or the end", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const whole = nodes.fake.layout
    nodes.fake.layout = whole.slice(1)
    const pubsub = await subscriber(t, nodes)
    const log = new Log()
    const waiting = pubsub.ssubscribe(a, log.handler, { timeout: 50 })
    const stop = new AbortController()
    const aborted = rejection(pubsub.ssubscribe(a2, log.handler, { signal: stop.signal }))
    stop.abort(new Error("given up"))
    assert.equal((await aborted).message, "given up")
    nodes.fake.layout = whole
    await waiting
    assert.deepEqual(log.lines, [`ssubscribed ${a}`])
    nodes.fake.layout = whole.slice(0, 2)
    const ended = rejection(pubsub.ssubscribe(keyIn(slotC + 1, "x"), log.handler, { timeout: 60_000 }))
    nodes.ssubscribe = () => ""
    await pubsub.close({ timeout: 0 })
    connectionError(await ended, "closed")
  })

  test("nothing of it outlives close, and iterators end", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const pubsub = await subscriber(t, nodes)
    const reading = new Reading(await pubsub.ssubscribe([a, b, c]))
    const plain = new Reading(await pubsub.subscribe("plain"))
    await pubsub.close()
    await Promise.all([reading.done, plain.done])
    assert.equal(reading.count("disconnected"), 1)
    assert.equal(await pubsub.closed, undefined)
    assert.equal(pubsub.status, "closed")
    await until(() => nodes.fake.openConnections === 0)
    connectionError(await rejection(pubsub.ssubscribe(a, () => {})), "closed")
    connectionError(await rejection(pubsub.ping()), "closed")
  })
})

describe("channels and patterns in a cluster", () => {
  test("go on at another node when theirs is gone", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const pubsub = await subscriber(t, nodes)
    const [log, shard] = [new Log(), new Log()]
    await pubsub.subscribe("x", log.handler)
    await pubsub.psubscribe("y*", () => {})
    const [node] = nodes.listeners("SUBSCRIBE", "x")
    assert.ok(node)
    const elsewhere = node.index === 0 ? b : a
    await pubsub.ssubscribe(elsewhere, shard.handler)
    await node.server.stop()
    await log.until("subscribed", 2)
    assert.deepEqual(log.lines, ["subscribed x", "disconnected", "subscribed x"])
    assert.deepEqual(shard.lines, [`ssubscribed ${elsewhere}`])
    assert.notEqual(nodes.listeners("SUBSCRIBE", "x")[0], node)
    await until(() => nodes.listeners("PSUBSCRIBE", "y*").length === 1)
    assert.notEqual(pubsub.address, node.address)
  })

  test("leave a node that has left the cluster", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const cluster = { nodes: nodes.fake.urls(), topologyRefreshInterval: 100 }
    const pubsub = await subscriber(t, nodes, { cluster })
    const log = new Log()
    await pubsub.subscribe("x", log.handler)
    const [node] = nodes.listeners("SUBSCRIBE", "x")
    nodes.fake.layout = nodes.fake.layout.filter((shard) => shard.nodes[0]?.port !== node?.port)
    await log.until("subscribed", 2)
    assert.deepEqual(log.lines, ["subscribed x", "disconnected", "subscribed x"])
    assert.notEqual(nodes.listeners("SUBSCRIBE", "x")[0], node)
  })
})

describe("finding the cluster", () => {
  test("connect rejects when nobody can tell, and nothing is left of it", async (t) => {
    const fake = await FakeCluster.start()
    t.after(() => fake.stop())
    for (const node of fake.nodes) node.layout = "ERR This instance has cluster support disabled"
    const cluster = { nodes: fake.urls() }
    const error = connectionError(await rejection(PubSub.connect({ ...quick, cluster })), "no-reachable-node")
    assert.equal(error.final, true)
    await until(() => fake.openConnections === 0)
  })

  test("start waits, and subscribes once somebody can tell; a name, events and ready as on one connection", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    for (const node of nodes.fake.nodes) node.layout = "LOADING"
    const cluster = { nodes: nodes.fake.urls() }
    const pubsub = closing(t, PubSub.start({ ...quick, cluster, name: "cluster-listener" }))
    let connections = 0
    let failures = 0
    pubsub.on("connection", () => void connections++)
    pubsub.on("failedConnection", () => void failures++)
    assert.equal(PubSub.named("cluster-listener"), pubsub)
    const log = new Log()
    const waiting = Promise.all([pubsub.subscribe("x", log.handler), pubsub.ssubscribe(a, log.handler)])
    await until(() => failures > 0)
    for (const node of nodes.fake.nodes) node.layout = undefined
    await pubsub.ready({ timeout: 10_000 })
    assert.equal(pubsub.status, "connected")
    await waiting
    assert.equal(connections, 2)
    pubsub.destroy()
    await pubsub.closed
    assert.throws(() => PubSub.named("cluster-listener"))
  })

  test("natMap says where nodes are; clientId is that of the connection for channels", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const [first] = nodes.fake.nodes
    assert.ok(first)
    nodes.fake.layout = [{ slots: [0, 16_383], nodes: [{ host: "10.0.0.1", port: 6379 }] }]
    const natMap = { "10.0.0.1:6379": { host: first.host, port: first.port } }
    const pubsub = await subscriber(t, nodes, { cluster: { nodes: [first.url], natMap } })
    assert.equal(pubsub.address, first.address)
    assert.equal(pubsub.clientId, undefined)
  })

  test("options of the nodes, and what contradicts a cluster", () => {
    const nodes = ["redis://localhost:7000"]
    for (const [options, name] of [
      [{ cluster: { nodes }, exitOnDisconnection: true }, "exitOnDisconnection"],
      [{ cluster: { nodes }, readonly: true }, "readonly"],
      [{ cluster: { nodes, natMap: 1 } }, "cluster.natMap"],
      [{ cluster: { nodes: ["rediss://localhost:7000"] }, tls: false }, "tls"],
    ] as const) {
      const pattern = new RegExp(`PubSub option "${name}"`)
      assert.throws(() => PubSub.start(options as PubSubOptions), pattern)
    }
    assert.throws(() => PubSub.start("redis://localhost:7000", { cluster: { nodes } }), TypeError)
  })
})
