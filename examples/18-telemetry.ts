// Telemetry: slow commands and what happens to connections, heard of by the application's own module.
import assert from "node:assert/strict"
import {
  attachDefaultLogger,
  type ConnectionEvent,
  channels,
  type DisconnectionEvent,
  Redix,
  type SettledPipelineEvent,
} from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const key = "redix-example:17:list"

const SLOW_MS = 100

const log: string[] = []
function write(level: "info" | "warn" | "error" | "debug", message: string): void {
  log.push(`${level}: ${message}`)
  console.log(`${level}: ${message}`)
}

/** What of an application would be a module of its own, called once when it starts. */
function setUpTelemetry(): () => void {
  const onConnection = ({ address, reconnection }: ConnectionEvent): void =>
    write("info", `${reconnection ? "connected again" : "connected"} to Redis at ${address}`)
  const onDisconnection = ({ address, error }: DisconnectionEvent): void =>
    write("warn", `disconnected from Redis at ${address}: ${error.message}`)
  const onFailure = ({ address, error }: DisconnectionEvent): void =>
    write("error", `failed to connect to Redis at ${address}: ${error.message}`)
  channels.connection.subscribe(onConnection)
  channels.disconnection.subscribe(onDisconnection)
  channels.failedConnection.subscribe(onFailure)

  const requests = {
    // Once for each request, before its caller goes on.
    asyncEnd({ commands, duration, error, metadata }: SettledPipelineEvent): void {
      const [first] = commands
      const what = commands.length === 1 ? first?.join(" ") : `a pipeline of ${commands.length} commands`
      const took = `took ${duration.toFixed(1)} ms`
      if (duration > SLOW_MS) write("warn", `slow: ${what} ${took} (${JSON.stringify(metadata)})`)
      if (error instanceof Error) write("error", `failed: ${first?.[0]}: ${error.message}`)
    },
  }
  channels.pipeline.subscribe(requests)

  return () => {
    channels.connection.unsubscribe(onConnection)
    channels.disconnection.unsubscribe(onDisconnection)
    channels.failedConnection.unsubscribe(onFailure)
    channels.pipeline.unsubscribe(requests)
  }
}

const tearDown = setUpTelemetry()

const conn = await Redix.connect(url, { name: "example", backoffInitial: 10 })
await conn.command(["SET", key, "value"])
assert.equal(log[0], `info: connected to Redis at ${conn.address}`)

// Slow: it waits for an element that nobody pushes. `metadata` says whose request it was.
await conn.command(["BLPOP", `${key}:empty`, 0.2], { metadata: { route: "/jobs" } })
assert.ok(log.some((line) => /^warn: slow: BLPOP .* took \d+\.\d ms \({"route":"\/jobs"}\)$/.test(line)))

// Secrets are never shown.
await conn.safe.command(["AUTH", "nobody", "s3cret"])
assert.ok(log.some((line) => line.startsWith("error: failed: AUTH")))
assert.ok(!log.join().includes("s3cret"))

// The server ends the connection, which comes back by itself.
const admin = await Redix.connect(url)
const back = new Promise((resolve) => conn.once("connection", resolve))
await admin.command(["CLIENT", "KILL", "ID", Number(await conn.command(["CLIENT", "ID"]))])
await back
assert.ok(log.some((line) => line.startsWith("warn: disconnected from Redis")))
assert.ok(log.some((line) => line.startsWith("info: connected again to Redis")))

tearDown()

// The same without writing anything: a logger that comes with the driver. It tells of connections only.
const detach = attachDefaultLogger({
  error: (message) => console.log("error:", message),
  warn: (message) => console.log("warning:", message),
  info: (message) => console.log("information:", message),
})
const again = new Promise((resolve) => conn.once("connection", resolve))
await admin.command(["CLIENT", "KILL", "ID", Number(await conn.command(["CLIENT", "ID"]))])
await again
detach()

// Gauges need no listener: they can be read at any time.
const { accepted, settled, waiting, inFlight, reconnections } = conn.stats()
console.log({ accepted, settled, waiting, inFlight, reconnections })
assert.equal(reconnections, 2)
assert.equal(accepted, settled + waiting + inFlight)

await conn.command(["DEL", key])
await Promise.all([conn.close(), admin.close()])
