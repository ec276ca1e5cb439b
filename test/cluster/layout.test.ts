import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { type Layout, readLayout } from "../../src/cluster/layout.ts"
import { RedixError } from "../../src/errors.ts"

const asked = { host: "asked.example", port: 7000 }

const node = fc
  .tuple(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => ({ host, port }))
const shard = fc
  .record({
    ends: fc.tuple(fc.nat({ max: 16_383 }), fc.nat({ max: 16_383 })),
    primary: node,
    replicas: fc.array(node, { maxLength: 3 }),
  })
  .map(({ ends: [a, b], ...nodes }) => ({ first: Math.min(a, b), last: Math.max(a, b), ...nodes }))

/** The reply of a server that knows this layout. */
function replyOf(layout: Layout): unknown {
  return layout.map(({ first, last, primary, replicas }) => [
    first,
    last,
    ...[primary, ...replicas].map(({ host, port }) => [host, port, "id", []]),
  ])
}

describe("readLayout", () => {
  it("reads what a server says, replicas included", () => {
    fc.assert(
      fc.property(fc.array(shard, { minLength: 1, maxLength: 20 }), (layout) => {
        assert.deepEqual(readLayout(replyOf(layout), asked), layout)
      }),
    )
  })

  it("does without ids and metadata, as old servers do", () => {
    const layout = readLayout([[0, 16_383, ["a", 1], ["b", 2]]], asked)
    assert.deepEqual(layout, [
      { first: 0, last: 16_383, primary: { host: "a", port: 1 }, replicas: [{ host: "b", port: 2 }] },
    ])
  })

  it("takes the host that was asked where none is told", () => {
    for (const host of [null, "", "?"]) {
      const [only] = readLayout([[0, 1, [host, 7001], [host, 7002]]], asked)
      assert.deepEqual(only?.primary, { host: "asked.example", port: 7001 })
      assert.deepEqual(only?.replicas, [{ host: "asked.example", port: 7002 }])
    }
  })

  it("refuses a reply of another form, and one without slots", () => {
    const one = ["a", 1]
    for (const reply of [
      undefined,
      null,
      "OK",
      {},
      [],
      [null],
      [[]],
      [[0, 16_383]],
      [[0, 16_384, one]],
      [[-1, 5, one]],
      [[6, 5, one]],
      [[0.5, 5, one]],
      [["0", "5", one]],
      [[0, 5, "a:1"]],
      [[0, 5, []]],
      [[0, 5, ["a"]]],
      [[0, 5, ["a", "1"]]],
      [[0, 5, ["a", 0]]],
      [[0, 5, ["a", 65_536]]],
      [[0, 5, [1, 1]]],
      [[0, 5, [undefined, 1]]],
      [[0, 5, one, ["b"]]],
      [
        [0, 5, one],
        [6, 7],
      ],
    ])
      assert.throws(() => readLayout(reply, asked), RedixError, JSON.stringify(reply))
  })

  it("never throws anything else, whatever a server makes up", () => {
    fc.assert(
      fc.property(fc.anything(), (reply) => {
        try {
          readLayout(reply, asked)
        } catch (error) {
          assert.ok(error instanceof RedixError)
        }
      }),
    )
  })
})
