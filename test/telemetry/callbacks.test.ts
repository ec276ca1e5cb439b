/** Listeners that call back into the client which tells them: whatever they do, nothing else is harmed. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { ConnectionError, type ConnectionStats, channels, Pool, Redix } from "@redix/client"
import { keyA, moved, scripted, slotA } from "../contract/cluster/setup.ts"
import { closing, sharedServer, uniqueKey } from "../contract/helpers.ts"
import { assertAccounted, heard } from "./setup.ts"

const server = await sharedServer()

function assertBalanced(stats: ConnectionStats): void {
  const { accepted, settled, waiting, inFlight } = stats
  assert.equal(accepted, settled + waiting + inFlight)
  for (const figure of [accepted, settled, waiting, inFlight]) assert.ok(figure >= 0, String(figure))
}

describe("a listener to the end of a request", () => {
  test("may destroy the connection while replies are being handed out", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = heard(t, ({ kind }) => {
      if (kind === "asyncEnd") conn.destroy()
    })
    const results = await Promise.all(Array.from({ length: 5 }, () => conn.safe.command(["PING"])))
    for (const result of results)
      assert.ok(result.ok ? result.value === "PONG" : result.error instanceof ConnectionError)
    assertAccounted(all, 5)
    const stats = conn.stats()
    assertBalanced(stats)
    assert.equal(stats.accepted, 5)
    assert.equal(stats.settled, 5)
  })

  test("may abort a blocking command, and no reply goes astray", async (t) => {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const controller = new AbortController()
    const all = heard(t, ({ kind, event }) => {
      if (kind === "asyncEnd" && event.commands[0]?.[0] === "ECHO") controller.abort()
    })
    const echo = conn.command(["ECHO", "first"])
    const blocked = conn.safe.command(["BLPOP", uniqueKey(), 0], { signal: controller.signal })
    assert.equal(await echo, "first")
    assert.equal((await blocked).ok, false)
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`)
    assert.deepEqual(await Promise.all(texts.map((text) => conn.command(["ECHO", text]))), texts)
    assertAccounted(all, 22)
    const stats = conn.stats()
    assertBalanced(stats)
    assert.equal(stats.settled, 22)
  })

  test("may destroy the connection when a request that was not sent is given up", async (t) => {
    const conn = closing(t, Redix.start({ port: server.port }))
    heard(t, ({ kind }) => {
      if (kind === "asyncEnd") conn.destroy()
    })
    const controller = new AbortController()
    const given = [
      conn.safe.command(["PING"], { signal: controller.signal }),
      conn.safe.command(["PING"]),
      conn.safe.command(["PING"]),
    ]
    controller.abort()
    for (const result of await Promise.all(given)) assert.equal(result.ok, false)
    const stats = conn.stats()
    assertBalanced(stats)
    assert.equal(stats.settled, 3)
  })

  test("may abort what waits with it in a pool: that is not sent", async (t) => {
    const key = uniqueKey()
    const pool = closing(t, Pool.start({ port: server.port, size: 2, maxInFlight: 3 }))
    const controller = new AbortController()
    heard(t, ({ kind, event }) => {
      if (kind === "asyncEnd" && "error" in event) controller.abort()
    })
    const first = pool.safe.command(["GET", key], { timeout: 1 })
    const second = pool.safe.command(["INCR", key], { signal: controller.signal })
    const busyUntil = performance.now() + 5
    while (performance.now() < busyUntil);
    await Promise.all([first, second])
    assertBalanced(pool.stats())
  })
})

test("a listener to the beginning may destroy the connection: the end is told after it", async (t) => {
  for (const when of ["start", "end"]) {
    const conn = closing(t, await Redix.connect({ port: server.port }))
    const all = heard(t, ({ kind, event }) => {
      if (kind === when && event.connection === conn) conn.destroy()
    })
    assert.equal((await conn.safe.command(["PING"])).ok, false)
    assert.equal(assertAccounted(all, 1).length, 1)
  }
})

test("a listener to redirections may end the node's connection while its replies are handed out", async (t) => {
  const { cluster, a, b } = await scripted(t)
  a.script = ([name = "", key = ""]) => (name === "GET" && key === keyA() ? moved(slotA, b) : undefined)
  const onRedirection = (): void => cluster.destroy()
  channels.redirection.subscribe(onRedirection)
  t.after(() => channels.redirection.unsubscribe(onRedirection))
  const all = heard(t)
  await Promise.all([1, 2, 3].map(() => cluster.safe.command(["GET", keyA()])))
  assertAccounted(all, 3)
  const { accepted, settled } = cluster.stats()
  assertBalanced(cluster.stats())
  assert.equal(accepted, settled)
})

test("a listener to redirections may abort the request that is redirected", async (t) => {
  const { cluster, a, b } = await scripted(t)
  a.script = ([name]) => (name === "GET" ? moved(slotA, b) : undefined)
  const controller = new AbortController()
  const onRedirection = (): void => controller.abort()
  channels.redirection.subscribe(onRedirection)
  t.after(() => channels.redirection.unsubscribe(onRedirection))
  const all = heard(t)
  const asked = cluster.command(["GET", keyA()], { signal: controller.signal })
  await assert.rejects(asked, (error) => error === controller.signal.reason)
  assert.equal(assertAccounted(all, 1).length, 1)
  assertBalanced(cluster.stats())
})
