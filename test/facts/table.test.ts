/** The form of the table: what is read from a block, and that what is none is refused with the block in the message. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { chosenReply } from "../../facts/chosen-reply.ts"
import { parseReplyType, printReplyType } from "../../facts/reply-type.ts"
import { parseFact, readFacts } from "../../facts/table.ts"

describe("a reply type", () => {
  const rows: ReadonlyArray<readonly [text: string, resp2: string, resp3: string]> = [
    ["string | null", "string | null", "string | null"],
    ['"OK" | null', '"OK" | null', '"OK" | null'],
    ['"OK" | string', "string", "string"],
    ["int[]", "number[]", "number[]"],
    ["double", "string", "number"],
    ["bool", "number", "boolean"],
    ["map<string>", "string[]", "Map<string, string>"],
    ["map<int | null>[]", "(string | number | null)[][]", "Map<string, number | null>[]"],
    ["set<string> | null", "string[] | null", "Set<string> | null"],
    ["pairs<string, double>", "string[]", "[string, number][]"],
    ["[string, ...[int, double][]]", "[string, ...[number, string][]]", "[string, ...[number, number][]]"],
    ["(null | string)[]", "(string | null)[]", "(string | null)[]"],
    ["resp<string[], [string, double] | []>", "string[]", "[string, number] | []"],
    ["any | null", "Reply", "Reply"],
  ]
  for (const [text, resp2, resp3] of rows) {
    it(`${text} is ${resp2} under RESP2, ${resp3} under RESP3`, () => {
      const types = parseReplyType(text)
      assert.equal(printReplyType(types[2]), resp2)
      assert.equal(printReplyType(types[3]), resp3)
    })
  }

  it("is refused where it is none", () => {
    for (const text of ["", "strings", "string |", "map<string", "[int", "int]", "[...int]", "(int"])
      assert.throws(() => parseReplyType(text), /no reply type/, text)
  })
})

describe("a block", () => {
  it("says all that is known of a command", () => {
    const fact = parseFact(
      "NEW|CMD key [FAST]\n  since 9.0.0, arity -3, read, keys 2 + numkeys 3/2, blocks BLOCK from 2 ms, session multi\n  reply int",
      "group",
    )
    assert.equal(fact.name, "NEW CMD")
    assert.equal(fact.hint, "key [FAST]")
    assert.equal(fact.access, "read")
    assert.deepEqual(fact.keys, [
      { kind: "range", first: 2, last: 2, step: 1 },
      { kind: "numkeys", count: 3, step: 2 },
    ])
    assert.deepEqual(fact.blocks, { argument: "BLOCK", from: 2, unit: "ms" })
    assert.equal(fact.session, "multi")
  })

  it("is refused where it is none, with itself in the message", () => {
    for (const block of [
      "lower\n  since 1.0.0, arity 1\n  reply int",
      "X\n  since 1.0.0\n  reply int",
      "X\n  since 1.0.0, arity 1, sometimes\n  reply int",
      "X\n  since 1.0.0, arity 1, keys after Y some from 1\n  reply int",
      "X\n  since 1.0.0, arity 1, blocks last h\n  reply int",
      "X\n  since 1.0.0, arity 1\n  replies int",
      "X\n  since 1.0.0, arity 1\n  words near 2: A\n  reply int",
    ])
      assert.throws(() => parseFact(block, "group"), { message: `in group.txt:\n${block}` })
  })
})

describe("the table", () => {
  const facts = readFacts()

  it("has more than 500 commands, each with a reply unless it is a container", () => {
    assert.ok(facts.size > 500)
    for (const { name, container, reply } of facts.values())
      assert.equal(reply.plain === undefined && reply.lengths.size === 0, container, name)
  })

  it("has containers for all commands of two words", () => {
    for (const name of facts.keys())
      if (name.includes(" ")) assert.ok(facts.has(name.split(" ")[0] ?? ""), name)
  })

  it("decides by options where they stand", () => {
    const set = facts.get("SET")
    assert.ok(set)
    const reply = (...command: string[]) => printReplyType(chosenReply(set, command, 2))
    assert.equal(reply("SET", "NX", "GET"), '"OK"')
    assert.equal(reply("SET", "k", "v", "EX", "GET"), '"OK"')
    assert.equal(reply("SET", "k", "v", "ex", "1", "nx", "get"), "string | null")
  })
})
