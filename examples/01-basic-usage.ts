// Start, send a command, read its reply, send several at once, meet an error, close.
import assert from "node:assert/strict"
import { RedisError, Redix, unwrap } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const key = (name: string) => `redix-example:01:${name}`

// `connect` resolves once the connection stands. `Redix.start(url)` returns at once and connects in the background.
const conn = await Redix.connect(url)
await conn.command(["DEL", key("greeting"), key("visits")])

// A command is an array: its name, then its arguments, as the Redis documentation writes them.
const reply = await conn.command(["SET", key("greeting"), "Hello, Redis!", "EX", 60])
assert.equal(reply, "OK")

const greeting = await conn.command(["GET", key("greeting")]) // typed string | null
assert.equal(greeting, "Hello, Redis!")
console.log("greeting:", greeting)

const missing = await conn.command(["GET", key("nothing-here")])
assert.equal(missing, null)
console.log("a missing key:", missing)

// A pipeline is one write and one round trip; the replies come in the order of the commands.
const [first, second, text] = unwrap(
  await conn.pipeline([
    ["INCR", key("visits")],
    ["INCRBY", key("visits"), 4],
    ["GET", key("visits")],
  ]),
)
assert.deepEqual([first, second, text], [1, 5, "5"])
console.log("visits:", first, "then", second)

// Commands that are not awaited one by one travel together as well.
const values = await Promise.all([1, 2, 3].map((n) => conn.command(["ECHO", n])))
assert.deepEqual(values, ["1", "2", "3"])

// An error reply rejects the promise with a RedisError. It has the server's code and the name of the command.
await assert.rejects(conn.command(["INCR", key("greeting")]), (error) => {
  assert.ok(error instanceof RedisError)
  console.log(`the server said no to ${error.command}: ${error.message}`)
  return error.code === "ERR"
})

// `safe` has the same methods, but failures are values there and nothing rejects.
const result = await conn.safe.command(["INCR", key("greeting")])
assert.equal(result.ok, false)

await conn.command(["DEL", key("greeting"), key("visits")])
await conn.close()
