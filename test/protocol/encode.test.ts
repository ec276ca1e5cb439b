/** Commands to bytes: the same as the plainest encoder gives, through every change of block, piece and mind. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { runInNewContext } from "node:vm"
import fc from "fast-check"
import { commandLabel, Encoder, encodeOnce } from "../../src/protocol/encode.ts"
import type { Argument } from "../../src/protocol/types.ts"
import { BLOCK_SIZE } from "../../src/util/bytes.ts"
import { describe as describeValue } from "../../src/util/describe.ts"
import { command, naiveEncoding, plainNumber } from "./naive-encoder.ts"

/** The bytes of what was encoded, copied so that the blocks can be used again. */
function taken(encoder: Encoder): Buffer {
  const { size } = encoder
  const bytes = Buffer.concat(encoder.take())
  encoder.recycle()
  assert.equal(bytes.length, size)
  assert.equal(encoder.size, 0)
  return bytes
}

function encoded(...commands: ReadonlyArray<readonly unknown[]>): Buffer {
  const encoder = new Encoder()
  for (const each of commands) encoder.command(each)
  return taken(encoder)
}

/** Fails without printing kilobytes. */
function assertBytes(actual: Uint8Array, expected: Uint8Array, message = "bytes"): void {
  if (Buffer.compare(actual, expected) === 0) return
  const at = actual.findIndex((byte, index) => byte !== expected[index])
  assert.fail(
    `${message}: ${actual.length} instead of ${expected.length} bytes, the first difference at ${at}`,
  )
}

const commands = fc.array(command, { minLength: 1, maxLength: 8 })

