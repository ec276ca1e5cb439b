/**
 * The nodes that there are connections to: opened when they are first heard of, closed when the cluster does not have them
 * any more. Leaves to others which slots they have.
 */

import type { Connection } from "../connection/connection.ts"
import type { Role } from "../connection/options.ts"
import { addStats, type ConnectionStats, NO_STATS } from "../connection/stats.ts"
import type { ResolvedOptions } from "../options.ts"
import { formatEndpoint } from "../transport/transport.ts"
import { ClusterNode, type NodeOwner } from "./node.ts"
import type { NodeAddress } from "./redirect.ts"

/** How long the replies of a node that has left the cluster are waited for, in ms. */
export const LEAVING_MS = 5000

/** Where a node that is announced at an address can be reached from here. */
export type Translate = (address: NodeAddress) => NodeAddress

export class Nodes {
  readonly #owner: NodeOwner
  readonly #options: ResolvedOptions
  readonly #translate: Translate
  readonly #nodes = new Map<string, ClusterNode>()
  /** What has left the cluster, until it is closed. */
  readonly #leaving = new Map<ClusterNode, Promise<void>>()
  /** Of connections to nodes that have left. */
  #left: ConnectionStats = NO_STATS
  #keepsAlive = true
  #isClosed = false
  /** What {@link someone} chooses from, until something changes. */
  #best: ClusterNode[] | undefined
  #turn = 0

  constructor(owner: NodeOwner, options: ResolvedOptions, translate: Translate) {
    this.#owner = owner
    this.#options = options
    this.#translate = translate
  }

  /** The node announced at the address in the role, with a connection that is opened if there is none. */
  at(announced: NodeAddress, role: Role): ClusterNode {
    return this.open(this.#translate(announced), role)
  }

  /** The same for an address that is translated already. */
  open(address: NodeAddress, role: Role): ClusterNode {
    const key = formatEndpoint(address)
    const known = this.#nodes.get(key)
    if (known !== undefined && known.role === role && !known.isClosed) return known
    // In another role, the connection has to be made differently.
    if (known !== undefined) this.#leave(known)
    const node = new ClusterNode(this.#owner, this.#options, address, role)
    if (!this.#keepsAlive) node.connection.keepAlive(false)
    if (this.#isClosed) node.connection.destroy()
    else this.#nodes.set(key, node)
    this.onChanged()
    return node
  }

  /** The node that is reached at the address, if it is known. */
  find(address: NodeAddress): ClusterNode | undefined {
    return this.#nodes.get(formatEndpoint(address))
  }

  all(): ClusterNode[] {
    return [...this.#nodes.values()]
  }

  /** A primary that stands, each time another one; else one that is being connected to; else any. */
  someone(): ClusterNode | undefined {
    this.#best ??= this.#findBest()
    return this.#best[this.#turn++ % this.#best.length]
  }

  #findBest(): ClusterNode[] {
    const primaries = this.all().filter(({ role }) => role === "primary")
    const standing = primaries.filter(({ isConnected }) => isConnected)
    if (standing.length > 0) return standing
    const connecting = primaries.filter(({ connection }) => connection.status === "connecting")
    return connecting.length > 0 ? connecting : primaries
  }

  /** A node has come or gone, or its connection has. */
  onChanged(): void {
    this.#best = undefined
  }

  /** Closes the connections to all nodes but these. */
  retain(wanted: ReadonlySet<ClusterNode>): void {
    for (const node of this.#nodes.values()) if (!wanted.has(node)) this.#leave(node)
  }

  #leave(node: ClusterNode): void {
    if (this.#nodes.get(node.address) === node) this.#nodes.delete(node.address)
    const closed = node.connection.close(LEAVING_MS, false).then(() => {
      this.#leaving.delete(node)
      this.#left = addStats(this.#left, node.connection.stats())
    })
    this.#leaving.set(node, closed)
    this.onChanged()
    this.#owner.onNodeLeft(node)
  }

  async close(timeout: number): Promise<void> {
    this.#isClosed = true
    const closing = this.all().map(({ connection }) => connection.close(timeout))
    const timer = timeout < LEAVING_MS ? setTimeout(() => this.#destroyLeaving(), timeout) : undefined
    await Promise.all([...closing, ...this.#leaving.values()])
    clearTimeout(timer)
  }

  #destroyLeaving(): void {
    for (const { connection } of this.#leaving.keys()) connection.destroy()
  }

  destroy(): void {
    this.#isClosed = true
    for (const { connection } of this.#nodes.values()) connection.destroy()
    this.#destroyLeaving()
  }

  /** Those that there are, to nodes that are leaving as well. */
  connections(): Connection[] {
    return [...this.#nodes.values(), ...this.#leaving.keys()].map(({ connection }) => connection)
  }

  /** Of connections that there are no more. */
  leftStats(): ConnectionStats {
    return this.#left
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    for (const { connection } of [...this.all(), ...this.#leaving.keys()]) connection.keepAlive(keepsAlive)
  }
}
