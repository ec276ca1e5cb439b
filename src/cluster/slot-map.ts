/**
 * Which node has which slot, as far as is known. Leaves to others how that is found out, and who is asked for what.
 */

import type { ClusterNode } from "./node.ts"
import { SLOTS } from "./slots.ts"

/** A primary and what replicates it. */
export interface Shard {
  readonly primary: ClusterNode
  /** Those that there are connections to: none, unless replicas are read from. */
  readonly replicas: readonly ClusterNode[]
}

/** A shard and its slots. */
export interface SlotRange {
  readonly first: number
  readonly last: number
  readonly shard: Shard
}

export class SlotMap {
  #slots: Array<Shard | undefined> = []
  readonly #shards = new Map<ClusterNode, Shard>()

  /** Whether it was ever known who has anything. */
  get isKnown(): boolean {
    return this.#slots.length > 0
  }

  /** Each shard once. */
  get shards(): Iterable<Shard> {
    return this.#shards.values()
  }

  /** All nodes of the shards. */
  nodes(): ClusterNode[] {
    return [...this.#shards.values()].flatMap(({ primary, replicas }) => [primary, ...replicas])
  }

  /** Who has the slot. */
  at(slot: number): Shard | undefined {
    return this.#slots[slot]
  }

  /** Replaces everything: slots that no range covers are nobody's. */
  replace(ranges: readonly SlotRange[]): void {
    const slots = new Array<Shard | undefined>(SLOTS).fill(undefined)
    this.#shards.clear()
    for (const { first, last, shard } of ranges) {
      slots.fill(shard, first, last + 1)
      this.#shards.set(shard.primary, shard)
    }
    this.#slots = slots
  }

  /** A node has said that the slot is that one's now. */
  assign(slot: number, primary: ClusterNode): void {
    const shard = this.#shards.get(primary) ?? { primary, replicas: [] }
    this.#shards.set(primary, shard)
    this.#slots[slot] = shard
  }
}
