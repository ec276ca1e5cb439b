/**
 * The requests of one connection on their way: encoded at the call, written once per tick, matched with replies, expired
 * at their deadline. Works on one link after the other, and without one lets requests wait.
 * Leaves to its owner when there is a link, what a request gets when there is none, and what follows a loss.
 */

import {
  ConnectionError,
  type ConnectionErrorReason,
  RedisError,
  RedixError,
  withoutStack,
} from "../errors.ts"
import { INCOMPLETE } from "../protocol/parser.ts"
import type { TransportEvents } from "../transport/transport.ts"
import { FairTimer, type FairTimerOwner } from "../util/fair-timer.ts"
import { Deadlines } from "./deadlines.ts"
import { discard } from "./discard.ts"
import type { Executor } from "./executor.ts"
import { Health } from "./health.ts"
import type { ConnectionOptions, Link, PushReceiver } from "./options.ts"
import { Outbox } from "./outbox.ts"
import { RequestQueue } from "./queue.ts"
import type { ReplyFacts, Request, RequestOwner, RequestTerms } from "./request.ts"
import { type Leftovers, Session } from "./session.ts"
import type { ConnectionStats } from "./stats.ts"

/**
 * With so many bytes encoded, the write does not wait for the end of the tick: the server may as well begin. Unless a
 * request has terms: until the end of its tick it can be aborted unsent.
 */
