/**
 * What is known of the cluster: who has which slots, and connections to those who have. Leaves to the refresher when that is
 * found out anew, and requests to others.
 */

import type { ConnectionError } from "../errors.ts"
import type { ResolvedOptions } from "../options.ts"
import { formatEndpoint } from "../transport/transport.ts"
import { shuffled } from "../util/shuffled.ts"
import { seed, standingNode } from "./candidates.ts"
import type { Candidate } from "./inquiry.ts"
import { type Layout, type ShardLayout, translated } from "./layout.ts"
import type { ClusterNode, NodeOwner } from "./node.ts"
import { Nodes, type Translate } from "./nodes.ts"
import type { NodeAddress } from "./redirect.ts"
import { Refresher, type RefresherOwner } from "./refresher.ts"
import { type Shard, SlotMap } from "./slot-map.ts"

export interface TopologyOwner extends NodeOwner {
  /** It is known who has which slots, for the first time or anew. */
  onKnown(nodes: readonly ClusterNode[]): void
  /** Nobody could tell. */
  onUnknown(error: ConnectionError): void
}

export interface TopologyOptions {
  readonly seeds: readonly NodeAddress[]
  /** Those of all nodes. */
  readonly node: ResolvedOptions
  readonly translate: Translate
  readonly readFromReplicas: boolean
  /** In ms. */
  readonly refreshInterval: number
}

export class Topology implements RefresherOwner {
  readonly map: SlotMap = new SlotMap()
  readonly nodes: Nodes
  readonly #options: TopologyOptions
  readonly #owner: TopologyOwner
  readonly #refresher: Refresher

  constructor(options: TopologyOptions, owner: TopologyOwner) {
    this.#options = options
    this.#owner = owner
    this.nodes = new Nodes(owner, options.node, options.translate)
    this.#refresher = new Refresher(this, { ...options.node, refreshInterval: options.refreshInterval })
  }

  /** Whether it is being found out who has which slots. */
  get isAsking(): boolean {
    return this.#refresher.isAsking
  }

  start(): void {
    this.#refresher.start()
  }

  /** Something suggests that what is known is not true any more. */
  refresh(): void {
    this.#refresher.refresh()
  }

  /** A node has said who has the slot. */
  onMoved(slot: number, to: NodeAddress): ClusterNode {
    const node = this.at(to)
    if (this.map.at(slot)?.primary !== node) this.map.assign(slot, node)
    this.refresh()
    return node
  }

  /** The primary at the address, which a redirection leads to. */
  at(address: NodeAddress): ClusterNode {
    const node = this.nodes.at(address, "primary")
    node.namedAt = this.#refresher.count
    return node
  }

  // ── what the refresher asks and tells ─────────────────────────────────────────────────────────────────────────

  candidates(): Candidate[] {
    const { seeds, node } = this.#options
    const standing = shuffled(this.nodes.all().filter(({ isConnected }) => isConnected))
    const idle = standing.filter(({ isIdle }) => isIdle)
    // Behind other requests, a question would wait for as long as these.
    const busy = standing.filter(({ isIdle }) => !isIdle)
    return [
      ...idle.map((each) => standingNode(each, node.timeout)),
      ...[...busy, ...seeds].map(({ host, port }) => seed({ host, port }, node)),
    ]
  }

  onKnown(): void {
    this.#owner.onKnown(this.nodes.all())
  }

  onNobody(error: ConnectionError): void {
    this.#owner.onUnknown(error)
  }

  /** A primary that is down or silent may have been replaced by a replica. */
  isBad(): boolean {
    let isBad = false
    for (const node of this.nodes.all()) isBad = node.hasStalled() || isBad
    for (const { primary } of this.map.shards) isBad ||= !primary.isConnected
    return isBad
  }

  apply(layout: Layout): void {
    // All of them first: where a user's function throws, no connection was opened or closed yet.
    const translatedLayout = layout.map((shard) => ({
      key: formatEndpoint(shard.primary),
      ...this.#translated(shard),
    }))
    const shards = new Map<string, Shard>()
    const primaries = new Set<unknown>(
      translatedLayout.map(({ primary }) => this.nodes.open(primary, "primary")),
    )
    // By way of a natMap, one node can be both.
    const isReplica = (replica: NodeAddress): boolean => !primaries.has(this.nodes.find(replica))
    const ranges = translatedLayout.map(({ key, first, last, primary, replicas }) => {
      const shard = shards.get(key) ?? {
        primary: this.nodes.open(primary, "primary"),
        replicas: replicas.filter(isReplica).map((replica) => this.nodes.open(replica, "replica")),
      }
      shards.set(key, shard)
      return { first, last, shard }
    })
    this.map.replace(ranges)
    this.nodes.retain(this.#wanted([...shards.values()]))
  }

  /** Nobody is asked about replicas that are not read from. */
  #translated(shard: ShardLayout): ShardLayout {
    const { readFromReplicas, translate } = this.#options
    return translated(readFromReplicas ? shard : { ...shard, replicas: [] }, translate)
  }

  /**
   * Those of the layout, those that are waited for, and those that redirections have led to of late: a slot's new node may
   * not be known to all the others yet.
   */
  #wanted(shards: readonly Shard[]): Set<ClusterNode> {
    const wanted = new Set<ClusterNode>()
    for (const { primary, replicas } of shards) for (const node of [primary, ...replicas]) wanted.add(node)
    for (const node of this.nodes.all())
      if (node.namedAt >= this.#refresher.count - 1 || node.isAwaited) wanted.add(node)
    return wanted
  }

  // ── ending ────────────────────────────────────────────────────────────────────────────────────────────────────

  keepAlive(keepsAlive: boolean): void {
    this.nodes.keepAlive(keepsAlive)
    this.#refresher.keepAlive(keepsAlive)
  }

  close(timeout: number): Promise<void> {
    this.#refresher.stop()
    return this.nodes.close(timeout)
  }

  destroy(): void {
    this.#refresher.stop()
    this.nodes.destroy()
  }
}
