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

/** The number of no owner. */
const NOBODY = 0

export class SlotMap {
  /** The number of each slot's owner: all of it so small that a processor has it at hand. */
  readonly #ownerAt = new Uint16Array(SLOTS)
  /** The owners by their numbers. */
  #owners: Array<Shard | undefined> = [undefined]
  readonly #numbers = new Map<Shard, number>()
  #isKnown = false
  readonly #shards = new Map<ClusterNode, Shard>()

  /** Whether it was ever known who has anything. */
  get isKnown(): boolean {
    return this.#isKnown
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
    return this.#owners[this.#ownerAt[slot] ?? NOBODY]
  }

  /** Replaces everything: slots that no range covers are nobody's. */
  replace(ranges: readonly SlotRange[]): void {
    this.#ownerAt.fill(NOBODY)
    this.#owners = [undefined]
    this.#numbers.clear()
    this.#shards.clear()
    for (const { first, last, shard } of ranges) {
      this.#ownerAt.fill(this.#numberOf(shard), first, last + 1)
      this.#shards.set(shard.primary, shard)
    }
    this.#isKnown = true
  }

  /** A node has said that the slot is that one's now. */
  assign(slot: number, primary: ClusterNode): void {
    const shard = this.#shards.get(primary) ?? { primary, replicas: [] }
    this.#shards.set(primary, shard)
    this.#ownerAt[slot] = this.#numberOf(shard)
    this.#isKnown = true
  }

  #numberOf(shard: Shard): number {
    const known = this.#numbers.get(shard)
    if (known !== undefined) return known
    const number = this.#owners.push(shard) - 1
    this.#numbers.set(shard, number)
    return number
  }
}
