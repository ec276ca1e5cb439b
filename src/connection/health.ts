/**
 * When a connection is half-open: a request is in flight and nothing has come back for too long. Knows neither timers
 * nor sockets; it is shown the oldest request and the count of bytes received.
 */

import type { Request } from "./request.ts"

/** How often within an interval the byte count is looked at: the verdict is late by at most this part. */
const LOOKS_PER_INTERVAL = 4

export class Health {
  readonly #interval: number
  /** When bytes were last seen to have arrived, or the oldest request became the oldest. */
  #since = 0
  #bytesSeen = 0

  /** @param interval in ms; `Infinity` for never */
  constructor(interval: number) {
    this.#interval = interval
  }

  /** The first request has been sent after there was none in flight. */
  start(now: number, bytesReceived: number): void {
    this.#since = now
    this.#bytesSeen = bytesReceived
  }

  /** How long after a sign of life to look again, in ms. */
  get lookAfter(): number {
    return this.#interval / LOOKS_PER_INTERVAL
  }

  /** When the connection is to be given up on, if nothing arrives until then. */
  due(now: number, bytesReceived: number, oldest: Request): number {
    if (bytesReceived !== this.#bytesSeen) this.start(now, bytesReceived)
    return this.#since + this.#limit(oldest)
  }

  /** A caller who gave the request a longer timeout expects it to take that long; a blocking one may block. */
  #limit(oldest: Request): number {
    const { terms } = oldest
    if (terms === undefined) return this.#interval
    const { timeout } = terms
    const isGiven = timeout !== undefined && timeout !== Number.POSITIVE_INFINITY
    const limit = isGiven ? Math.max(this.#interval, timeout) : this.#interval
    return oldest.isSettled ? limit : limit + terms.blockMs
  }
}
