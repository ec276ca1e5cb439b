import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { type Block, blocksOf } from "../../src/cluster/blocks.ts"
import { ANY_NODE } from "../../src/cluster/routing.ts"
import { withBlocks } from "../../src/cluster/split.ts"

/** A pipeline as its pieces: commands of a slot, and transactions, which are lists of them. */
const slot = fc.oneof(fc.constant(ANY_NODE), fc.nat({ max: 3 }))
const piece = fc.oneof(slot, fc.array(slot, { maxLength: 4 }))
const pieces = fc.array(piece, { maxLength: 12 })
const spelling = fc.constantFrom<readonly [string | Buffer, string | Buffer]>(
  ["MULTI", "EXEC"],
  ["multi", "Exec"],
  [Buffer.from("MULTI"), Buffer.from("exec")],
)

interface Laid {
  readonly commands: (string | Buffer)[][]
  readonly slots: number[]
  readonly blocks: Block[]
}

function lay(parts: readonly (number | number[])[], [begin, end]: readonly (string | Buffer)[]): Laid {
  const laid: Laid = { commands: [], slots: [], blocks: [] }
  const add = (command: (string | Buffer)[], at: number): void => {
    laid.commands.push(command)
    laid.slots.push(at)
  }
  for (const part of parts) {
    if (typeof part === "number") {
      add(["GET", "k"], part)
      continue
    }
    const first = laid.commands.length
    add([begin ?? ""], ANY_NODE)
    for (const at of part) add(["SET", "k", "v"], at)
    add([end ?? ""], ANY_NODE)
    laid.blocks.push({ first, last: laid.commands.length - 1 })
  }
  return laid
}

describe("blocksOf", () => {
  it("finds each MULTI with its EXEC, in any spelling, and nothing else", () => {
    fc.assert(
      fc.property(pieces, spelling, (parts, names) => {
        const { commands, blocks } = lay(parts, names)
        assert.deepEqual(blocksOf(commands), blocks)
      }),
    )
  })

  it("does not go by arguments", () => {
    assert.deepEqual(
      blocksOf([
        ["SET", "MULTI", "EXEC"],
        ["ECHO", "EXEC"],
      ]),
      [],
    )
  })
})

describe("withBlocks", () => {
  it("gives all of a block the slot of its keys, leaves the rest alone, and knows a block of several slots", () => {
    fc.assert(
      fc.property(pieces, spelling, (parts, names) => {
        const { slots, blocks } = lay(parts, names)
        const given = [...slots]
        const expected = parts.flatMap((part) => {
          if (typeof part === "number") return [part]
          const at = part.find((each) => each !== ANY_NODE) ?? ANY_NODE
          return new Array<number>(part.length + 2).fill(at)
        })
        const isImpossible = parts.some(
          (part) => typeof part !== "number" && new Set(part.filter((each) => each !== ANY_NODE)).size > 1,
        )
        assert.deepEqual(withBlocks(slots, blocks), isImpossible ? undefined : expected)
        assert.deepEqual(slots, given)
      }),
    )
  })
})
