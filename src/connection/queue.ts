/**
 * The requests of a connection in the order of their bytes: first those in flight (sent, so the next reply is for the
 * oldest of them), then the outbox (not sent yet). Knows neither bytes nor sockets.
 *
 * One growing ring for both, so that a request is put in and taken out once each.
 */

import type { Request } from "./request.ts"

const SMALLEST_RING = 16

export class RequestQueue {
  #ring: Array<Request | undefined> = new Array<Request | undefined>(SMALLEST_RING)
  #head = 0
  #length = 0
  /** How many of them, from the oldest, are in flight. */
  #inFlight = 0
  /** How many requests have left at the head: the oldest has this number. */
  #firstNumber = 0
  /** How many have left from elsewhere. */
  #dropped = 0

  /** How many there are, those that have settled and wait for their reply included. */
  get length(): number {
    return this.#length
  }

  /** How many requests are not in it any more. */
  get left(): number {
    return this.#firstNumber + this.#dropped
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get unsent(): number {
    return this.#length - this.#inFlight
  }

  /** The number of the oldest request; each one keeps its number while only requests before it leave. */
  get firstNumber(): number {
    return this.#firstNumber
  }

  /** The oldest request in flight, which the next reply is for. */
  get oldest(): Request | undefined {
    return this.#inFlight > 0 ? this.#ring[this.#head] : undefined
  }

  /** The request with the given number. */
  numbered(number: number): Request | undefined {
    const index = number - this.#firstNumber
    return index >= 0 && index < this.#length ? this.#at(index) : undefined
  }

  /** Adds a request to the end of the outbox. */
  add(request: Request): void {
    if (this.#length === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = request
    this.#length++
  }

  /** Takes out the oldest request: its last reply has come. */
  shift(): void {
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#length--
    this.#inFlight--
    this.#firstNumber++
    if (this.#length === 0 && this.#ring.length > 4096) this.#shrink()
  }

  /** Starts the clocks of all requests that have none. */
  startClocks(now: number): void {
    for (let index = this.#length - 1; index >= 0; index--) {
      const request = this.#at(index)
      // Clocks start in order: before one that runs, all do.
      if (request === undefined || request.since !== 0) return
      request.since = now
    }
  }

  /** Moves the first `count` requests of the outbox in flight; their clocks start now unless they have. */
  markSent(count: number, now: number): void {
    const end = this.#inFlight + count
    for (let index = this.#inFlight; index < end; index++) {
      const request = this.#at(index)
      if (request === undefined) continue
      request.markSent()
      if (request.since === 0) request.since = now
    }
    this.#inFlight = end
  }

  /** The requests in flight, oldest first. */
  *sentRequests(): Generator<Request> {
    yield* this.#between(0, this.#inFlight)
  }

  /** The requests of the outbox, oldest first. */
  *unsentRequests(): Generator<Request> {
    yield* this.#between(this.#inFlight, this.#length)
  }

  /** Takes those requests out of the outbox that have settled. */
  dropSettledUnsent(): void {
    const kept = [...this.unsentRequests()].filter((request) => !request.isSettled)
    for (let index = this.#inFlight; index < this.#length; index++) this.#set(index, undefined)
    this.#dropped += this.#length - this.#inFlight - kept.length
    this.#length = this.#inFlight
    for (const request of kept) this.add(request)
  }

  /** Takes out all requests; returns them, oldest first. */
  takeAll(): Request[] {
    return [...this.takeInFlight(), ...this.#takeUnsent()]
  }

  /** Takes out the requests in flight only; returns them, oldest first. */
  takeInFlight(): Request[] {
    const sent = [...this.sentRequests()]
    for (const _ of sent) this.shift()
    return sent
  }

  #takeUnsent(): Request[] {
    const unsent = [...this.unsentRequests()]
    this.#firstNumber += this.#length
    this.#ring = new Array<Request | undefined>(SMALLEST_RING)
    this.#head = 0
    this.#length = 0
    return unsent
  }

  *#between(from: number, to: number): Generator<Request> {
    for (let index = from; index < to; index++) {
      const request = this.#at(index)
      if (request !== undefined) yield request
    }
  }

  #at(index: number): Request | undefined {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)]
  }

  #set(index: number, request: Request | undefined): void {
    this.#ring[(this.#head + index) & (this.#ring.length - 1)] = request
  }

  #grow(): void {
    const ring = new Array<Request | undefined>(this.#ring.length * 2)
    for (let index = 0; index < this.#length; index++) ring[index] = this.#at(index)
    this.#ring = ring
    this.#head = 0
  }

  /** After a burst, the memory of the ring goes back. */
  #shrink(): void {
    this.#ring = new Array<Request | undefined>(SMALLEST_RING)
    this.#head = 0
  }
}
