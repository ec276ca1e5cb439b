import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { RequestQueue } from "../../src/connection/queue.ts"
import { StubRequest } from "./stubs.ts"

function requests(count: number): StubRequest[] {
  return Array.from({ length: count }, (_, index) => new StubRequest(String(index)))
}

/** The queue as two plain lists. */
class Model {
  sent: StubRequest[] = []
  unsent: StubRequest[] = []
  firstNumber = 0

  assertSame(queue: RequestQueue): void {
    assert.equal(queue.length, this.sent.length + this.unsent.length)
    assert.equal(queue.inFlight, this.sent.length)
    assert.equal(queue.unsent, this.unsent.length)
    assert.equal(queue.oldest, this.sent[0])
    assert.equal(queue.firstNumber, this.firstNumber)
    const all = [...this.sent, ...this.unsent]
    assert.ok([...queue.sentRequests()].every((request, index) => request === this.sent[index]))
    assert.ok([...queue.unsentRequests()].every((request, index) => request === this.unsent[index]))
    for (let index = -1; index <= all.length; index++) {
      assert.equal(queue.numbered(this.firstNumber + index), all[index])
    }
  }
}

describe("RequestQueue", () => {
  it("is what two lists would be, whatever happens to it", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ add: fc.integer({ min: 1, max: 40 }) }) },
      { weight: 4, arbitrary: fc.record({ send: fc.nat() }) },
      { weight: 5, arbitrary: fc.record({ answer: fc.integer({ min: 1, max: 30 }) }) },
      { weight: 2, arbitrary: fc.record({ settle: fc.array(fc.nat(), { maxLength: 10 }) }) },
      { weight: 2, arbitrary: fc.constant("drop settled" as const) },
      { weight: 1, arbitrary: fc.constant("take in flight" as const) },
      { weight: 1, arbitrary: fc.constant("take all" as const) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
        const queue = new RequestQueue()
        const model = new Model()
        for (const each of steps) {
          if (each === "drop settled") {
            queue.dropSettledUnsent()
            model.unsent = model.unsent.filter(({ isSettled }) => !isSettled)
          } else if (each === "take in flight") {
            assert.deepEqual(queue.takeInFlight(), model.sent)
            model.firstNumber += model.sent.length
            model.sent = []
          } else if (each === "take all") {
            const all = [...model.sent, ...model.unsent]
            assert.deepEqual(queue.takeAll(), all)
            model.firstNumber += all.length
            model.sent = []
            model.unsent = []
          } else if ("add" in each) {
            for (const request of requests(each.add)) {
              queue.add(request)
              model.unsent.push(request)
            }
          } else if ("send" in each) {
            const count = each.send % (model.unsent.length + 1)
            queue.markSent(count, 5)
            model.sent.push(...model.unsent.splice(0, count))
          } else if ("answer" in each) {
            for (let count = Math.min(each.answer, model.sent.length); count > 0; count--) {
              queue.shift()
              model.sent.shift()
              model.firstNumber++
            }
          } else {
            for (const index of each.settle) model.unsent[index % model.unsent.length]?.fail("settled")
          }
          model.assertSame(queue)
        }
      }),
      { numRuns: 200 },
    )
  })

  it("keeps its order while it goes round the ring and grows", () => {
    for (let offset = 0; offset < 16; offset++) {
      const queue = new RequestQueue()
      for (const request of requests(offset)) queue.add(request)
      queue.markSent(offset, 1)
      for (let count = 0; count < offset; count++) queue.shift()
      const many = requests(100)
      for (const request of many) queue.add(request)
      queue.markSent(100, 1)
      for (const request of many) {
        assert.equal(queue.oldest, request)
        queue.shift()
      }
      assert.equal(queue.length, 0)
    }
  })

  it("goes on after a burst of thousands", () => {
    const queue = new RequestQueue()
    for (let round = 0; round < 3; round++) {
      const many = requests(5000)
      for (const request of many) queue.add(request)
      queue.markSent(5000, 1)
      for (const request of many) {
        assert.equal(queue.oldest, request)
        queue.shift()
      }
      assert.equal(queue.oldest, undefined)
      assert.equal(queue.firstNumber, (round + 1) * 5000)
    }
  })

  it("marks requests as sent, and starts the clocks that do not run yet", () => {
    const queue = new RequestQueue()
    const [first, second, third] = requests(3) as [StubRequest, StubRequest, StubRequest]
    for (const request of [first, second, third]) queue.add(request)
    first.since = 7
    queue.markSent(2, 9)
    assert.deepEqual([first.isSent, second.isSent, third.isSent], [true, true, false])
    assert.deepEqual([first.since, second.since, third.since], [7, 9, 0])
    queue.markSent(1, 12)
    assert.deepEqual([first.since, second.since, third.since], [7, 9, 12])
  })

  it("gives no oldest request while none is in flight", () => {
    const queue = new RequestQueue()
    const request = new StubRequest()
    queue.add(request)
    assert.equal(queue.oldest, undefined)
    queue.markSent(1, 1)
    assert.equal(queue.oldest, request)
  })

  it("holds no request that has left", async () => {
    const queue = new RequestQueue()
    for (const request of requests(10)) queue.add(request)
    queue.markSent(10, 1)
    for (let count = 0; count < 10; count++) queue.shift()
    for (let number = -20; number < 20; number++) assert.equal(queue.numbered(number), undefined)
  })
})
