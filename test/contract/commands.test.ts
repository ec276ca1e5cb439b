/** Section 1 of the contract: commands are arrays. What arguments may be, how they are sent, and what is refused. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type Argument, RedisError, Redix } from "@redix/client"
import { until } from "../../support/wait.ts"
import { closing, fakeServer, misuse, sharedConnection, turn, uniqueKey } from "./helpers.ts"

const { server, conn } = await sharedConnection()

describe("commands", () => {
  /** What the server made of one argument. */
  const echoed = async (argument: Argument): Promise<string> => {
    const command: Argument[] = ["ECHO", argument]
    return String(await conn.command(command))
  }

  test("a command that the driver cannot know is sent as it is", async () => {
    const error = await conn.safe.command(["NOSUCHMODULE.COMMAND", "a"])
    assert.ok(!error.ok && error.error instanceof RedisError)
    assert.equal(error.error.code, "ERR")
    assert.match(error.error.message, /unknown command/)
    assert.match(String(await conn.command(["LOLWUT", "VERSION", "5", "1", "1", "1"])), /Redis/)
  })

  test("a command name works in any letter case", async () => {
    const key = uniqueKey()
    assert.equal(await conn.command(["sEt", key, "v"]), "OK")
    assert.equal(await conn.command(["get", key]), "v")
  })

  test("numbers are sent in plain decimal notation", async () => {
    const cases: [number, string][] = [
      [0, "0"],
      [-0, "0"],
      [42, "42"],
      [-42, "-42"],
      [0.1, "0.1"],
      [-1.5, "-1.5"],
      [1e21, "1000000000000000000000"],
      [-1e21, "-1000000000000000000000"],
      [1e-7, "0.0000001"],
      [-1.5e-7, "-0.00000015"],
      [1.25e25, "12500000000000000000000000"],
      [2 ** 53, "9007199254740992"],
      [Number.MAX_SAFE_INTEGER, "9007199254740991"],
      [Number.POSITIVE_INFINITY, "inf"],
      [Number.NEGATIVE_INFINITY, "-inf"],
    ]
    for (const [number, text] of cases) assert.equal(await echoed(number), text)
  })

  test("a number of any magnitude is sent without an exponent and reads back as itself", async () => {
    for (const number of [
      5e-324,
      Number.MAX_VALUE,
      Number.MIN_VALUE,
      -Number.MAX_VALUE,
      1.7976931348623157e308,
      2.2250738585072014e-308,
      1.234567890123e22,
      -9.87654321e-12,
      123456789.12345679,
    ]) {
      const text = await echoed(number)
      assert.match(text, /^-?\d+(\.\d+)?$/)
      assert.equal(Number(text), number)
    }
  })

  test("Infinity is an argument that Redis understands", async () => {
    const key = uniqueKey()
    assert.equal(await conn.command(["ZADD", key, Number.POSITIVE_INFINITY, "m"]), 1)
    assert.deepEqual(await conn.command(["ZRANGEBYSCORE", key, Number.NEGATIVE_INFINITY, "inf"]), ["m"])
  })

  test("a bigint is sent with all of its digits", async () => {
    assert.equal(await echoed(2n ** 64n), "18446744073709551616")
    assert.equal(await echoed(-(2n ** 63n)), "-9223372036854775808")
    assert.equal(await echoed(0n), "0")
  })

  test("strings go out as UTF-8, counted in bytes", async () => {
    for (const text of ["", "é", "漢字", "💯", "a\r\nb\0c", "\u{10ffff}", "é".repeat(100_000)]) {
      const key = uniqueKey()
      assert.equal(await conn.command(["SET", key, text]), "OK")
      assert.equal(await conn.command(["STRLEN", key]), Buffer.byteLength(text))
      assert.equal(await conn.command(["GET", key]), text)
    }
  })

  test("a lone surrogate goes out as U+FFFD, for short strings and long ones", async () => {
    assert.equal(await echoed("a\ud800b"), "a\ufffdb")
    assert.equal(await echoed("\udc00"), "\ufffd")
    assert.equal(await echoed("\ud83d"), "\ufffd")
    const long = "x".repeat(100_000)
    assert.equal(await echoed(`${long}\ud800${long}`), `${long}\ufffd${long}`)
  })

  test("bytes go out as they are", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index))
    const large = Buffer.alloc(300_000, bytes)
    const values: Uint8Array[] = [
      bytes,
      new Uint8Array(bytes),
      large.subarray(1, 200_001),
      new Uint8Array(bytes.buffer, bytes.byteOffset + 3, 7),
      new Uint8Array(0),
    ]
    for (const value of values) {
      const key = uniqueKey()
      await conn.command(["SET", key, value])
      const stored = await conn.command(["GET", key], { encoding: "buffer" })
      assert.deepEqual(stored, Buffer.from(value))
    }
  })

  test("the name of a command may be bytes", async () => {
    assert.equal(await conn.command([Buffer.from("ECHO"), "x"]), "x")
  })

  test("an argument that cannot be sent is a TypeError that names the command, the index and what it got", async () => {
    const cases: [unknown, RegExp][] = [
      [Number.NaN, /NaN/],
      [undefined, /undefined/],
      [null, /null/],
      [true, /true|boolean/i],
      [false, /false|boolean/i],
      [{}, /object/i],
      [{ toString: () => "x" }, /object/i],
      [new Date(0), /object|Date/i],
      [["nested"], /array/i],
      [Symbol("s"), /symbol/i],
      [() => "x", /function/i],
      [new Uint16Array(2), /Uint16Array|object/i],
      [new ArrayBuffer(2), /ArrayBuffer|object/i],
    ]
    for (const [value, got] of cases) {
      await misuse(() => conn.command(["SETEX", "key", value, "v"] as never), /SETEX/, /2/, got)
      await misuse(() => conn.pipeline([["PING"], ["SETEX", "key", 1, value]] as never), /SETEX/, /3/, got)
    }
  })

  test("the name of a command is index 0", async () => {
    await misuse(() => conn.command([undefined, "key"] as never), /0/, /undefined/)
    await misuse(() => conn.command([null] as never), /0/, /null/)
  })

  test("a hole in an array of arguments is refused like undefined", async () => {
    const command: Argument[] = ["SET", "key"]
    command[3] = "EX"
    await misuse(() => conn.command(command), /SET/, /2/, /undefined/)
  })

  test("nothing of a pipeline is sent when one of its arguments is refused", async () => {
    const key = uniqueKey()
    await misuse(() =>
      conn.pipeline([
        ["SET", key, "v"],
        ["GET", undefined],
      ] as never),
    )
    await misuse(() =>
      conn.transactionPipeline([
        ["SET", key, "v"],
        ["GET", undefined],
      ] as never),
    )
    await misuse(() =>
      conn.noreplyPipeline([
        ["SET", key, "v"],
        ["GET", undefined],
      ] as never),
    )
    await misuse(() => conn.pipeline([["SET", key, "v"], []]))
    await misuse(() =>
      conn.pipeline([
        ["SET", key, "v"],
        ["SUBSCRIBE", "c"],
      ]),
    )
    assert.equal(await conn.command(["EXISTS", key]), 0)
  })

  test("a TypeError does not show what the other arguments were", async () => {
    const error = await misuse(() =>
      conn.command(["CONFIG", "SET", "requirepass", "hunter2", undefined] as never),
    )
    assert.doesNotMatch(error.message, /hunter2/)
  })

  test("what is sent is what the arguments were at the call", async () => {
    const key = uniqueKey()
    const command: Argument[] = ["SET", key, "before"]
    const set = conn.command(command)
    command[2] = "after"
    command.push("XX")
    assert.equal(await set, "OK")
    assert.equal(await conn.command(["GET", key]), "before")

    const inner: Argument[] = ["INCRBY", uniqueKey(), 1]
    const commands: Argument[][] = [inner, ["ECHO", "x"]]
    const replies = conn.pipeline(commands)
    inner[2] = 100
    commands.length = 0
    commands.push(["ECHO", "other"])
    assert.deepEqual(await replies, [1, "x"])
  })

  test("what is sent is what the arguments were at the call, also while the connection is being made", async (t) => {
    const key = uniqueKey()
    const early = closing(t, Redix.start({ host: server.host, port: server.port }))
    const command: Argument[] = ["SET", key, "before"]
    const set = early.command(command)
    const inner: Argument[] = ["GET", key]
    const get = early.pipeline([inner])
    command[2] = "after"
    inner[1] = "another key"
    assert.equal(await set, "OK")
    assert.deepEqual(await get, ["before"])
  })

  test("what is sent is what the arguments were at the call, also while the server does not read", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? `+${command[1]}\r\n` : undefined))
    const own = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false, commandTimeout: 60_000 }),
    )
    const connection = fake.connections[0]
    assert.ok(connection)
    connection.pause()
    const large = own.command(["LARGE", Buffer.alloc(32 * 1024 * 1024)])
    await turn()
    const command: Argument[] = ["ECHO", "before"]
    const echo = own.command(command)
    command[1] = "after"
    await turn()
    command[1] = "later"
    connection.write("+large\r\n")
    connection.resume()
    assert.equal(await large, "large")
    assert.equal(await echo, "before")
  })

  test("an empty pipeline is a TypeError", async () => {
    await misuse(() => conn.pipeline([]))
    await misuse(() => conn.transactionPipeline([]))
    await misuse(() => conn.noreplyPipeline([]))
  })

  test("an empty command is a TypeError, alone and as one of several", async () => {
    await misuse(() => conn.command([]))
    await misuse(() => conn.noreplyCommand([]))
    await misuse(() => conn.pipeline([["PING"], [], ["PING"]]))
    await misuse(() => conn.transactionPipeline([["PING"], []]))
    await misuse(() => conn.noreplyPipeline([["PING"], []]))
  })

  test("something that is not an array is a TypeError", async () => {
    for (const value of [
      "PING",
      undefined,
      null,
      1,
      {},
      { 0: "PING", length: 1 },
      new Set(["PING"]),
      Buffer.from("PING"),
    ]) {
      await misuse(() => conn.command(value as never))
      await misuse(() => conn.noreplyCommand(value as never))
      await misuse(() => conn.pipeline(value as never))
      await misuse(() => conn.transactionPipeline(value as never))
      await misuse(() => conn.noreplyPipeline(value as never))
      await misuse(() => conn.pipeline([value] as never))
    }
    await misuse(() => conn.pipeline(["PING"] as never))
  })

  test("what would desynchronise the connection is a TypeError in any letter case and as bytes", async () => {
    const refused = [
      "SUBSCRIBE",
      "PSUBSCRIBE",
      "SSUBSCRIBE",
      "UNSUBSCRIBE",
      "PUNSUBSCRIBE",
      "SUNSUBSCRIBE",
      "MONITOR",
      "HELLO",
      "RESET",
      "SYNC",
      "PSYNC",
      "REPLCONF",
    ]
    for (const name of refused) {
      const mixed = name[0]?.toUpperCase() + name.slice(1).toLowerCase()
      for (const spelling of [name, name.toLowerCase(), mixed, Buffer.from(name.toLowerCase())]) {
        await misuse(() => conn.command([spelling, "3"]))
        await misuse(() => conn.command([spelling]))
        await misuse(() => conn.pipeline([["PING"], [spelling, "x"]]))
        await misuse(() => conn.transactionPipeline([["PING"], [spelling, "x"]]))
        await misuse(() => conn.noreplyCommand([spelling, "x"]))
        await misuse(() => conn.noreplyPipeline([["PING"], [spelling, "x"]]))
      }
    }
    assert.equal(await conn.command(["PING"]), "PONG")
  })

  test("CLIENT REPLY is a TypeError in any letter case and as bytes; the rest of CLIENT is not", async () => {
    for (const [client, reply] of [
      ["CLIENT", "REPLY"],
      ["client", "reply"],
      ["Client", "rEPLY"],
      [Buffer.from("CLIENT"), "REPLY"],
      ["CLIENT", Buffer.from("reply")],
      [new Uint8Array(Buffer.from("client")), new Uint8Array(Buffer.from("Reply"))],
    ] as const) {
      for (const mode of ["OFF", "ON", "SKIP"]) {
        await misuse(() => conn.command([client, reply, mode]), /noreply/)
        await misuse(() => conn.pipeline([["PING"], [client, reply, mode]]), /noreply/)
        await misuse(() => conn.transactionPipeline([[client, reply, mode]]), /noreply/)
        await misuse(() => conn.noreplyCommand([client, reply, mode]))
      }
    }
    assert.equal(typeof (await conn.command(["CLIENT", "ID"])), "number")
    assert.equal(await conn.command(["ECHO", "CLIENT REPLY"]), "CLIENT REPLY")
  })

  test("the refusal names what to use instead", async () => {
    for (const name of [
      "SUBSCRIBE",
      "PSUBSCRIBE",
      "SSUBSCRIBE",
      "UNSUBSCRIBE",
      "PUNSUBSCRIBE",
      "SUNSUBSCRIBE",
    ]) {
      await misuse(() => conn.command([name, "c"]), /PubSub/)
    }
    await misuse(() => conn.command(["HELLO", "3"]), /protocol/)
    await misuse(() => conn.command(["CLIENT", "REPLY", "OFF"]), /noreplyCommand|noreplyPipeline/)
  })

  test("a refused command reaches no server, not even while the connection is being made", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? "+ok\r\n" : undefined))
    const early = closing(t, Redix.start({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    await misuse(() => early.command(["SUBSCRIBE", "c"]))
    await misuse(() => early.pipeline([["SET", "k", "v"], ["MONITOR"]]))
    await misuse(() => early.command(["SET", "k", Number.NaN]))
    assert.equal(await early.command(["ECHO", "end"]), "ok")
    await misuse(() => early.noreplyPipeline([["SET", "k", "v"], ["RESET"]]))
    assert.equal(await early.command(["ECHO", "end"]), "ok")
    assert.deepEqual(fake.connections[0]?.received, [["PING"], ["ECHO", "end"], ["ECHO", "end"]])
  })

  test("misuse is reported as misuse on a closed connection too, and never throws out of the call", async () => {
    const closed = await Redix.connect({ host: server.host, port: server.port })
    await closed.close()
    await misuse(() => closed.command([]))
    await misuse(() => closed.pipeline([]))
    await misuse(() => closed.command(["GET", undefined] as never))
    await misuse(() => closed.command(["PING"], { timeout: -1 }))
  })

  test("a 10,000-command pipeline works", async () => {
    const key = uniqueKey()
    const replies: readonly unknown[] = await conn.pipeline(
      Array.from({ length: 10_000 }, () => ["INCR", key]),
    )
    assert.equal(replies.length, 10_000)
    assert.deepEqual(
      replies,
      Array.from({ length: 10_000 }, (_, index) => index + 1),
    )
  })

  test("MULTI, EXEC, DISCARD, EVAL, SCRIPT and EVALSHA by hand work as ordinary commands", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port }))
    const key = uniqueKey()
    assert.equal(await own.command(["MULTI"]), "OK")
    assert.equal(await own.command(["INCR", key]), "QUEUED")
    assert.deepEqual(await own.command(["EXEC"]), [1])
    assert.equal(await own.command(["MULTI"]), "OK")
    assert.equal(await own.command(["INCR", key]), "QUEUED")
    assert.equal(await own.command(["DISCARD"]), "OK")
    assert.equal(await own.command(["GET", key]), "1")
    assert.deepEqual(await own.command(["EVAL", "return {KEYS[1], ARGV[1]}", 1, key, "a"]), [key, "a"])
    const sha = String(await own.command(["SCRIPT", "LOAD", "return 7"]))
    assert.deepEqual(await own.command(["SCRIPT", "EXISTS", sha, "0".repeat(40)]), [1, 0])
    assert.equal(await own.command(["EVALSHA", sha, 0]), 7)
  })

  test("calls are written whole and in order: concurrent callers never interleave within one", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? `+${command[1]}\r\n` : undefined))
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    const calls = Array.from({ length: 20 }, (_, call) => {
      const tags = Array.from({ length: 5 }, (_, index) => `${call}-${index}`)
      return { tags, replies: own.pipeline(tags.map((tag) => ["ECHO", tag])) }
    })
    for (const { tags, replies } of calls) assert.deepEqual(await replies, tags)
    const connection = fake.connections[0]
    assert.ok(connection)
    assert.deepEqual(
      connection.received.filter(([name]) => name === "ECHO").map(([, tag]) => tag),
      calls.flatMap(({ tags }) => tags),
    )
  })

  test("an argument far larger than a socket buffer arrives whole, between others", async () => {
    const key = uniqueKey()
    const large = Buffer.alloc(8 * 1024 * 1024, "redix")
    const [first, set, last] = await Promise.all([
      conn.command(["ECHO", "first"]),
      conn.command(["SET", key, large]),
      conn.command(["ECHO", "last"]),
    ])
    assert.deepEqual([first, set, last], ["first", "OK", "last"])
    const stored = await conn.command(["GET", key], { encoding: "buffer" })
    assert.ok(large.equals(stored as unknown as Buffer))
    await conn.command(["DEL", key])
  })

  test("a call from within the reading of a command is refused: no reply is shifted", async () => {
    for (const value of ["v", undefined]) {
      const key = uniqueKey()
      let inner: Promise<TypeError> | undefined
      const command = ["SET", key, ""] as [string, string, string]
      Object.defineProperty(command, 2, {
        get() {
          inner ??= misuse(() => conn.command(["ECHO", "inner"]), /call from within/)
          return value
        },
      })
      const outer = conn.safe.command(command)
      const next = conn.command(["ECHO", "next"])
      await inner
      assert.equal((await outer).ok, value !== undefined)
      assert.equal(await next, "next")
      assert.equal(await conn.command(["GET", key]), value ?? null)
    }
  })

  test("a command that ends its client when it is read is not carried out, and settles", async (t) => {
    for (const value of ["v", undefined]) {
      const own = closing(t, await Redix.connect({ host: server.host, port: server.port }))
      const key = uniqueKey()
      const command = ["SET", key, ""] as [string, string, string]
      Object.defineProperty(command, 2, {
        get() {
          own.destroy()
          return value
        },
      })
      await misuse(() => own.command(command, { timeout: Number.POSITIVE_INFINITY }))
      assert.equal(own.stats().waiting, 0)
      assert.equal(await conn.command(["EXISTS", key]), 0)
    }
  })

  test("the bytes on the wire are arrays of bulk strings, counted in bytes", async (t) => {
    const fake = await fakeServer(t, () => undefined)
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    const connection = fake.connections[0]
    assert.ok(connection)
    const handshakeBytes = connection.receivedBytes.length
    own.command(["SET", "é", 1.5, 10n, Buffer.from([0xff])], { timeout: 60_000 }).catch(() => undefined)
    const expected = Buffer.concat([
      Buffer.from("*5\r\n$3\r\nSET\r\n$2\r\né\r\n$3\r\n1.5\r\n$2\r\n10\r\n$1\r\n"),
      Buffer.from([0xff]),
      Buffer.from("\r\n"),
    ])
    await until(() => connection.receivedBytes.length >= handshakeBytes + expected.length, {
      timeout: 5_000,
      message: "the command did not arrive",
    })
    await turn()
    assert.deepEqual(connection.receivedBytes.subarray(handshakeBytes), expected)
  })
})
