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

export class Session {
  /** The database that the connection is in, as far as replies have told. */
  database: number | undefined
  /** Whether what is written next would be inside of a MULTI. */
  isMultiOpen = false
  /** Whether keys may be watched when what is written next is carried out. */
  isWatchWritten = false
  /** Whether {@link isMultiOpen} has to be worked out anew, by {@link replay}. */
  isStale = false

  /** Whether a MULTI is open as of the replies that have come. */
  #isMultiAnswered = false
  /** The database of a SELECT that waits for its EXEC. */
  #queuedDatabase: number | undefined
  #isWatching = false
  #hasAuthenticated = false
  #isTracking = false
  #hasSelected = false
  #isLasting = false
  /** The database of the options. */
  readonly #home: number

  constructor(database: number | undefined) {
    this.database = database
    this.#home = database ?? 0
  }

  /** True only once all that was written is answered. */
  get leftovers(): Leftovers {
    return {
      isMultiOpen: this.isMultiOpen || this.#isMultiAnswered,
      isWatching: this.isWatchWritten || this.#isWatching,
      hasSelected: this.#hasSelected,
      isLasting: this.#isLasting || this.#isTracking,
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
      else if (kind === "select") this.#hasSelected = true
      else if (LASTING.has(kind)) this.#isLasting = true
    }
  }

  /** Works out anew what the requests, those that are not fully answered in their order, lead to. */
  replay(requests: Iterable<Request>): void {
    this.isStale = false
    this.isMultiOpen = this.#isMultiAnswered
    this.isWatchWritten = this.#isWatching
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
    const wasLost = this.#isWatching || this.#hasAuthenticated || this.#isTracking || this.isMultiOpen
    this.isMultiOpen = false
    this.isWatchWritten = false
    this.isStale = false
    this.#isMultiAnswered = false
    this.#queuedDatabase = undefined
    this.#isWatching = false
    this.#hasAuthenticated = false
    this.#isTracking = false
    this.#hasSelected = false
    this.#isLasting = false
    return wasLost
  }

  #onRefused(kind: SessionEffectKind, reply: unknown): void {
    if (kind === "exec" && reply instanceof RedisError && reply.code === "EXECABORT") this.#endTransaction()
    // What was counted on at the writing has not come about: a MULTI that is not open, or one that still is.
    else if (kind === "multi" || kind === "exec" || kind === "discard") this.isStale = true
  }

  #onAccepted({ kind, database }: SessionEffect, reply: unknown): void {
    switch (kind) {
      case "multi":
        this.#isMultiAnswered = true
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
          this.#hasSelected = database !== this.#home
        }
        break
      case "watch":
        this.#isWatching = true
        break
      case "unwatch":
        this.#isWatching = false
        break
      case "auth":
        this.#hasAuthenticated = true
        break
      case "tracking-on":
        this.#isTracking = true
        break
      case "tracking-off":
        this.#isTracking = false
        break
    }
  }

  #endTransaction(): void {
    this.#isMultiAnswered = false
    this.#queuedDatabase = undefined
    this.#isWatching = false
  }
}

/** After these, nobody else can be given the connection. */
const LASTING: ReadonlySet<SessionEffectKind> = new Set(["auth", "quit", "routing", "lasting"])

/** Whether an element of EXEC's reply is what a SELECT fails with: it is not known which command it belongs to. */
function isSelectError(element: unknown): boolean {
  return element instanceof RedisError && /DB index|\bSELECT\b/i.test(element.message)
}
