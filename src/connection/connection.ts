/**
 * One connection to one place: connects, and connects again whenever the connection drops, until it is ended. Joins the
 * states, the attempts, the backoff and the requests on the wire. Knows nothing of keys, slots, channels, sentinels,
 * pools, or how options are written.
 */

import { ConnectionError, type Outcome } from "../errors.ts"
import { type Endpoint, formatEndpoint } from "../transport/transport.ts"
import { timerDelay } from "../util/delay.ts"
import { Attempt } from "./attempt.ts"
import { Backoff } from "./backoff.ts"
import { discard } from "./discard.ts"
import type { Executor } from "./executor.ts"
import type {
  AttemptOwner,
  ConnectionAttempt,
  ConnectionOptions,
  Link,
  SourceListener,
  Watch,
} from "./options.ts"
import type { Request } from "./request.ts"
import type { Leftovers } from "./session.ts"
import { nextState, type State, type StateEvent, type Status, statusOf } from "./state.ts"
import type { ConnectionStats } from "./stats.ts"
import { type Loss, type Rejection, Wire, type WireOwner } from "./wire.ts"

export interface ConnectionListener {
  /** `isAgain`: there was a connection, or an attempt, before. `sessionLost`: what callers had set by hand is gone. */
  onConnected(address: string, isAgain: boolean, sessionLost: boolean): void
  onDisconnected(address: string, error: ConnectionError): void
  onAttemptFailed(address: string, error: ConnectionError): void
  onSentinelFailed(address: string, error: ConnectionError): void
  /** It has ended for good: because of the error, or because it was asked to. */
  onEnded(error: ConnectionError | undefined): void
}

