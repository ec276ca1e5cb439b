import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { createCertificates } from "../../support/certificates.ts"
import { keyIn, RedisCluster, slotOf } from "../../support/cluster.ts"
import { evenRanges, tagOf } from "../../support/slots.ts"
import { until } from "../../support/wait.ts"

describe("slots", () => {
  it("are those of the specification, hash tags included", () => {
    for (const [key, slot] of [
      ["foo", 12182],
      ["bar", 5061],
      ["hello", 866],
      ["foo{bar}{baz}", 5061],
      ["{}foo", slotOf("{}foo")],
    ] as const) {
      assert.equal(slotOf(key), slot)
    }
    assert.equal(slotOf("{{tag}}x"), slotOf("{tag"))
    assert.notEqual(slotOf("{}a"), slotOf("{}b"))
    for (const slot of [0, 1, 5461, 16_383]) assert.equal(slotOf(keyIn(slot, "name")), slot)
    assert.throws(() => tagOf(16_384), RangeError)
  })

  it("are divided without gaps", () => {
    for (const count of [1, 3, 7, 1000]) {
      const ranges = evenRanges(count)
      assert.equal(ranges.length, count)
      assert.equal(ranges[0]?.[0], 0)
      assert.equal(ranges.at(-1)?.[1], 16_383)
      ranges.slice(1).forEach(([first], index) => {
        assert.equal(first, (ranges[index]?.[1] ?? 0) + 1)
      })
    }
  })
})

describe("RedisCluster", () => {
  let cluster: RedisCluster

  before(async () => {
    cluster = await RedisCluster.start()
  })
  after(() => cluster?.stop())

  it("has primaries that serve all slots, and replicas in step", async () => {
    assert.equal(cluster.nodes.length, 6)
    const primaries = await cluster.primaries()
    assert.deepEqual(primaries, cluster.nodes.slice(0, 3))
    for (const [index, primary] of primaries.entries()) {
      assert.equal(await cluster.primaryOf(evenRanges(3)[index]?.[0] ?? 0), primary)
      const [replica, ...more] = await cluster.replicasOf(primary)
      assert.ok(replica && more.length === 0)
      const key = keyIn(evenRanges(3)[index]?.[1] ?? 0)
      await primary.send("SET", key, "value")
      await until(async () => (await replica.send("DBSIZE")) === 1)
      await assert.rejects(replica.send("GET", key), /^Error: MOVED /)
    }
    await cluster.flush()
    for (const primary of primaries) assert.equal(await primary.send("DBSIZE"), 0)
  })

  it("moves a slot with its keys, stops half way, and calls it off", async () => {
    const from = await cluster.primaryOf(100)
    const to = await cluster.primaryOf(16_000)
    const [moved, left] = [keyIn(100, "moved"), keyIn(100, "left")]
    for (const key of [moved, left]) await from.send("SET", key, key)
    const aborted = await cluster.startMigration(100, to)
    await aborted.moveKeys()
    await aborted.abort()
    assert.equal(await from.send("GET", moved), moved)

    const migration = await cluster.startMigration(100, to)
    await migration.moveKeys([moved])
    await assert.rejects(from.send("GET", moved), new RegExp(`^Error: ASK 100 ${to.address}`))
    await assert.rejects(to.send("GET", moved), new RegExp(`^Error: MOVED 100 ${from.address}`))
    await assert.rejects(from.send("MGET", moved, left), /^Error: TRYAGAIN/)
    assert.equal(await from.send("GET", left), left)
    await migration.finish()
    for (const node of cluster.nodes) {
      if (node === to) assert.equal(await node.send("GET", left), left)
      else await assert.rejects(node.send("GET", left), /^Error: MOVED 100 /)
    }
    assert.deepEqual(await cluster.values([left, keyIn(5), moved]), [left, null, moved])
    await cluster.migrateSlot(100, from)
    await assert.rejects(cluster.migrateSlot(100, from), /already served/)
  })

  it("survives failovers, deaths and frozen nodes", async () => {
    const old = await cluster.primaryOf(0)
    const next = await cluster.failover(old)
    assert.notEqual(next, old)
    assert.equal(await cluster.primaryOf(0), next)
    await cluster.healthy()
    assert.deepEqual(await cluster.replicasOf(next), [old])
    await cluster.kill(next)
    await cluster.promoted(old)
    assert.equal(await cluster.findPrimaryOf(0), old)
    await cluster.mend()
    cluster.freeze(old)
    await cluster.promoted(next)
    cluster.thaw(old)
    await cluster.mend()
    assert.deepEqual(await cluster.replicasOf(next), [old])
  })

  it("takes new nodes, forgets them, and knows them under a new address", async () => {
    const primary = await cluster.primaryOf(6000)
    const added = await cluster.addNode({ replicaOf: primary })
    assert.equal((await cluster.replicasOf(primary)).length, 2)
    await cluster.forget(added)
    assert.equal(cluster.nodes.length, 6)
    assert.ok(!String(await primary.send("CLUSTER", "NODES")).includes(added.id))
    const [replica] = await cluster.replicasOf(primary)
    assert.ok(replica)
    const moved = await cluster.relocate(replica)
    assert.equal(moved.id, replica.id)
    assert.notEqual(moved.port, replica.port)
    assert.equal(cluster.byPort(moved.port), moved)
    await cluster.healthy()
    assert.deepEqual(await cluster.replicasOf(primary), [moved])
  })
})

describe("a cluster with options", () => {
  it("has a password, slots of choice and further arguments", async () => {
    await using cluster = await RedisCluster.start({
      password: "secret",
      primaries: 2,
      slots: [
        [[0, 10]],
        [
          [11, 11],
          [13, 16_383],
        ],
      ],
      args: ({ index }) => [
        "--cluster-require-full-coverage",
        "no",
        "--cluster-announce-hostname",
        `n${index}`,
      ],
    })
    assert.equal(cluster.nodes.length, 4)
    await assert.rejects(cluster.primaryOf(12), /there is not a primary of slot 12/)
    const [first, second] = [await cluster.primaryOf(10), await cluster.primaryOf(13)]
    await first.send("SET", keyIn(10), "value")
    await cluster.migrateSlot(10, second)
    assert.equal(await second.send("GET", keyIn(10)), "value")
    assert.match(JSON.stringify(await second.send("CLUSTER", "SLOTS")), /"hostname","n0"/)
    second.server.auth = undefined
    await assert.rejects(second.send("PING"), /NOAUTH/)
  })

  it("speaks TLS, from node to node as well", async () => {
    await using cluster = await RedisCluster.start({ tls: await createCertificates(), primaries: 1 })
    assert.match(cluster.urls(1)[0] ?? "", /^rediss:/)
    const [primary, replica] = cluster.nodes
    await primary?.send("SET", "a", "b")
    await until(async () => (await replica?.send("DBSIZE")) === 1)
  })
})
