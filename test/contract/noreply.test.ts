/** Section 3 of the contract, `noreplyCommand` and `noreplyPipeline`. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisError, Redix } from "@redix/client"
import { until } from "../../support/wait.ts"
import {
  closing,
  connectionFailure,
  fakeServer,
  misuse,
  nextConnection,
  redisFailure,
  sharedConnection,
  uniqueKey,
} from "./helpers.ts"

const { server, conn } = await sharedConnection()

describe("noreply", () => {
  test("noreplyCommand runs the command and resolves to nothing", async () => {
    const key = uniqueKey()
    assert.equal(await conn.noreplyCommand(["INCR", key]), undefined)
    assert.equal(await conn.command(["GET", key]), "1")
  })

  test("noreplyPipeline runs the commands and resolves to nothing", async () => {
    const key = uniqueKey()
    assert.equal(
      await conn.noreplyPipeline([
        ["INCR", key],
        ["INCR", key],
        ["INCR", key],
      ]),
      undefined,
    )
    assert.equal(await conn.command(["GET", key]), "3")
  })

  test("wraps the commands in CLIENT REPLY OFF and ON, and waits for the one OK", async (t) => {
    const fake = await fakeServer(t, (command) =>
      command[0] === "CLIENT" && command[2] === "ON" ? "+OK\r\n" : undefined,
    )
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    await own.noreplyPipeline([
      ["SET", "a", "1"],
      ["SET", "b", "2"],
    ])
    await own.noreplyCommand(["SET", "c", "3"])
    assert.deepEqual(fake.connections[0]?.received.slice(1), [
      ["CLIENT", "REPLY", "OFF"],
      ["SET", "a", "1"],
      ["SET", "b", "2"],
      ["CLIENT", "REPLY", "ON"],
      ["CLIENT", "REPLY", "OFF"],
      ["SET", "c", "3"],
      ["CLIENT", "REPLY", "ON"],
    ])
  })

  test("an error of a command is not reported: there is no reply to report it", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, "text"])
    assert.equal(
      await conn.noreplyPipeline([["INCR", key], ["NOSUCHCOMMAND"], ["SET", key, "set"]]),
      undefined,
    )
    assert.equal(await conn.command(["GET", key]), "set")
  })

  test("replies of concurrent requests are not disturbed", async () => {
    const key = uniqueKey()
    const results: unknown[] = await Promise.all([
      conn.command(["ECHO", "before"]),
      conn.noreplyPipeline(Array.from({ length: 100 }, () => ["INCR", key])),
      conn.command(["ECHO", "between"]),
      conn.noreplyCommand(["INCR", key]),
      conn.pipeline([
        ["GET", key],
        ["ECHO", "after"],
      ]),
    ])
    assert.deepEqual(results, ["before", undefined, "between", undefined, ["101", "after"]])
  })

  test("refuses MULTI, EXEC, DISCARD and WATCH among its commands", async () => {
    const key = uniqueKey()
    for (const name of ["MULTI", "EXEC", "DISCARD", "WATCH"]) {
      for (const spelling of [name, name.toLowerCase(), Buffer.from(name)]) {
        const command = name === "WATCH" ? [spelling, key] : [spelling]
        await misuse(() => conn.noreplyCommand(command), new RegExp(name, "i"))
        await misuse(() => conn.noreplyPipeline([["SET", key, "v"], command]), new RegExp(name, "i"))
      }
    }
    assert.equal(await conn.command(["EXISTS", key]), 0)
  })

  test("when the server refuses CLIENT REPLY its error rejects noreply and nothing else is disturbed", async (t) => {
    await conn.command(["ACL", "SETUSER", "noclient", "on", ">secret", "~*", "+@all", "-client|reply"])
    const own = closing(
      t,
      await Redix.connect({ host: server.host, port: server.port, username: "noclient", password: "secret" }),
    )
    const id = await own.command(["CLIENT", "ID"])
    const key = uniqueKey()
    const before = own.command(["ECHO", "before"])
    const command = redisFailure(own.noreplyCommand(["SET", key, "v"]), "NOPERM")
    const between = own.command(["ECHO", "between"])
    const pipeline = redisFailure(own.noreplyPipeline([["INCR", uniqueKey()], ["NOSUCHCOMMAND"]]), "NOPERM")
    const after = own.pipeline([["ECHO", "after"], ["PING"]])
    assert.equal(await before, "before")
    assert.match((await command).message, /client\|reply/)
    assert.equal(await between, "between")
    await pipeline
    assert.deepEqual(await after, ["after", "PONG"])
    assert.equal(await own.command(["CLIENT", "ID"]), id)
  })

  test("a server that refuses CLIENT altogether, late and in pieces, disturbs nothing either", async (t) => {
    const denied = "-NOPERM no client\r\n"
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] === "END") {
        const replies = `+first\r\n${denied}+OK\r\n:1\r\n${denied}+last\r\n`
        void connection.writeInPieces(Buffer.from(replies), 3)
      }
      return undefined
    })
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    const first = own.command(["FIRST"])
    const refused = redisFailure(
      own.noreplyPipeline([
        ["SET", "a", "1"],
        ["INCR", "b"],
      ]),
      "NOPERM",
    )
    const last = own.command(["END"])
    assert.equal(await first, "first")
    assert.ok((await refused) instanceof RedisError)
    assert.equal(await last, "last")
    assert.equal(own.status, "connected")
    assert.equal(fake.connections.length, 1)
  })

  test("an answer other than OK or an error drops the connection: whose it is would be in doubt", async (t) => {
    const fake = await fakeServer(t, (command) =>
      command[0] === "CLIENT" && command[2] === "ON" ? ":1\r\n" : undefined,
    )
    const own = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false, backoffInitial: 10 }),
    )
    const error = await connectionFailure(own.noreplyCommand(["SET", "a", "1"]), "disconnected", "unknown")
    assert.equal(
      error.cause instanceof Error && "reason" in error.cause && error.cause.reason,
      "protocol-error",
    )
  })

  test("a connection that stays mute until the deadline is dropped and made again", async (t) => {
    const fake = await fakeServer(t)
    const own = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false, backoffInitial: 10 }),
    )
    const back = nextConnection(own)
    await connectionFailure(own.noreplyCommand(["SET", "a", "1"], { timeout: 100 }), "timeout", "unknown")
    await back
    await until(() => fake.connections.length === 2, { timeout: 5_000, message: "no second connection" })
  })

  test("takes the same options and validation as a pipeline", async () => {
    await misuse(() => conn.noreplyCommand(["PING"], { timeout: 0 }))
    await misuse(() => conn.noreplyPipeline([["PING"]], { nonsense: 1 } as never), /nonsense/)
    await misuse(() => conn.noreplyCommand(["GET", undefined] as never))
    await conn.noreplyCommand(["PING"], { timeout: 1_000, metadata: { a: 1 } })
  })

  test("works with protocol 3", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port, protocol: 3 }))
    const key = uniqueKey()
    await own.noreplyPipeline([
      ["INCR", key],
      ["INCR", key],
    ])
    assert.equal(await own.command(["GET", key]), "2")
  })
})
