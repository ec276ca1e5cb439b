/**
 * What callers have set by hand on a connection (MULTI, WATCH, SELECT, AUTH, CLIENT TRACKING) and would lose with it.
 * Knows the requests in the order in which they are written; leaves to the connection what follows.
 */

import { RedisError } from "../errors.ts"
import type { SessionEffectKind } from "../protocol/command-info.ts"
import type { Request, RequestTerms, SessionEffect } from "./request.ts"

/** What is left of a caller's session once all requests are answered: to be undone before somebody else's. */
export interface Leftovers {
  readonly isMultiOpen: boolean
  readonly isWatching: boolean
  /** The connection may be in another database than the one of its options. */
  readonly hasSelected: boolean
  /** Something is set that cannot be undone. */
  readonly isLasting: boolean
}

/** A MULTI is open as of the replies that have come. */
const MULTI_ANSWERED = 1
const WATCHING = 2
const AUTHENTICATED = 4
const TRACKING = 8
/** It may be tracking, whatever was replied: without replies, nobody is told. */
const TRACKING_WRITTEN = 16
const SELECTED = 32
const LASTING = 64
const WATCH_WRITTEN = 128
const MULTI_WRITTEN = 256
const STALE = 512

/** What may be so as soon as it is written: nobody else is given the connection like that. */
const MARKS_WHEN_WRITTEN: Partial<Readonly<Record<SessionEffectKind, number>>> = {
  select: SELECTED,
  auth: LASTING,
  quit: LASTING,
  routing: LASTING,
  lasting: LASTING,
  "tracking-on": TRACKING_WRITTEN,
}

export class Session {
  /** The database that the connection is in, as far as replies have told. */
  database: number | undefined
  /** Several of the marks below: a field for each would cost every idle connection. */
  #marks = 0
  /** The database of a SELECT that waits for its EXEC. */
  #queuedDatabase: number | undefined
  /** The database of the options. */
  readonly #home: number

  constructor(database: number | undefined) {
    this.database = database
    this.#home = database ?? 0
  }

  /** Whether what is written next would be inside of a MULTI. */
  get isMultiOpen(): boolean {
    return this.#has(MULTI_WRITTEN)
  }

  set isMultiOpen(isOpen: boolean) {
    this.#mark(MULTI_WRITTEN, isOpen)
  }

  /** Whether keys may be watched when what is written next is carried out. */
  get isWatchWritten(): boolean {
    return this.#has(WATCH_WRITTEN)
  }

  set isWatchWritten(isWritten: boolean) {
    this.#mark(WATCH_WRITTEN, isWritten)
  }

  /** Whether {@link isMultiOpen} has to be worked out anew, by {@link replay}. */
  get isStale(): boolean {
    return this.#has(STALE)
  }

  set isStale(isStale: boolean) {
    this.#mark(STALE, isStale)
  }

  /** True only once all that was written is answered. */
  get leftovers(): Leftovers {
    return {
      isMultiOpen: this.isMultiOpen || this.#has(MULTI_ANSWERED),
      isWatching: this.isWatchWritten || this.#has(WATCHING),
      hasSelected: this.#has(SELECTED),
      isLasting: this.#has(LASTING | TRACKING | TRACKING_WRITTEN),
    }
  }

  /** A request with effects stands next in the order of writing. */
  onWritten({ effects }: RequestTerms): void {
    for (const { kind, isAnswered } of effects ?? []) {
      if (isAnswered) continue
      if (kind === "multi") this.isMultiOpen = true
      else if (kind === "exec" || kind === "discard") {
        this.isMultiOpen = false
        this.isWatchWritten = false
      } else if (kind === "watch") this.isWatchWritten = true
      else if (kind === "unwatch") this.isWatchWritten = false
      else this.#marks |= MARKS_WHEN_WRITTEN[kind] ?? 0
    }
  }

  /** Works out anew what the requests, those that are not fully answered in their order, lead to. */
  replay(requests: Iterable<Request>): void {
    this.isStale = false
    this.isMultiOpen = this.#has(MULTI_ANSWERED)
    this.isWatchWritten = this.#has(WATCHING)
    for (const { terms } of requests) if (terms !== undefined) this.onWritten(terms)
  }

  /** The reply that decides about an effect has come. */
  onReply(effect: SessionEffect, reply: unknown, isError: boolean): void {
    effect.isAnswered = true
    if (isError) this.#onRefused(effect.kind, reply)
    else this.#onAccepted(effect, reply)
  }

  /** The connection is gone, and all this with it; tells whether that was anything. The database is selected again. */
  reset(): boolean {
    const wasLost = this.#has(WATCHING | AUTHENTICATED | TRACKING) || this.isMultiOpen
    this.#marks = 0
    this.#queuedDatabase = undefined
    return wasLost
  }

  #onRefused(kind: SessionEffectKind, reply: unknown): void {
    if (kind === "exec" && reply instanceof RedisError && DISCARDED.has(reply.code)) this.#endTransaction()
    // What was counted on at the writing has not come about: a MULTI that is not open, or one that still is.
    else if (kind === "multi" || kind === "exec" || kind === "discard") this.isStale = true
    // The error may be that of CLIENT REPLY OFF, and the command have run. An earlier reply may have taken the mark away.
    else this.#marks |= MARKS_WHEN_WRITTEN[kind] ?? 0
  }

  #onAccepted({ kind, database }: SessionEffect, reply: unknown): void {
    switch (kind) {
      case "multi":
        this.#marks |= MULTI_ANSWERED
        break
      case "exec":
        if (Array.isArray(reply) && !reply.some(isSelectError))
          this.database = this.#queuedDatabase ?? this.database
        this.#endTransaction()
        break
      case "discard":
        this.#endTransaction()
        break
      case "select":
        if (String(reply) === "QUEUED") this.#queuedDatabase = database
        else {
          this.database = database ?? this.database
          this.#mark(SELECTED, database !== this.#home)
        }
        break
      case "watch":
        this.#marks |= WATCHING
        break
      case "unwatch":
        this.#marks &= ~WATCHING
        break
      case "auth":
        this.#marks |= AUTHENTICATED
        break
      case "tracking-on":
        this.#marks |= TRACKING
        break
      case "tracking-off":
        // Inside of a MULTI it may be discarded yet.
        if (String(reply) !== "QUEUED") this.#marks &= ~(TRACKING | TRACKING_WRITTEN)
        break
    }
  }

  #endTransaction(): void {
    this.#marks &= ~(MULTI_ANSWERED | WATCHING)
    this.#queuedDatabase = undefined
  }

  #mark(marks: number, isSet: boolean): void {
    if (isSet) this.#marks |= marks
    else this.#marks &= ~marks
  }

  /** Whether one of the marks is set. */
  #has(marks: number): boolean {
    return (this.#marks & marks) !== 0
  }
}

/** With these, EXEC says that there is no transaction any more: of the last ones, a node of a cluster with the keys elsewhere. */
const DISCARDED: ReadonlySet<string> = new Set([
  "EXECABORT",
  "MOVED",
  "ASK",
  "TRYAGAIN",
  "CROSSSLOT",
  "CLUSTERDOWN",
])

/** Whether an element of EXEC's reply is what a SELECT fails with: it is not known which command it belongs to. */
function isSelectError(element: unknown): boolean {
  return element instanceof RedisError && /DB index|\bSELECT\b/i.test(element.message)
}
