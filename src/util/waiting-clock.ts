/**
 * The deadlines of those who wait for something, on a clock that stands while the event loop is
 * blocked. Knows when; leaves to its owner what happens then.
 */

import { FairTimer, type FairTimerOwner } from "./fair-timer.ts"
import { type Timed, TimeHeap } from "./heap.ts"

export class WaitingClock<T extends Timed> implements FairTimerOwner {
  readonly #onDue: (waiting: T) => void
  readonly #progress: () => number
  readonly #heap = new TimeHeap<T>()
  readonly #timer: FairTimer

  /**
   * @param onDue one that waits has waited for long enough
   * @param progress a number that moves whenever the peer shows a sign of life
   */
  constructor(onDue: (waiting: T) => void, progress: () => number) {
    this.#onDue = onDue
    this.#progress = progress
    // The connection keeps the process alive, if anything should.
    this.#timer = new FairTimer(this, false)
  }

  /** Now, by the clock that deadlines go by. */
  now(): number {
    return this.#timer.now()
  }

  /** Starts the clock of one that waits, for `timeout` ms. */
  start(waiting: T, timeout: number): void {
    if (waiting.heapIndex >= 0 || timeout === Number.POSITIVE_INFINITY) return
    waiting.deadline = this.#timer.now() + timeout
    this.#heap.add(waiting)
    this.#timer.ensure(waiting.deadline)
  }

  stop(waiting: T): void {
    this.#heap.remove(waiting)
    if (this.#heap.first === undefined) this.#timer.stop()
  }

  nextDue(): number {
    return this.#heap.first?.deadline ?? Number.POSITIVE_INFINITY
  }

  nextLook(): number {
    return this.nextDue()
  }

  progress(): number {
    return this.#progress()
  }

  onDue(): void {
    for (let first = this.#heap.first; first !== undefined; first = this.#heap.first) {
      if (first.deadline > this.#timer.now()) break
      this.#heap.remove(first)
      this.#onDue(first)
    }
    this.#timer.ensure(this.nextDue())
  }
}
