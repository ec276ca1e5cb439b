import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import {
  allocate,
  asBytes,
  BLOCK_SIZE,
  borrowBlock,
  borrowLarge,
  decodeText,
  MAX_BYTES_LENGTH,
  MAX_TEXT_LENGTH,
  returnBlock,
  returnLarge,
} from "../../src/util/bytes.ts"

describe("decodeText", () => {
  const unit = fc.constantFrom(
    "61",
    "c3a9",
    "e282ac",
    "f09f9880",
    "efbbbf",
    "80",
    "c3",
    "eda080",
    "00",
    "0d0a",
    "ff",
  )

  it("gives what Node.js makes of the same bytes, at any place and length", () => {
    const run = fc.tuple(unit, fc.integer({ min: 1, max: 300 })).map(([hex, times]) => hex.repeat(times))
    fc.assert(
      fc.property(
        fc.array(run, { maxLength: 6 }),
        fc.nat({ max: 5 }),
        fc.nat({ max: 5 }),
        (runs, before, after) => {
          const bytes = asBytes(
            Buffer.from(
              "x".repeat(before) +
                runs.map((hex) => Buffer.from(hex, "hex").toString("latin1")).join("") +
                "y".repeat(after),
              "latin1",
            ),
          )
          const end = bytes.length - after
          assert.equal(decodeText(bytes, before, end), bytes.toString("utf8", before, end))
        },
      ),
      { numRuns: 300 },
    )
  })

  it("gives what Node.js makes of any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700, size: "max" }), (array) => {
        const bytes = asBytes(Buffer.from(array))
        assert.equal(decodeText(bytes, 0, bytes.length), bytes.toString())
      }),
    )
  })

  it("gives back any text, a byte order mark and surrogate pairs included", () => {
    for (const text of ["", "a", "\ufeffa", "😀", "é€😀\0", "\u{10ffff}"]) {
      for (const times of [1, 171, 512, 5000]) {
        const bytes = asBytes(Buffer.from(text.repeat(times)))
        assert.equal(
          decodeText(bytes, 0, bytes.length) === text.repeat(times),
          true,
          `${times} times ${text}`,
        )
      }
    }
  })
})

describe("blocks", () => {
  it("are borrowed again after they were given back", () => {
    const block = borrowBlock()
    assert.equal(block.length, BLOCK_SIZE)
    returnBlock(block)
    assert.equal(borrowBlock(), block)
    assert.notEqual(borrowBlock(), block)
  })

  it("are kept in a small number only", () => {
    const blocks = Array.from({ length: 100 }, borrowBlock)
    assert.equal(new Set(blocks).size, 100)
    for (const block of blocks) returnBlock(block)
    const again = Array.from({ length: 100 }, borrowBlock)
    const known = again.filter((block) => blocks.includes(block)).length
    assert.ok(known > 0 && known <= 32, `${known} blocks were kept`)
  })
})

describe("memory for large texts", () => {
  it("is used again once it was given back, where it is large enough", () => {
    const memory = borrowLarge(1000)
    assert.ok(memory.length >= 1000)
    assert.notEqual(borrowLarge(1000), memory)
    returnLarge(memory)
    assert.notEqual(borrowLarge(memory.length + 1), memory)
    assert.equal(borrowLarge(10), memory)
    assert.notEqual(borrowLarge(10), memory)
  })
})

describe("memory", () => {
  it("is of its own, not a part of a common pool", () => {
    const bytes = allocate(10)
    assert.deepEqual([bytes.length, bytes.byteOffset, bytes.buffer.byteLength], [10, 0, 10])
  })

  it("has limits that are those of the engine", () => {
    assert.ok(MAX_TEXT_LENGTH >= 2 ** 28 && MAX_BYTES_LENGTH > MAX_TEXT_LENGTH)
  })

  it("has the methods that decoding is done with, or is refused", () => {
    const buffer = Buffer.from("ab")
    assert.equal(asBytes(buffer), buffer)
    const crippled = Object.create({}) as Buffer
    assert.throws(() => asBytes(crippled), /lacks the methods of Node.js's/)
  })
})
