// A pool: commands of all callers on a few connections, and connections of one's own for what would hold up the others.
import assert from "node:assert/strict"
import { Pool } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const key = (name: string) => `redix-example:14:${name}`
const keys = [key("stock"), key("jobs"), key("sold")]

const pool = await Pool.connect(url, { size: 3, maxDedicated: 10 })
await pool.command(["DEL", ...keys])
await pool.command(["SET", key("stock"), 3])

// A worker that waits has a connection of its own: the commands below do not wait behind it.
const job = pool.command(["BLPOP", key("jobs"), 0])
assert.equal(await pool.command(["PING"]), "PONG")

// What would change a shared connection is refused, and the error says what to use instead.
await assert.rejects(pool.command(["WATCH", key("stock")]), (error: Error) => {
  console.log(error.message)
  return error instanceof TypeError
})

// Optimistic locking: five buyers at once, three items, and none is sold twice.
async function buy(buyer: number): Promise<boolean> {
  const replies = await pool.watch(
    key("stock"),
    async (conn) => {
      const stock = Number(await conn.command(["GET", key("stock")]))
      if (stock === 0) return null
      return [
        ["SET", key("stock"), stock - 1],
        ["RPUSH", key("sold"), buyer],
      ]
    },
    { retries: 100 },
  )
  return replies !== null
}

const bought = await Promise.all([1, 2, 3, 4, 5].map(buy))
console.log("who got one:", bought)
assert.equal(bought.filter(Boolean).length, 3)
assert.equal(await pool.command(["GET", key("stock")]), "0")
assert.equal(await pool.command(["LLEN", key("sold")]), 3)

// A connection for a while: given back by `use`, also when the callback throws.
const name = await pool.use(async (conn) => {
  await conn.command(["CLIENT", "SETNAME", "report"])
  return conn.command(["CLIENT", "GETNAME"])
})
assert.equal(name, "report")

// The same by hand. A connection that goes back is clean: this MULTI is discarded.
const conn = await pool.checkout({ timeout: 1000 })
await conn.command(["MULTI"])
await conn.command(["SET", key("stock"), 1000])
await conn.release()
assert.equal(await pool.command(["GET", key("stock")]), "0")

await pool.command(["RPUSH", key("jobs"), "send mail"])
console.log("the worker got", await job)

await pool.command(["DEL", ...keys])
await pool.close()
