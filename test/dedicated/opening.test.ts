/** When dedicated connections are opened, which one is taken, and what happens while the server takes none. */
import assert from "node:assert/strict"
import { createServer } from "node:net"
import { describe, type TestContext, test } from "node:test"
import type { Pool } from "@redix/client"
import { DedicatedConnections } from "../../src/dedicated/connections.ts"
import { DedicatedLimit } from "../../src/dedicated/limit.ts"
import { Lifecycle } from "../../src/lifecycle.ts"
import { openConnection } from "../../src/open/open.ts"
import { resolveOptions } from "../../src/options.ts"
import { type FakeConnection, FakeServer, handshake, nullBulk } from "../../support/fake-server.ts"
import { listen } from "../../support/port.ts"
import { until } from "../../support/wait.ts"
import { atLeast, connectionFailure, rejection } from "../contract/helpers.ts"
import { started } from "../pool/setup.ts"

type Script = (command: readonly string[], connection: FakeConnection) => string | undefined

/** Answers nothing. */
const silence = Buffer.alloc(0)

/** A server that greets a connection as `greet` says (silence where it says nothing), and answers the rest with null. */
async function fakeServer(t: TestContext, greet: Script): Promise<FakeServer> {
  const fake = await FakeServer.start((connection) => {
    connection.onCommand = (command) => {
      if (command[0] === "PING") return greet(command, connection) ?? silence
      return handshake(command) ?? nullBulk
    }
  })
  t.after(() => fake.stop())
  return fake
}

/** Issues one call after the other for a while; how many there were. */
async function issueFor(ms: number, call: () => Promise<unknown>): Promise<number> {
  const end = performance.now() + ms
  let count = 0
  while (performance.now() < end) {
    await call().catch(() => undefined)
    count += 1
    // A call that rejects at once leaves nobody else a turn.
    await atLeast(0)
  }
  return count
}

const calls: readonly (readonly [string, (pool: Pool) => Promise<unknown>])[] = [
  ["BLPOP", (pool) => pool.command(["BLPOP", "k", 1])],
  ["checkout", (pool) => pool.checkout()],
]

describe("a server that takes no connections", () => {
  for (const [what, call] of calls) {
    test(`${what} again and again: attempts wait for the backoff, and calls reject at once`, async (t) => {
      let accepted = 0
      const server = createServer((socket) => {
        accepted += 1
        socket.on("error", () => undefined).destroy()
      })
      const port = await listen(server)
      t.after(() => server.close())
      const slow = { backoffInitial: 200, backoffMax: 30_000, size: 1 }
      const pool = started(t, { host: "127.0.0.1", port }, slow)
      await issueFor(450, () => call(pool))
      // By the backoff, each of the two kinds of connections has 1 + 3 attempts at most in that time.
      assert.ok(accepted <= 8, `${accepted} connections`)
      const error = await connectionFailure(call(pool), "closed", "not-sent")
      assert.equal(error.final, false)
      assert.ok(error.cause instanceof Error)
    })

    test(`${what} again and again, while the pool stands: calls wait for the next attempt`, async (t) => {
      let isFull = false
      const fake = await fakeServer(t, () =>
        isFull ? "-ERR max number of clients reached\r\n" : "+PONG\r\n",
      )
      const pool = started(t, fake, { size: 1, backoffInitial: 100, backoffMax: 30_000 })
      await pool.ready()
      isFull = true
      const count = await issueFor(450, () => call(pool))
      assert.ok(count <= 11, `${count} calls`)
      assert.ok(fake.connections.length <= 12, `${fake.connections.length} connections`)
      isFull = false
      await until(() =>
        call(pool).then(
          () => true,
          () => false,
        ),
      )
      const last = pool.checkout().then((conn) => conn.release())
      const waiting = pool.command(["BLPOP", "k", 0])
      assert.equal(await waiting, null)
      await last
    })
  }

  test("is tried at once when others have reached it", async (t) => {
    let isFull = true
    const fake = await fakeServer(t, () => (isFull ? "-ERR max number of clients reached\r\n" : "+PONG\r\n"))
    const options = resolveOptions([
      {
        host: fake.host,
        port: fake.port,
        clientInfo: false,
        exitOnDisconnection: true,
        backoffInitial: 60_000,
        backoffMax: 60_000,
      },
    ])
    const connections = new DedicatedConnections(
      new DedicatedLimit(1),
      options,
      () => false,
      (listener, delay) => openConnection(options, listener, false, { isReplaceable: true, delay }),
    )
    t.after(() => connections.destroy())
    const lease = () => connections.lease(new Lifecycle(undefined), 5000, undefined)
    await connectionFailure(lease(), "closed", "not-sent")
    isFull = false
    await connectionFailure(lease(), "closed", "not-sent")
    assert.equal(fake.connections.length, 1)
    connections.onConnected()
    await (await lease()).close(1000)
  })

  test("a connection that waits for its first attempt ends with the pool", async (t) => {
    let isFull = false
    const fake = await fakeServer(t, () => (isFull ? "-ERR max number of clients reached\r\n" : "+PONG\r\n"))
    const pool = started(t, fake, { size: 1, backoffInitial: 60_000, backoffMax: 60_000 })
    await pool.ready()
    isFull = true
    await connectionFailure(pool.checkout(), "closed", "not-sent")
    const stop = new AbortController()
    const aborted = rejection(pool.checkout({ signal: stop.signal }))
    const waits = connectionFailure(pool.checkout(), "closed", "not-sent")
    const blocks = connectionFailure(pool.command(["BLPOP", "k", 0]), "closed", "not-sent")
    stop.abort(new Error("stop"))
    assert.equal((await aborted).message, "stop")
    await pool.close()
    assert.equal((await waits).final, true)
    assert.equal((await blocks).final, true)
    assert.equal(fake.connections.length, 2)
  })
})

describe("a dedicated connection", () => {
  test("that stands is taken before one that is on its way for somebody who has given up", async (t) => {
    let isMute = false
    const fake = await fakeServer(t, () => (isMute ? undefined : "+PONG\r\n"))
    const pool = started(t, fake, { size: 1 })
    const first = await pool.checkout()
    isMute = true
    const stop = new AbortController()
    const given = rejection(pool.checkout({ signal: stop.signal }))
    await first.release()
    stop.abort(new Error("stop"))
    await given
    await (await pool.checkout({ timeout: 1000 })).release()
    assert.equal(await pool.command(["BLPOP", "k", 1], { timeout: 1000 }), null)
  })

  test("is waited for by maxInFlight commands that block, and no more", async (t) => {
    const fake = await fakeServer(t, () => "+PONG\r\n")
    const pool = started(t, fake, { size: 1, maxDedicated: 1, maxInFlight: 3 })
    const conn = await pool.checkout()
    const waiting = [1, 2, 3].map(() => pool.command(["BLPOP", "k", 1]))
    await connectionFailure(pool.command(["BLPOP", "k", 1]), "overloaded", "not-sent")
    // A checkout is no request.
    const next = pool.checkout()
    await conn.release()
    assert.deepEqual(await Promise.all(waiting), [null, null, null])
    await (await next).release()
    assert.equal(await pool.command(["BLPOP", "k", 1]), null)
  })
})
