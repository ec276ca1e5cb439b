import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { allCommands } from "../../src/cli/catalogue.ts"
import { completionsOf, hintOf } from "../../src/cli/completion.ts"
import { expectationAfter } from "../../src/cli/shape.ts"

const hits = (line: string) => completionsOf(line)[0]

describe("hints", () => {
  test("tell what is still expected", () => {
    const expected: [string, string][] = [
      ["", ""],
      ["GE", ""],
      ["GET", " key"],
      ["GET ", "key"],
      ["get k", ""],
      ["GET k ", ""],
      ["EXPIRE k 60", " [NX | XX | GT | LT]"],
      ["LPUSH k a b ", "[element …]"],
      ["CONFIG ", "<GET | HELP | RESETSTAT | REWRITE | SET>"],
      ["config get", " parameter [parameter …]"],
      ["HSET 'a key' \"f", " value [field value …]"],
      ["BITCOUNT k 0 ", "[end [BYTE | BIT]]"],
      ["LPOS k e RANK ", "rank [COUNT num-matches] [MAXLEN len]"],
      ["LPOS k e COUNT 1 RANK 2", " [MAXLEN len]"],
      ["HMSET", " key field value [field value …] (deprecated)"],
      [":time GET ", "key"],
      [":help", " [COMMAND]"],
    ]
    for (const [line, hint] of expected) assert.equal(hintOf(line), hint, `after ${JSON.stringify(line)}`)
  })

  test("there is a shape for each command, and it is used up by what it asks for", () => {
    for (const { hint, name } of allCommands().values()) {
      // Nothing is typed yet: nothing is lost.
      assert.equal(expectationAfter(hint, []).rest.replace(/\s/g, ""), hint.replace(/\s/g, ""), name)
      for (let count = 1; count < 12; count++) {
        assert.doesNotThrow(
          () =>
            expectationAfter(
              hint,
              Array.from({ length: count }, () => "x"),
            ),
          name,
        )
      }
    }
  })
})

describe("completions", () => {
  test("are names of commands, in the case of what is there", () => {
    assert.deepEqual(hits("GETR"), ["GETRANGE "])
    assert.deepEqual(hits("getr"), ["getrange "])
    assert.ok(hits("").length > 200)
    assert.deepEqual(hits(":pi"), [":pipeline "])
  })

  test("are second words, and words that may stand next", () => {
    assert.deepEqual(hits("CONFIG RE"), ["RESETSTAT ", "REWRITE "])
    assert.deepEqual(hits("SET k v P"), ["PX ", "PXAT "])
    assert.deepEqual(hits("set k v e"), ["ex ", "exat "])
    assert.deepEqual(hits("GEODIST k a b "), ["m ", "km ", "ft ", "mi "])
    assert.deepEqual(hits("LPOS k e RANK 1 "), ["COUNT ", "MAXLEN "])
    assert.deepEqual(hits(":format j"), ["json "])
    assert.deepEqual(hits(":help client kil"), ["kill "])
  })

  test("are none where anything may stand", () => {
    for (const line of ["GET ", "SET k ", "NOSUCH a", 'GET "a b']) assert.deepEqual(hits(line), [], line)
  })
})
