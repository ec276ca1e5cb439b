/** Sections 3 and 8 of the contract: the end of a cluster, by `close` or `destroy`, in every state. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Cluster } from "@redix/client"
import { freePort } from "../../../support/port.ts"
import { until } from "../../../support/wait.ts"
import { assertEndedByItself, closing, connectionFailure, rawServer, runNode } from "../helpers.ts"
import {
  answering,
  type FakeCluster,
  fakeNodes,
  keyA,
  keyB,
  keyC,
  moved,
  quick,
  scripted,
  slotA,
  tryAgain,
} from "./setup.ts"

/** Asserts that a cluster has ended for good, and has left nothing open. */
async function assertEnded(cluster: Cluster, fake?: FakeCluster): Promise<void> {
  assert.equal(cluster.status, "closed")
  const requests = [
    cluster.command(["GET", keyA()]),
    cluster.pipeline([
      ["GET", keyA()],
      ["GET", keyB()],
    ]),
    cluster.transactionPipeline([["GET", keyA()]]),
    cluster.noreplyCommand(["GET", keyA()]),
    cluster.checkout({ key: keyA() }),
    cluster.use(() => 1, { key: keyA() }),
    cluster.watch([keyA()], () => null),
    cluster.ready(),
  ]
  const failures = requests.map((request) => connectionFailure(request, "closed", "not-sent"))
  for (const failure of await Promise.all(failures)) assert.equal(failure.final, true)
  await cluster.closed
  await cluster.close()
  cluster.destroy()
  if (fake) await until(() => fake.openConnections === 0, { message: "the end of every connection" })
}

describe("close", () => {
  test("waits for replies in flight at every node, and takes nothing new meanwhile", async (t) => {
    const { fake, cluster } = await scripted(t)
    const held: (() => void)[] = []
    fake.script = ([name], _, connection) => {
      if (name !== "SET") return undefined
      held.push(() => connection.write("+OK\r\n"))
      return ""
    }
    const inFlight = [keyA(), keyB(), keyC()].map((key) => cluster.command(["SET", key, "1"]))
    await until(() => held.length === 3)
    let isClosed = false
    const closed = cluster.close().then(() => {
      isClosed = true
    })
    await connectionFailure(cluster.command(["GET", keyA()]), "closed", "not-sent")
    assert.equal(isClosed, false)
    for (const answer of held) answer()
    assert.deepEqual(await Promise.all(inFlight), ["OK", "OK", "OK"])
    await closed
    assert.equal(await cluster.closed, undefined)
    await assertEnded(cluster, fake)
  })

  test("gives up after its timeout: what is left rejects with closed, and may have run", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    a.script = () => ""
    const failures = [
      connectionFailure(cluster.command(["SET", keyA(), "1"], { timeout: 60_000 }), "closed", "unknown"),
      connectionFailure(
        cluster.transactionPipeline([["SET", keyA(), "1"]], { timeout: 60_000 }),
        "closed",
        "unknown",
      ),
    ]
    await until(() => a.commands.length > 1)
    await cluster.close({ timeout: 50 })
    await Promise.all(failures)
    await assertEnded(cluster, fake)
  })

  test("does not wait for blocking commands, and not for checkouts beyond its timeout", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    a.script = ([name]) => (name === "BLPOP" ? "" : undefined)
    const blocked = connectionFailure(cluster.command(["BLPOP", keyA(), 0]), "closed", "unknown")
    await until(() => a.commands.length === 1)
    const conn = await cluster.checkout({ key: keyB() })
    const closed = cluster.close({ timeout: 100 })
    await blocked
    // Still of use for whoever has it.
    assert.equal(await conn.command(["SET", keyB(), "1"]), "OK")
    await closed
    await connectionFailure(conn.command(["GET", keyB()]), "closed")
    await assertEnded(cluster, fake)
  })

  test("waits for a checkout that is given back in time", async (t) => {
    const { fake, cluster } = await scripted(t)
    const conn = await cluster.checkout({ key: keyB() })
    let isClosed = false
    const closed = cluster.close({ timeout: 20_000 }).then(() => {
      isClosed = true
    })
    assert.equal(await conn.command(["SET", keyB(), "1"]), "OK")
    assert.equal(isClosed, false)
    await conn.release()
    await closed
    await assertEnded(cluster, fake)
  })

  test("may be called again and again, also as a disposal", async (t) => {
    const { fake, cluster } = await scripted(t)
    await Promise.all([cluster.close(), cluster.close({ timeout: 10 }), cluster[Symbol.asyncDispose]()])
    await assertEnded(cluster, fake)
  })
})

