/**
 * Time that stands still until a test moves it: `performance.now()`, timeouts and immediates. Sockets are as real as ever, so
 * whatever takes no time by the clock can be waited for.
 * (The timers of `node:test` in Node.js 20 repeat a timeout that starts an immediate, and leave `performance` alone.)
 */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises"
import { inspect } from "node:util"
import { ConnectionError } from "../../src/errors.ts"

/** A wait that is in vain is given up after ten real seconds. */
const [MOST_LOOKS, LOOK_MS] = [2000, 5]

/** By how much a timer may be late, and by how little it may be early. */
const TOLERANCE_MS = 10

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

  /** Lets sockets be read and written while time stands, until the condition holds. */
  async standUntil(condition: () => boolean): Promise<void> {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      if (condition()) return
      this.#turn()
      await sleep(LOOK_MS)
    }
    throw new Error(`waited in vain, while time stood, for: ${condition}`)
  }

  /** What the promise comes to, if that takes no time. */
  async stand<T>(promise: Promise<T>): Promise<T> {
    let isPending = true
    const onSettled = (): void => {
      isPending = false
    }
    promise.then(onSettled, onSettled)
    await this.standUntil(() => !isPending)
    return promise
  }

  /** Lets so many ms pass, and after that all go on who have waited for that. */
  async pass(ms: number): Promise<void> {
    this.passUntil(this.now + ms)
    await nextTurn()
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

/** A request whose time is the test's. */
export class TimedRequest {
  #isPending = true
  readonly #promise: Promise<unknown>
  readonly #clock: Clock

  /** @param promise gets a handler at once: it may reject before anybody asks for it */
  constructor(clock: Clock, promise: Promise<unknown>) {
    this.#clock = clock
    this.#promise = promise
    const onSettled = (): void => {
      this.#isPending = false
    }
    promise.then(onSettled, onSettled)
  }

  /** Asserts that its time is over in so many ms, and not before; resolves to the error that it rejects with. */
  async assertTimeOver(ms: number): Promise<ConnectionError> {
    await this.#clock.pass(ms - TOLERANCE_MS)
    assert.ok(this.#isPending, "it has settled too early")
    await this.#clock.pass(2 * TOLERANCE_MS)
    assert.ok(!this.#isPending, "it settles too late")
    const error = await this.#promise.catch((reason: unknown) => reason)
    assert.ok(error instanceof ConnectionError && error.reason === "timeout", inspect(error))
    return error
  }
}
