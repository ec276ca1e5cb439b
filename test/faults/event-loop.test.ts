/**
 * No false timeouts: a deadline that passes while the event loop itself is blocked, with the replies in the socket or
 * behind it, rejects nobody and tears nothing down. The servers are processes of their own, so they answer meanwhile.
 */
import assert from "node:assert/strict"
import { after, before, describe, type TestContext, test } from "node:test"
import type { RedixOptions } from "@redix/client"
import { createCertificates } from "../../support/certificates.ts"
import { RedisServer } from "../../support/server.ts"
import { nextPoll, until } from "../../support/wait.ts"
import { type Settled, unique } from "./invariants.ts"
import {
  atLeast,
  block,
  connected,
  failureOf,
  fakeServer,
  type Recorded,
  recorded,
  replyOf,
} from "./setup.ts"

const mib = 1024 * 1024

interface Target {
  readonly name: string
  server: RedisServer | undefined
  options: RedixOptions
}

const targets: readonly Target[] = [
  { name: "TCP", server: undefined, options: {} },
  { name: "TLS", server: undefined, options: {} },
]

before(async () => {
  const certificates = await createCertificates()
  for (const target of targets) {
    const isTls = target.name === "TLS"
    // A client that does not read must not be dropped for it.
    const args = ["--client-output-buffer-limit", "normal", "0", "0", "0"]
    target.server = await RedisServer.start(isTls ? { tls: { certificates }, args } : { args })
    const { host, port } = target.server
    target.options = { host, port, ...(isTls ? { tls: { ca: certificates.ca } } : {}) }
    await target.server.send("SETRANGE", "faults:mib", `${mib - 1}`, "x")
  }
})

after(async () => {
  for (const { server } of targets) await server?.stop()
})

/** Deadlines and a health check that any of the blocks below outlasts. */
const tight = { commandTimeout: 400, healthCheckInterval: 400 } as const

async function verifyUndisturbed({ seen, recorder }: Recorded, settled: readonly Settled[]): Promise<void> {
  for (const each of settled) replyOf(each)
  assert.deepEqual([seen.connections.length, seen.disconnections.length, seen.failures.length], [1, 0, 0])
  await recorder.verify()
}

/** Once with plain TCP and once with TLS. */
function onBoth(name: string, run: (t: TestContext, options: RedixOptions) => Promise<void>): void {
  for (const target of targets) test(`${name} (${target.name})`, (t) => run(t, target.options))
}

describe("no false timeouts", () => {
  onBoth("the replies lie in the socket while the loop is blocked", async (t, options) => {
    const up = await connected(t, { ...options, ...tight })
    const pending = Array.from({ length: 200 }, () => up.calls.echo())
    const others = [up.calls.incr(), up.calls.incrAtomically(2), up.calls.incrSilently(2)]
    // Behind the turn in which they are written.
    await nextPoll()
    block(700)
    await verifyUndisturbed(up, await Promise.all([...pending, ...others]))
  })

  onBoth(
    "the loop is blocked in the very turn in which they are issued, and between them",
    async (t, options) => {
      const up = await connected(t, { ...options, ...tight })
      const pending = Array.from({ length: 200 }, () => up.calls.echo({ timeout: 100 }))
      block(400)
      pending.push(up.calls.echo())
      await Promise.resolve()
      block(400)
      pending.push(up.calls.echo({ timeout: 50 }))
      await verifyUndisturbed(up, await Promise.all(pending))
    },
  )

  onBoth("128 MiB of replies wait behind the socket", async (t, options) => {
    const up = await connected(t, { ...options, ...tight })
    const pending = Array.from({ length: 128 }, (_, index) =>
      up.calls.command(
        ["GET", "faults:mib"],
        { encoding: index % 2 ? "buffer" : "utf8" },
        { timeout: 20_000 },
      ),
    )
    const last = up.calls.echo()
    await nextPoll()
    block(1200)
    const settled = await Promise.all([...pending, last])
    for (const each of settled.slice(0, -1)) assert.equal((replyOf(each) as string).length, mib)
    await verifyUndisturbed(up, settled)
  })

  // One block after the other: none of them is as long as the deadline, all of them are, and hardly any time is left
  // in which the loop could read. That time alone counts.
  onBoth("each of the callers keeps the loop busy when it gets its reply", async (t, options) => {
    const up = await connected(t, { ...options, ...tight })
    const pending = Array.from({ length: 24 }, () =>
      up.calls.command(["GET", "faults:mib"], undefined, { timeout: 20_000 }).then((settled) => {
        block(60)
        return settled
      }),
    )
    const last = up.calls.echo()
    await verifyUndisturbed(up, [...(await Promise.all(pending)), await last])
  })

  onBoth("many blocks one after the other, with hardly a turn between them", async (t, options) => {
    const up = await connected(t, { ...options, ...tight })
    const pending = Array.from({ length: 32 }, () =>
      up.calls.command(["GET", "faults:mib"], undefined, { timeout: 20_000 }),
    )
    pending.push(up.calls.echo({ timeout: 100 }))
    for (let round = 0; round < 12; round++) {
      await nextPoll()
      block(100)
    }
    await verifyUndisturbed(up, await Promise.all(pending))
  })

  onBoth("neither a connection attempt nor what waits for it is timed out by a block", async (t, options) => {
    const up = recorded(t, { ...options, ...tight, timeout: 400 })
    const pending = [up.calls.echo(), up.calls.incr()]
    await nextPoll()
    block(700)
    const settled = await Promise.all(pending)
    await verifyUndisturbed(up, settled)
  })

  test("but a block is no way out: what is never answered still times out, and the link is torn down", async (t) => {
    const fake = await fakeServer(t, () => undefined)
    const { calls, recorder, seen } = await connected(t, {
      host: fake.host,
      port: fake.port,
      healthCheckInterval: 600,
      commandTimeout: 200,
    })
    const mute = [calls.command(["GET", "k"]), calls.command(["GET", "k"], { timeout: 100 })]
    await nextPoll()
    block(400)
    for (const each of mute) failureOf(await each, "timeout", "unknown")
    const other = calls.command(["GET", "k"], { timeout: 100 })
    // Nor is a loop that is busy half of the time.
    await until(async () => {
      block(50)
      await atLeast(50)
      return seen.disconnections.length === 1
    })
    assert.equal(seen.disconnections[0]?.error.reason, "health-check-timeout")
    assert.equal((await other).ok, false)
    await recorder.verify()
  })

  test("and what was answered in time is told from what was not", async (t) => {
    const [target] = targets
    const up = await connected(t, { ...target?.options, healthCheckInterval: Number.POSITIVE_INFINITY })
    const answered = up.calls.echo({ timeout: 150 })
    const blocked = up.calls.command(["BLPOP", unique("list"), 0], { timeout: 150 })
    await nextPoll()
    block(600)
    replyOf(await answered)
    failureOf(await blocked, "timeout", "unknown")
    await up.recorder.verify()
  })
})
