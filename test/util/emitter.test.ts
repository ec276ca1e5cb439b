import assert from "node:assert/strict"
import { describe, it, type TestContext } from "node:test"
import { setImmediate as nextTurn } from "node:timers/promises"
import { Emitter } from "../../src/util/emitter.ts"

interface Events {
  one: number
  other: string
  error: Error
}

/** Keeps what would be thrown on a later tick. */
function laterThrows(t: TestContext): () => unknown[] {
  const later = t.mock.method(globalThis, "setImmediate", () => undefined)
  return () => {
    const thrown: unknown[] = []
    for (const {
      arguments: [callback],
    } of later.mock.calls) {
      try {
        callback?.()
      } catch (error) {
        thrown.push(error)
      }
    }
    return thrown
  }
}

describe("Emitter", () => {
  it("calls the listeners of an event in order, with its payload", () => {
    const emitter = new Emitter<Events>()
    const heard: string[] = []
    emitter.on("one", (value) => heard.push(`first ${value}`))
    emitter.on("other", (value) => heard.push(`other ${value}`))
    emitter.on("one", (value) => heard.push(`second ${value}`))
    emitter.emit("one", 1)
    emitter.emit("other", "a")
    assert.deepEqual(heard, ["first 1", "second 1", "other a"])
  })

  it("calls a listener of once once, also when it emits the event itself", () => {
    const emitter = new Emitter<Events>()
    const heard: number[] = []
    emitter.once("one", (value) => {
      heard.push(value)
      emitter.emit("one", value + 1)
    })
    emitter.emit("one", 1)
    assert.deepEqual(heard, [1])
  })

  it("takes listeners off, also those of once", () => {
    const emitter = new Emitter<Events>()
    const heard: number[] = []
    const listener = (value: number): void => void heard.push(value)
    emitter.on("one", listener)
    emitter.once("one", listener)
    emitter.off("one", listener)
    emitter.off("one", listener)
    emitter.off("one", listener)
    emitter.emit("one", 1)
    assert.deepEqual(heard, [])
  })

  it("calls the other listeners when one throws, and throws on a later tick", (t) => {
    const thrown = laterThrows(t)
    const emitter = new Emitter<Events>()
    const heard: number[] = []
    const [first, second] = [new Error("first"), new Error("second")]
    emitter.on("one", () => {
      throw first
    })
    emitter.once("one", () => {
      throw second
    })
    emitter.on("one", (value) => heard.push(value))
    emitter.emit("one", 1)
    assert.deepEqual(heard, [1])
    assert.deepEqual(thrown(), [first, second])
  })

  it("throws nothing for an event without listeners, whatever its name", () => {
    const emitter = new Emitter<Events>()
    emitter.emit("one", 1)
    emitter.emit("error", new Error("unheard"))
  })

  it("warns of no number of listeners", async (t) => {
    const warned = t.mock.fn()
    process.on("warning", warned)
    t.after(() => process.off("warning", warned))
    const emitter = new Emitter<Events>()
    for (let index = 0; index < 100; index++) emitter.on("one", () => {})
    await nextTurn()
    assert.equal(warned.mock.callCount(), 0)
  })
})
