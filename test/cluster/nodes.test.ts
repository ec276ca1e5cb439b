/** Nodes that come and go, and layouts that are not quite true. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import {
  Cluster,
  ConnectionError,
  channels,
  type FailedTopologyRefreshEvent,
  RedisError,
} from "@redix/client"
import type { Place } from "../../support/fake-cluster.ts"
import { until } from "../../support/wait.ts"
import {
  ask,
  assertRefusedPlace,
  connected,
  type FakeCluster,
  fakeNodes,
  first,
  forgetReceived,
  keyA,
  keyB,
  moved,
  quick,
  scripted,
  slotA,
  started,
  tryAgain,
} from "../contract/cluster/setup.ts"
import { closing, rawServer } from "../contract/helpers.ts"

describe("a node that only redirections tell of", () => {
  test("keeps its connection while other nodes do not know of it yet", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    const d = await fake.addNode()
    a.script = ([name]) => (name === "GET" ? moved(slotA, d) : undefined)
    const asked = fake.layoutsAsked
    while (fake.layoutsAsked < asked + 3) {
      await cluster.command(["GET", keyA()])
      await sleep(20)
    }
    assert.equal(d.server.connections.length, 1)
  })

  test("blocking commands there are not ended by what other nodes say", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    const d = await fake.addNode()
    a.script = ([name]) => (name === "BLPOP" ? moved(slotA, d) : undefined)
    let answer = (): void => {}
    d.script = ([name], _node, connection) => {
      if (name !== "BLPOP") return undefined
      answer = () => connection.write("*-1\r\n")
      return ""
    }
    const popped = cluster.command(["BLPOP", keyA(), 0])
    popped.catch(() => {})
    const asked = fake.layoutsAsked
    await until(() => fake.layoutsAsked > asked)
    await d.nextCommand("BLPOP")
    await sleep(50)
    answer()
    assert.equal(await popped, null)
  })

  test("is left when nobody is sent there any more", async (t) => {
    const { fake, cluster, a } = await scripted(t, { topologyRefreshInterval: 1000 })
    const d = await fake.addNode()
    let isMoved = true
    a.script = ([name]) => (name === "GET" && isMoved ? moved(slotA, d) : undefined)
    await cluster.command(["GET", keyA()])
    isMoved = false
    await until(() => d.open.length === 0)
  })
})

describe("a natMap that leads two nodes to one place", () => {
  test("as primary and as replica: the primary it is", async (t) => {
    const fake = await fakeNodes(t, { primaries: 1, replicasPerPrimary: 1 })
    const [primary] = fake.nodes
    const to = { host: "127.0.0.1", port: primary?.port ?? 0 }
    const cluster = await connected(t, fake, { natMap: () => to, readFromReplicas: true })
    await cluster.nodes("primary")[0]?.connection.ready({ timeout: 2000 })
    assert.equal(await cluster.command(["GET", keyA()]), "OK")
  })
})

describe("a natMap that throws halfway through a layout", () => {
  /** Says nothing of one address, and throws for that. */
  const failing = (host: string): undefined => {
    if (host === "10.0.0.1") throw new Error("mine")
  }
  const nowhere: Place = { host: "10.0.0.1", port: 9 }

  /** Resolves when nobody could tell the cluster who has which slots. */
  const failedRefresh = (cluster: Cluster): Promise<void> =>
    new Promise((resolve) => {
      const listener = (event: FailedTopologyRefreshEvent): void => {
        if (event.cluster !== cluster) return
        channels.failedTopologyRefresh.unsubscribe(listener)
        resolve()
      }
      channels.failedTopologyRefresh.subscribe(listener)
    })

  const addresses = (cluster: Cluster): string[] => cluster.stats().connections.map(({ address }) => address)

  test("opens nothing, and closes nothing", async (t) => {
    const { fake, cluster, a, b, c } = await scripted(t, {
      topologyRefreshInterval: 50,
      readFromReplicas: true,
      natMap: failing,
    })
    const before = addresses(cluster)
    assert.equal(before.length, 3)
    const sockets = [a, b, c].map(({ open: [socket] }) => socket)
    const d = await fake.addNode()
    // B would have to be connected to in another way.
    fake.layout = [
      { slots: [0, 10_000], nodes: [d.place, b.place] },
      { slots: [10_001, 16_383], nodes: [c.place, nowhere] },
    ]
    await failedRefresh(cluster)
    assert.deepEqual(addresses(cluster), before)
    assert.equal(await cluster.command(["GET", keyB()]), "OK")
    for (const [index, node] of [a, b, c].entries()) assert.ok(node.open.includes(sockets[index] as never))
    assert.equal(d.server.connections.length, 0)
  })

  test("does not count where it is about a replica that is not read from", async (t) => {
    const fake = await fakeNodes(t)
    fake.layout = fake.layout.map((shard) => ({ ...shard, nodes: [...shard.nodes, nowhere] }))
    const cluster = await connected(t, fake, { natMap: failing })
    assert.equal(await cluster.command(["GET", keyA()]), "OK")
  })
})

