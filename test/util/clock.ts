/** Time that stands still until a test moves it: `performance.now()`, timers and immediates alike. */
import type { TestContext } from "node:test"

export class Clock {
  readonly #timers: TestContext["mock"]["timers"]
  now: number

  /** Real time again when the test has ended. */
  constructor(t: TestContext, now = 1000) {
    this.now = now
    this.#timers = t.mock.timers
    this.#timers.enable({ apis: ["setTimeout", "setImmediate"] })
    t.mock.method(performance, "now", () => this.now)
  }

  /** Lets time pass, one ms after the other, until `end`. */
  passUntil(end: number): void {
    while (this.now < end) {
      this.now++
      this.#timers.tick(1)
    }
  }

  /** Lets time pass without the event loop having a turn; what has come due by then runs at the end. */
  blockUntil(end: number): void {
    const passed = end - this.now
    this.now = end
    this.#timers.tick(passed)
  }
}
