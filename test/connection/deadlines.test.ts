import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { Deadlines } from "../../src/connection/deadlines.ts"
import { RequestQueue } from "../../src/connection/queue.ts"
import { StubRequest } from "./stubs.ts"

const USUAL = 100

/** A connection's queue and deadlines, and the same by hand: every request with its own deadline. */
class Both {
  readonly queue = new RequestQueue()
  readonly deadlines: Deadlines
  readonly #usual: number
  #known: { readonly request: StubRequest; deadline: number; isTaken: boolean }[] = []

  constructor(usual = USUAL) {
    this.#usual = usual
    this.deadlines = new Deadlines(this.queue, usual)
  }

  add(request: StubRequest): void {
    this.queue.add(request)
    this.#known.push({ request, deadline: Infinity, isTaken: false })
  }

  /** The clocks of those waiting start without their being sent. */
  startWaiting(now: number): void {
    for (const request of this.queue.unsentRequests()) if (request.since === 0) request.since = now
    this.#startTerms(now)
  }

  send(now: number): void {
    this.queue.markSent(this.queue.unsent, now)
    this.#startTerms(now)
  }

  #startTerms(now: number): void {
    for (const each of this.#known) {
      if (each.deadline !== Infinity || each.request.since === 0) continue
      const { terms, since } = each.request
      if (terms !== undefined) this.deadlines.start(terms, now)
      each.deadline = terms === undefined ? since + this.#usual : now + terms.timeoutMs(this.#usual)
    }
  }

  answer(): void {
    const { oldest } = this.queue
    if (oldest === undefined) return
    if (oldest.terms !== undefined) this.deadlines.stop(oldest.terms)
    oldest.fail("answered")
    this.queue.shift()
  }

  /** A caller has gone: the request settles, and leaves the outbox with the next drop. */
  settle(index: number): void {
    const open = this.#known.map(({ request }) => request).filter(({ isSettled }) => !isSettled)
    const unsent = open.filter(({ isSent }) => !isSent)
    const request = unsent[index % (unsent.length + 1)] ?? open[index % open.length]
    if (request === undefined) return
    request.fail("gone")
    if (request.terms !== undefined) this.deadlines.stop(request.terms)
  }

  drop(): void {
    this.queue.dropSettledUnsent()
    this.deadlines.onRenumbered(this.queue.firstNumber + this.queue.inFlight)
  }

  takeAll(): void {
    for (const request of this.queue.takeAll()) {
      request.fail("lost")
      if (request.terms !== undefined) this.deadlines.stop(request.terms)
    }
  }

  #open(): { readonly request: StubRequest; deadline: number; isTaken: boolean }[] {
    return this.#known.filter(({ request, isTaken }) => !request.isSettled && !isTaken)
  }

  assertDue(now: number): void {
    const expected = this.#open().filter(({ deadline }) => deadline <= now)
    const due = this.deadlines.takeDue(now)
    assert.deepEqual(new Set(due), new Set(expected.map(({ request }) => request)))
    assert.equal(due.length, expected.length)
    for (const each of expected) {
      each.isTaken = true
      each.request.fail("timeout")
    }
  }

  assertNext(): void {
    assert.equal(this.deadlines.next(), Math.min(Infinity, ...this.#open().map(({ deadline }) => deadline)))
  }
}

describe("Deadlines", () => {
  it("are what a look at every request would give", () => {
    const timeout = fc.constantFrom(5, 50, 100, 300, Infinity, undefined)
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ add: fc.constant("usual" as const) }) },
      { weight: 3, arbitrary: fc.record({ add: timeout, blockMs: fc.constantFrom(0, 0, 70, Infinity) }) },
      { weight: 5, arbitrary: fc.constantFrom("send" as const, "wait" as const, "answer" as const) },
      { weight: 2, arbitrary: fc.constantFrom("drop" as const, "drop" as const, "take all" as const) },
      { weight: 2, arbitrary: fc.record({ settle: fc.nat() }) },
      { weight: 6, arbitrary: fc.record({ pass: fc.integer({ min: 1, max: 60 }) }) },
    )
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80, size: "max" }),
        fc.constantFrom(USUAL, Infinity),
        (steps, usual) => {
          const both = new Both(usual)
          let now = 1000
          for (const each of steps) {
            if (each === "send") both.send(now)
            else if (each === "wait") both.startWaiting(now)
            else if (each === "answer") both.answer()
            else if (each === "drop") both.drop()
            else if (each === "take all") both.takeAll()
            else if ("settle" in each) both.settle(each.settle)
            else if ("pass" in each) {
              now += each.pass
              both.assertDue(now)
            } else {
              const request = new StubRequest()
              both.add(
                each.add === "usual"
                  ? request
                  : request.withTerms(each.add, "blockMs" in each ? each.blockMs : 0),
              )
            }
            both.assertNext()
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it("add a block time to the usual timeout only", () => {
    const both = new Both()
    both.add(new StubRequest().withTerms(undefined, 1000))
    both.send(5)
    assert.equal(both.deadlines.next(), 5 + USUAL + 1000)
    both.takeAll()
    both.add(new StubRequest().withTerms(30, 1000))
    both.send(5)
    assert.equal(both.deadlines.next(), 35)
  })

  it("are never for a request that blocks for ever or has no timeout", () => {
    const both = new Both()
    both.add(new StubRequest().withTerms(undefined, Infinity))
    both.add(new StubRequest().withTerms(Infinity))
    both.send(5)
    assert.equal(both.deadlines.next(), Infinity)
    assert.deepEqual(both.deadlines.takeDue(1e12), [])
  })

  it("are not started twice, nor for what has settled", () => {
    const deadlines = new Deadlines(new RequestQueue(), USUAL)
    const request = new StubRequest().withTerms(50)
    const { terms } = request
    assert.ok(terms !== undefined)
    deadlines.start(terms, 10)
    deadlines.start(terms, 20)
    assert.equal(deadlines.next(), 60)
    deadlines.stop(terms)
    deadlines.stop(terms)
    assert.equal(deadlines.next(), Infinity)
    request.fail("gone")
    deadlines.start(terms, 30)
    assert.equal(deadlines.next(), Infinity)
  })
})
