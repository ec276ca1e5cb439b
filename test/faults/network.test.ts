/** Rows 10 to 18 of the fault matrix: connections that break, refuse, keep silent, or are slow. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { setImmediate as nextTurn } from "node:timers/promises"
import { ConnectionError, Redix } from "@redix/client"
import { simple } from "../../support/fake-server.ts"
import { freePort, RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { Clock } from "../util/clock.ts"
import { type Calls, nameOf, type Settled, unique } from "./invariants.ts"
import {
  assertProtocolError,
  atLeast,
  closing,
  echoes,
  failureOf,
  fakeServer,
  proxied,
  quick,
  recorded,
  recovered,
  replyOf,
  type Seen,
  scripted,
} from "./setup.ts"

const server = await sharedServer()
const send = (...command: string[]) => server.send(...command)

/** Between attempts a request rejects at once: before the event loop has turned. */
async function assertClosedAtOnce(calls: Calls): Promise<ConnectionError> {
  const settled = await Promise.race([calls.incr({ timeout: 20_000 }), nextTurn()])
  assert.ok(settled !== undefined, "it has not rejected at once")
  const error = failureOf(settled, "closed", "not-sent")
  return error
}

/** No attempt comes sooner than its backoff allows: half of the nominal wait, which grows by 1.5. */
function assertBackoff({ failureTimes }: Seen, initial: number, max: number): void {
  for (let attempt = 1; attempt < failureTimes.length; attempt++) {
    const nominal = Math.min(max, initial * 1.5 ** (attempt - 1))
    const waited = (failureTimes[attempt] as number) - (failureTimes[attempt - 1] as number)
    assert.ok(waited >= nominal / 2 - 5, `only ${waited} ms before attempt ${attempt + 1}, of ${nominal}`)
  }
}

describe("row 10: broken off within a reply", () => {
  for (const ending of ["fin", "rst"] as const) {
    test(`${ending.toUpperCase()} at every byte: whole replies count, the rest is disconnected, no bytes are left over`, async (t) => {
      const { proxy, calls, recorder, conn } = await proxied(t, server)
      const key = unique("key")
      replyOf(await calls.command(["SET", key, "a\r\nb€c"]))
      const wires = ["+PONG\r\n", "$8\r\na\r\nb€c\r\n", "*2\r\n$8\r\na\r\nb€c\r\n$-1\r\n", ":1\r\n"]
      const values = ["PONG", "a\r\nb€c", ["a\r\nb€c", null], 1]
      const ends = wires.map((_, index) => Buffer.byteLength(wires.slice(0, index + 1).join("")))
      for (let count = 0; count < (ends.at(-1) as number); count++) {
        await conn.ready({ timeout: 10_000 })
        proxy.cutAfterBytes("to-client", count, ending)
        const settled = await Promise.all([
          calls.command(["PING"]),
          calls.command(["GET", key]),
          calls.command(["MGET", key, "faults:none"]),
          calls.incr(),
        ])
        for (const [index, each] of settled.entries()) {
          const arrived = (ends[index] as number) <= count
          if (arrived && each.ok) assert.deepEqual(each.value, values[index])
          // A reset may overtake bytes that arrived just before it; an ordinary end may not.
          else if (arrived && ending === "fin") replyOf(each)
          else failureOf(each, "disconnected", "unknown")
        }
        await recovered(calls)
      }
      await recorder.verify(send)
    })
  }
})

describe("row 11: executed, but the reply is lost", () => {
  const writes: readonly (readonly [name: string, call: (calls: Calls) => Promise<Settled>])[] = [
    ["a command", (calls) => calls.incr()],
    ["a transaction", (calls) => calls.incrAtomically(3)],
    ["noreply", (calls) => calls.incrSilently(3)],
  ]
  for (const [name, write] of writes) {
    for (const ending of ["cut", "reset"] as const) {
      test(`${name}: disconnected (${ending}), and never sent again`, async (t) => {
        const { proxy, calls, recorder } = await proxied(t, server)
        replyOf(await calls.echo())
        const processed = async () =>
          Number(/total_commands_processed:(\d+)/.exec(`${await send("INFO", "stats")}`)?.[1])
        const before = await processed()
        proxy.blackhole("to-client")
        const lost = write(calls)
        // The INFO of each look counts as well.
        let looks = 0
        await until(async () => (await processed()) - before > ++looks)
        proxy[ending]()
        const error = failureOf(await lost, "disconnected", "unknown")
        assert.equal(error.final, false)
        proxy.restore()
        await recovered(calls)
        await recorder.verify(send)
      })
    }
  }
})

