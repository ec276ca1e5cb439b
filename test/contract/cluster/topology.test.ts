/** Section 8 of the contract: how a cluster learns which node serves what, at the start and later, and whom it asks. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Cluster } from "@redix/client"
import { freePort } from "../../../support/port.ts"
import { until } from "../../../support/wait.ts"
import { Clock } from "../../util/clock.ts"
import { atLeast, closing, rawServer } from "../helpers.ts"
import {
  answering,
  answers,
  connected,
  type FakeCluster,
  type FakeNode,
  fakeNodes,
  first,
  forgetReceived,
  keyA,
  keyB,
  keyC,
  keyIn,
  moved,
  quick,
  scripted,
  slotA,
  spelled,
} from "./setup.ts"

/** Makes one node serve everything, as the layout says. */
function giveAll(fake: FakeCluster, node: FakeNode): void {
  fake.layout = [{ slots: [0, 16_383], nodes: [node.place] }]
}

describe("the layout is asked for again", () => {
  test("on MOVED: what else has moved is known afterwards", async (t) => {
    const { fake, cluster, a, b } = await scripted(t, { topologyRefreshInterval: Number.POSITIVE_INFINITY })
    giveAll(fake, b)
    a.script = ([name]) => (name === "GET" ? moved(slotA, b) : undefined)
    await cluster.command(["GET", keyA()])
    await until(async () => {
      forgetReceived(fake)
      await cluster.command(["SET", keyC(), "1"])
      return b.commands.length > 0
    })
    await cluster.command(["SET", keyIn(3), "1"])
    assert.deepEqual(a.commands, [])
  })

  test("on a connection error", async (t) => {
    const { fake, cluster, a, b } = await scripted(t, { topologyRefreshInterval: Number.POSITIVE_INFINITY })
    giveAll(fake, b)
    await a.server.stop()
    assert.equal(await answers(cluster, ["SET", keyA(), "1"]), "OK")
    assert.ok(spelled(b.commands).includes(`SET ${keyA()} 1`))
  })

  test("every topologyRefreshInterval", async (t) => {
    const { fake, cluster, a, b } = await scripted(t, { topologyRefreshInterval: 100 })
    giveAll(fake, b)
    const asked = fake.layoutsAsked
    await until(() => fake.layoutsAsked >= asked + 3)
    await until(async () => {
      forgetReceived(fake)
      await cluster.command(["SET", keyA(), "1"])
      return b.commands.length > 0
    })
    assert.deepEqual(a.commands, [])
  })

  test("never by itself, where that is Infinity", async (t) => {
    const { fake, cluster } = await scripted(t, { topologyRefreshInterval: Number.POSITIVE_INFINITY })
    await atLeast(400)
    assert.equal(fake.layoutsAsked, 0)
    assert.equal(cluster.status, "connected")
  })

  test("not more often than now and then, however many redirections there are", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    // The layout is wrong for good.
    a.script = answering({ GET: moved(slotA, b) })
    b.script = answering({ GET: "+b\r\n" })
    let moves = 0
    const begin = performance.now()
    while (performance.now() - begin < 800) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await cluster.command(["GET", keyIn(slotA + index)])
          moves += 1
        }),
      )
      await atLeast(5)
    }
    assert.ok(moves > 200, `${moves}`)
    assert.ok(fake.layoutsAsked >= 1)
    // One a second by Redix; several nodes may be asked each time.
    assert.ok(fake.layoutsAsked <= 9, `${fake.layoutsAsked}`)
  })

  test("by one question to a node at a time", async (t) => {
    const { fake, cluster, a, b } = await scripted(t, { topologyRefreshInterval: 50 })
    a.script = answering({ GET: moved(slotA, b) })
    for (const node of fake.nodes) node.layoutDelay = 150
    let worst = 0
    const look = setInterval(() => {
      worst = Math.max(worst, ...fake.nodes.map(({ layoutsPending }) => layoutsPending))
    }, 1)
    t.after(() => clearInterval(look))
    for (let round = 0; round < 40; round++) {
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => cluster.command(["GET", keyIn(slotA + index)])),
      )
      await atLeast(10)
    }
    assert.equal(worst, 1)
  })
})

