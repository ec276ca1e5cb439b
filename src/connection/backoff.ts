/** How long to wait before the next connection attempt. Has no timer. */

/** By how much the wait grows from one attempt to the next. */
const GROWTH = 1.5

export class Backoff {
  readonly #initial: number
  readonly #max: number
  #next: number

  /** Both in ms; `max` may be `Infinity`. */
  constructor(initial: number, max: number) {
    this.#initial = initial
    this.#max = max
    this.#next = Math.min(initial, max)
  }

  /**
   * The next wait in ms: the initial one, then 1.5 times the last, up to the maximum; spread over [0.5, 1] of that, so
   * that the clients of a server that went down do not all come back at the same moment.
   * Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
   */
  next(): number {
    const wait = this.#next
    this.#next = Math.min(wait * GROWTH, this.#max)
    return wait * (0.5 + Math.random() / 2)
  }

  /** An attempt has succeeded. */
  reset(): void {
    this.#next = Math.min(this.#initial, this.#max)
  }
}
