/**
 * The requests of one connection on their way: encoded at the call, written once per tick, matched with replies, expired
 * at their deadline. Works on one link after the other, and without one lets requests wait.
 * Leaves to its owner when there is a link, what a request gets when there is none, and what follows a loss.
 */

import { ConnectionError, type ConnectionErrorReason, RedixError, withoutStack } from "../errors.ts"
import { Encoder } from "../protocol/encode.ts"
import { INCOMPLETE } from "../protocol/parser.ts"
import type { TransportEvents } from "../transport/transport.ts"
import { FairTimer, type FairTimerOwner } from "../util/fair-timer.ts"
import type { Link } from "./attempt.ts"
import { Deadlines } from "./deadlines.ts"
import { discard } from "./discard.ts"
import type { Executor } from "./executor.ts"
import { Health } from "./health.ts"
import type { ConnectionOptions, ConnectionSettings } from "./options.ts"
import { RequestQueue } from "./queue.ts"
import type { ReplyFacts, Request, RequestOwner, RequestTerms } from "./request.ts"
import { Session } from "./session.ts"

/**
 * With so many bytes encoded, the write does not wait for the end of the tick: the server may as well begin. Unless a
 * request has terms: until the end of its tick it can be aborted unsent.
 */
const EARLY_FLUSH = 16_384
/** With more than this waiting in the socket, further requests wait here, where they can still be withdrawn. */
const MOST_BUFFERED = 1 << 20
/** From this many withdrawn requests on, their memory is freed before the next flush does it. */
const MANY_WITHDRAWN = 1024

/** Why a link is given up, and whether the connection should be made anew at once. */
export interface Loss {
  readonly error: ConnectionError
  /** The peer is in order; what is not sent can wait for the next link. */
  readonly atOnce: boolean
}

export interface WireOwner {
  /** The link cannot be used any more. Nothing has been rejected yet. */
  onLinkLost(loss: Loss): void
  onDiscarded(closed: Promise<void>): void
  /** After {@link Wire.reportIdle}: no caller waits any more. */
  onIdle(): void
}

/** How requests are to be rejected. */
export interface Rejection {
  readonly reason: ConnectionErrorReason
  readonly message: string
  readonly cause?: unknown
  readonly final?: boolean
}

export class Wire implements Executor, RequestOwner, TransportEvents, FairTimerOwner {
  /** What new requests are rejected with; `undefined` while they are taken on. */
  refusal: Rejection | undefined
  readonly session: Session

  readonly #settings: ConnectionSettings
  readonly #label: string
  readonly #owner: WireOwner
  readonly #encoder = new Encoder()
  readonly #queue = new RequestQueue()
  readonly #deadlines: Deadlines
  readonly #health: Health
  readonly #timer: FairTimer
  /** The soonest that a request which is sent now can be due. */
  readonly #soonestDueMs: number

  #link: Link | undefined
  #isScheduled = false
  /** The socket holds too much already: nothing is written until it has drained. */
  #isFull = false
  /** Requests of the outbox that have settled: their bytes must not be written. */
  #withdrawn = 0
  /** Requests with terms whose clock starts at the next flush. */
  #unstarted: RequestTerms[] = []
  #reportsIdle = false

  constructor(options: ConnectionOptions, owner: WireOwner) {
    const { settings } = options
    this.#settings = settings
    this.#label = options.label
    this.#owner = owner
    this.session = new Session(settings.database)
    this.#deadlines = new Deadlines(this.#queue, settings.commandTimeout)
    this.#health = new Health(settings.healthCheckInterval)
    this.#soonestDueMs = Math.min(settings.commandTimeout, this.#health.lookAfter)
    // The socket keeps the process alive, or whatever else this waits for.
    this.#timer = new FairTimer(this, false)
  }

  // ── requests in ───────────────────────────────────────────────────────────────────────────────────────────────

