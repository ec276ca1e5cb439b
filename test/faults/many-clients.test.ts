/** Row 41 of the fault matrix: many clients lose their server at the same moment, and do not come back at the same one. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Redix } from "@redix/client"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { Recorder } from "./invariants.ts"
import { closing, replyOf } from "./setup.ts"

const count = 500

describe("row 41: five hundred clients lose their server", () => {
  test("their attempts are spread by jitter, and all of them recover", async (t) => {
    const server = await RedisServer.start()
    t.after(() => server.stop())
    const { host, port } = server
    const conns = Array.from({ length: count }, () =>
      closing(
        t,
        Redix.start({
          host,
          port,
          clientInfo: false,
          backoffInitial: 1000,
          backoffMax: 1500,
          timeout: 20_000,
        }),
      ),
    )
    await Promise.all(conns.map((conn) => conn.ready({ timeout: 20_000 })))
    const recorder = new Recorder()
    const all = conns.map((conn) => recorder.wrap(conn))
    await Promise.all(all.map(async (calls) => replyOf(await calls.echo())))

    const lostAt: number[] = []
    const waits: number[] = []
    for (const [index, conn] of conns.entries()) {
      conn.once("disconnection", () => {
        lostAt[index] = performance.now()
      })
      conn.once("failedConnection", () => waits.push(performance.now() - (lostAt[index] ?? Number.NaN)))
    }
    const inFlight = all.map((calls) => calls.echo())
    await server.kill()
    await Promise.all(inFlight)
    await until(() => waits.length === count, { timeout: 20_000 })
    const [least = 0, most = 0] = [Math.min(...waits), Math.max(...waits)]
    t.diagnostic(`first attempts after ${Math.round(least)} to ${Math.round(most)} ms`)
    // Half of the backoff at least; a timer may be early by a millisecond.
    assert.ok(least >= 499 && most - least > 300, `${least} to ${most}`)
    const tenths = new Map<number, number>()
    for (const wait of waits)
      tenths.set(Math.floor(wait / 100), (tenths.get(Math.floor(wait / 100)) ?? 0) + 1)
    // Evenly it were a fifth in each tenth of a second.
    assert.ok(Math.max(...tenths.values()) < count / 2, JSON.stringify([...tenths]))

    await server.restart()
    await Promise.all(conns.map((conn) => conn.ready({ timeout: 20_000 })))
    for (const each of await Promise.all(all.map((calls) => calls.incr()))) replyOf(each)
    await recorder.verify((...command) => server.send(...command))
  })
})
