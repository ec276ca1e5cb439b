/**
 * One request: how many replies it takes, where its promise is, and the terms that a caller gave it. It settles once.
 * Knows nothing of its place in a queue; what a command, a pipeline, … makes of its replies is in the files beside.
 */

import type { SessionEffectKind } from "../protocol/command-info.ts"
import type { CommandSink } from "../protocol/encode.ts"
import { redacted } from "../protocol/redact.ts"
import { type Abortable, forgetAbort, onAbort } from "../util/abort.ts"
import type { Timed } from "../util/heap.ts"

/** What a request needs to know of a reply, beside the reply. The parser is one. */
export interface ReplyFacts {
  /** Whether the reply is an error. */
  readonly isError: boolean
  /** Whether there is an error somewhere inside of the reply. */
  readonly holdsErrors: boolean
  /** Why the reply cannot be handed over, although it is sound. */
  readonly failure: Error | undefined
}

/** A change to the session that one command of a request makes once its reply says so. */
export interface SessionEffect {
  readonly kind: SessionEffectKind
  /** Which of the request's replies decides. */
  readonly replyIndex: number
  /** For `SELECT`. */
  readonly database: number | undefined
  /** Whether that reply has come. */
  isAnswered: boolean
}

/** Who has taken a request on. */
export interface RequestOwner {
  /** The request's signal was aborted. */
  onRequestAborted(request: Request, reason: unknown): void
  /** All requests of a signal have been told. */
  afterAborts(): void
  /** The request, which has terms, has settled: its deadline can be forgotten. */
  onRequestSettled(request: Request): void
}

/** The terms of a request that is not like most: kept apart so that the usual one stays small. */
export class RequestTerms implements Timed {
  /** The caller's own `timeout`, in ms. */
  readonly timeout: number | undefined
  readonly signal: AbortSignal | undefined
  /** How long the request may block its connection on the server, in ms. */
  blockMs = 0
  /** The same if it begins inside of a MULTI. */
  blockMsInMulti = 0
  effects: SessionEffect[] | undefined
  /** How many replies have come, and which effect is the next to be decided; counted where there are effects. */
  repliesSeen = 0
  effectsSeen = 0
  owner: RequestOwner | undefined
  /** How long it had waited elsewhere before it was taken on, in ms: its timeout is over both. */
  waitedMs = 0
  /** What {@link Request.since} is told by, where it is not a connection that others know of. */
  clock: { now(): number } | undefined
  /** Called once it has settled, within that: what follows has to wait until whoever settles it is done. */
  onSettled: (() => void) | undefined

  deadline: number = Number.POSITIVE_INFINITY
  heapIndex = -1
  readonly request: Request

  constructor(request: Request, timeout: number | undefined, signal: AbortSignal | undefined) {
    this.request = request
    this.timeout = timeout
    this.signal = signal
  }

  /** The request's timeout where `usual` is the connection's; a block time is added only to that. */
  timeoutMs(usual: number): number {
    return this.timeout ?? usual + this.blockMs
  }

  /** Forgets what encoding has found out, so that the request can be encoded again. */
  forgetFindings(): void {
    this.blockMs = 0
    this.blockMsInMulti = 0
    this.effects = undefined
  }
}

/** What a request says of a push message: not for it, for it and more are to come, for it and the last one. */
export type PushVerdict = "foreign" | "more" | "last"

const SENT = 1
const SETTLED = 2
const ABANDONED = 4

/**
 * Each kind of request defines the fields itself. One place that sets them for all kinds would be slow: with more than four
 * kinds, which an application has soon, V8 looks up anew for each request where a field goes, or asks its runtime.
 */
export abstract class Request<Payload = unknown> implements Abortable {
  /** How many bytes it has in the encoder while it is not sent. */
  abstract size: number
  /** When its clock started, in ms by the clock of its timer; 0 before. */
  abstract since: number
  abstract terms: RequestTerms | undefined
  /** What has become of it: {@link SENT} and so on. */
  protected abstract phase: number

