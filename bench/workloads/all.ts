// All workloads, in the order in which they are run and shown. The heaviest on the garbage collector come last.
import { clusterWorkloads } from "./cluster.ts"
import { largeWorkloads } from "./large.ts"
import { memoryWorkloads } from "./memory.ts"
import { millionWorkloads } from "./million.ts"
import { poolWorkloads } from "./pool.ts"
import { pubsubWorkloads } from "./pubsub.ts"
import { smallWorkloads } from "./small.ts"
import { splitWorkloads } from "./split.ts"
import { telemetryWorkloads } from "./telemetry.ts"
import type { Workload } from "./workload.ts"

export const WORKLOADS: readonly Workload[] = [
  ...smallWorkloads,
  ...largeWorkloads,
  ...splitWorkloads,
  ...pubsubWorkloads,
  ...poolWorkloads,
  ...clusterWorkloads,
  ...telemetryWorkloads,
  ...memoryWorkloads,
  ...millionWorkloads,
]

export function workloadNamed(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name)
  if (found === undefined) throw new Error(`no workload is called ${name}`)
  return found
}
