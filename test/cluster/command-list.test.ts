/** A list gives the commands back as they were added, however long each of them is and was expected to be. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { CommandList } from "../../src/cluster/command-list.ts"

const command = fc.array(fc.oneof(fc.string(), fc.integer(), fc.bigInt(), fc.constant(undefined)), {
  minLength: 1,
  maxLength: 6,
})
const commands = fc.oneof(
  fc.array(command, { maxLength: 20 }),
  // Mostly of one length, as pipelines are.
  fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 20 }),
)

describe("CommandList", () => {
  it("is what a list of copies would be, whatever count and width were announced", () => {
    fc.assert(
      fc.property(commands, fc.nat({ max: 30 }), fc.nat({ max: 8 }), (all, count, width) => {
        const list = new CommandList(count, width)
        const copies: unknown[][] = []
        for (const each of all) {
          list.add(each)
          copies.push([...each])
          // It may be read at any time.
          const place = copies.length >> 1
          assert.deepEqual(list.at(place), copies[place])
        }
        assert.equal(list.length, copies.length)
        for (const [place, copy] of copies.entries()) assert.deepEqual(list.at(place), copy)
        for (const none of [-1, copies.length, copies.length + 1]) assert.equal(list.at(none), undefined)
      }),
    )
  })

  it("does not change with the arrays that were added, nor with those that it gives", () => {
    const list = new CommandList(2, 2)
    const [get, set] = [
      ["GET", "k"],
      ["SET", "k", "v"],
    ]
    list.add(get ?? [])
    list.add(set ?? [])
    get?.push("more")
    if (set !== undefined) set[1] = "other"
    const given = list.at(0)
    if (Array.isArray(given)) given[1] = "other"
    assert.deepEqual(list.at(0), ["GET", "k"])
    assert.deepEqual(list.at(1), ["SET", "k", "v"])
  })

  it("knows lengths from the first command on that is of another one", () => {
    const list = new CommandList(4, 2)
    const all = [["GET", "1"], ["GET", "2"], ["PING"], ["SET", "3", "v", "EX", 1], ["GET", "4"]]
    for (const each of all) list.add(each)
    assert.deepEqual(
      all.map((_, place) => list.at(place)),
      all,
    )
  })
})
