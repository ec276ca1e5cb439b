/** Replies that go by options, and what must not mislead. Compiled only. */
import type { Redix, Reply, ReplyOf } from "@redix/client"
import { same } from "./equal.ts"

type Entries = [string, string[]][]

export function exact(): void {
  same<ReplyOf<["SET", "k", "v"]>, "OK">(true)
  same<ReplyOf<["SET", "k", "v", "EX", 60]>, "OK">(true)
  same<ReplyOf<["SET", "k", "v", "NX"]>, "OK" | null>(true)
  same<ReplyOf<["set", "k", "v", "px", 60, "xx"]>, "OK" | null>(true)
  same<ReplyOf<["SET", "k", "v", "GET"]>, string | null>(true)
  same<ReplyOf<["SET", "k", "v", "NX", "GET", "EX", 60]>, string | null>(true)
  same<ReplyOf<["LPOP", "l"]>, string | null>(true)
  same<ReplyOf<["LPOP", "l", 2]>, string[] | null>(true)
  same<ReplyOf<["SPOP", "s"]>, string | null>(true)
  same<ReplyOf<["SPOP", "s", 2], 3>, Set<string>>(true)
  same<ReplyOf<["SRANDMEMBER", "s", 2], 3>, string[]>(true)
  same<ReplyOf<["ZADD", "z", 1, "a"]>, number>(true)
  same<ReplyOf<["ZADD", "z", "XX", "INCR", 1, "a"]>, string | null>(true)
  same<ReplyOf<["ZADD", "z", "INCR", 1, "a"], 3>, number | null>(true)
  same<ReplyOf<["ZRANGE", "z", 0, -1, "WITHSCORES"]>, string[]>(true)
  same<ReplyOf<["ZRANGE", "z", 0, -1], 3>, string[]>(true)
  same<ReplyOf<["ZRANGE", "z", 0, -1, "REV", "LIMIT", 0, 5, "WITHSCORES"], 3>, [string, number][]>(true)
  same<ReplyOf<["ZUNION", 2, "a", "b", "WITHSCORES"], 3>, [string, number][]>(true)
  same<ReplyOf<["HRANDFIELD", "h", 2, "WITHVALUES"], 3>, [string, string][]>(true)
  same<ReplyOf<["ZRANDMEMBER", "z"]>, string | null>(true)
  same<ReplyOf<["LPOS", "l", "a", "COUNT", 0]>, number[]>(true)
  same<ReplyOf<["GEOSEARCH", "g", "FROMMEMBER", "m", "BYRADIUS", 1, "km", "WITHDIST"]>, [string, string][]>(
    true,
  )
  same<ReplyOf<["XREAD", "COUNT", 1, "STREAMS", "s", "0"]>, [string, Entries][] | null>(true)
  same<ReplyOf<["XREAD", "STREAMS", "s", "0"], 3>, Map<string, Entries> | null>(true)
  same<ReplyOf<["XRANGE", "s", "-", "+"]>, Entries>(true)
  same<ReplyOf<["XADD", "s", "*", "f", "v"]>, string>(true)
  same<ReplyOf<["XADD", "s", "NOMKSTREAM", "*", "f", "v"]>, string | null>(true)
  same<ReplyOf<["SCAN", 0]>, [string, string[]]>(true)
  same<ReplyOf<["EXEC"]>, Reply[] | null>(true)
  same<ReplyOf<["CLIENT", "KILL", "127.0.0.1:1"]>, "OK">(true)
  same<ReplyOf<["CLIENT", "KILL", "ID", 1]>, number>(true)
  same<ReplyOf<["config", "get", "*"], 3>, Map<string, string>>(true)
  same<ReplyOf<["EVAL", "return 1", 0]>, Reply>(true)
}

/** A key, a value or a member that is spelled like an option is none. */
export function notMisled(): void {
  same<ReplyOf<["SET", "GET", "NX"]>, "OK">(true)
  same<ReplyOf<["SET", "k", "v", "IFEQ", "GET"]>, "OK" | null>(true)
  same<ReplyOf<["ZADD", "z", 1, "INCR"]>, number>(true)
  same<ReplyOf<["ZADD", "INCR", 1, "a"]>, number>(true)
  same<ReplyOf<["LPOS", "COUNT", "COUNT"]>, number | null>(true)
  same<ReplyOf<["ZRANGE", "WITHSCORES", 0, -1], 3>, string[]>(true)
  same<ReplyOf<["ZUNION", 1, "WITHSCORES"], 3>, string[]>(true)
  same<ReplyOf<["SORT", "GET", "BY", "STORE"]>, string[]>(true)
  same<ReplyOf<["GEOSEARCH", "g", "FROMMEMBER", "WITHDIST", "BYRADIUS", 1, "km"]>, string[]>(true)
  same<ReplyOf<["GET", "SET"]>, string | null>(true)
  same<
    ReplyOf<["XREADGROUP", "GROUP", "g", "c", "STREAMS", "CLAIM", ">"]>,
    [string, [string, string[] | null][]][] | null
  >(true)
}

