/** The keys that the table finds in each form are those that a server finds. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { Redix } from "@redix/client"
import { factOf } from "../../facts/chosen-reply.ts"
import { readFacts } from "../../facts/table.ts"
import { isReadOnly, keysOf } from "../../src/protocol/command-keys.ts"
import { RedisServer } from "../../support/server.ts"
import { readForms } from "./forms.ts"

/** Servers do not tell all. */
const KNOWN: Readonly<Record<string, string>> = {
  PUBLISH: "channels are no keys",
  ZRANK: "older servers know no option of it",
  ZREVRANK: "older servers know no option of it",
  "DEBUG OBJECT": "it has to go to where the key is, of which COMMAND GETKEYS knows nothing",
  SPUBLISH: "a shard channel decides like a key, which COMMAND GETKEYS does not tell",
}

test("the keys of each command are those that a server finds in it", async (t) => {
  const server = await RedisServer.start()
  t.after(() => server.stop())
  await using connection = await Redix.connect(server.url)
  const facts = readFacts()
  let compared = 0
  for (const { command } of readForms()) {
    const name = factOf(facts, command)?.name ?? ""
    const result = await connection.safe.command(["COMMAND", "GETKEYS", ...command])
    if (name in KNOWN || (!result.ok && /Invalid (command|arguments)|unknown/i.test(result.error.message)))
      continue
    const expected = result.ok ? result.value : []
    assert.deepEqual(keysOf(command), expected, command.join(" "))
    compared++
  }
  assert.ok(compared > 400, `${compared} were compared`)
})

test("keys are found in any spelling, and are what was given", () => {
  const key = Buffer.from([0, 255])
  assert.deepEqual(keysOf(["get", key]), [key])
  assert.equal(keysOf([Buffer.from("mget"), "a", key])[1], key)
  assert.deepEqual(keysOf(["object", "encoding", "k"]), ["k"])
  assert.deepEqual(keysOf(["PING"]), [])
})

test("an option that a key is spelled like does not mislead", () => {
  assert.deepEqual(keysOf(["XREADGROUP", "GROUP", "STREAMS", "c", "STREAMS", "a", "b", ">", ">"]), ["a", "b"])
  assert.deepEqual(keysOf(["SORT", "STORE"]), ["STORE"])
  assert.deepEqual(keysOf(["SORT", "l", "STORE", "d"]), ["l", "d"])
  assert.deepEqual(keysOf(["MSETEX", 2, "a", 1, "b", 2]), ["a", "b"])
})

test("what is not in the table, and counts that are none, are unknown", () => {
  for (const command of [
    ["NO.SUCH", "k"],
    ["OBJECT", "NOSUCH", "k"],
    ["EVAL", "x", "many", "k"],
    ["EVAL", "x", 2, "k"],
  ])
    assert.equal(keysOf(command), "unknown", command.join(" "))
})

test("commands that only read are told from others", () => {
  for (const command of [
    ["GET", "k"],
    ["object", "encoding", "k"],
    ["XREAD", "STREAMS", "s", "0"],
  ])
    assert.equal(isReadOnly(command), true, command.join(" "))
  for (const command of [["SET", "k", "v"], ["XGROUP", "CREATE"], ["EVAL", "x", 0], ["NO.SUCH"], ["PING"]])
    assert.equal(isReadOnly(command), false, command.join(" "))
})
