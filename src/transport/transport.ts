/**
 * What carries bytes, as seen from above: a {@link Transport}, how one is made ({@link Dial}), and what it reports
 * ({@link TransportEvents}). Knows nothing of RESP.
 */

/** Where to connect to. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string }

/** An endpoint for people: `"host:port"`, `"[::1]:6379"` or the path of a socket. */
export function formatEndpoint(endpoint: Endpoint): string {
  if ("path" in endpoint) return endpoint.path
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host
  return `${host}:${endpoint.port}`
}

/** What a transport tells its owner. All of it is called from the event loop, never from within a call to it. */
export interface TransportEvents {
  /** Bytes can be written: the connection stands, TLS included. */
  onOpen(): void
  /** Where the next bytes are to be put. */
  target(): Uint8Array
  /** So many bytes were put there. */
  onRead(count: number): void
  /** Everything that was written has been handed to the kernel, after there was too much of it. */
  onDrain(): void
  /** The end, told once: with the error, or with `undefined` when the peer closed or it was destroyed from here. */
  onClose(error: Error | undefined): void
}

/** How far a transport has come, which tells what kind of failure it was. */
export type TransportStage = "connecting" | "securing" | "open"

export interface Transport {
  /** Who is told; may be exchanged at any time. */
  events: TransportEvents
  readonly stage: TransportStage
  /** Whether `onClose` has been told. */
  readonly isClosed: boolean
  /** How many bytes were written and not yet handed to the kernel. */
  readonly buffered: number
  /** Whether that is so much that nothing should be written before `onDrain`, which will follow. */
  readonly isFull: boolean
  /**
   * Writes the pieces as one. Returns whether the memory of pieces of up to 64 KiB is free again already; otherwise
   * nobody may write to it, nor ever to that of larger ones, before {@link buffered} was 0.
   */
  write(pieces: readonly Uint8Array[]): boolean
  /** Closes now. `onClose` follows. */
  destroy(): void
  /** Whether the process stays alive for it. */
  keepAlive(keepsAlive: boolean): void
}

export type Dial = (endpoint: Endpoint, events: TransportEvents) => Transport