describe("Encoder.command", () => {
  const rows: readonly (readonly [command: readonly Argument[], bytes: string])[] = [
    [["PING"], "*1\r\n$4\r\nPING\r\n"],
    [["GET", ""], "*2\r\n$3\r\nGET\r\n$0\r\n\r\n"],
    [["SET", "k", "é"], "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\né\r\n"],
    [["SET", "😀", "€uro"], "*3\r\n$3\r\nSET\r\n$4\r\n😀\r\n$6\r\n€uro\r\n"],
    [["ECHO", "\r\n"], "*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n"],
    [["ECHO", "\0"], "*2\r\n$4\r\nECHO\r\n$1\r\n\0\r\n"],
    [["EXPIRE", "k", 60], "*3\r\n$6\r\nEXPIRE\r\n$1\r\nk\r\n$2\r\n60\r\n"],
    [["INCRBY", "k", -5n], "*3\r\n$6\r\nINCRBY\r\n$1\r\nk\r\n$2\r\n-5\r\n"],
    [["ECHO", Buffer.from("bytes")], "*2\r\n$4\r\nECHO\r\n$5\r\nbytes\r\n"],
    [["ECHO", new Uint8Array()], "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n"],
    [[Buffer.from("PING")], "*1\r\n$4\r\nPING\r\n"],
    [[1, 2n], "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"],
    [[], "*0\r\n"],
    [["ECHO", "\ud800"], "*2\r\n$4\r\nECHO\r\n$3\r\n\ufffd\r\n"],
    [["ECHO", "a\udfffb"], "*2\r\n$4\r\nECHO\r\n$5\r\na\ufffdb\r\n"],
    [["ECHO", "\ude00\ud83d"], "*2\r\n$4\r\nECHO\r\n$6\r\n\ufffd\ufffd\r\n"],
    [["ECHO", "\ufeff"], "*2\r\n$4\r\nECHO\r\n$3\r\n\ufeff\r\n"],
  ]
  for (const [given, bytes] of rows) {
    it(`encodes ${JSON.stringify(given.map(String))}`, () => {
      assert.equal(encoded(given).toString("utf8"), bytes)
    })
  }

  const numbers: readonly (readonly [value: number, text: string])[] = [
    [0, "0"],
    [-0, "0"],
    [-1, "-1"],
    [0.1, "0.1"],
    [-2.5, "-2.5"],
    [1e20, "100000000000000000000"],
    [1e21, "1000000000000000000000"],
    [-1e21, "-1000000000000000000000"],
    [1.5e21, "1500000000000000000000"],
    [1.2345e25, "12345000000000000000000000"],
    [2 ** 53, "9007199254740992"],
    [1e-6, "0.000001"],
    [1e-7, "0.0000001"],
    [1.5e-7, "0.00000015"],
    [-1.25e-10, "-0.000000000125"],
    [5e-324, `0.${"0".repeat(323)}5`],
    [Number.MAX_VALUE, `17976931348623157${"0".repeat(292)}`],
    [-Number.MAX_VALUE, `-17976931348623157${"0".repeat(292)}`],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
  ]
  for (const [value, text] of numbers) {
    it(`writes the number ${Object.is(value, -0) ? "-0" : value} without an exponent`, () => {
      assert.equal(encoded([value]).toString(), `*1\r\n$${text.length}\r\n${text}\r\n`)
      assert.equal(plainNumber(value), text)
    })
  }

  it("writes every number as digits that are the same number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const [, , text = ""] = encoded([value]).toString().split("\r\n")
        assert.match(text, /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/)
        assert.equal(Number(text), value === 0 ? 0 : value)
      }),
    )
  })

  it("encodes text of every short length, ASCII and not", () => {
    for (let length = 0; length < 400; length++) {
      for (const unit of ["a", "é", "€", "\ud800"]) {
        for (const text of [unit.repeat(length), "x".repeat(length) + unit]) {
          assertBytes(encoded(["ECHO", text]), naiveEncoding(["ECHO", text]), `${length} times ${unit}`)
        }
      }
    }
  })

  it("encodes commands of many arguments", () => {
    for (const count of [9, 10, 99, 100, 101, 9_999, 10_000, 123_456]) {
      const many = Array.from({ length: count }, (_, index) => index % 10)
      assertBytes(encoded(many), naiveEncoding(many), `${count} arguments`)
    }
  })

  it("gives what the plainest encoder gives, for any commands one after the other", () => {
    fc.assert(
      fc.property(commands, (all) => {
        assertBytes(encoded(...all), Buffer.concat(all.map(naiveEncoding)))
      }),
      { numRuns: 200 },
    )
  })

  it("fits every argument into what is left of a block, whatever that is", () => {
    const arguments_ = [
      "abc",
      "é",
      "x".repeat(33),
      "é".repeat(1000),
      "x".repeat(5000),
      Buffer.alloc(8000, "b"),
      1e21,
    ]
    for (const argument of arguments_) {
      const exact = naiveEncoding([argument]).length
      const around = Array.from({ length: 40 }, (_, index) => exact - 35 + index).filter((left) => left > 100)
      for (const left of [...Array(100).keys(), ...around]) {
        const encoder = new Encoder()
        // Filled by small ones up to a place near the end of the block.
        for (let room = BLOCK_SIZE - left; room > 0; room -= 1000)
          encoder.raw(Buffer.alloc(Math.min(room, 1000), "f"))
        encoder.command([argument])
        const filler = Buffer.alloc(BLOCK_SIZE - left, "f")
        assertBytes(taken(encoder), Buffer.concat([filler, naiveEncoding([argument])]), `${left} bytes left`)
      }
    }
  })

  it("takes the bytes of another realm for bytes", () => {
    const foreign: unknown = runInNewContext("new Uint8Array([97, 98])")
    assert.equal(encoded(["ECHO", foreign]).toString(), "*2\r\n$4\r\nECHO\r\n$2\r\nab\r\n")
  })
})

