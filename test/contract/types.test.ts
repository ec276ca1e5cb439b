/** Section 2 of the contract, the types. The compiler is the judge; the run only shows that the file is one of the tests. */
import assert from "node:assert/strict"
import { test } from "node:test"
import {
  type Argument,
  type CloseOptions,
  type Command,
  type CommandName,
  type Commands,
  type ConnectionError,
  type ConnectionErrorReason,
  type ConnectionEvent,
  type DisconnectionEvent,
  type Encoding,
  type Names,
  type Outcome,
  type Protocol,
  type RedisError,
  Redix,
  type RedixOptions,
  type Replies,
  type Replies3,
  type Reply,
  type ReplyOf,
  type RequestOptions,
  type Result,
  type Status,
  unwrap,
} from "@redix/client"

declare module "@redix/client" {
  interface Replies {
    "CONTRACT.LIST": string[]
    "CONTRACT.BOTH": string[]
  }
  interface Replies3 {
    "CONTRACT.BOTH": Map<string, string>
  }
  interface Names {
    "contract-types": Redix<3>
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only where both types are the same. */
function same<A, B>(_proof: Equal<A, B>): void {}

/** Never called: compiled only. */
export async function compiled(conn: Redix, conn3: Redix<3>, dynamic: string[], options: RequestOptions) {
  // Replies are typed from the command.
  const get = await conn.command(["GET", "k"])
  same<typeof get, string | null>(true)
  const incr = await conn.command(["incr", "k"])
  same<typeof incr, number>(true)
  const hgetall = await conn.command(["HGETALL", "k"])
  same<typeof hgetall, string[]>(true)

  // A pipeline is a tuple, each element its reply or a RedisError.
  const replies = await conn.pipeline([
    ["SET", "a", "1"],
    ["INCR", "a"],
  ])
  same<(typeof replies)[1], number | RedisError>(true)
  same<(typeof replies)["length"], 2>(true)
  // @ts-expect-error a pipeline of two has no third reply
  replies[2]

  // unwrap gives the tuple without the errors.
  const [count] = unwrap(
    await conn.pipeline([
      ["INCR", "k"],
      ["EXPIRE", "k", 60],
    ]),
  )
  same<typeof count, number>(true)

  // A transaction may be null; its elements are typed truly.
  const transaction = await conn.transactionPipeline([
    ["INCR", "a"],
    ["GET", "a"],
  ])
  same<null extends typeof transaction ? true : false, true>(true)
  const results = unwrap(transaction)
  if (results !== null) {
    same<(typeof results)[0], number>(true)
    same<(typeof results)[1], string | null>(true)
  }

  // noreply resolves to nothing.
  const nothing = await conn.noreplyCommand(["INCR", "a"])
  same<typeof nothing, void>(true)

  // An unknown name, or an array built at run time, gives Reply.
  const unknown = await conn.command(["MODULE.COMMAND", "x"])
  same<typeof unknown, Reply>(true)
  const built = await conn.command(dynamic)
  same<typeof built, Reply>(true)

  // Encodings.
  const bytes = await conn.command(["GET", "k"], { encoding: "buffer" })
  same<typeof bytes, Buffer | null>(true)
  const text = await conn.command(["GET", "k"], { encoding: "utf8" })
  same<typeof text, string | null>(true)

  // Replies and Replies3 are open to declaration merging; Replies3 overrides for protocol 3.
  const list = await conn.command(["CONTRACT.LIST", "x"])
  same<typeof list, string[]>(true)
  const lower = await conn3.command(["contract.list", "x"])
  same<typeof lower, string[]>(true)
  const buffers = await conn.command(["CONTRACT.LIST", "x"], { encoding: "buffer" })
  same<typeof buffers, Buffer[]>(true)
  const flat = await conn.command(["CONTRACT.BOTH"])
  same<typeof flat, string[]>(true)
  const mapped = await conn3.command(["CONTRACT.BOTH"])
  same<typeof mapped, Map<string, string>>(true)

  // Buffers reach the elements of pipelines and transactions, and safe.
  const both2 = await conn.pipeline(
    [
      ["GET", "a"],
      ["INCR", "b"],
    ],
    { encoding: "buffer" },
  )
  same<(typeof both2)[0], Buffer | null | RedisError>(true)
  same<(typeof both2)[1], number | RedisError>(true)
  const safePipeline = await conn.safe.pipeline([["INCR", "b"]])
  if (safePipeline.ok) same<(typeof safePipeline.value)[0], number | RedisError>(true)

  // Command names complete in the editor: a union of known ones, not just any string.
  same<string extends CommandName ? true : false, false>(true)

  // A name that is listed has its declared type.
  const declared = Redix.named("contract-types")
  same<typeof declared, Redix<3>>(true)

  // Reasons and outcomes are closed unions of strings.
  same<"closed" extends ConnectionErrorReason ? true : false, true>(true)
  same<Outcome, "not-sent" | "unknown">(true)
  const close: CloseOptions = { timeout: undefined }
  await conn.close(close)
  const all: [Replies?, Replies3?, Names?, ConnectionEvent?, DisconnectionEvent?] = []
  void all

  // ReplyOf: command, protocol, encoding, in this order.
  same<ReplyOf<["GET", string]>, string | null>(true)
  same<ReplyOf<["GET", string], 2, "buffer">, Buffer | null>(true)
  same<ReplyOf<["GET", string], 3>, string | null>(true)
  same<ReplyOf<["INCR", string], 2, "buffer">, number>(true)
  const map = await conn3.command(["HGETALL", "k"])
  same<typeof map extends Map<string, string> ? true : false, true>(true)

  // A wrapper keeps the types.
  function run<const C extends Command>(command: C): Promise<ReplyOf<C>> {
    return conn.command(command)
  }
  const wrapped = await run(["INCR", "k"])
  same<typeof wrapped, number>(true)

  // safe.
  const safe = await conn.safe.command(["INCR", "k"])
  if (safe.ok) same<typeof safe.value, number>(true)
  else same<typeof safe.error extends Error ? true : false, true>(true)
  const result: Result<number> = safe
  void result

  // The protocol is part of the type.
  same<(typeof conn)["protocol"], 2>(true)
  same<(typeof conn3)["protocol"], 3>(true)
  // @ts-expect-error a Redix<3> is not a Redix
  const wrong: Redix = conn3
  void wrong
  const both: Redix<2 | 3>[] = [conn, conn3]
  void both
  const three = Redix.start({ protocol: 3 })
  same<typeof three, Redix<3>>(true)
  const two = Redix.start("redis://localhost")
  same<typeof two, Redix<2>>(true)

  // What libraries should ask for.
  const commands: Commands<2> = conn
  await commands.pipeline([["PING"]], options)

  // Arguments.
  const argument: Argument[] = ["a", 1, 1n, Buffer.from("x"), new Uint8Array(1)]
  void argument
  // @ts-expect-error undefined is no argument
  await conn.command(["SET", "k", undefined])
  // @ts-expect-error a boolean is no argument
  await conn.command(["SET", "k", true])
  // @ts-expect-error an object is no argument
  await conn.command(["SET", "k", {}])
  const name: CommandName = "GET"
  void name

  // Every optional property accepts undefined; unknown ones are errors.
  const loose: RedixOptions = {
    host: undefined,
    port: undefined,
    tls: undefined,
    password: undefined,
    name: undefined,
  }
  void loose
  // @ts-expect-error no such option
  Redix.start({ hots: "x" })
  // @ts-expect-error no such request option
  await conn.command(["PING"], { timeuot: 1 })

  const status: Status = conn.status
  same<typeof status extends "connecting" | "connected" | "disconnected" | "closed" ? true : false, true>(
    true,
  )
  const closed = await conn.closed
  same<typeof closed, ConnectionError | undefined>(true)
  const protocol: Protocol = 2
  const encoding: Encoding = "buffer"
  void [protocol, encoding]

  conn.on("connection", ({ reconnection, address }) => {
    same<typeof reconnection, boolean>(true)
    same<typeof address, string>(true)
  })
  conn.on("disconnection", ({ error }) => {
    same<typeof error, ConnectionError>(true)
  })
  // @ts-expect-error there is no error event
  conn.on("error", () => undefined)

  const named: Redix = Redix.named("x")
  const other = Redix.named<Redix<3>>("x")
  same<typeof other, Redix<3>>(true)
  void named
}

test("the types of the contract compile", () => {
  assert.equal(typeof compiled, "function")
})