describe("seeds", () => {
  test("that are dead or silent cost little time, though they come first", async (t) => {
    const fake = await fakeNodes(t)
    const silent = await Promise.all([rawServer(t, () => {}), rawServer(t, () => {})])
    const nodes = [...silent.map(({ url }) => url), `redis://127.0.0.1:${await freePort()}`, fake.node(1).url]
    const clock = new Clock(t)
    const connecting = Cluster.connect({ nodes, ...quick, timeout: 30_000 })
    connecting.catch(() => {})
    for (const { connections } of silent) {
      await clock.standUntil(() => connections.length > 0)
      // At most a second for each.
      await clock.pass(1000)
    }
    const cluster = closing(t, await clock.stand(connecting))
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
  })

  test("that say nonsense are passed over", async (t) => {
    const fake = await fakeNodes(t)
    const nonsense = [
      ":1\r\n",
      "*1\r\n:1\r\n",
      "*1\r\n*3\r\n:0\r\n:16383\r\n:7\r\n",
      "*1\r\n*3\r\n:5\r\n:70000\r\n*2\r\n$9\r\n127.0.0.1\r\n:1\r\n",
      "*1\r\n*3\r\n$1\r\nx\r\n:10\r\n*2\r\n$9\r\n127.0.0.1\r\n:1\r\n",
      "*1\r\n*3\r\n:0\r\n:10\r\n*2\r\n$9\r\n127.0.0.1\r\n$1\r\nx\r\n",
      "$-1\r\n",
      "-ERR not now\r\n",
      "-NOPERM you may not\r\n",
    ]
    for (const reply of nonsense) {
      fake.node(0).script = answering({ CLUSTER: reply })
      const cluster = closing(t, await Cluster.connect({ nodes: fake.urls(), ...quick }))
      for (const key of [keyA(), keyB(), keyC()])
        assert.equal(await cluster.command(["SET", key, "1"]), "OK", reply)
      cluster.destroy()
    }
  })

  test("are asked again when nobody of the layout is left", async (t) => {
    const fake = await fakeNodes(t)
    const seed = await fake.addNode()
    const cluster = closing(t, await Cluster.connect({ nodes: [seed.url], ...quick }))
    for (const key of [keyA(), keyB(), keyC()]) await cluster.command(["GET", key])
    // All nodes move to new addresses, which the name of the seed leads to.
    const replaced = [await fake.addNode(), await fake.addNode(), await fake.addNode()]
    fake.layout = fake.layout.map((shard, index) => ({
      ...shard,
      nodes: [replaced[index]?.place ?? seed.place],
    }))
    await Promise.all([0, 1, 2].map((index) => fake.node(index).server.stop()))
    for (const key of [keyA(), keyB(), keyC()]) assert.equal(await answers(cluster, ["SET", key, "1"]), "OK")
    assert.ok(replaced.every((node) => node.commands.length > 0))
  })
})

describe("an answer that makes no sense later on", () => {
  test("changes nothing: the old layout counts, and others are asked", async (t) => {
    const { fake, cluster } = await scripted(t, { topologyRefreshInterval: 50 })
    for (const node of fake.nodes) node.script = answering({ CLUSTER: "*1\r\n:1\r\n" })
    await until(() => fake.layoutsAsked > 3)
    for (const key of [keyA(), keyB(), keyC()]) assert.equal(await cluster.command(["SET", key, "1"]), "OK")
    assert.equal(cluster.status, "connected")
    giveAll(fake, fake.node(2))
    fake.node(1).script = undefined
    await until(async () => {
      forgetReceived(fake)
      await cluster.command(["SET", keyA(), "1"])
      return fake.node(2).commands.length > 0
    })
  })
})