describe("a natMap that ends the cluster", () => {
  test("nothing is looked at any more", async (t) => {
    const fake = await fakeNodes(t)
    let isToEnd = false
    const cluster: Cluster = await connected(t, fake, {
      topologyRefreshInterval: 100,
      natMap: () => {
        if (isToEnd) cluster.destroy()
        return undefined
      },
    })
    isToEnd = true
    await cluster.closed
    const asked = fake.layoutsAsked
    await sleep(500)
    assert.equal(fake.layoutsAsked, asked)
    assert.equal(fake.openConnections, 0)
  })
})

describe("scan", () => {
  test("waits until it is known who has which slots", async (t) => {
    const fake = await fakeNodes(t, {
      script: ([name], node) =>
        name === "SCAN" ? `*2\r\n$1\r\n0\r\n*1\r\n$1\r\n${node.index}\r\n` : undefined,
    })
    const cluster = started(t, fake)
    const keys: string[] = []
    for await (const key of cluster.scan()) keys.push(key)
    assert.deepEqual(keys.sort(), ["0", "1", "2"])
  })

  test("rejects what is asked for the first key where its options are none, and throws nothing at the call", async (t) => {
    const { fake, cluster } = await scripted(t)
    const wrong = [{ nonsense: 1 }, { match: 1 }, { count: 0 }, { signal: 1 }, "a", null]
    for (const options of wrong) {
      const keys = cluster.scan(options as never)
      await assert.rejects(keys.next(), TypeError)
      assert.deepEqual(await keys.next(), { done: true, value: undefined })
    }
    assert.deepEqual(fake.commands, [])
  })

  test("rejects where nobody can tell", async (t) => {
    const fake = await fakeNodes(t)
    await fake.stop()
    const cluster = started(t, fake)
    await assert.rejects(
      async () => {
        for await (const _ of cluster.scan());
      },
      (error) => error instanceof ConnectionError && error.reason === "closed",
    )
  })
})

describe("a slot that nobody has", () => {
  const uses: readonly [string, (cluster: Cluster) => Promise<unknown>][] = [
    ["checkout", async (cluster) => (await cluster.checkout({ key: keyA() })).release()],
    ["use", (cluster) => cluster.use(() => true, { key: keyA() })],
    ["watch", (cluster) => cluster.watch(keyA(), () => null)],
  ]
  for (const [name, take] of uses) {
    test(`${name} rejects, and has the layout asked for again, by which somebody may have it`, async (t) => {
      const fake = await fakeNodes(t)
      const whole = fake.layout
      fake.layout = whole.slice(1)
      const cluster = await connected(t, fake, { topologyRefreshInterval: Number.POSITIVE_INFINITY })
      fake.layout = whole
      await assert.rejects(
        take(cluster),
        (error) => error instanceof ConnectionError && error.reason === "closed",
      )
      await until(() => cluster.nodes().length === 3, { timeout: 5000 })
      await take(cluster)
    })
  }
})

describe("watch", () => {
  test("follows a MOVED that names no host", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name]) => (name === "WATCH" ? moved(slotA, `:${b.port}`) : undefined)
    assert.deepEqual(await cluster.watch(keyA(), () => [["SET", keyA(), "v"]]), ["OK"])
  })
})

