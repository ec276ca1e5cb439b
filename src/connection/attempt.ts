/**
 * One attempt to connect: ask where to, ask for the password, dial, handshake, all within one time limit. It ends once,
 * with a link that is up or with the error of the attempt. Knows nothing of requests, nor what comes after it.
 */

import { ConnectionError, type ConnectionErrorReason, RedixError } from "../errors.ts"
import { INCOMPLETE, Parser } from "../protocol/parser.ts"
import {
  type Endpoint,
  formatEndpoint,
  type Transport,
  type TransportEvents,
} from "../transport/transport.ts"
import { FairTimer, type FairTimerOwner } from "../util/fair-timer.ts"
import { discard } from "./discard.ts"
import { type Credentials, Handshake } from "./handshake.ts"
import type { AttemptOwner, ConnectionAttempt, ConnectionOptions } from "./options.ts"

export class Attempt implements ConnectionAttempt, TransportEvents, FairTimerOwner {
  readonly #options: ConnectionOptions
  readonly #database: number | undefined
  readonly #owner: AttemptOwner
  readonly #parser: Parser
  #bytesWritten = 0
  readonly #timer: FairTimer
  readonly #dueAt: number
  #transport: Transport | undefined
  #handshake: Handshake | undefined
  #credentials: Credentials = { username: undefined, password: undefined }
  #address: string
  #keepsAlive = true
  #isOver = false
  /** Counts the steps that the attempt has taken, for the timer to see progress. */
  #progress = 0

  /** @param database what to select; `undefined` for nothing */
  constructor(options: ConnectionOptions, database: number | undefined, owner: AttemptOwner) {
    this.#options = options
    this.#database = database
    this.#owner = owner
    this.#address = options.label
    this.#parser = new Parser(options.settings.protocol === 3, options.pushes !== undefined)
    this.#timer = new FairTimer(this, true)
    this.#dueAt = this.#timer.now() + options.settings.timeout
  }

  /** Begins. Not done by the constructor: the owner must know the attempt before it is told of it. */
  start(): void {
    this.#timer.ensure(this.#dueAt)
    void this.#run()
  }

  /** Gives the attempt up; its owner hears nothing more of it. */
  cancel(): void {
    this.#end()
    this.#tearDown()
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    this.#timer.keepAlive(keepsAlive)
    this.#transport?.keepAlive(keepsAlive)
  }

