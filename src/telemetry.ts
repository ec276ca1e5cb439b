/**
 * What is told of clients, and where: the channels of `node:diagnostics_channel`, and the payloads of their events. Leaves
 * to others when something is told, and to listeners what they make of it.
 *
 * The constants keep the channels alive: whoever subscribes by name finds the same ones, also where (on Bun) a channel that
 * nobody holds on to is collected together with its listeners.
 */

import { type Channel, channel } from "node:diagnostics_channel"
import type { ConnectionError } from "./errors.ts"

/** A connection stands. */
export interface ConnectionEvent {
  /** The `Redix`, `PubSub`, `Pool` or `Cluster` that it happened to. */
  readonly connection: object
  /** The name under which that is registered. */
  readonly name: string | undefined
  /** `"host:port"`, `"[::1]:6379"` or the path of a socket. */
  readonly address: string
  /** Whether an attempt or a connection came before. */
  readonly reconnection: boolean
  /** Present when what was set by hand on the connection before (WATCH, MULTI, AUTH, CLIENT TRACKING) is gone. */
  readonly sessionLost?: true
}

/** A connection dropped, or an attempt to connect failed. */
export interface DisconnectionEvent {
  readonly connection: object
  readonly name: string | undefined
  /** Absent where a sentinel failed. */
  readonly address?: string
  readonly sentinelAddress?: string
  readonly error: ConnectionError
}

/** A request: one object for each, which is filled in as the request goes on. */
export interface PipelineEvent {
  /** The client that was called: a `Redix`, `Pool`, `Cluster` or `Checkout`. */
  readonly connection: object
  /** The name under which that is registered. */
  readonly name: string | undefined
  /**
   * Where it goes, as far as that is known, and once it has settled where it was carried out: `"host:port"`, `"[::1]:6379"`
   * or the path of a socket. Of a cluster that is the node; where several nodes have a part in it, `address` of the cluster.
   */
  readonly address: string
  /** The index of the database, as far as the driver knows it. */
  readonly database: number | undefined
  /**
   * The commands that are sent, also when it is only one; a copy. With MULTI and EXEC of `transactionPipeline`, and with
   * CLIENT REPLY of `noreply…`. Secrets are `"[redacted]"`.
   */
  readonly commands: ReadonlyArray<readonly unknown[]>
  /** The option `metadata` of the request. */
  readonly metadata: unknown
  /** How long it took, in ms; absent before it has settled. */
  readonly duration?: number
  /** What its promise rejects with; absent if it does not. */
  readonly error?: unknown
}

/** A request that has settled. */
export interface SettledPipelineEvent extends PipelineEvent {
  readonly duration: number
}

/** What all events of a cluster tell. */
interface AnyClusterEvent {
  /** The `Cluster`. */
  readonly cluster: object
  /** The name under which that is registered. */
  readonly name: string | undefined
}

/** It is known who has which slots: at the beginning, and anew by every refresh. */
export interface TopologyChangeEvent extends AnyClusterEvent {
  /** The nodes that there are connections to now, as `"host:port"`. */
  readonly nodes: readonly string[]
}

/** Nobody could tell who has which slots; what was known before stays in use. */
export interface FailedTopologyRefreshEvent extends AnyClusterEvent {
  readonly error: ConnectionError
}

/** An attempt to connect to a node failed. */
export interface NodeConnectionFailedEvent extends AnyClusterEvent {
  readonly address: string
  readonly error: ConnectionError
}

/** A node has sent a command elsewhere. */
export interface RedirectionEvent extends AnyClusterEvent {
  readonly type: "moved" | "ask"
  readonly slot: number
  readonly targetAddress: string
}

/** What happens to a cluster as a whole. */
export type ClusterEvent =
  | TopologyChangeEvent
  | FailedTopologyRefreshEvent
  | NodeConnectionFailedEvent
  | RedirectionEvent

/** A channel whose events are of one type. What a listener throws surfaces as an uncaught exception on a later tick. */
export interface EventChannel<Event> {
  readonly name: string | symbol
  readonly hasSubscribers: boolean
  subscribe(listener: (event: Event, name: string | symbol) => void): void
  unsubscribe(listener: (event: Event, name: string | symbol) => void): void
}

/** The same as the one who tells has it. */
export interface OwnChannel<Event> extends EventChannel<Event> {
  publish(event: Event): void
  runStores<Result>(event: Event, callback: () => Result): Result
}

/** What may be listened to of requests; see {@link PipelineChannel}. */
export interface PipelineListeners {
  /** A request begins. */
  start?: ((event: PipelineEvent) => void) | undefined
  /** The call is about to return its promise. */
  end?: ((event: PipelineEvent) => void) | undefined
  /** The request has settled. */
  asyncStart?: ((event: SettledPipelineEvent) => void) | undefined
  /** The same, once for each request, right before its caller goes on. */
  asyncEnd?: ((event: SettledPipelineEvent) => void) | undefined
  /** The request fails: before its `asyncStart`. */
  error?: ((event: SettledPipelineEvent) => void) | undefined
}

/** The channel of the name. That its events are of the type is for those to see to who publish on it. */
function typed<Event>(name: string): OwnChannel<Event>
function typed(name: string): Channel {
  return channel(name)
}

const start: OwnChannel<PipelineEvent> = typed("tracing:redix:pipeline:start")
const end: OwnChannel<PipelineEvent> = typed("tracing:redix:pipeline:end")
const asyncStart: OwnChannel<PipelineEvent> = typed("tracing:redix:pipeline:asyncStart")
const asyncEnd: OwnChannel<PipelineEvent> = typed("tracing:redix:pipeline:asyncEnd")
const error: OwnChannel<PipelineEvent> = typed("tracing:redix:pipeline:error")

