/** Pub/Sub in a real cluster: what the contract does not spell out of moves, failovers and frozen nodes. */
import assert from "node:assert/strict"
import { after, before, beforeEach, type TestContext, test } from "node:test"
import { PubSub } from "@redix/client"
import { type ClusterNode, RedisCluster } from "../../support/cluster.ts"
import { keyIn } from "../../support/slots.ts"
import { until } from "../../support/wait.ts"
import { closing, uniqueKey } from "../contract/helpers.ts"
import { Log, quick } from "./setup.ts"

let real: RedisCluster

before(async () => {
  real = await RedisCluster.start()
})
after(() => real?.stop())
beforeEach(() => real.mend())

async function subscriber(t: TestContext, protocol: 2 | 3 = 2): Promise<PubSub> {
  const cluster = { nodes: real.urls() }
  return closing(t, await PubSub.connect({ ...quick, protocol, cluster, healthCheckInterval: 1000 }))
}

/** Publishes at the node that has the slot until it arrives. */
async function arrives(slot: number, channel: string, log: Log): Promise<void> {
  const text = uniqueKey("message")
  await until(
    async () => {
      const node = await real.findPrimaryOf(slot)
      await node?.send("SPUBLISH", channel, text).catch(() => undefined)
      return log.payloads.includes(text)
    },
    { timeout: 20_000, interval: 20, message: () => `a message, got ${log.lines.slice(-10)}` },
  )
}

async function listeners(node: ClusterNode, channel: string): Promise<number> {
  const reply = await node.send("PUBSUB", "SHARDNUMSUB", channel)
  return Array.isArray(reply) ? Number(reply[1]) : 0
}

for (const protocol of [2, 3] as const) {
  test(`hundreds of channels follow their slots, RESP${protocol}`, async (t) => {
    const pubsub = await subscriber(t, protocol)
    const [slot, other] = [200, 201]
    const to = await real.primaryOf(16_000)
    const back = await real.primaryOf(slot)
    const log = new Log()
    const channels = Array.from({ length: 300 }, (_, index) =>
      keyIn(index % 2 === 0 ? slot : other, uniqueKey("channel")),
    )
    await pubsub.ssubscribe(channels, log.handler)
    assert.equal(log.count("ssubscribed"), 300)
    await real.migrateSlot(slot, to)
    await log.until("ssubscribed", 450)
    for (const channel of channels.slice(0, 4))
      await arrives(channel === channels[0] || channel === channels[2] ? slot : other, channel, log)
    assert.equal(log.count("ssubscribed"), 450)
    assert.equal(log.count("disconnected") + log.count("sunsubscribed"), 0)
    await real.migrateSlot(slot, back)
    await log.until("ssubscribed", 600)
    await pubsub.close()
  })
}

test("through CLUSTER FAILOVER the channels end up at the new primary, each message once", async (t) => {
  const pubsub = await subscriber(t)
  const slot = 9000
  const channel = keyIn(slot, uniqueKey("channel"))
  const log = new Log()
  await pubsub.ssubscribe(channel, log.handler)
  const next = await real.failover(await real.primaryOf(slot))
  await until(async () => (await listeners(next, channel)) === 1, { timeout: 20_000 })
  await arrives(slot, channel, log)
  assert.equal(new Set(log.payloads).size, log.payloads.length)
})

for (const how of ["kill", "freeze"] as const) {
  test(`a node that is lost by ${how}: a gap for its channels, none for others`, async (t) => {
    const pubsub = await subscriber(t)
    const [lost, kept] = [400, 16_200]
    const [channel, stays] = [keyIn(lost, uniqueKey("channel")), keyIn(kept, uniqueKey("channel"))]
    const [log, other] = [new Log(), new Log()]
    await pubsub.ssubscribe(channel, log.handler)
    await pubsub.ssubscribe(stays, other.handler)
    const node = await real.primaryOf(lost)
    if (how === "kill") await real.kill(node)
    else real.freeze(node)
    await until(async () => (await real.findPrimaryOf(lost)) !== undefined, { timeout: 30_000 })
    const begin = performance.now()
    await arrives(lost, channel, log)
    t.diagnostic(`${Math.round(performance.now() - begin)} ms after the promotion`)
    assert.ok(log.count("disconnected") >= 1)
    assert.ok(log.count("ssubscribed") >= 2)
    await arrives(kept, stays, other)
    assert.equal(other.count("disconnected"), 0)
    assert.equal(other.count("ssubscribed"), 1)
  })
}
