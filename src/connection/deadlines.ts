/**
 * Which requests are past their deadline. Those with the usual timeout expire in the order of the queue, so a pointer
 * to the oldest unexpired one is enough; the others are in a heap. Has no timer: it is asked.
 */

import { TimeHeap } from "../util/heap.ts"
import type { RequestQueue } from "./queue.ts"
import type { Request, RequestTerms } from "./request.ts"

export class Deadlines {
  readonly #queue: RequestQueue
  readonly #usualTimeout: number
  /** Made for the first request with a timeout of its own: many connections never have one. */
  #heap: TimeHeap<RequestTerms> | undefined
  /** The number of the first request that was not seen to be past its deadline. */
  #pointer = 0

  constructor(queue: RequestQueue, usualTimeout: number) {
    this.#queue = queue
    this.#usualTimeout = usualTimeout
  }

  /** The clock of a request that has terms runs. */
  start(terms: RequestTerms, since: number): void {
    if (terms.heapIndex >= 0 || terms.request.isSettled) return
    terms.deadline = since + terms.timeoutMs(this.#usualTimeout) - terms.waitedMs
    if (terms.deadline === Number.POSITIVE_INFINITY) return
    this.#heap ??= new TimeHeap()
    this.#heap.add(terms)
  }

  /** A request that has terms needs no deadline any more. */
  stop(terms: RequestTerms): void {
    this.#heap?.remove(terms)
  }

  /** Requests of the outbox were taken out: the numbers of those after them have changed. */
  onRenumbered(firstUnsent: number): void {
    this.#pointer = Math.min(this.#pointer, firstUnsent)
  }

  /** When the next request is due. */
  next(): number {
    const usual = this.#advance(Number.NEGATIVE_INFINITY, undefined)
    return Math.min(usual, this.#heap?.first?.deadline ?? Number.POSITIVE_INFINITY)
  }

  /** Takes the requests whose deadline has passed. */
  takeDue(now: number): Request[] {
    const due: Request[] = []
    this.#advance(now, due)
    this.#takeFromHeap(now, due)
    return due
  }

  #takeFromHeap(now: number, due: Request[]): void {
    for (;;) {
      const terms = this.#heap?.first
      if (terms === undefined || terms.deadline > now) return
      this.stop(terms)
      due.push(terms.request)
    }
  }

  /**
   * Moves the pointer past the requests that need no deadline and past those due, which go into `due`; returns the
   * deadline of the one at which it stops.
   */
  #advance(now: number, due: Request[] | undefined): number {
    const queue = this.#queue
    this.#pointer = Math.max(this.#pointer, queue.firstNumber)
    for (
      let request = queue.numbered(this.#pointer);
      request !== undefined;
      request = queue.numbered(++this.#pointer)
    ) {
      if (request.isSettled || request.terms !== undefined) continue
      if (request.since === 0) break
      const deadline = request.since + this.#usualTimeout
      if (deadline > now || due === undefined) return deadline
      due.push(request)
    }
    return Number.POSITIVE_INFINITY
  }
}
