/** One deadline over all that a request to a cluster waits for. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { ConnectionError } from "@redix/client"
import {
  type FakeNode,
  fakeNodes,
  keyA,
  moved,
  type NodeScript,
  scripted,
  slotA,
  started,
} from "../contract/cluster/setup.ts"

/** How long it takes until the promise rejects with a timeout, in ms. */
async function timeOf(promise: Promise<unknown>): Promise<number> {
  const began = performance.now()
  await assert.rejects(promise, (error) => error instanceof ConnectionError && error.reason === "timeout")
  return performance.now() - began
}

/** Less than if a part of the way had not been counted. */
function assertWithin(elapsed: number, from: number, below: number): void {
  assert.ok(elapsed >= from - 10 && elapsed < below, `${Math.round(elapsed)} ms`)
}

/** Says of a command that blocks that it is elsewhere, but not at once. */
function movedSlowly(to: FakeNode): NodeScript {
  return ([name], _node, connection) => {
    if (name !== "BLPOP") return undefined
    setTimeout(() => connection.write(moved(slotA, to)), 600).unref()
    return ""
  }
}

describe("the deadline of a blocking command", () => {
  test("goes on over a redirection", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = movedSlowly(b)
    b.script = ([name]) => (name === "BLPOP" ? "" : undefined)
    assertWithin(await timeOf(cluster.command(["BLPOP", keyA(), 0], { timeout: 1000 })), 1000, 1500)
  })

  test("goes on over a redirection in a pipeline", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = movedSlowly(b)
    b.script = ([name]) => (name === "BLPOP" ? "" : undefined)
    assertWithin(await timeOf(cluster.pipeline([["BLPOP", keyA(), 0]], { timeout: 1000 })), 1000, 1500)
  })

  test("begins while it is not known who has which slots", async (t) => {
    const fake = await fakeNodes(t, { script: ([name]) => (name === "BLPOP" ? "" : undefined) })
    for (const node of fake.nodes) node.layoutDelay = 600
    const cluster = started(t, fake)
    assertWithin(await timeOf(cluster.command(["BLPOP", keyA(), 0], { timeout: 1000 })), 1000, 1500)
  })

  test("begins while it waits for its turn", async (t) => {
    const { cluster, a, b } = await scripted(t, { maxDedicated: 1 })
    a.script = movedSlowly(b)
    // What takes the only connection there is while the other is redirected.
    b.script = ([name]) => (name === "BLPOP" || name === "BRPOP" ? "" : undefined)
    const waiting = timeOf(cluster.command(["BLPOP", keyA(), 0], { timeout: 1000 }))
    const other = cluster.command(["BRPOP", keyA("other"), 0], { timeout: 5000 }).catch(() => undefined)
    assertWithin(await waiting, 1000, 1500)
    cluster.destroy()
    await other
  })

  test("is not shortened by what had blocked the process before", async (t) => {
    const { cluster, a, b } = await scripted(t)
    let answer = (): void => {}
    a.script = ([name], _node, connection) => {
      if (name === "BLPOP") return moved(slotA, b)
      if (name !== "BRPOP") return undefined
      answer = () => connection.write("*-1\r\n")
      return ""
    }
    b.script = ([name]) => (name === "BLPOP" ? "" : undefined)
    // Of A's connections, only that for blocking commands waits for something, and so notices.
    const earlier = cluster.command(["BRPOP", keyA(), 0], { timeout: 20_000 })
    await a.nextCommand("BRPOP")
    for (let times = 0; times < 3; times++) {
      block(500)
      await sleep(600)
    }
    answer()
    await earlier
    assertWithin(await timeOf(cluster.command(["BLPOP", keyA(), 0], { timeout: 1000 })), 1000, 1500)
  })
})

function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}
