// How node-redis is asked for keys of a cluster: as its documentation does, and in the fastest way that its public API
// gives, as for one connection. Its `multi` is for one slot: for many keys, single commands in one tick.
import { createCluster } from "redis"
import type { ClusterClient, ConnectCluster } from "./cluster-client.ts"

type NodeRedisCluster = Awaited<ReturnType<typeof open>>

const UNTIMED = { timeout: 0 }

export const connectRedisClusterDefault: ConnectCluster = async (urls) => new DefaultCluster(await open(urls))

export const connectRedisClusterUntimed: ConnectCluster = async (urls) =>
  new UntimedCluster(await open(urls, UNTIMED))

async function open(urls: readonly string[], commandOptions?: typeof UNTIMED) {
  const rootNodes = urls.map((url) => ({ url }))
  const cluster = createCluster({ rootNodes, ...(commandOptions && { commandOptions }) })
  cluster.on("error", () => {})
  await cluster.connect()
  return cluster
}

class DefaultCluster implements ClusterClient {
  protected readonly cluster: NodeRedisCluster

  constructor(cluster: NodeRedisCluster) {
    this.cluster = cluster
  }

  get(key: string): Promise<string | null> {
    return this.cluster.get(key)
  }

  getMany(keys: readonly string[]): Promise<readonly unknown[]> {
    return Promise.all(keys.map((key) => this.get(key)))
  }

  close(): Promise<unknown> {
    return this.cluster.close()
  }
}

class UntimedCluster extends DefaultCluster {
  override get(key: string): Promise<string | null> {
    return this.cluster.sendCommand(key, true, ["GET", key])
  }
}
