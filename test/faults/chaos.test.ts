/**
 * Row 20 of the fault matrix: requests of every kind under a random mix of faults. Each run has another seed;
 * `REDIX_CHAOS_SEED=123` repeats one (as far as a network can be repeated), `REDIX_CHAOS_STEPS` makes it longer.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { Dice, fault, request } from "./dice.ts"
import { atLeast, proxied, recovered } from "./setup.ts"

const seed = Number(process.env["REDIX_CHAOS_SEED"] ?? Date.now() % 1_000_000_000)
const steps = Number(process.env["REDIX_CHAOS_STEPS"] ?? 220)

describe("row 20: a random mix of faults", () => {
  for (const protocol of [2, 3] as const) {
    test(`RESP${protocol}: every invariant holds, and the connection recovers`, async (t) => {
      t.diagnostic(`seed ${seed}`)
      const dice = new Dice(seed + protocol)
      const server = await RedisServer.start()
      t.after(() => server.stop())
      try {
        const { proxy, conn, calls, recorder, seen } = await proxied(t, server, {
          protocol,
          commandTimeout: 600,
          healthCheckInterval: 300,
          timeout: 400,
          maxInFlight: 500,
        })
        for (let step = 0; step < steps; step++) {
          for (let burst = dice.between(1, 12); burst > 0; burst--) request(dice, calls)
          if (dice.chance(0.25)) await fault(dice, proxy, server)
          await atLeast(dice.between(0, 12))
        }
        proxy.restore()
        await proxy.accept()
        await recovered(calls)
        await recorder.verify((...command) => server.send(...command))
        t.diagnostic(`${seen.disconnections.length} drops; ${JSON.stringify(recorder.tally())}`)
        // No promise, but a guard against a run in which nothing happens. How much is answered goes by the faults of the
        // seed: 7 to 40 % over a dozen of them (where delays meet short deadlines of noreply, each one ends the connection).
        assert.ok((recorder.tally()["ok"] ?? 0) > recorder.size / 30, "hardly anything was answered")
        conn.destroy()
        await until(() => proxy.openConnections === 0, { message: "the end of every connection" })
      } catch (cause) {
        throw new Error(`with REDIX_CHAOS_SEED=${seed} REDIX_CHAOS_STEPS=${steps}: ${String(cause)}`, {
          cause,
        })
      }
    })
  }
})
