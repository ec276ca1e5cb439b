/** Section 8 of the contract: commands that block run on connections of their own, and hold nobody up. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { ConnectionError } from "@redix/client"
import { until } from "../../../support/wait.ts"
import { atLeast, connectionFailure, uniqueKey } from "../helpers.ts"
import {
  connected,
  first,
  keyA,
  keyB,
  keyIn,
  moved,
  scripted,
  sharedClient,
  slotA,
  slotB,
  spelled,
} from "./setup.ts"

const { real, cluster } = await sharedClient({ replicasPerPrimary: 0 })

describe("blocking commands with real nodes", () => {
  /** How many clients block at the node of a slot. */
  const blocked = async (slot: number): Promise<number> => {
    const info = String(await (await real.primaryOf(slot)).send("INFO", "clients"))
    return Number(/blocked_clients:(\d+)/.exec(info)?.[1])
  }

  test("hold up neither other commands nor each other", async () => {
    const lists = Array.from({ length: 20 }, () => keyIn(slotA, uniqueKey("list")))
    const popped = lists.map((list) => cluster.command(["BLPOP", list, 10]))
    await until(async () => (await blocked(slotA)) === 20)
    assert.equal(await cluster.command(["SET", keyIn(slotA, uniqueKey()), "1"]), "OK")
    assert.deepEqual(await cluster.pipeline([["PING"], ["GET", keyIn(slotA, uniqueKey())]]), ["PONG", null])
    await cluster.pipeline([...lists].reverse().map((list): string[] => ["RPUSH", list, `in ${list}`]))
    assert.deepEqual(
      await Promise.all(popped),
      lists.map((list) => [list, `in ${list}`]),
    )
    assert.equal(await blocked(slotA), 0)
  })

  test("of other kinds: streams, pipelines, a block time that passes", async () => {
    const stream = uniqueKey("stream")
    const read = cluster.command(["XREAD", "BLOCK", 5000, "STREAMS", stream, "$"])
    const list = uniqueKey("list")
    const pipeline = cluster.pipeline([
      ["RPUSH", list, "1"],
      ["BLPOP", list, 1],
      ["BLPOP", list, 0.05],
      ["LLEN", list],
    ])
    await atLeast(50)
    assert.equal(await cluster.command(["GET", uniqueKey()]), null)
    const id = await until(async () => {
      const added = await cluster.command(["XADD", stream, "*", "f", "v"])
      return (await Promise.race([read.then(() => true), atLeast(20).then(() => false)])) && added
    })
    assert.ok(id)
    assert.deepEqual(await pipeline, [1, [list, "1"], null, 0])
    assert.equal(await cluster.command(["BLPOP", list, 0.05]), null)
  })

  for (const how of ["aborted", "timed out"] as const) {
    test(`${how}: the server forgets it, and what comes later is popped for nobody`, async () => {
      const list = keyIn(slotB, uniqueKey("list"))
      const controller = new AbortController()
      const popped = cluster.command(
        ["BLPOP", list, 0],
        how === "aborted" ? { signal: controller.signal } : { timeout: 150 },
      )
      const rejected =
        how === "aborted"
          ? assert.rejects(popped, { name: "AbortError" })
          : connectionFailure(popped, "timeout", "unknown")
      if (how === "aborted") {
        await until(async () => (await blocked(slotB)) === 1)
        controller.abort()
      }
      const others = Array.from({ length: 20 }, () => cluster.command(["INCR", keyIn(slotB, uniqueKey())]))
      await rejected
      assert.deepEqual(new Set(await Promise.all(others)), new Set([1]))
      await until(async () => (await blocked(slotB)) === 0)
      await cluster.command(["RPUSH", list, "kept"])
      assert.equal(await cluster.command(["LLEN", list]), 1)
      assert.deepEqual(await cluster.command(["BLPOP", list, 1]), [list, "kept"])
    })
  }

  test("maxDedicated counts for the whole cluster; beyond it they wait within their deadline", async (t) => {
    const own = await connected(t, real, { maxDedicated: 2 })
    const controller = new AbortController()
    const { signal } = controller
    const [one, two, three] = [slotA, slotB, slotB].map((slot) => keyIn(slot, uniqueKey("list"))) as [
      string,
      string,
      string,
    ]
    const held = [one, two].map((list) =>
      assert.rejects(own.command(["BLPOP", list, 0], { signal }), { name: "AbortError" }),
    )
    await until(async () => (await blocked(slotA)) === 1 && (await blocked(slotB)) === 1)
    await connectionFailure(own.command(["BLPOP", three, 0], { timeout: 150 }), "timeout", "not-sent")
    assert.equal(await own.command(["SET", keyIn(slotB, uniqueKey()), "1"]), "OK")
    const waiting = own.command(["BLPOP", three, 0], { timeout: 10_000 })
    await atLeast(50)
    assert.equal(await blocked(slotB), 1)
    controller.abort()
    await Promise.all(held)
    await until(async () => (await blocked(slotB)) === 1)
    await own.command(["RPUSH", three, "x"])
    assert.deepEqual(await waiting, [three, "x"])
  })
})

describe("the connection of a blocking command", () => {
  test("is not the one that others use, and is kept for the next one", async (t) => {
    const { cluster, a } = await scripted(t)
    const before = a.open.length
    for (let round = 0; round < 3; round++) {
      assert.equal(await cluster.command(["BLPOP", keyA(), 1]), "OK" as never)
      assert.equal(await cluster.command(["GET", keyA()]), "OK")
    }
    const having = (name: string) => a.open.filter(({ received }) => received.some(([word]) => word === name))
    assert.equal(having("BLPOP").length, 1)
    assert.ok(!having("GET").includes(having("BLPOP")[0] as never))
    assert.equal(a.open.length, before + 1)
  })

  test("redirections are followed", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = first("BLPOP", moved(slotA, b))
    assert.equal(await cluster.command(["BLPOP", keyA(), 1]), "OK" as never)
    assert.deepEqual(spelled(b.commands), [`BLPOP ${keyA()} 1`])
  })

  test("is lost with its node: disconnected, and not sent again", async (t) => {
    const { fake, cluster, b } = await scripted(t)
    b.script = ([name], _, connection) => {
      if (name === "BLPOP") connection.reset()
      return undefined
    }
    const error = await connectionFailure(cluster.command(["BLPOP", keyB(), 0]), "disconnected", "unknown")
    assert.ok(error instanceof ConnectionError)
    assert.equal(await cluster.command(["GET", keyB()]), "OK")
    assert.equal(fake.commands.filter(([name]) => name === "BLPOP").length, 1)
  })
})
