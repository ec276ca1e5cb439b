// What it costs to be listened to: the same as loop-64 and pipe-100-get, while somebody listens to every request of this
// repository's driver. Those two are what it costs with nobody listening.
import { tracingChannel } from "node:diagnostics_channel"
import { CLIENT_NAMES, type ClientName } from "../clients/registry.ts"
import { smallWorkloads } from "./small.ts"
import type { Workload } from "./workload.ts"

const without: readonly ClientName[] = CLIENT_NAMES.filter((name) => name !== "redix")

export const telemetryWorkloads: readonly Workload[] = ["loop-64", "pipe-100-get"].map(heard)

function heard(name: string): Workload {
  const quiet = smallWorkloads.find((workload) => workload.name === name)
  if (quiet === undefined) throw new Error(`no workload is called ${name}`)
  return {
    name: `${name}-heard`,
    unit: quiet.unit,
    without,
    prepare: (bench, seconds) => whileHeard(() => quiet.prepare(bench, seconds)),
    measure: (bench) => whileHeard(() => quiet.measure(bench)),
  }
}

/** Some listener for a moment, so that it costs other workloads nothing. */
async function whileHeard<T>(run: () => Promise<T>): Promise<T> {
  let slowest = 0
  const nothing = (): void => {}
  const listeners = {
    start: nothing,
    end: nothing,
    asyncStart: nothing,
    asyncEnd: (event: unknown) => {
      slowest = Math.max(slowest, (event as { duration: number }).duration)
    },
    error: nothing,
  }
  const channel = tracingChannel<unknown, object>("redix:pipeline")
  channel.subscribe(listeners)
  const result = await run().finally(() => channel.unsubscribe(listeners))
  if (slowest === 0) throw new Error("nothing was heard")
  return result
}
