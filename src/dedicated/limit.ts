/**
 * How many dedicated connections there may be, wherever they lead to, and who waits for one: first come, first served.
 * Knows no connection; leaves to those who have them how one is opened and closed.
 */

import type { Timed } from "../util/heap.ts"
import { WaitingClock } from "../util/waiting-clock.ts"

/** Somebody who waits for a connection. */
export interface Waiter extends Timed {
  /** There may be one now; whether it has got it, or waits no longer for another reason. */
  tryTake(): boolean
  /** Its time is over. */
  expire(): void
}

/** A connection that nobody uses. */
export interface Idle {
  /** Ends it; {@link DedicatedLimit.free} follows at once. */
  discard(): void
}

export class DedicatedLimit {
  /** How many there may be. */
  readonly most: number
  #count = 0
  /** How often one was given back or has ended. */
  #returns = 0
  #isServing = false
  readonly #waiters = new Set<Waiter>()
  /** Those that nobody uses, the longest idle first. */
  readonly #idle = new Set<Idle>()
  readonly #clock: WaitingClock<Waiter> = new WaitingClock(
    (waiter) => waiter.expire(),
    () => this.#returns,
  )

  constructor(most: number) {
    this.most = most
  }

  /** Whether somebody waits: whoever comes now has to wait behind. */
  get isContended(): boolean {
    return this.#waiters.size > 0
  }

  /** Whether there may be no other connection, not even in place of one that nobody uses. */
  get isFull(): boolean {
    return this.#count >= this.most && this.#idle.size === 0
  }

  /** Counts one more connection, unless it is full; in place of an idle one that leads elsewhere if need be. */
  reserve(): void {
    const [longest] = this.#idle
    if (this.#count >= this.most && longest !== undefined) {
      this.#idle.delete(longest)
      longest.discard()
    }
    this.#count++
  }

  /** A connection that was counted has ended. */
  free(): void {
    this.#count--
    this.#serve()
  }

  addIdle(idle: Idle): void {
    this.#idle.add(idle)
    this.#serve()
  }

  removeIdle(idle: Idle): void {
    this.#idle.delete(idle)
  }

  /** By the clock that timeouts go by. */
  now(): number {
    return this.#clock.now()
  }

  /** The waiter's time runs, until {@link stopClock}. */
  startClock(waiter: Waiter, timeout: number): void {
    this.#clock.start(waiter, timeout)
  }

  stopClock(waiter: Waiter): void {
    this.#clock.stop(waiter)
  }

  /** From now on, the waiter is asked to take what becomes free, when it is its turn. */
  wait(waiter: Waiter): void {
    this.#waiters.add(waiter)
  }

  forget(waiter: Waiter): void {
    this.#waiters.delete(waiter)
  }

  /** What a waiter takes may be freed on the way, when an idle connection makes room. */
  #serve(): void {
    this.#returns++
    if (this.#isServing) return
    this.#isServing = true
    for (const waiter of this.#waiters) {
      if (!waiter.tryTake()) break
      this.#waiters.delete(waiter)
    }
    this.#isServing = false
  }
}