describe("watch of keys that are on their way", () => {
  test("begins again until they have arrived", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = first("WATCH", ask(slotA, b), tryAgain, moved(slotA, b))
    assert.deepEqual(await cluster.watch(keyA(), () => [["SET", keyA(), "v"]]), ["OK"])
  })

  test("gives up after maxRedirections, at once when aborted, and when the cluster is closed", async (t) => {
    const { cluster, a, b } = await scripted(t, { maxRedirections: 2 })
    a.script = ([name]) => (name === "WATCH" ? ask(slotA, b) : undefined)
    const watch = (options = {}) => cluster.watch(keyA(), () => [["SET", keyA(), "v"]], options)
    await assert.rejects(watch(), (error) => error instanceof RedisError && error.code === "ASK")
    const controller = new AbortController()
    const aborted = watch({ signal: controller.signal })
    aborted.catch(() => {})
    await until(() => a.commands.filter(([name]) => name === "WATCH").length >= 4)
    controller.abort(new Error("enough"))
    await assert.rejects(aborted, /enough/)
    const closed = watch()
    closed.catch(() => {})
    await until(() => a.commands.filter(([name]) => name === "WATCH").length >= 5)
    cluster.destroy()
    await assert.rejects(closed, (error) => error instanceof ConnectionError && error.reason === "closed")
  })
})

describe("a replica that refuses to write", () => {
  test("READONLY makes the cluster look who is the primary", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    const readonly = "-READONLY You can't write against a read only replica.\r\n"
    a.script = ([name]) => (name === "SET" ? readonly : undefined)
    const before = fake.layoutsAsked
    const [reply] = await cluster.pipeline([
      ["SET", keyA(), "v"],
      ["GET", keyB()],
    ])
    assertRefusedPlace(reply, "READONLY")
    await until(() => fake.layoutsAsked > before, { timeout: 3000 })
  })
})

describe("unref", () => {
  test("holds for what is being asked already", async (t) => {
    const silent = await rawServer(t, () => {})
    const cluster = closing(t, Cluster.start({ nodes: [silent.url], ...quick }))
    await silent.nextConnection()
    cluster.unref()
    await sleep(0)
    const kept = process.getActiveResourcesInfo()
    cluster.ref()
    await sleep(0)
    const keptAgain = process.getActiveResourcesInfo()
    // The server's own side of the connection is among them.
    const sockets = (resources: string[]) => resources.filter((name) => /TCPSocketWrap/.test(name)).length
    const timers = (resources: string[]) => resources.filter((name) => name === "Timeout").length
    assert.equal(sockets(keptAgain) - sockets(kept), 1)
    assert.ok(timers(keptAgain) > timers(kept))
  })
})

describe("keys that only the server can tell", () => {
  test("are asked for once by commands of the same name", async (t) => {
    const info = "*1\r\n*6\r\n$3\r\nfoo\r\n:2\r\n*0\r\n:1\r\n:1\r\n:1\r\n"
    const fake: FakeCluster = await fakeNodes(t, {
      script: ([name, sub]) => (name === "COMMAND" && sub === "INFO" ? info : undefined),
    })
    const cluster = await connected(t, fake)
    await cluster.pipeline(Array.from({ length: 100 }, (_, index) => ["FOO", keyA(`${index}`)]))
    assert.equal(fake.commands.filter(([name]) => name === "COMMAND").length, 1)
    assert.equal(fake.node(0).commands.filter(([name]) => name === "FOO").length, 100)
  })

  test("are asked for again once the layout is, where the server did not know the command before", async (t) => {
    const info = "*1\r\n*6\r\n$3\r\nfoo\r\n:2\r\n*0\r\n:1\r\n:1\r\n:1\r\n"
    const { fake, cluster, a, b, c } = await scripted(t)
    const questions = () => fake.commands.filter(([name]) => name === "COMMAND").length
    for (let times = 0; times < 3; times++) await cluster.command(["FOO", keyA()])
    assert.equal(questions(), 1)
    // A module that has the command is loaded now. Two of three nodes send it on, and so the layout is asked for.
    fake.script = ([name, sub]) => (name === "COMMAND" && sub === "INFO" ? info : undefined)
    for (const node of [b, c]) node.script = ([name]) => (name === "FOO" ? moved(slotA, a) : undefined)
    await until(async () => {
      await cluster.command(["FOO", keyA()])
      return questions() > 1
    })
    forgetReceived(fake)
    for (let times = 0; times < 6; times++) await cluster.command(["FOO", keyA()])
    assert.deepEqual(
      [a, b, c].map(({ commands }) => commands.length),
      [6, 0, 0],
    )
  })
})
