/** Section 8 of the contract, `transactionPipeline`: one slot, run whole, and run whole again where the slot is elsewhere. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisError } from "@redix/client"
import { array, error, integer } from "../../../support/fake-server.ts"
import { until } from "../../../support/wait.ts"
import { atLeast, connectionFailure, misuse, redisFailure, uniqueKey } from "../helpers.ts"
import {
  answering,
  ask,
  assertRefusedPlace,
  first,
  keyA,
  keyB,
  keyIn,
  moved,
  type NodeScript,
  scripted,
  sharedClient,
  slotA,
  spelled,
  tryAgain,
} from "./setup.ts"

const { real, cluster } = await sharedClient({ replicasPerPrimary: 0 }, { maxRedirections: 50 })

describe("transactionPipeline with real nodes", () => {
  test("runs all commands of one slot, wherever that is", async () => {
    for (const slot of [1, 8000, 16_000]) {
      const [one, two] = [keyIn(slot, uniqueKey()), keyIn(slot, uniqueKey())]
      const replies = await cluster.transactionPipeline([
        ["SET", one, "1"],
        ["INCR", one],
        ["PING"],
        ["GET", two],
      ])
      assert.deepEqual(replies, ["OK", 2, "PONG", null])
    }
  })

  test("has errors of EXEC in their places, and rejects with EXECABORT where a command was not queued", async () => {
    const key = uniqueKey()
    const replies = await cluster.transactionPipeline([
      ["SET", key, "text"],
      ["INCR", key],
      ["GET", key],
    ])
    assert.ok(replies)
    assertRefusedPlace(replies[1], "ERR")
    assert.deepEqual([replies[0], replies[2]], ["OK", "text"])
    const aborted = await redisFailure(
      cluster.transactionPipeline([["SET", key, "changed"], ["NOSUCHCOMMAND"]]),
      "EXECABORT",
    )
    assert.ok(aborted.cause instanceof RedisError && /unknown command/.test(aborted.cause.message))
    assert.equal(await cluster.command(["GET", key]), "text")
  })

  test("follows keys that have moved ahead of their slot, and waits where they are on both sides", async () => {
    const slot = 3000
    const [one, two] = [keyIn(slot, uniqueKey()), keyIn(slot, uniqueKey())]
    await cluster.pipeline([
      ["SET", one, "1"],
      ["SET", two, "2"],
    ])
    const migration = await real.startMigration(slot, await real.primaryOf(16_000))
    await migration.moveKeys()
    assert.deepEqual(
      await cluster.transactionPipeline([
        ["INCR", one],
        ["INCR", two],
      ]),
      [2, 3],
    )
    await migration.abort()

    const again = await real.startMigration(slot, await real.primaryOf(16_000))
    await again.moveKeys([one])
    // Both keys in one command: TRYAGAIN until the second one is there as well.
    const waiting = cluster.transactionPipeline([
      ["MGET", one, two],
      ["INCR", one],
      ["INCR", two],
    ])
    const settled = waiting.catch(() => undefined)
    await atLeast(20)
    await again.finish()
    await settled
    assert.deepEqual(await waiting, [["2", "3"], 3, 4])
    assert.deepEqual(
      await cluster.pipeline([
        ["GET", one],
        ["GET", two],
      ]),
      ["3", "4"],
    )
  })
})

describe("transactionPipeline", () => {
  test("over several slots, or without a key, is CROSSSLOT, and sent nowhere", async (t) => {
    const { fake, cluster } = await scripted(t)
    for (const commands of [
      [
        ["SET", keyA(), "1"],
        ["SET", keyB(), "1"],
      ],
      [
        ["SET", keyA(), "1"],
        ["MGET", keyA(), keyB()],
      ],
      [["PING"]],
      [["PING"], ["EVAL", "return 1", "0"]],
    ]) {
      const error = await redisFailure(cluster.transactionPipeline(commands), "CROSSSLOT")
      assert.ok(error instanceof RedisError)
    }
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    assert.deepEqual(fake.commands, [["SET", keyA(), "1"]])
  })

  test("goes to the primary: another route is a TypeError", async (t) => {
    const { fake, cluster } = await scripted(t, { readFromReplicas: true })
    for (const route of ["replica", "prefer-replica"] as const) {
      await misuse(() => cluster.transactionPipeline([["GET", keyA()]], { route }), /route/)
    }
    assert.deepEqual(fake.commands, [])
    assert.deepEqual(await cluster.transactionPipeline([["GET", keyA()]], { route: "primary" }), ["OK"])
  })

  test("refuses MULTI, EXEC and the like inside, and what is no pipeline", async (t) => {
    const { fake, cluster } = await scripted(t)
    for (const command of [["MULTI"], ["EXEC"], ["DISCARD"], ["WATCH", keyA()], ["UNWATCH"]]) {
      await misuse(() => cluster.transactionPipeline([["SET", keyA(), "1"], command]))
    }
    await misuse(() => cluster.transactionPipeline([]))
    assert.deepEqual(fake.commands, [])
  })
})

describe("a transaction whose slot is elsewhere", () => {
  const commands = [
    ["SET", keyA(), "1"],
    ["INCR", keyA("n")],
  ]
  const whole = ["MULTI", ...spelled(commands), "EXEC"]

  /** As real nodes do it: what cannot be queued spoils the transaction. */
  const refusing =
    (reply: string, count = Number.POSITIVE_INFINITY): NodeScript =>
    ([name]) => {
      if (name === "SET" && count > 0) return reply
      if (name !== "EXEC" || count <= 0) return undefined
      count -= 1
      return error("EXECABORT Transaction discarded because of previous errors.")
    }

  test("MOVED in a queueing reply: it runs there, whole, and the next one goes there at once", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    fake.script = ([name]) => (name === "CLUSTER" ? "" : undefined)
    a.script = refusing(moved(slotA, b))
    b.script = answering({ EXEC: array("+OK\r\n", integer(7)) })
    assert.deepEqual(await cluster.transactionPipeline(commands), ["OK", 7])
    assert.deepEqual(spelled(b.commands), whole)
    assert.deepEqual(await cluster.transactionPipeline(commands), ["OK", 7])
    assert.equal(a.commands.length, 4)
    assert.equal(b.commands.length, 8)
  })

  test("ASK in a queueing reply: it runs there, whole, after one ASKING", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = refusing(ask(slotA, b))
    assert.deepEqual(await cluster.transactionPipeline(commands), ["OK", "OK"])
    assert.deepEqual(spelled(b.commands), ["ASKING", ...whole])
  })

  test("TRYAGAIN in a queueing reply: it runs again, whole, where it was, a little later", async (t) => {
    const { cluster, a } = await scripted(t)
    a.script = refusing(tryAgain, 2)
    assert.deepEqual(await cluster.transactionPipeline(commands), ["OK", "OK"])
    assert.deepEqual(spelled(a.commands), [...whole, ...whole, ...whole])
    assert.ok((a.times[4] ?? 0) - (a.times[3] ?? 0) > 18)
  })

  for (const [name, reply, expected] of [
    ["MOVED", moved, whole],
    ["ASK", ask, ["ASKING", ...whole]],
  ] as const) {
    test(`${name} as the reply of EXEC: it runs there, whole`, async (t) => {
      const { cluster, a, b } = await scripted(t)
      a.script = first("EXEC", reply(slotA, b))
      assert.deepEqual(await cluster.transactionPipeline(commands), ["OK", "OK"])
      assert.deepEqual(spelled(b.commands), expected)
    })
  }

  test("TRYAGAIN as the reply of EXEC: it runs again, whole", async (t) => {
    const { cluster, a } = await scripted(t)
    let refused = false
    a.script = ([name]) => {
      if (name !== "EXEC" || refused) return undefined
      refused = true
      return tryAgain
    }
    // The scripted node still has it queued, and a real one has not.
    const replies = await cluster.transactionPipeline(commands)
    assert.equal(replies?.length, 2)
    assert.deepEqual(spelled(a.commands), [...whole, ...whole])
  })

  test("errors inside EXEC's array are replies, whatever their code", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    a.script = answering({ EXEC: array(moved(slotA, b), tryAgain) })
    const replies = await cluster.transactionPipeline(commands)
    assert.ok(replies)
    assertRefusedPlace(replies[0], "MOVED")
    assertRefusedPlace(replies[1], "TRYAGAIN")
    assert.deepEqual(spelled(fake.commands), whole)
  })

  test("other refusals are not followed", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    a.script = refusing(error("CLUSTERDOWN Hash slot not served"), 1)
    const aborted = await redisFailure(cluster.transactionPipeline(commands), "EXECABORT")
    assert.ok(aborted.cause instanceof RedisError)
    assert.equal(aborted.cause.code, "CLUSTERDOWN")
    assert.deepEqual(spelled(fake.commands), whole)
    a.script = answering({ EXEC: error("EXECABORT of its own") })
    await redisFailure(cluster.transactionPipeline(commands), "EXECABORT")
    a.script = answering({ EXEC: error("OOM command not allowed") })
    await redisFailure(cluster.transactionPipeline(commands), "OOM")
  })

  test("a loop ends", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    a.script = refusing(moved(slotA, b))
    b.script = refusing(moved(slotA, a))
    await connectionFailure(cluster.transactionPipeline(commands), "too-many-redirections")
    assert.equal(fake.commands.filter(([name]) => name === "EXEC").length, 6)
  })

  test("one that is lost with its node is not run again", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    a.script = ([name], _, connection) => {
      if (name === "EXEC") connection.reset()
      return undefined
    }
    await connectionFailure(cluster.transactionPipeline(commands), "disconnected", "unknown")
    a.script = undefined
    await until(() => cluster.safe.command(["GET", keyA()]).then(({ ok }) => ok))
    assert.equal(fake.commands.filter(([name]) => name === "EXEC").length, 1)
  })

  test("the deadline holds, and an abort", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = refusing(moved(slotA, b))
    b.script = ([name]) => (name === "EXEC" ? "" : undefined)
    await connectionFailure(cluster.transactionPipeline(commands, { timeout: 200 }), "timeout", "unknown")
    // Whoever owes a reply may not answer what comes after it.
    b.reset()
    await until(async () => (await cluster.safe.command(["GET", keyB()])).ok)
    const controller = new AbortController()
    const rejected = assert.rejects(cluster.transactionPipeline(commands, { signal: controller.signal }), {
      name: "AbortError",
    })
    await until(() => spelled(b.commands).filter((command) => command === "EXEC").length === 2)
    controller.abort()
    await rejected
  })
})
