/** Commands that are too short for their arity are errors where their length is known. Compiled only. */
import type { Argument, Command, Commands, ConnectionError, RedisError, Redix, ReplyOf } from "@redix/client"
import { unwrap } from "@redix/client"
import { same } from "./equal.ts"

export async function tooShort(conn: Redix, conn3: Redix<3>, keys: string[], unknownName: string) {
  // @ts-expect-error GET needs a key
  await conn.command(["GET"])
  // @ts-expect-error in any letter case
  await conn.command(["get"])
  // @ts-expect-error SET needs a value
  await conn.command(["SET", "key"])
  // @ts-expect-error the name of a container is no command
  await conn.command(["CONFIG"])
  // @ts-expect-error CONFIG GET needs a parameter
  await conn.command(["CONFIG", "GET"])
  // @ts-expect-error on a connection of protocol 3 as well
  await conn3.command(["HSET", "key", "field"])
  // @ts-expect-error with options as well
  await conn.command(["GET"], { encoding: "buffer" })
  // @ts-expect-error without rejections as well
  await conn.safe.command(["GET"])

  // @ts-expect-error the second command is too short
  await conn.pipeline([["INCR", "a"], ["GET"]])
  // @ts-expect-error in a transaction as well
  await conn.transactionPipeline([["INCR"], ["GET", "a"]])
  // @ts-expect-error without rejections as well
  await conn.safe.pipeline([["INCR"]])

  // @ts-expect-error without a reply as well
  await conn.noreplyCommand(["INCR"])
  await conn.noreplyPipeline([
    ["INCR", "a"],
    // @ts-expect-error without replies as well
    ["SET", "a"],
  ])

  // What is long enough, or not known to be too short, is none.
  await conn.command(["PING"])
  await conn.command(["PING", "hello"])
  await conn.command(["COMMAND"])
  await conn.command(["DEL", ...keys])
  await conn.command(["CONFIG", "GET", ...keys])
  await conn.command(["CONFIG", unknownName])
  await conn.command([unknownName])
  await conn.command(keys)
  await conn.command(["UNKNOWN"])
  await conn.command(["UNKNOWN.SUB", "X"])
  await conn.pipeline(keys.map((key) => ["GET", key]))
  await conn.pipeline(keys.map((key) => ["GET", key] as const))
  await conn.pipeline([["UNKNOWN"], ["PING"], keys, ["DEL", ...keys]])
  const built: Command[] = []
  await conn.pipeline(built)
  const list: Argument[][] = [["SET", "k", 1]]
  await conn.pipeline(list)
  const either: readonly ["SELECT", 5] | readonly ["select", "5"] | readonly [Buffer, Buffer] = ["SELECT", 5]
  await conn.command(either)
  const count = await conn.command(["INCR", "k"] as ["INCR", "k"] | ["LLEN", "k"])
  same<typeof count, number>(true)
  const one: Command = ["GET"]
  await conn.command(one)
}

export async function wrappers(conn: Redix, conn3: Redix<3>, both: Redix<2 | 3>) {
  function run<const C extends Command>(command: C): Promise<ReplyOf<C>> {
    return conn.command(command)
  }
  same<Awaited<ReturnType<typeof run<["INCR", string]>>>, number>(true)
  const got = await run(["GET", "k"])
  same<typeof got, string | null>(true)

  function run3<const C extends Command>(command: C): Promise<ReplyOf<C, 3>> {
    return conn3.command(command)
  }
  const map = await run3(["HGETALL", "k"])
  same<typeof map, Map<string, string>>(true)

  function runBytes<const C extends Command>(command: C): Promise<ReplyOf<C, 2, "buffer">> {
    return conn.command(command, { encoding: "buffer" })
  }
  const bytes = await runBytes(["GET", "k"])
  same<typeof bytes, Buffer | null>(true)

  async function all<const Cs extends readonly Command[]>(commands: Cs) {
    return unwrap(await conn.pipeline(commands))
  }
  const [count, value] = await all([
    ["INCR", "a"],
    ["GET", "b"],
  ])
  same<typeof count, number>(true)
  same<typeof value, string | null>(true)

  async function inTransaction<const Cs extends readonly Command[]>(commands: Cs) {
    return conn.transactionPipeline(commands)
  }
  const replies = await inTransaction([["INCR", "a"]])
  same<typeof replies, [number | RedisError] | null>(true)

  function runOn<P extends 2 | 3, const C extends Command>(
    commands: Commands<P>,
    command: C,
  ): Promise<ReplyOf<C, P>> {
    return commands.command(command)
  }
  const two = await runOn(conn, ["HGETALL", "k"])
  same<typeof two, string[]>(true)
  const three = await runOn(conn3, ["HGETALL", "k"])
  same<typeof three, Map<string, string>>(true)
  const either = await both.command(["HGETALL", "k"])
  same<typeof either, string[] | Map<string, string>>(true)
}

/** A client whose commands fail one by one, as those of a cluster do. */
export async function failures(cluster: Commands<2, RedisError | ConnectionError>, conn: Redix) {
  const any: Commands[] = [cluster, conn]
  const [count] = (await any[0]?.pipeline([["INCR", "a"]])) ?? []
  same<typeof count, number | RedisError | ConnectionError | undefined>(true)
  const [own] = await conn.pipeline([["INCR", "a"]])
  same<typeof own, number | RedisError>(true)
  const values = unwrap(await cluster.pipeline([["INCR", "a"]]))
  same<typeof values, [number]>(true)
  // @ts-expect-error its failures are more than those of one connection
  const narrow: Commands<2, RedisError> = cluster
  return narrow
}

export function variance(two: Commands<2>, three: Commands<3>, conn: Redix, conn3: Redix<3>) {
  // @ts-expect-error a Redix<3> is not a Redix
  const wrong: Redix = conn3
  // @ts-expect-error nor the other way round
  const wrong3: Redix<3> = conn
  const both: Redix<2 | 3>[] = [conn, conn3]
  const commands: Commands<2 | 3>[] = [two, three, conn, conn3]
  return [wrong, wrong3, both, commands]
}
