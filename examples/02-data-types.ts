// Strings, lists, sets, hashes and sorted sets, with the replies that each command gives.
import assert from "node:assert/strict"
import { Redix } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const key = (name: string) => `redix-example:02:${name}`
const keys = ["username", "page-views", "tasks", "languages", "user:1", "scores"].map(key)

const conn = await Redix.connect(url)
await conn.command(["DEL", ...keys])

// Strings. Counters are strings as well: the server adds, so that no two callers can overwrite each other.
await conn.command(["SET", key("username"), "alice"])
const username = await conn.command(["GET", key("username")])
const one = await conn.command(["INCR", key("page-views")])
const six = await conn.command(["INCRBY", key("page-views"), 5])
assert.deepEqual([username, one, six], ["alice", 1, 6])
console.log("strings:", { username, one, six })

// Lists have two ends.
await conn.command(["LPUSH", key("tasks"), "task1"])
await conn.command(["LPUSH", key("tasks"), "task2"])
await conn.command(["RPUSH", key("tasks"), "task3"])
const tasks = await conn.command(["LRANGE", key("tasks"), 0, -1])
const next = await conn.command(["LPOP", key("tasks")])
assert.deepEqual(tasks, ["task2", "task1", "task3"])
assert.equal(next, "task2")
console.log("list:", tasks, "of which the first is", next)

// Sets have no order and no duplicates.
const added = await conn.command(["SADD", key("languages"), "typescript", "elixir", "rust", "rust"])
const members = await conn.command(["SMEMBERS", key("languages")])
const isMember = await conn.command(["SISMEMBER", key("languages"), "elixir"])
assert.equal(added, 3)
assert.deepEqual(new Set(members), new Set(["typescript", "elixir", "rust"]))
assert.equal(isMember, 1)
console.log("set:", members)

// Hashes. HGETALL comes as the flat list that the server sends: field, value, field, value.
await conn.command(["HSET", key("user:1"), "name", "Alice", "age", 30])
const name = await conn.command(["HGET", key("user:1"), "name"])
const flat = await conn.command(["HGETALL", key("user:1")])
assert.equal(name, "Alice")
assert.deepEqual(flat, ["name", "Alice", "age", "30"])

function pairs(list: readonly string[]): Record<string, string> {
  const entries: [string, string][] = []
  for (let i = 0; i + 1 < list.length; i += 2) entries.push([list[i] ?? "", list[i + 1] ?? ""])
  return Object.fromEntries(entries)
}
assert.deepEqual(pairs(flat), { name: "Alice", age: "30" })
console.log("hash:", pairs(flat))

// With protocol 3 the server itself says that it is a map, and the reply is a Map.
const conn3 = await Redix.connect(url, { protocol: 3 })
const map = await conn3.command(["HGETALL", key("user:1")])
assert.equal(map.get("age"), "30")
console.log("hash with protocol 3:", map)
await conn3.close()

// Sorted sets keep their members in the order of their scores.
await conn.command(["ZADD", key("scores"), 30, "carol", 10, "alice", 20, "bob"])
const ranking = await conn.command(["ZRANGE", key("scores"), 0, -1])
assert.deepEqual(ranking, ["alice", "bob", "carol"])
console.log("sorted set:", ranking)

// Integers beyond 2^53 - 1 come as a bigint, so that no digit is ever wrong.
await conn.command(["SET", key("page-views"), 9_007_199_254_740_993n])
const huge: number | bigint = await conn.command(["INCR", key("page-views")])
assert.equal(huge, 9_007_199_254_740_994n)
console.log("a large integer:", huge)

await conn.command(["DEL", ...keys])
await conn.close()
