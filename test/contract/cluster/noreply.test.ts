/** Section 8 of the contract: `noreply…` in a cluster reads the replies and follows redirections, so that no write is lost. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { error } from "../../../support/fake-server.ts"
import { connectionFailure, misuse, uniqueKey } from "../helpers.ts"
import {
  answering,
  ask,
  first,
  keyA,
  keyB,
  keyC,
  keyIn,
  moved,
  scripted,
  sharedClient,
  slotA,
  slotB,
  spelled,
} from "./setup.ts"

const { real, cluster } = await sharedClient({ replicasPerPrimary: 0 })

describe("noreply in a cluster", () => {
  test("uses no CLIENT REPLY, and resolves to nothing", async (t) => {
    const { fake, cluster, a, b, c } = await scripted(t)
    assert.equal(await cluster.noreplyCommand(["SET", keyA(), "1"]), undefined)
    assert.equal(
      await cluster.noreplyPipeline([
        ["SET", keyB(), "2"],
        ["SET", keyC(), "3"],
        ["SET", keyB(), "4"],
      ]),
      undefined,
    )
    assert.deepEqual(spelled(a.commands), [`SET ${keyA()} 1`])
    assert.deepEqual(spelled(b.commands), [`SET ${keyB()} 2`, `SET ${keyB()} 4`])
    assert.deepEqual(spelled(c.commands), [`SET ${keyC()} 3`])
    assert.ok(!fake.nodes.some(({ received }) => received.some(([name]) => name === "CLIENT")))
  })

  test("follows MOVED and ASK", async (t) => {
    const { cluster, a, b, c } = await scripted(t)
    a.script = first("SET", moved(slotA, b))
    await cluster.noreplyCommand(["SET", keyA(), "1"])
    assert.deepEqual(spelled(b.commands), [`SET ${keyA()} 1`])
    b.script = first("INCR", ask(slotB, c))
    await cluster.noreplyPipeline([
      ["INCR", keyB("n")],
      ["SET", keyC(), "2"],
    ])
    assert.deepEqual(
      spelled(c.commands).filter((command) => !command.startsWith("SET")),
      ["ASKING", `INCR ${keyB("n")}`],
    )
  })

  test("errors are nobody's, as nobody is told of them elsewhere", async (t) => {
    const { cluster, a } = await scripted(t)
    a.script = answering({ SET: error("OOM command not allowed") })
    assert.equal(await cluster.noreplyCommand(["SET", keyA(), "1"]), undefined)
    assert.equal(
      await cluster.noreplyPipeline([
        ["SET", keyA(), "1"],
        ["SET", keyB(), "1"],
      ]),
      undefined,
    )
  })

  test("rejects where the connection fails it", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name], _, connection) => {
      if (name === "SET") connection.reset()
      return undefined
    }
    await connectionFailure(cluster.noreplyCommand(["SET", keyA(), "1"]), "disconnected", "unknown")
    b.script = ([name]) => (name === "SET" ? "" : undefined)
    await connectionFailure(
      cluster.noreplyCommand(["SET", keyB(), "1"], { timeout: 150 }),
      "timeout",
      "unknown",
    )
  })

  test("refuses MULTI, EXEC, DISCARD and WATCH, and what every request refuses", async (t) => {
    const { fake, cluster } = await scripted(t)
    for (const command of [["MULTI"], ["exec"], [Buffer.from("DISCARD")], ["WATCH", keyA()]] as string[][]) {
      await misuse(() => cluster.noreplyCommand(command))
      await misuse(() => cluster.noreplyPipeline([["SET", keyA(), "1"], command]))
    }
    await misuse(() => cluster.noreplyPipeline([["MULTI"], ["SET", keyA(), "1"], ["EXEC"]]))
    await misuse(() => cluster.noreplyPipeline([]))
    await misuse(() => cluster.noreplyCommand(["SET", keyA(), null] as never))
    assert.deepEqual(fake.commands, [])
  })
})

describe("noreply while a slot moves", () => {
  test("no write is lost, none runs twice", async () => {
    const slot = 4000
    const keys = Array.from({ length: 100 }, () => keyIn(slot, uniqueKey()))
    const incrementAll = () => cluster.noreplyPipeline(keys.map((key): string[] => ["INCR", key]))
    await incrementAll()
    const migration = await real.startMigration(slot, await real.primaryOf(16_000))
    await migration.moveKeys(keys.slice(0, 50))
    await incrementAll()
    await migration.finish()
    await incrementAll()
    assert.deepEqual(
      await cluster.pipeline(keys.map((key): string[] => ["GET", key])),
      keys.map(() => "3"),
    )
  })
})
