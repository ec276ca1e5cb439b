/**
 * Who has which slots, for those who have connections of their own, or none to most nodes: it is asked over connections made
 * for the question. Leaves to the refresher when, and to its owner what follows.
 */

import type { ConnectionError } from "../errors.ts"
import type { ResolvedOptions } from "../options.ts"
import { formatEndpoint } from "../transport/transport.ts"
import { shuffled } from "../util/shuffled.ts"
import { seed } from "./candidates.ts"
import type { Candidate } from "./inquiry.ts"
import { type Layout, translated } from "./layout.ts"
import type { Translate } from "./nodes.ts"
import type { NodeAddress } from "./redirect.ts"
import { Refresher, type RefresherOwner } from "./refresher.ts"
import { SLOTS } from "./slots.ts"

/** How long what a node has said of a slot of its own counts for more than what others tell, who may be behind, in ms. */
const TRUST_MS = 3000

/** A node, the same object for as long as it is known. */
export interface SurveyedNode extends NodeAddress {
  /** `"host:port"`, `"[::1]:6379"`. */
  readonly key: string
}

export interface SurveyOwner {
  /** It is known who had which slots when that was asked (in ms), for the first time or anew. */
  onKnown(askedAt: number): void
  /** Nobody could tell. */
  onUnknown(error: ConnectionError): void
  /** Whether something is wrong that another layout may explain. */
  isBad(): boolean
}

export interface SurveyOptions {
  readonly seeds: readonly NodeAddress[]
  /** Those of all nodes. */
  readonly node: ResolvedOptions
  readonly translate: Translate
  /** In ms. */
  readonly refreshInterval: number
}

/** What a node has said of a slot. */
interface Word {
  readonly node: SurveyedNode
  readonly until: number
}

export class Survey implements RefresherOwner {
  readonly #options: SurveyOptions
  readonly #owner: SurveyOwner
  readonly #refresher: Refresher
  readonly #nodes = new Map<string, SurveyedNode>()
  #slots: Array<SurveyedNode | undefined> = []
  readonly #words = new Map<number, Word>()
  #primaries: readonly SurveyedNode[] = []
  #replicas: readonly SurveyedNode[] = []
  #askedAt = 0

  constructor(options: SurveyOptions, owner: SurveyOwner) {
    this.#options = options
    this.#owner = owner
    this.#refresher = new Refresher(this, { ...options.node, refreshInterval: options.refreshInterval })
  }

  start(): void {
    this.#refresher.start()
  }

  /** Something suggests that what is known is not true any more. */
  refresh(): void {
    this.#refresher.refresh()
  }

  get isKnown(): boolean {
    return this.#primaries.length > 0
  }

  /** Who has the slot, as far as is known. */
  primaryOf(slot: number): SurveyedNode | undefined {
    return this.#slots[slot]
  }

  /** All nodes in a random order, primaries first. */
  nodes(): SurveyedNode[] {
    return [...shuffled(this.#primaries), ...shuffled(this.#replicas)]
  }

  /** A node has said who has the slot. */
  onMoved(slot: number, to: NodeAddress): void {
    const node = this.#at(to)
    this.#slots[slot] = node
    this.#words.set(slot, { node, until: performance.now() + TRUST_MS })
    this.refresh()
  }

  /** The node cannot be reached: that it was said to have slots may be long ago. */
  onUnreachable(key: string): void {
    for (const [slot, { node }] of this.#words) if (node.key === key) this.#words.delete(slot)
    this.refresh()
  }

  #at(announced: NodeAddress): SurveyedNode {
    return this.#reachedAt(this.#options.translate(announced))
  }

  #reachedAt({ host, port }: NodeAddress): SurveyedNode {
    const key = formatEndpoint({ host, port })
    const node = this.#nodes.get(key) ?? { host, port, key }
    this.#nodes.set(key, node)
    return node
  }

  // ── what the refresher asks and tells ─────────────────────────────────────────────────────────────────────────

  candidates(): Candidate[] {
    const { seeds, node } = this.#options
    this.#askedAt = performance.now()
    return [...this.nodes(), ...seeds].map((each) => seed({ host: each.host, port: each.port }, node))
  }

  apply(layout: Layout): void {
    // All of them first: where a user's function throws, nothing was taken on yet.
    const shards = layout.map((shard) => translated(shard, this.#options.translate))
    const slots = new Array<SurveyedNode | undefined>(SLOTS).fill(undefined)
    const primaries = new Set<SurveyedNode>()
    const replicas = new Set<SurveyedNode>()
    for (const shard of shards) {
      const primary = this.#reachedAt(shard.primary)
      slots.fill(primary, shard.first, shard.last + 1)
      primaries.add(primary)
      for (const replica of shard.replicas) replicas.add(this.#reachedAt(replica))
    }
    this.#slots = slots
    this.#primaries = [...primaries]
    this.#replicas = [...replicas].filter((replica) => !primaries.has(replica))
    this.#keepWords()
    this.#forget()
  }

  onKnown(): void {
    this.#owner.onKnown(this.#askedAt)
  }

  #keepWords(): void {
    const now = performance.now()
    for (const [slot, { node, until }] of this.#words) {
      if (until < now) this.#words.delete(slot)
      else this.#slots[slot] = node
    }
  }

  #forget(): void {
    const known = new Set([...this.#primaries, ...this.#replicas])
    for (const { node } of this.#words.values()) known.add(node)
    for (const node of this.#nodes.values()) if (!known.has(node)) this.#nodes.delete(node.key)
  }

  onNobody(error: ConnectionError): void {
    this.#owner.onUnknown(error)
  }

  isBad(): boolean {
    return this.#owner.isBad()
  }

  // ── ending ────────────────────────────────────────────────────────────────────────────────────────────────────

  keepAlive(keepsAlive: boolean): void {
    this.#refresher.keepAlive(keepsAlive)
  }

  stop(): void {
    this.#refresher.stop()
  }
}