describe("a wrong argument", () => {
  class Secret {
    readonly password = "s3cret"
    toString(): string {
      return "s3cret"
    }
  }
  const wrong: readonly (readonly [value: unknown, got: string])[] = [
    [undefined, "undefined"],
    [null, "null"],
    [true, "a boolean"],
    [false, "a boolean"],
    [Number.NaN, "NaN"],
    [["s3cret"], "an array"],
    [{ password: "s3cret" }, "an object"],
    [new Secret(), "an instance of a class"],
    [Object.create(null), "an object"],
    [new Date(0), "an instance of Date"],
    [new Map([["s3cret", 1]]), "an instance of Map"],
    [new String("s3cret"), "an instance of String"],
    [new ArrayBuffer(8), "an instance of ArrayBuffer"],
    [new DataView(new ArrayBuffer(8)), "an instance of DataView"],
    [new Uint16Array(2), "an instance of Uint16Array"],
    [Symbol("s3cret"), "a symbol"],
    [(): string => "s3cret", "a function"],
  ]

  for (const [value, got] of wrong) {
    it(`is told with the command, its place and what it is: ${got}`, () => {
      for (const [given, message] of [
        [
          ["set", "k", "s3cret", value],
          `command SET: argument 3 must be a string, a number, a bigint or a Uint8Array, got ${got}`,
        ],
        [[value], `command: argument 0 must be a string, a number, a bigint or a Uint8Array, got ${got}`],
      ] as const) {
        const encoder = new Encoder()
        assert.throws(() => encoder.command(given), { name: "TypeError", message })
      }
    })
  }

  it("leaves nothing behind once its command is forgotten", () => {
    const encoder = new Encoder()
    encoder.command(["GET", "a"])
    const before = encoder.size
    assert.throws(() => encoder.command(["SET", Buffer.alloc(10_000), "x".repeat(70_000), null]), TypeError)
    encoder.rewind(before)
    encoder.command(["GET", "b"])
    assertBytes(taken(encoder), encoded(["GET", "a"], ["GET", "b"]))
  })

  it("is one in an array with a hole", () => {
    const holed: unknown[] = ["GET"]
    holed[2] = "x"
    assert.throws(() => encoded(holed), { message: /^command GET: argument 1 .* got undefined$/ })
  })
})

describe("Encoder.rewind", () => {
  it("forgets what came after any moment between commands", () => {
    fc.assert(
      fc.property(commands, commands, (all, more) => {
        for (let kept = 0; kept <= all.length; kept++) {
          const encoder = new Encoder()
          for (const each of all.slice(0, kept)) encoder.command(each)
          const before = encoder.size
          for (const each of all.slice(kept)) encoder.command(each)
          encoder.rewind(before)
          assert.equal(encoder.size, before)
          for (const each of more) encoder.command(each)
          assertBytes(taken(encoder), Buffer.concat([...all.slice(0, kept), ...more].map(naiveEncoding)))
        }
      }),
      { numRuns: 60 },
    )
  })

  it("forgets what came after any byte", () => {
    fc.assert(
      fc.property(commands, fc.double({ min: 0, max: 1, noNaN: true }), command, (all, part, next) => {
        const encoder = new Encoder()
        for (const each of all) encoder.command(each)
        const size = Math.floor(part * encoder.size)
        encoder.rewind(size)
        encoder.command(next)
        const bytes = Buffer.concat(all.map(naiveEncoding)).subarray(0, size)
        assertBytes(taken(encoder), Buffer.concat([bytes, naiveEncoding(next)]))
      }),
      { numRuns: 100 },
    )
  })

  it("forgets what came after a byte next to the edge of a piece", () => {
    const all = [["a", Buffer.alloc(8192, "b"), "c", "d".repeat(16_384), "e"]]
    const whole = Buffer.concat(all.map(naiveEncoding))
    const edges = [0, 24, 24 + 8192, 24 + 8192 + 17, 24 + 8192 + 17 + 16_384, whole.length]
    for (const edge of edges) {
      for (let size = Math.max(edge - 12, 0); size <= Math.min(edge + 12, whole.length); size++) {
        const encoder = new Encoder()
        for (const each of all) encoder.command(each)
        encoder.rewind(size)
        encoder.command(["f"])
        const expected = Buffer.concat([whole.subarray(0, size), naiveEncoding(["f"])])
        assertBytes(taken(encoder), expected, `rewound to ${size}`)
      }
    }
  })

  it("may be done again and again", () => {
    const encoder = new Encoder()
    encoder.command(["a", Buffer.alloc(9000, "x"), "b"])
    const { size } = encoder
    for (let round = 0; round < 20; round++) {
      encoder.command(["c", "é".repeat(4000), Buffer.alloc(9000, round), "d".repeat(60_000)])
      encoder.rewind(size)
    }
    assertBytes(taken(encoder), encoded(["a", Buffer.alloc(9000, "x"), "b"]))
  })
})

