// How the driver of this repository is asked for keys of a cluster: with its default options.
import { Cluster, type ClusterOptions, type Redix } from "@redix/client"
import type { ClusterClient, ConnectCluster, Reader } from "./cluster-client.ts"

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

  async sorted(keys: readonly string[]): Promise<Reader> {
    const owners = new Map<string, Redix>()
    for (const { connection } of this.#cluster.nodes("primary")) {
      const replies = await connection.pipeline(keys.map((key) => ["GET", key]))
      for (const [index, key] of keys.entries())
        if (typeof replies[index] === "string") owners.set(key, connection)
    }
    return new SortedReader(owners)
  }

  /** Of one node. */
  dbsize(): Promise<number> {
    return this.#cluster.command(["DBSIZE"])
  }

  close(): Promise<unknown> {
    return this.#cluster.close()
  }
}

/** Routes nothing: what three connections cost a caller who has nothing to find out. */
class SortedReader implements Reader {
  readonly #owners: ReadonlyMap<string, Redix>
  readonly #parts = new WeakMap<readonly string[], Array<[Redix, string[]]>>()

  constructor(owners: ReadonlyMap<string, Redix>) {
    this.#owners = owners
  }

  get(key: string): Promise<string | null> {
    return this.#ownerOf(key).command(["GET", key])
  }

  /** The keys are sorted once; what is measured is asking for them. */
  getMany(keys: readonly string[]): Promise<readonly unknown[]> {
    const known = this.#parts.get(keys)
    const parts = known ?? this.#sort(keys)
    if (known === undefined) this.#parts.set(keys, parts)
    return Promise.all(parts.map(([conn, own]) => conn.pipeline(own.map((key) => ["GET", key]))))
  }

  #sort(keys: readonly string[]): Array<[Redix, string[]]> {
    const parts = new Map<Redix, string[]>()
    for (const key of keys) {
      const owner = this.#ownerOf(key)
      parts.set(owner, [...(parts.get(owner) ?? []), key])
    }
    return [...parts]
  }

  #ownerOf(key: string): Redix {
    const owner = this.#owners.get(key)
    if (owner === undefined) throw new Error(`no node has ${key}`)
    return owner
  }
}