describe("destroy", () => {
  test("rejects what is in flight at every node with closed", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    fake.script = ([name]) => (name === "SET" || name === "BLPOP" ? "" : undefined)
    const failures = [
      connectionFailure(cluster.command(["SET", keyA(), "1"]), "closed", "unknown"),
      connectionFailure(
        cluster.pipeline([
          ["SET", keyA(), "1"],
          ["SET", keyB(), "1"],
        ]),
        "closed",
        "unknown",
      ),
      connectionFailure(cluster.command(["BLPOP", keyA(), 0]), "closed", "unknown"),
    ]
    await until(() => a.commands.length === 3 && b.commands.length === 1)
    cluster.destroy()
    for (const error of await Promise.all(failures)) assert.equal(error.final, true)
    await assertEnded(cluster, fake)
  })

  for (const end of ["destroy", "close"] as const) {
    test(`${end} while it connects: what waits rejects with closed, not sent`, async (t) => {
      const silent = await rawServer(t, () => {})
      const cluster = closing(t, Cluster.start({ nodes: [silent.url], ...quick }))
      const waiting = connectionFailure(cluster.command(["SET", keyA(), "1"]), "closed", "not-sent")
      const ready = connectionFailure(cluster.ready(), "closed")
      await silent.nextConnection()
      await cluster[end]()
      await waiting
      await ready
      await assertEnded(cluster)
      await until(async () => {
        await Promise.all(silent.connections.map(({ closed }) => closed))
        return true
      })
    })

    test(`${end} between two attempts`, async (t) => {
      const cluster = closing(
        t,
        Cluster.start({
          nodes: [`redis://127.0.0.1:${await freePort()}`],
          ...quick,
          backoffInitial: 600_000,
        }),
      )
      await connectionFailure(cluster.command(["GET", keyA()]), "closed", "not-sent")
      await cluster[end]()
      await assertEnded(cluster)
    })

    test(`${end} while a command waits to try again`, async (t) => {
      const { fake, cluster, a } = await scripted(t, { maxRedirections: 1000 })
      a.script = answering({ MGET: tryAgain })
      const waiting = connectionFailure(
        cluster.command(["MGET", keyA("1"), keyA("2")], { timeout: 60_000 }),
        "closed",
      )
      await until(() => a.commands.length === 3)
      if (end === "close") await cluster.close({ timeout: 30 })
      else cluster.destroy()
      await waiting
      await assertEnded(cluster, fake)
      assert.ok(a.commands.length < 10)
    })

    test(`${end} while a redirection leads to a node that does not let in`, async (t) => {
      const { fake, cluster, a } = await scripted(t)
      fake.script = ([name]) => (name === "CLUSTER" ? "" : undefined)
      const added = await fake.addNode()
      added.script = () => ""
      a.script = answering({ SET: moved(slotA, added) })
      const waiting = connectionFailure(
        cluster.command(["SET", keyA(), "1"], { timeout: 60_000 }),
        "closed",
        "not-sent",
      )
      await until(() => added.server.connections.length > 0)
      if (end === "close") await cluster.close({ timeout: 30 })
      else cluster.destroy()
      await waiting
      await assertEnded(cluster, fake)
    })

    test(`${end} while the layout is asked for`, async (t) => {
      const { fake, cluster, a, b } = await scripted(t)
      for (const node of fake.nodes) node.layoutDelay = 60_000
      a.script = answering({ GET: moved(slotA, b) })
      await cluster.command(["GET", keyA()])
      await until(() => fake.layoutsAsked > 0)
      await cluster[end]()
      await assertEnded(cluster, fake)
    })
  }
})

describe("a process", () => {
  test("ends by itself once its clusters are closed, whatever they were doing; one that is open keeps it", async (t) => {
    const fake = await fakeNodes(t)
    const silent = await rawServer(t, () => {})
    const dead = `redis://127.0.0.1:${await freePort()}`
    fake.script = ([name]) => (name === "BLPOP" ? "" : undefined)
    const program = (last: string) => `
      import { Cluster } from "@redix/client"
      const nodes = ${JSON.stringify(fake.urls())}
      const options = { backoffInitial: 600_000, topologyRefreshInterval: 1000 }
      const ignore = () => {}
      const up = await Cluster.connect({ nodes, ...options })
      await up.command(["SET", "a", "1"])
      const blocked = await Cluster.connect({ nodes, ...options })
      blocked.command(["BLPOP", "a", 0]).catch(ignore)
      const waiting = Cluster.start({ nodes: [${JSON.stringify(silent.url)}], ...options })
      waiting.command(["GET", "a"]).catch(ignore)
      const down = Cluster.start({ nodes: [${JSON.stringify(dead)}], ...options })
      await down.command(["GET", "a"]).catch(ignore)
      await Cluster.connect({ nodes: [${JSON.stringify(dead)}], ...options }).catch(ignore)
      await Promise.all([up.close(), blocked.close({ timeout: 50 }), waiting.close(), down.close()])
      console.log("closed all");
      ${last}
    `
    assertEndedByItself(await runNode(program("")))
    const free = "(await Cluster.connect({ nodes, ...options })).unref()"
    assertEndedByItself(await runNode(program(free)))
    const kept = await runNode(program("await Cluster.connect({ nodes, ...options })"), {
      lingersAfter: "closed all",
    })
    assert.equal(kept.signal, "SIGKILL")
  })
})
