/**
 * What callers have set by hand on a connection (MULTI, WATCH, SELECT, AUTH, CLIENT TRACKING) and would lose with it.
 * Knows the requests in the order in which they are written; leaves to the connection what follows.
 */

import type { SessionEffectKind } from "../protocol/command-info.ts"
import type { Request, RequestTerms, SessionEffect } from "./request.ts"

export class Session {
  /** The database that the connection is in, as far as replies have told. */
  database: number | undefined
  /** The effect by whose MULTI a transaction is open, in the order of writing; `undefined` when none is. */
  #openMulti: SessionEffect | undefined
  /** The same, as of the replies that have come. */
  #answeredMulti: SessionEffect | undefined
  /** The database of a SELECT that waits for its EXEC. */
  #queuedDatabase: number | undefined
  #isWatching = false
  #hasAuthenticated = false
  #isTracking = false

  constructor(database: number | undefined) {
    this.database = database
  }

  /** Whether what is written next would be inside of a MULTI. */
  get isMultiOpen(): boolean {
    return this.#openMulti !== undefined
  }

  /** A request with effects stands next in the order of writing. */
  onWritten(terms: RequestTerms): void {
    for (const effect of terms.effects ?? []) {
      if (effect.kind === "multi") this.#openMulti ??= effect
      else if (effect.kind === "exec" || effect.kind === "discard") this.#openMulti = undefined
      else effect.isQueued ||= this.isMultiOpen
    }
  }

  /** A request that was never sent is gone; `written` are those left that are not answered, in order. */
  onWithdrawn(written: Iterable<Request>): void {
    this.#openMulti = this.#answeredMulti
    for (const { terms } of written) if (terms !== undefined) this.onWritten(terms)
  }

  /** The reply that decides about an effect has come. */
  onReply(effect: SessionEffect, reply: unknown, isError: boolean): void {
    if (isError) this.#onRefused(effect)
    else this.#onAccepted(effect.kind, effect, reply)
  }

  /** The connection is gone, and all this with it; tells whether that was anything. The database is selected again. */
  reset(): boolean {
    const wasLost = this.#isWatching || this.#hasAuthenticated || this.#isTracking || this.isMultiOpen
    this.#isWatching = false
    this.#hasAuthenticated = false
    this.#isTracking = false
    this.#openMulti = undefined
    this.#answeredMulti = undefined
    this.#queuedDatabase = undefined
    return wasLost
  }

  #onRefused(effect: SessionEffect): void {
    // A MULTI that was refused because one is open already is not the one remembered here.
    if (effect === this.#openMulti) this.#openMulti = undefined
    if (effect.kind === "exec") this.#endTransaction()
  }

  #onAccepted(kind: SessionEffectKind, effect: SessionEffect, reply: unknown): void {
    switch (kind) {
      case "select":
        if (effect.isQueued) this.#queuedDatabase = effect.database
        else this.database = effect.database ?? this.database
        break
      case "exec":
        // Where something failed inside, it may have been the SELECT: then the database stays what it was known to be.
        if (isListWithoutErrors(reply)) this.database = this.#queuedDatabase ?? this.database
        this.#endTransaction()
        break
      case "discard":
        this.#endTransaction()
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
      case "multi":
        this.#answeredMulti = effect
        break
    }
  }

  #endTransaction(): void {
    this.#answeredMulti = undefined
    this.#queuedDatabase = undefined
    this.#isWatching = false
  }
}

function isListWithoutErrors(reply: unknown): boolean {
  return Array.isArray(reply) && !reply.some((element) => element instanceof Error)
}
