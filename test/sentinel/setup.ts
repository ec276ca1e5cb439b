/** What the tests of Sentinel share: connections that end with their test, their events, and who was asked. */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { inspect } from "node:util"
import { type ConnectionEvent, type DisconnectionEvent, Redix, type RedixOptions } from "@redix/client"
import { until } from "../../support/wait.ts"
import { closing } from "../contract/helpers.ts"

/** The events of a connection so far. */
export interface Seen {
  readonly connections: ConnectionEvent[]
  readonly disconnections: DisconnectionEvent[]
  readonly failures: DisconnectionEvent[]
  /** All of them in order, in short: `"connection host:port"`, `"failed host:port"` (of a sentinel), … */
  readonly log: string[]
}

/** A connection that is not up yet, with its events, destroyed with the test. */
export function started(t: TestContext, options: RedixOptions<2>): { conn: Redix<2>; seen: Seen } {
  const conn = closing(t, Redix.start(options))
  const seen: Seen = { connections: [], disconnections: [], failures: [], log: [] }
  conn.on("connection", (event) => {
    seen.connections.push(event)
    seen.log.push(`connection ${event.address}`)
  })
  conn.on("disconnection", (event) => {
    seen.disconnections.push(event)
    seen.log.push(`disconnection ${event.address}`)
  })
  conn.on("failedConnection", (event) => {
    seen.failures.push(event)
    seen.log.push(`failed ${event.sentinelAddress ?? event.error.reason}`)
  })
  return { conn, seen }
}

/** The same, up. */
export async function connected(
  t: TestContext,
  options: RedixOptions<2>,
): Promise<{ conn: Redix<2>; seen: Seen }> {
  const both = started(t, options)
  await both.conn.ready({ timeout: 10_000 }).catch((error: unknown) => {
    throw new Error(`not connected: ${both.seen.log.join(", ")}`, { cause: error })
  })
  return both
}

/** Resolves once the connection stands, and leads to this address. */
export async function reaches(conn: Redix<2>, address: string, timeout = 10_000): Promise<void> {
  const condition = () => conn.status === "connected" && inspect(conn).includes(address)
  await until(condition, { timeout, message: () => `${address}, but it is ${inspect(conn)}` })
}

/** The failures of sentinels, in order: `[sentinelAddress, reason]`. */
export function sentinelFailures(seen: Seen): (string | undefined)[][] {
  return seen.failures
    .filter((event) => event.sentinelAddress !== undefined)
    .map((event) => {
      assert.ok(!("address" in event) || event.address === undefined, inspect(event))
      return [event.sentinelAddress, event.error.reason]
    })
}

/** Asserts that something took as long as that, with room for a busy machine. */
export function assertBetween(value: number, low: number, high: number): void {
  assert.ok(value >= low && value <= high, `expected ${low} to ${high}, got ${value}`)
}