describe("Encoder.keep and Encoder.takeFirst", () => {
  /** Ascending offsets in pairs, as parts of the whole. */
  const offsets = fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 10 })
    .map((parts) => parts.sort((a, b) => a - b))
    .map((parts) => parts.slice(0, parts.length - (parts.length % 2)))

  it("keep the given ranges of the bytes, and encode on behind them", () => {
    fc.assert(
      fc.property(commands, offsets, command, (all, parts, next) => {
        const encoder = new Encoder()
        for (const each of all) encoder.command(each)
        const whole = Buffer.concat(all.map(naiveEncoding))
        const ranges = parts.map((part) => Math.floor(part * whole.length))
        encoder.keep(ranges)
        const kept = ranges.flatMap((from, index) =>
          index % 2 === 0 ? [whole.subarray(from, ranges[index + 1])] : [],
        )
        assert.equal(encoder.size, Buffer.concat(kept).length)
        encoder.command(next)
        assertBytes(taken(encoder), Buffer.concat([...kept, naiveEncoding(next)]))
      }),
      { numRuns: 150 },
    )
  })

  it("take the first bytes, and leave the rest to be taken later", () => {
    fc.assert(
      fc.property(commands, offsets, command, (all, parts, next) => {
        const encoder = new Encoder()
        for (const each of all) encoder.command(each)
        let left = Buffer.concat(all.map(naiveEncoding))
        for (const part of parts) {
          const size = Math.floor(part * left.length)
          assertBytes(Buffer.concat(encoder.takeFirst(size)), left.subarray(0, size))
          left = left.subarray(size)
          assert.equal(encoder.size, left.length)
        }
        encoder.command(next)
        assertBytes(taken(encoder), Buffer.concat([left, naiveEncoding(next)]))
      }),
      { numRuns: 150 },
    )
  })

  it("keep nothing of no ranges, and everything of one", () => {
    const encoder = new Encoder()
    encoder.command(["GET", "a"])
    encoder.keep([0, encoder.size])
    assertBytes(Buffer.concat(encoder.takeFirst(encoder.size)), encoded(["GET", "a"]))
    encoder.command(["GET", "b"])
    encoder.keep([])
    assert.equal(encoder.size, 0)
    assert.deepEqual(encoder.take(), [])
  })
})

