/**
 * A TCP proxy that breaks things on demand. Knows its port, its connections and the switches; what a switch does
 * to the bytes is left to `proxy-link.ts`. Every switch acts on the connections of now and of later.
 */
import { createServer, type Server } from "node:net"
import { listen, loopback } from "./port.ts"
import { type Direction, type Ending, type Faults, Link, type Mutation, noFaults } from "./proxy-link.ts"

export type { Direction, Ending, Mutation } from "./proxy-link.ts"

export interface ProxyTarget {
  readonly host: string
  readonly port: number
}

export class FaultProxy {
  readonly host = loopback
  readonly port: number
  /** How many bytes were delivered so far, over all connections. */
  readonly bytes: { toClient: number; toServer: number } = { toClient: 0, toServer: 0 }
  /** How many connections were accepted so far, closed ones included. */
  connections = 0
  readonly #target: ProxyTarget
  readonly #links = new Set<Link>()
  readonly #faults: Faults = noFaults()
  #listener: Server | undefined

  /** A proxy that listens on a free port and passes everything on to `target`. */
  static async start(target: ProxyTarget): Promise<FaultProxy> {
    // Half-open connections are passed on as such: each side decides for itself when it has said everything.
    const listener = createServer({ allowHalfOpen: true })
    return new FaultProxy(target, listener, await listen(listener))
  }

  private constructor(target: ProxyTarget, listener: Server, port: number) {
    this.#target = target
    this.port = port
    this.#use(listener)
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`
  }

  /** How many connections are open now. */
  get openConnections(): number {
    return this.#links.size
  }

  /** Ends every connection in order (FIN to both sides). */
  cut(): void {
    for (const link of this.#links) link.end("fin")
  }

  /** Breaks every connection off (RST to both sides). */
  reset(): void {
    for (const link of this.#links) link.end("rst")
  }

  /** Stops to listen: new connections are refused, those of now stay. */
  refuse(): void {
    this.#listener?.close()
    this.#listener = undefined
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (this.#listener) return
    const listener = createServer({ allowHalfOpen: true })
    await listen(listener, this.port)
    this.#use(listener)
  }

  /** Neither reads nor delivers in this direction. Connections stay open, and new ones are accepted. */
  blackhole(direction: Direction | "both"): void {
    for (const each of bothOr(direction)) this.#faults[each].blackhole = true
    this.#wake()
  }

  /** Holds every chunk back for `ms`. By default only on the way to the client, so a round trip takes `ms` more. */
  delay(ms: number, direction: Direction | "both" = "to-client"): void {
    for (const each of bothOr(direction)) this.#faults[each].delayMs = ms
  }

  /** Delivers to the client in pieces of `size` bytes, each a write of its own. */
  split(size: number): void {
    this.#faults["to-client"].pieceSize = size
  }

  /** Delivers to the client what `mutation` makes of each chunk. */
  mutate(mutation: Mutation): void {
    this.#faults["to-client"].mutation = mutation
  }

  /**
   * Ends the first connection that has delivered another `count` bytes in this direction, with exactly these bytes
   * delivered; with 0, as soon as there is a byte to deliver. Then the trap is gone, so a reconnect succeeds.
   */
  cutAfterBytes(direction: Direction, count: number, ending: Ending): void {
    this.#faults[direction].trap = { count, ending, delivered: new Map() }
  }

  /** Takes back every switch except {@link refuse}. What a black hole has held back is delivered now. */
  restore(): void {
    Object.assign(this.#faults, noFaults())
    this.#wake()
  }

  /** Stops to listen and breaks off what is open. May be called again. */
  async stop(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    const stopped = listener && new Promise((resolve) => listener.close(resolve))
    for (const link of this.#links) link.end("rst")
    await stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #use(listener: Server): void {
    this.#listener = listener
    listener.on("connection", (client) => {
      const link = new Link(client, this.#target, this.#faults, this.bytes, this.connections++)
      this.#links.add(link)
      link.onClose = () => this.#links.delete(link)
    })
  }

  #wake(): void {
    for (const link of this.#links) link.wake()
  }
}

function bothOr(direction: Direction | "both"): Direction[] {
  return direction === "both" ? ["to-client", "to-server"] : [direction]
}
