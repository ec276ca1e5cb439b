/**
 * One node of a cluster: where it is, what it is, and its one connection. Leaves to others which slots it has.
 */

import type { Connection, ConnectionListener } from "../connection/connection.ts"
import type { Role } from "../connection/options.ts"
import type { ConnectionError } from "../errors.ts"
import { type Lifecycle, QuietLifecycle } from "../lifecycle.ts"
import { openConnection } from "../open/open.ts"
import type { Protocol, ResolvedOptions } from "../options.ts"
import { Redix } from "../redix.ts"
import { formatEndpoint } from "../transport/transport.ts"
import { Draft } from "./draft.ts"
import type { NodeAddress } from "./redirect.ts"

/** Who is told of a node's life. */
export interface NodeOwner {
  onNodeConnected(node: ClusterNode, isAgain: boolean, sessionLost: boolean): void
  onNodeDisconnected(node: ClusterNode, error: ConnectionError): void
  onNodeFailed(node: ClusterNode, error: ConnectionError): void
  /** The cluster does not have it any more. */
  onNodeLeft(node: ClusterNode): void
}

export class ClusterNode implements ConnectionListener {
  readonly host: string
  readonly port: number
  /** `"host:port"`, `"[::1]:6379"`. */
  readonly address: string
  readonly role: Role
  readonly connection: Connection
  /** Those of the connection. */
  readonly options: ResolvedOptions
  /** The number of the last inquiry that had begun when a redirection led to it: who is asked may not know of it yet. */
  namedAt: number = Number.NEGATIVE_INFINITY
  /** How many requests are to be sent to it a little later. */
  awaiting = 0
  /** What the pipeline that is being split has for it; see {@link split}. */
  scratch: unknown
  /** What it is to get of the pipeline that is being drafted; see {@link Drafts}. */
  readonly draft: Draft = new Draft()

  readonly #owner: NodeOwner
  /** Telemetry tells of the cluster, with the address of the node. */
  readonly #lifecycle = new QuietLifecycle(undefined)
  #redix: Redix<Protocol> | undefined
  /** How many bytes had come when that was last looked at. */
  #progressSeen = -1

  /** @param options those of all nodes of the cluster */
  constructor(owner: NodeOwner, options: ResolvedOptions, { host, port }: NodeAddress, role: Role) {
    this.#owner = owner
    this.host = host
    this.port = port
    this.address = formatEndpoint({ host, port })
    this.role = role
    // A primary that has become a replica must say so, rather than answer with what is old.
    this.options = { ...options, host, port, readonly: role === "replica" }
    this.connection = openConnection(this.options, this, false)
  }

  get isConnected(): boolean {
    return this.connection.status === "connected"
  }

  get isClosed(): boolean {
    return this.connection.status === "closed"
  }

  /** Whether requests wait for it to be connected, or to be sent to it a little later. */
  get isAwaited(): boolean {
    return this.awaiting > 0 || (this.connection.load > 0 && this.connection.status === "connecting")
  }

  /** Whether it would answer a question at once, as far as can be seen. */
  get isIdle(): boolean {
    return this.connection.load === 0 && this.isConnected
  }

  /** The connection as a client of its own. */
  get redix(): Redix<Protocol> {
    this.#redix ??= new NodeClient(this.options, this.connection, this.#lifecycle)
    return this.#redix
  }

  /** Whether nothing has come since this was asked the last time, although something should have. */
  hasStalled(): boolean {
    const { isWaiting, progress } = this.connection
    const isStalled = isWaiting && progress === this.#progressSeen
    this.#progressSeen = isWaiting ? progress : -1
    return isStalled
  }

  onConnected(address: string, isAgain: boolean, sessionLost: boolean): void {
    this.#lifecycle.onConnected(address, isAgain, sessionLost)
    this.#owner.onNodeConnected(this, isAgain, sessionLost)
  }

  onDisconnected(address: string, error: ConnectionError): void {
    this.#lifecycle.onDisconnected(address, error)
    this.#owner.onNodeDisconnected(this, error)
  }

  onAttemptFailed(address: string, error: ConnectionError): void {
    this.#lifecycle.onAttemptFailed(address, error)
    this.#owner.onNodeFailed(this, error)
  }

  onSentinelFailed(): void {}

  onEnded(error: ConnectionError | undefined): void {
    this.#lifecycle.onEnded(error)
  }
}

/** The connection of a node, as a client that users are given. */
class NodeClient extends Redix<Protocol> {
  constructor(options: ResolvedOptions, connection: Connection, lifecycle: Lifecycle) {
    super(options, options.protocol, connection, lifecycle)
    lifecycle.bind(this)
  }
}

Object.defineProperty(NodeClient, "name", { value: "Redix" })
