// A TCP proxy which hands the server's replies to the client in pieces of a given size, with a pause after each, so
// that the client reads them one by one instead of finding several in its socket at once. Requests pass unchanged.
import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"

const PAUSE_PER_PIECE = 0.1 // ms: longer than a client takes to wake up and read a small piece
const PAUSE_PER_BYTE = 0.000_02 // ms: longer than the slowest client takes to parse a byte
const LAST_PIECE_AFTER = 1 // ms without another byte from the server: what is left is shorter than a piece

const SLEEPER = new Int32Array(new SharedArrayBuffer(4))

export class SplitProxy {
  readonly url: string
  readonly #server: Server

  private constructor(server: Server, target: URL) {
    this.#server = server
    const url = new URL(target)
    url.hostname = "127.0.0.1"
    url.port = String((server.address() as AddressInfo).port)
    this.url = url.href
  }

  static async start(targetUrl: string, pieceBytes: number): Promise<SplitProxy> {
    const target = new URL(targetUrl)
    const server = createServer({ noDelay: true }, (client) => join(client, target, pieceBytes))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    return new SplitProxy(server, target)
  }

  stop(): void {
    this.#server.close()
  }
}

function join(client: Socket, target: URL, pieceBytes: number): void {
  const upstream = connect({ host: target.hostname, port: Number(target.port || 6379), noDelay: true })
  const splitter = new Splitter(client, pieceBytes)
  client.pipe(upstream)
  upstream.on("data", (chunk) => splitter.add(chunk))
  for (const [socket, other] of [[client, upstream] as const, [upstream, client] as const])
    socket.on("error", () => other.destroy()).on("close", () => other.destroy())
}

class Splitter {
  readonly #client: Socket
  readonly #pieceBytes: number
  readonly #pause: number
  #waiting: Buffer = Buffer.alloc(0)
  #lastArrival = 0
  #running = false

  constructor(client: Socket, pieceBytes: number) {
    this.#client = client
    this.#pieceBytes = pieceBytes
    this.#pause = PAUSE_PER_PIECE + pieceBytes * PAUSE_PER_BYTE
  }

  add(chunk: Buffer): void {
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk])
    this.#lastArrival = performance.now()
    if (!this.#running) this.#next()
  }

  #next(): void {
    if (this.#isDue()) {
      this.#client.write(this.#waiting.subarray(0, this.#pieceBytes))
      this.#waiting = this.#waiting.subarray(this.#pieceBytes)
      sleep(this.#pause)
    }
    this.#running = this.#waiting.length > 0 && !this.#client.destroyed
    if (this.#running) setImmediate(() => this.#next())
  }

  #isDue(): boolean {
    if (this.#waiting.length >= this.#pieceBytes) return true
    return this.#waiting.length > 0 && performance.now() - this.#lastArrival > LAST_PIECE_AFTER
  }
}

// Timers are too coarse for such pauses, and turning in the event loop would take the client's core from it.
function sleep(ms: number): void {
  Atomics.wait(SLEEPER, 0, 0, ms)
}
