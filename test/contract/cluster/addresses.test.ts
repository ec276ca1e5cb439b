/** Section 8 of the contract: nodes whose addresses are not those that a client can use, or are none at all. */
import assert from "node:assert/strict"
import { createServer } from "node:net"
import { describe, test } from "node:test"
import { Cluster } from "@redix/client"
import { FakeConnection } from "../../../support/fake-connection.ts"
import { handshake } from "../../../support/fake-server.ts"
import { closing, uniqueKey } from "../helpers.ts"
import {
  ask,
  connected,
  type FakeCluster,
  fakeNodes,
  first,
  forgetReceived,
  keyA,
  keyB,
  keyC,
  keyIn,
  moved,
  quick,
  sharedCluster,
  slotA,
  spelled,
} from "./setup.ts"

const real = await sharedCluster({ replicasPerPrimary: 0 })

/** Makes the nodes speak of themselves as 10.0.0.1:6379, 10.0.0.2:6379 and so on. */
function disguise(fake: FakeCluster): void {
  fake.layout = fake.layout.map((shard, index) => ({
    ...shard,
    nodes: [{ host: `10.0.0.${index + 1}`, port: 6379 }],
  }))
}

/** Asserts that each node gets what it serves. */
async function assertServed(fake: FakeCluster, cluster: Cluster): Promise<void> {
  forgetReceived(fake)
  for (const key of [keyA(), keyB(), keyC()]) assert.equal(await cluster.command(["SET", key, "1"]), "OK")
  assert.deepEqual(
    [0, 1, 2].map((index) => spelled(fake.node(index).commands)),
    [keyA(), keyB(), keyC()].map((key) => [`SET ${key} 1`]),
  )
}

describe("natMap", () => {
  test("as an object: what nodes say of themselves is looked up", async (t) => {
    const fake = await fakeNodes(t)
    disguise(fake)
    const natMap = Object.fromEntries(
      fake.nodes.map(({ host, port }, index) => [`10.0.0.${index + 1}:6379`, { host, port }]),
    )
    const cluster = await connected(t, fake, { natMap })
    await assertServed(fake, cluster)
    fake.node(0).script = first("GET", moved(slotA, "10.0.0.2:6379"), ask(slotA, "10.0.0.3:6379"))
    fake.node(1).script = ([name]) => (name === "GET" ? "+b\r\n" : undefined)
    assert.equal(await cluster.command(["GET", keyA()]), "b")
  })

  test("as a function: it is asked, and nothing from it means as it is", async (t) => {
    const fake = await fakeNodes(t)
    disguise(fake)
    const real = fake.node(2)
    fake.layout = fake.layout.map((shard, index) => (index === 2 ? { ...shard, nodes: [real.place] } : shard))
    const asked = new Set<string>()
    const cluster = await connected(t, fake, {
      natMap: (host, port) => {
        asked.add(`${host}:${port}`)
        const index = ["10.0.0.1", "10.0.0.2"].indexOf(host)
        return index < 0 ? undefined : { host: "127.0.0.1", port: fake.node(index).port }
      },
    })
    await assertServed(fake, cluster)
    assert.ok(asked.has("10.0.0.1:6379") && asked.has("10.0.0.2:6379") && asked.has(real.address))
    fake.node(2).script = first("GET", ask(16_000, "10.0.0.1:6379"))
    assert.equal(await cluster.command(["GET", keyC()]), "OK")
    assert.deepEqual(spelled(fake.node(0).commands).slice(-2), ["ASKING", `GET ${keyC()}`])
  })

  test("is also asked for the target of a redirection to an IPv6 address, whose port is behind the last colon", async (t) => {
    const fake = await fakeNodes(t)
    const asked: string[] = []
    const cluster = await connected(t, fake, {
      natMap: (host, port) => {
        if (host.includes(":")) asked.push(`${host} ${port}`)
        return host === "::1" || host === "fe80::1:2" ? { host: "127.0.0.1", port } : undefined
      },
    })
    const b = fake.node(1)
    fake.node(0).script = first("SET", ask(slotA, `::1:${b.port}`), ask(slotA, `fe80::1:2:${b.port}`))
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    assert.equal(await cluster.command(["SET", keyA(), "2"]), "OK")
    assert.deepEqual([...new Set(asked)], [`::1 ${b.port}`, `fe80::1:2 ${b.port}`])
    assert.deepEqual(spelled(b.commands), ["ASKING", `SET ${keyA()} 1`, "ASKING", `SET ${keyA()} 2`])
  })

  test("that throws fails the attempt, and nothing escapes", async (t) => {
    const fake = await fakeNodes(t)
    disguise(fake)
    const failing = () => {
      throw new Error("mine")
    }
    await assert.rejects(Cluster.connect({ nodes: fake.urls(), ...quick, timeout: 1000, natMap: failing }))
  })
})

