import assert from "node:assert/strict"
import { getEventListeners } from "node:events"
import { describe, it } from "node:test"
import { Waiters } from "../../src/connection/waiters.ts"
import { ConnectionError } from "../../src/errors.ts"
import { Clock } from "../util/clock.ts"

/** What became of a promise; asked for before anything can happen to it. */
async function outcome(promise: Promise<void>): Promise<unknown> {
  try {
    await promise
    return "resolved"
  } catch (error) {
    return error
  }
}

describe("Waiters", () => {
  it("all resolve when the connection stands", async () => {
    const waiters = new Waiters()
    const outcomes = [1, 2, 3].map(() => outcome(waiters.wait(Infinity, undefined)))
    waiters.resolveAll()
    waiters.rejectAll(new Error("too late"))
    assert.deepEqual(await Promise.all(outcomes), ["resolved", "resolved", "resolved"])
  })

  it("all reject with the reason why it has ended", async () => {
    const waiters = new Waiters()
    const outcomes = [1, 2].map(() => outcome(waiters.wait(Infinity, undefined)))
    const error = new Error("ended")
    waiters.rejectAll(error)
    waiters.resolveAll()
    assert.deepEqual(await Promise.all(outcomes), [error, error])
  })

  it("do not wait for longer than they said", async (t) => {
    const clock = new Clock(t)
    const waiters = new Waiters()
    const outcomes = [100, 300].map((timeout) => outcome(waiters.wait(timeout, undefined)))
    clock.passUntil(1150)
    waiters.resolveAll()
    const [first, second] = await Promise.all(outcomes)
    assert.ok(first instanceof ConnectionError)
    assert.deepEqual(
      [first.reason, first.message, second],
      ["timeout", "not connected within 100 ms", "resolved"],
    )
  })

  it("start no timer when they wait for ever, and leave none", async (t) => {
    const timer = { unref: () => timer, toString: () => "timer" }
    const started = t.mock.method(globalThis, "setTimeout", () => timer)
    const stopped = t.mock.method(globalThis, "clearTimeout", () => undefined)
    const waiters = new Waiters()
    const outcomes = [outcome(waiters.wait(Infinity, undefined)), outcome(waiters.wait(50, undefined))]
    waiters.resolveAll()
    await Promise.all(outcomes)
    assert.deepEqual(
      started.mock.calls.map(({ arguments: [, delay] }) => delay),
      [50],
    )
    assert.ok(stopped.mock.calls.some(({ arguments: [timer] }) => String(timer) === "timer"))
  })

  it("reject with the reason of their signal", async () => {
    const waiters = new Waiters()
    const controller = new AbortController()
    const outcomes = [
      outcome(waiters.wait(Infinity, controller.signal)),
      outcome(waiters.wait(60_000, controller.signal)),
      outcome(waiters.wait(Infinity, undefined)),
    ]
    controller.abort("why")
    waiters.resolveAll()
    assert.deepEqual(await Promise.all(outcomes), ["why", "why", "resolved"])
    assert.equal(await outcome(waiters.wait(Infinity, controller.signal)), "why")
  })

  it("leave nothing on their signal", async () => {
    const waiters = new Waiters()
    const { signal } = new AbortController()
    const outcomes = Array.from({ length: 20 }, () => outcome(waiters.wait(Infinity, signal)))
    assert.equal(getEventListeners(signal, "abort").length, 1)
    waiters.resolveAll()
    await Promise.all(outcomes)
    assert.equal(getEventListeners(signal, "abort").length, 0)
  })

  it("may wait again from within", async () => {
    const waiters = new Waiters()
    const again = waiters.wait(Infinity, undefined).then(() => waiters.wait(Infinity, undefined))
    const last = outcome(again)
    waiters.resolveAll()
    await Promise.resolve()
    await Promise.resolve()
    waiters.rejectAll("second")
    assert.equal(await last, "second")
  })
})
