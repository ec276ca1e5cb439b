/** Section 8 of the contract: what a cluster is started with, what is refused, and its name. */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { Cluster, type ClusterOptions, PubSub, Redix } from "@redix/client"
import { closing, misuse, rejection, throwsTypeError } from "../helpers.ts"
import { answers, connected, fakeNodes, keyA, keyB, keyC, quick, spelled } from "./setup.ts"

/** A start that must be refused, and says why; so must a `connect`. */
async function refused(options: unknown, ...patterns: RegExp[]): Promise<TypeError> {
  const error = throwsTypeError(() => Cluster.start(options as ClusterOptions<2>), ...patterns)
  await misuse(() => Cluster.connect(options as ClusterOptions<2>), ...patterns)
  return error
}

const seed = "redis://127.0.0.1:7000"
const uniqueName = () => `cluster-${randomBytes(6).toString("hex")}`

describe("seeds", () => {
  test("are URIs of every scheme without TLS, or hosts and ports", async (t) => {
    const fake = await fakeNodes(t)
    const { port } = fake.node(1)
    for (const node of [
      `redis://127.0.0.1:${port}`,
      `valkey://127.0.0.1:${port}`,
      { host: "127.0.0.1", port },
      { port },
      { host: undefined, port },
    ]) {
      const cluster = closing(t, await Cluster.connect({ nodes: [node], ...quick }))
      assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    }
    const both = closing(
      t,
      await Cluster.connect({ nodes: [fake.node(0).url, { host: "127.0.0.1", port }], ...quick }),
    )
    assert.equal(await both.command(["SET", keyA(), "1"]), "OK")
  })

  test("there is at least one", async () => {
    await refused(undefined)
    await refused({}, /nodes/)
    await refused({ nodes: undefined }, /nodes/)
    await refused({ nodes: [] }, /nodes/)
    await refused({ nodes: null }, /nodes/)
    await refused({ nodes: 7000 }, /nodes/)
    throwsTypeError(() => (Cluster.start as unknown as () => Cluster)())
  })

  test("are refused where they are none", async () => {
    for (const node of [
      undefined,
      null,
      7000,
      "",
      "localhost",
      "http://localhost:7000",
      ["localhost", 7000],
      true,
    ]) {
      await refused({ nodes: [seed, node] })
    }
    await refused({ nodes: [{ host: "localhost", prot: 7000 }] }, /prot/)
    for (const port of [0, -1, 65_536, 1.5, "7000", Number.NaN]) {
      await refused({ nodes: [{ host: "localhost", port }] }, /port/)
    }
    await refused({ nodes: [{ host: 127, port: 7000 }] }, /host/)
    await refused({ nodes: ["unix:///tmp/redis.sock"] })
    await refused({ nodes: ["redis://localhost:7000?db=1"] })
    await refused({ nodes: ["redis://localhost:7000#1"] })
  })

  test("have no credentials and no database, and passwords are not repeated", async () => {
    for (const uri of [
      "redis://user:geheim@localhost:7000",
      "redis://:geheim@localhost:7000",
      "redis://user@localhost:7000",
    ]) {
      const error = await refused({ nodes: [seed, uri] }, /username|password|credentials/i)
      assert.ok(!inspect(error).includes("geheim"))
    }
    await refused({ nodes: ["redis://localhost:7000/1"] }, /database/i)
    await refused({ nodes: ["redis://localhost:7000/x"] }, /database/i)
    await refused({ nodes: [{ host: "localhost", port: 7000, password: "geheim" }] }, /password/)
    await refused({ nodes: [{ host: "localhost", port: 7000, database: 1 }] }, /database/)
  })

  test("speak TLS all, or none", async () => {
    await refused({ nodes: ["rediss://localhost:7000", "redis://localhost:7001"] }, /tls|rediss/i)
    await refused({ nodes: ["redis://localhost:7001", "valkeys://localhost:7000"] }, /tls|valkeys|rediss/i)
    await refused({ nodes: ["rediss://localhost:7000"], tls: false }, /tls/i)
    for (const nodes of [
      ["rediss://localhost:1", "valkeys://localhost:2"],
      ["redis://localhost:1", "valkey://localhost:2"],
    ]) {
      Cluster.start({ nodes }).destroy()
    }
  })
})

