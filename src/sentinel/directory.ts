/**
 * The sentinels of one group: those that a user listed, those that they know of, and how to ask one. Remembers nothing
 * of the servers, only of sentinels.
 */

import { Connection, type ConnectionListener } from "../connection/connection.ts"
import { sendCommand } from "../connection/requests.ts"
import { ConnectionError, RedixError } from "../errors.ts"
import { connectionOptions } from "../open/open.ts"
import {
  type ResolvedOptions,
  type ResolvedSentinel,
  type ResolvedSentinelAddress,
  resolveOptions,
} from "../options.ts"
import { type Endpoint, formatEndpoint } from "../transport/transport.ts"
import { endpointIn, endpointsIn } from "./addresses.ts"

/** Of sentinels that were not listed, so many are remembered. */
const MOST_LEARNED = 16

/** Who has sentinels asked. */
export interface Asker {
  /** A connection to a sentinel was opened: it is to be ended when the answer is not wanted any more. */
  onConversation(connection: Connection): void
  /** It is being closed. */
  onDiscarded(closed: Promise<void>): void
}

export class SentinelDirectory {
  readonly options: ResolvedSentinel
  /** The sentinels that each one of them has named last. */
  readonly #named = new Map<string, ReadonlyArray<{ readonly host: string; readonly port: number }>>()

  constructor(options: ResolvedSentinel) {
    this.options = options
  }

  /** The listed ones in their order, then those learned. */
  sentinels(): ResolvedSentinelAddress[] {
    return [...this.options.sentinels, ...this.#learned()]
  }

  #learned(): ResolvedSentinelAddress[] {
    const { sentinels, username, password } = this.options
    const listed = new Set(sentinels.map((each) => formatEndpoint(each)))
    const learned = new Map<string, ResolvedSentinelAddress>()
    for (const { host, port } of [...this.#named.values()].flat()) {
      const address = formatEndpoint({ host, port })
      if (!listed.has(address)) learned.set(address, { host, port, username, password })
    }
    return [...learned.values()].slice(0, MOST_LEARNED)
  }

  /** Options for a connection to a sentinel. */
  optionsFor({ host, port, username, password }: ResolvedSentinelAddress): ResolvedOptions {
    const { timeout, tls, socket } = this.options
    const limits = { timeout, commandTimeout: timeout, clientInfo: false, exitOnDisconnection: true }
    return resolveOptions([{ host, port, username, password, tls, socket, ...limits }])
  }

  /** Where the server of the wanted role is, by the word of one sentinel. */
  locate(sentinel: ResolvedSentinelAddress, asker: Asker): Promise<Endpoint> {
    return this.#withConnection(sentinel, asker, (connection) =>
      this.options.role === "primary" ? this.#locatePrimary(connection) : this.#locateReplica(connection),
    )
  }

  /** Where the primary is, by the word of one sentinel. */
  locatePrimary(sentinel: ResolvedSentinelAddress, asker: Asker): Promise<Endpoint> {
    return this.#withConnection(sentinel, asker, (connection) => this.#locatePrimary(connection))
  }

  async #locatePrimary(connection: Connection): Promise<Endpoint> {
    const { group } = this.options
    const found = endpointIn(await this.#ask(connection, "GET-MASTER-ADDR-BY-NAME"))
    if (found === undefined) throw this.#unknown(connection, `it knows no group "${group}"`)
    return found
  }

  async #locateReplica(connection: Connection): Promise<Endpoint> {
    const replicas = endpointsIn(await this.#ask(connection, "REPLICAS"))
    const found = replicas[Math.floor(Math.random() * replicas.length)]
    if (found === undefined) {
      throw this.#unknown(connection, `it knows no replica of "${this.options.group}" that is up`)
    }
    return found
  }

  /** The reply to a question about the group; in the same round trip it is asked for the other sentinels. */
  async #ask(connection: Connection, question: string): Promise<unknown> {
    const { group } = this.options
    const [reply] = await Promise.all([
      sendCommand(connection, ["SENTINEL", question, group], undefined),
      this.#learn(connection),
    ])
    return reply
  }

  /** That a sentinel cannot name the others is no reason not to use what else it says. */
  async #learn(connection: Connection): Promise<void> {
    const ask = ["SENTINEL", "SENTINELS", this.options.group]
    const reply = await sendCommand(connection, ask, undefined).catch(() => undefined)
    if (reply === undefined) return
    // What it said before is forgotten, and of the answers only the latest are kept: addresses change.
    this.#named.delete(connection.address)
    this.#named.set(connection.address, endpointsIn(reply))
    for (const oldest of this.#named.keys()) if (this.#named.size > MOST_LEARNED) this.#named.delete(oldest)
  }

  /** Runs `use` on a connection to the sentinel that lives as long as it takes. */
  async #withConnection<T>(
    sentinel: ResolvedSentinelAddress,
    asker: Asker,
    use: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    let connection: Connection | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        connection = new Connection(
          connectionOptions(this.optionsFor(sentinel), true, { isReplaceable: true }),
          listenerOf(resolve, reject),
        )
        asker.onConversation(connection)
      })
      if (connection === undefined) throw new TypeError("no connection was made")
      return await use(connection)
    } finally {
      connection?.destroy()
      if (connection !== undefined) asker.onDiscarded(connection.close(0))
    }
  }

  #unknown({ address }: Connection, message: string): ConnectionError {
    return new ConnectionError("no-viable-sentinel", `the sentinel at ${address} cannot help: ${message}`, {
      address,
    })
  }
}

function listenerOf(resolve: () => void, reject: (error: unknown) => void): ConnectionListener {
  return {
    onConnected: resolve,
    onDisconnected: () => {},
    onAttemptFailed: () => {},
    onSentinelFailed: () => {},
    onEnded: (error) => reject(error ?? new RedixError("given up")),
  }
}
