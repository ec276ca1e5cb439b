// Asks for the same reply again and again over a bare socket and only counts the bytes: what it costs to read them at
// all, before any client makes something of them.
import { once } from "node:events"
import { connect, type Socket } from "node:net"

const READ_BUFFER = 64 * 1024

export class BareReader {
  readonly #request: string
  readonly #replyBytes: number
  #socket: Socket | undefined
  #missing = 0
  #whole: () => void = () => {}

  private constructor(command: readonly string[], replyBytes: number) {
    const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`)
    this.#request = `*${parts.length}\r\n${parts.join("")}`
    this.#replyBytes = replyBytes
  }

  static async open(url: string, command: readonly string[], replyBytes: number): Promise<BareReader> {
    const reader = new BareReader(command, replyBytes)
    const { hostname, port } = new URL(url)
    const onread = {
      buffer: Buffer.allocUnsafe(READ_BUFFER),
      callback: (bytes: number) => reader.#count(bytes),
    }
    reader.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread })
    await once(reader.#socket, "connect")
    return reader
  }

  read(): Promise<void> {
    this.#missing = this.#replyBytes
    this.#socket?.write(this.#request)
    return new Promise((resolve) => {
      this.#whole = resolve
    })
  }

  #count(bytes: number): boolean {
    this.#missing -= bytes
    if (this.#missing < 0) throw new Error("more bytes than the reply has")
    if (this.#missing === 0) this.#whole()
    return true
  }
}