describe("options", () => {
  test("that make no sense in a cluster are refused by name", async () => {
    await refused({ nodes: [seed], database: 1 }, /database/)
    await refused({ nodes: [seed], database: 15 }, /database/)
    await refused({ nodes: [seed], exitOnDisconnection: true }, /exitOnDisconnection/)
    await refused(
      { nodes: [seed], sentinel: { sentinels: ["redis://localhost:26379"], group: "g" } },
      /sentinel/i,
    )
    await refused({ nodes: [seed], path: "/tmp/redis.sock" }, /path/)
    await refused({ nodes: [seed], host: "localhost" }, /host/)
    await refused({ nodes: [seed], port: 7000 }, /port/)
  })

  test("that are unknown or of the wrong type are refused by name", async () => {
    await refused({ nodes: [seed], nods: 1 }, /nods/)
    const wrong: readonly (readonly [string, readonly unknown[]])[] = [
      ["maxRedirections", [-1, 1.5, "5", Number.NaN, null]],
      ["topologyRefreshInterval", [-1, 0, "30", Number.NaN, null]],
      ["readFromReplicas", ["yes", 1, null]],
      ["maxDedicated", [0, -1, 1.5, "100", Number.NaN]],
      ["natMap", [1, "10.0.0.1:6379", true, null]],
      ["commandTimeout", [-1, "1"]],
      ["backoffInitial", [-1, "1"]],
      ["protocol", [1, "3"]],
      ["name", [1, ""]],
    ]
    for (const [name, values] of wrong) {
      for (const value of values) await refused({ nodes: [seed], [name]: value }, new RegExp(name))
    }
  })

  test("that are undefined count as not given; database 0 is that of every cluster", async (t) => {
    const fake = await fakeNodes(t)
    const options: Record<keyof Omit<ClusterOptions, "nodes">, unknown> = {
      username: undefined,
      password: undefined,
      tls: undefined,
      socket: undefined,
      timeout: undefined,
      commandTimeout: undefined,
      backoffInitial: undefined,
      backoffMax: undefined,
      healthCheckInterval: undefined,
      name: undefined,
      clientName: undefined,
      clientInfo: undefined,
      protocol: undefined,
      maxInFlight: undefined,
      database: 0,
      readFromReplicas: undefined,
      topologyRefreshInterval: undefined,
      maxRedirections: undefined,
      maxDedicated: undefined,
      natMap: undefined,
    }
    const cluster = closing(t, await Cluster.connect({ nodes: fake.urls(), ...(options as object) }))
    assert.equal(cluster.protocol, 2)
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    assert.ok(
      !fake.nodes.some(({ received }) => received.some(([name]) => name === "SELECT" || name === "READONLY")),
    )
  })

  test("of a connection reach every node", async (t) => {
    const fake = await fakeNodes(t)
    const cluster = await connected(t, fake, {
      clientName: "my-cluster",
      username: "me",
      password: async () => "geheim",
    })
    for (const key of [keyA(), keyB(), keyC()]) await answers(cluster, ["GET", key])
    for (const { received } of fake.nodes) {
      assert.deepEqual(received[0], ["AUTH", "me", "geheim"])
      assert.ok(spelled(received).includes("CLIENT SETNAME my-cluster"))
    }
    assert.ok(!inspect(cluster, { depth: 10, showHidden: true }).includes("geheim"))
  })

  test("of a request are checked", async (t) => {
    const cluster = await connected(t, await fakeNodes(t), { readFromReplicas: true })
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ route: "nearest" }, /route/],
      [{ route: 1 }, /route/],
      [{ split: "yes" }, /split/],
      [{ timeout: 0 }, /timeout/],
      [{ nonsense: 1 }, /nonsense/],
      [{ encoding: "latin1" }, /encoding/],
    ]
    for (const [options, pattern] of wrong) {
      await misuse(() => cluster.command(["GET", keyA()], options as never), pattern)
      await misuse(() => cluster.pipeline([["GET", keyA()]], options as never), pattern)
    }
    await misuse(() => cluster.pipeline([]))
    await misuse(() => cluster.command([] as never))
    await misuse(() => cluster.command("GET" as never))
    await misuse(() => cluster.command(["GET", undefined] as never), /GET/)
    await misuse(() => cluster.pipeline([["SET", keyA(), "1"], ["SET", keyA(), null] as never]), /SET/)
    assert.equal(
      await cluster.command(["GET", keyA()], { route: undefined, split: undefined, timeout: undefined }),
      "OK",
    )
  })
})

describe("a name", () => {
  test("finds the cluster, and is free once it has ended", async (t) => {
    const fake = await fakeNodes(t)
    const name = uniqueName()
    const cluster = await connected(t, fake, { name })
    assert.equal(cluster.name, name)
    assert.equal(Cluster.named(name), cluster)
    assert.equal(Redix.named(name), cluster)
    assert.equal(Redix.whereis(name), cluster)
    assert.throws(() => PubSub.named(name), Error)
    assert.throws(() => Cluster.named(uniqueName()), Error)
    for (const start of [() => Cluster.start({ nodes: [seed], name }), () => Redix.start({ name })]) {
      assert.throws(start, (error) => error instanceof Error && !(error instanceof TypeError))
    }
    assert.ok((await rejection(Cluster.connect({ nodes: [seed], name }))) instanceof Error)
    await cluster.close()
    assert.equal(Redix.whereis(name), undefined)
    const second = closing(t, Cluster.start({ nodes: fake.urls(), name, ...quick }))
    assert.equal(Cluster.named(name), second)
    second.destroy()
    assert.equal(Redix.whereis(name), undefined)
  })

  test("of something else is not found by Cluster.named", async (t) => {
    const name = uniqueName()
    closing(t, Redix.start({ host: "127.0.0.1", port: 1, name }))
    assert.throws(() => Cluster.named(name), Error)
  })

  test("belongs to the cluster alone, not to the connections of its nodes", async (t) => {
    const name = uniqueName()
    const cluster = await connected(t, await fakeNodes(t), { name })
    assert.equal(cluster.nodes("all").length, 3)
    for (const { connection } of cluster.nodes("all")) assert.notEqual(connection.name, name)
    assert.equal(Cluster.named(name), cluster)
  })
})
