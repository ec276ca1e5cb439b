// A cluster: keys and their slots, pipelines over many nodes, what has to stay in one slot, and what is asked of every node.
import assert from "node:assert/strict"
import { Cluster, RedisError, RedixError, unwrap } from "@redix/client"

const nodes = (process.env["REDIS_CLUSTER"] ?? "redis://localhost:7000").split(",")
const prefix = "redix-example:16"

// One node is enough to find the others; two or three are better, since the one may be away.
const cluster = await Cluster.connect({ nodes })
console.log(
  "primaries:",
  cluster
    .nodes("primary")
    .map(({ host, port }) => `${host}:${port}`)
    .join(", "),
)

// Single commands are as everywhere: each goes to the node that has its key.
await cluster.command(["SET", `${prefix}:greeting`, "hello", "EX", 60])
assert.equal(await cluster.command(["GET", `${prefix}:greeting`]), "hello")

// A pipeline is divided among the nodes and sent to all at the same time. Its replies are in the order of its commands.
const counters = Array.from({ length: 100 }, (_, index) => `${prefix}:counter:${index}`)
const counts = unwrap(await cluster.pipeline(counters.map((key) => ["INCRBY", key, 5] as const)))
assert.deepEqual(new Set(counts), new Set([5]))

// It fails command by command: an error of a server or of a connection stands in the place of the reply.
const replies = await cluster.pipeline([
  ["LPUSH", `${prefix}:greeting`, "not a list"],
  ["GET", `${prefix}:greeting`],
])
for (const reply of replies) console.log(reply instanceof RedixError ? `failed: ${reply.message}` : reply)
assert.ok(replies[0] instanceof RedisError)
assert.equal(replies[1], "hello")

// Keys with the same text between braces are in one slot. That is what everything needs that is to be done at once.
const user = (field: string) => `${prefix}:{user:1}:${field}`
const transaction = await cluster.transactionPipeline([
  ["SET", user("name"), "Ada"],
  ["INCR", user("visits")],
  ["MGET", user("name"), user("visits")],
])
console.log("in one transaction:", transaction)
assert.deepEqual(unwrap(transaction)?.[2], ["Ada", "1"])

// Without it the keys are in several slots, and the transaction is sent nowhere.
await assert.rejects(
  cluster.transactionPipeline([
    ["INCR", counters[0] ?? ""],
    ["INCR", counters[1] ?? ""],
  ]),
  (error) => error instanceof RedisError && error.code === "CROSSSLOT",
)

// MGET, MSET, DEL, UNLINK, EXISTS and TOUCH do without, if they need not be atomic: `split` says so.
const values = await cluster.command(["MGET", ...counters], { split: true })
assert.deepEqual(values, new Array(100).fill("5"))

// Optimistic locking, at the node that has the key.
async function book(): Promise<boolean> {
  const booked = await cluster.watch(
    user("seats"),
    async (conn) => {
      const seats = Number(await conn.command(["GET", user("seats")]))
      return seats > 0 ? [["SET", user("seats"), seats - 1]] : null
    },
    { retries: 100 },
  )
  return booked !== null
}
await cluster.command(["SET", user("seats"), 2])
const booked = await Promise.all([book(), book(), book()])
console.log("who got a seat:", booked)
assert.equal(booked.filter(Boolean).length, 2)

// A connection of one's own, to the node of a key.
const name = await cluster.use(
  async (conn) => {
    await conn.command(["CLIENT", "SETNAME", "report"])
    return conn.command(["CLIENT", "GETNAME"])
  },
  { key: user("name") },
)
assert.equal(name, "report")

// What concerns every node is asked of every node: DBSIZE, FLUSHALL, CONFIG SET, SCRIPT LOAD.
const sizes = await Promise.all(
  cluster.nodes("primary").map(async ({ host, port, connection }) => {
    return `${host}:${port} has ${await connection.command(["DBSIZE"])}`
  }),
)
console.log(sizes.join(", "))

// The keys of all primaries, a few at a time.
const found: string[] = []
for await (const key of cluster.scan({ match: `${prefix}:*`, count: 100 })) found.push(key)
console.log("keys found:", found.length)
assert.ok(counters.every((key) => found.includes(key)))

await cluster.command(["UNLINK", ...found], { split: true })
await cluster.close()
