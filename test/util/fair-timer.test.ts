import assert from "node:assert/strict"
import { describe, it, type TestContext } from "node:test"
import { FairTimer, type FairTimerOwner } from "../../src/util/fair-timer.ts"
import { Clock } from "./clock.ts"

/** An owner with one thing that is due at a given time, and notes when it was told so. */
class Owner implements FairTimerOwner {
  due = Infinity
  look = Infinity
  bytes = 0
  looks = 0
  readonly told: number[] = []

  nextDue(): number {
    this.looks++
    return this.due
  }

  nextLook(): number {
    return this.look
  }

  onDue(): void {
    this.told.push(performance.now())
    this.due = Infinity
  }

  progress(): number {
    return this.bytes
  }
}

interface Setting {
  readonly clock: Clock
  readonly owner: Owner
  readonly timer: FairTimer
}

/** A timer at 1000 ms whose owner has something due at `due`. */
function startedAt1000(t: TestContext, due: number): Setting {
  const clock = new Clock(t)
  const owner = new Owner()
  const timer = new FairTimer(owner, true)
  owner.due = due
  timer.ensure(due)
  return { clock, owner, timer }
}

describe("FairTimer", () => {
  it("tells its owner when something is due, and not before", (t) => {
    const { clock, owner } = startedAt1000(t, 1100)
    clock.passUntil(1099)
    assert.deepEqual(owner.told, [])
    clock.passUntil(1105)
    assert.equal(owner.told.length, 1)
    assert.ok((owner.told[0] ?? 0) <= 1102, `told at ${owner.told[0]}`)
    clock.passUntil(5000)
    assert.equal(owner.told.length, 1)
  })

  it("tells at once what was due before it was asked", (t) => {
    const { clock, owner } = startedAt1000(t, 990)
    clock.passUntil(1005)
    assert.equal(owner.told.length, 1)
  })

  it("fires at the earliest of the times that were ensured", (t) => {
    const { clock, owner, timer } = startedAt1000(t, 1500)
    timer.ensure(1200)
    timer.ensure(1300)
    owner.due = 1200
    clock.passUntil(1205)
    assert.equal(owner.told.length, 1)
  })

  it("looks on when nothing is due after all", (t) => {
    const { clock, owner } = startedAt1000(t, 1100)
    owner.due = 1400
    clock.passUntil(1399)
    assert.deepEqual(owner.told, [])
    clock.passUntil(1405)
    assert.equal(owner.told.length, 1)
  })

  it("looks again when its owner wants to be asked, although nothing is due", (t) => {
    const { clock, owner } = startedAt1000(t, 1100)
    owner.due = 9000
    owner.look = 1300
    clock.passUntil(1299)
    const { looks } = owner
    owner.due = 1250
    clock.passUntil(1310)
    assert.ok(owner.looks > looks)
    clock.passUntil(1400)
    assert.equal(owner.told.length, 1)
  })

  it("tells nothing once it is stopped, and may be used again", (t) => {
    const { clock, owner, timer } = startedAt1000(t, 1100)
    clock.passUntil(1050)
    timer.stop()
    clock.passUntil(2000)
    assert.deepEqual(owner.told, [])
    owner.due = 2100
    timer.ensure(2100)
    clock.passUntil(2105)
    assert.equal(owner.told.length, 1)
  })

  it("sleeps when nothing is due ever", (t) => {
    const { clock, owner } = startedAt1000(t, 1100)
    owner.due = Infinity
    clock.passUntil(1101)
    const { looks } = owner
    clock.passUntil(3000)
    assert.equal(owner.looks, looks)
    assert.deepEqual(owner.told, [])
  })

  it("looks now and then on the way to what is far, however far", (t) => {
    const delays: unknown[] = []
    t.mock.method(globalThis, "setTimeout", (_: unknown, delay: unknown) => {
      delays.push(delay)
      return { ref: () => {}, unref: () => {} }
    })
    new FairTimer(new Owner(), true).ensure(performance.now() + 2 ** 40)
    assert.deepEqual(delays, [500])
  })

  it("waits for whole ms, and for one at least", (t) => {
    const delays: unknown[] = []
    t.mock.method(performance, "now", () => 1000.25)
    t.mock.method(globalThis, "setTimeout", (_: unknown, delay: unknown) => {
      delays.push(delay)
      return { ref: () => {}, unref: () => {} }
    })
    for (const at of [1001, 1000.5, 900, -5, 1002.5]) new FairTimer(new Owner(), true).ensure(at)
    assert.deepEqual(delays, [1, 1, 1, 1, 3])
  })

  it("keeps the process alive or not, as it was told last", (t) => {
    const calls: string[] = []
    t.mock.method(globalThis, "setTimeout", () => ({
      ref: () => calls.push("ref"),
      unref: () => calls.push("unref"),
    }))
    t.mock.method(globalThis, "clearTimeout", () => undefined)
    const timer = new FairTimer(new Owner(), true)
    const now = performance.now()
    timer.ensure(now + 1600)
    assert.deepEqual(calls, [])
    timer.keepAlive(false)
    timer.ensure(now + 200)
    timer.keepAlive(true)
    timer.ensure(now + 20)
    assert.deepEqual(calls, ["unref", "unref", "ref"])
    timer.stop()
    timer.keepAlive(false)
    timer.ensure(now + 1600)
    assert.deepEqual(calls, ["unref", "unref", "ref", "unref"])
  })
})

