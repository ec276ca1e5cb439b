/** Section 9 of the contract, on a cluster: its own channels, and requests that several nodes have a part in. */
import assert from "node:assert/strict"
import { AsyncLocalStorage } from "node:async_hooks"
import { describe, test } from "node:test"
import {
  attachDefaultLogger,
  type ConnectionEvent,
  type FailedTopologyRefreshEvent,
  type NodeConnectionFailedEvent,
  type RedirectionEvent,
  type TopologyChangeEvent,
} from "@redix/client"
import { until } from "../../support/wait.ts"
import {
  ask,
  connected,
  first,
  keyA,
  keyB,
  keyC,
  moved,
  scripted,
  sharedCluster,
  slotA,
  started,
} from "../contract/cluster/setup.ts"
import { misuse } from "../contract/helpers.ts"
import { assertAccounted, heard, heardOn, spelled } from "./setup.ts"

const real = await sharedCluster({ primaries: 3, replicasPerPrimary: 0 })

describe("requests to a cluster", () => {
  test("are told of once, with the node's address where it was one", async (t) => {
    const cluster = await connected(t, real, { name: "telemetry-cluster" })
    const all = heard(t)
    const node = async (key: string): Promise<string> => {
      const slot = await cluster.nodes()[0]?.connection.command(["CLUSTER", "KEYSLOT", key])
      return (await real.primaryOf(Number(slot))).address
    }
    const where = await node(keyA())
    all.length = 0
    await cluster.command(["SET", keyA(), 1])
    await cluster.pipeline([
      ["GET", keyA()],
      ["INCR", keyA()],
    ])
    await cluster.transactionPipeline([["GET", keyA()]])
    await cluster.noreplyCommand(["SET", keyA(), 2])
    await cluster.command(["BLPOP", keyA("list"), 0.01])
    assert.deepEqual(assertAccounted(all, 5), [])
    const ends = all.filter(({ kind }) => kind === "asyncEnd").map(({ event }) => event)
    for (const event of ends) {
      assert.equal(event.connection, cluster)
      assert.equal(event.name, "telemetry-cluster")
      assert.equal(event.address, where)
      assert.equal(event.database, 0)
    }
    assert.deepEqual(
      ends.map(({ commands }) => spelled(commands)),
      [
        [`SET ${keyA()} 1`],
        [`GET ${keyA()}`, `INCR ${keyA()}`],
        ["MULTI", `GET ${keyA()}`, "EXEC"],
        [`SET ${keyA()} 2`],
        [`BLPOP ${keyA("list")} 0.01`],
      ],
    )
  })

  test("of several nodes bear the cluster's own address", async (t) => {
    const cluster = await connected(t, real)
    const all = heard(t)
    await cluster.pipeline([
      ["GET", keyA()],
      ["GET", keyB()],
      ["GET", keyC()],
    ])
    await cluster.command(["MGET", keyA(), keyB()], { split: true })
    await cluster.pipeline(
      [
        ["MGET", keyA(), keyB()],
        ["GET", keyC()],
      ],
      { split: true },
    )
    await cluster.noreplyCommand(["MSET", keyA(), 1, keyB(), 2], { split: true })
    assert.deepEqual(assertAccounted(all, 4), [])
    for (const { event } of all) assert.equal(event.address, cluster.address)
    assert.deepEqual(all.at(-1)?.event.commands, [["MSET", keyA(), 1, keyB(), 2]])
    assert.deepEqual(all.at(4)?.event.commands, [["MGET", keyA(), keyB()]])
  })

  test("that are misuse are not told of", async (t) => {
    const cluster = await connected(t, real, { readFromReplicas: true })
    const all = heard(t)
    const anything = (value: unknown): never => value as never
    await misuse(() => cluster.command(anything([])))
    await misuse(() => cluster.command(anything(["GET", {}])))
    await misuse(() => cluster.command(anything(["MULTI"])))
    await misuse(() => cluster.command(["GET", "a"], anything({ timeout: 0 })))
    await misuse(() => cluster.command(anything(["MGET", keyA(), {}]), { split: true }))
    await misuse(() => cluster.pipeline(anything([])))
    await misuse(() =>
      cluster.pipeline(
        anything([
          ["GET", {}],
          ["GET", "a"],
        ]),
      ),
    )
    await misuse(() =>
      cluster.pipeline(
        anything([
          ["MGET", keyA(), {}],
          ["GET", "a"],
        ]),
        { split: true },
      ),
    )
    await misuse(() => cluster.transactionPipeline(anything([["MULTI"]])))
    await misuse(() => cluster.transactionPipeline([["GET", "a"]], { route: "replica" }))
    await misuse(() => cluster.noreplyPipeline(anything([["GET", {}]])))
    assert.deepEqual(all, [])
  })

  test("keep the caller's context and end once, also where they are redirected or refused", async (t) => {
    const { cluster, a, b } = await scripted(t)
    const redirections = heardOn<RedirectionEvent>(t, "redix:cluster:redirection")
    const lines: string[] = []
    t.after(attachDefaultLogger({ error() {}, warn() {}, info: (line) => void lines.push(line) }))
    const storage = new AsyncLocalStorage<string>()
    const stores: unknown[] = []
    const all = heard(t, () => stores.push(storage.getStore()))
    a.script = first("GET", moved(slotA, b.address), ask(slotA, b.address))
    b.script = ([name]) => (name === "GET" ? "+b\r\n" : undefined)
    await storage.run("mine", async () => {
      assert.equal(await cluster.command(["GET", keyA()]), "b")
      assert.equal(storage.getStore(), "mine")
    })
    assert.deepEqual(new Set(stores), new Set(["mine"]))
    assert.equal(all.at(-1)?.event.address, b.address)
    assert.deepEqual(redirections, [
      { cluster, name: undefined, type: "moved", slot: slotA, targetAddress: b.address },
    ])
    assert.deepEqual(lines, [`Cluster was redirected (MOVED) to ${b.address}, slot ${slotA}`])
    assert.deepEqual(assertAccounted(all, 1), [])
    await assert.rejects(
      cluster.transactionPipeline([
        ["GET", keyA()],
        ["GET", keyC()],
      ]),
      { code: "CROSSSLOT" },
    )
    assert.equal(assertAccounted(all, 2).length, 1)
  })

  test("that fail in part do not fail, and those that fail in all do", async (t) => {
    const { cluster, a, b, c } = await scripted(t, { commandTimeout: 200 })
    const all = heard(t)
    a.script = ([name]) => (name === "GET" ? "" : undefined)
    b.script = ([name]) => (name === "GET" ? "+b\r\n" : undefined)
    await cluster.pipeline(
      [
        ["GET", keyA()],
        ["GET", keyB()],
      ],
      { timeout: 50 },
    )
    assert.deepEqual(assertAccounted(all, 1), [])
    b.script = a.script
    c.script = a.script
    await assert.rejects(
      cluster.pipeline(
        [
          ["GET", keyA()],
          ["GET", keyB()],
        ],
        { timeout: 50 },
      ),
      { reason: "timeout" },
    )
    await assert.rejects(cluster.noreplyCommand(["GET", keyA()], { timeout: 50 }), { reason: "timeout" })
    const controller = new AbortController()
    const aborted = cluster.command(["GET", keyA()], { signal: controller.signal })
    controller.abort()
    await assert.rejects(aborted, { name: "AbortError" })
    await assert.rejects(cluster.command(["GET", keyA()], { signal: AbortSignal.abort() }), {
      name: "AbortError",
    })
    assert.equal(assertAccounted(all, 5).length, 4)
  })
})

