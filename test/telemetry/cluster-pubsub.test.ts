/** Pub/Sub in a cluster: its links are told of as its own, and its figures are theirs. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type ConnectionEvent, type DisconnectionEvent, PubSub } from "@redix/client"
import { keyIn } from "../../support/slots.ts"
import { until } from "../../support/wait.ts"
import { closing } from "../contract/helpers.ts"
import { FakePubSubCluster } from "../pubsub/cluster-fake.ts"
import { quick } from "../pubsub/setup.ts"
import { heard, heardOn } from "./setup.ts"

const a = keyIn(100, "a")
const c = keyIn(16_000, "c")

describe("PubSub in a cluster", () => {
  test("tells of each link as of itself, and of none of its questions", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const requests = heard(t)
    const connections = heardOn<ConnectionEvent>(t, "redix:connection")
    const failures = heardOn<DisconnectionEvent>(t, "redix:disconnection")
    const cluster = { nodes: nodes.fake.urls(), topologyRefreshInterval: 50 }
    const pubsub = closing(t, await PubSub.connect({ ...quick, cluster, name: "telemetry-pubsub" }))
    await pubsub.ssubscribe([a, c], () => {})
    await until(() => connections.length === 3)
    const asked = nodes.fake.layoutsAsked
    await until(() => nodes.fake.layoutsAsked > asked + 1)
    assert.equal(connections.length, 3)
    for (const event of connections) {
      assert.equal(event.connection, pubsub)
      assert.equal(event.name, "telemetry-pubsub")
      assert.equal(event.reconnection, false)
    }
    const shards = connections.slice(1).map(({ address }) => address)
    assert.deepEqual(shards.sort(), [nodes.node(0).address, nodes.node(2).address].sort())
    assert.deepEqual(failures, [])
    nodes.reset(nodes.node(2))
    await until(() => failures.some(({ address }) => address === nodes.node(2).address))
    for (const { connection } of failures) assert.equal(connection, pubsub)
    assert.deepEqual(requests, [])
  })

  test("has the figures of all its links, also of those that are no more", async (t) => {
    const nodes = await FakePubSubCluster.start(t)
    const pubsub = closing(t, await PubSub.connect({ ...quick, cluster: { nodes: nodes.fake.urls() } }))
    await pubsub.subscribe("channel", () => {})
    const subscription = await pubsub.ssubscribe([a, c], () => {})
    const { accepted, settled, bytesRead } = pubsub.stats()
    assert.deepEqual([accepted, settled], [3, 3])
    assert.ok(bytesRead > 0)
    await subscription.unsubscribe()
    await until(() => nodes.fake.openConnections === 1)
    assert.equal(pubsub.stats().accepted, 5)
    assert.ok(pubsub.stats().bytesRead > bytesRead)
    await pubsub.close()
    assert.deepEqual([pubsub.stats().accepted, pubsub.stats().settled], [5, 5])
  })
})
