/** The servers that the forms need: a plain one, its replica, a node of a cluster, a sentinel, and one more as a target. */

import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import type { ServerKind } from "./forms.ts"

export interface Servers {
  readonly of: Readonly<Record<ServerKind, RedisServer>>
  readonly target: RedisServer
  readonly vendor: "redis" | "valkey"
  readonly version: string
  stop(): Promise<void>
}

// A short timeout is also a short wait until the node takes up its slots again.
const CLUSTER = [
  "--cluster-enabled",
  "yes",
  "--cluster-config-file",
  "nodes.conf",
  "--cluster-node-timeout",
  "500",
]

export async function startServers(): Promise<Servers> {
  const started: RedisServer[] = []
  const start = async (options: Parameters<typeof RedisServer.start>[0]) => {
    const server = await RedisServer.start(options)
    started.push(server)
    return server
  }
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()))
  }
  try {
    const plain = await start({})
    // Its own primary for the replica: FAILOVER and SENTINEL FAILOVER would make use of any other.
    const [target, primary] = await Promise.all([start({}), start({})])
    const [cluster, replica, sentinel] = await Promise.all([
      start({ args: CLUSTER }),
      start({ args: ["--replicaof", primary.host, `${primary.port}`] }),
      start({ sentinelConfig: `sentinel monitor mymaster ${target.host} ${target.port} 1` }),
    ])
    const info = String(await plain.send("INFO", "server"))
    const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1]
    const version = valkey ?? /^redis_version:(\S+)/m.exec(info)?.[1] ?? ""
    const of = { plain, cluster, replica, sentinel }
    return { of, target, vendor: valkey === undefined ? "redis" : "valkey", version, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Gives all slots to the only node of a cluster, which forms may have taken from it. */
export async function giveSlots(cluster: RedisServer): Promise<void> {
  await cluster.send("CLUSTER", "FLUSHSLOTS").catch(() => undefined)
  await cluster.send("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
  await until(async () => String(await cluster.send("CLUSTER", "INFO")).includes("cluster_state:ok"))
}

/** Whether `version` is at least `least`. */
export function isAtLeast(version: string, least: string): boolean {
  const parts = (text: string) => text.split(".").map(Number)
  const have = parts(version)
  for (const [index, part] of parts(least).entries()) {
    const difference = (have[index] ?? 0) - part
    if (difference !== 0) return difference > 0
  }
  return true
}
