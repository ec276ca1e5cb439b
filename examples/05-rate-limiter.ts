// At most so many requests in each window of time, counted on the server for all processes together.
import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { type Commands, Redix, unwrap } from "@redix/client"

interface Verdict {
  readonly isAllowed: boolean
  readonly count: number
  /** Time until the window ends, in ms. */
  readonly resetMs: number
}

/**
 * One transaction, one round trip. The window begins with the first request in it: SET … NX starts it and leaves a
 * running one alone. (EXPIRE after every INCR would move its end with each request, and a busy client would never get
 * out of it.)
 */
async function checkRateLimit(
  redis: Commands,
  identifier: string,
  limit: number,
  windowMs: number,
): Promise<Verdict> {
  const key = `redix-example:05:${identifier}`
  const replies = await redis.transactionPipeline([
    ["SET", key, 0, "PX", windowMs, "NX"],
    ["INCR", key],
    ["PTTL", key],
  ])
  // null is only possible after a WATCH, and there is none here.
  assert.ok(replies !== null)
  const [, count, resetMs] = unwrap(replies)
  return { isAllowed: count <= limit, count, resetMs }
}

const conn = await Redix.connect(process.env["REDIS_URL"] ?? "redis://localhost:6379")
await conn.command(["DEL", "redix-example:05:user:123"])

// Five requests at once where three are allowed.
const verdicts = await Promise.all([1, 2, 3, 4, 5].map(() => checkRateLimit(conn, "user:123", 3, 500)))
for (const { isAllowed, count } of verdicts) {
  console.log(`request ${count}: ${isAllowed ? "allowed" : "refused"}`)
}
assert.deepEqual(
  verdicts.map(({ isAllowed }) => isAllowed),
  [true, true, true, false, false],
)
const [verdict] = verdicts
assert.ok(verdict !== undefined && verdict.resetMs > 0 && verdict.resetMs <= 500)

await sleep(600)
const later = await checkRateLimit(conn, "user:123", 3, 500)
assert.deepEqual([later.isAllowed, later.count], [true, 1])
console.log("in the next window: allowed again")

await conn.command(["DEL", "redix-example:05:user:123"])
await conn.close()
