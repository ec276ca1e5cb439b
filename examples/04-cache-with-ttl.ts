// A cache of JSON values that expire, and that survives a Redis which is away: then it is as if nothing were cached.
import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { type Commands, Redix } from "@redix/client"

/** Asks for `Commands`, the part that every client of this package has, instead of for a class. */
class Cache {
  /** A cache that is slower than what it saves is none: after this time it goes without. */
  static readonly #patience = { timeout: 500 }
  readonly #redis: Commands
  readonly #prefix: string

  constructor(redis: Commands, prefix: string) {
    this.#redis = redis
    this.#prefix = prefix
  }

  /** The cached value, or the one that `load` makes, which is then cached for `ttlMs` ms. */
  async get<T>(key: string, ttlMs: number, load: () => Promise<T>): Promise<T> {
    const cached = await this.#redis.safe.command(["GET", this.#prefix + key], Cache.#patience)
    if (cached.ok && cached.value !== null) return JSON.parse(cached.value)
    const value = await load()
    const text = JSON.stringify(value)
    await this.#redis.safe.command(["SET", this.#prefix + key, text, "PX", ttlMs], Cache.#patience)
    return value
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#redis.command(["DEL", this.#prefix + key])) === 1
  }

  async has(key: string): Promise<boolean> {
    return (await this.#redis.command(["EXISTS", this.#prefix + key])) === 1
  }
}

interface User {
  readonly id: number
  readonly name: string
}

let queries = 0
async function queryDatabase(id: number): Promise<User> {
  queries++
  return { id, name: "Alice" }
}

const conn = await Redix.connect(process.env["REDIS_URL"] ?? "redis://localhost:6379")
const cache = new Cache(conn, "redix-example:04:")
await cache.delete("user:1")

const fresh = await cache.get("user:1", 1500, () => queryDatabase(1))
const cached = await cache.get("user:1", 1500, () => queryDatabase(1))
assert.deepEqual(fresh, { id: 1, name: "Alice" })
assert.deepEqual(cached, fresh)
assert.equal(queries, 1)
assert.ok(await cache.has("user:1"))
console.log("two reads, database queries:", queries)

await sleep(1600)
assert.equal(await cache.has("user:1"), false)
await cache.get("user:1", 1500, () => queryDatabase(1))
assert.equal(queries, 2)
console.log("after the time to live, database queries:", queries)

assert.equal(await cache.delete("user:1"), true)
await conn.close()

// The connection is closed for good now, yet the cache goes on: it only no longer saves anything.
const withoutRedis = await cache.get("user:1", 1500, () => queryDatabase(1))
assert.deepEqual(withoutRedis, fresh)
assert.equal(queries, 3)
console.log("without Redis, database queries:", queries)
