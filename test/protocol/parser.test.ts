/** Every type of both protocols, at the top and nested, as text and as bytes, cut everywhere. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { RedisError } from "../../src/errors.ts"
import { INCOMPLETE, Parser } from "../../src/protocol/parser.ts"
import { BLOCK_SIZE } from "../../src/util/bytes.ts"
import { cutAt, eachByte, Reader, valuesOf, wire } from "./reading.ts"

/** Latin-1 literal, the value as text, and as bytes where that differs. */
type Row = readonly [literal: string, text: unknown, bytes?: unknown]

const b = (latin1: string): Buffer => Buffer.from(latin1, "latin1")
const e = (message: string): RedisError => new RedisError(message)

const resp2: readonly Row[] = [
  ["+OK\r\n", "OK", b("OK")],
  ["+\r\n", "", b("")],
  ["+PONG\r\n", "PONG", b("PONG")],
  ["+a\nb\tc\r\n", "a\nb\tc", b("a\nb\tc")],
  ["+h\xc3\xa9\r\n", "hé", b("h\xc3\xa9")],
  ["-ERR no such thing\r\n", e("ERR no such thing")],
  ["-WRONGTYPE\r\n", e("WRONGTYPE")],
  ["-\r\n", e("")],
  ["-ERR \xe2\x82\xac\r\n", e("ERR €")],
  [":0\r\n", 0],
  [":1\r\n", 1],
  [":-1\r\n", -1],
  [":+7\r\n", 7],
  [":-0\r\n", 0],
  [":007\r\n", 7],
  [":-0000000000000000\r\n", 0],
  [":00000000000000000009\r\n", 9],
  [":123456789012345\r\n", 123456789012345],
  [":1234567890123456\r\n", 1234567890123456],
  [":9007199254740991\r\n", 9007199254740991],
  [":-9007199254740991\r\n", -9007199254740991],
  [":9007199254740992\r\n", 9007199254740992n],
  [":-9007199254740992\r\n", -9007199254740992n],
  [":9007199254740993\r\n", 9007199254740993n],
  [":-9007199254740993\r\n", -9007199254740993n],
  [":9223372036854775807\r\n", 9223372036854775807n],
  [":-9223372036854775808\r\n", -9223372036854775808n],
  [":18446744073709551615\r\n", 18446744073709551615n],
  ["$5\r\nhello\r\n", "hello", b("hello")],
  ["$0\r\n\r\n", "", b("")],
  ["$0000000005\r\nhello\r\n", "hello", b("hello")],
  ["$2\r\n\r\n\r\n", "\r\n", b("\r\n")],
  ["$9\r\n$3\r\nfoo\r\n\r\n", "$3\r\nfoo\r\n", b("$3\r\nfoo\r\n")],
  ["$3\r\n\x00\xff\x80\r\n", "\0��", b("\x00\xff\x80")],
  ["$4\r\n\xf0\x9f\x98\x80\r\n", "😀", b("\xf0\x9f\x98\x80")],
  ["$-1\r\n", null],
  ["*-1\r\n", null],
  ["*0\r\n", []],
  ["*1\r\n*0\r\n", [[]]],
  ["*2\r\n$3\r\nfoo\r\n$3\r\nbar\r\n", ["foo", "bar"], [b("foo"), b("bar")]],
  ["*3\r\n$-1\r\n*-1\r\n:-5\r\n", [null, null, -5]],
  ["*2\r\n-ERR a\r\n*1\r\n-ERR b\r\n", [e("ERR a"), [e("ERR b")]]],
  ["*2\r\n*2\r\n:1\r\n*1\r\n+a\r\n$1\r\nb\r\n", [[1, ["a"]], "b"], [[1, [b("a")]], b("b")]],
  ["*1\r\n*1\r\n*1\r\n*1\r\n$-1\r\n", [[[[null]]]]],
]

