/**
 * When it is found out who has which slots: at the start, when something suggests that it has changed, while all is not
 * well, and every now and then; never twice at the same time, and not too often. Leaves to its owner whom to ask, and what
 * follows from the answer.
 */

import { Backoff } from "../connection/backoff.ts"
import type { ConnectionError } from "../errors.ts"
import { timerDelay } from "../util/delay.ts"
import { type Candidate, Inquiry, type InquiryOwner } from "./inquiry.ts"
import type { Layout } from "./layout.ts"

/** How long at least from one refresh to the next, in ms, however many reasons there are. */
const COOLDOWN_MS = 1000
/** How often it is looked whether all is well, in ms. */
const LOOK_MS = 1000
/** For so many looks something that is wrong leads to a refresh each time; later only every so many. */
const EAGER_LOOKS = 30
const LATER_LOOKS = 5
/** A periodic refresh is spread over this part of its interval. */
const JITTER = 0.2

export interface RefresherOwner {
  /** Whom to ask now. */
  candidates(): Candidate[]
  /** Takes the layout on. Throws where it cannot be used. */
  apply(layout: Layout): void
  /** A layout was taken on. */
  onKnown(): void
  /** Nobody could tell. */
  onNobody(error: ConnectionError): void
  /** Whether something is wrong that another layout may explain. */
  isBad(): boolean
}

export interface RefresherOptions {
  readonly backoffInitial: number
  readonly backoffMax: number
  /** In ms. */
  readonly refreshInterval: number
}

export class Refresher implements InquiryOwner {
  readonly #owner: RefresherOwner
  readonly #refreshInterval: number
  readonly #backoff: Backoff
  #inquiry: Inquiry | undefined
  #count = 0
  /** Whether anybody has ever told. */
  #isKnown = false
  /** There was a reason for another refresh while one was under way. */
  #isWantedAgain = false
  #timer: NodeJS.Timeout | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #earliest = Number.NEGATIVE_INFINITY
  #lookTimer: NodeJS.Timeout | undefined
  #badLooks = 0
  #keepsAlive = true
  #isStopped = false

  constructor(owner: RefresherOwner, { backoffInitial, backoffMax, refreshInterval }: RefresherOptions) {
    this.#owner = owner
    this.#refreshInterval = refreshInterval
    this.#backoff = new Backoff(backoffInitial, backoffMax)
  }

  /** Whether it is being found out who has which slots. */
  get isAsking(): boolean {
    return this.#inquiry !== undefined
  }

  /** How many inquiries there were. */
  get count(): number {
    return this.#count
  }

  start(): void {
    this.#ask()
  }

  /** Something suggests that what is known is not true any more. */
  refresh(): void {
    if (this.#isStopped || !this.#isKnown) return
    if (this.#inquiry !== undefined) this.#isWantedAgain = true
    else this.#askAt(this.#earliest)
  }

  #ask(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Number.POSITIVE_INFINITY
    if (this.#isStopped || this.#inquiry !== undefined) return
    this.#isWantedAgain = false
    // What is learned at the start may be out of date at once.
    if (this.#count++ > 0) this.#earliest = performance.now() + COOLDOWN_MS
    this.#inquiry = new Inquiry(this.#owner.candidates(), this, this.#keepsAlive)
    this.#inquiry.start()
  }

  apply(layout: Layout): void {
    this.#owner.apply(layout)
  }

  onAnswered(): void {
    this.#inquiry = undefined
    this.#backoff.reset()
    this.#isKnown = true
    this.#plan()
    this.#owner.onKnown()
  }

  onNobody(error: ConnectionError): void {
    this.#inquiry = undefined
    if (this.#isKnown) this.#plan()
    else this.#askAt(performance.now() + this.#backoff.next())
    this.#owner.onNobody(error)
  }

  #plan(): void {
    const now = performance.now()
    if (this.#refreshInterval !== Number.POSITIVE_INFINITY)
      this.#askAt(now + this.#refreshInterval * (1 - JITTER * Math.random()))
    if (this.#isWantedAgain) this.#askAt(this.#earliest)
    this.#lookTimer ??= setInterval(() => this.#look(), LOOK_MS).unref()
  }

  #askAt(time: number): void {
    if (time >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = time
    this.#timer = setTimeout(() => this.#ask(), timerDelay(Math.max(0, time - performance.now())))
    // Once there are nodes, it is their connections that keep the process alive.
    if (!this.#keepsAlive || this.#isKnown) this.#timer.unref()
  }

  #look(): void {
    const isBad = this.#owner.isBad()
    this.#badLooks = isBad ? this.#badLooks + 1 : 0
    if (isBad && (this.#badLooks < EAGER_LOOKS || this.#badLooks % LATER_LOOKS === 0)) this.refresh()
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    this.#inquiry?.keepAlive(keepsAlive)
    if (keepsAlive && !this.#isKnown) this.#timer?.ref()
    else this.#timer?.unref()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    clearInterval(this.#lookTimer)
    this.#inquiry?.cancel()
    this.#inquiry = undefined
  }
}
