import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { Backoff } from "../../src/connection/backoff.ts"

describe("Backoff", () => {
  const rows: readonly (readonly [initial: number, max: number, waits: readonly number[]])[] = [
    [500, 30_000, [500, 750, 1125, 1687.5, 2531.25]],
    [500, 1000, [500, 750, 1000, 1000]],
    [500, 500, [500, 500]],
    [2000, 1000, [1000, 1000]],
    [500, Infinity, [500, 750, 1125]],
    [0, 1000, [0, 0]],
  ]

  for (const [initial, max, waits] of rows) {
    it(`waits ${waits.join(", ")} ms at most, for ${initial} to ${max}`, (t) => {
      t.mock.method(Math, "random", () => 1)
      const backoff = new Backoff(initial, max)
      assert.deepEqual(
        waits.map(() => backoff.next()),
        waits,
      )
    })
  }

  it("waits half of that at least", (t) => {
    t.mock.method(Math, "random", () => 0)
    const backoff = new Backoff(500, 1000)
    assert.deepEqual([backoff.next(), backoff.next(), backoff.next(), backoff.next()], [250, 375, 500, 500])
  })

  it("begins anew after a success", (t) => {
    t.mock.method(Math, "random", () => 1)
    const backoff = new Backoff(500, 1000)
    for (let attempt = 0; attempt < 5; attempt++) backoff.next()
    backoff.reset()
    assert.deepEqual([backoff.next(), backoff.next()], [500, 750])
    backoff.reset()
    assert.equal(backoff.next(), 500)
  })

  it("stays within its bounds for any options and any number of attempts", () => {
    const ms = fc.integer({ min: 1, max: 1e6 })
    fc.assert(
      fc.property(ms, ms, fc.integer({ min: 1, max: 200 }), (initial, max, attempts) => {
        const backoff = new Backoff(initial, max)
        let most = Math.min(initial, max)
        for (let attempt = 0; attempt < attempts; attempt++) {
          const wait = backoff.next()
          assert.ok(wait >= most / 2 && wait <= most, `${wait} of ${most}`)
          most = Math.min(most * 1.5, max)
        }
      }),
    )
  })

  it("spreads the waits", () => {
    const waits = Array.from({ length: 100 }, () => new Backoff(1000, 1000).next())
    assert.ok(new Set(waits).size > 50)
  })
})
