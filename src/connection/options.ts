/** What a connection is made from. Values and functions only: it does not know where they come from. */

import type { ResolvedOptions } from "../options.ts"
import type { Dial, Endpoint } from "../transport/transport.ts"

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

export interface ConnectionOptions {
  readonly settings: ConnectionSettings
  readonly dial: Dial
  /** Where to connect to; asked for every attempt. */
  readonly resolve: () => Endpoint | Promise<Endpoint>
  /** What stands for the address in errors while {@link resolve} has not told one. */
  readonly label: string
  /** Whether the connection ends when the very first attempt fails. */
  readonly exitOnFirstFailure: boolean
}