const resp3: readonly Row[] = [
  ["_\r\n", null],
  ["#t\r\n", true],
  ["#f\r\n", false],
  [",0\r\n", 0],
  [",-0\r\n", -0],
  [",1\r\n", 1],
  [",3.25\r\n", 3.25],
  [",-1.5e-7\r\n", -1.5e-7],
  [",1E+3\r\n", 1000],
  [",.5\r\n", 0.5],
  [",10.\r\n", 10],
  [",5e-324\r\n", 5e-324],
  [",1.7976931348623157e+308\r\n", Number.MAX_VALUE],
  [",inf\r\n", Infinity],
  [",+inf\r\n", Infinity],
  [",-inf\r\n", -Infinity],
  [",nan\r\n", NaN],
  [",-nan\r\n", NaN],
  ["(0\r\n", 0n],
  ["(3492890328409238509324850943850943825024385\r\n", 3492890328409238509324850943850943825024385n],
  ["(-18446744073709551616\r\n", -18446744073709551616n],
  ["(+5\r\n", 5n],
  ["=15\r\ntxt:Some string\r\n", "Some string", b("Some string")],
  ["=4\r\nmkd:\r\n", "", b("")],
  ["=7\r\ntxt:\xe2\x82\xac\r\n", "€", b("\xe2\x82\xac")],
  ["=10\r\ntxt:\r\n\r\n\r\n\r\n", "\r\n\r\n\r\n", b("\r\n\r\n\r\n")],
  ["!21\r\nSYNTAX invalid\r\nsyntax\r\n".replace("21", "22"), e("SYNTAX invalid\r\nsyntax")],
  ["!0\r\n\r\n", e("")],
  ["%0\r\n", new Map()],
  ["%1\r\n+k\r\n:1\r\n", new Map([["k", 1]])],
  [
    "%2\r\n$1\r\na\r\n$1\r\nb\r\n:7\r\n_\r\n",
    new Map<unknown, unknown>([
      ["a", "b"],
      [7, null],
    ]),
    new Map<unknown, unknown>([
      ["a", b("b")],
      [7, null],
    ]),
  ],
  ["%2\r\n+k\r\n:1\r\n+k\r\n:2\r\n", new Map([["k", 2]])],
  ["%1\r\n$9\r\n__proto__\r\n$1\r\nx\r\n", new Map([["__proto__", "x"]]), new Map([["__proto__", b("x")]])],
  [
    "%1\r\n+outer\r\n%1\r\n=7\r\ntxt:key\r\n*1\r\n+v\r\n",
    new Map([["outer", new Map([["key", ["v"]]])]]),
    new Map([["outer", new Map([["key", [b("v")]]])]]),
  ],
  ["%1\r\n+k\r\n-ERR v\r\n", new Map([["k", e("ERR v")]])],
  ["~0\r\n", new Set(), []],
  ["~3\r\n+a\r\n:1\r\n+a\r\n", new Set(["a", 1]), [b("a"), 1, b("a")]],
  ["~1\r\n~1\r\n#t\r\n", new Set([new Set([true])]), [[true]]],
  [
    "*2\r\n%1\r\n+a\r\n~1\r\n,2\r\n_\r\n",
    [new Map([["a", new Set([2])]]), null],
    [new Map([["a", [2]]]), null],
  ],
  ["|1\r\n+ttl\r\n:9\r\n$1\r\nv\r\n", "v", b("v")],
  ["|0\r\n:1\r\n", 1],
  ["|1\r\n+a\r\n%1\r\n+b\r\n*2\r\n:1\r\n~1\r\n_\r\n:2\r\n", 2],
  ["|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n:3\r\n", 3],
  ["|1\r\n|1\r\n+x\r\n+y\r\n+a\r\n:1\r\n:4\r\n", 4],
  ["|1\r\n+a\r\n:1\r\n-ERR after\r\n", e("ERR after")],
  ["*3\r\n|1\r\n+a\r\n:1\r\n:1\r\n:2\r\n|1\r\n+a\r\n+b\r\n:3\r\n", [1, 2, 3]],
  ["%1\r\n|1\r\n+a\r\n:1\r\n+k\r\n|1\r\n+a\r\n:1\r\n+v\r\n", new Map([["k", "v"]]), new Map([["k", b("v")]])],
  ["~1\r\n|1\r\n+a\r\n:1\r\n:5\r\n", new Set([5]), [5]],
]

const rows3 = [...resp2, ...resp3]

function expected(rows: readonly Row[], asBytes: boolean): unknown[] {
  return rows.map(([, text, bytes]) => (asBytes && bytes !== undefined ? bytes : text))
}

function wireOf(rows: readonly Row[]): Buffer {
  return wire(rows.map(([literal]) => literal).join(""))
}

