/** Bytes that are not RESP, each of which must be told at once and in any pieces; and claims that cost nothing. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { ConnectionError } from "../../src/errors.ts"
import { MAX_DEPTH } from "../../src/protocol/parser.ts"
import { eachByte, Reader, verdictOn, wire } from "./reading.ts"

/** A literal that is wrong with its last byte at the latest, and what the error says. */
type Row = readonly [literal: string, message: RegExp]

const both: readonly Row[] = [
  ["x", /first byte of a reply, got "x" \(0x78\)/],
  ["\r", /first byte of a reply, got 0x0d/],
  ["\n", /first byte of a reply, got 0x0a/],
  ["\0", /first byte of a reply, got 0x00/],
  ["\xff", /first byte of a reply, got 0xff/],
  [" ", /first byte of a reply, got 0x20/],
  ["PING\r\n", /first byte of a reply, got "P"/],
  ["HTTP/1.1 400 Bad Request\r\n", /first byte of a reply, got "H"/],
  ["+OK\r\nx", /first byte of a reply, got "x"/],
  ["+OK\n\rx", /LF at the end of a line/],
  ["+a\rb", /LF at the end of a line, got "b"/],
  ["+a\r\r", /LF at the end of a line, got 0x0d/],
  ["-ERR\rx", /LF at the end of a line/],
  [":\r", /expected an integer, got 0x0d/],
  [":-\r", /expected an integer, got 0x0d/],
  [":+\r", /expected an integer, got 0x0d/],
  [":--", /expected an integer, got "-"/],
  [":-+", /expected an integer, got "\+"/],
  [":a", /expected an integer, got "a"/],
  [":1a", /expected an integer, got "a"/],
  [":1 ", /expected an integer, got 0x20/],
  [":1.", /expected an integer, got "\."/],
  [":1e", /expected an integer, got "e"/],
  [":1\n", /expected an integer, got 0x0a/],
  [":1\r1", /expected LF after an integer, got "1"/],
  [":123456789012345678901", /an integer of more than 20 digits/],
  [":-000000000000000000000", /an integer of more than 20 digits/],
  ["$\r", /expected a length, got 0x0d/],
  ["$a", /expected a length, got "a"/],
  ["$+", /expected a length, got "\+"/],
  ["$5a", /expected a length, got "a"/],
  ["$5 ", /expected a length, got 0x20/],
  ["$5\n", /expected a length, got 0x0a/],
  ["$5\r5", /expected LF after a length, got "5"/],
  ["$?", /expected a length, got "\?"/],
  ["$-2", /a negative length other than -1/],
  ["$-\r", /a negative length other than -1/],
  ["$-0", /a negative length other than -1/],
  ["$-10", /a negative length other than -1/],
  ["$-1\n", /a negative length other than -1/],
  ["$-1\rx", /a negative length other than -1/],
  ["$123456789012345678901", /a length of more than 20 digits/],
  ["$99999999999999999999\r\n", /a string of 1\d+ bytes/],
  ["$9007199254740992\r\n", /a string of 9007199254740992 bytes/],
  ["$3\r\nfooXX", /expected CRLF after a string, got "X"/],
  ["$3\r\nfoo\rX", /expected CRLF after a string/],
  ["$3\r\nfoo\n\r", /expected CRLF after a string, got 0x0a/],
  ["$3\r\nfoobar", /expected CRLF after a string, got "b"/],
  ["$0\r\nXX", /expected CRLF after a string, got "X"/],
  [`$40000\r\n${"x".repeat(40_002)}`, /expected CRLF after a string, got "x"/],
  ["*\r", /expected a length/],
  ["*a", /expected a length, got "a"/],
  ["*-2", /a negative length other than -1/],
  ["*1\r\r", /expected LF after a length/],
  ["*2\r\n:1\r\nx", /first byte of a reply, got "x"/],
  ["*1\r\n$3\r\nfooXX", /expected CRLF after a string/],
  ["*2147483649\r\n", /a container of 2147483649 elements/],
  ["*99999999999999999999\r\n", /a container of/],
]

