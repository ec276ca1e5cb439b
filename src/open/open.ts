/**
 * From checked options to a connection: where to dial, how, and what to say first. The only one who knows sockets.
 */

import { Connection, type ConnectionListener } from "../connection/connection.ts"
import type { ConnectionOptions } from "../connection/options.ts"
import type { ResolvedOptions } from "../options.ts"
import { socketDial } from "../transport/socket.ts"
import { type Endpoint, formatEndpoint } from "../transport/transport.ts"

/** Opens a connection, which connects in the background. */
export function openConnection(
  options: ResolvedOptions,
  listener: ConnectionListener,
  exitOnFirstFailure: boolean,
): Connection {
  return new Connection(connectionOptions(options, exitOnFirstFailure), listener)
}

function connectionOptions(settings: ResolvedOptions, exitOnFirstFailure: boolean): ConnectionOptions {
  const endpoint = endpointOf(settings)
  const { socket, tls } = settings
  return {
    settings,
    dial: socketDial({ tls: tls === false ? undefined : tls, socket }),
    resolve: () => endpoint,
    label: formatEndpoint(endpoint),
    exitOnFirstFailure,
  }
}

function endpointOf(options: ResolvedOptions): Endpoint {
  if (options.sentinel !== undefined)
    throw new TypeError('Redix option "sentinel": not available in this version')
  return options.path === undefined ? { host: options.host, port: options.port } : { path: options.path }
}
