/** Section 8 of the contract: reading from replicas, by `route`, where `readFromReplicas` allows it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Cluster } from "@redix/client"
import { until } from "../../../support/wait.ts"
import { connectionFailure, misuse, redisFailure, uniqueKey } from "../helpers.ts"
import {
  allReady,
  answering,
  assertFailedPlace,
  connected,
  type FakeCluster,
  type FakeNode,
  fakeNodes,
  forgetReceived,
  keyA,
  keyB,
  keyC,
  keyIn,
  moved,
  type Options,
  sharedClient,
  slotA,
  slotB,
  slotC,
  spelled,
} from "./setup.ts"

const { real, cluster } = await sharedClient({}, { readFromReplicas: true })
await allReady(cluster)

describe("with real replicas", () => {
  test("what was written is read from them, without MOVED", async () => {
    const keys = [slotA, slotB, slotC].map((slot) => [slot, keyIn(slot, uniqueKey())] as const)
    for (const [, key] of keys) {
      await cluster.command(["SET", key, "value"])
      await until(async () => (await cluster.command(["GET", key], { route: "replica" })) === "value")
    }
    const reads = async () => {
      const replicas = (
        await Promise.all((await real.primaries()).map((node) => real.replicasOf(node)))
      ).flat()
      const stats = await Promise.all(replicas.map((node) => node.send("INFO", "commandstats").then(String)))
      return stats
        .map((text) => Number(/cmdstat_get:calls=(\d+)/.exec(text)?.[1] ?? 0))
        .reduce((sum, each) => sum + each)
    }
    const before = await reads()
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        cluster.command(["GET", keys[index % 3]?.[1] ?? ""], { route: "replica" }),
      ),
    )
    assert.equal(await reads(), before + 30)
    await Promise.all(keys.map(([, key]) => cluster.command(["GET", key])))
    assert.equal(await reads(), before + 30)
  })

  test("writes go to the primary whatever the route, and mix with reads in one pipeline", async () => {
    const key = uniqueKey()
    await cluster.command(["SET", key, "0"], { route: "replica" })
    await until(async () => (await cluster.command(["GET", key], { route: "replica" })) === "0")
    const replies = await cluster.pipeline(
      [
        ["INCR", key],
        ["EXISTS", key],
        ["INCR", key],
        ["STRLEN", key],
      ],
      {
        route: "replica",
      },
    )
    assert.deepEqual(replies, [1, 1, 2, 1])
  })

  test("nodes tells of them and who they are", async () => {
    const replicas = cluster.nodes("replica")
    assert.equal(replicas.length, 3)
    for (const { role, port, connection } of replicas) {
      assert.equal(role, "replica")
      await connection.ready({ timeout: 5000 })
      assert.equal(await connection.command(["CLUSTER", "MYID"]), real.byPort(port).id)
    }
    assert.equal(cluster.nodes("all").length, 6)
  })
})

interface Setting {
  readonly fake: FakeCluster
  readonly cluster: Cluster
  readonly primary: FakeNode
  readonly replicas: readonly FakeNode[]
}

/** Three primaries with replicas each, and a client that has a connection to all of those of the first. */
async function setting(
  t: Parameters<typeof fakeNodes>[0],
  replicasPerPrimary = 1,
  options: Options<2> = {},
): Promise<Setting> {
  const fake = await fakeNodes(t, { replicasPerPrimary })
  const cluster = await connected(t, fake, { readFromReplicas: true, ...options })
  await allReady(cluster)
  await cluster.command(["GET", keyA()], { route: "prefer-replica" })
  await cluster.command(["GET", keyA()])
  forgetReceived(fake)
  const replicas = Array.from({ length: replicasPerPrimary }, (_, index) => fake.node(3 + index))
  return { fake, cluster, primary: fake.node(0), replicas }
}

