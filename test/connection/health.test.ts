import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Health } from "../../src/connection/health.ts"
import { StubRequest } from "./stubs.ts"

const INTERVAL = 1000

/** A connection whose first request was sent at 100 ms, when 50 bytes had come. */
function started(interval = INTERVAL): Health {
  const health = new Health(interval)
  health.start(100, 50)
  return health
}

describe("Health", () => {
  it("gives a connection up an interval after the first request was sent", () => {
    const health = started()
    for (const now of [100, 500, 1100, 5000]) assert.equal(health.due(now, 50, new StubRequest()), 1100)
  })

  it("gives it another interval from when bytes are seen to have come", () => {
    const health = started()
    assert.equal(health.due(600, 51, new StubRequest()), 1600)
    assert.equal(health.due(900, 51, new StubRequest()), 1600)
    assert.equal(health.due(1500, 99, new StubRequest()), 2500)
  })

  it("begins anew when requests are in flight again", () => {
    const health = started()
    health.start(7000, 51)
    assert.equal(health.due(7500, 51, new StubRequest()), 8000)
  })

  it("looks four times within an interval", () => {
    assert.equal(started().lookAfter, 250)
    assert.equal(started(Infinity).lookAfter, Infinity)
  })

  it("never gives up without an interval", () => {
    assert.equal(started(Infinity).due(1e9, 50, new StubRequest()), Infinity)
    assert.equal(started(Infinity).due(1e9, 50, new StubRequest().withTerms(10)), Infinity)
  })

  const rows: readonly (readonly [what: string, request: StubRequest, limit: number])[] = [
    ["usual request", new StubRequest(), 1000],
    ["request without a timeout of its own", new StubRequest().withTerms(undefined), 1000],
    ["request with a shorter timeout", new StubRequest().withTerms(10), 1000],
    ["request with a longer timeout", new StubRequest().withTerms(60_000), 60_000],
    ["request with no end", new StubRequest().withTerms(Infinity), 1000],
    ["blocking request", new StubRequest().withTerms(undefined, 5000), 6000],
    ["blocking request with a timeout", new StubRequest().withTerms(2000, 5000), 7000],
    ["request that blocks for ever", new StubRequest().withTerms(undefined, Infinity), Infinity],
  ]
  for (const [what, request, limit] of rows) {
    it(`gives a ${what} ${limit} ms`, () => assert.equal(started().due(200, 50, request), 100 + limit))
  }

  it("does not wait for a blocking request whose caller has gone", () => {
    const request = new StubRequest().withTerms(undefined, 5000)
    request.fail("gone")
    assert.equal(started().due(200, 50, request), 1100)
  })
})
