import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { quote, quoteWord } from "../../src/cli/quote.ts"
import { InputError, StatementReader, statementsOf } from "../../src/cli/words.ts"

const latin1 = (text: string) => Buffer.from(text).toString("latin1")
const words = (text: string) => statementsOf(text).map((statement) => statement.words.map(String))

describe("commands as text", () => {
  test("are words between spaces, one command in each line", () => {
    assert.deepEqual(words("SET a  1\r\n\n  GET\ta\nPING"), [["SET", "a", "1"], ["GET", "a"], ["PING"]])
  })

  test("know the line where they begin", () => {
    assert.deepEqual(
      statementsOf('\nPING\n\nSET a "x\ny"\nPING').map(({ line }) => line),
      [2, 4, 6],
    )
  })

  test("have escapes in double quotes", () => {
    const [statement] = statementsOf(String.raw`"a\x00\xFf\n\r\t\b\a\\\"\q" "\x4g"`)
    assert.deepEqual(statement?.words, [
      Buffer.from('a\u0000\u00ff\n\r\t\b\u0007\\"q', "latin1"),
      Buffer.from("x4g"),
    ])
  })

  test("have next to none in single quotes", () => {
    assert.deepEqual(words(String.raw`'a b' 'it\'s' 'a\nb' ''`), [["a b", "it's", String.raw`a\nb`, ""]])
  })

  test("keep text beyond ASCII and bytes that are no text", () => {
    const [statement] = [...new StatementReader().read("\u00ff\u0000 ä\n")]
    assert.deepEqual(statement?.words[0], Buffer.from([0xff, 0]))
    assert.deepEqual(words("SET ключ 'naïve 🚀'"), [["SET", "ключ", "naïve 🚀"]])
  })

  test("may have comments in lines of their own", () => {
    assert.deepEqual(words("# SET a 'b\nSET a #1"), [["SET", "a", "#1"]])
  })

  test("go on over lines while a quote is open", () => {
    const reader = new StatementReader()
    assert.deepEqual([...reader.read('EVAL "return\n')], [])
    assert.ok(reader.isOpen)
    const [statement] = [...reader.read('1" 0\n')]
    assert.deepEqual(statement?.words.map(String), ["EVAL", "return\n1", "0"])
    assert.ok(!reader.isOpen)
  })

  test("say line and column where they cannot be understood", () => {
    const wrong: Record<string, string> = {
      'PING\nSET ключ "abc"d': "line 2, column 15: expected a space after the quote that closes before this",
      'PING\n  SET a "b\n\nPING': "line 2, column 9: the quote that opens here is never closed",
      "SET 'a": "line 1, column 5: the quote that opens here is never closed",
    }
    for (const [text, message] of Object.entries(wrong)) {
      assert.throws(
        () => statementsOf(text),
        (error: unknown) => {
          assert.ok(error instanceof InputError)
          assert.equal(error.message, message)
          return true
        },
      )
    }
  })

  test("give what stands before a mistake", () => {
    const seen: string[] = []
    assert.throws(() => {
      for (const { words } of new StatementReader().read('PING\nSET a "b"c\n')) seen.push(String(words[0]))
    }, InputError)
    assert.deepEqual(seen, ["PING"])
  })

  test("are the same wherever the text is cut", () => {
    const text = latin1('SET "a\\x0' + "0b\\n\" 'it\\'s ü'\n# no\nGET k \"x\ny\"\r\nPING")
    const whole = [...new StatementReader().read(text)].map(String)
    for (let at = 0; at <= text.length; at++) {
      const reader = new StatementReader()
      const parts = [...reader.read(text.slice(0, at)), ...reader.read(text.slice(at))]
      assert.deepEqual(parts.map(String), whole)
    }
  })
})

describe("quoted words", () => {
  test("are read as what they were, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array(), { minLength: 1 }), (list) => {
        for (const write of [quote, quoteWord]) {
          const line = list.map((bytes) => write(bytes)).join(" ")
          assert.doesNotMatch(line, /\n/)
          // A comment begins with a sign that need not be quoted elsewhere.
          const [statement] = statementsOf(`ECHO ${line}`)
          assert.deepEqual(
            statement?.words.slice(1),
            list.map((bytes) => Buffer.from(bytes)),
          )
        }
      }),
    )
  })

  test("show text, and write as escapes what would do something to a terminal", () => {
    assert.equal(quote("grüße 🚀"), '"grüße 🚀"')
    assert.equal(quote('a"\\\n\t\u0007'), String.raw`"a\"\\\n\t\a"`)
    assert.equal(quote("\u001b[2J\u202e\u009b"), String.raw`"\x1b[2J\xe2\x80\xae\xc2\x9b"`)
    assert.equal(quote(Buffer.from([0x61, 0xff, 0xc3])), String.raw`"a\xff\xc3"`)
    assert.equal(quoteWord("plain:1"), "plain:1")
    assert.equal(quoteWord("a b"), '"a b"')
    assert.equal(quoteWord(""), '""')
  })
})
