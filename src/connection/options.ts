/** What a connection is made from. Values and functions only: it does not know where they come from. */

import type { ConnectionError } from "../errors.ts"
import type { ResolvedOptions } from "../options.ts"
import type { Parser, WindowReader } from "../protocol/parser.ts"
import type { Dial, Endpoint, Transport } from "../transport/transport.ts"

/** What a server has to be. */
export type Role = "primary" | "replica"

/** The checked options of a user that concern a connection itself, units and meanings as there. */
export type ConnectionSettings = Pick<
  ResolvedOptions,
  | "username"
  | "password"
  | "database"
  | "clientName"
  | "clientInfo"
  | "readonly"
  | "protocol"
  | "timeout"
  | "commandTimeout"
  | "backoffInitial"
  | "backoffMax"
  | "exitOnDisconnection"
  | "healthCheckInterval"
  | "maxInFlight"
>

/** A transport that the server has answered on, and the parser of what it sends. */
export interface Link {
  readonly transport: Transport
  readonly parser: Parser
  readonly address: string
  /** The server's number for the connection, if it was asked for. */
  readonly clientId: number | undefined
  /** How many bytes were written so far. */
  readonly bytesWritten: number
}

export interface AttemptOwner {
  onAttemptUp(attempt: ConnectionAttempt, link: Link): void
  onAttemptFailed(attempt: ConnectionAttempt, error: ConnectionError): void
  /** A sentinel could not help; others will be asked. */
  onSentinelFailed(address: string, error: ConnectionError): void
  /** A transport is being closed; the promise says when it has. */
  onDiscarded(closed: Promise<void>): void
}

/** One attempt to connect, or a series of them that counts as one. */
export interface ConnectionAttempt {
  start(): void
  /** Gives it up; its owner hears nothing more of it. */
  cancel(): void
  keepAlive(keepsAlive: boolean): void
}

/** Where a connection goes to when that can change: asked for every attempt, and heard from when it does. */
export interface Source {
  /** What the server has to be. */
  readonly role: Role
  /** @param announced where the primary is said to have moved to, to be tried before anybody is asked */
  attempt(
    options: ConnectionOptions,
    database: number | undefined,
    owner: AttemptOwner,
    announced: Endpoint | undefined,
  ): ConnectionAttempt
  watch(listener: SourceListener): Watch
  /** Whether a connection to `address` is the wrong one, if the primary is at `primary`. */
  isStale(address: string, primary: string): boolean
}

export interface SourceListener {
  /** The primary has moved. */
  onAnnounced(primary: Endpoint): void
  /** Somebody says that the primary is there, who may not have heard the latest. */
  onSuspected(primary: Endpoint): void
}

export interface Watch {
  /** There is reason to think that the server is elsewhere. */
  ask(): void
  stop(): void
}

export interface PushReceiver {
  /** Reads the usual messages. */
  readonly reader: WindowReader
  /** Takes the message that the reader has read, in the parser's window. */
  onMessage(parser: Parser): void
  /** Takes a message; may call users, who may do anything. Whether it is one that there can be. */
  onPush(push: readonly unknown[]): boolean
}

export interface ConnectionOptions {
  readonly settings: ConnectionSettings
  readonly dial: Dial
  /** Where to connect to; asked for every attempt. */
  readonly resolve: () => Endpoint | Promise<Endpoint>
  /** What stands for the address in errors while {@link resolve} has not told one. */
  readonly label: string
  /** Who takes messages that answer no request; with it, strings are parsed as binary strings, and RESP2 arrays are messages. */
  readonly pushes?: PushReceiver | undefined
  /** Where to connect to, instead of {@link resolve}. */
  readonly source?: Source | undefined
  /** What the server has to be. */
  readonly role?: Role | undefined
  /** Whether the server is asked for the connection's id, see {@link Link}. */
  readonly fetchClientId?: boolean | undefined
  /** Whether another connection takes its place when it ends: its errors are not final then. */
  readonly isReplaceable?: boolean | undefined
  /** How many ms to wait before the first attempt. */
  readonly delay?: number | undefined
  /** Whether the connection ends when the very first attempt fails. */
  readonly exitOnFirstFailure: boolean
}
