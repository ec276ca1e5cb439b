/**
 * A scriptable server for bytes and faults that a real one cannot produce. Knows how to accept connections; what
 * one of them does is left to `fake-connection.ts` and to the test.
 */
import { createServer, type Server, type Socket } from "node:net"
import { createSecureContext, TLSSocket } from "node:tls"
import type { Certificates } from "./certificates.ts"
import { FakeConnection } from "./fake-connection.ts"
import { Inbox } from "./inbox.ts"
import { listen, loopback } from "./port.ts"

export { type Answer, type CommandListener, FakeConnection } from "./fake-connection.ts"
export { handshake } from "./fake-handshake.ts"
export { array, bulk, error, integer, nullBulk, simple } from "./resp-literals.ts"

export interface FakeServerOptions {
  /** Default: a free one. */
  port?: number
  /** Speaks TLS with the server's certificate. */
  tls?: Certificates
  /** Listens on this unix socket instead of a port. */
  path?: string
}

export class FakeServer {
  readonly host = loopback
  /** 0 with a unix socket. */
  readonly port: number
  readonly url: string
  /** All that were ever accepted. */
  readonly connections: FakeConnection[]
  readonly #server: Server
  readonly #arrivals: Inbox<FakeConnection>

  /**
   * A server that listens. `onConnection` runs before anything is read, so a script that it puts into `onCommand`
   * sees the first command.
   */
  static async start(
    onConnection?: (connection: FakeConnection) => void,
    { port, tls, path }: FakeServerOptions = {},
  ): Promise<FakeServer> {
    const connections: FakeConnection[] = []
    const arrivals = new Inbox<FakeConnection>()
    const server = createServer((transport) => {
      const connection = new FakeConnection(tls ? secure(transport, tls) : transport, transport)
      connections.push(connection)
      onConnection?.(connection)
      arrivals.push(connection)
    })
    if (path === undefined) {
      const actual = await listen(server, port)
      const url = `${tls ? "rediss" : "redis"}://${loopback}:${actual}`
      return new FakeServer(server, connections, arrivals, actual, url)
    }
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(path, resolve)
    })
    return new FakeServer(server, connections, arrivals, 0, `unix://${path}`)
  }

  private constructor(
    server: Server,
    connections: FakeConnection[],
    arrivals: Inbox<FakeConnection>,
    port: number,
    url: string,
  ) {
    this.#server = server
    this.#arrivals = arrivals
    this.connections = connections
    this.port = port
    this.url = url
  }

  /** The next connection, counted from the one returned last. It may already have been accepted. */
  nextConnection(timeout?: number): Promise<FakeConnection> {
    return this.#arrivals.next("a connection", undefined, timeout)
  }

  /** Stops to listen and breaks off what is open. May be called again. */
  async stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const connection of this.connections) connection.destroy()
    await stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function secure(transport: Socket, { ca, serverCert, serverKey }: Certificates): TLSSocket {
  const secureContext = createSecureContext({ ca, cert: serverCert, key: serverKey })
  return new TLSSocket(transport, { isServer: true, secureContext })
}