describe("nodes that come and go", () => {
  test("one that is replaced at a new address is found; the old one is left for good", async (t) => {
    const { fake, cluster, a } = await scripted(t, { topologyRefreshInterval: 100 })
    const replacement = await fake.addNode()
    fake.layout = fake.layout.map((shard, index) =>
      index === 0 ? { ...shard, nodes: [replacement.place] } : shard,
    )
    await a.server.stop()
    assert.equal(await answers(cluster, ["SET", keyA(), "1"]), "OK")
    assert.deepEqual(spelled(replacement.commands), [`SET ${keyA()} 1`])
    await until(() => !cluster.nodes("all").some(({ port }) => port === a.port))
    await fake.restart(a)
    await atLeast(400)
    // It may be asked for the layout as the seed that it was, but no connection to it is kept.
    await until(() => a.open.length === 0)
    assert.deepEqual(
      a.commands.filter(([name]) => name === "SET"),
      [],
    )
  })

  test("one that leaves in peace is disconnected from, and what is in flight there is answered or rejects", async (t) => {
    const { fake, cluster, a, b } = await scripted(t, { topologyRefreshInterval: 50 })
    const inFlight = cluster.safe.command(["GET", keyA()])
    giveAll(fake, b)
    await until(() => cluster.nodes("all").length === 1)
    await inFlight
    await until(() => !a.open.some(({ received }) => received.some(([name]) => name === "GET")))
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    await until(() => !fake.node(2).open.some(({ received }) => received.some(([name]) => name === "GET")))
  })

  test("one that joins is used", async (t) => {
    const { fake, cluster } = await scripted(t, { topologyRefreshInterval: 50 })
    const added = await fake.addNode()
    fake.assign(slotA, added)
    await until(async () => {
      await cluster.command(["SET", keyA(), "1"])
      return added.commands.length > 0
    })
    assert.equal(cluster.nodes("all").length, 4)
  })

  test("a primary that becomes a replica, and the other way round", async (t) => {
    const fake = await fakeNodes(t, { primaries: 1, replicasPerPrimary: 1 })
    const cluster = await connected(t, fake, { topologyRefreshInterval: 50, readFromReplicas: true })
    const [one, two] = [fake.node(0), fake.node(1)]
    await answers(cluster, ["SET", keyA(), "1"])
    await until(async () => (await cluster.safe.command(["GET", keyA()], { route: "replica" })).ok)
    fake.layout = [{ slots: [0, 16_383], nodes: [two.place, one.place] }]
    one.script = ([name], _, connection) => {
      // As real replicas do: reading needs READONLY.
      const allowed = connection.received.some(([word]) => word === "READONLY")
      return name === "SET" || (name === "GET" && !allowed) ? moved(slotA, two) : undefined
    }
    await until(() => cluster.nodes("primary")[0]?.port === two.port)
    forgetReceived(fake)
    assert.equal(await answers(cluster, ["SET", keyA(), "2"]), "OK")
    await until(async () => (await cluster.safe.command(["GET", keyA()], { route: "replica" })).ok)
    await until(async () => {
      forgetReceived(fake)
      await cluster.command(["GET", keyA()], { route: "replica" })
      return one.commands.length === 1 && two.commands.length === 0
    })
  })
})

describe("slots", () => {
  test("that nobody serves: their commands fail, all others go on", async (t) => {
    const fake = await fakeNodes(t)
    fake.layout = fake.layout.slice(1)
    fake.script = ([name, key]) =>
      name === "SET" && key === keyA() ? "-CLUSTERDOWN Hash slot not served\r\n" : undefined
    const cluster = await connected(t, fake)
    const result = await cluster.safe.command(["SET", keyA(), "1"])
    assert.ok(!result.ok)
    for (const key of [keyB(), keyC()]) assert.equal(await cluster.command(["SET", key, "1"]), "OK")
  })

  test("may be in many pieces", async (t) => {
    const fake = await fakeNodes(t)
    fake.layout = Array.from({ length: 512 }, (_, index) => ({
      slots: [index * 32, index * 32 + 31] as const,
      nodes: [fake.node(index % 3).place],
    }))
    const cluster = await connected(t, fake)
    const slots = [0, 31, 32, 63, 64, 95, 96, 16_383]
    for (const slot of slots) {
      forgetReceived(fake)
      await cluster.command(["SET", keyIn(slot), "1"])
      assert.deepEqual(spelled(fake.primaryOf(slot).commands), [`SET ${keyIn(slot)} 1`])
    }
    assert.equal(cluster.nodes("all").length, 3)
  })
})

describe("MOVED during a refresh", () => {
  test("is not undone by an answer that was asked for before it", async (t) => {
    const { fake, cluster, a, b } = await scripted(t, { topologyRefreshInterval: 60_000 })
    a.script = first("GET", moved(slotA, b))
    fake.assign(slotA, b)
    await cluster.command(["GET", keyA()])
    await until(() => fake.layoutsAsked > 0)
    await atLeast(50)
    await cluster.command(["SET", keyA(), "1"])
    assert.deepEqual(spelled(b.commands), [`GET ${keyA()}`, `SET ${keyA()} 1`])
  })
})
