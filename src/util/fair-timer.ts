/**
 * A timer for deadlines that is fair to the peer: time in which this process itself was blocked is not held against
 * it. Knows when something is due and whether bytes still arrive; leaves to its owner what is due and what to do then.
 *
 * Why: after the event loop was blocked, timers run before sockets are read, so a naive deadline rejects requests whose
 * replies lie in the kernel already. One turn of the loop is not enough to read them (it reads at most 2 MiB).
 */

/** Later than this, the loop was blocked; earlier, the timer was merely late. */
const BLOCKED_FROM_MS = 20
/** After the loop was blocked, a connection is given up on once nothing has arrived for this long. */
const QUIET_MS = 50

import { timerDelay } from "./delay.ts"

export interface FairTimerOwner {
  /** When the next thing is due, in ms of `performance.now()`; `Infinity` for nothing. */
  nextDue(): number
  /** When to ask again although nothing is due, in ms of `performance.now()`; `Infinity` for not. */
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
  #firesAt = Number.POSITIVE_INFINITY
  /** Something is due, and judged as soon as nothing arrives any more. */
  #awaitsQuiet = false
  #keepsAlive: boolean

  /** @param keepsAlive whether the process stays alive for this timer */
  constructor(owner: FairTimerOwner, keepsAlive: boolean) {
    this.#owner = owner
    this.#keepsAlive = keepsAlive
  }

  /** Makes sure that the timer looks at what is due at the given time, or earlier. */
  ensure(at: number): void {
    if (at < this.#firesAt && this.#immediate === undefined && !this.#awaitsQuiet) this.#start(at, look)
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#awaitsQuiet = false
    this.#timer = undefined
    this.#immediate = undefined
    this.#firesAt = Number.POSITIVE_INFINITY
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    if (keepsAlive) this.#timer?.ref()
    else this.#timer?.unref()
  }

  #start(at: number, then: (timer: FairTimer) => void): void {
    clearTimeout(this.#timer)
    this.#firesAt = at
    this.#timer = setTimeout(then, timerDelay(at - performance.now()), this)
    if (!this.#keepsAlive) this.#timer.unref()
  }

  /** For the timer: the time has come. What is due is only judged after the sockets were read. */
  look(): void {
    this.#timer = undefined
    this.#firesAt = Number.POSITIVE_INFINITY
    if (this.#owner.nextDue() > performance.now()) this.#lookLater()
    else this.#immediate = setImmediate(judge, this)
  }

  #lookLater(): void {
    this.ensure(Math.min(this.#owner.nextDue(), this.#owner.nextLook()))
  }

  /** For the timer: what has arrived was read. */
  judge(): void {
    this.#immediate = undefined
    const now = performance.now()
    const late = now - this.#owner.nextDue()
    if (late < 0) this.#lookLater()
    else if (late <= BLOCKED_FROM_MS) this.#owner.onDue()
    else this.#awaitQuiet(now + late, this.#owner.progress())
  }

  /** The loop was blocked: waits while bytes arrive, but no longer than it was blocked. */
  #awaitQuiet(until: number, seen: number): void {
    this.#awaitsQuiet = true
    const at = performance.now() + QUIET_MS
    this.#start(at, () => {
      this.#timer = undefined
      this.#firesAt = Number.POSITIVE_INFINITY
      // It may have been blocked again, and then the sockets are to be read again first.
      this.#immediate = setImmediate(() => this.#judgeQuiet(until + lateness(at), seen))
    })
  }

  #judgeQuiet(until: number, seen: number): void {
    this.#immediate = undefined
    const progress = this.#owner.progress()
    if (progress !== seen && performance.now() < until) {
      this.#awaitQuiet(until, progress)
      return
    }
    this.#awaitsQuiet = false
    if (this.#owner.nextDue() <= performance.now()) this.#owner.onDue()
    else this.#lookLater()
  }
}

/** How much later than due it is, if the loop was blocked; 0 for what is merely late. */
function lateness(due: number): number {
  const late = performance.now() - due
  return late > BLOCKED_FROM_MS ? late : 0
}

// Functions of their own, so that a connection which waits for nothing has no closures for waiting.
function look(timer: FairTimer): void {
  timer.look()
}

function judge(timer: FairTimer): void {
  timer.judge()
}
