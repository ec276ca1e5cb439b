/** Sections 3 and 8 of the contract: a cluster with TLS and passwords, and with the third protocol. */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { Cluster, ConnectionError, RedisError } from "@redix/client"
import { type Certificates, createCertificates } from "../../../support/certificates.ts"
import { RedisCluster } from "../../../support/cluster.ts"
import { closing, rejection, uniqueKey } from "../helpers.ts"
import {
  allReady,
  answers,
  connected,
  fakeNodes,
  first,
  keyA,
  keyB,
  keyC,
  keyIn,
  moved,
  quick,
  sharedCluster,
  slotA,
} from "./setup.ts"

const real = await sharedCluster()

const password = "geheim"

describe("a cluster with TLS and a password", () => {
  let certificates: Certificates
  let real: RedisCluster

  before(async () => {
    certificates = await createCertificates()
    real = await RedisCluster.start({ tls: certificates, password, replicasPerPrimary: 0 })
  })
  after(() => real?.stop())

  const seeds = (scheme: string) => real.nodes.map(({ host, port }) => `${scheme}://${host}:${port}`)

  test("its seeds' scheme turns TLS on for all nodes, and so does the option", async (t) => {
    const tls = { ca: certificates.ca }
    for (const options of [
      { nodes: seeds("rediss").slice(0, 1), tls },
      { nodes: seeds("valkeys").slice(1, 2), tls },
      { nodes: seeds("redis"), tls },
      { nodes: real.nodes.map(({ host, port }) => ({ host, port })), tls },
    ]) {
      const cluster = closing(t, await Cluster.connect({ ...options, ...quick, password }))
      for (const slot of [100, 8000, 16_000]) {
        const key = keyIn(slot, uniqueKey())
        assert.equal(await cluster.command(["SET", key, "1"]), "OK")
        assert.deepEqual(await cluster.transactionPipeline([["INCR", key]]), [2])
      }
    }
  })

  test("redirections lead to encrypted connections too", async (t) => {
    const cluster = closing(
      t,
      await Cluster.connect({ nodes: seeds("rediss"), tls: { ca: certificates.ca }, password, ...quick }),
    )
    const slot = 50
    await cluster.command(["SET", keyIn(slot), "1"])
    const from = await real.primaryOf(slot)
    const to = real.nodes.find((node) => node !== from)
    assert.ok(to)
    const migration = await real.startMigration(slot, to)
    await migration.moveKeys()
    assert.equal(await cluster.command(["INCR", keyIn(slot)]), 2)
    await migration.finish()
    assert.equal(await cluster.command(["INCR", keyIn(slot)]), 3)
    assert.equal(await cluster.command(["BLPOP", keyIn(slot, "list"), 0.05]), null)
    await cluster.use((conn) => conn.command(["PING"]), { key: keyIn(slot) })
  })

  test("certificates are verified", async () => {
    for (const tls of [true, { ca: certificates.otherCa }] as const) {
      const error = await rejection(Cluster.connect({ nodes: seeds("rediss"), tls, password, ...quick }))
      assert.ok(error instanceof ConnectionError)
      assert.ok(["tls", "no-reachable-node"].includes(error.reason), error.reason)
    }
  })

  test("a password may be a function, which every connection asks anew; a wrong one is refused", async (t) => {
    const base = { nodes: seeds("rediss"), tls: { ca: certificates.ca }, ...quick }
    let asked = 0
    const cluster = closing(
      t,
      await Cluster.connect({
        ...base,
        password: async () => {
          asked += 1
          return password
        },
      }),
    )
    for (const key of [keyA(), keyB(), keyC()]) assert.equal(await answers(cluster, ["SET", key, "1"]), "OK")
    assert.ok(asked >= 3, `${asked}`)
    for (const options of [{ password: "wrong" }, {}]) {
      const error = await rejection(Cluster.connect({ ...base, ...options }))
      assert.ok(error instanceof ConnectionError)
      assert.ok(["authentication", "no-reachable-node"].includes(error.reason), error.reason)
      assert.ok(!`${error.message} ${String(error.cause)}`.includes("wrong "))
    }
  })

  test("a user with rights of his own", async (t) => {
    for (const node of real.nodes)
      await node.send("ACL", "SETUSER", "worker", "on", ">werk", "~*", "+@all", "-incr")
    const cluster = closing(
      t,
      await Cluster.connect({
        nodes: seeds("rediss"),
        tls: { ca: certificates.ca },
        username: "worker",
        password: "werk",
        ...quick,
      }),
    )
    const replies = await cluster.pipeline([
      ["SET", keyA(), "1"],
      ["INCR", keyB()],
      ["GET", keyA()],
    ])
    assert.deepEqual([replies[0], replies[2]], ["OK", "1"])
    assert.ok(replies[1] instanceof RedisError && replies[1].code === "NOPERM")
  })
})

describe("protocol 3", () => {
  test("has its types, with redirections, transactions and replicas as well", async (t) => {
    const cluster = await connected(t, real, { protocol: 3, readFromReplicas: true })
    await allReady(cluster)
    assert.equal(cluster.protocol, 3)
    const typed: Cluster<3> = cluster
    const hash = keyIn(700, uniqueKey("hash"))
    await typed.command(["HSET", hash, "a", "1", "b", "2"])
    const map = new Map([
      ["a", "1"],
      ["b", "2"],
    ])
    assert.deepEqual(await typed.command(["HGETALL", hash]), map)
    assert.deepEqual(await typed.pipeline([["HGETALL", hash], ["SADD", keyB(uniqueKey()), "x"], ["PING"]]), [
      map,
      1,
      "PONG",
    ])
    assert.deepEqual(await typed.transactionPipeline([["HGETALL", hash]]), [map])
    const to = await real.primaryOf(16_000)
    const migration = await real.startMigration(700, to)
    await migration.moveKeys()
    assert.deepEqual(await typed.command(["HGETALL", hash]), map)
    await migration.finish()
    assert.deepEqual(await typed.command(["HGETALL", hash]), map)
    const other = keyIn(15_000, uniqueKey("hash"))
    await typed.command(["HSET", other, "a", "1"])
    for (let round = 0; round < 200; round++) {
      const read = await typed.command(["HGETALL", other], { route: "replica" })
      assert.ok(read instanceof Map)
      if (read.size === 1) return
    }
    assert.fail("the replica never had it")
  })

  test("understands a layout in its own shapes, and null hosts", async (t) => {
    const fake = await fakeNodes(t)
    fake.layout = fake.layout.map((shard) => ({
      ...shard,
      nodes: shard.nodes.map(({ port }) => ({
        host: null,
        port,
        metadata: ["hostname", "somewhere.invalid"],
      })),
    }))
    const cluster = await connected(t, fake, { protocol: 3 })
    for (const key of [keyA(), keyB(), keyC()]) assert.equal(await cluster.command(["SET", key, "1"]), "OK")
    fake.node(0).script = first("GET", moved(slotA, fake.node(1)))
    assert.equal(await cluster.command(["GET", keyA()]), "OK")
  })
})
