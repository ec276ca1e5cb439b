// What telemetry promises of asynchronous contexts, order and figures, as a program for any runtime:
// `node|bun|deno run -A test/telemetry/any-runtime.mjs redis://localhost:6379`. Prints "ok"; the tests run it on Node.js.
import assert from "node:assert/strict"
import { AsyncLocalStorage } from "node:async_hooks"
import { channel } from "node:diagnostics_channel"
import { attachDefaultLogger, channels, Pool, Redix } from "@redix/client"
import { instrument } from "@redix/client/opentelemetry"

const url = process.argv[2]
const storage = new AsyncLocalStorage()
const conn = await Redix.connect(url, { backoffInitial: 1 })
const pool = await Pool.connect(url, { size: 2, backoffInitial: 1 })

// Nobody listens: nothing is seen of it later.
const quiet = conn.command(["PING"])
const told = new Map()
const note = (kind) => (event) => {
  told.set(event, [...(told.get(event) ?? []), `${kind} ${storage.getStore()}`])
}
const listeners = Object.fromEntries(
  ["start", "end", "asyncStart", "asyncEnd", "error"].map((kind) => [kind, note(kind)]),
)
channels.pipeline.subscribe(listeners)
await quiet
assert.equal(told.size, 0)

// The caller's store in listeners, and in what goes on, on sockets that were opened outside of it.
const clients = [conn, pool]
await Promise.all(
  Array.from({ length: 20 }, (_, index) =>
    storage.run(index, async () => {
      const client = clients[index % 2]
      await client.command(["ECHO", `${index}`])
      assert.equal(storage.getStore(), index)
      await client.command(["NO-SUCH"]).catch(() => {})
      assert.equal(storage.getStore(), index)
      await client.command(["GET", "a"], { signal: AbortSignal.abort() }).catch(() => {})
      await client.transactionPipeline([["PING"]]).then(() => assert.equal(storage.getStore(), index))
    }),
  ),
)
assert.equal(told.size, 80)
for (const [event, seen] of told) {
  const stores = new Set(seen.map((each) => each.split(" ")[1]))
  assert.equal(stores.size, 1)
  assert.notEqual([...stores][0], "undefined")
  const kinds = seen.map((each) => each.split(" ")[0]).join(" ")
  assert.equal(kinds, `start end ${"error" in event ? "error " : ""}asyncStart asyncEnd`)
  assert.ok(event.duration >= 0)
}
channels.pipeline.unsubscribe(listeners)

// A store that is bound to the start holds until the end.
const bound = new AsyncLocalStorage()
const start = channel("tracing:redix:pipeline:start")
start.bindStore(bound, (event) => event)
const isBound = []
const end = { asyncEnd: (event) => isBound.push(bound.getStore() === event) }
channels.pipeline.subscribe(end)
await conn.command(["PING"])
channels.pipeline.unsubscribe(end)
start.unbindStore(bound)
assert.deepEqual(isBound, [true])

// Secrets, and the end of a connection.
const lines = []
const detach = attachDefaultLogger({
  error: (line) => lines.push(line),
  warn: (line) => lines.push(line),
  info: (line) => lines.push(line),
})
const commands = []
const all = { start: (event) => commands.push(event.commands) }
channels.pipeline.subscribe(all)
await conn.safe.command(["AUTH", "nobody", "s3cret"])
channels.pipeline.unsubscribe(all)
assert.deepEqual(commands, [[["AUTH", "[redacted]", "[redacted]"]]])
const back = new Promise((resolve) => conn.once("connection", resolve))
await conn.safe.command(["QUIT"])
await back
assert.equal(lines.length, 2)
detach()

const undo = instrument()
await conn.command(["PING"])
undo()

await Promise.all([conn.close(), pool.close()])
const { accepted, settled, waiting, inFlight, reconnections } = conn.stats()
assert.deepEqual([settled, waiting, inFlight, reconnections], [accepted, 0, 0, 1])
console.log("ok")