describe("FairTimer after the event loop was blocked", () => {
  // The timer first looks at 1025, a quarter on the way to 1100: from then on it was blocked, for 475 ms.
  it("does not count that time, and tells what is due once nothing has come for 50 ms", (t) => {
    const { clock, owner, timer } = startedAt1000(t, 1100)
    clock.blockUntil(1500)
    assert.equal(timer.now(), 1025)
    clock.passUntil(1575)
    assert.deepEqual(owner.told, [])
    clock.passUntil(1620)
    assert.deepEqual(owner.told, [])
    clock.passUntil(1640)
    assert.equal(owner.told.length, 1)
  })

  it("does not count the time of many short blocks either", (t) => {
    const { clock, owner } = startedAt1000(t, 1100)
    for (let end = 1100; end <= 2500; end += 100) {
      clock.blockUntil(end)
      owner.bytes++
    }
    assert.deepEqual(owner.told, [])
    clock.passUntil(5000)
    assert.equal(owner.told.length, 1)
  })

  it("waits while bytes arrive, but no longer than it was blocked", (t) => {
    const { clock, owner } = startedAt1000(t, 1100)
    clock.blockUntil(1500)
    while (owner.told.length === 0 && clock.now < 5000) {
      owner.bytes++
      clock.passUntil(clock.now + 10)
    }
    const [told = 0] = owner.told
    assert.ok(told >= 1975 && told <= 2035, `told at ${told}`)
  })

  it("tells nothing when what was due has been answered meanwhile", (t) => {
    const { clock, owner } = startedAt1000(t, 1100)
    clock.blockUntil(1500)
    owner.bytes++
    owner.due = 1700
    clock.passUntil(2174)
    assert.deepEqual(owner.told, [])
    clock.passUntil(2190)
    assert.equal(owner.told.length, 1)
  })

  it("takes a lateness of up to 20 ms for nothing special", (t) => {
    const { clock, owner } = startedAt1000(t, 1100)
    clock.passUntil(1099)
    clock.blockUntil(1118)
    clock.passUntil(1122)
    assert.equal(owner.told.length, 1)
  })

  it("tells nothing once it is stopped", (t) => {
    const { clock, owner, timer } = startedAt1000(t, 1100)
    clock.blockUntil(1500)
    clock.passUntil(1520)
    timer.stop()
    clock.passUntil(3000)
    assert.deepEqual(owner.told, [])
  })

  it("tells what is due however often it is asked to look meanwhile", (t) => {
    const { clock, owner, timer } = startedAt1000(t, 1100)
    clock.blockUntil(1500)
    while (owner.told.length === 0 && clock.now < 5000) {
      timer.ensure(owner.due)
      clock.passUntil(clock.now + 10)
    }
    const [told = Infinity] = owner.told
    assert.ok(told <= 1960, `told at ${told}`)
  })
})