describe("row 12: accepted and closed", () => {
  for (const how of ["end", "reset"] as const) {
    test(`at once (${how}): closed between attempts, which keep their backoff, and a recovery`, async (t) => {
      let healthy = false
      const fake = await fakeServer(t, (command, connection) => {
        if (healthy) return echoes(command)
        connection[how]()
        return ""
      })
      const { calls, recorder, seen } = recorded(t, {
        host: fake.host,
        port: fake.port,
        backoffInitial: 60,
        backoffMax: 150,
      })
      await until(() => seen.failures.length === 1)
      const error = await assertClosedAtOnce(calls)
      assert.equal(error.final, false)
      await until(() => seen.failures.length >= 6)
      assertBackoff(seen, 60, 150)
      healthy = true
      await recovered(calls)
      await recorder.verify()
    })
  }

  test("right after each handshake is no hot loop either", async (t) => {
    let healthy = false
    let hellos = 0
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] !== "PING" || healthy) return echoes(command)
      hellos += 1
      connection.write(simple("PONG"))
      connection.end()
      return ""
    })
    const { calls, recorder } = recorded(t, {
      host: fake.host,
      port: fake.port,
      backoffInitial: 100,
      backoffMax: 100,
    })
    const started = performance.now()
    await until(() => hellos >= 6)
    assert.ok(performance.now() - started >= 5 * 50 - 5, "the wait is at least half of the backoff")
    healthy = true
    await recovered(calls)
    await recorder.verify()
  })
})

describe("row 13: accepted, then silence", () => {
  test("the attempt times out, what waits is closed and not sent, the next attempt succeeds", async (t) => {
    let silent = 2
    const fake = await fakeServer(t, (command) => {
      if (command[0] === "PING" && silent > 0) {
        silent -= 1
        return ""
      }
      return echoes(command)
    })
    const { conn, calls, recorder, seen } = recorded(t, { host: fake.host, port: fake.port, timeout: 300 })
    const waiting = [calls.incr(), calls.echo({ timeout: Number.POSITIVE_INFINITY })]
    const hasty = calls.echo({ timeout: 50 })
    failureOf(await hasty, "timeout", "not-sent")
    for (const each of waiting) {
      const { cause } = failureOf(await each, "closed", "not-sent")
      assert.ok(cause instanceof ConnectionError)
      assert.equal(cause.reason, "timeout")
    }
    await conn.ready({ timeout: 15_000 })
    assert.deepEqual(
      seen.failures.map(({ error }) => error.reason),
      ["timeout", "timeout"],
    )
    await recovered(calls)
    assert.ok(fake.connections.every(({ received }) => received.every(([name]) => name !== "INCR")))
    await recorder.verify()
  })

  test("the timeout covers a TLS handshake that nobody answers", async (t) => {
    const clock = new Clock(t)
    const fake = await fakeServer(t)
    const attempt = Redix.connect({ host: fake.host, port: fake.port, tls: true, timeout: 300 }).then(
      (conn) => closing(t, conn) && assert.fail("connected"),
      (reason: unknown) => reason,
    )
    await clock.standUntil(() => fake.connections.length > 0)
    await clock.pass(310)
    const error = await clock.stand(attempt)
    assert.ok(error instanceof ConnectionError)
    assert.ok(error.reason === "timeout" || error.reason === "tls", error.reason)
  })
})

describe("row 14: refused", () => {
  test("in flight disconnected, then closed at once, attempts with backoff, and back when it listens", async (t) => {
    const { proxy, calls, recorder, seen } = await proxied(t, server, { backoffInitial: 60, backoffMax: 150 })
    proxy.blackhole("to-server")
    const inFlight = calls.incr()
    await atLeast(0)
    proxy.refuse()
    proxy.reset()
    failureOf(await inFlight, "disconnected", "unknown")
    await until(() => seen.failures.length >= 1)
    const error = await assertClosedAtOnce(calls)
    assert.equal(error.final, false)
    await until(() => seen.failures.length >= 6)
    assertBackoff(seen, 60, 150)
    for (const failure of seen.failures) {
      assert.equal(failure.error.reason, "refused")
      assert.equal((failure.error.cause as NodeJS.ErrnoException).code, "ECONNREFUSED")
    }
    proxy.restore()
    await proxy.accept()
    await recovered(calls)
    assert.equal(seen.connections.at(-1)?.reconnection, true)
    await recorder.verify(send)
  })
})