for (const asBytes of [false, true]) {
  describe(`a reply as ${asBytes ? "bytes" : "text"}`, () => {
    for (const row of rows3) {
      const [value] = expected([row], asBytes)
      it(`is parsed: ${JSON.stringify(row[0])}`, () => {
        const bytes = wire(row[0])
        assert.deepEqual(
          valuesOf(bytes, true, () => asBytes),
          [value],
        )
        if (resp2.includes(row))
          assert.deepEqual(
            valuesOf(bytes, false, () => asBytes),
            [value],
          )
      })
    }

    it("is the same wherever it is cut in two", () => {
      for (const [literal, text, bytes] of rows3) {
        const whole = wire(literal)
        for (let cut = 1; cut < whole.length; cut++) {
          const reader = new Reader(true, () => asBytes)
          reader.read(whole.subarray(0, cut))
          assert.deepEqual(reader.values, [], `${JSON.stringify(literal)} cut at ${cut}`)
          reader.read(whole.subarray(cut))
          assert.deepEqual(reader.values, [asBytes && bytes !== undefined ? bytes : text], literal)
        }
      }
    })

    for (const [name, rows, is3] of [
      ["RESP2", resp2, false],
      ["RESP3", rows3, true],
    ] as const) {
      it(`is the same among others wherever they are cut, in ${name}`, () => {
        const whole = wireOf(rows)
        const values = expected(rows, asBytes)
        for (let cut = 0; cut <= whole.length; cut++) {
          const reader = new Reader(is3, () => asBytes)
          for (const piece of cutAt(whole, [cut])) reader.read(piece)
          assert.deepEqual(reader.values, values, `cut at ${cut}`)
        }
      })

      it(`is the same in pieces of any size, in ${name}`, () => {
        const whole = wireOf(rows)
        for (let size = 1; size < 40; size++) {
          const reader = new Reader(is3, () => asBytes)
          for (let at = 0; at < whole.length; at += size) reader.read(whole.subarray(at, at + size))
          assert.deepEqual(reader.values, expected(rows, asBytes), `pieces of ${size}`)
        }
      })
    }

    it("is the same in the second half of a window as in the first", () => {
      const whole = wireOf(rows3)
      const filler = wire(`$${BLOCK_SIZE - 1000}\r\n${"x".repeat(BLOCK_SIZE - 1000)}\r\n`)
      const reader = new Reader(true, (index) => index > 0 && asBytes)
      reader.read(Buffer.concat([filler, whole]))
      assert.deepEqual(reader.values.slice(1), expected(rows3, asBytes))
    })
  })
}

describe("the mode of a reply", () => {
  it("is asked for each reply", () => {
    const bytes = wire("+a\r\n+b\r\n$1\r\nc\r\n*1\r\n+d\r\n")
    const values = valuesOf(bytes, false, (index) => index % 2 === 1)
    assert.deepEqual(values, ["a", b("b"), "c", [b("d")]])
  })

  for (const asBytes of [false, true]) {
    it(`stays ${asBytes ? "bytes" : "text"} until the reply is complete, whatever is asked meanwhile`, () => {
      const large = "x".repeat(40_000)
      const replies: readonly (readonly [literal: string, text: unknown, bytes: unknown])[] = [
        [
          "*3\r\n$3\r\nfoo\r\n*1\r\n+a\r\n~1\r\n+b\r\n",
          ["foo", ["a"], new Set(["b"])],
          [b("foo"), [b("a")], [b("b")]],
        ],
        [`$40000\r\n${large}\r\n`, large, b(large)],
      ]
      for (const [literal, text, bytes] of replies) {
        const parser = new Parser(true)
        const whole = wire(literal)
        const values: unknown[] = []
        const read = (chunk: Uint8Array, mode: boolean): void =>
          parser.push(
            chunk,
            () => mode,
            (value) => values.push(value),
          )
        read(whole.subarray(0, 8), asBytes)
        for (let at = 8; at < whole.length; at += 997) read(whole.subarray(at, at + 997), !asBytes)
        assert.deepEqual(values, [asBytes ? bytes : text])
      }
    })
  }
})

