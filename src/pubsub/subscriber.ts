/**
 * Subscriptions over one connection: joins them and the link. Leaves to the book who wants what, and to the public class how
 * it is asked.
 */

import type { Backend } from "../client.ts"
import type { Connection } from "../connection/connection.ts"
import type { Source } from "../connection/options.ts"
import type { Status } from "../connection/state.ts"
import type { ConnectionStats } from "../connection/stats.ts"
import type { ConnectionError } from "../errors.ts"
import type { Lifecycle } from "../lifecycle.ts"
import type { ReadyOptions } from "../options.ts"
import type { ResolvedPubSubOptions } from "../pubsub-options.ts"
import { Link, type LinkOwner } from "./link.ts"
import { Subscriptions, type SubscriptionsOwner } from "./subscriptions.ts"
import type { BookLink } from "./topic.ts"

/** What lies below a `PubSub`. */
export interface SubscriberBackend extends Backend {
  readonly subscriptions: Subscriptions
  readonly clientId: number | undefined
  ping(options: ReadyOptions): Promise<void>
}

export class Subscriber implements SubscriberBackend, SubscriptionsOwner, LinkOwner {
  readonly subscriptions: Subscriptions
  readonly connection: Connection
  readonly #lifecycle: Lifecycle
  readonly #link: Link

  /** @param source where to connect to, if that can change */
  constructor(
    options: ResolvedPubSubOptions,
    lifecycle: Lifecycle,
    exitOnFirstFailure: boolean,
    source?: Source | undefined,
  ) {
    this.#lifecycle = lifecycle
    this.subscriptions = new Subscriptions(this, options.commandTimeout)
    this.#link = new Link({
      options,
      book: this.subscriptions.book,
      owner: this,
      exitOnFirstFailure,
      extras: { fetchClientId: options.fetchClientIdOnConnect, source },
    })
    this.connection = this.#link.connection
  }

  get status(): Status {
    return this.connection.status
  }

  get address(): string {
    return this.connection.address
  }

  get isClosed(): boolean {
    return this.connection.status === "closed"
  }

  get clientId(): number | undefined {
    return this.connection.clientId
  }

  stats(): ConnectionStats {
    return this.connection.stats()
  }

  ping(options: ReadyOptions): Promise<void> {
    return this.#link.ping(options)
  }

  close(timeout: number): Promise<void> {
    return this.connection.close(timeout)
  }

  destroy(): void {
    this.connection.destroy()
  }

  keepAlive(keepsAlive: boolean): void {
    this.connection.keepAlive(keepsAlive)
  }

  // ── for the subscriptions ─────────────────────────────────────────────────────────────────────────────────────

  links(): Iterable<Link> {
    return [this.#link]
  }

  /** One server takes any names in one command. */
  slotOf(): undefined {
    return undefined
  }

  linkOf(): BookLink {
    return this.#link
  }

  /** There is nowhere else: a server of a cluster that says so has refused. */
  isMoved(): boolean {
    return false
  }

  onEndedByServer(): void {}

  onLeft(): void {}

  // ── from the link ─────────────────────────────────────────────────────────────────────────────────────────────

  onLinkUp(_link: Link, address: string, isAgain: boolean, sessionLost: boolean): void {
    this.subscriptions.onLinksChanged()
    this.#lifecycle.onConnected(address, isAgain, sessionLost)
  }

  onLinkDown(_link: Link, address: string, error: ConnectionError): void {
    this.subscriptions.onLinksChanged()
    this.#lifecycle.onDisconnected(address, error)
  }

  onLinkFailed(_link: Link, address: string, error: ConnectionError): void {
    this.#lifecycle.onAttemptFailed(address, error)
  }

  onSentinelFailed(address: string, error: ConnectionError): void {
    this.#lifecycle.onSentinelFailed(address, error)
  }

  onLinkEnded(_link: Link, error: ConnectionError | undefined): void {
    this.subscriptions.onEnded(error)
    this.#lifecycle.onEnded(error)
  }
}
