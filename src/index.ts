/** The public names of the package. */

export { Cluster, type ClusterNodeInfo } from "./cluster/cluster.ts"
export type { ClusterCommands, SafeClusterCommands } from "./cluster/commands.ts"
export type {
  ClusterOptions,
  ClusterRequestOptions,
  ClusterSeed,
  KeyedCheckoutOptions,
  NatMap,
  ScanOptions,
} from "./cluster-options.ts"

export type { Commands, Result, SafeCommands } from "./commands.ts"
export type { Status } from "./connection/state.ts"
export type { CombinedStats, ConnectionStats, MemberStats } from "./connection/stats.ts"
export type { Checkout } from "./dedicated/checkout.ts"
export type { WatchCallback, WatchedKeys } from "./dedicated/use.ts"
export {
  ConnectionError,
  type ConnectionErrorDetails,
  type ConnectionErrorReason,
  type Outcome,
  RedisError,
  RedixError,
} from "./errors.ts"
export type { ConnectionEvents } from "./lifecycle.ts"
export { attachDefaultLogger, type Logger } from "./logger.ts"
export type {
  CheckoutOptions,
  CloseOptions,
  Encoding,
  Password,
  PoolOptions,
  PoolStrategy,
  Protocol,
  ReadyOptions,
  RedixOptions,
  RequestOptions,
  SentinelAddress,
  SentinelOptions,
  SocketOptions,
  SubscribeOptions,
  TlsOptions,
  WatchOptions,
} from "./options.ts"
export { Pool, type PoolArguments } from "./pool/pool.ts"
export type {
  Command,
  CommandName,
  CommandParameter,
  CommandTooShort,
  PipelineParameter,
  PipelineReplies,
  Replies,
  Replies3,
  ReplyOf,
  Unwrapped,
} from "./protocol/command-map.ts"
export type { Argument, Reply } from "./protocol/types.ts"
export type {
  ChannelEvent,
  LinkEvent,
  PatternEvent,
  Payload,
  PubSubEvent,
  RefusalError,
  ShardEvent,
} from "./pubsub/events.ts"
export type { ChannelName } from "./pubsub/names.ts"
export { type ChannelNames, PubSub, type PubSubArguments } from "./pubsub/pubsub.ts"
export type { Subscription } from "./pubsub/subscription.ts"
export type { PubSubClusterOptions, PubSubOptions } from "./pubsub-options.ts"
export { type Names, Redix, type StartArguments } from "./redix.ts"
export {
  type Channels,
  type ClusterEvent,
  type ConnectionEvent,
  channels,
  type DisconnectionEvent,
  type EventChannel,
  type FailedTopologyRefreshEvent,
  type NodeConnectionFailedEvent,
  type PipelineChannel,
  type PipelineEvent,
  type PipelineListeners,
  type RedirectionEvent,
  type SettledPipelineEvent,
  type TopologyChangeEvent,
} from "./telemetry.ts"
export { unwrap } from "./unwrap.ts"
export { VERSION } from "./version.ts"
