/** Section 3 of the contract, `pipeline`: one round trip, replies in order, errors in place. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisError, Redix, unwrap } from "@redix/client"
import { until } from "../../support/wait.ts"
import {
  closing,
  fakeServer,
  namesReceived,
  redisFailure,
  rejection,
  sharedConnection,
  turn,
  uniqueKey,
} from "./helpers.ts"

const { conn } = await sharedConnection()

describe("pipeline", () => {
  test("resolves to one reply per command, in the order of the commands", async () => {
    const key = uniqueKey()
    assert.deepEqual(
      await conn.pipeline([
        ["SET", key, "10"],
        ["INCR", key],
        ["GET", key],
        ["GET", uniqueKey()],
        ["DEL", key],
      ]),
      ["OK", 11, "11", null, 1],
    )
  })

  test("a pipeline of one command resolves to an array of one reply", async () => {
    assert.deepEqual(await conn.pipeline([["PING"]]), ["PONG"])
  })

  test("a server error is a RedisError value in its place and the other commands run", async () => {
    const key = uniqueKey()
    const replies: readonly unknown[] = await conn.pipeline([
      ["SET", key, "text"],
      ["INCR", key],
      ["LPUSH", key, "x"],
      ["GET", key],
      ["NOSUCHCOMMAND"],
    ])
    assert.equal(replies.length, 5)
    assert.equal(replies[0], "OK")
    assert.ok(replies[1] instanceof RedisError)
    assert.equal(replies[1].code, "ERR")
    assert.equal(replies[1].command?.toUpperCase(), "INCR")
    assert.ok(replies[2] instanceof RedisError)
    assert.equal(replies[2].code, "WRONGTYPE")
    assert.equal(replies[2].command?.toUpperCase(), "LPUSH")
    assert.equal(replies[3], "text")
    assert.ok(replies[4] instanceof RedisError)
  })

  test("a pipeline of nothing but errors still resolves", async () => {
    const replies: readonly unknown[] = await conn.pipeline([["NOSUCH1"], ["NOSUCH2"]])
    assert.ok(replies.every((reply) => reply instanceof RedisError))
  })

  test("all commands are written before the first reply", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "LAST" ? "+1\r\n+2\r\n+3\r\n" : undefined))
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    assert.deepEqual(await own.pipeline([["FIRST"], ["SECOND"], ["LAST"]]), ["1", "2", "3"])
    const connection = fake.connections[0]
    assert.ok(connection)
    assert.deepEqual(namesReceived(connection), ["PING", "FIRST", "SECOND", "LAST"])
  })

  test("requests are pipelined without being awaited and each gets its own reply", async () => {
    const tags = Array.from({ length: 500 }, (_, index) => `tag ${index}`)
    assert.deepEqual(await Promise.all(tags.map((tag) => conn.command(["ECHO", tag]))), tags)
  })

  test("commands and pipelines that are not awaited run in the order of the calls", async () => {
    const key = uniqueKey()
    const results: unknown[] = await Promise.all([
      conn.command(["RPUSH", key, "1"]),
      conn.pipeline([
        ["RPUSH", key, "2"],
        ["RPUSH", key, "3"],
      ]),
      conn.noreplyCommand(["RPUSH", key, "4"]),
      conn.transactionPipeline([["RPUSH", key, "5"]]),
      conn.command(["LRANGE", key, 0, -1]),
    ])
    assert.deepEqual(results, [1, [2, 3], undefined, [5], ["1", "2", "3", "4", "5"]])
  })

  test("a pipeline does not resolve before its last reply", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "A" ? "+a\r\n" : undefined))
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    let settled = false
    const replies = own.pipeline([["A"], ["B"]]).finally(() => {
      settled = true
    })
    const connection = fake.connections[0]
    assert.ok(connection)
    await until(() => namesReceived(connection).includes("B"), {
      timeout: 5_000,
      message: "B did not arrive",
    })
    await turn()
    assert.equal(settled, false)
    connection.write("+b\r\n")
    assert.deepEqual(await replies, ["a", "b"])
  })

  test("a pipeline fails as a whole when it times out", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "A" ? "+a\r\n" : undefined))
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const error = await rejection(own.pipeline([["A"], ["B"]], { timeout: 100 }))
    assert.equal("reason" in error && error.reason, "timeout")
  })

  test("unwrap gives the replies of a pipeline without its errors, or throws the first", async () => {
    const key = uniqueKey()
    const [count, expires] = unwrap(
      await conn.pipeline([
        ["INCR", key],
        ["EXPIRE", key, 60],
      ]),
    )
    const sum: number = count + Number(expires)
    assert.equal(sum, 2)
    const failed = rejection(
      conn
        .pipeline([
          ["SET", key, "x"],
          ["INCR", key],
        ])
        .then(unwrap),
    )
    assert.ok((await failed) instanceof RedisError)
  })

  test("command rejects with what pipeline would give in place", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, "text"])
    const error = await redisFailure(conn.command(["INCR", key]), "ERR")
    assert.match(error.message, /not an integer/)
  })

  test("duplex traffic larger than every buffer does not deadlock", async () => {
    const value = "x".repeat(100_000)
    const replies: readonly unknown[] = await conn.pipeline(
      Array.from({ length: 200 }, () => ["ECHO", value]),
      { timeout: 30_000 },
    )
    assert.equal(replies.length, 200)
    assert.ok(replies.every((reply) => reply === value))
  })
})
