// What a workload is, as the parent (which reads its bar) and the worker (which runs it) both see it.
import type { Client } from "../clients/client.ts"
import type { ClusterClient } from "../clients/cluster-client.ts"
import type { ClientName } from "../clients/registry.ts"
import type { Subscriber } from "../clients/subscriber.ts"

/** What a workload may use: a connection of the measured client, and more of them. */
export interface Bench {
  /** Of the server. */
  readonly url: string
  readonly client: Client
  /** One more connection: to the server, or to what else has this URL. */
  connect(url?: string): Promise<Client>
  /** A connection for messages. */
  connectSubscriber(): Promise<Subscriber>
  /** Where replies arrive in pieces of so many bytes. */
  splitUrl(pieceBytes: number): string
  /** A client of the cluster. */
  connectCluster(): Promise<ClusterClient>
  /** One of so many fake nodes of a cluster. */
  nodesUrl(count: number): string
}

export interface Sample {
  /** What is compared: microseconds of CPU for an operation, bytes, or milliseconds. */
  readonly value: number
  /** Microseconds of time for an operation, where one was timed. */
  readonly wall?: number
  /** What of the value no client can avoid, where that was measured. */
  readonly floor?: number
  /** The value of the same on one connection to one server, where that was measured beside. */
  readonly single?: number
  /** The value of the same for a caller who knows which connection each key is for, where that was measured beside. */
  readonly sorted?: number | undefined
  readonly operations: number
}

/** The limit that the driver is held to: a ratio to a peer, or a number of bytes or milliseconds. */
export interface Bar {
  readonly limit: number
  readonly against: "redis-untimed" | "best-peer" | "nothing"
}

export interface Workload {
  readonly name: string
  readonly unit: "us" | "bytes" | "ms"
  readonly bar?: Bar | undefined
  /**
   * Every measurement gets a process of its own, so that nothing left over from before hides a cost. That takes long,
   * and there are fewer rounds of it.
   */
  readonly isolated?: boolean
  /** What has to be there beside the server. */
  readonly needs?: "cluster" | "nodes"
  /** Clients for which it would say nothing or take minutes. */
  readonly without?: readonly ClientName[]
  /** Checks the replies, warms up, and finds out how many operations fill a slice. Throws if a reply is wrong. */
  prepare(bench: Bench, seconds: number): Promise<void>
  measure(bench: Bench): Promise<Sample>
}

export const againstUntimed = (limit: number): Bar => ({ limit, against: "redis-untimed" })
export const againstBest = (limit: number): Bar => ({ limit, against: "best-peer" })
export const atMost = (limit: number): Bar => ({ limit, against: "nothing" })
