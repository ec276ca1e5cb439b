/** Section 7 of the contract, the types. The compiler is the judge; the run only shows that the file is one of the tests. */
import assert from "node:assert/strict"
import { test } from "node:test"
import type {
  Checkout,
  Commands,
  ConnectionError,
  ConnectionEvent,
  DisconnectionEvent,
  PoolOptions,
  RedisError,
  RedixOptions,
  Status,
} from "@redix/client"
import { Pool } from "@redix/client"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only where both types are the same. */
function same<A, B>(_proof: Equal<A, B>): void {}

/** Never called: compiled only. */
export async function compiled(pool: Pool, pool3: Pool<3>, signal: AbortSignal) {
  // Replies are typed as on one connection.
  const get = await pool.command(["GET", "k"])
  same<typeof get, string | null>(true)
  const bytes = await pool.command(["GET", "k"], { encoding: "buffer" })
  same<typeof bytes, Buffer | null>(true)
  const replies = await pool.pipeline([
    ["SET", "a", "1"],
    ["INCR", "a"],
  ])
  // A pool's pipeline has no ConnectionError in it.
  same<(typeof replies)[1], number | RedisError>(true)
  const flat = await pool.command(["HGETALL", "k"])
  same<typeof flat, string[]>(true)
  const map = await pool3.command(["HGETALL", "k"])
  same<typeof map, Map<string, string>>(true)

  // A connection of one's own has the pool's protocol and the same replies.
  const conn = await pool.checkout({ timeout: 1000, signal })
  same<typeof conn.protocol, 2>(true)
  const mine = await conn.command(["INCR", "k"])
  same<typeof mine, number>(true)
  await conn.release()
  const conn3 = await pool3.checkout()
  same<typeof conn3.protocol, 3>(true)
  const ownMap = await conn3.command(["HGETALL", "k"])
  same<typeof ownMap, Map<string, string>>(true)
  const checkout: Checkout = conn
  const status: Status = checkout.status
  const ownCommands: Commands = checkout
  await using disposed = await pool.checkout({ timeout: undefined, signal: undefined })
  disposed.destroy()

  // use gives the callback's value.
  const value = await pool.use(async (own) => {
    same<typeof own.protocol, 2>(true)
    return own.command(["INCR", "k"])
  })
  same<typeof value, number>(true)
  const nothing = await pool.use(async () => {}, { timeout: 1000, signal })
  same<typeof nothing, void>(true)

  // watch gives EXEC's replies, or null.
  const watched = await pool.watch(
    ["a", Buffer.from("b")],
    async (own) => {
      const before = await own.command(["GET", "a"])
      same<typeof before, string | null>(true)
      return [
        ["SET", "a", "1"],
        ["INCR", "b"],
      ]
    },
    { retries: 10, timeout: 1000, signal },
  )
  same<null extends typeof watched ? true : false, true>(true)
  if (watched !== null) same<(typeof watched)[1], number | RedisError>(true)
  const mayGiveUp = await pool.watch(["a"], async (own) =>
    (await own.command(["GET", "a"])) === null ? null : [["INCR", "a"]],
  )
  if (mayGiveUp !== null) same<(typeof mayGiveUp)[0], number | RedisError>(true)

  // A Pool<3> is no Pool; both are a Pool<2 | 3>, and what libraries ask for.
  // @ts-expect-error replies of protocol 3 are others
  const wrong: Pool = pool3
  const either: readonly Pool<2 | 3>[] = [pool, pool3]
  const commands: Commands = pool
  const commands3: Commands<3> = pool3
  const any: readonly Commands<2 | 3>[] = [pool, pool3]
  same<typeof pool.protocol, 2>(true)

  // Options: those of a connection and three more, each of which may be undefined.
  const options: PoolOptions = {
    size: undefined,
    strategy: undefined,
    maxDedicated: undefined,
    port: undefined,
  }
  const strategies: PoolOptions[] = [
    { strategy: "least-busy" },
    { strategy: "round-robin" },
    { strategy: "random" },
    // @ts-expect-error no such strategy
    { strategy: "fastest" },
    // @ts-expect-error size is a number
    { size: "5" },
  ]
  const plain: RedixOptions = { port: 6379 }
  const wider: PoolOptions = plain
  const started3 = Pool.start({ protocol: 3, size: 2 })
  same<typeof started3, Pool<3>>(true)
  const connected3 = await Pool.connect("redis://localhost", { protocol: 3 })
  same<typeof connected3, Pool<3>>(true)
  const named: { command: unknown } = Pool.named("pool")

  // Its life.
  const ended = await pool.closed
  same<typeof ended, ConnectionError | undefined>(true)
  same<typeof pool.name, string | undefined>(true)
  same<typeof pool.status, Status>(true)
  pool.on("connection", (event) => same<typeof event, ConnectionEvent>(true))
  pool.once("disconnection", (event) => same<typeof event, DisconnectionEvent>(true))
  // @ts-expect-error there is no error event
  pool.on("error", () => {})

  return { status, ownCommands, wrong, either, commands, commands3, any, options, strategies, wider, named }
}

test("the types of a pool compile", () => {
  assert.equal(typeof compiled, "function")
})
