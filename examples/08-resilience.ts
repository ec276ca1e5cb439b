// What happens when the connection drops: events, what the requests get, and which of them may be sent again.
import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { ConnectionError, Redix } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const key = "redix-example:08:orders"

/**
 * Runs `send` again, but only where its command surely never reached the server. A command that may have run is not
 * repeated: whether that would do harm, only the caller knows.
 */
async function retryUnsent<T>(conn: Redix, send: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof ConnectionError) || error.outcome !== "not-sent" || error.final) throw error
      console.log(`not sent (${error.reason}), waiting for the connection`)
      await conn.ready({ timeout: 10_000 })
    }
  }
}

const conn = await Redix.connect(url, { backoffInitial: 200 })
const admin = await Redix.connect(url)
await admin.command(["DEL", key])

// Events tell what happens to the connection. Nobody has to listen, and there is no "error" event to crash on.
const events: string[] = []
conn.on("disconnection", ({ address, error }) => {
  events.push("disconnection")
  console.log(`disconnected from ${address}: ${error.message}`)
})
conn.on("connection", ({ address, reconnection }) => {
  events.push(reconnection ? "reconnection" : "connection")
  console.log(`connected to ${address}`)
})
conn.on("failedConnection", ({ error }) => console.log(`could not connect: ${error.message}`))

/** Makes the server close `conn`. */
async function cut(): Promise<void> {
  const id = String(await conn.command(["CLIENT", "ID"]))
  const inFlight = conn.safe.command(["BLPOP", `${key}:nobody-pushes`, 0])
  await sleep(50)
  const dropped = once()
  await admin.command(["CLIENT", "KILL", "ID", id])

  // What was in flight is rejected at once, and not sent again. It may have run, hence "unknown".
  const result = await inFlight
  assert.ok(!result.ok && result.error instanceof ConnectionError)
  assert.equal(result.error.reason, "disconnected")
  assert.equal(result.error.outcome, "unknown")
  await dropped
}

function once(): Promise<void> {
  return new Promise((resolve) => conn.once("disconnection", () => resolve()))
}

await cut()

// Until the next attempt begins there is nothing to wait for: requests are refused at once, and were surely not sent.
assert.equal(conn.status, "disconnected")
const refused = await conn.safe.command(["INCR", key])
assert.ok(!refused.ok && refused.error instanceof ConnectionError)
assert.equal(refused.error.reason, "closed")
assert.equal(refused.error.outcome, "not-sent")

// Which makes it safe to issue them again.
const orders = await retryUnsent(conn, () => conn.command(["INCR", key]))
assert.equal(orders, 1)
assert.deepEqual(events, ["disconnection", "reconnection"])
console.log("orders:", orders)

await admin.command(["DEL", key])
await Promise.all([conn.close(), admin.close()])

// Closed by us: final, so there is no point in trying again.
await assert.rejects(
  retryUnsent(conn, () => conn.command(["INCR", key])),
  (error) => error instanceof ConnectionError && error.final,
)
