/** The load of the resilience story: many callers that increment counters, each one at a time, and keep the books. */
import { setTimeout as sleep } from "node:timers/promises"
import type { Redix } from "@redix/client"
import type { Ledger } from "./ledger.ts"

/** As many commands are waiting for their replies at any time. */
const CALLERS = 50

/** How long a caller that was rejected waits before its next increment. It does not try the same one again. */
const REST_MS = 25

/** Resolves when `signal` is aborted and everything that was sent has settled. */
export async function incrementAll(
  conn: Redix,
  counters: readonly string[],
  ledger: Ledger,
  signal: AbortSignal,
): Promise<void> {
  let next = 0
  async function caller(): Promise<void> {
    while (!signal.aborted) {
      const counter = next++ % counters.length
      ledger.sent += 1
      const result = await conn.safe.command(["INCR", counters[counter] as string])
      if (result.ok) ledger.acknowledge(counter, result.value)
      else {
        ledger.reject(counter, result.error)
        await sleep(REST_MS)
      }
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
}
