/** Sections 3 and 8 of the contract: how a cluster starts, also where no node can be reached, and when it is "connected". */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Cluster, type ConnectionError, Redix, type Status } from "@redix/client"
import { freePort, RedisServer } from "../../../support/server.ts"
import { until } from "../../../support/wait.ts"
import { atLeast, closing, connectionFailure, rawServer } from "../helpers.ts"
import { answers, connected, type FakeCluster, fakeNodes, keyA, keyB, keyC, quick, started } from "./setup.ts"

/** URIs at which nobody listens. */
async function deadSeeds(count: number): Promise<string[]> {
  const ports = await Promise.all(Array.from({ length: count }, freePort))
  return ports.map((port) => `redis://127.0.0.1:${port}`)
}

/** Looks at a status often, and returns what it has been. */
function statusesOf(cluster: Cluster): { seen: Set<Status>; stop: () => void } {
  const seen = new Set<Status>([cluster.status])
  const timer = setInterval(() => seen.add(cluster.status), 1)
  return { seen, stop: () => clearInterval(timer) }
}

/** Nodes that are there when told to, and not before. */
async function laterNodes(t: Parameters<typeof fakeNodes>[0]): Promise<FakeCluster> {
  const fake = await fakeNodes(t)
  for (const { server } of fake.nodes) await server.stop()
  return fake
}

describe("start", () => {
  test("returns at once; what is issued meanwhile waits for the first attempt, in order", async (t) => {
    const fake = await fakeNodes(t)
    const cluster = started(t, fake)
    assert.ok(cluster instanceof Cluster)
    assert.equal(cluster.status, "connecting")
    const early = [cluster.command(["SET", keyA(), "1"]), cluster.command(["SET", keyA(), "2"])]
    await cluster.ready()
    assert.equal(cluster.status, "connected")
    assert.deepEqual(await Promise.all(early), ["OK", "OK"])
    assert.deepEqual(fake.node(0).commands, [
      ["SET", keyA(), "1"],
      ["SET", keyA(), "2"],
    ])
  })

  test("without any node: what waits rejects with the first attempt, then at once, both as closed", async (t) => {
    const nodes = await deadSeeds(2)
    const cluster = closing(
      t,
      Cluster.start({
        nodes,
        ...quick,
        backoffInitial: 600_000,
        backoffMax: 600_000,
        commandTimeout: 20_000,
      }),
    )
    const { seen, stop } = statusesOf(cluster)
    t.after(stop)
    const waiting = [
      connectionFailure(cluster.command(["SET", keyA(), "1"]), "closed", "not-sent"),
      connectionFailure(
        cluster.pipeline([
          ["SET", keyA(), "1"],
          ["SET", keyB(), "1"],
        ]),
        "closed",
        "not-sent",
      ),
      connectionFailure(cluster.transactionPipeline([["SET", keyA(), "1"]]), "closed", "not-sent"),
      connectionFailure(cluster.noreplyCommand(["SET", keyA(), "1"]), "closed", "not-sent"),
    ]
    for (const error of await Promise.all(waiting)) {
      assert.ok(error.cause instanceof Error, "what the attempt failed of")
      assert.equal(error.final, false)
    }
    // The next attempt is ten minutes away: nothing waits for it.
    await connectionFailure(cluster.command(["SET", keyA(), "1"]), "closed", "not-sent")
    await connectionFailure(cluster.command(["PING"]), "closed", "not-sent")
    assert.equal(cluster.status, "disconnected")
    await until(() => seen.has("disconnected"))
    assert.deepEqual([...seen].sort(), ["connecting", "disconnected"])
  })

  test("goes on trying, and connects once a node is there", async (t) => {
    const fake = await laterNodes(t)
    const cluster = started(t, fake)
    const { seen, stop } = statusesOf(cluster)
    t.after(stop)
    const ready = cluster.ready()
    for (let round = 0; round < 3; round++) {
      await connectionFailure(cluster.command(["GET", keyA()]), "closed", "not-sent")
      await atLeast(60)
    }
    assert.ok(!seen.has("connected"))
    for (const node of fake.nodes) await fake.restart(node)
    await ready
    for (const key of [keyA(), keyB(), keyC()]) assert.equal(await answers(cluster, ["SET", key, "1"]), "OK")
    assert.equal(cluster.status, "connected")
  })

  test("the timeout of a request holds while it waits for the first attempt", async (t) => {
    const silent = await rawServer(t, () => {})
    const cluster = closing(t, Cluster.start({ nodes: [silent.url], ...quick, timeout: 20_000 }))
    await connectionFailure(cluster.command(["GET", keyA()], { timeout: 100 }), "timeout", "not-sent")
    const controller = new AbortController()
    const aborted = cluster.command(["GET", keyA()], { signal: controller.signal })
    const rejected = assert.rejects(aborted, (error) => error === controller.signal.reason)
    controller.abort()
    await rejected
    await assert.rejects(cluster.ready({ timeout: 50 }), { reason: "timeout" })
    assert.equal(cluster.status, "connecting")
  })
})

