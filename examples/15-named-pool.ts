// A pool made of connections with names, for those who want to choose the connection by themselves. For everything
// else there is Pool: 14-pool.ts.
import assert from "node:assert/strict"
import { type Command, Pool, Redix, type ReplyOf } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const key = (name: string) => `redix-example:15:${name}`
const SIZE = 5

// At the start of the application.
for (let index = 0; index < SIZE; index++) Redix.start(url, { name: `example-redix-${index}` })

/** One command on any of them. The reply keeps its type. */
function command<const C extends Command>(command: C): Promise<ReplyOf<C>> {
  const index = Math.floor(Math.random() * SIZE)
  return Redix.named(`example-redix-${index}`).command(command)
}

/** Requests for the same user keep their order: they go to the same connection. */
function forUser(id: number): Redix {
  return Redix.named(`example-redix-${id % SIZE}`)
}

assert.equal(await command(["PING"]), "PONG")

const replies = await Promise.all([
  forUser(42).command(["SET", key("cart"), "book"]),
  forUser(42).command(["APPEND", key("cart"), ", pen"]),
  forUser(42).command(["GET", key("cart")]),
])
console.log("in order:", replies)
assert.deepEqual(replies, ["OK", 9, "book, pen"])

// A Pool has one name for all of its connections, and picks one that is up and has little to do.
Pool.start(url, { name: "example-pool", size: SIZE })
console.log(await Pool.named("example-pool").command(["GET", key("cart")]))

// At the end of the application.
await command(["DEL", key("cart")])
await Promise.all(Array.from({ length: SIZE }, (_, index) => Redix.named(`example-redix-${index}`).close()))
await Pool.named("example-pool").close()
assert.equal(Redix.whereis("example-redix-0"), undefined)
