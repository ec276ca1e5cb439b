/**
 * Subscriptions in a cluster: a link to any node for channels and patterns, and for shard channels a link to each primary
 * that has the slot of one, opened when it is needed and closed when it is not. Leaves to the survey who has which slots, and
 * to the book which topics have to move.
 */

import { translation } from "../cluster/nat.ts"
import { LEAVING_MS } from "../cluster/nodes.ts"
import { redirectionOf } from "../cluster/redirect.ts"
import { slotOf } from "../cluster/slots.ts"
import { Survey, type SurveyedNode, type SurveyOwner } from "../cluster/survey.ts"
import type { ResolvedClusterPlace } from "../cluster-options.ts"
import type { Status } from "../connection/state.ts"
import { addStats, type ConnectionStats, NO_STATS } from "../connection/stats.ts"
import type { ConnectionError, RedisError } from "../errors.ts"
import type { Lifecycle } from "../lifecycle.ts"
import type { ReadyOptions, ResolvedOptions } from "../options.ts"
import type { ResolvedPubSubOptions } from "../pubsub-options.ts"
import { formatEndpoint } from "../transport/transport.ts"
import { AnyNode, type NodeDirectory, type NodePlace } from "./any-node.ts"
import { type Kind, shardKind } from "./kind.ts"
import { Link, type LinkOwner } from "./link.ts"
import type { SubscriberBackend } from "./subscriber.ts"
import { Subscriptions, type SubscriptionsOwner } from "./subscriptions.ts"
import type { BookLink } from "./topic.ts"
import { wireName } from "./topic-request.ts"

/** After a node has ended subscriptions by itself, others may not have heard why: so many more looks, one each second. */
const LOOKS_AFTER_END = 2

/** Who waits to know the nodes. */
interface NodeSeeker {
  readonly onFound: (nodes: readonly NodePlace[]) => void
  readonly onNone: (error: ConnectionError) => void
}