describe("the memory of what was encoded", () => {
  it("is the argument's own from 8 KiB on, and a copy below", () => {
    for (const [size, isCopied] of [
      [1, true],
      [8191, true],
      [8192, false],
      [70_000, false],
    ] as const) {
      const memory = new Uint8Array(size + 10)
      const argument = memory.subarray(5, size + 5)
      const encoder = new Encoder()
      encoder.command(["SET", "k", argument])
      const pieces = encoder.take()
      const own = pieces.find((piece) => piece.buffer === memory.buffer)
      assert.equal(own === undefined, isCopied, `${size} bytes`)
      if (own !== undefined) assert.deepEqual([own.byteOffset, own.length], [5, size])
      argument.fill(1)
      const bytes = Buffer.concat(pieces)
      assert.equal(bytes.includes(1), !isCopied, `${size} bytes`)
      encoder.recycle()
    }
  })

  it("is left alone after abandon, whatever is encoded next", () => {
    fc.assert(
      fc.property(commands, commands, (all, more) => {
        const encoder = new Encoder()
        for (const each of all) encoder.command(each)
        const pieces = encoder.take()
        encoder.abandon()
        for (const each of more) encoder.command(each)
        assertBytes(taken(encoder), Buffer.concat(more.map(naiveEncoding)))
        assertBytes(Buffer.concat(pieces), Buffer.concat(all.map(naiveEncoding)))
      }),
      { numRuns: 60 },
    )
  })

  it("is left alone until recycle, whatever is taken, kept and encoded meanwhile", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ encode: command }) },
      { weight: 2, arbitrary: fc.constant("take" as const) },
      { weight: 1, arbitrary: fc.record({ takeFirst: fc.double({ min: 0, max: 1, noNaN: true }) }) },
      { weight: 1, arbitrary: fc.record({ keepTo: fc.double({ min: 0, max: 1, noNaN: true }) }) },
      { weight: 1, arbitrary: fc.constant("all written" as const) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25, size: "max" }), (steps) => {
        const encoder = new Encoder()
        let waiting = Buffer.alloc(0)
        let taken: (readonly [pieces: Uint8Array[], bytes: Buffer])[] = []
        for (const each of steps) {
          if (each === "take") {
            taken.push([encoder.take(), waiting])
            encoder.abandon()
            waiting = Buffer.alloc(0)
          } else if (each === "all written") {
            for (const [pieces, bytes] of taken) assertBytes(Buffer.concat(pieces), bytes)
            taken = []
            if (encoder.size === 0) encoder.recycle()
            else encoder.onTakenWritten()
          } else if ("encode" in each) {
            encoder.command(each.encode)
            waiting = Buffer.concat([waiting, naiveEncoding(each.encode)])
          } else if ("takeFirst" in each) {
            const size = Math.floor(each.takeFirst * waiting.length)
            taken.push([encoder.takeFirst(size), waiting.subarray(0, size)])
            waiting = waiting.subarray(size)
          } else {
            const size = Math.floor(each.keepTo * waiting.length)
            encoder.keep([0, size])
            waiting = waiting.subarray(0, size)
          }
          assert.equal(encoder.size, waiting.length)
        }
        taken.push([encoder.take(), waiting])
        for (const [pieces, bytes] of taken) assertBytes(Buffer.concat(pieces), bytes)
      }),
      { numRuns: 100 },
    )
  })

  it("is used again after recycle", () => {
    const encoder = new Encoder()
    encoder.command(["GET", "a"])
    const [first] = encoder.take()
    encoder.recycle()
    encoder.command(["GET", "b"])
    const [second] = encoder.take()
    encoder.recycle()
    assert.equal(first?.buffer, second?.buffer)
  })

  it("of a large text is used again only after all was written", () => {
    const encoder = new Encoder()
    const memoryOf = (pieces: Uint8Array[]): ArrayBufferLike | undefined =>
      pieces.find((piece) => piece.length === 50_000)?.buffer
    encoder.command(["a".repeat(50_000)])
    const first = memoryOf(encoder.take())
    encoder.recycle()
    encoder.onTakenWritten()
    encoder.command(["b".repeat(50_000)])
    const second = memoryOf(encoder.take())
    encoder.recycle()
    encoder.command(["c".repeat(50_000)])
    const third = memoryOf(encoder.take())
    encoder.abandon()
    assert.ok(first !== undefined && second === first && third !== second)
    encoder.onTakenWritten()
    encoder.command(["d".repeat(50_000)])
    assert.equal(memoryOf(encoder.take()), third)
    encoder.recycle()
  })

  it("of what takeFirst left is not used again while it waits", () => {
    const encoder = new Encoder()
    encoder.command(["GET", "a"])
    const half = encoder.size
    encoder.command(["GET", "b"])
    const first = encoder.takeFirst(half)
    const other = new Encoder()
    for (let round = 0; round < 40; round++) other.command(["x".repeat(5000)])
    taken(other)
    assertBytes(Buffer.concat(first), encoded(["GET", "a"]))
    assertBytes(taken(encoder), encoded(["GET", "b"]))
  })

  it("of a large text is not used again while a part of it waits", () => {
    for (const part of [1000, 30_000]) {
      const encoder = new Encoder()
      encoder.command(["a".repeat(50_000)])
      const first = encoder.takeFirst(part)
      encoder.onTakenWritten()
      encoder.command(["b".repeat(50_000)])
      const bytes = Buffer.concat([...first, taken(encoder)])
      assertBytes(bytes, encoded(["a".repeat(50_000)], ["b".repeat(50_000)]), `after ${part} bytes`)
    }
  })

  it("is forgotten with clear", () => {
    const encoder = new Encoder()
    encoder.command(["SET", "a", "x".repeat(70_000), Buffer.alloc(9000)])
    encoder.clear()
    assert.equal(encoder.size, 0)
    encoder.command(["GET", "b"])
    assertBytes(taken(encoder), encoded(["GET", "b"]))
  })

  it("of two encoders is not the same", () => {
    fc.assert(
      fc.property(commands, commands, (mine, yours) => {
        const [one, other] = [new Encoder(), new Encoder()]
        for (let index = 0; index < 8; index++) {
          if (mine[index] !== undefined) one.command(mine[index] ?? [])
          if (yours[index] !== undefined) other.command(yours[index] ?? [])
        }
        assertBytes(taken(one), Buffer.concat(mine.map(naiveEncoding)))
        assertBytes(taken(other), Buffer.concat(yours.map(naiveEncoding)))
      }),
      { numRuns: 40 },
    )
  })
})