/**
 * The `TracingChannel` `redix:pipeline`: around every request, a single command included. Listeners that are added later
 * see nothing of a request that nobody listened to at its call.
 */
export interface PipelineChannel {
  readonly start: EventChannel<PipelineEvent>
  readonly end: EventChannel<PipelineEvent>
  readonly asyncStart: EventChannel<SettledPipelineEvent>
  readonly asyncEnd: EventChannel<SettledPipelineEvent>
  readonly error: EventChannel<SettledPipelineEvent>
  readonly hasSubscribers: boolean
  /** Listens to those of the five that are given. */
  subscribe(listeners: PipelineListeners): void
  /** Ends what {@link subscribe} with the same functions has begun. */
  unsubscribe(listeners: PipelineListeners): void
}

const pipeline: PipelineChannel = {
  start,
  end,
  asyncStart: typed(String(asyncStart.name)),
  asyncEnd: typed(String(asyncEnd.name)),
  error: typed(String(error.name)),
  get hasSubscribers() {
    return isPipelineHeard()
  },
  subscribe(listeners) {
    if (listeners.start !== undefined) this.start.subscribe(listeners.start)
    if (listeners.end !== undefined) this.end.subscribe(listeners.end)
    if (listeners.asyncStart !== undefined) this.asyncStart.subscribe(listeners.asyncStart)
    if (listeners.asyncEnd !== undefined) this.asyncEnd.subscribe(listeners.asyncEnd)
    if (listeners.error !== undefined) this.error.subscribe(listeners.error)
  },
  unsubscribe(listeners) {
    if (listeners.start !== undefined) this.start.unsubscribe(listeners.start)
    if (listeners.end !== undefined) this.end.unsubscribe(listeners.end)
    if (listeners.asyncStart !== undefined) this.asyncStart.unsubscribe(listeners.asyncStart)
    if (listeners.asyncEnd !== undefined) this.asyncEnd.unsubscribe(listeners.asyncEnd)
    if (listeners.error !== undefined) this.error.unsubscribe(listeners.error)
  },
}

/** Whether anybody listens to requests. Not asked of a `TracingChannel`, which does not know it on every runtime. */
export function isPipelineHeard(): boolean {
  return (
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers
  )
}

/** The channels with their types, for those who listen. */
export interface Channels {
  /** `redix:connection` */
  readonly connection: EventChannel<ConnectionEvent>
  /** `redix:disconnection` */
  readonly disconnection: EventChannel<DisconnectionEvent>
  /** `redix:failed-connection` */
  readonly failedConnection: EventChannel<DisconnectionEvent>
  /** `redix:cluster:topology-change` */
  readonly topologyChange: EventChannel<TopologyChangeEvent>
  /** `redix:cluster:failed-topology-refresh` */
  readonly failedTopologyRefresh: EventChannel<FailedTopologyRefreshEvent>
  /** `redix:cluster:node-connection-failed` */
  readonly nodeConnectionFailed: EventChannel<NodeConnectionFailedEvent>
  /** `redix:cluster:redirection` */
  readonly redirection: EventChannel<RedirectionEvent>
  /** The `TracingChannel` `redix:pipeline` */
  readonly pipeline: PipelineChannel
}

/** The channels with their types, for those who tell. */
interface OwnChannels {
  readonly connection: OwnChannel<ConnectionEvent>
  readonly disconnection: OwnChannel<DisconnectionEvent>
  readonly failedConnection: OwnChannel<DisconnectionEvent>
  readonly topologyChange: OwnChannel<TopologyChangeEvent>
  readonly failedTopologyRefresh: OwnChannel<FailedTopologyRefreshEvent>
  readonly nodeConnectionFailed: OwnChannel<NodeConnectionFailedEvent>
  readonly redirection: OwnChannel<RedirectionEvent>
  readonly start: OwnChannel<PipelineEvent>
  readonly end: OwnChannel<PipelineEvent>
  readonly asyncStart: OwnChannel<PipelineEvent>
  readonly asyncEnd: OwnChannel<PipelineEvent>
  readonly error: OwnChannel<PipelineEvent>
}

export const ownChannels: OwnChannels = {
  connection: typed("redix:connection"),
  disconnection: typed("redix:disconnection"),
  failedConnection: typed("redix:failed-connection"),
  topologyChange: typed("redix:cluster:topology-change"),
  failedTopologyRefresh: typed("redix:cluster:failed-topology-refresh"),
  nodeConnectionFailed: typed("redix:cluster:node-connection-failed"),
  redirection: typed("redix:cluster:redirection"),
  start,
  end,
  asyncStart,
  asyncEnd,
  error,
}

/**
 * The driver's channels of `node:diagnostics_channel`, typed.
 *
 * @example
 * channels.disconnection.subscribe(({ name, address, error }) => console.warn(name, address, error.message))
 * channels.pipeline.subscribe({
 *   asyncEnd({ commands, duration }) {
 *     if (duration > 10) console.warn("slow:", commands[0]?.[0], duration)
 *   },
 * })
 */
export const channels: Channels = {
  connection: ownChannels.connection,
  disconnection: ownChannels.disconnection,
  failedConnection: ownChannels.failedConnection,
  topologyChange: ownChannels.topologyChange,
  failedTopologyRefresh: ownChannels.failedTopologyRefresh,
  nodeConnectionFailed: ownChannels.nodeConnectionFailed,
  redirection: ownChannels.redirection,
  pipeline,
}
