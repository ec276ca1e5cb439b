import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { type Timed, TimeHeap } from "../../src/util/heap.ts"

function item(deadline: number): Timed {
  return { deadline, heapIndex: -1 }
}

/** Takes everything out in the order in which it is due. */
function drain(heap: TimeHeap<Timed>): number[] {
  const deadlines: number[] = []
  for (let { first } = heap; first !== undefined; first = heap.first) {
    heap.remove(first)
    deadlines.push(first.deadline)
  }
  return deadlines
}

const ascending = (a: number, b: number): number => a - b

describe("TimeHeap", () => {
  it("is empty at first", () => assert.equal(new TimeHeap().first, undefined))

  it("gives items back in the order of their deadlines", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 }), { maxLength: 200, size: "max" }), (deadlines) => {
        const heap = new TimeHeap<Timed>()
        for (const deadline of deadlines) heap.add(item(deadline))
        assert.deepEqual(drain(heap), [...deadlines].sort(ascending))
      }),
    )
  })

  it("is what a sorted list would be, whatever is added, taken out and cleared", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ add: fc.array(fc.nat({ max: 99 }), { maxLength: 12 }) }) },
      { weight: 4, arbitrary: fc.record({ remove: fc.nat() }) },
      { weight: 2, arbitrary: fc.constant("remove first" as const) },
      { weight: 1, arbitrary: fc.constant("remove again" as const) },
      { weight: 1, arbitrary: fc.constant("clear" as const) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: "max" }), (steps) => {
        const heap = new TimeHeap<Timed>()
        let model: Timed[] = []
        const gone: Timed[] = []
        const remove = (one: Timed | undefined): void => {
          if (one === undefined) return
          heap.remove(one)
          model = model.filter((other) => other !== one)
          gone.push(one)
        }
        for (const each of steps) {
          if (each === "clear") {
            heap.clear()
            gone.push(...model)
            model = []
          } else if (each === "remove first") {
            remove(heap.first)
          } else if (each === "remove again") {
            for (const one of gone) heap.remove(one)
          } else if ("add" in each) {
            for (const added of each.add.map(item)) {
              heap.add(added)
              model.push(added)
            }
          } else {
            remove(model[each.remove % model.length])
          }
          assert.equal(heap.first?.deadline, model.map(({ deadline }) => deadline).sort(ascending)[0])
          assert.ok(model.every(({ heapIndex }) => heapIndex >= 0 && heapIndex < model.length))
          assert.ok(gone.every(({ heapIndex }) => heapIndex === -1))
        }
        assert.deepEqual(drain(heap), model.map(({ deadline }) => deadline).sort(ascending))
      }),
    )
  })

  it("takes an item that was taken out before", () => {
    const heap = new TimeHeap<Timed>()
    const one = item(5)
    heap.add(one)
    heap.remove(one)
    one.deadline = 1
    heap.add(one)
    assert.equal(heap.first, one)
  })
})
