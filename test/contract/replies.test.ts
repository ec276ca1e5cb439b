/** Section 2 of the contract: what a reply becomes, in both protocols and both encodings. */
import assert from "node:assert/strict"
import { createServer, type Socket } from "node:net"
import { after, before, describe, type TestContext, test } from "node:test"
import { ConnectionError, RedisError, Redix, RedixError, unwrap } from "@redix/client"
import { closing, fakeServer, redisFailure, rejection, sharedConnection, uniqueKey } from "./helpers.ts"

const { server, conn } = await sharedConnection()

describe("replies", () => {
  let conn3: Redix<3>

  before(async () => {
    conn3 = await Redix.connect({ host: server.host, port: server.port, protocol: 3 })
  })

  after(() => conn3?.destroy())

  /** A connection whose server answers ECHO with exactly the bytes given, written in one piece. */
  async function scripted(t: TestContext, replies: string[]): Promise<Redix> {
    const left = [...replies]
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? left.shift() : undefined))
    return closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
  }

  async function scripted3(t: TestContext, replies: string[]): Promise<Redix<3>> {
    const left = [...replies]
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? left.shift() : undefined))
    return closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, protocol: 3 }))
  }

  /** Asserts what a server's bytes become as the reply of a command. */
  async function becomes(t: TestContext, cases: [string, unknown][], encoding: "utf8" | "buffer" = "utf8") {
    const own = await scripted(
      t,
      cases.map(([bytes]) => bytes),
    )
    for (const [bytes, value] of cases) {
      const reply: unknown = await own.command(["ECHO", "x"], { encoding })
      assert.deepEqual(reply, value, JSON.stringify(bytes))
    }
  }

  async function becomes3(t: TestContext, cases: [string, unknown][], encoding: "utf8" | "buffer" = "utf8") {
    const own = await scripted3(
      t,
      cases.map(([bytes]) => bytes),
    )
    for (const [bytes, value] of cases) {
      const reply: unknown = await own.command(["ECHO", "x"], { encoding })
      assert.deepEqual(reply, value, JSON.stringify(bytes))
    }
  }

  test("simple and bulk strings are strings, decoded as UTF-8", async (t) => {
    await becomes(t, [
      ["+OK\r\n", "OK"],
      ["+\r\n", ""],
      ["+héé\r\n", "héé"],
      ["$0\r\n\r\n", ""],
      ["$3\r\nfoo\r\n", "foo"],
      ["$6\r\na\r\nb\r\n\r\n", "a\r\nb\r\n"],
      ["$6\r\n漢字\r\n", "漢字"],
    ])
  })

  test("bytes that are not UTF-8 become U+FFFD in a string and stay themselves in a Buffer", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, Buffer.from([0x61, 0xff, 0x62])])
    assert.equal(await conn.command(["GET", key]), "a\ufffdb")
    assert.deepEqual(
      await conn.command(["GET", key], { encoding: "buffer" }),
      Buffer.from([0x61, 0xff, 0x62]),
    )
  })

  test("with encoding buffer every kind of string is a Buffer, at any depth, and nothing else changes", async (t) => {
    const nested = "*5\r\n$1\r\na\r\n:1\r\n$-1\r\n*1\r\n+b\r\n*-1\r\n"
    await becomes(
      t,
      [
        ["+OK\r\n", Buffer.from("OK")],
        ["$3\r\nfoo\r\n", Buffer.from("foo")],
        ["$0\r\n\r\n", Buffer.alloc(0)],
        [":7\r\n", 7],
        ["$-1\r\n", null],
        [nested, [Buffer.from("a"), 1, null, [Buffer.from("b")], null]],
      ],
      "buffer",
    )
  })

  test("the encoding belongs to one request: its neighbours in the same write keep theirs", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, "v"])
    const [text, bytes, textAgain, replies] = await Promise.all([
      conn.command(["GET", key]),
      conn.command(["GET", key], { encoding: "buffer" }),
      conn.command(["GET", key], { encoding: "utf8" }),
      conn.pipeline(
        [
          ["GET", key],
          ["ECHO", "x"],
        ],
        { encoding: "buffer" },
      ),
    ])
    assert.equal(text, "v")
    assert.deepEqual(bytes, Buffer.from("v"))
    assert.equal(textAgain, "v")
    assert.deepEqual(replies, [Buffer.from("v"), Buffer.from("x")])
  })

  test("a Buffer that was replied stays as it is when more replies arrive", async () => {
    const keys = Array.from({ length: 50 }, () => uniqueKey())
    await conn.pipeline(keys.map((key, index) => ["SET", key, `value ${index}`]))
    const replies: unknown[] = []
    for (const key of keys) replies.push(await conn.command(["GET", key], { encoding: "buffer" }))
    assert.deepEqual(
      replies,
      keys.map((_, index) => Buffer.from(`value ${index}`)),
    )
  })

  test("an integer is a number, and a bigint outside of plus or minus (2^53 - 1)", async (t) => {
    await becomes(t, [
      [":0\r\n", 0],
      [":-1\r\n", -1],
      [":+5\r\n", 5],
      [":9007199254740991\r\n", 9007199254740991],
      [":-9007199254740991\r\n", -9007199254740991],
      [":9007199254740992\r\n", 9007199254740992n],
      [":9007199254740993\r\n", 9007199254740993n],
      [":-9007199254740992\r\n", -9007199254740992n],
      [":9223372036854775807\r\n", 9223372036854775807n],
      [":-9223372036854775808\r\n", -9223372036854775808n],
      ["*2\r\n:9223372036854775807\r\n:1\r\n", [9223372036854775807n, 1]],
    ])
  })

  test("a counter beyond 2^53 never has a wrong digit", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, "9223372036854775806"])
    const reply: unknown = await conn.command(["INCR", key])
    assert.equal(reply, 9223372036854775807n)
    const small: unknown = await conn.command(["DECRBY", key, 9223372036854775800n])
    assert.equal(small, 7)
  })

  test("null bulk and null array are null, also inside arrays", async (t) => {
    await becomes(t, [
      ["$-1\r\n", null],
      ["*-1\r\n", null],
      ["*3\r\n$-1\r\n*-1\r\n$0\r\n\r\n", [null, null, ""]],
    ])
    assert.equal(await conn.command(["GET", uniqueKey()]), null)
  })

  test("an array is an Array, empty and nested too", async (t) => {
    await becomes(t, [
      ["*0\r\n", []],
      ["*2\r\n*0\r\n*1\r\n*1\r\n:1\r\n", [[], [[1]]]],
    ])
    const key = uniqueKey()
    await conn.command(["RPUSH", key, "a", "b", "c"])
    const reply: unknown = await conn.command(["LRANGE", key, 0, -1])
    assert.ok(Array.isArray(reply))
    assert.deepEqual(reply, ["a", "b", "c"])
  })

  test("an error rejects the command with a RedisError", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, "not a list"])
    const error = await redisFailure(conn.command(["LPUSH", key, "x"]), "WRONGTYPE")
    assert.match(error.message, /^WRONGTYPE Operation against a key/)
  })

  test("an error inside a pipeline or inside an array stands in its place as a RedisError value", async (t) => {
    const own = await scripted(t, [
      "*3\r\n:1\r\n-WRONGTYPE inner\r\n*1\r\n-ERR deep\r\n",
      "+a\r\n",
      "-ERR b\r\n",
      "+c\r\n",
    ])
    const reply: unknown = await own.command(["ECHO", "x"])
    assert.ok(Array.isArray(reply))
    assert.equal(reply[0], 1)
    assert.ok(reply[1] instanceof RedisError)
    assert.equal(reply[1].code, "WRONGTYPE")
    assert.equal(reply[1].message, "WRONGTYPE inner")
    assert.ok(reply[2][0] instanceof RedisError)

    const replies: readonly unknown[] = await own.pipeline([
      ["ECHO", "1"],
      ["ECHO", "2"],
      ["ECHO", "3"],
    ])
    assert.equal(replies[0], "a")
    assert.ok(replies[1] instanceof RedisError)
    assert.equal(replies[1].message, "ERR b")
    assert.equal(replies[2], "c")
  })

  test("an error is a RedisError under encoding buffer too", async () => {
    const error = await redisFailure(conn.command(["NOSUCHCOMMAND"], { encoding: "buffer" }), "ERR")
    assert.equal(typeof error.message, "string")
    const replies: readonly unknown[] = await conn.pipeline([["NOSUCHCOMMAND"], ["ECHO", "x"]], {
      encoding: "buffer",
    })
    assert.ok(replies[0] instanceof RedisError)
    assert.deepEqual(replies[1], Buffer.from("x"))
  })

  test("HGETALL with the default protocol is the flat array that Redis sends", async () => {
    const key = uniqueKey()
    await conn.command(["HSET", key, "a", "1", "b", "2"])
    assert.deepEqual(await conn.command(["HGETALL", key]), ["a", "1", "b", "2"])
    assert.equal(conn.protocol, 2)
  })

  test("with protocol 3 the server's maps, sets, doubles, booleans and nulls are what they are", async () => {
    const key = uniqueKey()
    assert.equal(conn3.protocol, 3)
    await conn3.command(["HSET", key, "a", "1", "b", "2"])
    assert.deepEqual(
      await conn3.command(["HGETALL", key]),
      new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
    )
    const set = uniqueKey()
    await conn3.command(["SADD", set, "x", "y"])
    assert.deepEqual(await conn3.command(["SMEMBERS", set]), new Set(["x", "y"]))
    const sorted = uniqueKey()
    await conn3.command(["ZADD", sorted, "1.5", "m"])
    assert.equal(await conn3.command(["ZSCORE", sorted, "m"]), 1.5)
    assert.equal(await conn3.command(["GET", uniqueKey()]), null)
    const script = "redis.setresp(3); return {map={a=redis.call('ping')}}"
    const map: unknown = await conn3.command(["EVAL", script, 0])
    assert.ok(map instanceof Map)
    const yes: unknown = await conn3.command(["EVAL", "redis.setresp(3); return true", 0])
    assert.equal(yes, true)
    const big: unknown = await conn3.command([
      "EVAL",
      "return {big_number='123456789012345678901234567890'}",
      0,
    ])
    assert.equal(big, 123456789012345678901234567890n)
  })

  test("each RESP3 type has its JavaScript value", async (t) => {
    await becomes3(t, [
      ["_\r\n", null],
      ["#t\r\n", true],
      ["#f\r\n", false],
      [",1.5\r\n", 1.5],
      [",10\r\n", 10],
      [",-1.25e3\r\n", -1250],
      [",inf\r\n", Number.POSITIVE_INFINITY],
      [",-inf\r\n", Number.NEGATIVE_INFINITY],
      [",nan\r\n", Number.NaN],
      ["(5\r\n", 5n],
      ["(-3492890328409238509324850943850943825024385\r\n", -3492890328409238509324850943850943825024385n],
      ["=15\r\ntxt:Some string\r\n", "Some string"],
      ["=4\r\ntxt:\r\n", ""],
      ["%0\r\n", new Map()],
      [
        "%2\r\n+a\r\n:1\r\n$1\r\nb\r\n*1\r\n_\r\n",
        new Map<string, unknown>([
          ["a", 1],
          ["b", [null]],
        ]),
      ],
      ["%1\r\n:1\r\n:2\r\n", new Map([[1, 2]])],
      ["~0\r\n", new Set()],
      ["~3\r\n+a\r\n+b\r\n+a\r\n", new Set(["a", "b"])],
      ["$-1\r\n", null],
      ["*-1\r\n", null],
    ])
  })

  test("RESP3 under encoding buffer: map keys stay strings, a set becomes an array of Buffers", async (t) => {
    await becomes3(
      t,
      [
        [
          "%2\r\n$1\r\na\r\n$1\r\nb\r\n+c\r\n%1\r\n+d\r\n+e\r\n",
          new Map<string, unknown>([
            ["a", Buffer.from("b")],
            ["c", new Map([["d", Buffer.from("e")]])],
          ]),
        ],
        ["~2\r\n$1\r\na\r\n$1\r\nb\r\n", [Buffer.from("a"), Buffer.from("b")]],
        ["=8\r\ntxt:text\r\n", Buffer.from("text")],
        [",1.5\r\n", 1.5],
        ["#t\r\n", true],
        ["(7\r\n", 7n],
      ],
      "buffer",
    )
    const key = uniqueKey()
    await conn3.command(["HSET", key, "field", "value"])
    assert.deepEqual(
      await conn3.command(["HGETALL", key], { encoding: "buffer" }),
      new Map([["field", Buffer.from("value")]]),
    )
    const set = uniqueKey()
    await conn3.command(["SADD", set, "member"])
    assert.deepEqual(await conn3.command(["SMEMBERS", set], { encoding: "buffer" }), [Buffer.from("member")])
  })

  test("a RESP3 bulk error is a RedisError", async (t) => {
    const own = await scripted3(t, ["!21\r\nSYNTAX invalid syntax\r\n", "*2\r\n!8\r\nERR deep\r\n:1\r\n"])
    const error = await redisFailure(own.command(["ECHO", "x"]), "SYNTAX")
    assert.equal(error.message, "SYNTAX invalid syntax")
    const reply: unknown = await own.command(["ECHO", "x"])
    assert.ok(Array.isArray(reply) && reply[0] instanceof RedisError)
    assert.equal(reply[1], 1)
  })

  test("a RESP3 attribute is skipped, before a reply and within one", async (t) => {
    await becomes3(t, [
      ["|1\r\n+key-popularity\r\n%1\r\n$1\r\na\r\n,0.19\r\n+value\r\n", "value"],
      ["*3\r\n:1\r\n|1\r\n+ttl\r\n:3600\r\n:2\r\n:3\r\n", [1, 2, 3]],
      ["|0\r\n|1\r\n+a\r\n+b\r\n$1\r\nx\r\n", "x"],
      ["%1\r\n|1\r\n+a\r\n+b\r\n+k\r\n|1\r\n+a\r\n+b\r\n+v\r\n", new Map([["k", "v"]])],
    ])
  })

  test("a RESP3 push is never a reply", async (t) => {
    const push = ">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n"
    const fake = await fakeServer(t, (command) =>
      command[0] === "ECHO" ? `${push}+${command[1]}\r\n${push}` : undefined,
    )
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, protocol: 3 }))
    fake.connections[0]?.write(push)
    assert.deepEqual(
      await own.pipeline([
        ["ECHO", "a"],
        ["ECHO", "b"],
      ]),
      ["a", "b"],
    )
    assert.equal(await own.command(["ECHO", "c"]), "c")
    assert.equal(own.status, "connected")
    assert.equal(fake.connections.length, 1)
  })

  test("pushes of CLIENT TRACKING by a real server reach no caller", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port, protocol: 3 }))
    const key = uniqueKey()
    await own.command(["CLIENT", "TRACKING", "ON"])
    await own.command(["GET", key])
    await conn.command(["SET", key, "v"])
    assert.equal(await own.command(["GET", key]), "v")
    assert.equal(await own.command(["PING"]), "PONG")
  })

  test("replies are the same however their bytes are cut", async (t) => {
    const bytes = Buffer.from(
      "*6\r\n$7\r\na\r\né\r\n\r\n:-12\r\n$-1\r\n*2\r\n+OK\r\n-ERR inner\r\n$0\r\n\r\n:9223372036854775807\r\n",
    )
    for (const size of [1, 2, 3, 7]) {
      const fake = await fakeServer(t, (command, connection) => {
        if (command[0] === "ECHO") void connection.writeInPieces(bytes, size)
        return undefined
      })
      const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
      const reply: unknown = await own.command(["ECHO", "x"])
      assert.ok(Array.isArray(reply))
      assert.equal(reply[0], "a\r\né\r\n")
      assert.equal(reply[1], -12)
      assert.equal(reply[2], null)
      assert.equal(reply[3][0], "OK")
      assert.ok(reply[3][1] instanceof RedisError)
      assert.deepEqual(reply.slice(4), ["", 9223372036854775807n])
    }
  })

  test("a multi-byte character that is cut between two packets arrives whole", async (t) => {
    const text = "漢字💯é".repeat(50)
    const bytes = Buffer.from(`$${Buffer.byteLength(text)}\r\n${text}\r\n`)
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] === "ECHO") void connection.writeInPieces(bytes, 5)
      return undefined
    })
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    assert.equal(await own.command(["ECHO", "x"]), text)
  })

  test("a large array and a deep one are delivered", async (t) => {
    const wide = `*100000\r\n${":1\r\n".repeat(100_000)}`
    const deep = `${"*1\r\n".repeat(1_000)}:5\r\n`
    const own = await scripted(t, [wide, deep])
    const reply: unknown = await own.command(["ECHO", "x"])
    assert.ok(Array.isArray(reply))
    assert.equal(reply.length, 100_000)
    let inner: unknown = await own.command(["ECHO", "x"])
    let depth = 0
    while (Array.isArray(inner)) {
      inner = inner[0]
      depth += 1
    }
    assert.equal(inner, 5)
    assert.equal(depth, 1_000)
  })

  test("a reply that is nested 100,000 deep is a value or ends the connection cleanly", async (t) => {
    const depth = 100_000
    const fake = await fakeServer(t, (command) => {
      if (command[0] === "DEEP") return `${"*1\r\n".repeat(depth)}:5\r\n`
      return command[0] === "ECHO" ? `+${command[1]}\r\n` : undefined
    })
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, backoffInitial: 10 }))
    const result = await own.safe.command(["DEEP"])
    if (result.ok) {
      let inner: unknown = result.value
      let levels = 0
      for (; Array.isArray(inner); levels++) inner = inner[0]
      assert.equal(inner, 5)
      assert.equal(levels, depth)
    } else {
      assert.ok(result.error instanceof ConnectionError)
      assert.ok(result.error.cause instanceof ConnectionError)
      assert.equal(result.error.cause.reason, "protocol-error")
      await own.ready({ timeout: 10_000 })
    }
    assert.equal(await own.command(["ECHO", "next"]), "next")
  })

  test("a string longer than the engine can hold rejects its request alone, naming encoding buffer", async (t) => {
    const length = 512 * 1024 * 1024
    const chunk = Buffer.alloc(4 * 1024 * 1024, "x")
    /** Answers a handshake and ECHO at once, and GET with 512 MiB. */
    const sockets: Socket[] = []
    const big = createServer((socket) => {
      sockets.push(socket)
      socket.on("error", () => undefined)
      socket.on("data", (data) => {
        const text = data.toString("latin1")
        for (const name of text.match(/PING|GET|ECHO/g) ?? []) {
          if (name !== "GET") {
            socket.write(name === "PING" ? "+PONG\r\n" : "+ok\r\n")
            continue
          }
          socket.write(`$${length}\r\n`)
          let left = length
          const more = (): void => {
            while (left > 0) {
              left -= chunk.length
              if (!socket.write(chunk) && left > 0) {
                socket.once("drain", more)
                return
              }
            }
            socket.write("\r\n")
          }
          more()
        }
      })
    })
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      big.close()
    })
    const port = await new Promise<number>((resolve) => {
      big.listen(0, "127.0.0.1", () => {
        const address = big.address()
        resolve(typeof address === "object" && address !== null ? address.port : 0)
      })
    })
    const own = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port, clientInfo: false, commandTimeout: 60_000 }),
    )
    const error = await rejection(own.command(["GET", "big"]))
    assert.ok(error instanceof RedixError)
    assert.ok(!(error instanceof RedisError) && !(error instanceof ConnectionError))
    assert.match(error.message, /encoding: "buffer"/)
    assert.equal(own.status, "connected")
    assert.equal(await own.command(["ECHO", "next"]), "ok")
    assert.equal(sockets.length, 1)
  })

  test("between a MULTI and an EXEC sent by hand every reply is QUEUED", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port }))
    const key = uniqueKey()
    const replies: readonly unknown[] = await own.pipeline([
      ["MULTI"],
      ["INCR", key],
      ["LRANGE", key, 0, -1],
      ["EXEC"],
    ])
    assert.deepEqual(replies.slice(0, 3), ["OK", "QUEUED", "QUEUED"])
    const results = replies[3]
    assert.ok(Array.isArray(results))
    assert.equal(results[0], 1)
    assert.ok(results[1] instanceof RedisError)
  })
})

describe("unwrap", () => {
  test("returns the same replies when there is no error among them", () => {
    assert.deepEqual(unwrap(["OK", 1, null, ["a"]]), ["OK", 1, null, ["a"]])
    assert.deepEqual(unwrap([]), [])
  })

  test("throws the first of the errors, itself", async (t) => {
    const fake = await fakeServer(t, (command) =>
      command[0] === "ECHO" ? `-ERR ${command[1]}\r\n` : undefined,
    )
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const replies = await own.pipeline([["PING"], ["ECHO", "first"], ["ECHO", "second"]])
    assert.throws(
      () => unwrap(replies),
      (error) => error === replies[1] && error instanceof RedisError && error.message === "ERR first",
    )
  })

  test("null stays null", () => {
    assert.equal(unwrap(null), null)
  })
})
