import assert from "node:assert/strict"
import { getEventListeners } from "node:events"
import { describe, it } from "node:test"
import { setImmediate } from "node:timers/promises"
import { type Abortable, forgetAbort, onAbort } from "../../src/util/abort.ts"

class Thing implements Abortable {
  readonly reasons: unknown[] = []
  #then: () => void

  constructor(then: () => void = () => {}) {
    this.#then = then
  }

  onAbort(reason: unknown): void {
    this.reasons.push(reason)
    this.#then()
  }
}

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length

describe("onAbort", () => {
  it("tells everything that waits, once, with the reason", () => {
    const controller = new AbortController()
    const things = [new Thing(), new Thing(), new Thing()]
    for (const thing of things) onAbort(controller.signal, thing)
    controller.abort("why")
    controller.abort("again")
    assert.deepEqual(
      things.map(({ reasons }) => reasons),
      [["why"], ["why"], ["why"]],
    )
    assert.equal(listeners(controller.signal), 0)
  })

  it("tells nothing that was forgotten", () => {
    const controller = new AbortController()
    const [kept, forgotten] = [new Thing(), new Thing()]
    onAbort(controller.signal, kept)
    onAbort(controller.signal, forgotten)
    forgetAbort(controller.signal, forgotten)
    controller.abort("why")
    assert.deepEqual([kept.reasons, forgotten.reasons], [["why"], []])
  })

  it("tells nothing that another thing forgets when it is told", () => {
    const controller = new AbortController()
    const later = new Thing()
    onAbort(controller.signal, new Thing(() => forgetAbort(controller.signal, later)))
    onAbort(controller.signal, later)
    controller.abort("why")
    assert.deepEqual(later.reasons, [])
  })

  it("has one listener for however many things, none when all are forgotten, and warns of nothing", async (t) => {
    const warned = t.mock.fn()
    process.on("warning", warned)
    t.after(() => process.off("warning", warned))
    const controller = new AbortController()
    const things = Array.from({ length: 1000 }, () => new Thing())
    for (let round = 0; round < 2; round++) {
      for (const thing of things) onAbort(controller.signal, thing)
      assert.equal(listeners(controller.signal), 1)
      for (const thing of things.slice(1)) forgetAbort(controller.signal, thing)
      assert.equal(listeners(controller.signal), 1)
      for (const thing of things) forgetAbort(controller.signal, thing)
      assert.equal(listeners(controller.signal), 0)
    }
    await setImmediate()
    assert.equal(warned.mock.callCount(), 0)
  })

  it("takes a thing that waits for several signals, or that is added twice", () => {
    const [one, other] = [new AbortController(), new AbortController()]
    const thing = new Thing()
    onAbort(one.signal, thing)
    onAbort(one.signal, thing)
    onAbort(other.signal, thing)
    one.abort(1)
    other.abort(2)
    assert.deepEqual(thing.reasons, [1, 2])
  })
})

describe("forgetAbort", () => {
  it("does nothing for what does not wait", () => {
    const controller = new AbortController()
    const [waiting, stranger] = [new Thing(), new Thing()]
    forgetAbort(controller.signal, stranger)
    onAbort(controller.signal, waiting)
    forgetAbort(controller.signal, stranger)
    assert.equal(listeners(controller.signal), 1)
    controller.abort()
    forgetAbort(controller.signal, waiting)
    assert.equal(waiting.reasons.length, 1)
  })

  it("may be done by a thing that is just told", () => {
    const controller = new AbortController()
    const thing: Thing = new Thing(() => forgetAbort(controller.signal, thing))
    const next = new Thing()
    onAbort(controller.signal, thing)
    onAbort(controller.signal, next)
    controller.abort("why")
    assert.deepEqual([thing.reasons, next.reasons], [["why"], ["why"]])
  })
})