describe("a node that does not know its own host", () => {
  for (const host of [null, "", "?"]) {
    test(`and says ${JSON.stringify(host)}: it is the one that answered`, async (t) => {
      const fake = await fakeNodes(t)
      fake.layout = fake.layout.map((shard) => ({
        ...shard,
        nodes: shard.nodes.map(({ port }) => ({ host, port })),
      }))
      const cluster = await connected(t, fake)
      await assertServed(fake, cluster)
      assert.ok(cluster.nodes("all").every((node) => node.host === "127.0.0.1"))
    })
  }
})

describe("an IPv6 address", () => {
  test("in MOVED is split at the last colon, with or without brackets", async (t) => {
    const fake = await fakeNodes(t)
    const arrived: string[][] = []
    const server = createServer((socket) => {
      const connection = new FakeConnection(socket)
      connection.onCommand = (command) => {
        if (command[0] === "SET") arrived.push(command)
        return command[0] === "CLUSTER" ? "" : (handshake(command) ?? "+OK\r\n")
      }
      t.after(() => connection.destroy())
    })
    const port = await new Promise<number | undefined>((resolve) => {
      server.once("error", () => resolve(undefined))
      server.listen({ host: "::1", port: 0 }, () => {
        const address = server.address()
        resolve(typeof address === "object" ? address?.port : undefined)
      })
    })
    if (port === undefined) {
      t.skip("there is no IPv6 here")
      return
    }
    t.after(() => server.close())
    const cluster = await connected(t, fake)
    fake.node(0).script = first("SET", moved(slotA, `::1:${port}`))
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    fake.node(1).script = first("SET", ask(8000, `[::1]:${port}`))
    assert.equal(await cluster.command(["SET", keyB(), "2"]), "OK")
    assert.equal(arrived.length, 2)
  })
})

describe("with real nodes", () => {
  for (const [type, hostname] of [
    ["unknown-endpoint", ""],
    ["hostname", "localhost"],
    ["hostname", ""],
    ["ip", ""],
  ] as const) {
    test(`which prefer to be known by ${type}${hostname && `, ${hostname}`}`, async (t) => {
      if (Number.parseInt(real.nodes[0]?.server.version ?? "", 10) < 7) {
        t.skip("before version 7 nodes have addresses only")
        return
      }
      for (const node of real.nodes) {
        await node.send("CONFIG", "SET", "cluster-preferred-endpoint-type", type)
        await node.send("CONFIG", "SET", "cluster-announce-hostname", hostname)
      }
      const cluster = closing(t, await Cluster.connect({ nodes: real.urls(1), ...quick }))
      const keys = [100, 8000, 16_000].map((slot) => keyIn(slot, uniqueKey()))
      for (const key of keys) {
        assert.equal(await cluster.command(["SET", key, "1"]), "OK")
        assert.equal(await cluster.command(["INCR", key]), 2)
      }
      // And MOVED, as such nodes spell it.
      const slot = 200
      const from = await real.primaryOf(slot)
      const to = real.nodes.find((node) => node !== from)
      assert.ok(to)
      await cluster.command(["SET", keyIn(slot), "here"])
      await real.migrateSlot(slot, to)
      assert.equal(await cluster.command(["GET", keyIn(slot)]), "here")
    })
  }
})
