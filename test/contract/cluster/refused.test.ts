/** Sections 1 and 7 of the contract: commands that a cluster refuses, since they would change a connection that many share. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { desynchronising } from "../conformance/bed.ts"
import { misuse, redisFailure } from "../helpers.ts"
import { keyA, keyB, keyC, scripted, spelled } from "./setup.ts"

/** With what the message has to name instead. */
const stateful: readonly (readonly [readonly string[], RegExp])[] = [
  [["MULTI"], /transactionPipeline|watch|checkout/],
  [["EXEC"], /transactionPipeline|watch|checkout/],
  [["DISCARD"], /transactionPipeline|watch|checkout/],
  [["WATCH", keyA()], /watch\b|checkout/],
  [["UNWATCH"], /watch\b|checkout/],
  [["SELECT", "1"], /transactionPipeline|watch|checkout/],
  [["AUTH", "secret"], /transactionPipeline|watch|checkout|password/],
  [["QUIT"], /transactionPipeline|watch|checkout|close/],
  [["CLIENT", "TRACKING", "ON"], /transactionPipeline|watch|checkout/],
  [["ASKING"], /transactionPipeline|watch|checkout|follow|redirect/],
  [["READONLY"], /transactionPipeline|watch|checkout|readFromReplicas|route/],
  [["READWRITE"], /transactionPipeline|watch|checkout|readFromReplicas|route/],
]

function spellings(command: readonly string[]): (string | Buffer)[][] {
  const [name = "", ...rest] = command
  return [
    [...command],
    command.map((word) => word.toLowerCase()),
    [Buffer.from(name.toLowerCase()), ...rest],
    command.map((word) => Buffer.from(word)),
  ]
}

describe("commands that a cluster refuses", () => {
  for (const [command, alternative] of [
    ...stateful,
    ...desynchronising.map((each) => [each, /\w/] as const),
  ]) {
    test(`${command.join(" ")}, in any letter case and as bytes, by every method; nothing is sent`, async (t) => {
      const { fake, cluster } = await scripted(t)
      for (const spelling of spellings(command) as string[][]) {
        const error = await misuse(
          () => cluster.command(spelling),
          new RegExp(command[0] ?? "", "i"),
          alternative,
        )
        assert.ok(!error.message.includes("secret"))
        await misuse(() => cluster.pipeline([["SET", keyA(), "1"], spelling]))
        await misuse(() => cluster.transactionPipeline([["SET", keyA(), "1"], spelling]))
        await misuse(() => cluster.noreplyCommand(spelling))
        await misuse(() => cluster.noreplyPipeline([spelling, ["SET", keyA(), "1"]]))
        const result = await cluster.safe.command(spelling)
        assert.ok(!result.ok && result.error instanceof TypeError)
      }
      assert.deepEqual(fake.commands, [])
      assert.equal(cluster.status, "connected")
    })
  }

  test("other commands of CLIENT are welcome", async (t) => {
    const { cluster } = await scripted(t)
    for (const command of [["CLIENT", "ID"], ["client", "list"], ["CLIENT", "GETNAME"], ["PING"]]) {
      assert.ok(await cluster.command(command))
    }
  })
})

describe("a pipeline that holds a whole MULTI … EXEC", () => {
  const transaction = [["MULTI"], ["SET", keyA(), "1"], ["INCR", keyA("2")], ["EXEC"]]

  test("is allowed on one slot, and stays together among other commands", async (t) => {
    const { cluster, a, b } = await scripted(t)
    assert.deepEqual(await cluster.pipeline(transaction), ["OK", "QUEUED", "QUEUED", ["OK", "OK"]])
    assert.deepEqual(spelled(a.commands), spelled(transaction))
    const traffic = Array.from({ length: 20 }, () => cluster.command(["GET", keyA()]))
    const replies = await cluster.pipeline([
      ["GET", keyB()],
      ...transaction,
      ["GET", keyC()],
      ["GET", keyA()],
    ])
    assert.deepEqual(replies, ["OK", "OK", "QUEUED", "QUEUED", ["OK", "OK"], "OK", "OK"])
    await Promise.all(traffic)
    const words = spelled(a.commands.slice(transaction.length))
    const begin = words.indexOf("MULTI")
    assert.deepEqual(words.slice(begin, begin + 4), spelled(transaction))
    assert.deepEqual(spelled(b.commands), [`GET ${keyB()}`])
  })

  test("but not one of MULTI … DISCARD, which would do nothing", async (t) => {
    const { cluster, fake } = await scripted(t)
    const commands = [["multi"], ["SET", keyA(), "1"], [Buffer.from("discard")]] as string[][]
    await misuse(() => cluster.pipeline(commands), /DISCARD/)
    assert.equal(fake.commands.length, 0)
  })

  test("half of one is refused", async (t) => {
    const { fake, cluster } = await scripted(t)
    for (const commands of [
      [["MULTI"], ["SET", keyA(), "1"]],
      [["SET", keyA(), "1"], ["EXEC"]],
      [["EXEC"], ["MULTI"]],
      [["MULTI"], ["MULTI"], ["EXEC"]],
      [["MULTI"], ["SET", keyA(), "1"], ["EXEC"], ["EXEC"]],
      [["MULTI"], ["SET", keyA(), "1"], ["EXEC"], ["MULTI"]],
    ]) {
      await misuse(() => cluster.pipeline(commands), /transactionPipeline|watch|checkout/)
    }
    assert.deepEqual(fake.commands, [])
  })

  test("over several slots never runs in part", async (t) => {
    const { fake, cluster } = await scripted(t)
    const commands = [["MULTI"], ["SET", keyA(), "1"], ["SET", keyB(), "1"], ["EXEC"]]
    const result = await cluster.safe.pipeline(commands)
    // A refusal, as an error of the whole or in the places of the transaction.
    if (result.ok) assert.ok(result.value.some((value) => value instanceof Error))
    assert.ok(!fake.commands.some(([name]) => name === "EXEC"))
    await redisFailure(cluster.transactionPipeline(commands.slice(1, 3)), "CROSSSLOT")
  })
})
