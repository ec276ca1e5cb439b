/** What a connection is made from. Values and functions only: it does not know where they come from. */

import type { Dial, Endpoint } from "../transport/transport.ts"
import type { HandshakeSettings } from "./handshake.ts"

export interface ConnectionOptions {
  readonly dial: Dial
  /** Where to connect to; asked for every attempt. */
  readonly resolve: () => Endpoint | Promise<Endpoint>
  /** What stands for the address in errors while {@link resolve} has not told one. */
  readonly label: string
  readonly username: string | undefined
  /** A function is called for every attempt. */
  readonly password: string | (() => string | Promise<string>) | undefined
  readonly handshake: HandshakeSettings
  /** For a whole attempt, in ms. */
  readonly timeout: number
  /** For a request that has no timeout of its own, in ms. */
  readonly commandTimeout: number
  readonly backoffInitial: number
  readonly backoffMax: number
  readonly exitOnDisconnection: boolean
  /** Whether the connection ends when the very first attempt fails. */
  readonly exitOnFirstFailure: boolean
  readonly healthCheckInterval: number
  readonly maxInFlight: number
}
