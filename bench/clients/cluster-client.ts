// What a client of a cluster has to offer for the workloads of clusters: reading keys wherever they are.

export interface ClusterClient {
  get(key: string): Promise<string | null>
  /** Many keys of many slots, in the way that suits the client best. */
  getMany(keys: readonly string[]): Promise<readonly unknown[]>
  close(): Promise<unknown>
}

export type ConnectCluster = (urls: readonly string[]) => Promise<ClusterClient>
