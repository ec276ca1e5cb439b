/** Messages of the server's own: which keys of a tracking client have changed. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../support/wait.ts"
import { sharedServer, uniqueKey } from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import { type AnyEvent, connected, Log, protocols, publisher } from "./setup.ts"

const channel = "__redis__:invalidate"
const server = await sharedServer()

function messages(log: Log): readonly unknown[] {
  return log.events.filter((event: AnyEvent) => event.type === "message").map(({ payload }) => payload)
}

test("CLIENT TRACKING with REDIRECT: the payload is the keys, or null when all are gone", async (t) => {
  const pubsub = await connected(t, server, { fetchClientIdOnConnect: true })
  const conn = await publisher(t, server)
  const other = await publisher(t, server)
  const [log, text] = [new Log(), new Log()]
  await pubsub.subscribe(channel, log.handler)
  await pubsub.subscribe("other", text.handler)
  const id = pubsub.clientId
  assert.equal(typeof id, "number")
  await conn.command(["CLIENT", "TRACKING", "ON", "REDIRECT", id as number])
  const [a, b] = [uniqueKey("a"), uniqueKey("b")]
  await conn.pipeline([
    ["GET", a],
    ["MGET", a, b],
  ])
  await other.command(["SET", a, "1"])
  await until(() => messages(log).length === 1)
  assert.deepEqual(messages(log), [[a]])
  await other.command(["MSET", b, "1"])
  await until(() => messages(log).length === 2)
  await conn.command(["GET", a])
  await other.command(["FLUSHALL"])
  await until(() => messages(log).length === 3)
  assert.deepEqual(messages(log), [[a], [b], null])
  for (const event of log.events.slice(1)) assert.equal(event.channel, channel)

  // The connection serves ordinary channels as well.
  await other.command(["PUBLISH", "other", "hello"])
  await text.untilPayload("hello")
})

test("several keys at once, several subscriptions, an iterator among them", async (t) => {
  const fake = await FakePubSub.start(t)
  const pubsub = await connected(t, fake)
  const log = new Log()
  await pubsub.subscribe(channel, log.handler)
  const subscription = await pubsub.subscribe(channel)
  const keys = "*2\r\n$1\r\na\r\n$2\r\nbc\r\n"
  fake.connection.write(`*3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n${keys}`)
  fake.connection.write(`*3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n*-1\r\n`)
  const payloads: unknown[] = []
  for await (const event of subscription) {
    if (event.type === "message") payloads.push(event.payload)
    if (payloads.length === 2) break
  }
  assert.deepEqual(payloads, [["a", "bc"], null])
  assert.deepEqual(messages(log), [["a", "bc"], null])
})

for (const protocol of protocols) {
  test(`pushes of other kinds are no messages, and harm nothing, RESP${protocol}`, async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake, { protocol })
    const log = new Log()
    await pubsub.subscribe("a", log.handler)
    if (protocol === 3) {
      fake.connection.write(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n")
      fake.connection.write(">2\r\n$10\r\ninvalidate\r\n_\r\n")
      fake.connection.write(">3\r\n$6\r\nMOVING\r\n:1\r\n:2\r\n")
    }
    fake.publish("a", "hello")
    await log.untilPayload("hello")
    assert.deepEqual(log.lines, ["subscribed a", "message a hello"])
    assert.equal(fake.server.connections.length, 1)
  })
}
