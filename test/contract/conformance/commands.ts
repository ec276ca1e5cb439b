/** Conformance: what goes out, what comes back, and who gets it. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { type Argument, type Command, ConnectionError, RedisError, RedixError, unwrap } from "@redix/client"
import { redisFailure, rejection, uniqueKey } from "../helpers.ts"
import { type Bed, keys } from "./bed.ts"

export function commandCases(bed: Bed): void {
  const { needsKey } = bed.topology

  describe("command", () => {
    test("resolves to the reply, each in its type", async () => {
      const { client } = bed
      const key = keys()
      assert.equal(await client.command(["SET", key("text"), "é 漢 💯"]), "OK")
      assert.equal(await client.command(["GET", key("text")]), "é 漢 💯")
      assert.equal(await client.command(["get", key("none")]), null)
      assert.equal(await client.command(["INCR", key("number")]), 1)
      assert.equal(await client.command(["RPUSH", key("list"), "a", "b"]), 2)
      assert.deepEqual(await client.command(["LRANGE", key("list"), 0, -1]), ["a", "b"])
      assert.deepEqual(await client.command(["LRANGE", key("none"), 0, -1]), [])
      assert.deepEqual(await client.command(["MGET", key("text"), key("none")]), ["é 漢 💯", null])
      await client.command(["HSET", key("hash"), "f", "v"])
      assert.deepEqual(await client.command(["HGETALL", key("hash")]), ["f", "v"])
      assert.equal(await client.command(["PING"]), "PONG")
      assert.equal(await client.command([Buffer.from("echo"), "bytes for a name"]), "bytes for a name")
    })

    test("an integer outside of ±(2^53 − 1) is a bigint, inside a number", async () => {
      const { client } = bed
      const key = keys()
      const incremented = async (by: bigint): Promise<unknown> => {
        await client.command(["DEL", key()])
        return client.command(["INCRBY", key(), by])
      }
      assert.equal(await incremented(2n ** 53n - 1n), Number.MAX_SAFE_INTEGER)
      assert.equal(await incremented(-(2n ** 53n) + 1n), Number.MIN_SAFE_INTEGER)
      assert.equal(await incremented(2n ** 53n), 2n ** 53n)
      assert.equal(await incremented(-(2n ** 63n)), -(2n ** 63n))
    })

    test("an error reply rejects with a RedisError: message, code, the command's name, no argument", async () => {
      const { client } = bed
      const key = keys()
      await client.command(["SET", key(), "text"])
      const error = await redisFailure(client.command(["lpush", key(), "s3cret"]), "WRONGTYPE")
      assert.equal(error.message, "WRONGTYPE Operation against a key holding the wrong kind of value")
      assert.equal(error.command?.toUpperCase(), "LPUSH")
      assert.ok(error instanceof RedixError)
      assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /s3cret/)
    })

    test("a command that nobody knows is sent as it is", async () => {
      const error = await redisFailure(bed.client.command(["NOSUCH.COMMAND", keys()()]), "ERR")
      assert.match(error.message, /unknown command/)
    })

    test("the reply to a script is what the script returned, errors inside of it values in their place", async () => {
      const { client } = bed
      const key = keys()
      const script = "return {1, 'two', {3, false}, redis.error_reply('MINE no')}"
      const reply: unknown = await client.command(["EVAL", script, 1, key()])
      assert.ok(Array.isArray(reply))
      assert.deepEqual(reply.slice(0, 3), [1, "two", [3, null]])
      assert.ok(reply[3] instanceof RedisError)
      assert.equal(reply[3].code, "MINE")
    })
  })

  describe("arguments", () => {
    /** What the server made of one argument. */
    const stored = async (argument: Argument): Promise<string> => {
      const key = keys()
      await bed.client.command(["SET", key(), argument])
      return String(await bed.client.command(["GET", key()]))
    }

    test("numbers and bigints are sent in plain decimal notation", async () => {
      const cases: [number | bigint, string][] = [
        [-0, "0"],
        [42, "42"],
        [0.1, "0.1"],
        [-1.5e-7, "-0.00000015"],
        [1e21, "1000000000000000000000"],
        [Number.POSITIVE_INFINITY, "inf"],
        [Number.NEGATIVE_INFINITY, "-inf"],
        [2n ** 64n, "18446744073709551616"],
        [-1n, "-1"],
      ]
      for (const [argument, text] of cases) assert.equal(await stored(argument), text)
    })

    test("strings are sent as UTF-8, a lone surrogate as U+FFFD", async () => {
      for (const text of ["", "a\r\nb\0c", "漢字\u{10ffff}"]) assert.equal(await stored(text), text)
      assert.equal(await stored("a\ud800b"), "a\ufffdb")
    })

    test("bytes are sent as they are, in values and in keys", async () => {
      const { client } = bed
      const key = keys()
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
      const binaryKey = Buffer.concat([Buffer.from(key("binary")), bytes])
      const values: Uint8Array[] = [bytes, new Uint8Array(bytes), bytes.subarray(13, 200), new Uint8Array(0)]
      for (const value of values) {
        await client.command(["SET", binaryKey, value])
        assert.deepEqual(await client.command(["GET", binaryKey], { encoding: "buffer" }), Buffer.from(value))
      }
      assert.equal(await client.command(["EXISTS", new Uint8Array(binaryKey)]), 1)
    })

    test("what is sent is what the arguments were at the call", async () => {
      const { client } = bed
      const key = keys()
      const command: Argument[] = ["SET", key(), "before"]
      const set = client.command(command)
      command[1] = key("other")
      command[2] = "after"
      command.push("XX")
      assert.equal(await set, "OK")
      assert.equal(await client.command(["GET", key()]), "before")

      const increment: Argument[] = ["INCRBY", key("number"), 1]
      const list: Argument[][] = [increment, ["STRLEN", key()]]
      const replies = [client.pipeline(list), client.transactionPipeline(list), client.noreplyPipeline(list)]
      increment[2] = 1000
      list.length = 0
      list.push(["NOSUCHCOMMAND"])
      for (const reply of await Promise.all(replies)) assert.ok(reply === undefined || reply?.length === 2)
      assert.equal(await client.command(["GET", key("number")]), "3")
    })

    test("also where they wait for the connection to stand", async (t) => {
      const early = bed.setting.start()
      t.after(() => early.destroy())
      const key = keys()
      const command: Argument[] = ["SET", key(), "before"]
      const set = early.command(command)
      command[2] = "after"
      assert.equal(await set, "OK")
      assert.equal(await early.command(["GET", key()]), "before")
    })
  })

  describe("pipeline", () => {
    test("resolves to the replies in order, errors as values in their place", async () => {
      const { client } = bed
      const key = keys()
      const replies = await client.pipeline([
        ["SET", key(), "text"],
        ["INCR", key()],
        ["NOSUCH.COMMAND", key()],
        ["GET", key()],
      ])
      assert.equal(replies.length, 4)
      assert.equal(replies[0], "OK")
      assert.ok(replies[1] instanceof RedisError)
      assert.equal(replies[1].command?.toUpperCase(), "INCR")
      assert.ok(replies[2] instanceof RedisError)
      assert.match(replies[2].message, /^ERR unknown command/)
      assert.equal(replies[3], "text")
    })

    test("of one command is still a list", async () => {
      assert.deepEqual(await bed.client.pipeline([["PING"]]), ["PONG"])
    })

    test("its commands of one key run in order, and unwrap gives their replies", async () => {
      const key = keys()
      const [one, two, text] = unwrap(
        await bed.client.pipeline([
          ["INCR", key()],
          ["INCR", key()],
          ["GET", key()],
        ]),
      )
      assert.deepEqual([one, two, text], [1, 2, "2"])
    })

    test("may have thousands of commands", async () => {
      const key = keys()
      const commands = Array.from({ length: 5000 }, (): Command => ["INCR", key()])
      const replies: readonly unknown[] = await bed.client.pipeline(commands)
      assert.deepEqual(
        replies,
        commands.map((_, index) => index + 1),
      )
    })

    test("may hold a whole MULTI … EXEC", async () => {
      const key = keys()
      const replies: readonly unknown[] = await bed.client.pipeline([
        ["SET", key(), "1"],
        ["multi"],
        ["INCR", key()],
        ["INCR", key()],
        [Buffer.from("EXEC")],
        ["GET", key()],
      ])
      assert.deepEqual(replies, ["OK", "OK", "QUEUED", "QUEUED", [2, 3], "3"])
    })
  })

  describe("transactionPipeline", () => {
    test("resolves to EXEC's replies, errors of single commands as values", async () => {
      const key = keys()
      const replies = await bed.client.transactionPipeline([
        ["SET", key(), "text"],
        ["INCR", key()],
        ["GET", key()],
      ])
      assert.ok(replies)
      assert.equal(replies[0], "OK")
      assert.ok(replies[1] instanceof RedisError)
      assert.equal(replies[1].command?.toUpperCase(), "INCR")
      assert.equal(replies[2], "text")
    })

    test("a command refused while queueing rejects with EXECABORT, and nothing has run", async () => {
      const { client } = bed
      const key = keys()
      const error = await redisFailure(
        client.transactionPipeline([
          ["SET", key(), "v"],
          ["NOSUCH.COMMAND", key()],
        ]),
        "EXECABORT",
      )
      assert.ok(error.cause instanceof RedisError)
      assert.match(error.cause.message, /^ERR unknown command/)
      assert.equal(await client.command(["EXISTS", key()]), 0)
    })

    test("without any key", async () => {
      const call = bed.client.transactionPipeline([["PING"], ["ECHO", "here"]])
      if (needsKey) await redisFailure(call, "CROSSSLOT")
      else assert.deepEqual(await call, ["PONG", "here"])
    })

    test("all or nothing, and those of concurrent callers do not mix", async () => {
      const { client } = bed
      const key = keys()
      const runs = await Promise.all(
        Array.from({ length: 100 }, () =>
          client.transactionPipeline([
            ["INCR", key()],
            ["INCR", key()],
          ]),
        ),
      )
      const pairs = runs.map((replies) => unwrap(replies)).sort((a, b) => Number(a?.[0]) - Number(b?.[0]))
      assert.deepEqual(
        pairs,
        pairs.map((_, index) => [2 * index + 1, 2 * index + 2]),
      )
    })

    test("its encoding is that of EXEC's replies", async () => {
      const key = keys()
      assert.deepEqual(
        await bed.client.transactionPipeline(
          [
            ["SET", key(), "v"],
            ["GET", key()],
            ["STRLEN", key()],
          ],
          { encoding: "buffer" },
        ),
        [Buffer.from("OK"), Buffer.from("v"), 1],
      )
    })
  })

  describe("noreply", () => {
    test("runs the commands and resolves to nothing, errors included", async () => {
      const { client } = bed
      const key = keys()
      assert.equal(await client.noreplyCommand(["INCR", key()]), undefined)
      assert.equal(
        await client.noreplyPipeline([
          ["INCR", key()],
          ["LPUSH", key(), "wrong type"],
          ["NOSUCH.COMMAND", key()],
          ["INCR", key()],
        ]),
        undefined,
      )
      assert.equal(await client.noreplyCommand(["LPUSH", key(), "wrong type"]), undefined)
      assert.equal(await client.command(["GET", key()]), "3")
    })

    test("shifts no reply of its neighbours", async () => {
      const { client } = bed
      const key = keys()
      const calls: Promise<unknown>[] = []
      const expected: unknown[] = []
      for (let index = 0; index < 200; index++) {
        calls.push(client.command(["ECHO", `${index}`]))
        calls.push(client.noreplyPipeline([["INCR", key()], ["PING"]]))
        expected.push(`${index}`, undefined)
      }
      assert.deepEqual(await Promise.all(calls), expected)
      assert.equal(await client.command(["GET", key()]), "200")
    })

    test("where the server refuses CLIENT REPLY", async (t) => {
      await bed.everywhere("ACL", "SETUSER", "noclient", "on", ">secret", "~*", "+@all", "-client|reply")
      const own = await bed.own(t, { username: "noclient", password: "secret" })
      const key = keys()
      const call = own.noreplyCommand(["SET", key(), "v"])
      const neighbour = own.command(["ECHO", "neighbour"])
      if (bed.topology.usesClientReply) {
        assert.match((await redisFailure(call, "NOPERM")).message, /client\|reply/)
      } else {
        // There it is not used, since a MOVED that is not replied would lose the write.
        assert.equal(await call, undefined)
        assert.equal(await own.command(["GET", key()]), "v")
      }
      assert.equal(await neighbour, "neighbour")
      assert.equal(await own.command(["ECHO", "after"]), "after")
    })
  })

  describe("encoding", () => {
    test("buffer gives the bytes of every string, also inside of arrays, and none of the others'", async () => {
      const { client } = bed
      const key = keys()
      const bytes = Buffer.from([0xff, 0, 13, 10, 0xc3])
      await client.command(["SET", key(), bytes])
      const replies = await Promise.all([
        client.command(["GET", key()], { encoding: "buffer" }),
        client.command(["GET", key()], { encoding: "utf8" }),
        client.pipeline(
          [
            ["MGET", key(), key("none")],
            ["STRLEN", key()],
          ],
          { encoding: "buffer" },
        ),
        client.command(["GET", key()]),
      ])
      const text = bytes.toString()
      assert.deepEqual(replies, [bytes, text, [[bytes, null], 5], text])
    })

    test("buffer leaves errors errors", async () => {
      const key = keys()
      await bed.client.command(["SET", key(), "text"])
      await redisFailure(bed.client.command(["INCR", key()], { encoding: "buffer" }), "ERR")
      const [error] = await bed.client.pipeline([["INCR", key()]], { encoding: "buffer" })
      assert.ok(error instanceof RedisError)
    })
  })

  describe("protocol 3", () => {
    test("gives the types of RESP3", async (t) => {
      const own = await bed.own(t, { protocol: 3 })
      assert.equal(own.protocol, 3)
      assert.equal(bed.client.protocol, 2)
      const key = keys()
      await own.command(["HSET", key("hash"), "f", "v"])
      assert.deepEqual(await own.command(["HGETALL", key("hash")]), new Map([["f", "v"]]))
      await own.command(["SADD", key("set"), "m"])
      assert.deepEqual(await own.command(["SMEMBERS", key("set")]), new Set(["m"]))
      await own.command(["ZADD", key("zset"), 1.5, "m"])
      assert.equal(await own.command(["ZSCORE", key("zset"), "m"]), 1.5)
      assert.equal(await own.command(["GET", key("none")]), null)
      const script = "redis.setresp(3); return {true, 1}"
      assert.deepEqual(await own.command(["EVAL", script, 1, key()]), [true, 1])
      const plain = await own.transactionPipeline([
        ["HGETALL", key("hash")],
        ["INCR", key("number")],
      ])
      assert.deepEqual(plain, [new Map([["f", "v"]]), 1])
      await own.noreplyCommand(["INCR", key("number")])
      assert.equal(await own.command(["GET", key("number")]), "2")
    })

    test("under encoding buffer the keys of a map stay strings, and a set becomes an array", async (t) => {
      const own = await bed.own(t, { protocol: 3 })
      const key = keys()
      await own.command(["HSET", key("hash"), "f", "v"])
      await own.command(["SADD", key("set"), "m"])
      const replies: readonly unknown[] = await own.pipeline(
        [
          ["HGETALL", key("hash")],
          ["SMEMBERS", key("set")],
        ],
        { encoding: "buffer" },
      )
      assert.deepEqual(replies, [new Map([["f", Buffer.from("v")]]), [Buffer.from("m")]])
    })
  })

  describe("many and much", () => {
    test("each of thousands of concurrent requests gets its own reply", async () => {
      const { client } = bed
      const key = keys()
      const total = 3000
      const calls: Promise<unknown>[] = []
      const expected: unknown[] = []
      for (let index = 0; index < total; index++) {
        const tag = `tag ${index}`
        if (index % 3 === 0) {
          calls.push(client.command(["ECHO", tag]))
          expected.push(tag)
        } else if (index % 3 === 1) {
          calls.push(
            client.pipeline([
              ["SET", key(tag), tag],
              ["GET", key(tag)],
            ]),
          )
          expected.push(["OK", tag])
        } else {
          calls.push(client.transactionPipeline([["INCR", key(tag)]]))
          expected.push([1])
        }
      }
      assert.deepEqual(await Promise.all(calls), expected)
    })

    test("large values come back whole, next to small ones", async () => {
      const { client } = bed
      const key = keys()
      const bytes = randomBytes(8 * 1024 * 1024)
      const text = "漢é💯x".repeat(300_000)
      const options = { timeout: 30_000 }
      await Promise.all([
        client.command(["SET", key("bytes"), bytes], options),
        client.command(["SET", key("text"), text], options),
      ])
      const [gotBytes, gotText, small] = await Promise.all([
        client.command(["GET", key("bytes")], { ...options, encoding: "buffer" }),
        client.command(["GET", key("text")], options),
        client.command(["ECHO", "small"], options),
      ])
      assert.ok(gotBytes instanceof Buffer && gotBytes.equals(bytes))
      assert.ok(gotText === text)
      assert.equal(small, "small")
    })
  })

  describe("safe", () => {
    test("gives { ok: true, value }", async () => {
      const { safe } = bed.client
      const key = keys()
      assert.deepEqual(await safe.command(["INCR", key()]), { ok: true, value: 1 })
      assert.deepEqual(await safe.pipeline([["INCR", key()], ["PING"]]), { ok: true, value: [2, "PONG"] })
      assert.deepEqual(await safe.transactionPipeline([["INCR", key()]]), { ok: true, value: [3] })
      assert.deepEqual(await safe.noreplyCommand(["INCR", key()]), { ok: true, value: undefined })
      assert.deepEqual(await safe.noreplyPipeline([["INCR", key()]]), { ok: true, value: undefined })
      assert.deepEqual(await safe.command(["GET", key()], { encoding: "buffer" }), {
        ok: true,
        value: Buffer.from("5"),
      })
    })

    test("gives { ok: false, error } where the others reject: errors of the server, misuse, aborts", async () => {
      const { safe } = bed.client
      const key = keys()
      const reason = new Error(uniqueKey("reason"))
      const signal = AbortSignal.abort(reason)
      const command = await safe.command(["NOSUCH.COMMAND", key()])
      assert.ok(!command.ok && command.error instanceof RedisError)
      const transaction = await safe.transactionPipeline([
        ["GET", key()],
        ["NOSUCH.COMMAND", key()],
      ])
      assert.ok(!transaction.ok && transaction.error instanceof RedisError)
      assert.equal(transaction.error.code, "EXECABORT")
      for (const call of [
        () => safe.command([]),
        () => safe.pipeline([]),
        () => safe.transactionPipeline("PING" as never),
        () => safe.noreplyCommand(["GET", undefined] as never),
        () => safe.noreplyPipeline([["PING"]], { timeout: -1 }),
        () => safe.command(["SUBSCRIBE", "channel"]),
      ]) {
        const result: { ok: boolean; error?: unknown } = await call()
        assert.ok(!result.ok && result.error instanceof TypeError, inspect(result))
      }
      for (const call of [
        () => safe.command(["SET", key(), "v"], { signal }),
        () => safe.pipeline([["SET", key(), "v"]], { signal }),
        () => safe.transactionPipeline([["SET", key(), "v"]], { signal }),
        () => safe.noreplyCommand(["SET", key(), "v"], { signal }),
        () => safe.noreplyPipeline([["SET", key(), "v"]], { signal }),
      ]) {
        assert.deepEqual(await call(), { ok: false, error: reason })
      }
      assert.equal(await bed.client.command(["EXISTS", key()]), 0)
    })

    test("leaves errors inside of a pipeline in its value", async () => {
      const key = keys()
      const result = await bed.client.safe.pipeline([
        ["NOSUCH.COMMAND", key()],
        ["INCR", key()],
      ])
      assert.ok(result.ok)
      assert.ok(result.value[0] instanceof RedisError)
      assert.equal(result.value[1], 1)
    })

    test("gives the ConnectionError of an ended client", async () => {
      const own = await bed.setting.connect()
      own.destroy()
      for (const result of await Promise.all([
        own.safe.command(["PING"]),
        own.safe.pipeline([["PING"]]),
        own.safe.transactionPipeline([["GET", keys()()]]),
        own.safe.noreplyCommand(["PING"]),
        own.safe.noreplyPipeline([["PING"]]),
      ])) {
        assert.ok(!result.ok && result.error instanceof ConnectionError, inspect(result))
        assert.equal(result.error.reason, "closed")
        assert.equal(result.error.outcome, "not-sent")
      }
    })
  })

  test("no error shows an argument", async () => {
    const { client } = bed
    const key = keys()
    await client.command(["SET", key(), "text"])
    for (const call of [
      () => client.command(["LPUSH", key(), "s3cret"]),
      () =>
        client.transactionPipeline([
          ["NOSUCH.COMMAND", key()],
          ["SET", key(), "s3cret"],
        ]),
      () => client.command(["SET", key(), "s3cret", undefined] as never),
      () => client.command(["SET", key(), "s3cret"], { timeout: -1 }),
    ]) {
      assert.doesNotMatch(inspect(await rejection(call()), { depth: 20, showHidden: true }), /s3cret/)
    }
  })
}
