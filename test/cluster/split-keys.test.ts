/** What is split replies as if it had not been: held against a small Redis that knows the six commands. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { slotOf } from "../../src/cluster/slots.ts"
import { isSplittable, splitKeys } from "../../src/cluster/split-keys.ts"
import { ConnectionError, RedisError } from "../../src/errors.ts"

type Command = readonly string[]

/** Few keys, of which some share a slot, so that they meet again. */
const key = fc.constantFrom("a", "b", "c", "d{a}", "{b}e", "f")
const keys = fc.array(key, { minLength: 1, maxLength: 8 })
const overKeys = fc
  .tuple(fc.constantFrom("MGET", "mget", "DEL", "UNLINK", "EXISTS", "Touch"), keys)
  .map(([name, own]) => [name, ...own])
const mset = fc
  .array(fc.tuple(key, fc.string()), { minLength: 1, maxLength: 6 })
  .map((pairs) => ["MSET", ...pairs.flat()])
const command: fc.Arbitrary<Command> = fc.oneof(
  overKeys,
  mset,
  key.map((own) => ["GET", own]),
)

class Model {
  readonly #values = new Map<string, string>()

  run([name = "", ...args]: Command): unknown {
    switch (name.toUpperCase()) {
      case "GET":
        return this.#values.get(args[0] ?? "") ?? null
      case "MGET":
        return args.map((each) => this.#values.get(each) ?? null)
      case "MSET":
        for (let index = 0; index < args.length; index += 2)
          this.#values.set(args[index] ?? "", args[index + 1] ?? "")
        return "OK"
      case "EXISTS":
      case "TOUCH":
        return args.filter((each) => this.#values.has(each)).length
      default:
        return args.filter((each) => this.#values.delete(each)).length
    }
  }
}

/** What a node that has one slot would let pass. */
function keysOf([name, ...args]: readonly unknown[]): unknown[] {
  return name === "MSET" ? args.filter((_, index) => index % 2 === 0) : args
}

describe("splitKeys", () => {
  it("makes commands of one slot each, whose replies put together are those of the whole", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 8 }), (commands) => {
        const [whole, parted] = [new Model(), new Model()]
        const { all, merge } = splitKeys(commands)
        for (const part of all) assert.equal(new Set(keysOf(part).map(slotOf)).size, 1, String(part))
        const replies = all.map((part) => parted.run(part.map(String)))
        assert.deepEqual(
          merge(replies),
          commands.map((each) => whole.run(each)),
        )
      }),
    )
  })

  it("makes as few commands as there are slots, in the order of their first keys", () => {
    const { all } = splitKeys([["MGET", "f", "a", "{f}1", "d{a}", "f"]])
    assert.deepEqual(all, [
      ["MGET", "f", "{f}1", "f"],
      ["MGET", "a", "d{a}"],
    ])
  })

  it("keeps keys as they were given, bytes and numbers too", () => {
    const bytes = Buffer.from([0, 255])
    const { all, merge } = splitKeys([["MGET", bytes, 7, "a"]])
    assert.deepEqual(
      all.flatMap((part) => part.slice(1)),
      [bytes, 7, "a"],
    )
    assert.deepEqual(merge(["x", "y", "z"].map((value) => [value])), [["x", "y", "z"]])
  })

  const split = () =>
    splitKeys([
      ["MSET", "a", 1, "b", 2, "c", 3],
      ["GET", "a"],
    ])

  it("gives the first error of the parts", () => {
    const { all, merge } = split()
    assert.equal(all.length, 4)
    const error = new RedisError("OOM x")
    assert.deepEqual(merge(["OK", error, new RedisError("OOM y"), "1"]), [error, "1"])
  })

  it("gives a connection's error the outcome of all parts together", () => {
    const error = new ConnectionError("closed", "x")
    const [ofSome] = split().merge(["OK", error, error, "1"])
    assert.ok(ofSome instanceof ConnectionError)
    assert.equal(ofSome.reason, "closed")
    assert.equal(ofSome.outcome, "unknown")
    assert.deepEqual(split().merge([error, error, error, "1"]), [error, "1"])
  })

  it("leaves what cannot be split as it is, in its place", () => {
    const commands = [["MSET", "a", 1, "b"], ["MGET"], ["SINTER", "a", "b"], ["PING"]]
    const { all, merge } = splitKeys(commands)
    assert.deepEqual(all, commands)
    assert.deepEqual(merge([1, 2, 3, 4]), [1, 2, 3, 4])
  })
})

describe("isSplittable", () => {
  it("is true of six commands in any spelling, if their form is right", () => {
    for (const good of [
      ["MGET", "a"],
      ["mset", "a", 1],
      ["Del", "a", "b"],
      [Buffer.from("TOUCH"), "a"],
    ])
      assert.equal(isSplittable(good), true)
    for (const bad of [
      ["MGET"],
      ["MSET", "a"],
      ["MSETNX", "a", 1],
      ["PFCOUNT", "a", "b"],
      [],
      "MGET",
      null,
      [null, "a"],
    ])
      assert.equal(isSplittable(bad), false)
  })
})
