/**
 * One connection of a fake server: it reads commands and does what the test says. Knows one socket; accepting it
 * is left to `fake-server.ts`.
 */

import type { Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { Inbox } from "./inbox.ts"
import { reset } from "./reset.ts"
import { RespReader } from "./resp-reader.ts"
import { nextPoll } from "./wait.ts"

/** What a script says to a command: these bytes, or nothing. Text is sent as UTF-8. */
export type Answer = string | Buffer | undefined

export type CommandListener = (
  command: string[],
  connection: FakeConnection,
  // biome-ignore lint/suspicious/noConfusingVoidType: lets a script answer some commands and just fall off its end
) => Answer | void

export class FakeConnection {
  /** Called for each command; what it returns is written. Without it, or without an answer: silence. */
  onCommand: CommandListener | undefined
  /** Every command so far; its words are latin1, that is, one character for each byte. */
  readonly received: string[][] = []
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #transport: Socket
  readonly #reader = new RespReader({ encoding: "latin1", inline: true })
  readonly #commands = new Inbox<string[]>()
  readonly #chunks: Buffer[] = []

  /** `socket` is what commands are read from; `transport` is the connection below, another one with TLS. */
  constructor(socket: Socket, transport: Socket = socket) {
    this.#socket = socket
    this.#transport = transport
    this.closed = new Promise((resolve) => transport.once("close", () => resolve()))
    transport.setNoDelay(true)
    // A client that resets the connection is business as usual here.
    for (const each of new Set([socket, transport])) each.on("error", () => each.destroy())
    socket.on("data", (chunk: Buffer) => this.#receive(chunk))
  }

  /** Every byte so far. */
  get receivedBytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /**
   * The next command, or the next one of that name (`"GET"`, `"CLIENT SETINFO"`, any case), counted from the one
   * returned last. It may already have been received.
   */
  nextCommand(name?: string, timeout?: number): Promise<string[]> {
    const words = name?.toUpperCase().split(" ") ?? []
    const wanted = (command: string[]) => words.every((word, index) => command[index]?.toUpperCase() === word)
    return this.#commands.next(`command ${name ?? ""}`.trim(), wanted, timeout)
  }

  /** Sends bytes at once; nothing if the connection is gone. */
  write(bytes: string | Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes)
  }

  /**
   * Sends bytes in pieces of `size`, one for each turn of the event loop or every `gapMs`, so that a connected
   * peer in this process gets them one by one. Resolves when all are sent.
   */
  async writeInPieces(bytes: string | Buffer, size: number, gapMs = 0): Promise<void> {
    const whole = Buffer.from(bytes)
    for (let offset = 0; offset < whole.length; offset += size) {
      if (offset > 0) await (gapMs > 0 ? sleep(gapMs) : nextPoll())
      this.write(whole.subarray(offset, offset + size))
    }
  }

  /** Closes the sending side in order (FIN). */
  end(): void {
    this.#socket.end()
  }

  /**
   * Breaks the connection off (RST). A unix socket knows only a plain close. A client on Node.js takes it for an
   * ordinary end if it comes along with bytes which it has not read yet.
   */
  reset(): void {
    if (this.#transport.remoteAddress === undefined) this.#transport.destroy()
    else reset(this.#transport)
  }

  /** Closes without waiting for anything. */
  destroy(): void {
    this.#socket.destroy()
    this.#transport.destroy()
  }

  /** Stops reading: once the buffers of both sides are full, the peer cannot send any more. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk)
    for (const value of this.#reader.push(chunk)) {
      const command = Array.isArray(value) ? value.map(String) : [String(value)]
      this.received.push(command)
      this.#commands.push(command)
      const answer = this.onCommand?.(command, this)
      if (answer !== undefined) this.write(answer)
    }
  }
}