describe("a cluster", () => {
  test("tells of its topology, and of connections as its own, once each", async (t) => {
    const topologies = heardOn<TopologyChangeEvent>(t, "redix:cluster:topology-change")
    const ups = heardOn<ConnectionEvent>(t, "redix:connection")
    const cluster = await connected(t, real, { name: "telemetry-topology" })
    await Promise.all(cluster.nodes().map(({ connection }) => connection.ready()))
    const addresses = real.nodes.map(({ address }) => address).sort()
    assert.equal(topologies[0]?.cluster, cluster)
    assert.equal(topologies[0]?.name, "telemetry-topology")
    assert.deepEqual([...(topologies[0]?.nodes ?? [])].sort(), addresses)
    // Those that were asked for the layout are nobody's.
    assert.deepEqual(ups.map(({ address }) => address).sort(), addresses)
    for (const event of ups) assert.equal(event.connection, cluster)
  })

  test("tells that a refresh has failed, and that a node cannot be reached", async (t) => {
    const { fake, cluster, a } = await scripted(t, { name: "telemetry-failing", topologyRefreshInterval: 20 })
    const failures = heardOn<FailedTopologyRefreshEvent>(t, "redix:cluster:failed-topology-refresh")
    const nodes = heardOn<NodeConnectionFailedEvent>(t, "redix:cluster:node-connection-failed")
    const lines: string[] = []
    const log = (level: string) => (line: string) => void lines.push(`${level} ${line}`)
    t.after(attachDefaultLogger({ error: log("error"), warn: log("warn"), info: log("info") }))
    await a.server.stop()
    await until(() => nodes.length > 0)
    assert.equal(nodes[0]?.cluster, cluster)
    assert.equal(nodes[0]?.name, "telemetry-failing")
    assert.equal(nodes[0]?.address, a.address)
    assert.equal(nodes[0]?.error.reason, "refused")
    assert.ok(
      lines.some((line) =>
        line.startsWith(`warn Cluster "telemetry-failing" failed to connect to its node at ${a.address}`),
      ),
    )
    assert.ok(!lines.some((line) => line.startsWith("error") && line.includes("failed to connect to Redis")))
    for (const node of fake.nodes) node.layout = "ERR no"
    await until(() => failures.length > 0)
    assert.equal(failures[0]?.cluster, cluster)
    assert.equal(failures[0]?.name, "telemetry-failing")
    assert.equal(failures[0]?.error.reason, "no-reachable-node")
    await until(() =>
      lines.some((line) => line.startsWith('error Cluster "telemetry-failing" failed to find out')),
    )
  })

  test("that never comes up tells so", async (t) => {
    const failures = heardOn<FailedTopologyRefreshEvent>(t, "redix:cluster:failed-topology-refresh")
    const { fake } = await scripted(t)
    for (const node of fake.nodes) node.layout = "ERR no"
    const cluster = started(t, fake)
    const all = heard(t)
    await assert.rejects(cluster.command(["GET", "a"]), { reason: "closed" })
    assert.equal(failures[0]?.cluster, cluster)
    assert.equal(assertAccounted(all, 1).length, 1)
    const { accepted, settled, refused } = cluster.stats()
    assert.deepEqual([accepted, settled, refused], [1, 1, 0])
    await assert.rejects(cluster.command(["GET", "a"]), { reason: "closed" })
    assert.deepEqual([cluster.stats().accepted, cluster.stats().refused], [1, 1])
  })
})
