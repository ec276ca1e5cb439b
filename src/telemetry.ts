/** What is told of connections: the payloads of events. Types only. */

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
