/**
 * One deadline over all that a request to a cluster waits for. Time is the test's: how much of it has passed when a hop ends
 * is not left to the machine.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Cluster } from "@redix/client"
import {
  type FakeNode,
  fakeNodes,
  keyA,
  moved,
  type Options,
  scripted,
  slotA,
  started,
} from "../contract/cluster/setup.ts"
import { Clock, TimedRequest } from "../util/clock.ts"

/** In ms. Longer than any of its parts, and shorter than two of them. */
const timeout = 1000
const firstPart = 600
const has = (node: FakeNode, name: string): boolean => node.commands.some(([first]) => first === name)

/** Two nodes that say nothing to commands that block, until the first is told to send BLPOP to the second. */
async function silent(t: Parameters<typeof scripted>[0], options: Options = {}) {
  const clock = new Clock(t)
  const { cluster, a, b } = await scripted(t, options)
  let redirect = (): void => {}
  const isBlocking = (name = ""): boolean => name === "BLPOP" || name === "BRPOP"
  a.script = ([name], _node, connection) => {
    if (name === "BLPOP") redirect = () => connection.write(moved(slotA, b))
    return isBlocking(name) ? "" : undefined
  }
  b.script = ([name]) => (isBlocking(name) ? "" : undefined)
  return { clock, cluster, a, b, redirect: () => redirect() }
}

describe("the deadline of a blocking command", () => {
  const ways: readonly (readonly [string, (cluster: Cluster) => Promise<unknown>])[] = [
    ["", (cluster) => cluster.command(["BLPOP", keyA(), 0], { timeout })],
    [" in a pipeline", (cluster) => cluster.pipeline([["BLPOP", keyA(), 0]], { timeout })],
  ]
  for (const [where, ask] of ways) {
    test(`goes on over a redirection${where}`, async (t) => {
      const { clock, cluster, a, b, redirect } = await silent(t)
      const request = new TimedRequest(clock, ask(cluster))
      await clock.standUntil(() => has(a, "BLPOP"))
      await clock.pass(firstPart)
      redirect()
      await clock.standUntil(() => has(b, "BLPOP"))
      await request.assertTimeOver(timeout - firstPart)
    })
  }

  test("begins while it is not known who has which slots", async (t) => {
    const clock = new Clock(t)
    const fake = await fakeNodes(t, { script: ([name]) => (name === "BLPOP" ? "" : undefined) })
    for (const node of fake.nodes) node.layoutDelay = firstPart
    const cluster = started(t, fake)
    const request = new TimedRequest(clock, cluster.command(["BLPOP", keyA(), 0], { timeout }))
    await clock.standUntil(() => fake.nodes.some(({ layoutsPending }) => layoutsPending > 0))
    await clock.pass(firstPart)
    await clock.standUntil(() => has(fake.node(0), "BLPOP"))
    await request.assertTimeOver(timeout - firstPart)
  })

  test("begins while it waits for its turn", async (t) => {
    const { clock, cluster, a, b, redirect } = await silent(t, { maxDedicated: 1 })
    const request = new TimedRequest(clock, cluster.command(["BLPOP", keyA(), 0], { timeout }))
    await clock.standUntil(() => has(a, "BLPOP"))
    // What takes the only connection there is while the other is redirected.
    const other = cluster
      .command(["BRPOP", keyA("other"), 0], { timeout: 5 * timeout })
      .catch(() => undefined)
    await clock.pass(firstPart)
    redirect()
    await clock.standUntil(() => has(a, "BRPOP"))
    await request.assertTimeOver(timeout - firstPart)
    assert.ok(!has(b, "BLPOP"))
    cluster.destroy()
    await other
  })

  test("is not shortened by what had blocked the process before", async (t) => {
    const { clock, cluster, a, b, redirect } = await silent(t)
    // Of A's connections, only that for blocking commands waits for something, and so notices.
    const earlier = cluster.command(["BLPOP", keyA(), 0], { timeout: 20 * timeout })
    await clock.standUntil(() => has(a, "BLPOP"))
    for (let times = 0; times < 3; times++) {
      clock.blockUntil(clock.now + 2 * timeout)
      await clock.pass(firstPart)
    }
    a.open.at(-1)?.write("*-1\r\n")
    assert.equal(await earlier, null)
    a.received.length = 0
    const request = new TimedRequest(clock, cluster.command(["BLPOP", keyA(), 0], { timeout }))
    await clock.standUntil(() => has(a, "BLPOP"))
    assert.equal(a.open.length, 2, "it is the connection that was blocked")
    redirect()
    await clock.standUntil(() => has(b, "BLPOP"))
    await request.assertTimeOver(timeout)
  })
})