export class Connection implements Executor, AttemptOwner, WireOwner, SourceListener {
  readonly #options: ConnectionOptions
  readonly #listener: ConnectionListener
  readonly #wire: Wire
  readonly #backoff: Backoff
  #state: State = "connecting"
  #attempt: ConnectionAttempt | undefined
  #watch: Watch | undefined
  /** Where the primary has moved to, until that was tried. */
  #announced: Endpoint | undefined
  /** Finds out whether a server is the primary, as a sentinel says. */
  #probe: Attempt | undefined
  #backoffTimer: NodeJS.Timeout | undefined
  #closeTimer: NodeJS.Timeout | undefined
  #address: string
  /** What requests get once it is being ended. */
  #ending: Rejection = CLOSED
  #isFirstAttempt = true
  #sessionLost = false
  #keepsAlive = true
  /** How many transports are closing. */
  #closing = 0
  #whenClosed: Promise<void> | undefined
  #resolveClosed: (() => void) | undefined

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options
    this.#listener = listener
    this.#address = options.label
    this.#wire = new Wire(options, this)
    this.#backoff = new Backoff(options.settings.backoffInitial, options.settings.backoffMax)
    const { delay = 0 } = options
    if (delay > 0) this.#backoffTimer = setTimeout(() => this.#startAttempt(), timerDelay(delay))
    else this.#startAttempt()
  }

  get status(): Status {
    return statusOf(this.#state)
  }

  get address(): string {
    return this.#address
  }

  get database(): number {
    return this.#wire.database
  }

  /** The server's number for the connection that stands, if it was asked for. */
  get clientId(): number | undefined {
    return this.#wire.clientId
  }

  /** Moves with every byte received. */
  get progress(): number {
    return this.#wire.progress()
  }

  /** Now, in ms, by the clock of its requests. */
  now(): number {
    return this.#wire.now()
  }

  /** Whether something is in flight that is to be answered soon. */
  get isWaiting(): boolean {
    return this.#wire.isWaiting
  }

  /** How many requests are waiting or in flight. */
  get load(): number {
    return this.#wire.load
  }

  stats(): ConnectionStats {
    return this.#wire.stats()
  }

  /** What callers have set by hand; true only while nothing is unanswered. */
  get leftovers(): Leftovers {
    return this.#wire.leftovers
  }

  /** Whether a request that may block for long is not answered. */
  get isBlocked(): boolean {
    return this.#wire.isBlocked
  }

  submit<Payload>(request: Request<Payload>, payload: Payload): void {
    this.#wire.submit(request, payload)
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    this.#attempt?.keepAlive(keepsAlive)
    this.#wire.keepAlive(keepsAlive)
    for (const timer of [this.#backoffTimer, this.#closeTimer]) {
      if (keepsAlive) timer?.ref()
      else timer?.unref()
    }
  }

  // ── connecting ────────────────────────────────────────────────────────────────────────────────────────────────

  #startAttempt(): void {
    clearTimeout(this.#backoffTimer)
    this.#backoffTimer = undefined
    this.#wire.refusal = undefined
    const { source } = this.#options
    this.#watch ??= source?.watch(this)
    const { database } = this.#wire.session
    const announced = this.#announced
    this.#announced = undefined
    const attempt =
      source?.attempt(this.#options, database, this, announced) ?? new Attempt(this.#options, database, this)
    attempt.keepAlive(this.#keepsAlive)
    this.#attempt = attempt
    attempt.start()
  }

  onAttemptUp(attempt: ConnectionAttempt, link: Link): void {
    if (attempt !== this.#attempt) return
    this.#attempt = undefined
    this.#move("up")
    this.#backoff.reset()
    this.#address = link.address
    const isAgain = !this.#isFirstAttempt
    const sessionLost = this.#sessionLost
    this.#isFirstAttempt = false
    this.#sessionLost = false
    this.#wire.open(link)
    // What waited may have been impossible to write, and the link is lost already.
    if (this.#wire.isOpen) this.#listener.onConnected(link.address, isAgain, sessionLost)
  }

  onAttemptFailed(attempt: ConnectionAttempt, error: ConnectionError): void {
    if (attempt !== this.#attempt) return
    this.#attempt = undefined
    const isLast =
      this.#options.settings.exitOnDisconnection || (this.#isFirstAttempt && this.#options.exitOnFirstFailure)
    this.#isFirstAttempt = false
    this.#address = error.address ?? this.#address
    if (isLast) {
      const finalError = this.#last(error)
      this.#endWith(finalError, waitedFor(finalError, this.#isFinal))
      this.#listener.onAttemptFailed(this.#address, finalError)
      this.#listener.onEnded(finalError)
    } else {
      this.#move("failed")
      this.#waitAfter(error)
      this.#wire.failAll(waitedFor(error, false))
      this.#listener.onAttemptFailed(this.#address, error)
    }
  }

  onSentinelFailed(address: string, error: ConnectionError): void {
    this.#listener.onSentinelFailed(address, error)
  }

  /** The primary has moved: the connection goes there at once. */
  onAnnounced(primary: Endpoint): void {
    const { source } = this.#options
    const address = formatEndpoint(primary)
    this.#announced = source?.role === "primary" ? primary : undefined
    if (this.#state === "disconnected") this.#dialNow()
    else if (this.#state === "connecting" && this.#announced !== undefined) this.#restartAttempt()
    else if (this.#state === "connected") {
      if (source?.isStale(this.#address, address) === true) this.leave(`the primary has moved to ${address}`)
      // Where it is already: not to be tried first by some later attempt, when it may be old news.
      else this.#announced = undefined
    }
  }

  /** A sentinel may be behind: only when the server that it names says itself that it is the primary, it is believed. */
  onSuspected(primary: Endpoint): void {
    const { source } = this.#options
    const label = formatEndpoint(primary)
    if (
      this.#state !== "connected" ||
      this.#probe !== undefined ||
      source?.isStale(this.#address, label) !== true
    )
      return
    const options: ConnectionOptions = {
      ...this.#options,
      source: undefined,
      resolve: () => primary,
      label,
      role: "primary",
    }
    this.#probe = new Attempt(options, undefined, {
      onAttemptUp: (_attempt, link) => {
        this.#probe = undefined
        this.onDiscarded(discard(link.transport))
        this.onAnnounced(primary)
      },
      onAttemptFailed: () => {
        this.#probe = undefined
      },
      onSentinelFailed: () => {},
      onDiscarded: (closed) => this.onDiscarded(closed),
    })
    this.#probe.keepAlive(false)
    this.#probe.start()
  }

  /** Leaves the server, and connects again at once. */
  leave(why: string): void {
    if (this.#state !== "connected") return
    const message = `the connection was left: ${why}`
    const error = new ConnectionError("disconnected", message, { address: this.#address, outcome: "unknown" })
    this.onLinkLost({ error, atOnce: true })
  }

  #restartAttempt(): void {
    this.#attempt?.cancel()
    this.#startAttempt()
  }

  onReadonlyError(): void {
    this.#watch?.ask()
  }

  /** Requests are refused until the next attempt begins. */
  #waitAfter(error: ConnectionError): void {
    const wait = this.#backoff.next()
    this.#wire.refusal = {
      reason: "closed",
      message: `no connection: waiting for the next attempt after: ${error.message}`,
      cause: error,
    }
    this.#backoffTimer = setTimeout(() => this.#dialNow(), timerDelay(wait))
    if (!this.#keepsAlive) this.#backoffTimer.unref()
  }

  #dialNow(): void {
    this.#move("dial")
    this.#startAttempt()
  }

  // ── losing ────────────────────────────────────────────────────────────────────────────────────────────────────

  onLinkLost(loss: Loss): void {
    const hasLost = this.#wire.closeLink()
    this.#sessionLost ||= hasLost
    const error = located(loss.error, this.#address)
    if (this.#state === "closing")
      this.#loseWhileClosing(this.#ending.final === true ? asFinal(error) : error)
    else if (this.#options.settings.exitOnDisconnection) this.#loseForGood(this.#last(error))
    else if (loss.atOnce) this.#moveOn(error, hasLost)
    else this.#loseForNow(error)
  }

  #loseForNow(error: ConnectionError): void {
    this.#move("lost")
    this.#waitAfter(error)
    this.#wire.failAll(disconnected(error, false))
    this.#listener.onDisconnected(this.#address, error)
  }

  #loseForGood(error: ConnectionError): void {
    this.#endWith(error, disconnected(error, this.#isFinal))
    this.#listener.onDisconnected(this.#address, error)
    this.#listener.onEnded(error)
  }

  #loseWhileClosing(error: ConnectionError): void {
    this.#endWith(undefined, disconnected(error, this.#ending === CLOSED))
    this.#listener.onDisconnected(this.#address, error)
    this.#listener.onEnded(undefined)
  }

  /**
   * The server is in order: a new attempt begins at once, and what was not sent waits for it. Unless it may belong to a
   * MULTI or a WATCH that is gone: it must not run without.
   */
  #moveOn(error: ConnectionError, sessionLost: boolean): void {
    this.#move("moved")
    this.#startAttempt()
    // What subscribes is asked for again by whoever keeps account of it.
    if (sessionLost || this.#options.pushes !== undefined) this.#wire.failAll(disconnected(error, false))
    else this.#wire.failInFlight(disconnected(error, false))
    this.#listener.onDisconnected(this.#address, error)
  }

  onDiscarded(closed: Promise<void>): void {
    this.#closing++
    void closed.then(() => {
      this.#closing--
      this.#checkClosed()
    })
  }

  // ── ending ────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Resolves when everything is closed: at the latest, and whatever happens, `timeout` ms from now.
   * @param isFinal whether that is the end for those who use it; otherwise, another connection takes its place
   */
  close(timeout: number, isFinal = true): Promise<void> {
    if (this.#state === "closing" || this.#state === "closed") return this.#closed()
    const wasConnected = this.#state === "connected"
    this.#move("close")
    if (!isFinal) this.#ending = LEFT
    this.#wire.refusal = this.#ending
    const closed = this.#closed()
    if (wasConnected) this.#finish(timeout)
    else this.#end(this.#ending)
    return closed
  }

  /** Closes now; what is in flight rejects. `isFinal` is as for {@link close}. */
  destroy(isFinal = true): void {
    if (this.#state === "closed") return
    this.#ending = isFinal ? CLOSED : LEFT
    this.#end(this.#ending)
  }

  #finish(timeout: number): void {
    this.#wire.failBlocking(this.#ending)
    if (timeout !== Number.POSITIVE_INFINITY) {
      this.#closeTimer = setTimeout(() => this.#end(this.#ending), timerDelay(timeout))
      if (!this.#keepsAlive) this.#closeTimer.unref()
    }
    this.#wire.reportIdle()
  }

  onIdle(): void {
    this.#end(this.#ending)
  }

  #end(rejection: Rejection): void {
    if (this.#state === "closed") return
    this.#endWith(undefined, rejection)
    this.#listener.onEnded(undefined)
  }

  #endWith(error: ConnectionError | undefined, rejection: Rejection): void {
    this.#move("end")
    clearTimeout(this.#backoffTimer)
    clearTimeout(this.#closeTimer)
    this.#watch?.stop()
    this.#probe?.cancel()
    this.#attempt?.cancel()
    this.#attempt = undefined
    this.#wire.refusal = error === undefined ? this.#ending : { ...this.#ending, cause: error }
    this.#wire.closeLink()
    this.#wire.failAll(rejection)
    this.#checkClosed()
  }

  #closed(): Promise<void> {
    this.#whenClosed ??= new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#checkClosed()
    return this.#whenClosed
  }

  #checkClosed(): void {
    if (this.#state === "closed" && this.#closing === 0) this.#resolveClosed?.()
  }

  /** Whether its end is the end of it all for those who use it. */
  get #isFinal(): boolean {
    return this.#options.isReplaceable !== true
  }

  /** The error that ends it. */
  #last(error: ConnectionError): ConnectionError {
    return this.#isFinal ? asFinal(error) : error
  }

  #move(event: StateEvent): void {
    this.#state = nextState(this.#state, event)
  }
}

const CLOSED: Rejection = { reason: "closed", message: "the connection is closed", final: true }
const LEFT: Rejection = { ...CLOSED, final: false }

function disconnected(error: ConnectionError, final: boolean): Rejection {
  // Where the loss itself is a plain disconnection, what caused that is the cause to see.
  const cause = error.reason === "disconnected" && error.cause !== undefined ? error.cause : error
  return { reason: "disconnected", message: error.message, cause, final }
}

/** What requests get that waited for an attempt which failed. */
function waitedFor(error: ConnectionError, final: boolean): Rejection {
  return { reason: "closed", message: `no connection: ${error.message}`, cause: error, final }
}

/** The same error as that which has ended it all. */
export function asFinal(error: ConnectionError): ConnectionError {
  return copyOf(error, error.address, true)
}

function located(error: ConnectionError, address: string): ConnectionError {
  return error.address === undefined ? copyOf(error, address, error.final) : error
}

function copyOf(error: ConnectionError, address: string | undefined, final: boolean): ConnectionError {
  const outcome: Outcome = error.outcome
  return new ConnectionError(error.reason, error.message, { address, final, outcome, cause: error.cause })
}
