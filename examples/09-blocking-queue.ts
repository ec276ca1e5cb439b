// A worker that waits for jobs with BLPOP, and stops when it is told to, with an AbortSignal.
import assert from "node:assert/strict"
import { Redix } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const queue = "redix-example:09:jobs"

/**
 * Handles jobs until `signal` is aborted. Aborting a BLPOP that waits drops its connection, so that the server forgets
 * it and does not take a job out of the list for nobody.
 */
async function work(conn: Redix, signal: AbortSignal, handle: (job: string) => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    // Block time 0: for ever. Such a command has no timeout unless it is given one.
    const reply = await conn.command(["BLPOP", queue, 0], { signal }).catch((error: unknown) => {
      if (signal.aborted) return null
      throw error
    })
    // The reply is [list, element], or null when the block time is over.
    if (Array.isArray(reply)) await handle(String(reply[1]))
  }
}

const conn = await Redix.connect(url)
await conn.command(["DEL", queue])

// A connection of its own: whoever shared it would wait behind the BLPOP.
const workerConn = conn.duplicate()
const stop = new AbortController()
const handled: string[] = []
let allHandled = (): void => {}
const whenAllHandled = new Promise<void>((resolve) => {
  allHandled = resolve
})

const worker = work(workerConn, stop.signal, async (job) => {
  handled.push(job)
  console.log("handled", job)
  if (handled.length === 3) allHandled()
})

await conn.command(["RPUSH", queue, "resize image 1", "resize image 2"])
await conn.command(["RPUSH", queue, "send mail 3"])
await whenAllHandled
assert.deepEqual(handled, ["resize image 1", "resize image 2", "send mail 3"])

// The worker waits for the fourth job now. Stop it: it ends at once, not when the next job comes.
stop.abort()
await worker
await workerConn.close()

// A job that comes afterwards stays in the list for the next worker.
await conn.command(["RPUSH", queue, "send mail 4"])
assert.equal(await conn.command(["LLEN", queue]), 1)
console.log("stopped, and the job that came later is still there")

await conn.command(["DEL", queue])
await conn.close()

// BLPOP hands a job over at most once: a worker that dies with it has lost it. Where that matters, let BLMOVE put it
// into a list of jobs under way (LREM when done), or use a stream: 10-streams-consumer-group.ts.
