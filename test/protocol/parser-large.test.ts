/** Bulk strings that do not fit into one read: whatever their size, place and cuts, and whatever comes after them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { RedisError } from "../../src/errors.ts"
import { INCOMPLETE } from "../../src/protocol/parser.ts"
import { cutAt, Reader, wire } from "./reading.ts"

const KIB = 1024
const MIB = 1024 * KIB
const sizes = [32 * KIB - 1, 32 * KIB, 32 * KIB + 1, 64 * KIB, MIB, MIB + 1, 5 * MIB]

/** Bytes that repeat with a period that no block size is a multiple of. */
const contents: readonly (readonly [name: string, pattern: string])[] = [
  ["ASCII", "0123456789abc"],
  ["text", "aé€😀-"],
  ["bytes", "\0\u00ff\r\n$5"],
]

function bulk(bytes: Uint8Array, prefix = "$", format = ""): Buffer {
  return Buffer.concat([wire(`${prefix}${bytes.length + format.length}\r\n${format}`), bytes, wire("\r\n")])
}

/** Fails without printing megabytes. */
function assertSame(actual: unknown, expected: string | Buffer, message: string): void {
  const isSame =
    typeof expected === "string" ? actual === expected : Buffer.isBuffer(actual) && expected.equals(actual)
  assert.ok(isSame, message)
}

/** Where to cut a reply: around its header, its first bytes, a block, its middle, and its end, CR and LF included. */
function cutsOf(length: number): number[] {
  const near = [1, 2, 8, 9, 10, 11, 32_767, 32_768, 65_535, 65_536, 65_537, length >> 1, MIB, MIB + 8]
  return [...near, ...[1, 2, 3, 4, 10].map((back) => length - back)].filter((cut) => cut > 0 && cut < length)
}

for (const size of sizes) {
  describe(`a bulk string of ${size} bytes`, () => {
    for (const [name, pattern] of contents) {
      for (const asBytes of [false, true]) {
        it(`is whole wherever it is cut: ${name} as ${asBytes ? "bytes" : "text"}`, () => {
          const content = Buffer.alloc(size, pattern)
          const whole = Buffer.concat([bulk(content), wire("+next\r\n")])
          const value = asBytes ? content : content.toString()
          const replyLength = whole.length - 7
          for (const cut of size > MIB ? cutsOf(replyLength).slice(-7) : cutsOf(replyLength)) {
            const reader = new Reader(false, (index) => asBytes && index === 0)
            for (const piece of cutAt(whole, [cut])) reader.read(piece)
            assertSame(reader.values[0], value, `cut at ${cut}`)
            assert.deepEqual(reader.values.slice(1), ["next"])
          }
        })
      }
    }

    it("waits for its CR and its LF", () => {
      const reader = new Reader(false).read(wire(`$${size}\r\n`)).read(Buffer.alloc(size, "x"))
      for (const byte of ["\r", "\n"]) {
        assert.equal(reader.reads.length, 0)
        assert.equal(reader.parser.hasPartial, true)
        assert.equal(reader.parser.next(false), INCOMPLETE)
        reader.read(wire(byte))
      }
      assert.equal(reader.reads.length, 1)
      assert.equal(reader.parser.hasPartial, false)
    })
  })
}

