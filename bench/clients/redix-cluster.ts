// How the driver of this repository is asked for keys of a cluster: with its default options.
import { Cluster, type ClusterOptions } from "@redix/client"
import type { ClusterClient, ConnectCluster } from "./cluster-client.ts"

/** The class itself, for workloads that need to know more of it. */
export const openRedixCluster = async (options: ClusterOptions<2>): Promise<RedixCluster> => {
  const cluster = await Cluster.connect(options)
  await Promise.all(cluster.nodes().map(({ connection }) => connection.ready()))
  return new RedixCluster(cluster)
}

export const connectRedixCluster: ConnectCluster = (nodes) => openRedixCluster({ nodes })

class RedixCluster implements ClusterClient {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  get(key: string): Promise<string | null> {
    return this.#cluster.command(["GET", key])
  }

  getMany(keys: readonly string[]): Promise<readonly unknown[]> {
    return this.#cluster.pipeline(keys.map((key) => ["GET", key]))
  }

  /** Of one node. */
  dbsize(): Promise<number> {
    return this.#cluster.command(["DBSIZE"])
  }

  close(): Promise<unknown> {
    return this.#cluster.close()
  }
}
