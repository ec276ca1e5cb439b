// Reading from the replicas of a cluster: which reads may be a moment old, and what happens where there is no replica.
import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { Cluster, ConnectionError, type ConnectionEvent } from "@redix/client"

const nodes = (process.env["REDIS_CLUSTER"] ?? "redis://localhost:7000").split(",")
const key = "redix-example:17:price"

const cluster = Cluster.start({ nodes, readFromReplicas: true })

// One connection to each node, and events of each of them.
cluster.on("connection", ({ address }: ConnectionEvent) => console.log("connected to", address))
await cluster.ready()

await cluster.command(["SET", key, 42])

// The primary has what was just written. That is the default.
assert.equal(await cluster.command(["GET", key]), "42")

// A replica has it a moment later. Commands that write go to the primary, whatever the route.
const read = () => cluster.command(["GET", key], { route: "prefer-replica" })
let value = await read()
for (let tries = 0; value !== "42" && tries < 500; tries++) {
  await sleep(10)
  value = await read()
}
assert.equal(value, "42")
console.log("read from a replica, if there is one:", value)

// "replica" insists: without a replica that is connected, the read is not sent anywhere else.
const result = await cluster.safe.command(["GET", key], { route: "replica" })
if (result.ok) console.log("surely from a replica:", result.value)
else if (result.error instanceof ConnectionError) console.log("no replica:", result.error.reason)

await cluster.command(["DEL", key])
await cluster.close()