describe("what the parser says of a reply", () => {
  const sound = { isError: false, isPush: false, holdsErrors: false }
  const rows: readonly (readonly [literal: string, facts: object])[] = [
    ["+OK\r\n", sound],
    ["*1\r\n:1\r\n", sound],
    ["-ERR a\r\n", { ...sound, isError: true }],
    ["!5\r\nERR a\r\n", { ...sound, isError: true }],
    ["*1\r\n-ERR a\r\n", { ...sound, holdsErrors: true }],
    ["*1\r\n*1\r\n!5\r\nERR a\r\n", { ...sound, holdsErrors: true }],
    ["%1\r\n+a\r\n-ERR\r\n", { ...sound, holdsErrors: true }],
    [">1\r\n+a\r\n", { ...sound, isPush: true }],
    [">0\r\n", { ...sound, isPush: true }],
    ["|1\r\n+a\r\n:1\r\n-ERR\r\n", { ...sound, isError: true }],
  ]

  it("is about that reply only", () => {
    const all = [...rows, ...[...rows].reverse()]
    const reader = new Reader(true).read(wire(all.map(([literal]) => literal).join("")))
    assert.deepEqual(
      reader.reads.map(({ value: _, ...facts }) => facts),
      all.map(([, facts]) => facts),
    )
  })

  it("is not about an attribute, which is skipped", () => {
    const reader = new Reader(true).read(wire("|1\r\n+a\r\n-ERR a\r\n+OK\r\n"))
    assert.deepEqual(reader.reads, [{ value: "OK", ...sound }])
  })

  it("counts the bytes received", () => {
    const reader = new Reader(false)
    assert.equal(reader.parser.bytesReceived, 0)
    for (const piece of eachByte(wire("*2\r\n+a\r\n$3\r\nab"))) reader.read(piece)
    assert.equal(reader.parser.bytesReceived, 14)
    reader.read(wire(`c\r\n$100000\r\n${"x".repeat(100_000)}\r\n`))
    assert.equal(reader.parser.bytesReceived, 14 + 3 + 9 + 100_000 + 2)
  })

  it("names an error's code, and neither a command nor a stack", () => {
    const [error] = valuesOf(wire("-WRONGTYPE Operation against\r\n"), false)
    assert.ok(error instanceof RedisError)
    assert.equal(error.code, "WRONGTYPE")
    assert.equal(error.command, undefined)
    assert.doesNotMatch(String(error.stack), /\n\s+at /)
  })
})

describe("a push message", () => {
  it("is bytes whatever is asked, and leaves the mode of the replies around it alone", () => {
    const bytes = wire("+a\r\n>2\r\n+message\r\n~1\r\n$1\r\nx\r\n+b\r\n")
    const { reads } = new Reader(true).read(bytes)
    assert.deepEqual(
      reads.map(({ value, isPush }) => [value, isPush]),
      [
        ["a", false],
        [[b("message"), [b("x")]], true],
        ["b", false],
      ],
    )
  })

  it("keeps the keys of its maps as text", () => {
    const [value] = valuesOf(wire(">2\r\n+a\r\n%1\r\n+k\r\n+v\r\n"), true)
    assert.deepEqual(value, [b("a"), new Map([["k", b("v")]])])
  })

  it("may hold nulls", () => {
    assert.deepEqual(valuesOf(wire(">3\r\n+invalidate\r\n_\r\n$-1\r\n"), true), [
      [b("invalidate"), null, null],
    ])
  })

  it("may hold a null array as well", () => {
    assert.deepEqual(valuesOf(wire(">1\r\n*-1\r\n"), true), [[null]])
  })

  it("is a push message wherever it is cut", () => {
    const bytes = wire("|1\r\n+a\r\n+b\r\n>2\r\n+message\r\n$5\r\nhello\r\n")
    for (let cut = 1; cut < bytes.length; cut++) {
      const reader = new Reader(true)
      for (const piece of cutAt(bytes, [cut])) reader.read(piece)
      const read = { value: [b("message"), b("hello")], isError: false, isPush: true, holdsErrors: false }
      assert.deepEqual(reader.reads, [read], `cut at ${cut}`)
    }
  })
})

describe("a part of a reply", () => {
  /** What was received in all, and whether there is a part of a reply, which may be a push message. */
  const rows: readonly (readonly [literal: string, hasPartial: boolean, mayBePush?: boolean])[] = [
    ["", false],
    ["+OK\r\n", false],
    ["*0\r\n", false],
    [">1\r\n+a\r\n", false],
    ["+", true, false],
    ["+OK\r", true, false],
    ["+OK\r\n:1", true, false],
    ["$5\r\nhel", true, false],
    ["*1\r\n", true, false],
    ["*2\r\n*1\r\n:1\r\n", true, false],
    ["*1\r\n$5\r\n>", true, false],
    ["$40000\r", true, false],
    ["$3\r\nabc\r", true, false],
    [">", true, true],
    [">2", true, true],
    [">2\r\n", true, true],
    [">2\r\n+a\r\n$5\r\nhe", true, true],
    [">2\r\n+a\r\n*1\r\n", true, true],
    [">1\r\n$40000\r\nabc", true, true],
    ["+OK\r\n>1\r\n", true, true],
  ]

  for (const [literal, hasPartial, mayBePush] of rows) {
    it(`is ${hasPartial ? "there" : "not there"} after ${JSON.stringify(literal)}`, () => {
      const { parser } = new Reader(true).read(wire(literal))
      assert.equal(parser.hasPartial, hasPartial)
      if (mayBePush !== undefined) assert.equal(parser.partialMayBePush, mayBePush)
    })
  }

  it("is never a push message in RESP2", () => {
    const parser = new Parser(false)
    parser.target().set(wire(">"))
    parser.received(1)
    assert.equal(parser.partialMayBePush, false)
  })

  it("is no push message because of what lies behind it", () => {
    new Reader(true).read(wire(`$60000\r\n${">".repeat(60_000)}\r\n`))
    const { parser } = new Reader(true).read(wire("$40000\r\nabc"))
    assert.deepEqual([parser.hasPartial, parser.partialMayBePush], [true, false])
  })
})

