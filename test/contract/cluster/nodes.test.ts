/** Section 8 of the contract: `nodes`, and the events of the connections to them. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Cluster, ConnectionError, type ConnectionEvent, type DisconnectionEvent, Redix } from "@redix/client"
import { until } from "../../../support/wait.ts"
import { closing, misuse, throwsTypeError } from "../helpers.ts"
import { answers, connected, fakeNodes, keyA, keyB, keyC, quick, scripted, spelled } from "./setup.ts"

describe("nodes", () => {
  test("tells where they are, what they are, and gives a connection to each", async (t) => {
    const fake = await fakeNodes(t, { replicasPerPrimary: 1 })
    const cluster = await connected(t, fake, { readFromReplicas: true })
    const told = (role: "primary" | "replica" | "all") =>
      cluster
        .nodes(role)
        .map((node) => `${node.role} ${node.host}:${node.port}`)
        .sort()
    const primaries = fake.nodes.slice(0, 3).map(({ address }) => `primary ${address}`)
    const replicas = fake.nodes.slice(3).map(({ address }) => `replica ${address}`)
    assert.deepEqual(told("primary"), primaries.sort())
    assert.deepEqual(told("replica"), replicas.sort())
    assert.deepEqual(told("all"), [...primaries, ...replicas].sort())
    for (const { connection, port } of cluster.nodes("all")) {
      assert.ok(connection instanceof Redix)
      await connection.ready({ timeout: 5000 })
      assert.equal(await connection.command(["FLUSHALL"]), "OK")
      const node = fake.nodes.find((each) => each.port === port)
      assert.deepEqual(spelled(node?.commands ?? []), ["FLUSHALL"])
    }
    // The connections are those that commands use.
    assert.equal(cluster.nodes("primary")[0]?.connection, cluster.nodes("primary")[0]?.connection)
  })

  test("without readFromReplicas there are primaries only", async (t) => {
    const fake = await fakeNodes(t, { replicasPerPrimary: 2 })
    const cluster = await connected(t, fake)
    assert.equal(cluster.nodes("primary").length, 3)
    assert.deepEqual(cluster.nodes("replica"), [])
    assert.equal(cluster.nodes("all").length, 3)
  })

  test("refuses another role, and is empty before and after", async (t) => {
    const fake = await fakeNodes(t)
    const cluster = closing(t, Cluster.start({ nodes: fake.urls(), ...quick }))
    assert.deepEqual(cluster.nodes("all"), [])
    await cluster.ready()
    throwsTypeError(() => cluster.nodes("master" as never), /role|primary/)
    await cluster.close()
    assert.deepEqual(cluster.nodes("all"), [])
  })
})

describe("events", () => {
  interface Seen {
    readonly connections: ConnectionEvent[]
    readonly disconnections: DisconnectionEvent[]
    readonly failures: DisconnectionEvent[]
  }

  function watched(cluster: Cluster): Seen {
    const seen: Seen = { connections: [], disconnections: [], failures: [] }
    cluster.on("connection", (event) => seen.connections.push(event))
    cluster.on("disconnection", (event) => seen.disconnections.push(event))
    cluster.on("failedConnection", (event) => seen.failures.push(event))
    return seen
  }

  test("tell of the connection to each node, by its address", async (t) => {
    const fake = await fakeNodes(t)
    const cluster = closing(t, Cluster.start({ nodes: fake.urls(), ...quick }))
    const seen = watched(cluster)
    await cluster.ready()
    for (const key of [keyA(), keyB(), keyC()]) await answers(cluster, ["GET", key])
    const connectedTo = () => new Set(seen.connections.map(({ address }) => address))
    await until(() => connectedTo().size === 3)
    assert.deepEqual(connectedTo(), new Set(fake.nodes.map(({ address }) => address)))
    assert.ok(seen.connections.every(({ reconnection }) => !reconnection))

    const node = fake.node(1)
    node.reset()
    await until(() => seen.disconnections.some(({ address }) => address === node.address))
    const [lost] = seen.disconnections
    assert.ok(lost?.error instanceof ConnectionError)
    assert.equal(lost.error.reason, "disconnected")
    await until(() =>
      seen.connections.some(({ address, reconnection }) => address === node.address && reconnection),
    )

    await node.server.stop()
    await until(() => seen.failures.some(({ address }) => address === node.address))
    assert.ok(seen.failures.every(({ error }) => error instanceof ConnectionError))
    await fake.restart(node)
    assert.equal(await answers(cluster, ["SET", keyB(), "1"]), "OK")
  })

  test("stop for a listener that was taken off, and after the end", async (t) => {
    const { fake, cluster } = await scripted(t)
    let heard = 0
    const listener = () => {
      heard += 1
    }
    cluster.on("disconnection", listener)
    cluster.off("disconnection", listener)
    let once = 0
    cluster.once("disconnection", () => {
      once += 1
    })
    fake.node(0).reset()
    await until(() => once === 1)
    fake.node(1).reset()
    await answers(cluster, ["GET", keyB()])
    assert.equal(once, 1)
    assert.equal(heard, 0)
    const seen = watched(cluster)
    await cluster.close()
    await fake.stop()
    await until(() => fake.openConnections === 0)
    assert.deepEqual(seen.connections, [])
    await misuse(() => cluster.ready({ timeout: 0 }))
  })
})
