/** The fast way to a command's slot, by its name, is held against the slow one, by all of its keys. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { ANY_NODE, firstKeyOf, slotOfCommand, UNKNOWN } from "../../src/cluster/routing.ts"
import { slotOf } from "../../src/cluster/slots.ts"
import { commandInfo } from "../../src/protocol/command-info.ts"
import { firstKeyPlace, keysOf } from "../../src/protocol/command-keys.ts"
import { KEY_POSITIONS } from "../../src/protocol/command-table.ts"
import { readForms } from "../conformance/forms.ts"

function slotByAllKeys(command: readonly unknown[]): number {
  const keys = keysOf(command)
  if (keys === "unknown") return UNKNOWN
  return keys.length === 0 ? ANY_NODE : slotOf(keys[0])
}

function slotByName(command: readonly unknown[]): number {
  return slotOfCommand(command)
}

/** Every name of the table, with its subcommand, and without the mark of those that only read. */
const names = Object.values(KEY_POSITIONS).flatMap((list) =>
  list.split(" ").map((name) => name.replace(/!$/, "").split("|")),
)

describe("slotOfCommand", () => {
  it("is that of the first of all keys, for each form that there is", () => {
    const forms = readForms()
    for (const { command } of forms)
      assert.equal(slotByName(command), slotByAllKeys(command), command.join(" "))
    assert.ok(forms.length > 500, `${forms.length} forms`)
  })

  it("is the same for each name of the table, whatever follows and however it is spelled", () => {
    const argument = fc.oneof(
      fc.string(),
      fc.integer({ min: 0, max: 4 }),
      fc.constantFrom("STREAMS", "store", "KEYS", "GET", "1", "2", "BLOCK"),
    )
    const spelled = fc.constantFrom(
      (name: string): string | Buffer => name,
      (name: string) => name.toLowerCase(),
      (name: string) => Buffer.from(name),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        spelled,
        fc.array(argument, { maxLength: 7 }),
        (name, spell, rest) => {
          const command = [...name.map(spell), ...rest]
          const expected = slotByAllKeys(command)
          // A command that is too short may have a first key and yet not all: any node will refuse it.
          if (expected < 0 && firstKeyPlace(commandInfo(command[0])) > 0) return
          assert.equal(slotByName(command), expected, command.map(String).join(" "))
        },
      ),
      { numRuns: 5000 },
    )
  })

  it("needs no look at the arguments for nearly all commands", () => {
    const sure = names.filter(([name]) => firstKeyPlace(commandInfo(name)) >= 0)
    assert.ok(sure.length / names.length > 0.6, `${sure.length} of ${names.length}`)
    for (const name of ["GET", "SET", "HSET", "MGET", "PING", "XADD", "ZADD"])
      assert.ok(firstKeyPlace(commandInfo(name)) >= 0, name)
  })

  it("is nobody's where there is no key, and unknown where only the server can tell", () => {
    assert.equal(slotByName(["PING"]), ANY_NODE)
    assert.equal(slotByName(["EVAL", "return 1", 0]), ANY_NODE)
    assert.equal(slotByName(["GET"]), ANY_NODE)
    assert.equal(slotByName(["NO.SUCH", "k"]), UNKNOWN)
    assert.equal(slotByName(["EVAL", "return 1", "many", "k"]), UNKNOWN)
  })

  it("does not trust a name twice that only looks like another", () => {
    for (const name of ["get ", "GET\0", "GEТ", "", "toString", "__proto__", "constructor"]) {
      assert.equal(slotByName([name, "k"]), UNKNOWN, name)
      assert.equal(slotByName([name, "k"]), UNKNOWN, name)
    }
  })

  it("never throws for what is no command", () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 4 }), (command) => {
        const slot = slotByName(command)
        assert.ok(Number.isInteger(slot) && slot >= UNKNOWN)
      }),
    )
  })
})

describe("firstKeyOf", () => {
  it("is the key as it was given", () => {
    const key = Buffer.from([0, 255])
    assert.equal(firstKeyOf(["GET", key]), key)
    assert.equal(firstKeyOf(["XREAD", "COUNT", 1, "STREAMS", "s", "0"]), "s")
    assert.equal(firstKeyOf(["PING"]), undefined)
    assert.equal(firstKeyOf(["NO.SUCH", "k"]), undefined)
  })
})
