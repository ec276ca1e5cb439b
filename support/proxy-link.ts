/**
 * One proxied connection: two sockets and a pump for each direction between them. Knows how to pass bytes on under
 * the faults of its direction; which faults there are is decided by `proxy.ts`.
 */

import { connect, type Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { reset } from "./reset.ts"
import { nextPoll } from "./wait.ts"

export type Direction = "to-client" | "to-server"

/** In order, or broken off. */
export type Ending = "fin" | "rst"

/** What to deliver instead of `chunk`, which is at `offset` of the stream of connection number `connection`. */
export type Mutation = (chunk: Buffer, connection: number, offset: number) => Buffer

/** What is wrong with one direction of all connections. */
export interface DirectionFaults {
  blackhole: boolean
  delayMs: number
  pieceSize: number
  mutation: Mutation | undefined
  trap: Trap | undefined
}

export type Faults = Record<Direction, DirectionFaults>

/** Ends the first connection which delivers `count` bytes. */
interface Trap {
  readonly count: number
  readonly ending: Ending
  readonly delivered: Map<Link, number>
}

export function noFaults(): Faults {
  const none = { blackhole: false, delayMs: 0, pieceSize: 0, mutation: undefined, trap: undefined }
  return { "to-client": { ...none }, "to-server": { ...none } }
}

/** A source is not read any further while this many items wait, so a slow sink slows the source down. */
const maxQueued = 16

export class Link {
  onClose: () => void = () => {}
  readonly #sockets: readonly [client: Socket, server: Socket]
  readonly #pumps: readonly [toClient: Pump, toServer: Pump]

  constructor(
    client: Socket,
    target: { host: string; port: number },
    faults: Faults,
    bytes: { toClient: number; toServer: number },
    index: number,
  ) {
    const server = connect({ host: target.host, port: target.port, allowHalfOpen: true })
    this.#sockets = [client, server]
    this.#pumps = [
      new Pump(server, client, {
        link: this,
        index,
        faults: () => faults["to-client"],
        onDelivered: (count) => {
          bytes.toClient += count
        },
      }),
      new Pump(client, server, {
        link: this,
        index,
        faults: () => faults["to-server"],
        onDelivered: (count) => {
          bytes.toServer += count
        },
      }),
    ]
    let open = 2
    for (const socket of this.#sockets) {
      socket.setNoDelay(true)
      socket.once("close", () => {
        if (--open === 0) this.onClose()
      })
    }
  }

  /** Ends both sides; what is still held back is lost. */
  end(ending: Ending): void {
    for (const pump of this.#pumps) pump.stop()
    for (const socket of this.#sockets) {
      if (ending === "rst") reset(socket)
      else socket.end()
    }
  }

  /** Has the pumps look at the faults again. */
  wake(): void {
    for (const pump of this.#pumps) pump.wake()
  }
}

/** What a pump knows beside its sockets. */
interface PumpContext {
  readonly link: Link
  readonly index: number
  /** The faults of now: another object after they were taken back. */
  readonly faults: () => DirectionFaults
  readonly onDelivered: (bytes: number) => void
}

/** Bytes, or how the source has ended, and when it is time to pass that on. */
interface Item {
  readonly content: Buffer | Ending
  readonly at: number
}

class Pump {
  readonly #source: Socket
  readonly #sink: Socket
  readonly #context: PumpContext
  readonly #queue: Item[] = []
  #offset = 0
  #running = false
  #stopped = false
  #onWake: () => void = () => {}

  constructor(source: Socket, sink: Socket, context: PumpContext) {
    this.#source = source
    this.#sink = sink
    this.#context = context
    source.on("data", (chunk: Buffer) => this.#enqueue(chunk))
    source.on("end", () => this.#enqueue("fin"))
    source.on("error", () => this.#enqueue("rst"))
    this.#regulate()
  }

  /** Forgets what waits, and from now on whatever arrives. */
  stop(): void {
    this.#stopped = true
    this.#queue.length = 0
    // Only who reads on gets to see the end of the other side.
    this.#source.resume()
    this.#onWake()
  }

  wake(): void {
    this.#regulate()
    this.#onWake()
  }

  get #faults(): DirectionFaults {
    return this.#context.faults()
  }

  #enqueue(content: Buffer | Ending): void {
    if (this.#stopped) return
    this.#queue.push({ content, at: performance.now() + this.#faults.delayMs })
    this.#regulate()
    if (!this.#running) void this.#run()
  }

  #regulate(): void {
    if (this.#stopped) return
    if (this.#faults.blackhole || this.#queue.length >= maxQueued) this.#source.pause()
    else this.#source.resume()
  }

  /** Delivers what waits, one after the other. */
  async #run(): Promise<void> {
    this.#running = true
    for (let item = this.#queue.shift(); item; item = this.#queue.shift()) {
      this.#regulate()
      const early = item.at - performance.now()
      if (early > 0) await sleep(early)
      await this.#outOfBlackhole()
      if (!this.#stopped) await this.#deliver(item.content)
    }
    this.#running = false
  }

  async #outOfBlackhole(): Promise<void> {
    while (this.#faults.blackhole && !this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#onWake = resolve
      })
    }
  }

  async #deliver(content: Buffer | Ending): Promise<void> {
    if (content === "fin") this.#sink.end()
    else if (content === "rst") reset(this.#sink)
    else {
      const mutated = this.#faults.mutation?.(content, this.#context.index, this.#offset) ?? content
      this.#offset += content.length
      await this.#deliverBytes(mutated)
    }
  }

  async #deliverBytes(bytes: Buffer): Promise<void> {
    const { link } = this.#context
    const faults = this.#faults
    const { trap } = faults
    if (!trap) return this.#write(bytes)

    const before = trap.delivered.get(link) ?? 0
    trap.delivered.set(link, before + bytes.length)
    if (before + bytes.length < trap.count) return this.#write(bytes)
    faults.trap = undefined
    await this.#write(bytes.subarray(0, trap.count - before))
    // Node.js takes an RST for an ordinary end if it comes along with bytes which it has not read yet.
    if (trap.ending === "rst") await nextPoll()
    link.end(trap.ending)
  }

  async #write(bytes: Buffer): Promise<void> {
    const size = this.#faults.pieceSize || bytes.length
    for (let offset = 0; offset < bytes.length; offset += size) {
      // So that the peer reads one piece before the next is there.
      if (offset > 0) await nextPoll()
      await this.#outOfBlackhole()
      if (this.#stopped) return
      const piece = bytes.subarray(offset, offset + size)
      await new Promise((resolve) => this.#sink.write(piece, resolve))
      this.#context.onDelivered(piece.length)
    }
  }
}