describe("connect", () => {
  test("resolves to a cluster that is connected", async (t) => {
    const cluster = await connected(t, await fakeNodes(t))
    assert.equal(cluster.status, "connected")
    await cluster.ready()
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
  })

  test("does with one seed out of many", async (t) => {
    const fake = await fakeNodes(t)
    const nodes = [...(await deadSeeds(3)), fake.node(2).url]
    const cluster = closing(t, await Cluster.connect({ nodes, ...quick }))
    for (const key of [keyA(), keyB(), keyC()]) assert.equal(await cluster.command(["SET", key, "1"]), "OK")
  })

  test("rejects with no-reachable-node where there is none, and leaves nothing behind", async (t) => {
    const fake = await laterNodes(t)
    const name = `cluster-without-nodes-${process.pid}`
    const error = await connectionFailure(
      Cluster.connect({ nodes: fake.urls(), name, ...quick }),
      "no-reachable-node",
      "not-sent",
    )
    assert.equal(error.final, true)
    assert.equal(Redix.whereis(name), undefined)
    // Says of every seed what was wrong with it.
    const told = `${error.message} ${String(error.cause)} ${JSON.stringify(error.cause)}`
    for (const { port } of fake.nodes) assert.ok(told.includes(`${port}`), told)
    for (const node of fake.nodes) await fake.restart(node)
    await atLeast(300)
    assert.equal(fake.openConnections, 0)
    assert.equal(fake.layoutsAsked, 0)
  })

  test("rejects where a server is no node of a cluster", async (t) => {
    const server = await RedisServer.start()
    t.after(() => server.stop())
    const error = await connectionFailure(
      Cluster.connect({ nodes: [server.url], ...quick }),
      "no-reachable-node",
    )
    assert.match(`${error.message} ${String(error.cause)}`, /cluster support disabled/i)
  })

  test("rejects where the nodes refuse the password", async (t) => {
    const fake = await fakeNodes(t, {
      script: ([name]) => (name === "AUTH" ? "-WRONGPASS invalid username-password pair\r\n" : undefined),
    })
    const rejected: ConnectionError = await Cluster.connect({
      nodes: fake.urls(),
      password: "wrong",
      ...quick,
    }).then(
      (cluster) => {
        cluster.destroy()
        return assert.fail("was let in")
      },
      (error: unknown) => error as ConnectionError,
    )
    assert.ok(["authentication", "no-reachable-node"].includes(rejected.reason), String(rejected))
    assert.match(`${rejected.message} ${String(rejected.cause)}`, /WRONGPASS/)
    await until(() => fake.openConnections === 0)
  })
})

describe("without one usable node it is never connected", () => {
  const layouts: Readonly<Record<string, (fake: FakeCluster, dead: number) => void>> = {
    "every node of the layout is dead": (fake, dead) => {
      fake.layout = [{ slots: [0, 16_383], nodes: [{ host: "127.0.0.1", port: dead }] }]
    },
    "the layout is empty": (fake) => {
      fake.layout = []
    },
    "nobody tells the layout": (fake) => {
      for (const node of fake.nodes) node.layout = "ERR This instance has cluster support disabled"
    },
  }
  for (const [name, prepare] of Object.entries(layouts)) {
    test(name, async (t) => {
      const fake = await fakeNodes(t)
      const healthy = fake.layout
      prepare(fake, await freePort())
      const cluster = started(t, fake)
      const { seen, stop } = statusesOf(cluster)
      t.after(stop)
      const first = connectionFailure(cluster.command(["SET", keyA(), "1"]), "closed", "not-sent")
      await until(() => fake.layoutsAsked > 3)
      await first
      assert.ok(!seen.has("connected"), [...seen].join(", "))
      await connectionFailure(Cluster.connect({ nodes: fake.urls(), ...quick }), "no-reachable-node")
      fake.layout = healthy
      for (const node of fake.nodes) node.layout = undefined
      await cluster.ready({ timeout: 10_000 })
      assert.equal(await answers(cluster, ["SET", keyA(), "1"]), "OK")
    })
  }

  test("all nodes die: it is not connected any more, and is again when they are back", async (t) => {
    const fake = await fakeNodes(t)
    const cluster = await connected(t, fake)
    for (const key of [keyA(), keyB(), keyC()]) await cluster.command(["GET", key])
    await Promise.all(fake.nodes.map(({ server }) => server.stop()))
    await until(() => cluster.status !== "connected")
    const { seen, stop } = statusesOf(cluster)
    t.after(stop)
    await until(async () => !(await cluster.safe.command(["GET", keyA()])).ok)
    await atLeast(100)
    assert.ok(!seen.has("connected"), [...seen].join(", "))
    assert.ok(!seen.has("closed"))
    for (const node of fake.nodes) await fake.restart(node)
    await cluster.ready({ timeout: 10_000 })
    for (const key of [keyA(), keyB(), keyC()]) assert.equal(await answers(cluster, ["SET", key, "1"]), "OK")
  })
})
