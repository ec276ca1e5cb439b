/** Row 32 of the fault matrix: links that look alive and are dead. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { ConnectionError } from "@redix/client"
import { until } from "../../support/wait.ts"
import { sharedServer, uniqueKey } from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import { connected, Log, protocols, proxyTo, publisher } from "./setup.ts"

const server = await sharedServer()

const interval = 200
/** What a busy machine may take on top of what the contract bounds. */
const grace = 4_000

for (const protocol of protocols) {
  describe(`health, RESP${protocol}`, () => {
    test("an idle link is pinged every interval, and one that answers stays", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol, healthCheckInterval: 50 })
      const { connection } = fake
      await connection.nextCommand("PING")
      const log = new Log()
      await pubsub.subscribe("a", log.handler)
      const before = fake.commands("PING").length
      await until(() => fake.commands("PING").length >= before + 5)
      assert.equal(fake.server.connections.length, 1)
      fake.publish("a", "hello")
      await log.untilPayload("hello")
      assert.deepEqual(log.lines, ["subscribed a", "message a hello"])
      assert.deepEqual(fake.complaints, [])
    })

    test("so is one without any subscription", async (t) => {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake, { protocol, healthCheckInterval: 50 })
      const before = fake.commands("PING").length
      await until(() => fake.commands("PING").length >= before + 3)
      assert.equal(pubsub.status, "connected")
      assert.equal(fake.server.connections.length, 1)
    })

    test("an idle link that is black-holed is given up within two intervals, and comes back", async (t) => {
      const proxy = await proxyTo(t, server)
      const pubsub = await connected(t, proxy, { protocol, healthCheckInterval: interval })
      const conn = await publisher(t, server)
      const name = uniqueKey()
      const log = new Log()
      const lost: ConnectionError[] = []
      pubsub.on("disconnection", ({ error }) => lost.push(error))
      await pubsub.subscribe(name, log.handler)
      for (const direction of ["to-client", "both"] as const) {
        const before = log.count("disconnected")
        proxy.blackhole(direction)
        const from = performance.now()
        await log.until("disconnected", before + 1)
        const took = performance.now() - from
        assert.ok(took <= 2 * interval + grace, `took ${took} ms`)
        proxy.restore()
        await log.until("subscribed", before + 2)
        await conn.command(["PUBLISH", name, direction])
        await log.untilPayload(direction)
      }
      assert.deepEqual(log.payloads, ["to-client", "both"])
      for (const error of lost) assert.equal(error.reason, "health-check-timeout")
      const told = log.last("disconnected")?.error
      assert.ok(told instanceof ConnectionError)
      const reasons = [told, told.cause].map((each) => each instanceof ConnectionError && each.reason)
      assert.ok(reasons.includes("health-check-timeout"), `${reasons}`)
    })
  })
}

test("a busy link is not pinged", async (t) => {
  const fake = await FakePubSub.start(t)
  const busyInterval = 600
  const pubsub = await connected(t, fake, { healthCheckInterval: busyInterval })
  const log = new Log()
  await pubsub.subscribe("a", log.handler)
  // A machine so slow that the messages themselves come late proves nothing: then again.
  for (let attempt = 1; ; attempt++) {
    const before = fake.commands("PING").length
    const from = performance.now()
    let last = from
    let longest = 0
    fake.publish("a", "busy")
    while (performance.now() - from < 2.5 * busyInterval) {
      await new Promise((resolve) => setTimeout(resolve, busyInterval / 20))
      fake.publish("a", "busy")
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }
    const pings = fake.commands("PING").length - before
    if (pings === 0) break
    // A PING that was due before the first message.
    assert.ok(longest > busyInterval / 2 && attempt < 5, `${pings} pings, longest silence ${longest} ms`)
  }
  assert.equal(fake.server.connections.length, 1)
})

test("bytes of a message that is still arriving are a sign of life", async (t) => {
  const fake = await FakePubSub.start(t)
  const pubsub = await connected(t, fake, { healthCheckInterval: 300 })
  const log = new Log()
  await pubsub.subscribe("a", log.handler)
  const bytes = fake.bytes(fake.connection, "message", "a", "0123456789".repeat(8))
  // It takes several intervals, and no reply can come in between.
  const unanswered: string[][] = []
  fake.held = (command) => unanswered.push(command) > 0
  await fake.connection.writeInPieces(bytes, 4, 40)
  fake.held = () => false
  for (const command of unanswered) fake.answer(command)
  await log.untilPayload("0123456789".repeat(8))
  assert.equal(log.count("disconnected"), 0)
})