  submit<Payload>(request: Request<Payload>, payload: Payload): void {
    const encoder = this.#encoder
    const before = encoder.size
    try {
      request.encode(encoder, payload)
      if (this.session.isMultiOpen) this.#checkInsideMulti(request)
    } catch (error) {
      encoder.rewind(before)
      request.fail(error)
      return
    }
    if (this.refusal !== undefined || this.#queue.length - this.#withdrawn >= this.#settings.maxInFlight) {
      encoder.rewind(before)
      this.#refuse(request)
      return
    }
    request.size = encoder.size - before
    this.#queue.add(request)
    if (request.terms !== undefined) this.#takeOn(request, request.terms)
    if (this.#link === undefined || this.#isFull) this.#startWaiting(request)
    else if (!this.#isScheduled) this.#schedule()
    else if (encoder.size >= EARLY_FLUSH && this.#unstarted.length === 0) this.#flush()
  }

  /** In a MULTI that a caller has opened nothing blocks, and what shifts replies cannot be. */
  #checkInsideMulti(request: Request): void {
    if (request.isRefusedInMulti) {
      throw new TypeError(
        "a MULTI sent by hand is open on this connection: send EXEC or DISCARD first (or use transactionPipeline instead of MULTI)",
      )
    }
    if (request.terms !== undefined) request.terms.blockMs = 0
  }

  #refuse(request: Request): void {
    const rejection = this.refusal ?? {
      reason: "overloaded",
      message: `${this.#settings.maxInFlight} requests are waiting or in flight (maxInFlight)`,
    }
    request.fail(this.#errorFor(request, rejection))
  }

  #takeOn(request: Request, terms: RequestTerms): void {
    request.attach(this)
    if (terms.effects !== undefined) this.session.onWritten(terms)
    this.#unstarted.push(terms)
  }

  #schedule(): void {
    this.#isScheduled = true
    process.nextTick(this.#flushTick)
  }

  /** Without a link that takes bytes, the clock of a request starts at the call. */
  #startWaiting(request: Request): void {
    const now = Math.ceil(performance.now())
    request.since = now
    this.#startClocks(now)
  }

