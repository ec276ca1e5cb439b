// Connections that the whole application reaches by name: started once, used anywhere.
import assert from "node:assert/strict"
import { Redix } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const prefix = "redix-example:03:"

// At the start of the application. One connection serves any number of callers at the same time. A second one keeps
// large, rare requests out of the way of small, frequent ones: replies come in order, so a short one behind a long one
// has to wait for it.
Redix.start(url, { name: "example-main" })
Redix.start(url, { name: "example-reports", commandTimeout: 30_000 })

// Anywhere else: no import of the module that started it.
async function saveState(state: string): Promise<void> {
  await Redix.named("example-main").command(["SET", `${prefix}app-state`, state])
}

async function readState(): Promise<string | null> {
  return Redix.named("example-main").command(["GET", `${prefix}app-state`])
}

async function report(): Promise<string> {
  const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}`)
  return Redix.named("example-reports").command(["ECHO", lines.join("\n")])
}

await saveState("running")
assert.equal(await readState(), "running")
console.log("state:", await readState())
assert.equal((await report()).split("\n").length, 1000)

// A name belongs to one connection at a time.
assert.throws(() => Redix.start(url, { name: "example-main" }), /in use/)
assert.throws(() => Redix.named("example-nobody"), /nothing is registered/)

// A module that is loaded again (hot reload) takes what is there already.
const again = Redix.whereis("example-main") ?? Redix.start(url, { name: "example-main" })
assert.equal(again, Redix.named("example-main"))

// At the end of the application. The names are free again.
await again.command(["DEL", `${prefix}app-state`])
await Promise.all([again.close(), Redix.named("example-reports").close()])
assert.equal(Redix.whereis("example-main"), undefined)
console.log("closed, and the names are free")
