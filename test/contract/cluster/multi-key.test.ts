/** Commands over several slots: CROSSSLOT by default, and split where a call asks for it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { ConnectionError } from "@redix/client"
import { until } from "../../../support/wait.ts"
import { redisFailure, rejection, uniqueKey } from "../helpers.ts"
import {
  assertRefusedPlace,
  keyA,
  keyB,
  keyC,
  keyIn,
  moved,
  scripted,
  sharedClient,
  slotB,
  spelled,
} from "./setup.ts"

const { cluster } = await sharedClient({ replicasPerPrimary: 0 })

describe("MGET, MSET, DEL, UNLINK, EXISTS and TOUCH", () => {
  const spread = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => keyIn(Math.floor((index * 16_384) / count), uniqueKey()))

  test("over several slots are CROSSSLOT by default", async () => {
    const keys = spread(3)
    for (const command of [
      ["MGET", ...keys],
      ["mset", ...keys.flatMap((key) => [key, "1"])],
      ["DEL", ...keys],
      ["UNLINK", ...keys],
      ["EXISTS", ...keys],
      ["TOUCH", ...keys],
    ]) {
      await redisFailure(cluster.command(command), "CROSSSLOT")
      await redisFailure(cluster.command(command, { split: false }), "CROSSSLOT")
      const replies = await cluster.pipeline([["SET", keys[0] ?? "", "1"], command, ["GET", keys[0] ?? ""]])
      assert.equal(replies[0], "OK")
      assertRefusedPlace(replies[1], "CROSSSLOT")
      assert.equal(replies[2], "1")
    }
    // Two slots of one node are two slots.
    await redisFailure(cluster.command(["MGET", keyIn(1), keyIn(2)]), "CROSSSLOT")
  })

  test("over one slot are what they always were", async () => {
    const [one, two] = [keyIn(77, uniqueKey()), keyIn(77, uniqueKey())]
    for (const options of [{}, { split: true }]) {
      assert.equal(await cluster.command(["MSET", one, "1", two, "2"], options), "OK")
      assert.deepEqual(await cluster.command(["MGET", two, one, keyIn(77, "none")], options), [
        "2",
        "1",
        null,
      ])
      assert.equal(await cluster.command(["EXISTS", one, two, one], options), 3)
      assert.equal(await cluster.command(["DEL", one, two], options), 2)
    }
  })

  test("split: values of MGET stand in the order of the keys, repeated and missing ones included", async () => {
    const keys = spread(50)
    assert.equal(
      await cluster.command(["MSET", ...keys.flatMap((key, index) => [key, `${index}`])], { split: true }),
      "OK",
    )
    const asked = [...keys, keys[7] ?? "", keyIn(5, "none"), ...keys.slice().reverse()]
    const values = await cluster.command(["MGET", ...asked], { split: true })
    assert.deepEqual(
      values,
      asked.map((key) => (keys.includes(key) ? `${keys.indexOf(key)}` : null)),
    )
    assert.deepEqual(
      await cluster.command(["mget", keys[3] ?? "", keys[9] ?? ""], { split: true, encoding: "buffer" }),
      [Buffer.from("3"), Buffer.from("9")],
    )
  })

  test("split: counts are summed up", async () => {
    const keys = spread(20)
    await cluster.command(["MSET", ...keys.flatMap((key) => [key, "1"])], { split: true })
    assert.equal(await cluster.command(["EXISTS", ...keys, ...keys, keyIn(3, "none")], { split: true }), 40)
    assert.equal(await cluster.command(["touch", ...keys, keyIn(3, "none")], { split: true }), 20)
    assert.equal(await cluster.command(["DEL", ...keys.slice(0, 10), keyIn(3, "none")], { split: true }), 10)
    assert.equal(await cluster.command(["UNLINK", ...keys], { split: true }), 10)
    assert.equal(await cluster.command(["EXISTS", ...keys], { split: true }), 0)
  })

  test("split: in a pipeline each in its place", async () => {
    const keys = spread(4)
    const replies = await cluster.pipeline(
      [
        ["SET", keys[0] ?? "", "0"],
        ["MSET", ...keys.flatMap((key) => [key, "1"])],
        ["INCR", keys[3] ?? ""],
        ["MGET", ...keys],
        ["DEL", ...keys],
        ["GET", keys[0] ?? ""],
      ] as string[][],
      { split: true },
    )
    assert.deepEqual(replies, ["OK", "OK", 2, ["1", "1", "1", "2"], 4, null])
  })

  test("split does not make other commands out of those that need their keys together", async () => {
    for (const command of [
      ["SINTER", keyA(), keyB()],
      ["RENAME", keyA(), keyB()],
      ["MSETNX", keyA(), "1", keyB(), "2"],
    ]) {
      await redisFailure(cluster.command(command, { split: true }), "CROSSSLOT")
    }
    assert.equal(await cluster.command(["EXISTS", keyA()]), 0)
  })

  test("an error of one part is the error of the whole", async () => {
    const keys = spread(3)
    // Without a value for the last key.
    const result = await cluster.safe.command(["MSET", ...keys.flatMap((key) => [key, "1"]), keyIn(9)], {
      split: true,
    })
    assert.ok(!result.ok)
  })
})

describe("the parts of a split command", () => {
  test("go to their nodes, a slot each, and redirections of one are followed alone", async (t) => {
    const { cluster, a, b, c } = await scripted(t)
    const reply =
      (value: string) =>
      ([name]: string[]) =>
        name === "MGET" ? `*1\r\n+${value}\r\n` : undefined
    a.script = reply("a")
    b.script = ([name]) => (name === "MGET" ? moved(slotB, c) : undefined)
    c.script = reply("c")
    assert.deepEqual(await cluster.command(["MGET", keyC(), keyA(), keyB()], { split: true }), [
      "c",
      "a",
      "c",
    ])
    assert.deepEqual(spelled(a.commands), [`MGET ${keyA()}`])
    assert.deepEqual(spelled(b.commands), [`MGET ${keyB()}`])
    assert.deepEqual(spelled(c.commands).sort(), [`MGET ${keyB()}`, `MGET ${keyC()}`].sort())
  })

  test("are sent without replies as well", async (t) => {
    const { cluster, a, b } = await scripted(t)
    await cluster.noreplyCommand(["DEL", keyA(), keyB()], { split: true })
    await cluster.noreplyPipeline([["UNLINK", keyA(), keyB()]], { split: true })
    assert.deepEqual(spelled(a.commands), [`DEL ${keyA()}`, `UNLINK ${keyA()}`])
    assert.deepEqual(spelled(b.commands), [`DEL ${keyB()}`, `UNLINK ${keyB()}`])
  })

  test("fail together where one fails, and none is sent again", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    a.script = ([name]) => (name === "DEL" ? ":1\r\n" : undefined)
    b.script = ([name], _, connection) => {
      if (name === "DEL") connection.reset()
      return undefined
    }
    const error = await rejection(cluster.command(["DEL", keyA(), keyB()], { split: true }))
    assert.ok(error instanceof ConnectionError)
    assert.equal(error.reason, "disconnected")
    assert.equal(error.outcome, "unknown")
    await until(() => cluster.safe.command(["GET", keyB()]).then(({ ok }) => ok))
    assert.equal(fake.commands.filter(([name]) => name === "DEL").length, 2)
  })
})
