/** Section 7 of the contract: requests on the pool run on a connection that is up. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { type Argument, type Command, ConnectionError, Pool } from "@redix/client"
import { handshake } from "../../../support/fake-server.ts"
import { FaultProxy } from "../../../support/proxy.ts"
import { until } from "../../../support/wait.ts"
import { Recorder } from "../../faults/invariants.ts"
import { changing } from "../conformance/bed.ts"
import {
  closing,
  connectionFailure,
  hasReceived,
  misuse,
  rawServer,
  sharedServer,
  uniqueKey,
} from "../helpers.ts"
import { echoes, everyWay, noBackoff, quick, scripted, watched } from "./helpers.ts"

const server = await sharedServer()

const strategies = ["least-busy", "round-robin", "random"] as const

describe("a dead connection", () => {
  for (const strategy of strategies) {
    test(`makes no call fail while others live, ${strategy}`, async (t) => {
      const { pool, fake } = await scripted(t, echoes, { size: 3, strategy, ...noBackoff })
      const drop = new Promise((resolve) => pool.once("disconnection", resolve))
      fake.connections[1]?.reset()
      await drop
      for (let index = 0; index < 30; index++) {
        assert.equal(await pool.command(["ECHO", `${index}`]), `${index}`)
      }
      const tags = Array.from({ length: 100 }, (_, index) => `at once ${index}`)
      assert.deepEqual(await Promise.all(tags.map((tag) => pool.command(["ECHO", tag]))), tags)
      assert.equal(fake.connections.length, 3)
    })

    test(`that is being made again makes no call wait, ${strategy}`, async (t) => {
      const fake = await rawServer(t, (connection) => {
        // What comes after the first three is let in, and told nothing.
        if (fake.connections.length <= 3) {
          connection.onCommand = (command) => echoes(command, connection) ?? handshake(command)
        }
      })
      const pool = closing(
        t,
        await Pool.connect({ host: "127.0.0.1", port: fake.port, size: 3, strategy, ...quick }),
      )
      let connections = 1
      pool.on("connection", () => {
        connections += 1
      })
      await until(() => connections === 3 || fake.connections.every(({ received }) => received.length > 0))
      fake.connections[0]?.reset()
      await until(() => fake.connections.length === 4)
      for (let index = 0; index < 30; index++) {
        assert.equal(await pool.command(["ECHO", `${index}`], { timeout: 2000 }), `${index}`)
      }
    })
  }

  test("at the start makes no call fail or wait either", async (t) => {
    const fake = await rawServer(t, (connection) => {
      if (fake.connections.length > 1) {
        connection.onCommand = (command) => echoes(command, connection) ?? handshake(command)
      }
    })
    const pool = closing(t, Pool.start({ host: "127.0.0.1", port: fake.port, size: 3, ...quick }))
    const tags = Array.from({ length: 30 }, (_, index) => `early ${index}`)
    const early = tags.map((tag) => pool.command(["ECHO", tag], { timeout: 4000 }))
    assert.deepEqual(await Promise.all(early), tags)
  })

  test("killed by the server: calls after the drop succeed", async (t) => {
    const { pool, listed, kill } = await watched(t, server, { size: 4, ...noBackoff })
    let drops = 0
    pool.on("disconnection", () => {
      drops += 1
    })
    await kill((await listed()).slice(0, 3))
    await until(() => drops === 3)
    const key = uniqueKey()
    const counts = await Promise.all(Array.from({ length: 100 }, () => pool.command(["INCR", key])))
    assert.deepEqual(
      counts.sort((a, b) => a - b),
      counts.map((_, index) => index + 1),
    )
    assert.deepEqual(await pool.transactionPipeline([["INCR", key]]), [101])
    await pool.noreplyCommand(["INCR", key])
    assert.equal(await pool.command(["GET", key]), "102")
  })

  test("cut off in the middle of its replies: only what was in flight there fails, and nothing runs twice", async (t) => {
    const proxy = await FaultProxy.start({ host: server.host, port: server.port })
    t.after(() => proxy.stop())
    const pool = closing(t, await Pool.connect({ host: proxy.host, port: proxy.port, size: 4, ...quick }))
    await until(() => proxy.openConnections === 4)
    await Promise.all(Array.from({ length: 40 }, () => pool.command(["PING"])))
    proxy.cutAfterBytes("to-client", 10, "rst")
    const keys = Array.from({ length: 200 }, () => uniqueKey())
    const results = await Promise.all(keys.map((key) => pool.safe.command(["INCR", key])))
    const failed = results.filter(({ ok }) => !ok)
    assert.ok(failed.length > 0 && failed.length < 100, `${failed.length} of 200 failed`)
    for (const result of failed) {
      assert.ok(!result.ok && result.error instanceof ConnectionError, inspect(result))
      assert.equal(result.error.reason, "disconnected")
    }
    const runs = await server.send("MGET", ...keys)
    assert.ok(Array.isArray(runs))
    for (const [index, result] of results.entries()) {
      const count = Number(runs[index] ?? 0)
      assert.ok(count === 1 || (!result.ok && count === 0), `${keys[index]} ran ${count} times`)
    }
    assert.equal(await pool.command(["PING"]), "PONG")
    await until(() => proxy.openConnections === 4)
  })

  test("with all others: calls wait while one is being made, and come through when it stands", async (t) => {
    const fake = await rawServer(t, (connection) => {
      connection.onCommand = (command) =>
        letIn ? (echoes(command, connection) ?? handshake(command)) : undefined
    })
    let letIn = true
    const pool = closing(
      t,
      await Pool.connect({ host: "127.0.0.1", port: fake.port, size: 2, timeout: 60_000, ...quick }),
    )
    await until(
      () => fake.connections.every(({ received }) => received.length > 0) && fake.connections.length === 2,
    )
    letIn = false
    let drops = 0
    pool.on("disconnection", () => {
      drops += 1
    })
    for (const connection of fake.connections.slice(0, 2)) connection.reset()
    await until(
      () =>
        drops === 2 && fake.connections.filter(({ received }) => received[0]?.[0] === "PING").length === 4,
    )
    assert.equal(pool.status, "connecting")
    const waiting = pool.command(["ECHO", "waited"])
    const late = connectionFailure(pool.command(["ECHO", "never"], { timeout: 50 }), "timeout", "not-sent")
    await late
    letIn = true
    for (const connection of fake.connections.slice(2)) connection.write("+PONG\r\n")
    assert.equal(await waiting, "waited")
    assert.ok(fake.connections.every((connection) => !hasReceived(connection, "never")))
  })
})

describe("under kills", () => {
  test("every call settles, and every write runs at most once: acknowledged ones once, unsent ones never", async (t) => {
    const { pool, listed } = await watched(t, server, { size: 4, maxDedicated: 4, ...quick })
    const recorder = new Recorder()
    const calls = recorder.wrap(pool)
    let stopped = false
    const worker = async (step: () => Promise<unknown>) => {
      while (!stopped) {
        await step()
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
    const onCheckout = async () => {
      const conn = await pool.checkout({ timeout: 2000 }).catch((error: unknown) => {
        assert.ok(error instanceof ConnectionError, inspect(error))
      })
      if (!conn) return
      await recorder.wrap(conn).incr()
      await recorder.wrap(conn).incrAtomically(2)
      await conn.release()
    }
    const workers = [
      ...Array.from({ length: 4 }, () => worker(() => calls.incr())),
      worker(() => calls.echo()),
      worker(() => calls.incrAtomically(3)),
      worker(() => calls.incrSilently(3, undefined, { unacknowledged: true })),
      worker(() => Promise.all(Array.from({ length: 20 }, () => calls.incr()))),
      worker(onCheckout),
      worker(onCheckout),
    ]
    for (let round = 0; round < 60; round++) {
      const victims = (await listed()).filter(() => Math.random() < 0.4)
      await Promise.all(
        victims.map(({ id }) => server.send("CLIENT", "KILL", "ID", id).catch(() => undefined)),
      )
      await new Promise((resolve) => setTimeout(resolve, 15))
    }
    stopped = true
    await Promise.all(workers)
    await recorder.verify((...command) => server.send(...command))
    const tally = recorder.tally()
    assert.ok((tally["ok"] ?? 0) > 100, inspect(tally))
    assert.ok((tally["disconnected"] ?? 0) > 0, inspect(tally))
    await pool.ready({ timeout: 10_000 })
    await until(async () => (await pool.safe.command(["PING"])).ok)
  })
})

describe("what changes a connection", () => {
  const refused: readonly (readonly string[])[] = [
    ...changing,
    ["AUTH", "default", "secret"],
    ["CLIENT", "TRACKING", "OFF"],
  ]

  function* spellings(words: readonly string[]): Generator<Argument[]> {
    const lower = words.map((word) => word.toLowerCase())
    yield [...words]
    yield lower
    yield words.map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    yield words.map((word) => Buffer.from(word))
    yield lower.map((word) => new Uint8Array(Buffer.from(word)))
    yield [Buffer.from(words[0] ?? ""), ...lower.slice(1)]
    yield [lower[0] ?? "", ...words.slice(1).map((word) => Buffer.from(word))]
  }

  test("is refused on the pool with a TypeError that names what to use, in every spelling, and nothing is sent", async (t) => {
    const { pool, fake } = await scripted(t, (command) => (command[0] === "ECHO" ? "+ok\r\n" : "+OK\r\n"), {
      size: 1,
    })
    const hint = /transactionPipeline|watch|checkout/
    const before = fake.connections.map(({ received }) => received.length)
    for (const words of refused) {
      for (const command of spellings(words)) {
        const named = new RegExp(`${words[0]}`, "i")
        await misuse(() => pool.command(command), hint, named)
        await misuse(() => pool.pipeline([command]), hint, named)
        await misuse(() => pool.pipeline([["PING"], command, ["PING"]]), hint, named)
        await misuse(() => pool.transactionPipeline([["PING"], command]), hint)
        await misuse(() => pool.noreplyCommand(command))
        await misuse(() => pool.noreplyPipeline([["PING"], command]))
        const result = await pool.safe.command(command)
        assert.ok(!result.ok && result.error instanceof TypeError, inspect(result))
      }
    }
    assert.equal(await pool.command(["ECHO", "end"]), "ok")
    assert.deepEqual(
      fake.connections.map(({ received }) => received.length),
      before.map((count) => count + 1),
    )
  })

  test("the TypeError shows no password", async (t) => {
    const { pool } = await scripted(t)
    const error = await misuse(() => pool.command(["AUTH", "hunter2"]))
    assert.doesNotMatch(inspect(error), /hunter2/)
  })

  test("is refused before the pool is connected, and after its end, too", async (t) => {
    const silent = await rawServer(t, () => undefined)
    const pool = closing(t, Pool.start({ host: "127.0.0.1", port: silent.port }))
    await misuse(() => pool.command(["MULTI"]))
    pool.destroy()
    await misuse(() => pool.command(["MULTI"]))
  })

  test("the rest of CLIENT is not refused, nor are keys of such names", async (t) => {
    const { pool } = await watched(t, server)
    assert.equal(typeof (await pool.command(["CLIENT", "ID"])), "number")
    assert.match(String(await pool.command(["CLIENT", "TRACKINGINFO"])), /flags/)
    assert.equal(await pool.command(["ECHO", "MULTI"]), "MULTI")
    assert.equal(await pool.command(["GET", uniqueKey("SELECT")]), null)
  })

  test("a pipeline that holds a whole MULTI … EXEC is allowed, several as well", async (t) => {
    const { pool } = await watched(t, server, { size: 1 })
    const key = uniqueKey()
    const words: [Argument, Argument][] = [
      ["MULTI", "EXEC"],
      ["multi", "exec"],
      [Buffer.from("Multi"), Buffer.from("eXEC")],
    ]
    let count = 0
    for (const [multi, exec] of words) {
      const replies: readonly unknown[] = await pool.pipeline([[multi], ["INCR", key], [exec], ["PING"]])
      count += 1
      assert.deepEqual(replies, ["OK", "QUEUED", [count], "PONG"])
    }
    const transaction: Command[] = [["MULTI"], ["INCR", key], ["EXEC"]]
    const replies: readonly unknown[] = await pool.pipeline([...transaction, ["PING"], ...transaction])
    assert.deepEqual(replies, ["OK", "QUEUED", [count + 1], "PONG", "OK", "QUEUED", [count + 2]])
  })

  test("a pipeline that holds only a part of it is not, nor one that leaves anything else", async (t) => {
    const { pool } = await watched(t, server, { size: 1 })
    const key = uniqueKey()
    const write: Command = ["SET", key, "sent"]
    const hint = /transactionPipeline|watch|checkout/
    for (const commands of [
      [["MULTI"], write],
      [write, ["EXEC"]],
      [["EXEC"], write, ["MULTI"]],
      [["MULTI"], write, ["EXEC"], ["MULTI"], write],
      [["MULTI"], write, ["EXEC"], ["EXEC"]],
      [["MULTI"], ["SELECT", "1"], write, ["EXEC"]],
      [["MULTI"], write, ["EXEC"], ["SELECT", "1"]],
      [["MULTI"], ["AUTH", "secret"], write, ["EXEC"]],
      [["WATCH", key], write],
    ] as Command[][]) {
      await misuse(() => pool.pipeline(commands), hint)
    }
    assert.equal(await pool.command(["EXISTS", key]), 0)
    assert.match(String(await pool.command(["CLIENT", "INFO"])), / db=0 .* multi=-1 /)
  })

  test("is allowed on a connection of one's own", async (t) => {
    const { pool } = await watched(t, server)
    const key = uniqueKey()
    await pool.use(async (conn) => {
      assert.equal(await conn.command(["WATCH", key]), "OK")
      assert.equal(await conn.command(["UNWATCH"]), "OK")
      assert.equal(await conn.command(["MULTI"]), "OK")
      assert.equal(await conn.command(["INCR", key]), "QUEUED")
      assert.deepEqual(await conn.command(["EXEC"]), [1])
      assert.equal(await conn.command(["multi"]), "OK")
      assert.equal(await conn.command(["DISCARD"]), "OK")
      assert.equal(await conn.command(["SELECT", 7]), "OK")
      assert.equal(await conn.command(["CLIENT", "TRACKING", "OFF"]), "OK")
      for (const name of ["SUBSCRIBE", "MONITOR", "HELLO", "RESET"])
        await misuse(() => conn.command([name, "3"]))
    })
  })
})

describe("misuse", () => {
  test("rejects every method of a pool, and nothing is sent", async (t) => {
    const { pool, fake } = await scripted(t, echoes, { size: 1 })
    const sent = () =>
      fake.connections.flatMap(({ received }) => received).filter(([name]) => name !== "PING")
    const before = sent().length
    for (const call of everyWay(pool, [])) await misuse(call)
    for (const call of everyWay(pool, ["SUBSCRIBE", "c"])) await misuse(call, /PubSub/)
    for (const call of everyWay(pool, ["GET", undefined as never])) await misuse(call, /GET/, /1/)
    for (const call of everyWay(pool, ["BLPOP", undefined as never, "0"])) await misuse(call, /BLPOP/, /1/)
    await misuse(() => pool.command(["BLPOP", "k", 0], { timeout: -1 }), /timeout/)
    await misuse(() => pool.command(["BLPOP", "k", 0], { tiemout: 1 } as never), /tiemout/)
    assert.equal(sent().length, before)
  })
})
