// Lua scripts: several steps on the server as one. Sent by their digest, and with their text only where it is unknown.
import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { type Argument, type Commands, RedisError, Redix, type Reply } from "@redix/client"

class Script {
  readonly #text: string
  readonly #digest: string

  constructor(text: string) {
    this.#text = text
    this.#digest = createHash("sha1").update(text).digest("hex")
  }

  /** What the script returns. NOSCRIPT means that nothing has run, so sending the whole text then is no repetition. */
  async run(redis: Commands, keys: readonly Argument[], args: readonly Argument[]): Promise<Reply> {
    try {
      return await redis.command(["EVALSHA", this.#digest, keys.length, ...keys, ...args])
    } catch (error) {
      if (!(error instanceof RedisError) || error.code !== "NOSCRIPT") throw error
      return redis.command(["EVAL", this.#text, keys.length, ...keys, ...args])
    }
  }
}

/** Takes an amount from an account, unless there is too little on it: 1 if it was taken, 0 if not. */
const withdraw = new Script(`
  local balance = tonumber(redis.call("GET", KEYS[1]) or "0")
  if balance < tonumber(ARGV[1]) then return 0 end
  redis.call("DECRBY", KEYS[1], ARGV[1])
  return 1
`)

/** Frees a lock, if the caller is who holds it. */
const unlock = new Script(`
  if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
  return 0
`)

const conn = await Redix.connect(process.env["REDIS_URL"] ?? "redis://localhost:6379")
const account = "redix-example:12:account"
const lock = "redix-example:12:lock"
await conn.command(["DEL", account, lock])
await conn.command(["SET", account, 100])

// Three withdrawals at once, of which only two can be paid.
const results = await Promise.all([40, 40, 40].map((amount) => withdraw.run(conn, [account], [amount])))
assert.deepEqual(results, [1, 1, 0])
assert.equal(await conn.command(["GET", account]), "20")
console.log("withdrawals:", results, "left:", await conn.command(["GET", account]))

// A lock that only its holder can free.
await conn.command(["SET", lock, "token of anna", "NX", "PX", 5000])
assert.equal(await unlock.run(conn, [lock], ["token of ben"]), 0)
assert.equal(await unlock.run(conn, [lock], ["token of anna"]), 1)
console.log("the lock was freed by its holder, and by nobody else")

// An error that a script raises is an error reply like any other.
const failing = new Script(`return redis.error_reply("MYERROR something is wrong")`)
await assert.rejects(
  failing.run(conn, [], []),
  (error) => error instanceof RedisError && error.code === "MYERROR",
)

await conn.command(["DEL", account, lock])
await conn.close()
