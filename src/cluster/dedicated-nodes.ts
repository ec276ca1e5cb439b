/**
 * The dedicated connections to the nodes of a cluster, all of them under one limit. Leaves to `dedicated/` what such
 * connections are, and to others which node is whose.
 */

import type { Connection } from "../connection/connection.ts"
import { addStats, type ConnectionStats, NO_STATS } from "../connection/stats.ts"
import { DedicatedConnections } from "../dedicated/connections.ts"
import { DedicatedLimit } from "../dedicated/limit.ts"
import { openConnection } from "../open/open.ts"
import type { ClusterNode } from "./node.ts"

export class DedicatedNodes {
  readonly #limit: DedicatedLimit
  readonly #nodes = new Map<ClusterNode, DedicatedConnections>()
  /** Of nodes that have left the cluster. */
  #left: ConnectionStats = NO_STATS
  #keepsAlive = true
  #isClosed = false

  /** @param most how many connections there may be, in all */
  constructor(most: number) {
    this.#limit = new DedicatedLimit(most)
  }

  at(node: ClusterNode): DedicatedConnections {
    const known = this.#nodes.get(node)
    if (known !== undefined) return known
    const options = { ...node.options, exitOnDisconnection: true }
    const connections = new DedicatedConnections(
      this.#limit,
      options,
      () => node.isConnected,
      (listener, delay) => openConnection(options, listener, false, { isReplaceable: true, delay }),
    )
    connections.keepAlive(this.#keepsAlive)
    if (this.#isClosed) connections.destroy()
    this.#nodes.set(node, connections)
    return connections
  }

  /** The node is connected: connections of its own can be, too. */
  onConnected(node: ClusterNode): void {
    this.#nodes.get(node)?.onConnected()
  }

  /** The node has left the cluster. */
  leave(node: ClusterNode, timeout: number): void {
    const connections = this.#nodes.get(node)
    if (connections === undefined) return
    void connections.close(timeout, false).then(() => {
      if (this.#nodes.delete(node)) this.#left = addStats(this.#left, connections.otherStats())
    })
  }

  connections(): Connection[] {
    return [...this.#nodes.values()].flatMap((each) => each.connections())
  }

  /** Of the requests that wait, and of the connections that have ended. */
  otherStats(): ConnectionStats {
    return [...this.#nodes.values()].map((each) => each.otherStats()).reduce(addStats, this.#left)
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    for (const connections of this.#nodes.values()) connections.keepAlive(keepsAlive)
  }

  async close(timeout: number): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#nodes.values()].map((connections) => connections.close(timeout)))
  }

  destroy(): void {
    this.#isClosed = true
    for (const connections of this.#nodes.values()) connections.destroy()
  }
}
