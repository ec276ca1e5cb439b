/** Section 3 of the contract, *Transactions*: `transactionPipeline`, and what a MULTI sent by hand does to others. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisError, Redix } from "@redix/client"
import { until } from "../../support/wait.ts"
import {
  closing,
  connectionFailure,
  fakeServer,
  misuse,
  namesReceived,
  nextConnection,
  redisFailure,
  rejection,
  sharedConnection,
  uniqueKey,
} from "./helpers.ts"

const { server, conn } = await sharedConnection()

describe("transactions", () => {
  const connect = () => Redix.connect({ host: server.host, port: server.port })

  test("transactionPipeline resolves to EXEC's replies", async () => {
    const key = uniqueKey()
    assert.deepEqual(
      await conn.transactionPipeline([
        ["SET", key, "1"],
        ["INCR", key],
        ["GET", key],
      ]),
      ["OK", 2, "2"],
    )
    assert.deepEqual(await conn.transactionPipeline([["PING"]]), ["PONG"])
  })

  test("transactionPipeline is MULTI, the commands and EXEC in one round trip", async (t) => {
    const fake = await fakeServer(t, (command) =>
      command[0] === "EXEC" ? "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:2\r\n" : undefined,
    )
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false }))
    assert.deepEqual(
      await own.transactionPipeline([
        ["INCR", "a"],
        ["INCR", "a"],
      ]),
      [1, 2],
    )
    const connection = fake.connections[0]
    assert.ok(connection)
    assert.deepEqual(connection.received.slice(1), [["MULTI"], ["INCR", "a"], ["INCR", "a"], ["EXEC"]])
  })

  test("an error of one command stays a value in its place", async () => {
    const key = uniqueKey()
    const replies: readonly unknown[] | null = await conn.transactionPipeline([
      ["SET", key, "text"],
      ["INCR", key],
      ["GET", key],
    ])
    assert.ok(replies)
    assert.equal(replies[0], "OK")
    assert.ok(replies[1] instanceof RedisError)
    assert.equal(replies[1].command?.toUpperCase(), "INCR")
    assert.equal(replies[2], "text")
  })

  test("the encoding is that of EXEC's replies", async () => {
    const key = uniqueKey()
    assert.deepEqual(
      await conn.transactionPipeline(
        [
          ["SET", key, "v"],
          ["GET", key],
          ["STRLEN", key],
        ],
        { encoding: "buffer" },
      ),
      [Buffer.from("OK"), Buffer.from("v"), 1],
    )
  })

  test("resolves to null after a WATCH whose key has changed, and only then", async (t) => {
    const own = closing(t, await connect())
    const key = uniqueKey()
    await own.command(["WATCH", key])
    await conn.command(["SET", key, "changed"])
    assert.equal(await own.transactionPipeline([["SET", key, "mine"]]), null)
    assert.equal(await conn.command(["GET", key]), "changed")
    await own.command(["WATCH", key])
    assert.deepEqual(await own.transactionPipeline([["SET", key, "mine"]]), ["OK"])
  })

  test("a command refused while queueing rejects with EXECABORT, the first queueing error its cause", async () => {
    const key = uniqueKey()
    const error = await redisFailure(
      conn.transactionPipeline([["SET", key, "v"], ["NOSUCHCOMMAND"], ["GET"] as string[], ["INCR", key]]),
      "EXECABORT",
    )
    assert.ok(error.cause instanceof RedisError)
    assert.equal(error.cause.code, "ERR")
    assert.match(error.cause.message, /unknown command/)
    assert.equal(error.cause.command?.toUpperCase(), "NOSUCHCOMMAND")
    assert.equal(await conn.command(["EXISTS", key]), 0)
    assert.deepEqual(await conn.transactionPipeline([["SET", key, "v"]]), ["OK"])
  })

  test("a MULTI that the server refuses rejects", async (t) => {
    await conn.command(["ACL", "SETUSER", "nomulti", "on", ">secret", "~*", "+@all", "-multi"])
    const own = closing(
      t,
      await Redix.connect({
        host: server.host,
        port: server.port,
        username: "nomulti",
        password: "secret",
      }),
    )
    assert.ok((await rejection(own.transactionPipeline([["SET", uniqueKey(), "v"]]))) instanceof RedisError)
    assert.equal(await own.command(["PING"]), "PONG")
  })

  test("transactions of concurrent callers never mix", async () => {
    const key = uniqueKey()
    const runs = await Promise.all(
      Array.from({ length: 50 }, () =>
        conn.transactionPipeline([
          ["INCR", key],
          ["INCR", key],
        ]),
      ),
    )
    runs.forEach((replies, index) => {
      assert.deepEqual(replies, [2 * index + 1, 2 * index + 2])
    })
  })

  test("until EXEC a MULTI by hand makes noreply and transactionPipeline a TypeError, nothing sent", async (t) => {
    const own = closing(t, await connect())
    const key = uniqueKey()
    await own.command(["MULTI"])
    await misuse(() => own.transactionPipeline([["SET", key, "1"]]))
    await misuse(() => own.noreplyCommand(["SET", key, "2"]))
    await misuse(() => own.noreplyPipeline([["SET", key, "3"]]))
    assert.equal(await own.command(["SET", key, "queued"]), "QUEUED")
    assert.deepEqual(await own.command(["EXEC"]), ["OK"])
    assert.equal(await own.command(["GET", key]), "queued")
    assert.deepEqual(await own.transactionPipeline([["GET", key]]), ["queued"])
    await own.noreplyCommand(["SET", key, "noreply"])
    assert.equal(await own.command(["GET", key]), "noreply")
  })

  test("until DISCARD likewise, and in any letter case and as bytes", async (t) => {
    const own = closing(t, await connect())
    const key = uniqueKey()
    for (const [open, shut] of [
      ["MULTI", "DISCARD"],
      ["multi", "discard"],
      ["Multi", "exec"],
      [Buffer.from("multi"), Buffer.from("Exec")],
    ] as const) {
      await own.command([open])
      await misuse(() => own.transactionPipeline([["SET", key, "1"]]))
      await misuse(() => own.noreplyCommand(["SET", key, "1"]))
      await own.command([shut])
      assert.deepEqual(await own.transactionPipeline([["PING"]]), ["PONG"])
      await own.noreplyCommand(["PING"])
    }
    assert.equal(await own.command(["EXISTS", key]), 0)
  })

  test("whether a MULTI is open is known in write order, before any reply", async (t) => {
    const own = closing(t, await connect())
    const key = uniqueKey()
    const multi = own.command(["MULTI"])
    const refused = [
      rejection(own.transactionPipeline([["SET", key, "1"]])),
      rejection(own.noreplyCommand(["SET", key, "1"])),
    ]
    const queued = own.command(["SET", key, "2"])
    const exec = own.command(["EXEC"])
    const after = own.transactionPipeline([["GET", key]])
    const noreply = own.noreplyCommand(["SET", key, "3"])
    for (const error of refused) assert.ok((await error) instanceof TypeError)
    assert.equal(await multi, "OK")
    assert.equal(await queued, "QUEUED")
    assert.deepEqual(await exec, ["OK"])
    assert.deepEqual(await after, ["2"])
    await noreply
    assert.equal(await own.command(["GET", key]), "3")
  })

  test("a MULTI by hand is known also while the connection is being made", async (t) => {
    const own = closing(t, Redix.start({ host: server.host, port: server.port }))
    const key = uniqueKey()
    const multi = own.command(["MULTI"])
    const refused = rejection(own.transactionPipeline([["SET", key, "1"]]))
    const exec = own.command(["EXEC"])
    const after = own.transactionPipeline([["PING"]])
    assert.ok((await refused) instanceof TypeError)
    assert.equal(await multi, "OK")
    assert.deepEqual(await exec, [])
    assert.deepEqual(await after, ["PONG"])
  })

  test("a pipeline that holds a whole MULTI … EXEC leaves no transaction open", async (t) => {
    const own = closing(t, await connect())
    const key = uniqueKey()
    assert.deepEqual(await own.pipeline([["MULTI"], ["INCR", key], ["EXEC"]]), ["OK", "QUEUED", [1]])
    assert.deepEqual(await own.transactionPipeline([["INCR", key]]), [2])
    assert.deepEqual(await own.pipeline([["MULTI"], ["INCR", key]]), ["OK", "QUEUED"])
    await misuse(() => own.transactionPipeline([["INCR", key]]))
    assert.deepEqual(await own.pipeline([["INCR", key], ["EXEC"]]), ["QUEUED", [3, 4]])
    assert.deepEqual(await own.transactionPipeline([["INCR", key]]), [5])
  })

  test("a MULTI that was never sent leaves no transaction open", async (t) => {
    const own = closing(t, await connect())
    const controller = new AbortController()
    const multi = rejection(own.command(["MULTI"], { signal: controller.signal }))
    controller.abort()
    await multi
    assert.deepEqual(await own.transactionPipeline([["PING"]]), ["PONG"])
    await own.noreplyCommand(["PING"])
  })

  test("a MULTI by hand is gone after a reconnection", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port, backoffInitial: 10 }))
    const id = await own.command(["CLIENT", "ID"])
    await own.command(["MULTI"])
    const back = nextConnection(own)
    await conn.command(["CLIENT", "KILL", "ID", Number(id)])
    await back
    assert.deepEqual(await own.transactionPipeline([["PING"]]), ["PONG"])
    await own.noreplyCommand(["PING"])
  })

  test("a transaction whose connection drops rejects and is not run again", async (t) => {
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] === "EXEC") connection.reset()
      return undefined
    })
    const own = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, clientInfo: false, backoffInitial: 10 }),
    )
    const back = nextConnection(own)
    await connectionFailure(own.transactionPipeline([["INCR", "a"]]), "disconnected", "unknown")
    await back
    await until(() => fake.connections.length === 2, { timeout: 5_000, message: "no second connection" })
    const second = fake.connections[1]
    assert.ok(second)
    assert.deepEqual(namesReceived(second), ["PING"])
  })
})