  #startClocks(now: number): void {
    const unstarted = this.#unstarted
    if (unstarted.length > 0) {
      this.#unstarted = []
      for (const terms of unstarted) this.#deadlines.start(terms, now)
      this.#timer.ensure(this.#deadlines.next())
    }
    this.#timer.ensure(now + this.#soonestDueMs)
  }

  // ── bytes out ─────────────────────────────────────────────────────────────────────────────────────────────────

  readonly #flushTick = (): void => {
    this.#isScheduled = false
    this.#flush()
  }

  #flush(): void {
    const link = this.#link
    if (link === undefined || this.#isFull) return
    if (this.#withdrawn > 0) this.#dropWithdrawn()
    const { size } = this.#encoder
    if (size === 0) return
    const now = Math.ceil(performance.now())
    if (this.#queue.inFlight === 0) this.#health.start(now, link.parser.bytesReceived)
    // One large request alone cannot be written in parts.
    if (size > MOST_BUFFERED && this.#queue.unsent > 1) this.#writeSome(link, now)
    else this.#writeAll(link, now)
    this.#startClocks(now)
    this.#isFull = link.transport.buffered > MOST_BUFFERED
  }

  #writeAll(link: Link, now: number): void {
    const encoder = this.#encoder
    this.#queue.markSent(this.#queue.unsent, now)
    if (link.transport.write(encoder.take())) encoder.recycle()
    else encoder.abandon()
  }

  /** Writes what fits into the socket's limit, but at least one request. */
  #writeSome(link: Link, now: number): void {
    let bytes = 0
    let count = 0
    for (const request of this.#queue.unsentRequests()) {
      if (count > 0 && bytes + request.size > MOST_BUFFERED) break
      bytes += request.size
      count++
    }
    this.#queue.markSent(count, now)
    for (const request of this.#queue.unsentRequests()) if (request.since === 0) request.since = now
    link.transport.write(this.#encoder.takeFirst(bytes))
    if (this.#encoder.size > 0 && link.transport.buffered <= MOST_BUFFERED && !this.#isScheduled)
      this.#schedule()
  }

  onDrain(): void {
    this.#isFull = false
    if (this.#encoder.size === 0) this.#encoder.recycle()
    else this.#encoder.onTakenWritten()
    this.#flush()
  }

  /** Cuts the bytes of withdrawn requests out, all at once. */
  #dropWithdrawn(): void {
    const kept: number[] = []
    let offset = 0
    for (const request of this.#queue.unsentRequests()) {
      const end = offset + request.size
      if (!request.isSettled) {
        if (kept.length > 0 && kept[kept.length - 1] === offset) kept[kept.length - 1] = end
        else kept.push(offset, end)
      }
      offset = end
    }
    this.#encoder.keep(kept)
    this.#queue.dropSettledUnsent()
    this.#deadlines.onRenumbered(this.#queue.firstNumber + this.#queue.inFlight)
    this.#withdrawn = 0
  }

  // ── replies ───────────────────────────────────────────────────────────────────────────────────────────────────

  onOpen(): void {}

  target(): Uint8Array {
    return this.#link === undefined ? new Uint8Array(1) : this.#link.parser.target()
  }

  onRead(count: number): void {
    const link = this.#link
    if (link === undefined) return
    link.parser.received(count)
    try {
      this.#dispatch(link)
    } catch (error) {
      this.#lose(error instanceof ConnectionError ? error : defectIn(error))
      return
    }
    if (this.#reportsIdle) this.#checkIdle()
  }

  #dispatch(link: Link): void {
    const { parser } = link
    const queue = this.#queue
    for (;;) {
      const request = queue.oldest
      const reply = parser.next(request?.asBytes === true)
      if (reply === INCOMPLETE) break
      if (parser.isPush) continue
      if (request === undefined) throw unsolicited()
      if (request.terms?.effects !== undefined) this.#noteReply(request.terms, reply, parser)
      if (request.accept(reply, parser)) queue.shift()
    }
    if (queue.inFlight === 0 && parser.hasPartial && !parser.partialMayBePush) throw unsolicited()
  }

  #noteReply(terms: RequestTerms, reply: unknown, facts: ReplyFacts): void {
    const index = terms.repliesSeen++
    for (const effect of terms.effects ?? []) {
      if (effect.replyIndex === index) this.session.onReply(effect, reply, facts.isError)
    }
  }

  onClose(error: Error | undefined): void {
    const cause = error ?? new RedixError("the server closed the connection")
    const details = { address: this.#link?.address, cause, outcome: "unknown" } as const
    this.#lose(new ConnectionError("disconnected", `the connection was lost: ${cause.message}`, details))
  }

  // ── deadlines, aborts, health ─────────────────────────────────────────────────────────────────────────────────

  nextDue(): number {
    const deadline = this.#deadlines.next()
    const oldest = this.#queue.oldest
    if (oldest === undefined || this.#link === undefined) return deadline
    return Math.min(deadline, this.#health.due(performance.now(), this.#link.parser.bytesReceived, oldest))
  }

  nextLook(): number {
    return this.#queue.inFlight > 0 ? performance.now() + this.#health.lookAfter : Number.POSITIVE_INFINITY
  }

  progress(): number {
    return this.#link?.parser.bytesReceived ?? 0
  }

  onDue(): void {
    for (const request of this.#deadlines.takeDue(performance.now())) this.#expire(request)
    this.#checkHealth()
    if (this.#reportsIdle) this.#checkIdle()
    this.#timer.ensure(Math.min(this.nextDue(), this.nextLook()))
  }

  #expire(request: Request): void {
    const timeout = request.terms?.timeoutMs(this.#settings.commandTimeout) ?? this.#settings.commandTimeout
    const message = `no reply to ${request.label} within ${timeout} ms`
    const isUseless = request.isSent && request.mustBeAnswered
    if (!request.isSettled) this.#abandon(request, this.#errorFor(request, { reason: "timeout", message }))
    if (isUseless) this.#leave("CLIENT REPLY ON was not answered, the connection may be mute")
  }

  onRequestAborted(request: Request, reason: unknown): void {
    this.#abandon(request, reason)
    if (this.#reportsIdle) this.#checkIdle()
  }

  /** The caller waits no longer: what is not sent never will be, and a server that blocks for nobody is left. */
  #abandon(request: Request, error: unknown): void {
    if (request.isSettled) return
    request.fail(error)
    if (!request.isSent) this.#withdraw(request)
    else if ((request.terms?.blockMs ?? 0) > 0) this.#leave("a blocking command was abandoned by its caller")
  }

  #withdraw(request: Request): void {
    this.#withdrawn++
    if (request.terms?.effects !== undefined) this.session.onWithdrawn(this.#unanswered())
    if (this.#withdrawn >= MANY_WITHDRAWN && this.#withdrawn * 2 > this.#queue.unsent) this.#dropWithdrawn()
  }

  *#unanswered(): Generator<Request> {
    yield* this.#queue.sentRequests()
    for (const request of this.#queue.unsentRequests()) if (!request.isSettled) yield request
  }

  onRequestSettled(request: Request): void {
    const isOwed = request.isSent && request.mustBeAnswered
    if (request.terms !== undefined && !isOwed) this.#deadlines.stop(request.terms)
  }

  #checkHealth(): void {
    const link = this.#link
    const oldest = this.#queue.oldest
    if (link === undefined || oldest === undefined) return
    const now = performance.now()
    if (this.#health.due(now, link.parser.bytesReceived, oldest) > now) return
    const message = `nothing came back for ${this.#settings.healthCheckInterval} ms (healthCheckInterval)`
    this.#lose(
      new ConnectionError("health-check-timeout", message, { address: link.address, outcome: "unknown" }),
    )
  }

  // ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Works on a link from now on; what has waited is written at once. */
  open(link: Link): void {
    this.#link = link
    this.#isFull = false
    link.transport.events = this
    this.#flush()
  }

  /** Whether the process stays alive for the link. */
  keepAlive(keepsAlive: boolean): void {
    this.#link?.transport.keepAlive(keepsAlive)
  }

  #lose(error: ConnectionError): void {
    if (this.#link !== undefined) this.#owner.onLinkLost({ error, atOnce: false })
  }

  /** Gives up a link that could not be used safely any more, though the server is in order. */
  #leave(why: string): void {
    const address = this.#link?.address
    if (this.#link === undefined) return
    const error = new ConnectionError("disconnected", `the connection was left: ${why}`, {
      address,
      outcome: "unknown",
    })
    this.#owner.onLinkLost({ error, atOnce: true })
  }

  /** Leaves the link, if there is one. Requests stay; returns whether callers have lost what they had set by hand. */
  closeLink(): boolean {
    const link = this.#link
    if (link === undefined) return false
    this.#link = undefined
    this.#isFull = false
    this.#owner.onDiscarded(discard(link.transport))
    link.parser.release()
    return this.session.reset()
  }

  // ── rejecting ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Rejects all requests. */
  failAll(rejection: Rejection): void {
    const requests = this.#queue.takeAll()
    this.#encoder.clear()
    this.#withdrawn = 0
    this.#unstarted = []
    this.#timer.stop()
    this.#failEach(requests, rejection)
  }

  /** Rejects the requests in flight; those of the outbox wait for the next link. */
  failInFlight(rejection: Rejection): void {
    const now = Math.ceil(performance.now())
    for (const request of this.#queue.unsentRequests()) if (request.since === 0) request.since = now
    this.#startClocks(now)
    this.#failEach(this.#queue.takeInFlight(), rejection)
  }

  #failEach(requests: readonly Request[], rejection: Rejection): void {
    for (const request of requests) if (!request.isSettled) request.fail(this.#errorFor(request, rejection))
    for (const { terms } of requests) if (terms !== undefined) this.#deadlines.stop(terms)
  }

  /** Rejects the requests that may block for long. */
  failBlocking(rejection: Rejection): void {
    for (const request of [...this.#unanswered()]) {
      if (request.isSettled || (request.terms?.blockMs ?? 0) === 0) continue
      request.fail(this.#errorFor(request, rejection))
      if (!request.isSent) this.#withdraw(request)
    }
  }

  #errorFor(request: Request, { reason, message, cause, final }: Rejection): ConnectionError {
    const details = {
      address: this.#link?.address ?? this.#label,
      outcome: request.isSent ? "unknown" : "not-sent",
      cause,
      final: final ?? false,
    } as const
    return withoutStack(() => new ConnectionError(reason, message, details))
  }

  /** From now on, tells the owner when no caller waits any more; looked at after every change, and now. */
  reportIdle(): void {
    this.#reportsIdle = true
    this.#checkIdle()
  }

  #checkIdle(): void {
    for (const request of this.#unanswered()) if (!request.isSettled) return
    this.#reportsIdle = false
    this.#owner.onIdle()
  }
}

function unsolicited(): ConnectionError {
  return new ConnectionError("protocol-error", "the server sent a reply that nobody asked for", {
    outcome: "unknown",
  })
}

/** Whatever else is thrown while replies are handed out leaves it open whose the next reply is. */
function defectIn(cause: unknown): ConnectionError {
  return new ConnectionError("protocol-error", "a reply could not be handed out", {
    outcome: "unknown",
    cause,
  })
}
