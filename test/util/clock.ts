/**
 * Time that stands still until a test moves it: `performance.now()`, timeouts and immediates.
 * (The timers of `node:test` in Node.js 20 repeat a timeout that starts an immediate, and leave `performance` alone.)
 */
import type { TestContext } from "node:test"

type Callback = (argument: unknown) => void

interface Timer {
  readonly at: number
  readonly callback: () => void
  ref(): void
  unref(): void
}

export class Clock {
  now = 1000
  readonly #timeouts = new Set<unknown>()
  readonly #immediates = new Set<unknown>()

  /** Real time again when the test has ended. */
  constructor(t: TestContext) {
    t.mock.method(performance, "now", () => this.now)
    t.mock.method(globalThis, "setTimeout", (callback: Callback, delay: number, argument: unknown) =>
      this.#add(this.#timeouts, () => callback(argument), this.now + delay),
    )
    t.mock.method(globalThis, "setImmediate", (callback: Callback, argument: unknown) =>
      this.#add(this.#immediates, () => callback(argument), this.now),
    )
    t.mock.method(globalThis, "clearTimeout", (timer: unknown) => void this.#timeouts.delete(timer))
    t.mock.method(globalThis, "clearImmediate", (timer: unknown) => void this.#immediates.delete(timer))
  }

  /** How many timeouts and immediates there are. */
  get pending(): number {
    return this.#timeouts.size + this.#immediates.size
  }

  /** Lets time pass, a turn of the event loop for each ms, until `end`. */
  passUntil(end: number): void {
    while (this.now < end) {
      this.now++
      this.#turn()
    }
  }

  /** Lets time pass without a turn of the event loop, but for one at the end. */
  blockUntil(end: number): void {
    this.now = end
    this.#turn()
  }

  #add(timers: Set<unknown>, callback: () => void, at: number): Timer {
    const timer = { at, callback, ref: () => {}, unref: () => {} }
    timers.add(timer)
    return timer
  }

  /** Timeouts first, then immediates, as the event loop does. */
  #turn(): void {
    for (const timers of [this.#timeouts, this.#immediates]) {
      for (const timer of [...timers] as Timer[])
        if (timer.at <= this.now && timers.delete(timer)) timer.callback()
    }
  }
}