export class ClusterSubscriber
  implements SubscriberBackend, SubscriptionsOwner, LinkOwner, SurveyOwner, NodeDirectory
{
  readonly subscriptions: Subscriptions
  readonly #options: ResolvedOptions
  readonly #lifecycle: Lifecycle
  readonly #survey: Survey
  /** For channels and patterns. */
  readonly #channels: Link
  /** For shard channels, by the address of the node. */
  readonly #shards = new Map<string, Link>()
  /** Links that nothing is wanted on any more, until they are closed. */
  readonly #leaving = new Set<Link>()
  /** Of links that are no more. */
  #left: ConnectionStats = NO_STATS
  readonly #seekers = new Set<NodeSeeker>()
  #looksLeft = 0
  #keepsAlive = true
  #isClosing = false
  #hasEnded = false

  constructor(
    options: ResolvedPubSubOptions,
    cluster: ResolvedClusterPlace,
    lifecycle: Lifecycle,
    exitOnFirstFailure: boolean,
  ) {
    this.#options = { ...options, name: undefined }
    this.#lifecycle = lifecycle
    this.subscriptions = new Subscriptions(this, options.commandTimeout)
    this.#survey = new Survey(
      {
        seeds: cluster.nodes,
        node: this.#options,
        translate: translation(cluster.natMap),
        refreshInterval: cluster.topologyRefreshInterval,
      },
      this,
    )
    this.#channels = new Link({
      options: this.#options,
      book: this.subscriptions.book,
      owner: this,
      exitOnFirstFailure,
      extras: {
        fetchClientId: options.fetchClientIdOnConnect,
        source: new AnyNode(this),
        label: cluster.nodes.map(formatEndpoint).join(","),
      },
    })
    this.#survey.start()
  }

  get status(): Status {
    return this.isClosed ? "closed" : this.#channels.connection.status
  }

  get address(): string {
    return this.#channels.address
  }

  get isClosed(): boolean {
    return this.#isClosing || this.#hasEnded
  }

  get clientId(): number | undefined {
    return this.#channels.connection.clientId
  }

  /** Sums over all links, those that are no more included; without the questions who has which slots. */
  stats(): ConnectionStats {
    return [...this.links(), ...this.#leaving]
      .map(({ connection }) => connection.stats())
      .reduce(addStats, this.#left)
  }

  /** Of all connections that there are. */
  async ping(options: ReadyOptions): Promise<void> {
    await Promise.all(this.links().map((link) => link.ping(options)))
  }

  // ── for the subscriptions ─────────────────────────────────────────────────────────────────────────────────────

  links(): Link[] {
    return [this.#channels, ...this.#shards.values()]
  }

  slotOf(kind: Kind, key: string): number | undefined {
    return kind === shardKind ? slotOf(wireName(key)) : undefined
  }

  linkOf(slot: number | undefined): BookLink | undefined {
    if (slot === undefined) return this.#channels
    if (this.isClosed) return undefined
    const node = this.#survey.primaryOf(slot)
    if (node !== undefined) return this.#shards.get(node.key) ?? this.#open(node)
    // Nobody has it, or nobody has said who: somebody may have it soon.
    this.#looksLeft = Math.max(this.#looksLeft, 1)
    return undefined
  }

  #open({ host, port, key }: SurveyedNode): Link {
    const link = new Link({
      options: { ...this.#options, host, port },
      book: this.subscriptions.book,
      owner: this,
      exitOnFirstFailure: false,
    })
    if (!this.#keepsAlive) link.connection.keepAlive(false)
    this.#shards.set(key, link)
    return link
  }

  isMoved(link: BookLink, error: RedisError): boolean {
    if (error.code === "CLUSTERDOWN" || error.code === "LOADING") this.#survey.refresh()
    const redirection = redirectionOf(error)
    if (redirection?.kind !== "moved") return false
    const { host, port } = redirection.to
    this.#survey.onMoved(redirection.slot, { host: host === "" ? hostOf(link.address) : host, port })
    return true
  }

  onEndedByServer(): void {
    this.#looksLeft = LOOKS_AFTER_END
    this.#survey.refresh()
  }

  /** Not at once: whoever has left may come back in the same breath. */
  onLeft(link: BookLink): void {
    if (link.topics.size === 0) queueMicrotask(() => this.#closeIfIdle(link))
  }

  #closeIfIdle(idle: BookLink): void {
    for (const [key, link] of this.#shards) {
      if (link !== idle || link.topics.size > 0 || this.isClosed) continue
      this.#shards.delete(key)
      this.#leaving.add(link)
      void link.connection.close(LEAVING_MS).then(() => this.#forget(link))
    }
  }

  #forget(link: Link): void {
    if (this.#leaving.delete(link)) this.#left = addStats(this.#left, link.connection.stats())
  }

  // ── from the links ────────────────────────────────────────────────────────────────────────────────────────────

  onLinkUp(link: Link, address: string, isAgain: boolean, sessionLost: boolean): void {
    this.subscriptions.onLinksChanged()
    if (link === this.#channels) this.#lifecycle.onConnected(address, isAgain, sessionLost)
    else this.#lifecycle.onPartConnected(address, isAgain, sessionLost)
  }

  onLinkDown(_link: Link, address: string, error: ConnectionError): void {
    this.#survey.onUnreachable(address)
    this.subscriptions.onLinksChanged()
    this.#lifecycle.onDisconnected(address, error)
  }

  onLinkFailed(_link: Link, address: string, error: ConnectionError): void {
    this.#survey.onUnreachable(address)
    this.#lifecycle.onAttemptFailed(address, error)
  }

  onSentinelFailed(): void {}

  /** Only the link for channels can end by itself: when at first no node could be reached. */
  onLinkEnded(link: Link, error: ConnectionError | undefined): void {
    if (link !== this.#channels || this.isClosed) return
    this.#isClosing = true
    this.#destroyAll()
    this.#end(error)
  }

  // ── from the survey ───────────────────────────────────────────────────────────────────────────────────────────

  onKnown(askedAt: number): void {
    this.subscriptions.book.relocate(askedAt)
    this.subscriptions.onLinksChanged()
    for (const seeker of this.#takeSeekers()) seeker.onFound(this.#survey.nodes())
    this.#leaveStranger()
  }

  /** A node that is not in the cluster any more hears nothing of what is published there. */
  #leaveStranger(): void {
    const { connection, isUp, address } = this.#channels
    if (!isUp || this.#survey.nodes().some(({ key }) => key === address)) return
    connection.leave("the node has left the cluster")
  }

  onUnknown(error: ConnectionError): void {
    for (const seeker of this.#takeSeekers()) seeker.onNone(error)
  }

  #takeSeekers(): NodeSeeker[] {
    const seekers = [...this.#seekers]
    this.#seekers.clear()
    return seekers
  }

  isBad(): boolean {
    let isBad = this.#looksLeft > 0
    this.#looksLeft = Math.max(0, this.#looksLeft - 1)
    for (const link of this.links()) isBad = link.hasStalled() || !link.isUp || isBad
    return isBad
  }

  // ── for the link for channels ─────────────────────────────────────────────────────────────────────────────────

  findNodes(
    onFound: (nodes: readonly NodePlace[]) => void,
    onNone: (error: ConnectionError) => void,
  ): () => void {
    if (this.#survey.isKnown) {
      onFound(this.#survey.nodes())
      return () => {}
    }
    const seeker = { onFound, onNone }
    this.#seekers.add(seeker)
    return () => {
      this.#seekers.delete(seeker)
    }
  }

  onUnreachable(): void {
    this.#survey.refresh()
  }

  // ── ending ────────────────────────────────────────────────────────────────────────────────────────────────────

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    this.#survey.keepAlive(keepsAlive)
    for (const { connection } of [...this.links(), ...this.#leaving]) connection.keepAlive(keepsAlive)
  }

  async close(timeout: number): Promise<void> {
    this.#isClosing = true
    this.#survey.stop()
    const timer = timeout < LEAVING_MS ? setTimeout(() => this.#destroyLeaving(), timeout) : undefined
    const closing = [...this.links(), ...this.#leaving].map(({ connection }) => connection.close(timeout))
    await Promise.all(closing)
    clearTimeout(timer)
    this.#end(undefined)
  }

  destroy(): void {
    this.#isClosing = true
    this.#destroyAll()
    this.#end(undefined)
  }

  #destroyAll(): void {
    this.#survey.stop()
    for (const { connection } of this.links()) connection.destroy()
    this.#destroyLeaving()
  }

  #destroyLeaving(): void {
    for (const { connection } of this.#leaving) connection.destroy()
  }

  #end(error: ConnectionError | undefined): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.subscriptions.onEnded(error)
    this.#lifecycle.onEnded(error)
  }
}

/** Of an address as {@link formatEndpoint} writes it. */
function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "")
}
