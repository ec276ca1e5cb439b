/**
 * From checked options to a connection: where to dial, how, and what to say first. The only one who knows sockets.
 */

import { Connection, type ConnectionListener } from "../connection/connection.ts"
import type { ConnectionOptions } from "../connection/options.ts"
import type { ResolvedOptions } from "../options.ts"
import { socketDial } from "../transport/socket.ts"
import { type Endpoint, formatEndpoint } from "../transport/transport.ts"

/** What a connection may have more than its options say. */
export type Extras = Pick<
  ConnectionOptions,
  "pushes" | "fetchClientId" | "source" | "isReplaceable" | "delay"
> &
  Partial<Pick<ConnectionOptions, "label">>

/** Opens a connection, which connects in the background. */
export function openConnection(
  options: ResolvedOptions,
  listener: ConnectionListener,
  exitOnFirstFailure: boolean,
  extras: Extras = {},
): Connection {
  return new Connection(connectionOptions(options, exitOnFirstFailure, extras), listener)
}

export function connectionOptions(
  settings: ResolvedOptions,
  exitOnFirstFailure: boolean,
  extras: Extras = {},
): ConnectionOptions {
  const { socket, tls, sentinel } = settings
  const endpoint = endpointOf(settings)
  return {
    settings,
    dial: socketDial({ tls: tls === false ? undefined : tls, socket }),
    resolve: () => endpoint,
    label: sentinel === undefined ? formatEndpoint(endpoint) : `sentinel group "${sentinel.group}"`,
    exitOnFirstFailure,
    ...extras,
  }
}

function endpointOf({ host, port, path }: ResolvedOptions): Endpoint {
  return path === undefined ? { host, port } : { path }
}