/** Only RESP3 has these types. */
const resp3: readonly Row[] = [
  ["_x\r\n", /a null with content/],
  ["_\rx", /LF at the end of a line/],
  ["#\r\n", /a boolean other than t or f/],
  ["#T\r\n", /a boolean other than t or f/],
  ["#true\r\n", /a boolean other than t or f/],
  [",\r\n", /a double that is no number/],
  [",.\r\n", /a double that is no number/],
  [",-\r\n", /a double that is no number/],
  [",1,5\r\n", /a double that is no number/],
  [", 1\r\n", /a double that is no number/],
  [",0x10\r\n", /a double that is no number/],
  [",1e\r\n", /a double that is no number/],
  [",infinity\r\n", /a double that is no number/],
  ["(\r\n", /a big number with other than digits/],
  ["(-\r\n", /a big number with other than digits/],
  ["(1.5\r\n", /a big number with other than digits/],
  ["(0x1f\r\n", /a big number with other than digits/],
  [`(${"9".repeat(10_001)}\r\n`, /a big number of more than 10000 digits/],
  ["=3\r\ntxt\r\n", /a verbatim string without its format/],
  ["=0\r\n\r\n", /a verbatim string without its format/],
  ["=5\r\ntxtxx\r\n", /a verbatim string without its format/],
  ["=5\r\ntxt:aXX", /expected CRLF after a string/],
  ["=-1\r\n", /a null length where none is allowed/],
  ["!-1\r\n", /a null length where none is allowed/],
  ["!3\r\nERRXX", /expected CRLF after a string/],
  ["%-1\r\n", /a null length where none is allowed/],
  ["~-1\r\n", /a null length where none is allowed/],
  [">-1\r\n", /a null length where none is allowed/],
  ["|-1\r\n", /a null length where none is allowed/],
  ["%$-1\r\n", /expected a length, got "\$"/],
  [">x", /expected a length, got "x"/],
  ["%2147483649\r\n", /a container of 2147483649 elements/],
  ["|2147483649\r\n", /a container of 2147483649 elements/],
  ["*1\r\n>", /a push message inside of a reply/],
  ["%1\r\n+k\r\n>", /a push message inside of a reply/],
  ["|1\r\n>", /a push message inside of a reply/],
  [">1\r\n>", /a push message inside of a reply/],
  ["*?\r\n", /expected a length, got "\?"/],
  [".\r\n", /first byte of a reply, got "\."/],
  [";4\r\n", /first byte of a reply, got ";"/],
]

function assertRefused(pieces: readonly Uint8Array[], isResp3: boolean, message: RegExp): void {
  const { error } = verdictOn(pieces, isResp3)
  assert.ok(error instanceof ConnectionError, "a protocol error")
  assert.match(error.message, /^the server sent bytes that are not RESP: /)
  assert.match(error.message, message)
  assert.equal(error.outcome, "unknown")
}

describe("bytes that are not RESP", () => {
  for (const [literal, message] of [...both, ...resp3]) {
    const name = JSON.stringify(literal.length > 60 ? `${literal.slice(0, 60)}…` : literal)
    it(`are refused in one piece and byte by byte: ${name}`, () => {
      const bytes = wire(literal)
      const protocols = both.some((row) => row[0] === literal) ? [false, true] : [true]
      for (const isResp3 of protocols) {
        assertRefused([bytes], isResp3, message)
        assertRefused([wire(`:1\r\n${literal}`)], isResp3, message)
        assertRefused(eachByte(bytes), isResp3, message)
      }
    })
  }

  for (const type of "_#,(%~|>=!") {
    it(`are on a RESP2 connection what begins with ${type}`, () => {
      assertRefused([wire(type)], false, /first byte of a reply, got/)
      assertRefused([wire(`*1\r\n${type}`)], false, /first byte of a reply, got/)
    })
  }

  it("do not hide the replies before them", () => {
    const { values, error } = verdictOn([wire("+a\r\n:1\r\n?")], false)
    assert.deepEqual(values, ["a", 1])
    assert.equal(error?.reason, "protocol-error")
  })
})

