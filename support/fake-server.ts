/**
 * A scriptable server for bytes and faults that a real one cannot produce. Knows how to accept connections; what
 * one of them does is left to `fake-connection.ts` and to the test.
 */
import { createServer, type Server, type Socket } from "node:net"
import { createSecureContext, TLSSocket } from "node:tls"
import type { Certificates } from "./certificates.ts"
import { FakeConnection } from "./fake-connection.ts"
import { Inbox } from "./inbox.ts"
import { listen, listenOnPath, loopback } from "./port.ts"

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
  /** All that were ever accepted. */
  readonly connections: FakeConnection[] = []
  readonly #arrivals = new Inbox<FakeConnection>()
  readonly #server: Server
  #port = 0
  #url = ""

  /**
   * A server that listens. `onConnection` runs before anything is read, so a script that it puts into `onCommand`
   * sees the first command.
   */
  static async start(
    onConnection?: (connection: FakeConnection) => void,
    { port, tls, path }: FakeServerOptions = {},
  ): Promise<FakeServer> {
    const fake = new FakeServer(onConnection, tls)
    if (path === undefined) {
      fake.#port = await listen(fake.#server, port)
      fake.#url = `${tls ? "rediss" : "redis"}://${loopback}:${fake.#port}`
    } else {
      await listenOnPath(fake.#server, path)
      fake.#url = `unix://${path}`
    }
    return fake
  }

  private constructor(onConnection?: (connection: FakeConnection) => void, tls?: Certificates) {
    this.#server = createServer((transport) => {
      const connection = new FakeConnection(tls ? secure(transport, tls) : transport, transport)
      this.connections.push(connection)
      onConnection?.(connection)
      this.#arrivals.push(connection)
    })
  }

  /** 0 with a unix socket. */
  get port(): number {
    return this.#port
  }

  get url(): string {
    return this.#url
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
