/** A user's program, compiled against the packed package by `scripts/check-consumers.ts` with several compilers. */
import {
  type Command,
  type Commands,
  type RedisError,
  Redix,
  type Reply,
  type ReplyOf,
  unwrap,
} from "@redix/client"
import { type InstrumentOptions, instrument } from "@redix/client/opentelemetry"

declare module "@redix/client" {
  interface Replies {
    "MY.CMD": number
    "MY.LIST": string[]
    "MYCONTAINER SUB": boolean
    GET: "my own"
  }
  interface Replies3 {
    "MY.LIST": Set<string>
  }
  interface Names {
    cache: Redix<3>
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_proof: Equal<A, B>): void {}

export async function main(conn: Redix, conn3: Redix<3>, key: string, keys: string[]): Promise<void> {
  const mine = await conn.command(["MY.CMD", key])
  same<typeof mine, number>(true)
  const lower = await conn3.command(["my.list", key])
  same<typeof lower, Set<string>>(true)
  const bytes = await conn.command(["MY.LIST", key], { encoding: "buffer" })
  same<typeof bytes, Buffer[]>(true)
  const sub = await conn.command(["mycontainer", "sub", key])
  same<typeof sub, boolean>(true)
  const overridden = await conn.command(["GET", key])
  same<typeof overridden, "my own">(true)
  const other = await conn.command(["MY.OTHER", key])
  same<typeof other, Reply>(true)
  const named = Redix.named("cache")
  same<typeof named, Redix<3>>(true)

  const replies = await conn.pipeline([
    ["INCR", key],
    ["LRANGE", "l", 0, -1],
  ])
  same<typeof replies, [number | RedisError, string[] | RedisError]>(true)
  const [count] = unwrap(replies)
  same<typeof count, number>(true)
  const transaction = unwrap(await conn.transactionPipeline([["HGETALL", key]]))
  same<typeof transaction, [string[]] | null>(true)
  const many = await conn.pipeline(keys.map((name) => ["HGETALL", name] as const))
  same<typeof many, (string[] | RedisError)[]>(true)

  // @ts-expect-error too short
  await conn.command(["INCR"])
  await conn.pipeline([
    ["INCR", key],
    // @ts-expect-error too short
    ["LRANGE", "l"],
  ])
  await conn.command(["DEL", ...keys])

  function run<const C extends Command>(command: C): Promise<ReplyOf<C>> {
    return conn.command(command)
  }
  const wrapped = await run(["SET", key, "value", "GET"])
  same<typeof wrapped, string | null>(true)

  const either: Commands<2 | 3>[] = [conn, conn3]
  await either[0]?.command(["PING"])
  const undo: () => void = instrument({ queryText: "none" } satisfies InstrumentOptions)
  undo()

  // @ts-expect-error a Redix<3> is not a Redix
  const wrong: Redix = conn3
  void wrong
}
