/** The public names of the package. */

export type { Commands, Result, SafeCommands } from "./commands.ts"
export {
  ConnectionError,
  type ConnectionErrorDetails,
  type ConnectionErrorReason,
  type Outcome,
  RedisError,
  RedixError,
} from "./errors.ts"
export type { ConnectionEvents, Status } from "./lifecycle.ts"
export type {
  CloseOptions,
  Encoding,
  Password,
  Protocol,
  ReadyOptions,
  RedixOptions,
  RequestOptions,
  SentinelAddress,
  SentinelOptions,
  SocketOptions,
  TlsOptions,
} from "./options.ts"
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
export { type Names, Redix, type StartArguments } from "./redix.ts"
export type { ConnectionEvent, DisconnectionEvent } from "./telemetry.ts"
export { unwrap } from "./unwrap.ts"
export { VERSION } from "./version.ts"