describe("large bulk strings", () => {
  const [one, other] = [Buffer.alloc(100_000, "1é"), Buffer.alloc(1_500_000, "2€")]

  for (const step of [65_536, 10_007, 1_000_000]) {
    it(`follow each other in reads of ${step} bytes, as text and as bytes`, () => {
      const replies = [one, other, one, other, one, one]
      const whole = Buffer.concat(replies.map((bytes) => bulk(bytes)))
      for (const isBytes of [() => false, () => true, (index: number) => index % 2 === 0]) {
        const reader = new Reader(false, isBytes)
        for (let at = 0; at < whole.length; at += step) reader.read(whole.subarray(at, at + step))
        assert.equal(reader.reads.length, replies.length)
        for (const [index, bytes] of replies.entries()) {
          assertSame(reader.values[index], isBytes(index) ? bytes : bytes.toString(), `reply ${index}`)
        }
      }
    })
  }

  it("leave those alone that were handed out before", () => {
    const reader = new Reader(false, () => true).read(bulk(one)).read(bulk(Buffer.alloc(100_000, "x")))
    const [first] = reader.values
    reader.read(bulk(Buffer.alloc(100_000, "y")))
    assertSame(first, one, "the first")
  })

  it("of two connections do not mix", () => {
    const readers = [new Reader(false), new Reader(false), new Reader(false, () => true)]
    const contents = ["a", "b", "c"].map((letter) => Buffer.alloc(200_000, letter))
    const wires = contents.map((content) => bulk(content))
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 200_100; at += 9_999) {
        readers.forEach((reader, index) => {
          reader.read((wires[index] ?? wire("")).subarray(at, at + 9_999))
        })
      }
    }
    readers.forEach((reader, index) => {
      assert.equal(reader.reads.length, 3)
      const content = contents[index] ?? wire("")
      for (const value of reader.values)
        assertSame(value, index === 2 ? content : content.toString(), `${index}`)
    })
  })

  it("may be elements of an array, as may large ones after small ones", () => {
    const whole = Buffer.concat([
      wire("*4\r\n:1\r\n"),
      bulk(one),
      wire("$1\r\na\r\n"),
      bulk(other),
      wire("+end\r\n"),
    ])
    for (const cut of [5, 40_000, 100_021, 100_022, 100_023, 700_000, whole.length - 7]) {
      for (const asBytes of [false, true]) {
        const reader = new Reader(false, (index) => asBytes && index === 0)
        for (const piece of cutAt(whole, [cut])) reader.read(piece)
        const [value, end] = reader.values
        assert.ok(Array.isArray(value))
        assert.deepEqual([value[0], String(value[2]), value.length, end], [1, "a", 4, "end"])
        assertSame(value[1], asBytes ? one : one.toString(), `the first, cut at ${cut}`)
        assertSame(value[3], asBytes ? other : other.toString(), `the second, cut at ${cut}`)
      }
    }
  })

  it("may be the key and the value of a map; the key is text in either mode", () => {
    const whole = Buffer.concat([wire("%1\r\n"), bulk(one), bulk(other)])
    for (const asBytes of [false, true]) {
      for (const cut of [5, 50_000, 100_014, 100_015, 800_000]) {
        const reader = new Reader(true, () => asBytes)
        for (const piece of cutAt(whole, [cut])) reader.read(piece)
        const [map] = reader.values
        assert.ok(map instanceof Map)
        const [[key, value] = []] = [...map]
        assertSame(key, one.toString(), "the key")
        assertSame(value, asBytes ? other : other.toString(), "the value")
      }
    }
  })

  it("may be verbatim strings and errors", () => {
    for (const asBytes of [false, true]) {
      const reader = new Reader(true, () => asBytes)
      for (const piece of cutAt(
        Buffer.concat([bulk(one, "=", "txt:"), bulk(one, "!")]),
        [50, 99_000, 150_000],
      )) {
        reader.read(piece)
      }
      const [text, error] = reader.values
      assertSame(text, asBytes ? one : one.toString(), "the verbatim string")
      assert.ok(error instanceof RedisError)
      assertSame(error.message, one.toString(), "the error")
    }
  })

  it("need not be bulk strings: a simple string may be as long as several blocks", () => {
    const content = "x".repeat(300_000)
    const reader = new Reader(false)
    const whole = wire(`+${content}\r\n:1\r\n`)
    for (let at = 0; at < whole.length; at += 1000) reader.read(whole.subarray(at, at + 1000))
    assertSame(reader.values[0], content, "the line")
    assert.deepEqual(reader.values.slice(1), [1])
  })

  it("are read straight to where they stay", () => {
    const reader = new Reader(false, () => true).read(wire("$50000\r\nab"))
    const target = reader.parser.target()
    assert.equal(target.length, 49_998)
    reader.read(Buffer.alloc(49_998, "c")).read(wire("\r\n"))
    const [value] = reader.values
    assert.ok(Buffer.isBuffer(value))
    assert.equal(value.buffer, target.buffer)
  })
})
