/** Row 19 of the fault matrix: MULTI … EXEC that is cut at any phase runs whole or not at all, and once at most. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type Command, RedisError } from "@redix/client"
import { until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { equals, nameOf, type Settled, unique } from "./invariants.ts"
import { failureOf, proxied, recovered, refusalOf, replyOf } from "./setup.ts"

const server = await sharedServer()
const send = (...command: string[]) => server.send(...command)

/** The bytes of commands on the wire. */
function wireLength(commands: readonly (readonly string[])[]): number {
  const words = commands.flatMap((command) => [`*${command.length}\r\n`, ...command.map(bulkOf)])
  return Buffer.byteLength(words.join(""))
}

function bulkOf(word: string): string {
  return `$${Buffer.byteLength(word)}\r\n${word}\r\n`
}

describe("row 19: transactionPipeline", () => {
  for (const direction of ["to-server", "to-client"] as const) {
    for (const ending of ["fin", "rst"] as const) {
      test(`cut at every byte ${direction} (${ending})`, async (t) => {
        const { proxy, conn, calls, recorder } = await proxied(t, server)
        const endings = new Set<string>()
        let complete = false
        for (let count = 0; !complete; count++) {
          await conn.ready({ timeout: 10_000 })
          const keys = [unique("a"), unique("b")]
          const commands = keys.map((key) => ["INCR", key])
          const whole =
            direction === "to-server"
              ? wireLength([["MULTI"], ...commands, ["EXEC"]])
              : "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:1\r\n".length
          complete = count >= whole
          proxy.cutAfterBytes(direction, count, ending)
          const settled = await calls.transactionPipeline(commands as unknown as Command[], undefined, {
            check: equals([1, 1]),
            increments: keys,
          })
          endings.add(nameOf(settled))
          // What arrives is nothing but the whole of EXEC's reply.
          if (!settled.ok) failureOf(settled, "disconnected", "unknown")
          else assert.equal(count >= whole, true, `answered after ${count} of ${whole} bytes`)
          proxy.restore()
          await recovered(calls)
        }
        assert.ok(endings.has("disconnected"))
        await recorder.verify(send)
      })
    }
  }

  test("cut while many of them are in flight", async (t) => {
    const { proxy, calls, recorder } = await proxied(t, server)
    for (const count of [1, 100, 1000, 5000, 9000]) {
      await recovered(calls)
      proxy.cutAfterBytes("to-server", count, "rst")
      const many = Array.from({ length: 100 }, (_, index) => calls.incrAtomically(1 + (index % 3)))
      for (const each of await Promise.all(many)) if (!each.ok) failureOf(each, "disconnected")
    }
    await recovered(calls)
    await recorder.verify(send)
    assert.ok((recorder.tally()["disconnected"] ?? 0) > 100)
  })
})

describe("row 19: MULTI … EXEC by hand", () => {
  test("cut before EXEC nothing has run, and the new connection knows of no transaction", async (t) => {
    const { proxy, calls, recorder, seen } = await proxied(t, server)
    const keys = [unique("a"), unique("b")]
    for (const phase of [1, 2, 3]) {
      const steps: Command[] = [["MULTI"], ["INCR", keys[0] as string], ["INCR", keys[1] as string]]
      for (const step of steps.slice(0, phase)) replyOf(await calls.command(step))
      const events = seen.connections.length
      proxy.reset()
      await until(() => seen.connections.length > events)
      assert.equal(
        seen.connections.at(-1)?.sessionLost,
        true,
        "the state made by hand is gone, and that is said",
      )
      refusalOf(await calls.command(["EXEC"]), "ERR")
      // Neither is a transaction open for the driver: both of these are refused within one.
      replyOf(await calls.incrAtomically(2))
      replyOf(await calls.incrSilently(2))
    }
    assert.deepEqual(await send("MGET", ...keys), [null, null])
    await recorder.verify(send)
  })

  test("cut with the reply of EXEC it has run once, and is not sent again", async (t) => {
    const { proxy, calls, recorder } = await proxied(t, server)
    const keys = [unique("a"), unique("b")]
    replyOf(await calls.command(["MULTI"]))
    for (const key of keys) replyOf(await calls.command(["INCR", key]))
    proxy.blackhole("to-client")
    const exec = calls.command(["EXEC"])
    await until(async () => (await send("GET", keys[1] as string)) === "1")
    proxy.reset()
    failureOf(await exec, "disconnected", "unknown")
    proxy.restore()
    await recovered(calls)
    assert.deepEqual(await send("MGET", ...keys), ["1", "1"])
    await recorder.verify(send)
  })

  test("written in one turn and cut at any byte it is whole or nothing", async (t) => {
    const { proxy, conn, calls, recorder } = await proxied(t, server)
    const all: string[][] = []
    for (let count = 0; count < 140; count += 3) {
      await conn.ready({ timeout: 10_000 })
      const keys = [unique("a"), unique("b")]
      all.push(keys)
      proxy.cutAfterBytes(count % 2 ? "to-server" : "to-client", count % 2 ? count : count >> 2, "fin")
      const steps: Command[] = [["MULTI"], ...keys.map((key): Command => ["INCR", key]), ["EXEC"]]
      const settled: Settled[] = await Promise.all(steps.map((step) => calls.command(step)))
      const exec = settled.at(-1) as Settled
      if (exec.ok) assert.deepEqual(exec.value, [1, 1])
      else assert.ok(exec.error instanceof RedisError || failureOf(exec, "disconnected"))
      proxy.restore()
      await recovered(calls)
    }
    for (const keys of all) {
      const found = String(await send("MGET", ...keys))
      assert.ok(found === "," || found === "1,1", found)
    }
    await recorder.verify(send)
  })

  test("a WATCH does not survive the connection silently", async (t) => {
    const { proxy, calls, recorder, seen } = await proxied(t, server)
    replyOf(await calls.command(["WATCH", unique("key")]))
    proxy.cut()
    await until(() => seen.connections.length === 2)
    assert.equal(seen.connections[1]?.sessionLost, true)
    proxy.cut()
    await until(() => seen.connections.length === 3)
    assert.notEqual(seen.connections[2]?.sessionLost, true, "there was nothing to lose this time")
    await recovered(calls)
    await recorder.verify()
  })
})