describe("row 15: no server at the start", () => {
  test("connect() rejects with the attempt's own reason and leaves nothing behind", async (t) => {
    const port = await freePort()
    const error = await Redix.connect({ ...quick, host: "127.0.0.1", port }).then(
      (conn) => closing(t, conn) && assert.fail("connected"),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof ConnectionError)
    assert.equal(error.reason, "refused")
    assert.equal((error.cause as NodeJS.ErrnoException).code, "ECONNREFUSED")
    // Nobody tries on: a server that comes now is left alone.
    const fake = await fakeServer(t, echoes, { port })
    await atLeast(150)
    assert.equal(fake.connections.length, 0)
  })

  test("start(): the first commands wait for the attempt, later ones are closed, until the server is there", async (t) => {
    const port = await freePort()
    const { calls, recorder, seen } = recorded(t, {
      host: "127.0.0.1",
      port,
      backoffInitial: 100,
      backoffMax: 200,
    })
    const first = await Promise.all([calls.incr(), calls.echo(), calls.incrAtomically(2)])
    for (const each of first) {
      const { cause } = failureOf(each, "closed", "not-sent")
      assert.ok(cause instanceof ConnectionError)
      assert.equal(cause.reason, "refused")
    }
    await assertClosedAtOnce(calls)
    const late = await RedisServer.start({ port })
    t.after(() => late.stop())
    await recovered(calls)
    replyOf(await calls.incr())
    assert.equal(seen.connections[0]?.reconnection, true)
    await recorder.verify((...command) => late.send(...command))
  })
})

describe("row 16: a black hole", () => {
  const interval = 400

  for (const direction of ["both", "to-client", "to-server"] as const) {
    test(`${direction}: the callers time out, the health check tears down, and the link comes back`, async (t) => {
      const { proxy, calls, recorder, seen } = await proxied(t, server, {
        healthCheckInterval: interval,
        timeout: 500,
      })
      replyOf(await calls.echo())
      proxy.blackhole(direction)
      const started = performance.now()
      const lost = [
        calls.incr({ timeout: 150 }),
        calls.echo({ timeout: 200 }),
        calls.incrAtomically(2, { timeout: 150 }),
      ]
      for (const each of lost) failureOf(await each, "timeout", "unknown")
      await until(() => seen.disconnections.length === 1)
      const elapsed = performance.now() - started
      assert.ok(elapsed >= interval - 50, `torn down after only ${elapsed} ms`)
      assert.ok(elapsed < 2 * interval + 4000, `torn down after ${elapsed} ms`)
      assert.equal(seen.disconnections[0]?.error.reason, "health-check-timeout")
      proxy.restore()
      await recovered(calls)
      await recorder.verify(send)
    })
  }

  test("that begins within a reply is noticed as well, and the half is dropped", async (t) => {
    const { proxy, calls, recorder, seen } = await proxied(t, server, {
      healthCheckInterval: interval,
      timeout: 500,
    })
    replyOf(await calls.echo())
    proxy.mutate((chunk) => {
      proxy.blackhole("to-client")
      return chunk.subarray(0, chunk.length - 4)
    })
    const half = calls.echo()
    const behind = calls.incr()
    for (const each of [half, behind]) {
      const { cause } = failureOf(await each, "disconnected", "unknown")
      assert.ok(cause instanceof ConnectionError)
      assert.equal(cause.reason, "health-check-timeout")
    }
    assert.equal(seen.disconnections[0]?.error.reason, "health-check-timeout")
    proxy.restore()
    await recovered(calls)
    await recorder.verify(send)
  })

  test("while nothing is in flight disturbs nobody: no teardown, and no request is lost to it", async (t) => {
    const { proxy, calls, recorder, seen } = await proxied(t, server, { healthCheckInterval: 100 })
    replyOf(await calls.echo())
    const { toServer } = proxy.bytes
    proxy.blackhole("both")
    await atLeast(500)
    assert.equal(seen.disconnections.length, 0)
    proxy.restore()
    replyOf(await calls.incr())
    assert.equal(proxy.connections, 1)
    assert.ok(proxy.bytes.toServer - toServer < 120, "the check costs no traffic")
    await recorder.verify(send)
  })
})

