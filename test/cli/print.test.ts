import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { findCommand } from "../../src/cli/catalogue.ts"
import { json, pretty, raw } from "../../src/cli/print.ts"
import { createPaint } from "../../src/cli/terminal.ts"
import { RedisError } from "../../src/index.ts"

const plain = createPaint(false)
const shown = (reply: unknown, ...words: string[]) => pretty(reply, plain, findCommand(words))
const bytes = (...values: number[]) => Buffer.from(values)

describe("replies for people", () => {
  test("show their types", () => {
    const cases: [unknown, string][] = [
      ["text", '"text"'],
      [Buffer.from("a\n"), '"a\\n"'],
      [5, "(integer) 5"],
      [9007199254740993n, "(integer) 9007199254740993"],
      [1.5, "(double) 1.5"],
      [Number.POSITIVE_INFINITY, "(double) inf"],
      [true, "(true)"],
      [null, "(nil)"],
      [[], "(empty array)"],
      [new Set(), "(empty set)"],
      [new Map(), "(empty map)"],
      [new RedisError("ERR no\u001b[2J"), "(error) ERR no\\x1b[2J"],
    ]
    for (const [reply, text] of cases) assert.equal(shown(reply), text)
  })

  test("know from the command what the protocol does not say", () => {
    assert.equal(shown(2, "ZSCORE", "z", "m"), "(double) 2")
    assert.equal(shown(2, "LLEN", "l"), "(integer) 2")
    assert.equal(shown([Buffer.from("a")], "SMEMBERS", "s"), '1~ "a"')
    assert.equal(shown(Buffer.from("OK"), "set", "k", "v"), "OK")
    assert.equal(shown(Buffer.from("OK"), "GET", "k"), '"OK"')
    assert.equal(shown(Buffer.from("# Server\r\nredis:1\r\n"), "INFO"), "# Server\nredis:1")
  })

  test("are numbered and nested", () => {
    const reply = [
      1,
      ["a", ["b", "c"]],
      new Map<string, unknown>([
        ["k", ["v", "w"]],
        ["l", "x"],
      ]),
    ]
    assert.equal(
      shown(reply),
      [
        "1) (integer) 1",
        '2) 1) "a"',
        '   2) 1) "b"',
        '      2) "c"',
        '3) 1# "k" =>',
        '      1) "v"',
        '      2) "w"',
        '   2# "l" => "x"',
      ].join("\n"),
    )
    const ten = shown(Array.from({ length: 10 }, () => 0)).split("\n")
    assert.deepEqual([ten[0], ten[9]], [" 1) (integer) 0", "10) (integer) 0"])
  })
})

describe("replies as they are", () => {
  test("are their bytes, and elements stand in lines", () => {
    assert.deepEqual(raw(bytes(0, 255)), bytes(0, 255))
    assert.equal(raw(["a", [1, null], new Map([["k", 2.5]])]).toString(), "a\n1\n\nk\n2.5")
    assert.equal(raw(null).toString(), "")
  })
})

describe("replies as JSON", () => {
  test("keep text, structure and every digit", () => {
    const reply = [
      Buffer.from("grüße"),
      1.5,
      9007199254740993n,
      true,
      null,
      new Map<string, unknown>([["f", new Set([Buffer.from("v")])]]),
      Number.NEGATIVE_INFINITY,
      new RedisError("ERR no"),
      bytes(255),
    ]
    const text = json(reply)
    assert.equal(
      text,
      '["grüße",1.5,9007199254740993,true,null,{"f":["v"]},"-inf",{"error":"ERR no"},{"base64":"/w=="}]',
    )
    assert.doesNotThrow(() => JSON.parse(text))
  })

  test("may be indented, as JSON.stringify does it", () => {
    const value = { a: [1, { b: [] }], c: "d" }
    assert.equal(json(value, 2), JSON.stringify(value, undefined, 2))
  })
})