  async #run(): Promise<void> {
    try {
      const endpoint = await this.#options.resolve()
      if (this.#isOver) return
      this.#address = sameText(this.#options.label, formatEndpoint(endpoint))
      this.#credentials = { username: this.#options.settings.username, password: await this.#password() }
      if (!this.#isOver) this.#dial(endpoint)
    } catch (error) {
      if (error instanceof ConnectionError) this.#fail(error)
      else this.#fail(this.#error(isTlsError(error) ? "tls" : "refused", describeCause(error), error))
    }
  }

  async #password(): Promise<string | undefined> {
    const { password } = this.#options.settings
    if (typeof password !== "function") return password
    try {
      const value: unknown = await password()
      this.#progress++
      if (typeof value === "string") return value
    } catch (cause) {
      throw this.#error("authentication", "the password function failed", cause)
    }
    throw this.#error(
      "authentication",
      "the password function returned something other than a string",
      undefined,
    )
  }

  #dial(endpoint: Endpoint): void {
    this.#transport = this.#options.dial(endpoint, this)
    if (!this.#keepsAlive) this.#transport.keepAlive(false)
  }

  #newHandshake(): Handshake {
    const { settings, fetchClientId, role } = this.#options
    return new Handshake(
      { ...settings, fetchClientId, role },
      this.#database,
      this.#credentials,
      this.#address,
    )
  }

  // ── what the transport tells ──────────────────────────────────────────────────────────────────────────────────

  onOpen(): void {
    if (this.#isOver) return
    this.#handshake = this.#newHandshake()
    this.#write(this.#handshake)
  }

  #write(handshake: Handshake): void {
    const bytes = handshake.bytes()
    this.#bytesWritten += bytes.length
    this.#transport?.write([bytes])
  }

  target(): Uint8Array {
    return this.#parser.target()
  }

  onRead(count: number): void {
    if (this.#isOver) return
    this.#parser.received(count)
    try {
      if (this.#readReplies()) this.#succeed()
    } catch (error) {
      this.#fail(this.#answerError(error))
    }
  }

  /** The handshake's own errors are complete; those of the parser do not know where they are. */
  #answerError(error: unknown): ConnectionError {
    if (error instanceof ConnectionError && error.address !== undefined) return error
    const cause = error instanceof ConnectionError ? error.cause : error
    return this.#error("protocol-error", describeCause(error), cause)
  }

  /** Hands the replies to the handshake; true when that is done, and nothing is left over. */
  #readReplies(): boolean {
    // Whatever the server says before it was asked (too many clients, protected mode) is about the first step.
    const handshake = this.#handshake ?? this.#newHandshake()
    this.#handshake = handshake
    const parser = this.#parser
    for (;;) {
      const reply = parser.next(false)
      if (reply === INCOMPLETE) break
      if (parser.isPush) continue
      if (handshake.accept(reply, parser.isError) === "write") this.#write(handshake)
    }
    if (!handshake.isDone) return false
    // The next reply would go to the first request, which it cannot be for.
    if (parser.hasPartial && !parser.partialMayBePush) throw handshake.unsolicited()
    return true
  }

  onDrain(): void {}

  onClose(error: Error | undefined): void {
    if (this.#isOver) return
    const cause = error ?? new RedixError("the server closed the connection before it had answered")
    this.#fail(this.#error(this.#closeReason(error), describeCause(cause), cause))
  }

  #closeReason(error: Error | undefined): ConnectionErrorReason {
    if (this.#transport?.stage === "securing") return "tls"
    // A server may refuse the client's certificate only after the TLS handshake, with an alert.
    return error !== undefined && isTlsError(error) ? "tls" : "refused"
  }

  // ── the time limit ────────────────────────────────────────────────────────────────────────────────────────────

  nextDue(): number {
    return this.#dueAt
  }

  nextLook(): number {
    return this.#dueAt
  }

  progress(): number {
    return this.#progress + this.#parser.bytesReceived
  }

  onDue(): void {
    const { timeout } = this.#options.settings
    this.#fail(
      this.#error("timeout", `not connected within ${timeout} ms (while ${this.#doing()})`, undefined),
    )
  }

  #doing(): string {
    switch (this.#transport?.stage) {
      case undefined:
        return "waiting for the address or the password"
      case "connecting":
        return "connecting"
      case "securing":
        return "waiting for the TLS handshake"
      case "open":
        return "waiting for the answers to the handshake"
    }
  }

  // ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────

  #succeed(): void {
    const transport = this.#transport
    if (transport === undefined) return
    this.#end()
    const clientId = this.#handshake?.clientId
    this.#owner.onAttemptUp(this, {
      transport,
      parser: this.#parser,
      address: this.#address,
      clientId,
      bytesWritten: this.#bytesWritten,
    })
  }

  #fail(error: ConnectionError): void {
    if (this.#isOver) return
    this.#end()
    this.#tearDown()
    this.#owner.onAttemptFailed(this, error)
  }

  #tearDown(): void {
    if (this.#transport === undefined) return
    this.#owner.onDiscarded(discard(this.#transport))
    this.#parser.release()
  }

  #end(): void {
    this.#isOver = true
    this.#timer.stop()
  }

  #error(reason: ConnectionErrorReason, message: string, cause: unknown): ConnectionError {
    const text = `cannot connect to ${this.#address}: ${message}`
    return new ConnectionError(reason, text, { address: this.#address, cause })
  }
}

/** The first of two equal texts, so that one of them is kept only. */
function sameText(known: string, text: string): string {
  return known === text ? known : text
}

/** What went wrong, also where Node.js packs several errors, one for each address of the host, into one without text. */
function describeCause(error: unknown): string {
  if (error instanceof AggregateError && error.message === "")
    return error.errors.map(describeCause).join("; ")
  return error instanceof Error ? error.message : String(error)
}

function isTlsError(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  return /^ERR_(?:SSL|TLS|OSSL)|CERT|^EPROTO$/.test(code)
}
