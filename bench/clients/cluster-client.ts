// What a client of a cluster has to offer for the workloads of clusters: reading keys wherever they are.

/** What can be asked for keys: a cluster, one connection, or several of them. */
export interface Reader {
  get(key: string): Promise<string | null>
  /** Many keys of many slots, in the way that suits the client best. */
  getMany(keys: readonly string[]): Promise<readonly unknown[]>
}

export interface ClusterClient extends Reader {
  /** The same connections, for a caller who knows beforehand which of them each of these keys is for. */
  sorted?(keys: readonly string[]): Promise<Reader>
  close(): Promise<unknown>
}

export type ConnectCluster = (urls: readonly string[]) => Promise<ClusterClient>