type Pattern = `N${string}`
type Branded = string & { readonly brand: "option" }

/** Where an option is not known when compiling, the reply is all that it may be. */
export function unsure(): void {
  same<ReplyOf<["SET", "k", "v", string]>, string | null>(true)
  same<ReplyOf<["SET", "k", "v", string | number]>, string | null>(true)
  same<ReplyOf<["SET", "k", "v", Buffer]>, string | null>(true)
  same<ReplyOf<["SET", "k", "v", Pattern]>, string | null>(true)
  same<ReplyOf<["SET", "k", "v", Branded]>, string | null>(true)
  same<ReplyOf<["SET", "k", "v", ...string[]]>, string | null>(true)
  same<ReplyOf<["SET", ...string[]]>, string | null>(true)
  same<ReplyOf<["SET", "k", "v", "NX" | "KEEPTTL"]>, "OK" | null>(true)
  same<ReplyOf<["SET", "k", "v", "NX"?]>, string | null>(true)
  same<ReplyOf<["LPOP", "l", ...number[]]>, string | string[] | null>(true)
  same<ReplyOf<["LPOP", "l", 2?]>, string | string[] | null>(true)
  same<ReplyOf<["ZRANGE", "z", 0, -1, ...string[]], 3>, string[] | [string, number][]>(true)
  same<ReplyOf<["ZUNION", number, ...string[]], 3>, string[] | [string, number][]>(true)
  // What belongs to an option is not looked at, and numbers are no options.
  same<ReplyOf<["SET", string, string, "EX", string]>, "OK">(true)
  same<ReplyOf<["SET", string, string, "EX", number]>, "OK">(true)
  same<ReplyOf<["ZADD", string, number, string]>, number>(true)
  same<ReplyOf<["ZADD", string, string, string]>, number | string | null>(true)
  // Names that are not known, or are several.
  same<ReplyOf<[string, "k"]>, Reply>(true)
  same<ReplyOf<string[]>, Reply>(true)
  same<ReplyOf<[Buffer, "k"]>, Reply>(true)
  same<ReplyOf<["NO.SUCH", "k"]>, Reply>(true)
  same<ReplyOf<["CONFIG", string, "x"]>, Reply>(true)
  same<ReplyOf<["GET" | "INCR", "k"]>, string | number | null>(true)
  same<ReplyOf<["GET", "k"] | ["INCR", "k"]>, string | number | null>(true)
  same<ReplyOf<["GET", "k"], 2 | 3>, string | null>(true)
  same<ReplyOf<["ZSCORE", "z", "a"], 2 | 3>, string | number | null>(true)
}

export function buffers(): void {
  same<ReplyOf<["SET", "k", "v"], 2, "buffer">, Buffer>(true)
  same<ReplyOf<["GET", "k"], 2, "utf8" | "buffer">, string | Buffer | null>(true)
  same<ReplyOf<["MGET", "k"], 2, "buffer">, (Buffer | null)[]>(true)
  same<ReplyOf<["HGETALL", "h"], 3, "buffer">, Map<string, Buffer>>(true)
  same<ReplyOf<["SMEMBERS", "s"], 3, "buffer">, Buffer[]>(true)
  same<ReplyOf<["XRANGE", "s", "-", "+"], 2, "buffer">, [Buffer, Buffer[]][]>(true)
  same<ReplyOf<["XREAD", "STREAMS", "s", "0"], 3, "buffer">, Map<string, [Buffer, Buffer[]][]> | null>(true)
  same<ReplyOf<["ZSCORE", "z", "a"], 3, "buffer">, number | null>(true)
  same<ReplyOf<["EVAL", "x", 0], 2, "buffer">, Reply>(true)
  same<ReplyOf<["XINFO", "STREAM", "s"], 3, "buffer">, Map<string, Reply>>(true)
}

/** The same through the methods, where the compiler has to find the literals by itself. */
export async function throughMethods(conn: Redix, ttl: number, options: string[]): Promise<void> {
  const ok = await conn.command(["SET", "k", "v", "EX", ttl])
  same<typeof ok, "OK">(true)
  const previous = await conn.command(["SET", "k", "v", "GET"])
  same<typeof previous, string | null>(true)
  const unknown = await conn.command(["SET", "k", "v", ...options])
  same<typeof unknown, string | null>(true)
  const list = await conn.command(["LPOP", "l", 2], { encoding: "buffer" })
  same<typeof list, Buffer[] | null>(true)
  // @ts-expect-error a string has no such method
  await conn.command(["GET", "k"]).then((value) => value?.toFixed())
  // @ts-expect-error the reply may be null
  await conn.command(["GET", "k"]).then((value) => value.length)
  // @ts-expect-error a number is no string
  const text: string = await conn.command(["INCR", "k"])
  // @ts-expect-error SET with NX may be null
  const sure: "OK" = await conn.command(["SET", "k", "v", "NX"])
  // @ts-expect-error under RESP2 scores are strings
  const score: number | null = await conn.command(["ZSCORE", "z", "a"])
  void [text, sure, score]
}