describe("encodeOnce", () => {
  it("gives the bytes of all its commands", () => {
    assert.equal(
      encodeOnce(["MULTI"], ["GET", "k"]).toString(),
      "*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
    )
    assert.equal(encodeOnce().length, 0)
  })

  it("gives bytes that are a command for raw", () => {
    const encoder = new Encoder()
    encoder.raw(encodeOnce(["MULTI"]))
    encoder.command(["GET", "k"])
    encoder.raw(encodeOnce(["EXEC"]))
    assertBytes(taken(encoder), encoded(["MULTI"], ["GET", "k"], ["EXEC"]))
  })
})

describe("commandLabel", () => {
  const rows: readonly (readonly [command: readonly unknown[], label: string])[] = [
    [["get", "s3cret"], "command GET"],
    [["json.set"], "command JSON.SET"],
    [["FT._LIST"], "command FT._LIST"],
    [[Buffer.from("auth"), "s3cret"], "command AUTH"],
    [["AUTH s3cret"], "command"],
    [["s3cret\r\n"], "command"],
    [["pässword"], "command"],
    [["x".repeat(65)], "command"],
    [[""], "command"],
    [[], "command"],
    [[12], "command"],
    [[null], "command"],
  ]
  for (const [given, label] of rows) {
    it(`names ${JSON.stringify(given)} by its name only: ${label}`, () =>
      assert.equal(commandLabel(given), label))
  }
})

describe("describe", () => {
  it("tells what a value is without showing it", () => {
    assert.equal(describeValue("s3cret"), "a string")
    assert.equal(describeValue(5), "a number")
    assert.equal(describeValue(5n), "a bigint")
    assert.equal(describeValue([5]), "an array")
    assert.equal(describeValue({ constructor: undefined }), "an object")
    assert.equal(describeValue(new (class {})()), "an instance of a class")
  })
})