const EARLY_FLUSH = 16_384

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
  /** The server has refused a write because it is a replica. */
  onReadonlyError(): void
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

  readonly #options: ConnectionOptions
  readonly #owner: WireOwner
  readonly #queue = new RequestQueue()
  readonly #outbox = new Outbox(this.#queue)
  readonly #deadlines: Deadlines
  readonly #health: Health
  readonly #timer: FairTimer

  #link: Link | undefined
  #isScheduled = false
  /** Requests with terms whose clock starts at the next flush. */
  #unstarted: RequestTerms[] | undefined
  /** Why the link is to be left, once all that happens at this moment has been told. */
  #leaveBecause: string | undefined
  /** Made when there is something to count: most connections are never in need of one. */
  #tally: Tally | undefined
  /** While the owner waits for it: the number of the first request that somebody may still wait for. */
  #idleFrom: number | undefined

  constructor(options: ConnectionOptions, owner: WireOwner) {
    const { settings } = options
    this.#options = options
    this.#owner = owner
    this.session = new Session(settings.database)
    this.#deadlines = new Deadlines(this.#queue, settings.commandTimeout)
    this.#health = new Health(settings.healthCheckInterval)
    // The socket keeps the process alive, or whatever else this waits for.
    this.#timer = new FairTimer(this, false)
  }

  // ── requests in ───────────────────────────────────────────────────────────────────────────────────────────────

  submit<Payload>(request: Request<Payload>, payload: Payload): void {
    const rejection = this.refusal ?? this.#overload(request)
    const { session } = this
    if (session.isStale) session.replay(this.#unanswered())
    try {
      if (rejection !== undefined) this.#outbox.check(request, payload)
      else this.#outbox.add(request, payload, session.isMultiOpen ? adaptToMulti : undefined)
    } catch (error) {
      request.fail(error)
      return
    }
    if (rejection !== undefined) {
      this.#count().refused++
      request.fail(this.#errorFor(request, rejection))
      return
    }
    if (session.isWatchWritten) request.endWatch()
    if (request.terms !== undefined) this.#takeOn(request, request.terms)
    if (this.#link === undefined || this.#link.transport.isFull) this.#startWaiting(request)
    else if (!this.#isScheduled) this.#schedule()
    else if (this.#outbox.size >= EARLY_FLUSH && this.#unstarted === undefined) this.#flush()
  }

  /** The database that the connection is in, as far as replies have told. */
  get database(): number {
    return this.session.database ?? 0
  }

  /** How many requests are waiting or in flight; one that has settled counts until its reply has come. */
  get load(): number {
    return this.#queue.length - this.#outbox.withdrawn
  }

  /** Looks at each request that there is, so that no request has to be counted. */
  stats(): ConnectionStats {
    const queue = this.#queue
    const { refused, lateReplies, lostLinks, bytesRead } = this.#tally ?? NOTHING
    const inFlight = unsettled(queue.sentRequests())
    const waiting = unsettled(queue.unsentRequests())
    return {
      accepted: queue.left + queue.length,
      settled: queue.left + queue.length - inFlight - waiting,
      waiting,
      inFlight,
      refused,
      lateReplies,
      reconnections: Math.max(0, this.#link === undefined ? lostLinks - 1 : lostLinks),
      bytesRead: bytesRead + this.progress(),
      bytesWritten: this.#outbox.bytesWritten,
    }
  }

  #count(): Tally {
    this.#tally ??= { ...NOTHING }
    return this.#tally
  }

  #noteLate(request: Request, tally: Tally): void {
    if (request.isAbandoned) tally.lateReplies++
  }

  /** What callers have set by hand; true only while nothing is unanswered. */
  get leftovers(): Leftovers {
    if (this.session.isStale) this.session.replay(this.#unanswered())
    return this.session.leftovers
  }

  /** Whether a request that may block for long is not answered. */
  get isBlocked(): boolean {
    for (const { terms } of this.#unanswered()) if ((terms?.blockMs ?? 0) > 0) return true
    return false
  }

  #overload(request: Request): Rejection | undefined {
    const most = this.#options.settings.maxInFlight
    if (this.load < most || request.isOverhead) return undefined
    return { reason: "overloaded", message: `${most} requests are waiting or in flight (maxInFlight)` }
  }

  #takeOn(request: Request, terms: RequestTerms): void {
    request.attach(this)
    if (terms.effects !== undefined) this.session.onWritten(terms)
    this.#unstarted ??= []
    this.#unstarted.push(terms)
  }

  #schedule(): void {
    this.#isScheduled = true
    process.nextTick(this.#flushTick)
  }

  /** Without a link that takes bytes, the clock of a request starts at the call. */
  #startWaiting(request: Request): void {
    const now = Math.ceil(this.#timer.now())
    request.since = now
    this.#startClocks(now)
  }

  #startClocks(now: number): void {
    const unstarted = this.#unstarted
    if (unstarted !== undefined) {
      this.#unstarted = undefined
      for (const terms of unstarted) this.#deadlines.start(terms, now)
      this.#timer.ensure(this.#deadlines.next())
    }
    // The soonest that a request which is sent now can be due.
    this.#timer.ensure(now + Math.min(this.#options.settings.commandTimeout, this.#health.lookAfter))
  }

  // ── bytes out ─────────────────────────────────────────────────────────────────────────────────────────────────

  readonly #flushTick = (): void => {
    this.#isScheduled = false
    this.#flush()
  }

  #flush(): void {
    const link = this.#link
    if (link === undefined || link.transport.isFull) return
    if (this.#outbox.size === 0) {
      this.#unstarted = undefined
      return
    }
    const now = Math.ceil(this.#timer.now())
    if (this.#queue.inFlight === 0) this.#health.start(now, link.parser.bytesReceived)
    try {
      if (this.#outbox.write(link.transport, now) === "some") this.#flushLater(link, now)
    } catch (error) {
      this.#lose(defectIn(error, "requests could not be written"))
      return
    }
    this.#startClocks(now)
  }

  /** There was more than the socket should have at once. */
  #flushLater(link: Link, now: number): void {
    this.#queue.startClocks(now)
    if (!link.transport.isFull && !this.#isScheduled) this.#schedule()
  }

  onDrain(): void {
    this.#outbox.onWritten()
    this.#flush()
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
      const { pushes } = this.#options
      if (pushes === undefined) this.#dispatch(link)
      else this.#dispatchWithPushes(link, pushes)
    } catch (error) {
      this.#lose(
        error instanceof ConnectionError ? error : defectIn(error, "a reply could not be handed out"),
      )
      return
    }
    this.#checkIdle()
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
      if (this.#tally !== undefined) this.#noteLate(request, this.#tally)
      if (request.terms?.effects !== undefined) this.#noteReply(request.terms, reply, parser)
      if (parser.isError && isReadonlyError(reply)) this.#owner.onReadonlyError()
      if (request.accept(reply, parser)) queue.shift()
    }
    if (queue.inFlight === 0 && parser.hasPartial && !parser.partialMayBePush) throw unsolicited()
  }

  /**
   * Hands out replies and messages. In RESP2 a message is an array; RESP3 has a type for it. A message may also be one of
   * several answers to a subscribing command. Whoever takes one may do anything, also end the link.
   */
  #dispatchWithPushes(link: Link, pushes: PushReceiver): void {
    const { parser } = link
    const isResp3 = this.#options.settings.protocol === 3
    const { reader } = pushes
    while (this.#link === link) {
      if (parser.takeMessage(reader)) {
        pushes.onMessage(parser)
        continue
      }
      const reply = parser.next(false)
      if (reply === INCOMPLETE) return
      if (Array.isArray(reply) && parser.isPush === isResp3) this.#takePush(link, reply, pushes)
      else this.#takeReply(link, reply)
    }
  }

  #takePush(link: Link, push: readonly unknown[], pushes: PushReceiver): void {
    const verdict = this.#queue.oldest?.acceptPush(push) ?? "foreign"
    if (verdict === "last" && this.#link === link) this.#queue.shift()
    // RESP3 has pushes of other kinds as well, which are for nobody here.
    if (verdict === "foreign" && !pushes.onPush(push) && !link.parser.isPush) throw unsolicited()
  }

  #takeReply(link: Link, reply: unknown): void {
    const request = this.#queue.oldest
    if (request === undefined) throw unsolicited()
    if (this.#tally !== undefined) this.#noteLate(request, this.#tally)
    if (request.accept(reply, link.parser) && this.#link === link) this.#queue.shift()
  }

  #noteReply(terms: RequestTerms, reply: unknown, facts: ReplyFacts): void {
    const index = terms.repliesSeen++
    for (;;) {
      const effect = terms.effects?.[terms.effectsSeen]
      if (effect === undefined || effect.replyIndex !== index) return
      terms.effectsSeen++
      this.session.onReply(effect, reply, facts.isError)
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
    return Math.min(deadline, this.#health.due(this.#timer.now(), this.#link.parser.bytesReceived, oldest))
  }

  nextLook(): number {
    return this.#queue.inFlight > 0 ? this.#timer.now() + this.#health.lookAfter : Number.POSITIVE_INFINITY
  }

  /** How many bytes were received on the link. */
  progress(): number {
    return this.#link?.parser.bytesReceived ?? 0
  }

  now(): number {
    return this.#timer.now()
  }

  /** Whether something is in flight that should be answered soon. */
  get isWaiting(): boolean {
    const { oldest } = this.#queue
    return oldest !== undefined && (oldest.terms?.blockMs ?? 0) === 0
  }

  onDue(): void {
    for (const request of this.#deadlines.takeDue(this.#timer.now())) this.#expire(request)
    this.#leaveIfDue()
    this.#checkHealth()
    this.#checkIdle()
    this.#timer.ensure(Math.min(this.nextDue(), this.nextLook()))
  }

  #expire(request: Request): void {
    const timeout =
      request.terms?.timeoutMs(this.#options.settings.commandTimeout) ?? this.#options.settings.commandTimeout
    const message = `no reply to ${request.label} within ${timeout} ms`
    const isUseless = request.isSent && request.mustBeAnswered
    if (!request.isSettled) this.#abandon(request, this.#errorFor(request, { reason: "timeout", message }))
    if (isUseless) this.#leaveBecause ??= "CLIENT REPLY ON was not answered, it may be mute"
  }

  onRequestAborted(request: Request, reason: unknown): void {
    this.#abandon(request, reason)
  }

  afterAborts(): void {
    this.#leaveIfDue()
    this.#checkIdle()
  }

  /** The caller waits no longer: what is not sent never will be, and a server that blocks for nobody is left. */
  #abandon(request: Request, error: unknown): void {
    if (request.isSettled) return
    this.#giveUp(request, error)
    if (request.isSent && (request.terms?.blockMs ?? 0) > 0)
      this.#leaveBecause ??= "a blocking command was abandoned by its caller"
  }

  /** Whatever is still replied to it is for nobody. */
  #giveUp(request: Request, error: unknown): void {
    request.fail(error)
    if (!request.isSent) this.#withdraw(request)
    else {
      request.markAbandoned()
      this.#count()
    }
  }

  #withdraw(request: Request): void {
    if (request.terms?.effects !== undefined) this.session.isStale = true
    this.#outbox.withdraw()
    this.#deadlines.onRenumbered(this.#queue.firstNumber + this.#queue.inFlight)
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
    const now = this.#timer.now()
    if (this.#health.due(now, link.parser.bytesReceived, oldest) > now) return
    const message = `nothing came back for ${this.#options.settings.healthCheckInterval} ms (healthCheckInterval)`
    this.#lose(
      new ConnectionError("health-check-timeout", message, { address: link.address, outcome: "unknown" }),
    )
  }

  // ── the link ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The server's number for the link, if it was asked for. */
  get clientId(): number | undefined {
    return this.#link?.clientId
  }

  /** Whether there is a link. */
  get isOpen(): boolean {
    return this.#link !== undefined
  }

  /** Works on a link from now on; what has waited is written at once. */
  open(link: Link): void {
    this.#link = link
    this.#outbox.noteWritten(link.bytesWritten)
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
  #leaveIfDue(): void {
    const why = this.#leaveBecause
    this.#leaveBecause = undefined
    if (why === undefined || this.#link === undefined) return
    const { address } = this.#link
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
    const tally = this.#count()
    tally.lostLinks++
    tally.bytesRead += link.parser.bytesReceived
    this.#owner.onDiscarded(discard(link.transport))
    link.parser.release()
    if (this.session.isStale) this.session.replay(this.#unanswered())
    return this.session.reset()
  }

  // ── rejecting ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Rejects all requests. */
  failAll(rejection: Rejection): void {
    const requests = this.#queue.takeAll()
    this.#outbox.clear()
    this.#unstarted = undefined
    this.#timer.stop()
    // None of them will ever be carried out: what they would have done to the session is not to be counted on.
    this.session.replay([])
    this.#failEach(requests, rejection)
  }

  /** Rejects the requests in flight; those of the outbox wait for the next link. */
  failInFlight(rejection: Rejection): void {
    const now = Math.ceil(this.#timer.now())
    this.#queue.startClocks(now)
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
      this.#giveUp(request, this.#errorFor(request, rejection))
    }
  }

  #errorFor(request: Request, { reason, message, cause, final }: Rejection): ConnectionError {
    const details = {
      address: this.#link?.address ?? this.#options.label,
      outcome: request.isSent ? "unknown" : "not-sent",
      cause,
      final: final ?? false,
    } as const
    return withoutStack(() => new ConnectionError(reason, message, details))
  }

  /** From now on, tells the owner when no caller waits any more; looked at after every change, and now. */
  reportIdle(): void {
    this.#idleFrom = this.#queue.firstNumber
    this.#checkIdle()
  }

  /** No request is taken on any more while this is asked: the pointer only ever moves on. */
  #checkIdle(): void {
    if (this.#idleFrom === undefined) return
    let number = Math.max(this.#idleFrom, this.#queue.firstNumber)
    while (this.#queue.numbered(number)?.isSettled === true) number++
    this.#idleFrom = number
    if (this.#queue.numbered(number) !== undefined) return
    this.#idleFrom = undefined
    this.#owner.onIdle()
  }
}

/** What can be read of a connection at any time, and what nothing else knows. */
interface Tally {
  refused: number
  lateReplies: number
  /** How many links there were before this one, and what went over them. */
  lostLinks: number
  bytesRead: number
}

const NOTHING: Readonly<Tally> = {
  refused: 0,
  lateReplies: 0,
  lostLinks: 0,
  bytesRead: 0,
}

function unsettled(requests: Iterable<Request>): number {
  let count = 0
  for (const { isSettled } of requests) if (!isSettled) count++
  return count
}

function isReadonlyError(reply: unknown): boolean {
  return reply instanceof RedisError && reply.code === "READONLY"
}

/** In a MULTI that a caller has opened, less blocks, and what shifts replies cannot be. */
function adaptToMulti(request: Request): void {
  if (request.isRefusedInMulti) {
    throw new TypeError(
      "a MULTI sent by hand is open on this connection: send EXEC or DISCARD first (or use transactionPipeline instead of MULTI)",
    )
  }
  if (request.terms !== undefined) request.terms.blockMs = request.terms.blockMsInMulti
}

function unsolicited(): ConnectionError {
  return new ConnectionError("protocol-error", "the server sent a reply that nobody asked for", {
    outcome: "unknown",
  })
}

/** Whatever else is thrown at such a place leaves it open whose the next reply is. */
function defectIn(cause: unknown, message: string): ConnectionError {
  return new ConnectionError("protocol-error", message, { outcome: "unknown", cause })
}
