/** The map is what a plain list of 16384 owners would be, whatever happens to it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import type { ClusterNode } from "../../src/cluster/node.ts"
import { SlotMap, type SlotRange } from "../../src/cluster/slot-map.ts"

const SLOTS = 16_384

/** The map looks at nothing of a node: who it is is enough. */
const nodes = Array.from({ length: 5 }, (_, index) => ({ address: `node:${index}` }) as ClusterNode)

function nodeAt(index: number): ClusterNode {
  const node = nodes[index]
  assert.ok(node)
  return node
}

/** As a layout is read: the ranges of one primary share its shard. */
function ranges(cuts: readonly (readonly [length: number, owner: number | undefined])[]): SlotRange[] {
  const shards = nodes.map((primary) => ({ primary, replicas: [] }))
  const found: SlotRange[] = []
  let first = 0
  for (const [length, owner] of cuts) {
    const last = Math.min(first + length, SLOTS) - 1
    const shard = owner === undefined ? undefined : shards[owner]
    if (shard !== undefined && first <= last) found.push({ first, last, shard })
    first = last + 1
  }
  return found
}

const owner = fc.nat({ max: nodes.length - 1 })
const cuts = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 6000 }), fc.option(owner, { nil: undefined, freq: 4 })),
  { maxLength: 12 },
)
const step = fc.oneof(
  fc.record({ replace: cuts }),
  fc.record({ assign: fc.nat({ max: SLOTS - 1 }), to: owner }),
)

describe("SlotMap", () => {
  it("knows nothing at first", () => {
    const map = new SlotMap()
    assert.equal(map.isKnown, false)
    assert.equal(map.at(0), undefined)
    assert.deepEqual([...map.shards], [])
  })

  it("is what a list of owners would be", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const map = new SlotMap()
        map.replace([])
        let model = new Array<ClusterNode | undefined>(SLOTS).fill(undefined)
        for (const each of steps) {
          if ("replace" in each) {
            const list = ranges(each.replace)
            map.replace(list)
            model = new Array<ClusterNode | undefined>(SLOTS).fill(undefined)
            for (const { first, last, shard } of list) model.fill(shard.primary, first, last + 1)
          } else {
            map.assign(each.assign, nodeAt(each.to))
            model[each.assign] = nodeAt(each.to)
          }
        }
        assert.equal(map.isKnown, true)
        for (let slot = 0; slot < SLOTS; slot++)
          if (map.at(slot)?.primary !== model[slot]) assert.fail(`slot ${slot}`)
        const primaries = [...map.shards].map(({ primary }) => primary)
        assert.equal(new Set(primaries).size, primaries.length, "each shard once")
        for (const has of new Set(model)) if (has !== undefined) assert.ok(primaries.includes(has))
      }),
      { numRuns: 50 },
    )
  })

  it("keeps the replicas of a primary that is given another slot", () => {
    const map = new SlotMap()
    const [primary, replica, other] = [nodeAt(0), nodeAt(1), nodeAt(2)]
    map.replace([
      { first: 0, last: 99, shard: { primary, replicas: [replica] } },
      { first: 100, last: SLOTS - 1, shard: { primary: other, replicas: [] } },
    ])
    map.assign(100, primary)
    assert.deepEqual(map.at(100)?.replicas, [replica])
    assert.equal(map.at(101)?.primary, other)
  })

  it("gives slots that two ranges cover to the later one, and those that none covers to nobody", () => {
    const map = new SlotMap()
    const [one, two] = [nodeAt(0), nodeAt(1)]
    map.replace([
      { first: 0, last: 199, shard: { primary: one, replicas: [] } },
      { first: 100, last: 299, shard: { primary: two, replicas: [] } },
      { first: SLOTS - 1, last: SLOTS - 1, shard: { primary: one, replicas: [] } },
    ])
    const owners = [0, 99, 100, 299, 300, SLOTS - 2, SLOTS - 1].map((slot) => map.at(slot)?.primary)
    assert.deepEqual(owners, [one, one, two, two, undefined, undefined, one])
    map.replace([{ first: 0, last: 0, shard: { primary: two, replicas: [] } }])
    assert.deepEqual(
      [0, 1, 100, SLOTS - 1].map((slot) => map.at(slot)?.primary),
      [two, undefined, undefined, undefined],
    )
    assert.deepEqual(
      [...map.shards].map(({ primary }) => primary),
      [two],
    )
  })

  it("gives a slot that is none to nobody", () => {
    const map = new SlotMap()
    map.replace([{ first: 0, last: SLOTS - 1, shard: { primary: nodeAt(0), replicas: [] } }])
    for (const slot of [-1, -2, SLOTS, 65_536, 0.5, Number.NaN]) assert.equal(map.at(slot), undefined)
  })

  it("takes an assignment before anything else is known", () => {
    const map = new SlotMap()
    map.assign(5, nodeAt(0))
    assert.equal(map.isKnown, true)
    assert.equal(map.at(5)?.primary, nodeAt(0))
    assert.equal(map.at(6), undefined)
  })

  it("takes as many assignments and layouts as come, each slot with a shard of its own", () => {
    const map = new SlotMap()
    const own = Array.from({ length: SLOTS }, (_, slot) => ({ address: `node:${slot}` }) as ClusterNode)
    const all = own.map((primary, slot) => ({ first: slot, last: slot, shard: { primary, replicas: [] } }))
    for (let round = 0; round < 6; round++) {
      map.replace(all)
      for (let slot = 0; slot < SLOTS; slot++) map.assign(slot, own[SLOTS - 1 - slot] ?? nodeAt(0))
      for (let slot = 0; slot < SLOTS; slot++)
        if (map.at(slot)?.primary !== own[SLOTS - 1 - slot]) assert.fail(`slot ${slot}`)
    }
    assert.equal([...map.shards].length, SLOTS)
  })

  it("is known, though nobody has anything, once it was told so", () => {
    const map = new SlotMap()
    map.replace([])
    assert.equal(map.isKnown, true)
    assert.equal(map.at(16_383), undefined)
  })
})
