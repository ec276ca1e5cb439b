/** A subscriber with a hundred thousand channels: what it costs, and for how long it holds up everything else. */
import assert from "node:assert/strict"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { test } from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { connected } from "./setup.ts"

const channels = 100_000
/** Ten times what it should be: this fails for the wrong algorithm, not for a busy machine. */
const limitMs = 500

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

/** How many SUBSCRIBE commands the server has executed so far. */
async function executed(server: RedisServer): Promise<number> {
  const stats = String(await server.send("INFO", "commandstats"))
  return Number(/cmdstat_subscribe:calls=(\d+)/.exec(stats)?.[1] ?? 0)
}

// The server is a process of its own, so that its work does not count.
test("resubscribes in few commands, without holding up the event loop", { timeout: 120_000 }, async (t) => {
  const server = await RedisServer.start()
  t.after(() => server.stop())
  const pubsub = await connected(t, server, { commandTimeout: 60_000 })
  const names = Array.from({ length: channels }, (_, index) => `channel:${index}`)
  let confirmed = 0
  const handler = ({ type }: { readonly type: string }) => {
    if (type === "subscribed") confirmed += 1
  }
  collectGarbage()
  const before = process.memoryUsage()
  await Promise.all([
    // Half of them as subscriptions of their own.
    ...names.slice(0, channels / 2).map((name) => pubsub.subscribe(name, handler)),
    pubsub.subscribe(names.slice(channels / 2), handler),
  ])
  assert.equal(confirmed, channels)
  collectGarbage()
  const after = process.memoryUsage()
  const bytes = after.heapUsed + after.external - before.heapUsed - before.external
  t.diagnostic(`${Math.round(bytes / channels)} bytes for each channel`)

  const delays: number[] = []
  // Only the driver holds it up again and again; a machine that was elsewhere for a while does not.
  for (let attempt = 1; attempt <= 4; attempt++) {
    confirmed = 0
    const commands = await executed(server)
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const from = performance.now()
    await server.send("CLIENT", "KILL", "TYPE", "PUBSUB")
    await until(() => confirmed === channels, { timeout: 60_000, message: () => `${confirmed} confirmed` })
    const took = Math.round(performance.now() - from)
    delay.disable()
    delays.push(Math.round(delay.max / 1e6))
    const sent = (await executed(server)) - commands
    t.diagnostic(`resubscribed in ${took} ms, ${sent} commands, event loop held up for ${delays.at(-1)} ms`)
    assert.ok(sent <= 500, `${sent} commands`)
  }
  assert.ok(Math.min(...delays) < limitMs, `held up for ${delays} ms`)

  await server.send("PUBLISH", names[0] as string, "x")
  await pubsub.ping()
  await pubsub.unsubscribe()
  await until(
    async () => Number(((await server.send("PUBSUB", "NUMSUB", names[0] as string)) as unknown[])[1]) === 0,
  )
})
