/** What bytes that may not be UTF-8 become as text: what Node.js makes of them, wherever they are cut. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { cutAt, Reader, valuesOf, wire } from "./reading.ts"

const samples: readonly (readonly [what: string, hex: string])[] = [
  ["two bytes", "c3a9"],
  ["three bytes", "e282ac"],
  ["four bytes, a surrogate pair", "f09f9880"],
  ["a byte order mark", "efbbbf61"],
  ["a byte order mark inside", "61efbbbf62"],
  ["the highest code point", "f48fbfbf"],
  ["above the highest code point", "f4908080"],
  ["a lone continuation byte", "80"],
  ["a lone lead byte", "c3"],
  ["a lead byte and ASCII", "c361"],
  ["a sequence of three that is cut", "e282"],
  ["a sequence of four that is cut", "f09f98"],
  ["an overlong slash", "c0af"],
  ["an overlong NUL", "e08080"],
  ["a surrogate as UTF-8", "eda080"],
  ["a surrogate pair as CESU-8", "eda0bdedb880"],
  ["bytes that never occur", "fefff8ff"],
  ["NUL", "00"],
  ["a Latin-1 letter", "e9"],
  ["UTF-16 with its mark", "fffe6100"],
]

function bulkOf(bytes: Uint8Array): Buffer {
  return Buffer.concat([wire(`$${bytes.length}\r\n`), bytes, wire("\r\n")])
}

/** Lengths around which the way of decoding changes: with the window (256), and with the string (512, 32 KiB). */
const paddings = [0, 240, 255, 256, 508, 511, 512, 600, 32_768, 70_000]

describe("text", () => {
  for (const [what, hex] of samples) {
    it(`is what Node.js makes of it, short and long: ${what}`, () => {
      const bytes = Buffer.from(hex, "hex")
      for (const length of paddings) {
        const ascii = Buffer.alloc(length, "a")
        const accents = Buffer.from("é".repeat(length / 2))
        for (const whole of [
          Buffer.concat([ascii, bytes]),
          Buffer.concat([bytes, ascii]),
          Buffer.concat([accents, bytes]),
          Buffer.concat([bytes, accents]),
        ]) {
          assert.deepEqual(valuesOf(bulkOf(whole), false), [whole.toString()], `padded by ${length}`)
        }
      }
    })

    it(`is the same as a simple string, an error and a verbatim string: ${what}`, () => {
      const bytes = Buffer.from(hex, "hex")
      const line = (prefix: string): Buffer => Buffer.concat([wire(prefix), bytes, wire("\r\n")])
      assert.deepEqual(valuesOf(line("+"), false), [bytes.toString()])
      assert.deepEqual(valuesOf(line(`=${bytes.length + 4}\r\ntxt:`), true), [bytes.toString()])
      const [error] = valuesOf(line("-ERR "), false)
      assert.equal(error instanceof Error && error.message, `ERR ${bytes.toString()}`)
    })
  }

  it("keeps a byte order mark, which is a character like any other", () => {
    assert.deepEqual(valuesOf(bulkOf(Buffer.from("\ufeffa")), false), ["\ufeffa"])
    const long = `\ufeff${"é".repeat(1000)}`
    assert.deepEqual(valuesOf(bulkOf(Buffer.from(long)), false), [long])
  })

  it("keeps characters whole wherever they are cut", () => {
    for (const text of ["aé€😀", "😀".repeat(200)]) {
      const bytes = bulkOf(Buffer.from(text))
      for (let cut = 0; cut <= bytes.length; cut++) {
        const reader = new Reader(false)
        for (const piece of cutAt(bytes, [cut])) reader.read(piece)
        assert.deepEqual(reader.values, [text], `cut at ${cut}`)
      }
    }
  })

  it("is ASCII or not for each read anew", () => {
    const ascii = "a".repeat(300)
    const accents = "é".repeat(300)
    const all = [ascii, accents, "short", "é", ascii]
    assert.deepEqual(valuesOf(Buffer.concat(all.map((text) => bulkOf(Buffer.from(text)))), false), all)
    const reader = new Reader(false)
    for (const text of all) {
      const bytes = bulkOf(Buffer.from(text))
      reader.read(bytes.subarray(0, bytes.length - 3))
      reader.read(bytes.subarray(bytes.length - 3))
    }
    assert.deepEqual(reader.values, all)
  })

  it("is what Node.js makes of any bytes", () => {
    const chunk = fc.oneof(
      fc.constantFrom(...samples.map(([, hex]) => Buffer.from(hex, "hex"))),
      fc.uint8Array({ maxLength: 6 }),
      fc.integer({ min: 0, max: 300 }).map((length) => Buffer.alloc(length, "a")),
      fc.integer({ min: 0, max: 300 }).map((length) => Buffer.from("ü".repeat(length))),
    )
    const cut = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 8 }), cut, (chunks, part) => {
        const bytes = Buffer.concat(chunks)
        const whole = bulkOf(bytes)
        const reader = new Reader(false)
        for (const piece of cutAt(whole, [Math.floor(part * whole.length)])) reader.read(piece)
        assert.deepEqual(reader.values, [bytes.toString()])
      }),
      { numRuns: 300 },
    )
  })
})