describe("route", () => {
  test("needs readFromReplicas: without it, a replica is a TypeError", async (t) => {
    const fake = await fakeNodes(t, { replicasPerPrimary: 1 })
    const cluster = await connected(t, fake)
    for (const route of ["replica", "prefer-replica"] as const) {
      await misuse(() => cluster.command(["GET", keyA()], { route }), /readFromReplicas/)
      await misuse(() => cluster.pipeline([["GET", keyA()]], { route }), /readFromReplicas/)
    }
    assert.equal(await cluster.command(["GET", keyA()], { route: "primary" }), "OK")
    // Replicas are not even connected to, but for the layout.
    assert.deepEqual(
      cluster.nodes("all").map(({ role }) => role),
      ["primary", "primary", "primary"],
    )
  })

  test("replica: READONLY was said first, and commands that only read go there", async (t) => {
    const fake = await fakeNodes(t, { replicasPerPrimary: 1 })
    const cluster = await connected(t, fake, { readFromReplicas: true })
    await allReady(cluster)
    const [primary, replica] = [fake.node(0), fake.node(3)]
    for (const command of [
      ["GET", keyA()],
      ["get", keyA()],
      ["MGET", keyA("1"), keyA("2")],
      ["HGETALL", keyA()],
      ["EXISTS", keyA()],
      ["TTL", keyA()],
      ["SMEMBERS", keyA()],
      ["ZRANGE", keyA(), "0", "-1"],
      ["XRANGE", keyA(), "-", "+"],
      ["SORT_RO", keyA()],
      ["BITCOUNT", keyA()],
    ]) {
      forgetReceived(fake)
      assert.equal(await cluster.command(command, { route: "replica" }), "OK")
      assert.deepEqual(replica.commands, [command])
    }
    const [connection] = replica.open.filter(({ received }) => received.some(([name]) => name === "ZRANGE"))
    const names = connection?.received.map(([name]) => name) ?? []
    assert.ok(names.includes("READONLY") && names.indexOf("READONLY") < names.indexOf("GET"), `${names}`)
    assert.ok(!primary.open.some(({ received }) => received.some(([name]) => name === "READONLY")))
  })

  test("replica: commands that may write go to the primary", async (t) => {
    const { fake, cluster, primary } = await setting(t)
    for (const command of [
      ["SET", keyA(), "1"],
      ["INCR", keyA()],
      ["GETDEL", keyA()],
      ["GETEX", keyA(), "EX", "1"],
      ["GETSET", keyA(), "1"],
      ["EXPIRE", keyA(), "1"],
      ["EVAL", "return 1", "1", keyA()],
      ["SORT", keyA(), "STORE", keyA("2")],
      ["DEL", keyA()],
      ["NO.SUCH", keyA()],
    ]) {
      forgetReceived(fake)
      assert.equal(await cluster.command(command, { route: "replica" }), "OK")
      const asked = fake.commands.filter(([name]) => name !== "COMMAND")
      assert.equal(asked.length, 1)
      if (command[0] === "NO.SUCH") continue
      assert.deepEqual(primary.commands, [command])
    }
  })

  test("primary is the default, with readFromReplicas too", async (t) => {
    const { cluster, primary } = await setting(t)
    await cluster.command(["GET", keyA("1")])
    await cluster.command(["GET", keyA("2")], { route: "primary" })
    await cluster.command(["GET", keyA("3")], { route: undefined })
    assert.equal(primary.commands.length, 3)
  })

  test("the commands of one slot in one call go to one replica", async (t) => {
    const { fake, cluster, replicas } = await setting(t, 3)
    const used = new Set<FakeNode>()
    for (let round = 0; round < 30; round++) {
      forgetReceived(fake)
      await cluster.pipeline(
        Array.from({ length: 10 }, (_, index): string[] => ["GET", keyA(`${index}`)]),
        { route: "replica" },
      )
      const [asked, ...more] = replicas.filter((node) => node.commands.length > 0)
      assert.ok(asked && more.length === 0)
      assert.equal(asked.commands.length, 10)
      used.add(asked)
    }
    assert.ok(used.size > 1, "every call went to the same replica")
  })
})

describe("a shard without a replica", () => {
  test("replica: no-replica-connection, in a pipeline in that place only; prefer-replica: the primary", async (t) => {
    const fake = await fakeNodes(t, { replicasPerPrimary: 1 })
    fake.layout = fake.layout.map((shard, index) =>
      index === 0 ? { ...shard, nodes: shard.nodes.slice(0, 1) } : shard,
    )
    const cluster = await connected(t, fake, { readFromReplicas: true })
    await allReady(cluster)
    await connectionFailure(
      cluster.command(["GET", keyA()], { route: "replica" }),
      "no-replica-connection",
      "not-sent",
    )
    const replies = await cluster.pipeline(
      [
        ["GET", keyB()],
        ["GET", keyA()],
        ["SET", keyA(), "1"],
      ],
      { route: "replica" },
    )
    assert.equal(replies[0], "OK")
    assertFailedPlace(replies[1], "no-replica-connection", "not-sent")
    assert.equal(replies[2], "OK")
    forgetReceived(fake)
    assert.equal(await cluster.command(["GET", keyA()], { route: "prefer-replica" }), "OK")
    assert.deepEqual(spelled(fake.node(0).commands), [`GET ${keyA()}`])
  })

  test("whose replica has died counts as one, after what was in flight there", async (t) => {
    const { cluster, primary, replicas } = await setting(t, 1, {
      backoffInitial: 600_000,
      backoffMax: 600_000,
    })
    await replicas[0]?.server.stop()
    await until(async () => {
      const result = await cluster.safe.command(["GET", keyA()], { route: "replica" })
      return !result.ok && "reason" in result.error && result.error.reason === "no-replica-connection"
    })
    assert.equal(await cluster.command(["GET", keyA()], { route: "prefer-replica" }), "OK")
    assert.ok(primary.commands.length > 0)
    assert.equal(await cluster.command(["GET", keyB()], { route: "replica" }), "OK")
    assert.equal(await cluster.command(["SET", keyC(), "1"], { route: "replica" }), "OK")
  })
})

describe("a replica that cannot answer", () => {
  for (const reply of [
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
  ]) {
    const code = reply.slice(1, reply.indexOf(" "))
    test(`${code}: prefer-replica asks the primary, replica hands it on`, async (t) => {
      const { cluster, primary, replicas } = await setting(t)
      const [replica] = replicas
      assert.ok(replica)
      replica.script = answering({ GET: reply })
      assert.equal(await cluster.command(["GET", keyA()], { route: "prefer-replica" }), "OK")
      assert.deepEqual(spelled(primary.commands), [`GET ${keyA()}`])
      assert.deepEqual(spelled(replica.commands), [`GET ${keyA()}`])
      await redisFailure(cluster.command(["GET", keyA()], { route: "replica" }), code)
      const replies = await cluster.pipeline(
        [
          ["GET", keyA()],
          ["EXISTS", keyA()],
          ["GET", keyB()],
        ],
        {
          route: "prefer-replica",
        },
      )
      assert.deepEqual(replies, ["OK", "OK", "OK"])
    })
  }

  test("MOVED is followed from there too", async (t) => {
    const { fake, cluster, replicas } = await setting(t)
    const [replica] = replicas
    assert.ok(replica)
    replica.script = answering({ GET: moved(slotA, fake.node(1)) })
    fake.node(1).script = answering({ GET: "+from there\r\n" })
    assert.equal(await cluster.command(["GET", keyA()], { route: "replica" }), "from there")
  })
})
