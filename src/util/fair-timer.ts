/**
 * A timer for deadlines that is fair to the peer: time in which this process itself was blocked is not held against
 * it. Knows when something is due and whether bytes still arrive; leaves to its owner what is due and what to do then.
 *
 * Why: after the event loop was blocked, timers run before sockets are read, so a naive deadline rejects requests whose
 * replies lie in the kernel already. So there is a clock here that stands while the loop is blocked, which is noticed by
 * the timer being late. And when something is due soon after that, it is only given up on once nothing arrives any more:
 * one turn of the loop is not enough to read what has piled up (it reads at most 2 MiB).
 */

import { timerDelay } from "./delay.ts"

/** Later than this, the loop was blocked; earlier, the timer was merely late. */
const BLOCKED_FROM_MS = 20
/** After the loop was blocked, a connection is given up on once nothing has arrived for this long. */
const QUIET_MS = 50
/** The timer looks several times on the way to a deadline, so as to notice that the loop was blocked meanwhile. */
const LOOKS = 4
const SHORTEST_LOOK_MS = 10
const LONGEST_LOOK_MS = 500

export interface FairTimerOwner {
  /** When the next thing is due, by {@link FairTimer.now}; `Infinity` for nothing. */
  nextDue(): number
  /** When to ask again although nothing is due, by {@link FairTimer.now}; `Infinity` for not. */
  nextLook(): number
  /** Something is due, and all that arrived by then has been read. */
  onDue(): void
  /** A number that moves whenever the peer shows a sign of life. */
  progress(): number
}

export class FairTimer {
  readonly #owner: FairTimerOwner
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  /** When the timer fires, by {@link now}. */
  #firesAt = Number.POSITIVE_INFINITY
  /** The same by `performance.now()`; for an immediate, when it was set. */
  #expectedAt = 0
  /** For how long the loop was blocked, as far as that was noticed, in ms. */
  #blocked = 0
  /** Until when, by `performance.now()`, what has piled up while the loop was blocked may still be read. */
  #graceUntil = Number.NEGATIVE_INFINITY
  /** What {@link FairTimerOwner.progress} was when the wait for quiet began; `undefined` outside of one. */
  #progressSeen: number | undefined
  #keepsAlive: boolean

  /** @param keepsAlive whether the process stays alive for this timer */
  constructor(owner: FairTimerOwner, keepsAlive: boolean) {
    this.#owner = owner
    this.#keepsAlive = keepsAlive
  }

  /** Now, in ms, by a clock that stands while the event loop is blocked. */
  now(): number {
    return performance.now() - this.#blocked
  }

  /** Makes sure that the timer looks at what is due at the given time, or earlier. */
  ensure(at: number): void {
    if (at >= this.#firesAt || this.#immediate !== undefined || this.#progressSeen !== undefined) return
    const now = this.now()
    const look = now + Math.min(Math.max((at - now) / LOOKS, SHORTEST_LOOK_MS), LONGEST_LOOK_MS)
    if (look < this.#firesAt) this.#start(Math.min(at, look))
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#timer = undefined
    this.#immediate = undefined
    this.#progressSeen = undefined
    this.#firesAt = Number.POSITIVE_INFINITY
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    if (keepsAlive) this.#timer?.ref()
    else this.#timer?.unref()
  }

  #start(at: number): void {
    clearTimeout(this.#timer)
    const now = performance.now()
    const delay = timerDelay(at - (now - this.#blocked))
    this.#firesAt = at
    this.#expectedAt = now + delay
    this.#timer = setTimeout(look, delay, this)
    if (!this.#keepsAlive) this.#timer.unref()
  }

  /** For the timer: the time has come. What is due is only judged after the sockets were read. */
  look(): void {
    this.#timer = undefined
    this.#firesAt = Number.POSITIVE_INFINITY
    const wasBlocked = this.#noticeBlock()
    if (this.#progressSeen === undefined && this.#owner.nextDue() > this.now()) {
      this.#lookLater(wasBlocked)
      return
    }
    this.#expectedAt = performance.now()
    this.#immediate = setImmediate(judge, this)
  }

  /** For the immediate: what has arrived was read. */
  judge(): void {
    this.#immediate = undefined
    const wasBlocked = this.#noticeBlock()
    const seen = this.#progressSeen
    const progress = this.#owner.progress()
    this.#progressSeen = undefined
    if (this.#owner.nextDue() > this.now()) this.#lookLater(wasBlocked)
    else if (progress === seen || performance.now() >= this.#graceUntil) this.#owner.onDue()
    else this.#awaitQuiet(progress)
  }

  /** Looks again after a while: if nothing has arrived by then, nothing will. */
  #awaitQuiet(progress: number): void {
    this.#progressSeen = progress
    this.#start(this.now() + QUIET_MS)
  }

  /** A loop that was blocked is mostly blocked again: that is to be noticed in full. */
  #lookLater(wasBlocked: boolean): void {
    const at = Math.min(this.#owner.nextDue(), this.#owner.nextLook())
    if (at === Number.POSITIVE_INFINITY) return
    if (wasBlocked) this.#start(Math.min(at, this.now() + SHORTEST_LOOK_MS))
    else this.ensure(at)
  }

  /** Stops the clock for the time by which this is called too late, if that is more than a timer may be late. */
  #noticeBlock(): boolean {
    const now = performance.now()
    const late = now - this.#expectedAt
    if (late <= BLOCKED_FROM_MS) return false
    this.#blocked += late
    this.#graceUntil = Math.max(this.#graceUntil, now) + late
    return true
  }
}

// Functions of their own, so that a connection which waits for nothing has no closures for waiting.
function look(timer: FairTimer): void {
  timer.look()
}

function judge(timer: FairTimer): void {
  timer.judge()
}