  /** Whether its bytes were handed to the socket: from then on it may have run. */
  get isSent(): boolean {
    return (this.phase & SENT) !== 0
  }

  get isSettled(): boolean {
    return (this.phase & SETTLED) !== 0
  }

  /** Whether its caller has gone after it was sent: what is still replied is for nobody. */
  get isAbandoned(): boolean {
    return (this.phase & ABANDONED) !== 0
  }

  markAbandoned(): void {
    this.phase |= ABANDONED
  }

  markSent(): void {
    this.phase |= SENT
  }

  /** What it is, for error messages: names of commands, never their arguments. */
  abstract readonly label: string
  /** Whether its strings are wanted as bytes. */
  abstract readonly asBytes: boolean
  /** Whether it would shift replies inside of a MULTI that a caller has opened. */
  get isRefusedInMulti(): boolean {
    return false
  }
  /** Whether it is the driver's own, which does not count for the limit of a user's requests. */
  get isOverhead(): boolean {
    return false
  }
  /** Whether replies must still come although the caller has gone, or else the connection is of no use any more. */
  get mustBeAnswered(): boolean {
    return false
  }

  /**
   * Encodes the commands.
   * @throws TypeError for misuse; what was encoded by then is to be forgotten.
   */
  abstract encode(sink: CommandSink, payload: Payload): void

  /** Whether a command among them is special (see `command-info.ts`), so that it matters who carries it out. */
  isSpecial(_payload: Payload): boolean {
    return false
  }

  /** The commands as the caller gave them, not checked. */
  commandsOf(_payload: Payload): ReadonlyArray<readonly unknown[]> {
    return []
  }

  /** What telemetry tells of the commands: a copy of all that is sent, without secrets. */
  toldOf(payload: Payload): unknown[][] {
    return this.commandsOf(payload).map(redacted)
  }

  /** The same commands, whatever the caller does with the arrays. */
  copyOf(payload: Payload): Payload {
    return payload
  }

  /**
   * Takes the next reply; true when it was the last one.
   * @throws ConnectionError with reason `"protocol-error"` for a reply that cannot be an answer to it.
   */
  abstract accept(reply: unknown, facts: ReplyFacts): boolean

  /** Looks whether a message of the server that looks like no reply is one to this request all the same. */
  acceptPush(_push: readonly unknown[]): PushVerdict {
    return "foreign"
  }

  protected abstract rejectPromise(error: unknown): void

  /** Rejects, unless it has settled already. */
  fail(error: unknown): void {
    if (this.settle()) this.rejectPromise(error)
  }

  /** Marks it as settled; false if it was already. */
  protected settle(): boolean {
    if ((this.phase & SETTLED) !== 0) return false
    this.phase |= SETTLED
    if (this.terms !== undefined) this.#release(this.terms)
    return true
  }

  #release(terms: RequestTerms): void {
    if (terms.signal !== undefined) forgetAbort(terms.signal, this)
    terms.owner?.onRequestSettled(this)
    terms.onSettled?.()
  }

  /** From now on, `owner` is told of the signal's abort and of the settlement. */
  attach(owner: RequestOwner): void {
    const { terms } = this
    if (terms === undefined) return
    terms.owner = owner
    if (terms.signal !== undefined) onAbort(terms.signal, this)
  }

  onAbort(reason: unknown): void {
    this.terms?.owner?.onRequestAborted(this, reason)
  }

  afterAbort(): void {
    this.terms?.owner?.afterAborts()
  }

  /** Keys are watched when it is sent: if it ends that, it is to say so in its effects. */
  endWatch(): void {}

  /** Its terms, made if it has none. */
  needTerms(): RequestTerms {
    this.terms ??= new RequestTerms(this, undefined, undefined)
    return this.terms
  }
}

/** A function of a promise's executor. */
export type Resolve<T> = (value: T) => void
export type Reject = (error: unknown) => void
