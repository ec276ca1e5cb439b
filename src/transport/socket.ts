/**
 * A transport over TCP, TLS or a Unix domain socket. Knows `node:net` and `node:tls`; leaves time limits, retries and
 * the meaning of the bytes to others.
 */

import { connect, isIP, type NetConnectOpts, type OnReadOpts, type Socket } from "node:net"
import { type ConnectionOptions as TlsOptions, connect as tlsConnect } from "node:tls"
import { BLOCK_SIZE } from "../util/bytes.ts"
import type { Dial, Endpoint, Transport, TransportEvents, TransportStage } from "./transport.ts"

/** With more than this waiting in the socket it is full: further requests can still be withdrawn where they are. */
const MOST_BUFFERED = 1 << 20

export interface SocketSettings {
  /** TLS options; `undefined` for a plain connection. */
  readonly tls: TlsOptions | undefined
  /** Options of `net.connect`, the driver's own defaults included. */
  readonly socket: Readonly<Record<string, unknown>>
}

/** Dials with the given settings. */
export function socketDial(settings: SocketSettings): Dial {
  return (endpoint, events) => new SocketTransport(settings, endpoint, events)
}

class SocketTransport implements Transport {
  events: TransportEvents
  stage: TransportStage = "connecting"
  isClosed = false

  readonly #socket: Socket
  readonly #isSecure: boolean

  constructor(settings: SocketSettings, endpoint: Endpoint, events: TransportEvents) {
    this.events = events
    this.#isSecure = settings.tls !== undefined
    this.#socket = this.#open(settings, endpoint)
    this.#listen()
  }

  get buffered(): number {
    return this.#socket.writableLength
  }

  get isFull(): boolean {
    // Without the second, the socket would not tell when it has drained.
    return this.#socket.writableLength > MOST_BUFFERED && this.#socket.writableNeedDrain
  }

  write(pieces: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    const isMany = pieces.length > 1
    if (isMany) socket.cork()
    for (const piece of pieces) socket.write(this.#isSecure ? ownedCopy(piece) : piece)
    if (isMany) socket.uncork()
    // Zero right after the write: the kernel took it all, nothing is referred to any more.
    return this.#isSecure || socket.writableLength === 0
  }

  destroy(): void {
    this.#socket.destroy()
  }

  keepAlive(keepsAlive: boolean): void {
    if (keepsAlive) this.#socket.ref()
    else this.#socket.unref()
  }

  #open(settings: SocketSettings, endpoint: Endpoint): Socket {
    const base = { ...settings.socket, ...endpoint, allowHalfOpen: false }
    // `onread` is an option of every socket, but the declarations for TCP and TLS leave it out.
    const options: NetConnectOpts & { onread: OnReadOpts } = { ...base, onread: this.#reader() }
    if (settings.tls === undefined) return connect(options)
    return tlsConnect({ servername: serverName(endpoint), ...settings.tls, ...options })
  }

  /** Reads into memory of the owner's choice instead of a new buffer for every read. */
  #reader(): OnReadOpts {
    return {
      buffer: () => this.events.target(),
      callback: (count) => {
        this.events.onRead(count)
        return true
      },
    }
  }

  #listen(): void {
    const socket = this.#socket
    socket.once("connect", () => {
      this.stage = "securing"
      if (!this.#isSecure) this.#onOpen()
    })
    if (this.#isSecure) socket.once("secureConnect", () => this.#onOpen())
    socket.on("drain", () => this.events.onDrain())
    socket.on("error", ignore)
    socket.on("end", destroyThis)
    socket.on("close", () => {
      this.isClosed = true
      this.events.onClose(socket.errored ?? undefined)
    })
  }

  #onOpen(): void {
    this.stage = "open"
    this.events.onOpen()
  }
}

/** An error is told with the end that follows it. */
function ignore(): void {}

/** The peer will send nothing any more, so nothing that is in flight can be answered. */
function destroyThis(this: Socket): void {
  this.destroy()
}

/** The name that the certificate must be for; an address cannot be one (RFC 6066, section 3). */
function serverName(endpoint: Endpoint): string {
  return "host" in endpoint && isIP(endpoint.host) === 0 ? endpoint.host : ""
}

/**
 * Under TLS nothing is written by the time a write returns, so blocks are written as copies, to be free at once:
 * encrypting costs far more. Larger pieces are written as they are.
 */
function ownedCopy(piece: Uint8Array): Uint8Array {
  return piece.length > BLOCK_SIZE ? piece : Buffer.from(piece)
}
