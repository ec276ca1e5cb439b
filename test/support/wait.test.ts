import assert from "node:assert/strict"
import { EventEmitter } from "node:events"
import { describe, it } from "node:test"
import { once, until } from "../../support/wait.ts"

describe("until", () => {
  it("returns the first truthy value", async () => {
    let calls = 0
    assert.equal(await until(() => ++calls >= 3 && `after ${calls}`, { interval: 1 }), "after 3")
  })

  it("fails with the message at its deadline", async () => {
    const waiting = until(() => undefined, { timeout: 10, message: () => "a miracle" })
    await assert.rejects(waiting, /waited 10 ms in vain for: a miracle/)
  })

  it("passes on what the condition throws", async () => {
    const waiting = until(() => Promise.reject(new RangeError("no")))
    await assert.rejects(waiting, RangeError)
  })
})

describe("once", () => {
  it("returns the values of the event", async () => {
    const emitter = new EventEmitter()
    setImmediate(() => emitter.emit("ready", 1, "two"))
    assert.deepEqual(await once(emitter, "ready"), [1, "two"])
  })

  it("fails at its deadline", async () => {
    await assert.rejects(once(new EventEmitter(), "ready", { timeout: 10 }), /in vain for event: ready/)
  })
})