describe("nesting", () => {
  /** How deep the value is nested, without recursion. */
  function depthOf(value: unknown): number {
    let depth = 0
    for (let inner = value; Array.isArray(inner); [inner] = inner) depth++
    return depth
  }

  it(`goes as deep as ${MAX_DEPTH}, for one reply after the other`, () => {
    const bytes = wire(`${"*1\r\n".repeat(MAX_DEPTH)}:1\r\n`.repeat(2))
    for (const size of [bytes.length, 4096, 7]) {
      const reader = new Reader(false)
      for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size))
      assert.deepEqual(reader.values.map(depthOf), [MAX_DEPTH, MAX_DEPTH])
    }
  })

  for (const header of ["*1\r\n", "~1\r\n", "|1\r\n", "%1\r\n"]) {
    it(`is refused deeper than that: ${JSON.stringify(header)}`, () => {
      assert.equal(verdictOn([wire(header.repeat(MAX_DEPTH))], true).error, undefined)
      assertRefused([wire(header.repeat(MAX_DEPTH + 1))], true, /nested deeper than/)
    })
  }

  it("does not count containers without elements, nor those that are complete", () => {
    const bytes = wire(`${"*1\r\n".repeat(MAX_DEPTH)}*0\r\n`)
    assert.equal(verdictOn([bytes], false).error, undefined)
    assert.equal(verdictOn([wire(`*50000\r\n${"*1\r\n:1\r\n".repeat(50_000)}`)], false).values.length, 1)
  })
})

describe("a length that is only claimed", () => {
  const MIB = 1 << 20

  /** How many bytes of memory are in use more than before, while what `make` returns is held. */
  function memoryFor(make: () => unknown): number {
    const inUse = (): number => {
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    const before = inUse()
    const held = make()
    const after = inUse()
    assert.ok(held !== undefined)
    return after - before
  }

  const rows: readonly (readonly [what: string, literal: string])[] = [
    ["a string", "$2147483647\r\n"],
    ["a string of which some bytes have come", `$2147483647\r\n${"x".repeat(100_000)}`],
    ["an array", "*2147483647\r\n"],
    ["an array of which some elements have come", `*2147483647\r\n${":1\r\n".repeat(1000)}`],
    ["an array that the engine would make room for", "*30000000\r\n"],
    ["arrays that the engine would make room for, 100 deep", "*30000000\r\n".repeat(100)],
    ["arrays within arrays, 100 deep", "*2147483647\r\n".repeat(100)],
    ["arrays within arrays, 10000 deep", "*2147483647\r\n".repeat(10_000)],
    ["an array of strings", "*2147483647\r\n$2147483647\r\n"],
    ["a map", "%2147483647\r\n".repeat(100)],
    ["a set", "~2147483647\r\n".repeat(100)],
    ["an attribute", "|2147483647\r\n".repeat(100)],
    ["a push message", ">2147483647\r\n*2147483647\r\n"],
    ["a verbatim string", "=2147483647\r\ntxt:"],
    ["an error", "!2147483647\r\n"],
  ]

  for (const [what, literal] of rows) {
    for (const asBytes of [false, true]) {
      it(`takes no memory for ${what}, as ${asBytes ? "bytes" : "text"}`, () => {
        const bytes = wire(literal)
        const used = memoryFor(() => new Reader(true, () => asBytes).read(bytes))
        assert.ok(used < 12 * MIB, `${(used / MIB).toFixed(1)} MiB`)
      })
    }
  }

  it("takes memory in proportion to the bytes that have come", () => {
    const chunk = Buffer.alloc(64_000, "x")
    const used = memoryFor(() => {
      const reader = new Reader(false, () => true).read(wire("$2147483647\r\n"))
      for (let sent = 0; sent < 5 * MIB; sent += chunk.length) reader.read(chunk)
      return reader
    })
    assert.ok(used < 40 * MIB, `${(used / MIB).toFixed(1)} MiB`)
  })
})