describe("the memory to read into", () => {
  it("is common to all parsers that have no part of a reply", () => {
    const parsers = [new Parser(false), new Parser(true)]
    const [first, second] = parsers.map((parser) => parser.target())
    assert.equal(first?.buffer, second?.buffer)
    assert.equal(first?.length, BLOCK_SIZE)
  })

  it("is a parser's own while it has one, and common again once the reply is complete", () => {
    const common = new Parser(false).target().buffer
    const reader = new Reader(false)
    for (const cut of ["+O", "$5\r\nhe", "*1\r\n:", `+${"x".repeat(70_000)}`, "$40000\r\nab"]) {
      reader.read(wire(cut))
      assert.notEqual(reader.parser.target().buffer, common, cut.slice(0, 10))
      const rest = { "+": "\r\n", "*": "1\r\n", $: cut.length < 9 ? "llo\r\n" : `${"x".repeat(39_998)}\r\n` }
      reader.read(wire(rest[cut[0] as "+" | "*" | "$"]))
      assert.equal(reader.parser.target().buffer, common, cut.slice(0, 10))
    }
    assert.equal(reader.reads.length, 5)
  })

  it("is common again after thousands of replies cut anywhere", () => {
    const common = new Parser(false).target().buffer
    const reader = new Reader(false)
    const bytes = wire("*2\r\n$5\r\nhello\r\n:12\r\n".repeat(500))
    for (let size = 1; size < 60; size++) {
      for (let at = 0; at < bytes.length; at += size) reader.read(bytes.subarray(at, at + size))
    }
    assert.equal(reader.reads.length, 500 * 59)
    assert.equal(reader.parser.target().buffer, common)
  })

  it("is given back when the parser is released in the middle of a reply", () => {
    const common = new Parser(false).target().buffer
    for (const cut of ["+O", "*2\r\n+a\r\n", "$40000\r\nab"]) {
      const { parser } = new Reader(false).read(wire(cut))
      parser.release()
      assert.equal(parser.hasPartial, false)
      assert.equal(parser.target().buffer, common)
    }
  })

  it("is not what callers got as bytes, which stay as they are", () => {
    const reader = new Reader(true, () => true)
    reader.read(wire("+aa\r\n$2\r\nbb\r\n*1\r\n=6\r\ntxt:cc\r\n"))
    const { values } = reader
    for (let round = 0; round < 3; round++) reader.read(wire(`$60000\r\n${"z".repeat(60_000)}\r\n`))
    assert.deepEqual(values, [b("aa"), b("bb"), [b("cc")]])
  })
})

describe("Parser.push", () => {
  it("hands out every reply of a chunk, in order", () => {
    const values: unknown[] = []
    const parser = new Parser(false)
    const onReply = (value: unknown): void => void values.push(value)
    parser.push(wire("+a\r\n:1\r\n*1\r\n$-1\r\n+b"), () => false, onReply)
    assert.deepEqual(values, ["a", 1, [null]])
    assert.equal(parser.next(false), INCOMPLETE)
    parser.push(wire("c\r\n"), () => false, onReply)
    assert.deepEqual(values.slice(3), ["bc"])
  })

  it("reads chunks larger than the window", () => {
    const values: unknown[] = []
    new Parser(false).push(
      wire(":7\r\n".repeat(50_000)),
      () => false,
      (value) => values.push(value),
    )
    assert.deepEqual([values.length, new Set(values)], [50_000, new Set([7])])
  })

  it("keeps a part of a reply from the chunks of other parsers", () => {
    const values: unknown[] = []
    const onReply = (value: unknown): void => void values.push(value)
    const [one, other] = [new Parser(false), new Parser(false)]
    one.push(wire("$4\r\nab"), () => false, onReply)
    other.push(wire("+0123456789\r\n"), () => false, onReply)
    one.push(wire("cd\r\n"), () => false, onReply)
    assert.deepEqual(values, ["0123456789", "abcd"])
  })
})
