/** Row 21 of the fault matrix: blocking commands that wait for longer than the health check does. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Command } from "@redix/client"
import { nullBulk } from "../../support/fake-server.ts"
import { until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { equals, unique } from "./invariants.ts"
import { atLeast, connected, echoes, failureOf, proxied, recovered, replyOf, scripted } from "./setup.ts"

const server = await sharedServer()
const send = (...command: string[]) => server.send(...command)
const interval = 200

/** Resolves once the server has so many blocked clients. */
async function blocked(clients: number): Promise<void> {
  await until(async () => String(await send("INFO", "clients")).includes(`blocked_clients:${clients}\r\n`))
}

describe("row 21: a blocking command longer than the health check interval", { concurrency: false }, () => {
  test("is not torn down, for every kind of it", async (t) => {
    const key = unique("list")
    const commands: Command[] = [
      ["BLPOP", key, 1],
      ["brpop", key, "1"],
      ["BLMPOP", 1, 1, key, "LEFT"],
      ["BLMOVE", key, key, "LEFT", "RIGHT", 1],
      ["BZPOPMIN", key, 1.1],
      ["XREAD", "BLOCK", 1000, "STREAMS", key, "$"],
      ["WAIT", 1, 1000],
    ]
    const all = await Promise.all(
      commands.map(async (command) => {
        const one = await connected(t, {
          host: server.host,
          port: server.port,
          healthCheckInterval: interval,
          commandTimeout: 3000,
        })
        const started = performance.now()
        const value = replyOf(await one.calls.command(command, undefined, { timeout: 4200 }))
        assert.ok(performance.now() - started >= 900, `${command[0]} did not block`)
        assert.equal(value, command[0] === "WAIT" ? 0 : null)
        replyOf(await one.calls.echo())
        return one
      }),
    )
    for (const { seen, recorder } of all) {
      assert.equal(seen.disconnections.length, 0)
      await recorder.verify()
    }
  })

  test("for ever, is not torn down and gets what is pushed at last", async (t) => {
    const { calls, recorder, seen } = await connected(t, {
      host: server.host,
      port: server.port,
      healthCheckInterval: interval,
      commandTimeout: 300,
    })
    const key = unique("list")
    const popped = calls.command(["BLPOP", key, 0], undefined, {
      timeout: 10_000,
      check: equals([key, "at last"]),
    })
    // Behind it in the queue: it waits for as long as the server does, or times out; it gets nothing of the other.
    const behind = calls.echo({ timeout: 8000 })
    await blocked(1)
    await atLeast(4 * interval)
    assert.equal(seen.disconnections.length, 0)
    await send("RPUSH", key, "at last")
    assert.deepEqual(replyOf(await popped), [key, "at last"])
    replyOf(await behind)
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify()
  })

  test("suspends the clock only for its own time: a link that dies under it is noticed afterwards", async (t) => {
    const { calls, recorder, seen, fake } = await scripted(t, echoes, {
      healthCheckInterval: interval,
      commandTimeout: 20_000,
    })
    replyOf(await calls.echo())
    const started = performance.now()
    const mute = calls.command(["BLPOP", "k", 1])
    const { cause } = failureOf(await mute, "disconnected", "unknown")
    const elapsed = performance.now() - started
    assert.equal((cause as { reason?: string }).reason, "health-check-timeout")
    assert.ok(elapsed >= 1000, `torn down after ${elapsed} ms, while it blocks`)
    assert.ok(elapsed < 1000 + 2 * interval + 4000, `torn down after ${elapsed} ms`)
    assert.equal(seen.disconnections.length, 1)
    await recovered(calls)
    assert.equal(fake.connections.length, 2)
    await recorder.verify()
  })

  test("does not switch the check off for those after it", async (t) => {
    const { calls, recorder, seen } = await scripted(
      t,
      (command) => (command[0] === "BLPOP" ? nullBulk : echoes(command)),
      { healthCheckInterval: interval, commandTimeout: 20_000 },
    )
    replyOf(await calls.command(["BLPOP", "k", 1]))
    const { cause } = failureOf(await calls.command(["GET", "k"]), "disconnected", "unknown")
    assert.equal((cause as { reason?: string }).reason, "health-check-timeout")
    assert.equal(seen.disconnections.length, 1)
    await recovered(calls)
    await recorder.verify()
  })

  test("that is broken off by the network is disconnected and pops nothing for nobody", async (t) => {
    const { proxy, calls, recorder } = await proxied(t, server, { healthCheckInterval: interval })
    const key = unique("list")
    const popped = calls.command(["BLPOP", key, 0], undefined, { timeout: 10_000 })
    await blocked(1)
    proxy.reset()
    failureOf(await popped, "disconnected", "unknown")
    await blocked(0)
    await send("RPUSH", key, "kept")
    await recovered(calls)
    assert.equal(await send("LLEN", key), 1)
    assert.deepEqual(replyOf(await calls.command(["BLPOP", key, 1])), [key, "kept"])
    await recorder.verify()
  })
})
