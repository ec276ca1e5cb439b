/** Types of a pool: replies, checkouts, and what `watch` makes of its callback. Compiled only. */
import type { Checkout, Commands, Pool, PoolOptions, RedisError, Redix } from "@redix/client"
import { same } from "./equal.ts"

export async function replies(pool: Pool, pool3: Pool<3>): Promise<void> {
  const value = await pool.command(["GET", "k"])
  same<typeof value, string | null>(true)
  const hash = await pool3.command(["HGETALL", "k"])
  same<typeof hash, Map<string, string>>(true)
  const [count] = await pool.pipeline([["INCR", "k"]])
  same<typeof count, number | RedisError>(true)
}

export async function watched(pool: Pool, pool3: Pool<3>): Promise<void> {
  const awaited = await pool.watch(["k"], async (conn) => {
    const value = await conn.command(["GET", "k"])
    return [
      ["SET", "k", Number(value) + 1],
      ["INCR", "k"],
    ]
  })
  same<typeof awaited, ["OK" | RedisError, number | RedisError] | null>(true)
  const givesUp = await pool.watch("k", async (conn) => {
    const value = await conn.command(["GET", "k"])
    return value === null ? null : [["INCR", "k"]]
  })
  same<typeof givesUp, [number | RedisError] | null>(true)
  const atOnce = await pool3.watch("k", () => [["HGETALL", "k"]], { retries: 3 })
  same<typeof atOnce, [Map<string, string> | RedisError] | null>(true)
}

export async function checkouts(pool: Pool, pool3: Pool<3>): Promise<void> {
  const conn = await pool.checkout({ timeout: undefined, signal: undefined })
  same<typeof conn, Checkout>(true)
  const redix: Redix = conn
  const either: Redix<2 | 3> = await pool3.checkout()
  // @ts-expect-error The replies are those of another protocol.
  const wrong: Redix = await pool3.checkout()
  const used = await pool.use((each) => each.command(["INCR", "k"]))
  same<typeof used, number>(true)
  const plain = await pool.use(() => "done")
  same<typeof plain, string>(true)
  await Promise.all([redix.close(), either.close(), wrong.close()])
}

export function assignable(pool: Pool, pool3: Pool<3>): readonly unknown[] {
  const commands: Commands<2, RedisError> = pool
  const either: Pool<2 | 3> = pool3
  // @ts-expect-error A pool of another protocol.
  const wrong: Pool = pool3
  const options: PoolOptions = { size: undefined, strategy: "random", maxDedicated: 3, host: "localhost" }
  return [commands, either, wrong, options]
}
