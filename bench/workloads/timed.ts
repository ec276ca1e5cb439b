// How CPU time for an operation is measured: as many operations as fill a slice of time, at least one step of them.
// Knows nothing of what the operations are.
import { setImmediate as turn } from "node:timers/promises"
import type { Client } from "../clients/client.ts"
import type { Sample, Workload } from "./workload.ts"

const SHORTEST_WARM_UP = 0.15 // seconds: enough for the optimising compiler
const LARGEST_GROWTH = 8

export interface TimedSpec extends Pick<Workload, "name" | "bar" | "without"> {
  /** The least number of operations that can be run, and what every run is a multiple of. */
  readonly step: number
  verify(client: Client): Promise<void>
  run(client: Client, operations: number): Promise<void>
}

export function timed(spec: TimedSpec): Workload {
  let client: Client
  let operations = spec.step
  return {
    ...spec,
    unit: "us",
    prepare: async (bench, seconds) => {
      client = bench.client
      await spec.verify(client)
      operations = await calibrate((count) => spec.run(client, count), spec.step, seconds)
    },
    measure: () => sample(operations, () => spec.run(client, operations)),
  }
}

/** CPU and time of `run`, for one of its operations. */
export async function sample(operations: number, run: () => Promise<void>): Promise<Sample> {
  globalThis.gc?.()
  await turn()
  const start = process.hrtime.bigint()
  const before = process.cpuUsage()
  await run()
  const cpu = process.cpuUsage(before)
  const wall = Number(process.hrtime.bigint() - start) / 1000
  return { value: (cpu.user + cpu.system) / operations, wall: wall / operations, operations }
}

/** Warms up, and finds out how many operations take so many seconds. */
export async function calibrate(
  run: (operations: number) => Promise<void>,
  step: number,
  seconds: number,
): Promise<number> {
  const until = performance.now() + 1000 * Math.max(seconds, SHORTEST_WARM_UP)
  let operations = step
  for (;;) {
    const start = performance.now()
    await run(operations)
    const now = performance.now()
    const wanted = steps((operations * seconds * 1000) / Math.max(now - start, 0.001), step)
    if (now >= until) return wanted
    operations = Math.min(wanted, operations * LARGEST_GROWTH)
  }
}

function steps(operations: number, step: number): number {
  return Math.max(1, Math.round(operations / step)) * step
}
