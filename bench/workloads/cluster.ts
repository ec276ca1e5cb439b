// A cluster of three primaries: what a command costs there, beside the same on one connection to one server. And clusters
// of ever more nodes: routing must not depend on how many there are, and a look at who has what may grow with them.
//
// Both sides of a ratio have the same number of commands under way. Where few are, a cluster is dearer for everybody, since
// the same bytes go through three sockets: that is what `alone` shows, where one pipeline of 100 at a time makes three
// writes and three reads of 33 instead of one of 100. A process that is worth measuring has several callers: ten pipelines
// at a time are the thousand commands of `loop-1000`.
import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import type { ClusterClient, Reader } from "../clients/cluster-client.ts"
import { CLIENT_NAMES, type ClientName } from "../clients/registry.ts"
import { smallKeys, smallValue } from "../data.ts"
import { calibrate, sample } from "./timed.ts"
import { againstBest, type Bar, type Bench, type Sample, type Workload } from "./workload.ts"

export const NODE_COUNTS = [3, 100, 1000] as const

const OF_BEST_PEER = 0.6
const PIPELINE = 100
/** Commands at a time to the clusters of many nodes: so many that the writes do not count for much. */
const NODES_WIDTH = 1000
const REFRESHING_MS = 1000

const without: readonly ClientName[] = CLIENT_NAMES.filter((name) => name !== "redix")

export const clusterWorkloads: readonly Workload[] = [
  beside("cluster-loop-64", 64, loops(64), againstBest(OF_BEST_PEER)),
  beside("cluster-loop-1000", 1000, loops(1000), againstBest(OF_BEST_PEER)),
  beside("cluster-pipe-100", 10 * PIPELINE, pipelines(10), againstBest(OF_BEST_PEER)),
  beside("cluster-pipe-100-alone", PIPELINE, pipelines(1), undefined),
  ...NODE_COUNTS.map(routing),
  ...NODE_COUNTS.map(refresh),
]

type Run = (reader: Reader, operations: number) => Promise<void>

/**
 * Measures the cluster, the single connection and, where the client offers that, connections without routing in turn, so
 * that the machine is the same for all of them.
 */
function beside(name: string, step: number, run: Run, bar: Bar | undefined): Workload {
  let cluster: Measured
  let others: { single: Measured; sorted: Measured | undefined }
  let round = 0
  const measured = async (reader: Reader, seconds: number): Promise<Measured> => {
    const operations = await calibrate((count) => run(reader, count), step, seconds)
    return () => sample(operations, () => run(reader, operations))
  }
  return {
    name,
    unit: "us",
    bar,
    needs: "cluster",
    prepare: async (bench, seconds) => {
      const client = await bench.connectCluster()
      await verify(client)
      const sorted = await client.sorted?.(smallKeys)
      cluster = await measured(client, seconds)
      others = {
        single: await measured(singleReader(bench), seconds),
        sorted: sorted && (await measured(sorted, seconds)),
      }
    },
    measure: async () => {
      const isFirst = round++ % 2 === 0
      const before = isFirst ? await cluster() : undefined
      const single = await others.single()
      const sorted = await others.sorted?.()
      return { ...(before ?? (await cluster())), single: single.value, sorted: sorted?.value }
    },
  }
}

type Measured = () => Promise<Sample>

function singleReader({ client }: Bench): Reader {
  return { get: (key) => client.get(key), getMany: (keys) => client.pipelineGet(keys) }
}

async function verify(cluster: ClusterClient): Promise<void> {
  const expected = smallKeys.map(() => smallValue)
  assert.deepEqual(await Promise.all(smallKeys.map((key) => cluster.get(key))), expected)
  assert.deepEqual(await cluster.getMany(smallKeys), expected)
}

function loops(width: number): Run {
  return async (reader, operations) => {
    const each = operations / width
    await Promise.all(Array.from({ length: width }, (_, start) => loop(reader, start, each)))
  }
}

async function loop(reader: Reader, start: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await reader.get(smallKeys[(start + i) % smallKeys.length]!)
}

/** So many loops of pipelines, each with keys of its own. */
function pipelines(width: number): Run {
  const keys = Array.from({ length: width }, (_, i) => smallKeys.slice(i * PIPELINE, (i + 1) * PIPELINE))
  return async (reader, operations) => {
    const each = operations / (width * PIPELINE)
    await Promise.all(keys.map((own) => pipelineLoop(reader, own, each)))
  }
}

async function pipelineLoop(reader: Reader, keys: readonly string[], times: number): Promise<void> {
  for (let i = 0; i < times; i++) await reader.getMany(keys)
}

/** CPU for a command among so many nodes. The commands go to three of them, so that the sockets are always as many. */
function routing(count: number): Workload {
  const keys = smallKeys.slice(0, 3)
  let operations = NODES_WIDTH
  let cluster: ClusterClient
  const run = async (times: number): Promise<void> => {
    for (let done = 0; done < times; done += NODES_WIDTH)
      await Promise.all(Array.from({ length: NODES_WIDTH }, (_, i) => cluster.get(keys[i % keys.length]!)))
  }
  return {
    name: `cluster-nodes-${count}`,
    unit: "us",
    isolated: true,
    needs: "nodes",
    without,
    prepare: async (bench, seconds) => {
      const { openRedixCluster } = await import("../clients/redix-cluster.ts")
      const nodes = [bench.nodesUrl(count)]
      cluster = await openRedixCluster({ nodes, topologyRefreshInterval: Number.POSITIVE_INFINITY })
      operations = await calibrate(run, NODES_WIDTH, seconds)
    },
    measure: () => sample(operations, () => run(operations)),
  }
}

/** CPU for one look at who has which slots, of a cluster that does nothing else. */
function refresh(count: number): Workload {
  return {
    name: `cluster-refresh-${count}`,
    unit: "ms",
    isolated: true,
    needs: "nodes",
    without,
    prepare: async (bench) => void (await refreshed(bench, count)),
    measure: (bench) => refreshed(bench, count),
  }
}

async function refreshed(bench: Bench, count: number): Promise<Sample> {
  const { openRedixCluster } = await import("../clients/redix-cluster.ts")
  const nodes = [bench.nodesUrl(count)]
  const cluster = await openRedixCluster({ nodes, topologyRefreshInterval: 1 })
  const before = await cluster.dbsize()
  const idle = await sample(1, () => sleep(REFRESHING_MS))
  const refreshes = (await cluster.dbsize()) - before
  await cluster.close()
  assert.ok(refreshes > 0, "nobody was asked")
  return { value: idle.value / 1000 / refreshes, operations: refreshes }
}
