/** Section 8 of the contract: pipelines over many nodes, what stands in the place of what failed, and `safe`. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type ConnectionError, RedisError, RedixError, unwrap } from "@redix/client"
import { error } from "../../../support/fake-server.ts"
import { until } from "../../../support/wait.ts"
import { assertConnectionError, connectionFailure, misuse, nextDisconnection, uniqueKey } from "../helpers.ts"
import {
  assertFailedPlace,
  assertRefusedPlace,
  connected,
  fakeNodes,
  keyA,
  keyB,
  keyC,
  keyIn,
  scripted,
  sharedClient,
  spelled,
} from "./setup.ts"

const { cluster } = await sharedClient({ replicasPerPrimary: 0 })

describe("pipelines over real nodes", () => {
  test("answer in order, over all slots", async () => {
    const keys = Array.from({ length: 2000 }, (_, index) =>
      keyIn(Math.floor((index * 16_384) / 2000), uniqueKey()),
    )
    const set = await cluster.pipeline(keys.map((key, index): string[] => ["SET", key, `${index}`]))
    assert.ok(set.every((reply) => reply === "OK"))
    const mixed = await cluster.pipeline(
      keys.flatMap((key): string[][] => [
        ["GET", key],
        ["INCR", key],
      ]),
    )
    assert.deepEqual(
      mixed,
      keys.flatMap((_, index) => [`${index}`, index + 1]),
    )
  })

  test("hold error replies in their places", async () => {
    const [text, list] = [uniqueKey("text"), uniqueKey("list")]
    const replies = await cluster.pipeline([
      ["SET", text, "x"],
      ["INCR", text],
      ["RPUSH", list, "1"],
      ["GET", list],
      ["NOSUCHCOMMAND", text],
      ["GET", text],
    ] as string[][])
    assert.equal(replies[0], "OK")
    assertRefusedPlace(replies[1], "ERR")
    assert.equal(replies[2], 1)
    assertRefusedPlace(replies[3], "WRONGTYPE")
    assertRefusedPlace(replies[4], "ERR")
    assert.equal(replies[5], "x")
  })

  test("of one slot and of commands without keys", async () => {
    const key = uniqueKey()
    assert.deepEqual(await cluster.pipeline([["PING"], ["SET", key, "1"], ["ECHO", "x"], ["INCR", key]]), [
      "PONG",
      "OK",
      "x",
      2,
    ])
    assert.deepEqual(await cluster.pipeline([["PING"]]), ["PONG"])
  })

  test("give bytes where asked for, and typed replies that may be errors", async () => {
    const keys = [uniqueKey(), uniqueKey()] as const
    const replies = await cluster.pipeline([
      ["SET", keys[0], "1"],
      ["INCR", keys[0]],
      ["GET", keys[1]],
    ])
    const [ok, count, none]: [
      "OK" | string | null | Buffer | RedisError | ConnectionError,
      number | RedisError | ConnectionError,
      string | null | RedisError | ConnectionError,
    ] = replies
    assert.deepEqual([ok, count, none], ["OK", 2, null])
    const [, sum] = unwrap(replies)
    assert.equal(sum + 1, 3)
    assert.deepEqual(await cluster.pipeline([["GET", keys[0]], ["PING"]], { encoding: "buffer" }), [
      Buffer.from("2"),
      Buffer.from("PONG"),
    ])
  })

  test("safe gives the same as values, and never rejects", async () => {
    const [one, two] = [uniqueKey(), uniqueKey()]
    const { safe } = cluster
    assert.deepEqual(await safe.command(["SET", one, "1"]), { ok: true, value: "OK" })
    assert.deepEqual(
      await safe.pipeline([
        ["INCR", one],
        ["INCR", two],
      ]),
      { ok: true, value: [2, 1] },
    )
    assert.deepEqual(await safe.transactionPipeline([["INCR", one]]), { ok: true, value: [3] })
    assert.deepEqual(await safe.noreplyCommand(["INCR", one]), { ok: true, value: undefined })
    assert.deepEqual(
      await safe.noreplyPipeline([
        ["INCR", one],
        ["INCR", two],
      ]),
      { ok: true, value: undefined },
    )
    const refused = await safe.command(["LPUSH", one, "x"])
    assert.ok(!refused.ok && refused.error instanceof RedisError && refused.error.code === "WRONGTYPE")
    const crossed = await safe.transactionPipeline([
      ["INCR", keyA()],
      ["INCR", keyB()],
    ])
    assert.ok(!crossed.ok && crossed.error instanceof RedisError && crossed.error.code === "CROSSSLOT")
    const misused = await safe.command(["GET", null] as never)
    assert.ok(!misused.ok && misused.error instanceof TypeError)
    const aborted = await safe.command(["GET", one], { signal: AbortSignal.abort() })
    assert.ok(!aborted.ok && aborted.error.name === "AbortError")
  })
})

describe("how a pipeline is sent", () => {
  test("each command to its node only, in order, all nodes at the same time", async (t) => {
    const { cluster, a, b, c } = await scripted(t)
    // The first node is silent until the others have got their parts.
    a.script = ([name], _, connection) => {
      if (name !== "SET") return undefined
      void until(() => b.commands.length === 2 && c.commands.length === 2).then(() =>
        connection.write("+late\r\n"),
      )
      return ""
    }
    const commands = ["1", "2"].flatMap((value) =>
      [keyA(), keyB(), keyC()].map((key): string[] => ["SET", key, value]),
    )
    assert.deepEqual(await cluster.pipeline(commands), ["late", "OK", "OK", "late", "OK", "OK"])
    for (const [node, key] of [
      [a, keyA()],
      [b, keyB()],
      [c, keyC()],
    ] as const) {
      assert.deepEqual(spelled(node.commands), [`SET ${key} 1`, `SET ${key} 2`])
    }
  })

  test("what is sent is what the arguments were at the call", async (t) => {
    const { cluster, a, b } = await scripted(t)
    const commands: string[][] = [
      ["SET", keyA(), "1"],
      ["SET", keyB(), "2"],
    ]
    const replies = cluster.pipeline(commands)
    commands[0]![2] = "changed"
    commands.pop()
    assert.deepEqual(await replies, ["OK", "OK"])
    assert.deepEqual(spelled([...a.commands, ...b.commands]), [`SET ${keyA()} 1`, `SET ${keyB()} 2`])
  })

  test("with one command misused nothing is sent", async (t) => {
    const { fake, cluster } = await scripted(t)
    await misuse(
      () =>
        cluster.pipeline([
          ["SET", keyA(), "1"],
          ["SET", keyB(), {}],
        ] as never),
      /SET/,
    )
    await misuse(
      () =>
        cluster.pipeline([
          ["SET", keyA(), "1"],
          ["SUBSCRIBE", "x"],
        ]),
      /subscribe/i,
    )
    assert.deepEqual(fake.commands, [])
  })
})

describe("a pipeline of which nodes fail", () => {
  test("holds a ConnectionError with its own outcome in each failed place", async (t) => {
    const { cluster, a, b, c } = await scripted(t)
    // One is lost with the command, one is silent, one answers.
    a.script = ([name], _, connection) => {
      if (name === "SET") connection.reset()
      return undefined
    }
    b.script = ([name]) => (name === "SET" ? "" : undefined)
    const replies = await cluster.pipeline(
      [
        ["SET", keyB(), "1"],
        ["SET", keyA(), "1"],
        ["SET", keyC(), "1"],
        ["SET", keyA(), "2"],
      ],
      { timeout: 400 },
    )
    assertFailedPlace(replies[0], "timeout", "unknown")
    assertFailedPlace(replies[1], "disconnected", "unknown")
    assert.equal(replies[2], "OK")
    assertFailedPlace(replies[3], "disconnected", "unknown")
    assert.ok(replies.filter((reply) => reply instanceof RedixError).length === 3)
    assert.deepEqual(spelled(c.commands), [`SET ${keyC()} 1`])
    assert.throws(() => unwrap(replies), { reason: "timeout" })
  })

  test("says closed and not-sent of a node that is down, and serves the others", async (t) => {
    const { cluster, a } = await scripted(t, { backoffInitial: 600_000, backoffMax: 600_000 })
    const lost = nextDisconnection(cluster as never)
    await a.server.stop()
    await lost
    await until(async () => {
      const [first, second] = await cluster.pipeline([
        ["SET", keyA(), "1"],
        ["SET", keyB(), "1"],
      ])
      assert.equal(second, "OK")
      // The first attempt may be under way.
      assertConnectionError(first, "closed", "not-sent")
      return true
    })
    await connectionFailure(cluster.command(["SET", keyA(), "1"]), "closed", "not-sent")
  })

  test("an error reply is a reply", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name], _, connection) => {
      if (name === "SET") connection.reset()
      return undefined
    }
    b.script = ([name]) => (name === "SET" ? error("OOM command not allowed") : undefined)
    const replies = await cluster.pipeline([
      ["SET", keyA(), "1"],
      ["SET", keyB(), "1"],
    ])
    assertFailedPlace(replies[0], "disconnected", "unknown")
    assertRefusedPlace(replies[1], "OOM")
  })

  test("rejects where nothing got a reply and all failed alike", async (t) => {
    const { fake, cluster } = await scripted(t)
    fake.script = ([name], _, connection) => {
      if (name === "SET") connection.reset()
      return undefined
    }
    await connectionFailure(
      cluster.pipeline([
        ["SET", keyA(), "1"],
        ["SET", keyB(), "1"],
        ["SET", keyC(), "1"],
      ]),
      "disconnected",
      "unknown",
    )
  })

  test("rejects where its only node fails", async (t) => {
    const { cluster, a } = await scripted(t)
    a.script = ([name], _, connection) => {
      if (name === "SET") connection.reset()
      return undefined
    }
    await connectionFailure(
      cluster.pipeline([
        ["SET", keyA(), "1"],
        ["SET", keyA(), "2"],
      ]),
      "disconnected",
      "unknown",
    )
  })

  test("rejects where all nodes are silent, within its timeout", async (t) => {
    const { fake, cluster } = await scripted(t)
    fake.script = ([name]) => (name === "SET" ? "" : undefined)
    await connectionFailure(
      cluster.pipeline(
        [
          ["SET", keyA(), "1"],
          ["SET", keyB(), "1"],
        ],
        { timeout: 200 },
      ),
      "timeout",
      "unknown",
    )
  })

  test("does not reject where nothing got a reply, but for different reasons", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name], _, connection) => {
      if (name === "SET") connection.reset()
      return undefined
    }
    b.script = ([name]) => (name === "SET" ? "" : undefined)
    const replies = await cluster.pipeline(
      [
        ["SET", keyA(), "1"],
        ["SET", keyB(), "1"],
      ],
      { timeout: 300 },
    )
    assertFailedPlace(replies[0], "disconnected", "unknown")
    assertFailedPlace(replies[1], "timeout", "unknown")
  })

  test("nothing of it is sent again", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    let lost = 0
    a.script = ([name], _, connection) => {
      if (name !== "INCR") return undefined
      lost += 1
      connection.reset()
      return ""
    }
    const replies = await cluster.pipeline([
      ["INCR", keyA()],
      ["INCR", keyB()],
    ])
    assertFailedPlace(replies[0], "disconnected", "unknown")
    await until(() => cluster.safe.command(["GET", keyA()]).then(({ ok }) => ok))
    assert.equal(lost, 1)
    assert.equal(fake.commands.filter(([name]) => name === "INCR").length, 2)
  })

  test("an aborted one rejects with the reason of the signal, also where some have answered", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name]) => (name === "SET" ? "" : undefined)
    const controller = new AbortController()
    const reason = new Error("enough")
    const replies = cluster.pipeline(
      [
        ["SET", keyA(), "1"],
        ["SET", keyB(), "1"],
      ],
      { signal: controller.signal },
    )
    const rejected = assert.rejects(replies, (thrown) => thrown === reason)
    await until(() => a.commands.length === 1 && b.commands.length === 1)
    controller.abort(reason)
    await rejected
    // Aborted before it was sent: never sent.
    const early = new AbortController()
    const never = cluster.command(["SET", keyB(), "2"], { signal: early.signal })
    const refused = assert.rejects(never, { name: "AbortError" })
    early.abort()
    await refused
    await cluster.command(["GET", keyB()])
    assert.deepEqual(spelled(b.commands), [`SET ${keyB()} 1`, `GET ${keyB()}`])
  })
})

describe("requests beyond maxInFlight", () => {
  test("reject as overloaded", async (t) => {
    const fake = await fakeNodes(t)
    const cluster = await connected(t, fake, { maxInFlight: 3 })
    await cluster.command(["GET", keyA()])
    fake.script = ([name]) => (name === "SET" ? "" : undefined)
    const waiting = Array.from({ length: 3 }, () => cluster.safe.command(["SET", keyA(), "1"]))
    await connectionFailure(cluster.command(["SET", keyA(), "1"]), "overloaded", "not-sent")
    cluster.destroy()
    await Promise.all(waiting)
  })
})
