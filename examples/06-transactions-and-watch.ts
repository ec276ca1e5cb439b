// All or nothing: transactions in one round trip, and optimistic locking with WATCH.
import assert from "node:assert/strict"
import { RedisError, Redix, unwrap } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const key = (name: string) => `redix-example:06:${name}`
const keys = [key("alice"), key("bob"), key("stock")]

const conn = await Redix.connect(url)
await conn.command(["DEL", ...keys])
await conn.command(["MSET", key("alice"), 100, key("bob"), 20])

// MULTI, the commands and EXEC go out in one write. Nobody else's command runs in between.
const replies = await conn.transactionPipeline([
  ["DECRBY", key("alice"), 30],
  ["INCRBY", key("bob"), 30],
])
const balances = unwrap(replies)
assert.deepEqual(balances, [70, 50])
console.log("after the transfer:", balances)

// A command that the server cannot even queue discards the whole transaction.
// TypeScript sees that this INCR has no key; a program may still come to it.
const broken: string[] = ["INCR"]
await assert.rejects(conn.transactionPipeline([["INCR", key("alice")], broken]), (error) => {
  assert.ok(error instanceof RedisError && error.cause instanceof RedisError)
  console.log(`${error.code}, because: ${error.cause.message}`)
  return error.code === "EXECABORT"
})
assert.equal(await conn.command(["GET", key("alice")]), "70")

// A command that fails while it runs does not undo the others: Redis has no rollback. Its error stands in its place.
const mixed = await conn.transactionPipeline([
  ["LPUSH", key("alice"), "not a list"],
  ["INCR", key("bob")],
])
assert.ok(mixed?.[0] instanceof RedisError)
assert.equal(mixed?.[0].code, "WRONGTYPE")
assert.equal(mixed?.[1], 51)

// WATCH: read, decide, and write only if nobody has changed the key meanwhile. What is watched belongs to the
// connection, so this needs one that no other caller uses: `duplicate` opens one with the same options. It must not
// reconnect either, or a WATCH that was lost in between would go unnoticed.
const own = conn.duplicate({ exitOnDisconnection: true })
let attempts = 0

async function takeOne(interfere: () => Promise<unknown>): Promise<number> {
  for (;;) {
    attempts++
    await own.command(["WATCH", key("stock")])
    const stock = Number(await own.command(["GET", key("stock")]))
    if (stock === 0) {
      await own.command(["UNWATCH"])
      throw new Error("sold out")
    }
    await interfere()
    const done = await own.transactionPipeline([["SET", key("stock"), stock - 1]])
    if (done !== null) return stock - 1
    console.log("somebody was faster, once more")
  }
}

await conn.command(["SET", key("stock"), 10])
const left = await takeOne(async () => {
  // Another buyer, in the middle of the first attempt.
  if (attempts === 1) await conn.command(["DECR", key("stock")])
})
assert.equal(left, 8)
assert.equal(attempts, 2)
console.log(`left in stock: ${left}, attempts: ${attempts}`)

await conn.command(["DEL", ...keys])
await Promise.all([conn.close(), own.close()])
