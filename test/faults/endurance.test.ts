/** Rows 39 and 42 of the fault matrix: a thousand reconnections, and a flood of requests without a connection. */
import assert from "node:assert/strict"
import { getEventListeners } from "node:events"
import { createServer, type Socket } from "node:net"
import { describe, type TestContext, test } from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { ConnectionError, Redix } from "@redix/client"
import { freePort, listen } from "../../support/port.ts"
import { bulk } from "../../support/resp-literals.ts"
import { RespReader } from "../../support/resp-reader.ts"
import { once, until } from "../../support/wait.ts"
import { closing, quick } from "./setup.ts"

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void
const megabyte = 1_000_000

/** What is in use once everything that can go has gone. */
async function heapUsed(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  return process.memoryUsage().heapUsed
}

/** Handles and timers of this process, by kind. */
function activeResources(): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** A server that keeps nothing: it greets, echoes, and breaks off at BYE. */
async function forgetfulServer(t: TestContext): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const reader = new RespReader({ encoding: "utf8" })
    socket.setNoDelay(true)
    socket.on("error", () => undefined)
    socket.on("close", () => sockets.delete(socket))
    socket.on("data", (chunk: Buffer) => {
      for (const command of reader.push(chunk)) {
        const [name, argument] = command as string[]
        if (name === "BYE") socket.resetAndDestroy()
        else if (socket.writable) socket.write(name === "PING" ? "+PONG\r\n" : bulk(argument ?? ""))
      }
    })
  })
  const port = await listen(server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port, sockets }
}

describe("row 39: a thousand reconnections", () => {
  test("leave neither memory nor handles nor timers nor listeners behind", async (t) => {
    const { port, sockets } = await forgetfulServer(t)
    const conn = closing(
      t,
      await Redix.connect({ ...quick, host: "127.0.0.1", port, backoffInitial: 1, backoffMax: 1 }),
    )
    const { signal } = new AbortController()
    const warnings: string[] = []
    const onWarning = (warning: Error) => warnings.push(String(warning))
    process.on("warning", onWarning)
    t.after(() => process.off("warning", onWarning))
    let disconnected = 0

    async function cycle(index: number): Promise<void> {
      await conn.ready({ timeout: 10_000, signal })
      const tag = `tag:${index}`
      const echoed = conn.command(["ECHO", tag], { signal, timeout: 10_000 })
      assert.equal(await echoed, tag)
      const dropped = once(conn as unknown as Parameters<typeof once>[0], "disconnection")
      const lost = await Promise.all([
        conn.safe.command(["BYE"], { signal }),
        conn.safe.pipeline(
          [
            ["ECHO", tag],
            ["ECHO", tag],
          ],
          { timeout: 7000 },
        ),
        conn.safe.transactionPipeline([["ECHO", tag]], { signal }),
      ])
      for (const each of lost) {
        assert.ok(!each.ok && each.error instanceof ConnectionError && each.error.reason === "disconnected")
        disconnected += 1
      }
      await dropped
    }

    for (let index = 0; index < 200; index++) await cycle(index)
    await conn.ready({ timeout: 10_000 })
    await until(() => sockets.size === 1)
    const heapBefore = await heapUsed()
    const resourcesBefore = activeResources()
    for (let index = 0; index < 1000; index++) await cycle(index)
    await conn.ready({ timeout: 10_000 })
    await until(() => sockets.size === 1)
    const grown = (await heapUsed()) - heapBefore
    t.diagnostic(`the heap grew by ${Math.round(grown / 1000)} kB`)
    assert.ok(grown < 3 * megabyte, `the heap grew by ${grown / megabyte} MB`)
    await until(() => sameResources(resourcesBefore, activeResources()), {
      timeout: 3000,
      message: () => `${JSON.stringify(activeResources())} to be ${JSON.stringify(resourcesBefore)} again`,
    })
    assert.equal(getEventListeners(signal, "abort").length, 0)
    assert.deepEqual(warnings, [])
    assert.equal(disconnected, 3 * 1200)
  })

  test("nor do five hundred attempts in vain", async (t) => {
    const port = await freePort()
    const conn = closing(
      t,
      Redix.start({ ...quick, host: "127.0.0.1", port, backoffInitial: 1, backoffMax: 1 }),
    )
    let failures = 0
    conn.on("failedConnection", () => {
      failures += 1
    })
    await until(() => failures > 100, { timeout: 20_000 })
    const heapBefore = await heapUsed()
    const before = failures
    await until(() => failures > before + 500, { timeout: 40_000 })
    const grown = (await heapUsed()) - heapBefore
    t.diagnostic(`the heap grew by ${Math.round(grown / 1000)} kB`)
    assert.ok(grown < 2 * megabyte, `the heap grew by ${grown / megabyte} MB`)
  })
})

/** Timers and sockets; the rest is not the driver's. */
function sameResources(before: Record<string, number>, now: Record<string, number>): boolean {
  return ["Timeout", "TCPSocketWrap", "TCPConnectWrap", "Immediate"].every(
    (kind) => (now[kind] ?? 0) <= (before[kind] ?? 0),
  )
}

function unexpected(value: unknown): void {
  assert.fail(`a reply without a connection: ${String(value)}`)
}

describe("row 42: a hundred thousand requests while there is no connection", () => {
  test("all reject at once with closed, and nothing is kept of them", async (t) => {
    const { port, sockets } = await forgetfulServer(t)
    const conn = closing(
      t,
      await Redix.connect({
        ...quick,
        host: "127.0.0.1",
        port,
        backoffInitial: 600_000,
        backoffMax: 600_000,
      }),
    )
    const dropped = once(conn as unknown as Parameters<typeof once>[0], "disconnection")
    for (const socket of sockets) socket.destroy()
    await dropped
    await until(() => conn.status === "disconnected")
    const { signal } = new AbortController()

    async function flood(): Promise<number> {
      let closed = 0
      const count = (error: unknown) => {
        if (error instanceof ConnectionError && error.reason === "closed" && error.outcome === "not-sent")
          closed += 1
      }
      for (let part = 0; part < 10; part++) {
        const some: Promise<unknown>[] = []
        for (let index = 0; index < 10_000; index += 4) {
          some.push(
            conn.command(["SET", `key:${index}`, "x".repeat(100)]).then(unexpected, count),
            conn.command(["GET", "k"], { signal, timeout: 60_000 }).then(unexpected, count),
            conn
              .pipeline(
                [
                  ["GET", "a"],
                  ["GET", "b"],
                ],
                { encoding: "buffer" },
              )
              .then(unexpected, count),
            conn.transactionPipeline([["INCR", "a"]]).then(unexpected, count),
          )
        }
        await Promise.all(some)
      }
      return closed
    }

    await flood()
    const heapBefore = await heapUsed()
    const started = performance.now()
    assert.equal(await flood(), 100_000)
    const elapsed = performance.now() - started
    const grown = (await heapUsed()) - heapBefore
    t.diagnostic(`${Math.round(elapsed)} ms; the heap grew by ${Math.round(grown / 1000)} kB`)
    assert.ok(grown < 2 * megabyte, `the heap grew by ${grown / megabyte} MB`)
    assert.ok(elapsed < 20_000, `took ${elapsed} ms`)
    assert.equal(getEventListeners(signal, "abort").length, 0)
    assert.equal(sockets.size, 0)
    assert.equal(conn.status, "disconnected")
  })
})
