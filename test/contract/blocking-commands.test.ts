/** Section 3 of the contract, *Blocking commands*: their timeouts, and what an abort of them does. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type Argument, Redix } from "@redix/client"
import { until } from "../../support/wait.ts"
import {
  atLeast,
  closing,
  connectionFailure,
  fakeServer,
  hasReceived,
  nextConnection,
  redisFailure,
  sharedConnection,
  uniqueKey,
} from "./helpers.ts"

const { server, conn } = await sharedConnection()

describe("blocking commands", () => {
  /** Waits until the server holds so many blocked clients. */
  const blocked = (count: number) =>
    until(async () => String(await server.send("INFO", "clients")).includes(`blocked_clients:${count}`), {
      message: `no ${count} blocked clients`,
    })

  test("the block time is added to the default timeout and suspends the health check, for every such command", async (t) => {
    const list = uniqueKey()
    const other = uniqueKey()
    const stream = uniqueKey()
    await conn.command(["XGROUP", "CREATE", stream, "group", "$", "MKSTREAM"])
    const commands: Argument[][] = [
      ["BLPOP", list, 1.2],
      ["brpop", list, other, "1.2"],
      ["BLMOVE", list, other, "LEFT", "RIGHT", 1.2],
      ["BRPOPLPUSH", list, other, 2],
      ["BLMPOP", 1.2, 1, list, "LEFT"],
      ["BZPOPMIN", uniqueKey(), 1.2],
      ["BZPOPMAX", uniqueKey(), 1.2],
      ["BZMPOP", "1.2", 1, uniqueKey(), "MIN"],
      ["XREAD", "BLOCK", 1200, "STREAMS", stream, "$"],
      ["XREAD", "COUNT", 1, "block", "1200", "STREAMS", stream, "$"],
      ["XREADGROUP", "GROUP", "group", "me", "BLOCK", 1200n, "STREAMS", stream, ">"],
      ["WAIT", 1, 1200],
    ]
    await Promise.all(
      commands.map(async (command) => {
        const own = closing(
          t,
          await Redix.connect({
            host: server.host,
            port: server.port,
            commandTimeout: 1_000,
            healthCheckInterval: 700,
          }),
        )
        let drops = 0
        own.on("disconnection", () => {
          drops += 1
        })
        const reply: unknown = await own.command(command)
        assert.equal(reply, command[0] === "WAIT" ? 0 : null, String(command[0]))
        assert.equal(drops, 0, String(command[0]))
      }),
    )
  })

  test("a block time of 0 means no timeout", async (t) => {
    const own = closing(
      t,
      await Redix.connect({
        host: server.host,
        port: server.port,
        commandTimeout: 100,
        healthCheckInterval: 200,
      }),
    )
    const key = uniqueKey()
    const reply = own.command(["BLPOP", key, 0])
    await atLeast(800)
    await conn.command(["RPUSH", key, "v"])
    assert.deepEqual(await reply, [key, "v"])
  })

  test("a timeout that is given is the timeout of a blocking command", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port }))
    await connectionFailure(own.command(["BLPOP", uniqueKey(), 0], { timeout: 100 }), "timeout", "unknown")
    const again = closing(t, await Redix.connect({ host: server.host, port: server.port }))
    await connectionFailure(again.command(["BLPOP", uniqueKey(), 30], { timeout: 100 }), "timeout", "unknown")
  })

  test("for a pipeline it is the sum over its commands", async (t) => {
    const own = closing(
      t,
      await Redix.connect({
        host: server.host,
        port: server.port,
        commandTimeout: 1_000,
        healthCheckInterval: 800,
      }),
    )
    // 2.4 s of blocking, more than the default and one block time together.
    const replies: readonly unknown[] = await own.pipeline([
      ["BLPOP", uniqueKey(), 1.2],
      ["PING"],
      ["BLPOP", uniqueKey(), 1.2],
    ])
    assert.deepEqual(replies, [null, "PONG", null])
  })

  test("a command inside MULTI … EXEC does not block and adds nothing", async (t) => {
    const fake = await fakeServer(t)
    const own = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: fake.port, commandTimeout: 100, backoffInitial: 10 }),
    )
    await connectionFailure(own.transactionPipeline([["BLPOP", "k", 0]]), "timeout")
    await connectionFailure(own.pipeline([["MULTI"], ["BLPOP", "k", 0], ["EXEC"]]), "timeout")
    assert.deepEqual(await conn.transactionPipeline([["BLPOP", uniqueKey(), 0]]), [null])
  })

  test("an argument that is not a number counts as not blocking", async (t) => {
    const error = await redisFailure(conn.command(["BLPOP", uniqueKey(), "soon"]), "ERR")
    assert.match(error.message, /timeout/)
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? "+x\r\n" : undefined))
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, commandTimeout: 100 }))
    await connectionFailure(own.command(["BLPOP", "k", "soon"]), "timeout", "unknown")
    assert.equal(own.status, "connected")
    const xread = own.command(["XREAD", "BLOCK", "x", "STREAMS", "s", "$"])
    await connectionFailure(xread, "timeout", "unknown")
    assert.equal(own.status, "connected")
    assert.equal(fake.connections.length, 1)
  })

  test("a key or a group called block does not block", async (t) => {
    const fake = await fakeServer(t)
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, commandTimeout: 100 }))
    for (const command of [
      ["XREAD", "STREAMS", "block", "5", "0", "0"],
      ["XREAD", "COUNT", "1", "STREAMS", "a", "BLOCK", "0", "0"],
      ["XREADGROUP", "GROUP", "block", "0", "STREAMS", "a", ">"],
      ["GET", "BLPOP"],
      ["LPOP", "BLOCK", "0"],
    ]) {
      await connectionFailure(own.command(command), "timeout", "unknown")
      assert.equal(own.status, "connected", command.join(" "))
    }
    assert.equal(fake.connections.length, 1)
  })

  test("WAITAOF, which this server may not have, blocks for its last argument", async (t) => {
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] === "WAITAOF") setTimeout(() => connection.write("*2\r\n:1\r\n:0\r\n"), 600)
      return undefined
    })
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, commandTimeout: 200 }))
    assert.deepEqual(await own.command(["WAITAOF", 1, 0, 5_000]), [1, 0])
    const forever = own.command(["WAITAOF", 1, 0, 0])
    assert.deepEqual(await forever, [1, 0])
  })

  test("a blocking command that is aborted after it was sent drops its connection: nothing is popped for nobody", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port, backoffInitial: 10 }))
    const key = uniqueKey()
    const controller = new AbortController()
    const reason = new Error("not wanted")
    const pop = assert.rejects(
      own.command(["BLPOP", key, 0], { signal: controller.signal }),
      (error) => error === reason,
    )
    await blocked(1)
    const behind = connectionFailure(own.command(["PING"]), "disconnected")
    await atLeast(20)
    const back = nextConnection(own)
    controller.abort(reason)
    await pop
    await behind
    await back
    await blocked(0)
    assert.equal(await conn.command(["RPUSH", key, "v"]), 1)
    assert.equal(await conn.command(["LLEN", key]), 1)
    assert.equal(await own.command(["PING"]), "PONG")
  })

  test("a blocking command that times out drops its connection likewise", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port, backoffInitial: 10 }))
    const key = uniqueKey()
    const back = nextConnection(own)
    await connectionFailure(own.command(["BLPOP", key, 0], { timeout: 100 }), "timeout", "unknown")
    await back
    await blocked(0)
    assert.equal(await conn.command(["RPUSH", key, "v"]), 1)
    assert.equal(await conn.command(["LLEN", key]), 1)
  })

  test("a pipeline that blocks and is aborted drops its connection likewise", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port, backoffInitial: 10 }))
    const key = uniqueKey()
    const controller = new AbortController()
    const pipeline = assert.rejects(
      own.pipeline([["PING"], ["BRPOP", key, 0], ["PING"]], { signal: controller.signal }),
      { name: "AbortError" },
    )
    await blocked(1)
    const back = nextConnection(own)
    controller.abort()
    await pipeline
    await back
    await blocked(0)
  })

  test("a blocking command that is aborted before it was sent leaves the connection alone", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? "+x\r\n" : undefined))
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const controller = new AbortController()
    const pop = assert.rejects(own.command(["BLPOP", "never", 0], { signal: controller.signal }), {
      name: "AbortError",
    })
    controller.abort()
    await pop
    assert.equal(await own.command(["ECHO", "x"]), "x")
    const connection = fake.connections[0]
    assert.ok(connection)
    assert.equal(hasReceived(connection, "never"), false)
    assert.equal(fake.connections.length, 1)
    assert.equal(own.status, "connected")
  })

  test("the health check works again once the blocking command has returned", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "BLPOP" ? "*-1\r\n" : undefined))
    const own = closing(
      t,
      await Redix.connect({
        host: "127.0.0.1",
        port: fake.port,
        healthCheckInterval: 200,
        backoffInitial: 10,
      }),
    )
    assert.equal(await own.command(["BLPOP", "k", 0]), null)
    const error = await connectionFailure(own.command(["SLOW"]), "disconnected", "unknown")
    assert.equal(
      error.cause instanceof Error && "reason" in error.cause && error.cause.reason,
      "health-check-timeout",
    )
  })
})
