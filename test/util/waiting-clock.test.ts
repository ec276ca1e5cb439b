/** The clock of those who wait: it tells when, and has no timer while nobody waits. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Timed } from "../../src/util/heap.ts"
import { WaitingClock } from "../../src/util/waiting-clock.ts"
import { Clock } from "./clock.ts"

const waiter = (): Timed => ({ deadline: Number.POSITIVE_INFINITY, heapIndex: -1 })

describe("WaitingClock", () => {
  test("tells of each when its time is over, the soonest first", (t) => {
    const time = new Clock(t)
    const told: [Timed, number][] = []
    const clock = new WaitingClock<Timed>(
      (waiting) => told.push([waiting, time.now]),
      () => 0,
    )
    const [late, soon, never] = [waiter(), waiter(), waiter()]
    clock.start(late, 200)
    clock.start(soon, 50)
    clock.start(never, Number.POSITIVE_INFINITY)
    time.passUntil(2000)
    assert.deepEqual(
      told.map(([each]) => each),
      [soon, late],
    )
    for (const [, at] of told) assert.ok(at >= 1050)
    assert.equal(time.pending, 0)
  })

  test("has no timer while nobody waits, and a new one for the next", (t) => {
    const time = new Clock(t)
    const told: Timed[] = []
    const clock = new WaitingClock<Timed>(
      (waiting) => told.push(waiting),
      () => 0,
    )
    const [first, second, next] = [waiter(), waiter(), waiter()]
    clock.start(first, 5000)
    clock.start(second, 5000)
    clock.stop(first)
    assert.equal(time.pending, 1)
    clock.stop(second)
    assert.equal(time.pending, 0)
    clock.start(next, 10)
    time.passUntil(1100)
    assert.deepEqual(told, [next])
  })
})
