// A hundred thousand channels after a lost connection: how long the event loop is held up at a time until the server
// has confirmed all of them again, and how long that takes. Only this repository's driver is asked.
import assert from "node:assert/strict"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import type { RedixResubscriber } from "../clients/redix-resubscriber.ts"
import { ownChannels } from "../data.ts"
import { atMost, type Bench, type Sample, type Workload } from "./workload.ts"

const CHANNELS = 100_000
const RESOLUTION = 1 // ms
const LONGEST_HOLD_UP = 50 // ms

let subscriber: RedixResubscriber

export const resubscribeWorkload: Workload = {
  name: "pubsub-resubscribe-100k",
  unit: "ms",
  isolated: true,
  bar: atMost(LONGEST_HOLD_UP),
  prepare: async (bench) => {
    subscriber = await openSubscriber(bench)
    await subscriber.cut()
    await verify()
  },
  measure: async () => {
    const measured = await resubscribe()
    await verify()
    await subscriber.close()
    return measured
  },
}

async function openSubscriber(bench: Bench): Promise<RedixResubscriber> {
  const { RedixResubscriber } = await import("../clients/redix-resubscriber.ts")
  return RedixResubscriber.open(bench.url, channels())
}

async function resubscribe(): Promise<Sample> {
  globalThis.gc?.()
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  delay.enable()
  await sleep(10 * RESOLUTION) // until it has begun
  delay.reset()
  const start = performance.now()
  await subscriber.cut()
  const wall = (performance.now() - start) * 1000
  await sleep(10 * RESOLUTION) // until it knows of the last one
  delay.disable()
  return { value: delay.max / 1e6 - RESOLUTION, wall, operations: 1 }
}

async function verify(): Promise<void> {
  const some = channels().filter((_, i) => i % 999 === 0)
  assert.deepEqual(await subscriber.subscribersOf(some), new Array(some.length).fill(1))
}

function channels(): readonly string[] {
  return ownChannels(CHANNELS).channels
}
