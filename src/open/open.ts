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

function connectionOptions(options: ResolvedOptions, exitOnFirstFailure: boolean): ConnectionOptions {
  const endpoint = endpointOf(options)
  return {
    dial: socketDial({ tls: options.tls === false ? undefined : options.tls, socket: options.socket }),
    resolve: () => endpoint,
    label: formatEndpoint(endpoint),
    username: options.username,
    password: options.password,
    handshake: {
      protocol: options.protocol,
      database: options.database,
      clientName: options.clientName,
      clientInfo: options.clientInfo,
      readonly: options.readonly,
    },
    timeout: options.timeout,
    commandTimeout: options.commandTimeout,
    backoffInitial: options.backoffInitial,
    backoffMax: options.backoffMax,
    exitOnDisconnection: options.exitOnDisconnection,
    exitOnFirstFailure,
    healthCheckInterval: options.healthCheckInterval,
    maxInFlight: options.maxInFlight,
  }
}

function endpointOf(options: ResolvedOptions): Endpoint {
  if (options.sentinel !== undefined)
    throw new TypeError('Redix option "sentinel": not available in this version')
  return options.path === undefined ? { host: options.host, port: options.port } : { path: options.path }
}