describe("row 17: a peer that stops reading", () => {
  /** More than the buffers of both sides hold. */
  const size = 256 * 1024
  const count = 160

  test("loses nothing, and nothing changes its place, once it reads on", async (t) => {
    const sets: string[] = []
    const { fake, calls, recorder } = await scripted(
      t,
      (command) => {
        if (command[0] !== "SET") return undefined
        sets.push(`${command[1]} ${command[2]?.length}`)
        return simple(command[1] as string)
      },
      { commandTimeout: 30_000 },
    )
    fake.connections[0]?.pause()
    const values = Array.from({ length: count }, (_, index) => Buffer.alloc(size + index, 97 + (index % 26)))
    const pending: Promise<Settled>[] = []
    for (const [index, value] of values.entries()) {
      // Text and bytes, in one turn and over several, since they may take different ways.
      const argument = index % 3 === 0 ? value : value.toString("latin1")
      pending.push(calls.command(["SET", `${index}`, argument]))
      if (index % 10 === 9) await atLeast(0)
    }
    await atLeast(100)
    assert.ok(sets.length < count, "the peer must not have read everything")
    fake.connections[0]?.resume()
    const settled = await Promise.all(pending)
    assert.deepEqual(
      settled.map(replyOf),
      values.map((_, index) => `${index}`),
    )
    assert.deepEqual(
      sets,
      values.map((value, index) => `${index} ${value.length}`),
    )
    await recorder.verify()
  })

  test("times its callers out; what was not handed over by then is never sent", async (t) => {
    const received: string[] = []
    const { fake, calls, recorder, seen } = await scripted(t, (command) => {
      if (command[0] !== "SET") return echoes(command)
      received.push(command[1] as string)
      return simple(command[1] as string)
    })
    fake.connections[0]?.pause()
    const pending = Array.from({ length: count }, (_, index) =>
      calls.command(["SET", `first:${index}`, Buffer.alloc(size, 120)], { timeout: 400 }),
    )
    await atLeast(50)
    const late = Array.from({ length: 20 }, (_, index) =>
      calls.command(["SET", `late:${index}`, "v"], { timeout: 200 }),
    )
    const patient = calls.echo({ timeout: 30_000 })
    for (const each of await Promise.all(late)) failureOf(each, "timeout", "not-sent")
    const first = await Promise.all(pending)
    for (const each of first) failureOf(each, "timeout")
    fake.connections[0]?.resume()
    replyOf(await patient)
    const sent = first.flatMap((each, index) =>
      !each.ok && (each.error as ConnectionError).outcome === "unknown" ? [`first:${index}`] : [],
    )
    assert.deepEqual(received, sent, "just what may have been sent was sent, in order, once")
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify()
  })
})

describe("row 18: a reply later than its timeout", () => {
  test("is consumed and thrown away: each later caller has its own reply, on the same connection", async (t) => {
    const { proxy, calls, recorder, seen } = await proxied(t, server)
    replyOf(await calls.echo())
    proxy.delay(150)
    const late = [
      calls.echo({ timeout: 60 }),
      calls.pipeline(
        [
          ["ECHO", "a"],
          ["ECHO", "b"],
          ["ECHO", "c"],
        ],
        { timeout: 60 },
      ),
      calls.incrAtomically(3, { timeout: 60 }),
      calls.command(["LRANGE", "faults:none", 0, -1], { timeout: 60 }),
      calls.command(["HGETALL", "faults:none"], { timeout: 60, encoding: "buffer" }),
    ]
    const patient = [calls.echo(), calls.incr(), calls.echo({ encoding: "buffer" })]
    for (const each of late) failureOf(await each, "timeout", "unknown")
    for (const each of patient) replyOf(await each)
    for (let round = 0; round < 16; round++) {
      const hasty = calls.echo({ timeout: 1 + round * 20 })
      const other = calls.echo()
      replyOf(await other)
      await hasty
    }
    assert.equal(seen.disconnections.length, 0)
    assert.equal(proxy.connections, 1)
    assert.ok((recorder.tally()["timeout"] ?? 0) > 5)
    await recorder.verify(send)
  })

  test("also where the reply arrives in pieces around the deadline", async (t) => {
    const big = "x".repeat(20_000)
    let written = Promise.resolve()
    const { calls, recorder, seen } = await scripted(t, (command, connection) => {
      if (command[0] !== "GET") return echoes(command)
      written = written.then(() => connection.writeInPieces(`$${big.length}\r\n${big}\r\n`, 1000, 5))
      return ""
    })
    for (const timeout of [10, 30, 60, 90]) {
      const cutOff = calls.command(["GET", "k"], { timeout })
      const next = calls.command(["GET", "k"])
      const settled = await cutOff
      if (!settled.ok) failureOf(settled, "timeout", "unknown")
      assert.equal(replyOf(await next), big)
    }
    replyOf(await calls.echo())
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify()
  })

  test("of the wrong shape is still a protocol error", async (t) => {
    let from: { write(bytes: string): void } | undefined
    const { calls, recorder, seen } = await scripted(t, (command, connection) => {
      if (command[0] !== "GET") return echoes(command)
      from = connection
      return ""
    })
    failureOf(await calls.command(["GET", "k"], { timeout: 30 }), "timeout", "unknown")
    from?.write("$x\r\n")
    await until(() => seen.disconnections.length === 1)
    assertProtocolError(seen.disconnections[0]?.error)
    await recovered(calls)
    assert.equal(nameOf(await calls.echo()), "ok")
    await recorder.verify()
  })
})
