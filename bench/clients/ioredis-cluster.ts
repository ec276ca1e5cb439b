// How ioredis is asked for keys of a cluster. Its pipelines take keys of one node only: for many keys, single commands in
// one tick, which its automatic pipelining gathers by node.
import { once } from "node:events"
import { Cluster } from "ioredis"
import type { ClusterClient, ConnectCluster } from "./cluster-client.ts"

export const connectIoredisCluster: ConnectCluster = (urls) => connect(urls, false)
export const connectIoredisClusterAuto: ConnectCluster = (urls) => connect(urls, true)

async function connect(urls: readonly string[], enableAutoPipelining: boolean): Promise<ClusterClient> {
  const cluster = new Cluster([...urls], { enableAutoPipelining })
  await once(cluster, "ready")
  return new IoredisCluster(cluster)
}

class IoredisCluster implements ClusterClient {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  get(key: string): Promise<string | null> {
    return this.#cluster.get(key)
  }

  getMany(keys: readonly string[]): Promise<readonly unknown[]> {
    return Promise.all(keys.map((key) => this.#cluster.get(key)))
  }

  close(): Promise<unknown> {
    return this.#cluster.quit()
  }
}
