/** Random replies, cut at random points, in random modes, and with random damage. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { cutAt, eachByte, Reader, verdictOn, wire } from "./reading.ts"
import { encodeTree, expectedValue, push3, type Tree, tree2, tree3 } from "./reply-trees.ts"

const replies2 = fc.array(tree2, { minLength: 1, maxLength: 5 })
const replies3 = fc.array(fc.oneof({ weight: 5, arbitrary: tree3 }, { weight: 1, arbitrary: push3 }), {
  minLength: 1,
  maxLength: 5,
})
/** Where to cut, as parts of the whole. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12, size: "max" })
/** Whose read is next. */
const turns = fc.array(fc.constantFrom(0 as const, 1 as const), { maxLength: 40, size: "max" })
const modes = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 })

function encodeTrees(trees: readonly Tree[]): Buffer {
  return Buffer.concat(trees.map(encodeTree))
}

function pieces(bytes: Uint8Array, parts: readonly number[]): Uint8Array[] {
  return cutAt(
    bytes,
    parts.map((part) => Math.floor(part * bytes.length)),
  )
}

function values(trees: readonly Tree[], asBytes: readonly boolean[]): unknown[] {
  return trees.map((tree, index) => expectedValue(tree, asBytes[index] ?? false))
}

describe("random replies", () => {
  for (const [protocol, replies] of [
    [2, replies2],
    [3, replies3],
  ] as const) {
    it(`are what was encoded, wherever they are cut, in RESP${protocol}`, () => {
      fc.assert(
        fc.property(replies, cuts, modes, (trees, parts, asBytes) => {
          const reader = new Reader(protocol === 3, (index) => asBytes[index] === true)
          for (const piece of pieces(encodeTrees(trees), parts)) reader.read(piece)
          assert.deepEqual(reader.values, values(trees, asBytes))
          assert.equal(reader.parser.hasPartial, false)
        }),
        { numRuns: 300 },
      )
    })
  }

  it("are parsed as RESP3 the same as they are as RESP2", () => {
    fc.assert(
      fc.property(replies2, modes, (trees, asBytes) => {
        const reader = new Reader(true, (index) => asBytes[index] === true).read(encodeTrees(trees))
        assert.deepEqual(reader.values, values(trees, asBytes))
      }),
      { numRuns: 50 },
    )
  })

  it("tell whether they are push messages", () => {
    fc.assert(
      fc.property(replies3, cuts, (trees, parts) => {
        const reader = new Reader(true)
        for (const piece of pieces(encodeTrees(trees), parts)) reader.read(piece)
        assert.deepEqual(
          reader.reads.map(({ isPush }) => isPush),
          trees.map((tree) => tree.type === "list" && tree.prefix === ">"),
        )
      }),
      { numRuns: 50 },
    )
  })

  it("do not mix with those of another connection, however the reads take turns", () => {
    fc.assert(
      fc.property(replies3, replies3, cuts, cuts, turns, (mine, yours, myCuts, yourCuts, order) => {
        const readers = [new Reader(true), new Reader(true)] as const
        const left = [pieces(encodeTrees(mine), myCuts), pieces(encodeTrees(yours), yourCuts)] as const
        for (const side of order) {
          const piece = left[side].shift()
          if (piece !== undefined) readers[side].read(piece)
        }
        for (const piece of left[0]) readers[0].read(piece)
        for (const piece of left[1]) readers[1].read(piece)
        assert.deepEqual(readers[0].values, values(mine, []))
        assert.deepEqual(readers[1].values, values(yours, []))
      }),
      { numRuns: 100 },
    )
  })
})

describe("damaged replies", () => {
  /** One of everything. */
  const sample = wire(
    "+OK\r\n-ERR no\r\n:-12\r\n:9223372036854775807\r\n$5\r\nhello\r\n$0\r\n\r\n$-1\r\n*-1\r\n" +
      "*2\r\n$1\r\na\r\n*0\r\n_\r\n#t\r\n,1.5e2\r\n,inf\r\n(123\r\n=7\r\ntxt:abc\r\n!3\r\nERR\r\n" +
      "%1\r\n+k\r\n~1\r\n:1\r\n|1\r\n+a\r\n:1\r\n>2\r\n+m\r\n$1\r\nx\r\n",
  )

  function damaged(index: number, flip: number): Buffer {
    const bytes = wire(sample)
    bytes[index] = (bytes[index] ?? 0) ^ flip
    return bytes
  }

  for (const [name, resp3] of [
    ["RESP2", false],
    ["RESP3", true],
  ] as const) {
    it(`give values or a protocol error, whatever a byte is replaced with, in ${name}`, () => {
      for (let index = 0; index < sample.length; index++) {
        for (let flip = 0; flip < 256; flip++) verdictOn([damaged(index, flip)], resp3)
      }
    })
  }

  it("are judged byte by byte as they are in one piece", () => {
    for (let index = 0; index < sample.length; index++) {
      for (const flip of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const bytes = damaged(index, flip)
        const whole = verdictOn([bytes], true)
        const cut = verdictOn(eachByte(bytes), true)
        assert.deepEqual(cut.values, whole.values, bytes.toString("latin1"))
        assert.equal(cut.error === undefined, whole.error === undefined)
      }
    }
  })

  it("give values or a protocol error, and the same ones however they are cut", () => {
    const damage = fc.record({ at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) })
    fc.assert(
      fc.property(replies3, damage, modes, cuts, (trees, { at, flip }, asBytes, parts) => {
        const bytes = encodeTrees(trees)
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ flip
        const mode = (reply: number): boolean => asBytes[reply] === true
        const whole = verdictOn([bytes], true, mode)
        const cut = verdictOn(pieces(bytes, parts), true, mode)
        assert.deepEqual(cut.values, whole.values)
        assert.equal(cut.error === undefined, whole.error === undefined)
      }),
      { numRuns: 500 },
    )
  })
})
