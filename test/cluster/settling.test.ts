/** Requests whose replies are about something else than what they asked for: each settles, once, and none runs twice. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { type Cluster, ConnectionError, RedisError } from "@redix/client"
import {
  ask,
  assertFailedPlace,
  connected,
  fakeNodes,
  first,
  keyA,
  keyB,
  keyC,
  moved,
  scripted,
  slotA,
  spelled,
  tryAgain,
  warm,
} from "../contract/cluster/setup.ts"

/** Rejects if the promise does not settle soon. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    sleep(3000, undefined, { ref: true }).then(() => {
      throw new Error("it hangs")
    }),
  ])
}

describe("a natMap that returns nonsense once it matters", () => {
  const nonsense: readonly [string, unknown][] = [
    ["a promise", Promise.resolve({ host: "127.0.0.1", port: 1 })],
    ["no host", { port: 7000 }],
    ["no port", { host: "127.0.0.1" }],
    ["a port that is text", { host: "127.0.0.1", port: "7000" }],
    ["a port that is none", { host: "127.0.0.1", port: 70_000 }],
    ["text", "127.0.0.1:7000"],
  ]
  for (const [name, value] of nonsense) {
    test(`${name}: whatever is redirected rejects`, async (t) => {
      const { cluster, a } = await scripted(t, {
        natMap: (_host: string, port: number) => (port === 9 ? (value as undefined) : undefined),
      })
      a.script = ([word]) => (word === "GET" || word === "EXEC" ? moved(slotA, "10.0.0.1:9") : undefined)
      const isFailure = (error: unknown) =>
        error instanceof ConnectionError && error.reason === "no-reachable-node"
      const options = { timeout: 1000 }
      await assert.rejects(settled(cluster.command(["GET", keyA()], options)), isFailure)
      await assert.rejects(settled(cluster.pipeline([["GET", keyA()]], options)), isFailure)
      await assert.rejects(settled(cluster.transactionPipeline([["GET", keyA()]], options)), isFailure)
    })
  }
})

describe("a connection that breaks in the middle of a pipeline's replies", () => {
  test("a redirection that has come is nothing for the caller", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name, key], _node, connection) => {
      if (name !== "GET") return undefined
      if (key === keyA("1")) return moved(slotA, b)
      if (key === keyA("2")) return "$1\r\n2\r\n"
      connection.reset()
      return ""
    }
    const replies = await settled(
      cluster.pipeline([
        ["GET", keyA("1")],
        ["GET", keyA("2")],
        ["GET", keyA("3")],
      ]),
    )
    assertFailedPlace(replies[0], "disconnected", "not-sent")
    assert.equal(replies[1], "2")
    assertFailedPlace(replies[2], "disconnected", "unknown")
  })

  test("one that may have been carried out in part does not reject as if it was not sent", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name], _node, connection) => {
      if (name === "GET") return moved(slotA, b)
      if (name !== "SET") return undefined
      connection.reset()
      return ""
    }
    const commands = [
      ["GET", keyA("1")],
      ["SET", keyA("2"), "v"],
    ]
    const replies = await settled(cluster.pipeline(commands))
    assertFailedPlace(replies[0], "disconnected", "not-sent")
    assertFailedPlace(replies[1], "disconnected", "unknown")
  })

  test("without replies it says that it may have been carried out, as it was at another node", async (t) => {
    const { cluster, a, b, c } = await scripted(t, { maxInFlight: 1 })
    a.script = ([name]) => (name === "SET" ? "" : undefined)
    const waiting = cluster.command(["SET", keyA(), "v"]).catch(() => {})
    const commands = [
      ["INCR", keyA()],
      ["INCR", keyB()],
    ]
    await assert.rejects(
      settled(cluster.noreplyPipeline(commands)),
      (error) =>
        error instanceof ConnectionError && error.reason === "overloaded" && error.outcome === "unknown",
    )
    assert.deepEqual(spelled(b.commands), [`INCR ${keyB()}`])
    await assert.rejects(
      settled(cluster.noreplyCommand(["INCR", keyA()])),
      (error) =>
        error instanceof ConnectionError && error.reason === "overloaded" && error.outcome === "not-sent",
    )
    const keys = [keyA("d"), keyB("d"), keyC("d")]
    await assert.rejects(
      settled(cluster.command(["DEL", ...keys], { split: true })),
      (error) =>
        error instanceof ConnectionError && error.reason === "overloaded" && error.outcome === "unknown",
    )
    assert.deepEqual(spelled(c.commands), [`DEL ${keyC("d")}`])
    cluster.destroy()
    await waiting
  })

  test("a block that was sent on and fails there counts as one that has no reply", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name]) =>
      name === "SET" ? moved(slotA, b) : name === "EXEC" ? "-EXECABORT Transaction discarded\r\n" : undefined
    b.script = ([name], _node, connection) => {
      if (name !== "MULTI") return undefined
      connection.reset()
      return ""
    }
    await assert.rejects(
      settled(cluster.pipeline([["MULTI"], ["SET", keyA(), "v"], ["EXEC"]])),
      (error) => error instanceof ConnectionError && error.reason === "disconnected",
    )
  })
})

describe("a transaction that was carried out", () => {
  test("is not sent on, whatever its queueing replies say", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name]) => (name === "INCR" ? moved(slotA, b) : name === "EXEC" ? "*1\r\n:1\r\n" : undefined)
    assert.deepEqual(await settled(cluster.transactionPipeline([["INCR", keyA()]])), [1])
    assert.deepEqual(spelled(b.commands), [])
  })

  test("is not sent on as a block of a pipeline either", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name]) => (name === "INCR" ? moved(slotA, b) : name === "EXEC" ? "*1\r\n:1\r\n" : undefined)
    const replies = await settled(cluster.pipeline([["MULTI"], ["INCR", keyA()], ["EXEC"]]))
    assert.deepEqual(replies[2], [1])
    assert.deepEqual(spelled(b.commands), [])
  })

  test("a block whose MULTI is refused is not sent on: its commands ran one by one", async (t) => {
    const { cluster, a, b } = await scripted(t)
    let increments = 0
    a.script = ([name]) => {
      if (name === "MULTI") return "-NOPERM this user has no permissions to run the 'multi' command\r\n"
      if (name === "INCR") return `:${++increments}\r\n`
      if (name === "GET") return ask(slotA, b)
      return name === "EXEC" ? "-ERR EXEC without MULTI\r\n" : undefined
    }
    b.script = ([name]) => (name === "INCR" ? `:${++increments}\r\n` : undefined)
    await settled(cluster.pipeline([["MULTI"], ["INCR", keyA("1")], ["GET", keyA("2")], ["EXEC"]]))
    assert.equal(increments, 1)
  })
})

describe("a block that was asked for with ASKING", () => {
  test("leaves its connection as it was", async (t) => {
    const { cluster, a, b } = await scripted(t)
    const isAborted = ([name]: string[]) =>
      name === "SET" ? ask(slotA, b) : name === "EXEC" ? "-EXECABORT Transaction discarded\r\n" : undefined
    a.script = isAborted
    const replies = await settled(cluster.pipeline([["MULTI"], ["SET", keyA(), "v"], ["EXEC"]]))
    assert.deepEqual(replies, ["OK", "QUEUED", ["OK"]])
    assert.deepEqual(await settled(cluster.transactionPipeline([["SET", keyB(), "v"]])), ["OK"])
    const [, node] = cluster.nodes("primary")
    await settled(node?.connection.noreplyCommand(["SET", keyB(), "v"]) ?? assert.fail())
  })
})

describe("a block that is not carried out", () => {
  /** Somebody else's transactions on the same connection. */
  async function othersGoOn(cluster: Cluster): Promise<void> {
    assert.deepEqual(await settled(cluster.transactionPipeline([["SET", keyB(), "v"]])), ["OK"])
    assert.deepEqual(await settled(cluster.transactionPipeline([["SET", keyA(), "v"]])), ["OK"])
  }

  test("leaves no MULTI open where it was asked for with ASKING", async (t) => {
    const { cluster, a, b } = await scripted(t)
    const aborted = "-EXECABORT Transaction discarded\r\n"
    const exec = first("EXEC", aborted)
    a.script = (command, ...rest) => (command[0] === "EXISTS" ? ask(slotA, b) : exec(command, ...rest))
    const refused = first("EXISTS", tryAgain)
    const execAtB = first("EXEC", aborted)
    b.script = (command, ...rest) => refused(command, ...rest) ?? execAtB(command, ...rest)
    const replies = await settled(cluster.pipeline([["MULTI"], ["EXISTS", keyA("1"), keyA("2")], ["EXEC"]]))
    assert.deepEqual(replies, ["OK", "QUEUED", ["OK"]])
    await othersGoOn(cluster)
  })

  test("leaves no MULTI open where EXEC itself is redirected", async (t) => {
    for (const redirection of [
      moved(slotA, "127.0.0.1:9"),
      tryAgain,
      "-CLUSTERDOWN Hash slot not served\r\n",
    ]) {
      const { cluster, a } = await scripted(t, { maxRedirections: 0 })
      a.script = first("EXEC", redirection)
      await cluster.safe.pipeline([["MULTI"], ["SET", keyA(), "v"], ["EXEC"]])
      await othersGoOn(cluster)
    }
  })
})

describe("while the cluster is closed", () => {
  test("what is to be tried again a little later rejects at once", async (t) => {
    const { cluster, a } = await scripted(t)
    a.script = ([name], _node, connection) => {
      if (name !== "MGET") return undefined
      setTimeout(() => connection.write(tryAgain), 50)
      return ""
    }
    const requests = [
      cluster.command(["MGET", keyA("1"), keyA("2")]),
      cluster.pipeline([["MGET", keyA("1"), keyA("2")]]),
    ]
    let open = requests.length
    for (const request of requests) {
      request.catch(() => {}).finally(() => open--)
    }
    await sleep(20)
    await cluster.close()
    await sleep(0)
    assert.equal(open, 0, "requests outlive close()")
    for (const request of requests)
      await assert.rejects(
        request,
        (error) =>
          error instanceof ConnectionError && error.reason === "closed" && error.outcome === "not-sent",
      )
  })
})

describe("a node that leaves while a command waits to be tried there again", () => {
  test("is not waited for: the command goes where its slot is now", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    a.script = first("MGET", tryAgain, tryAgain, tryAgain, tryAgain)
    const key = keyA("1")
    const replies = Promise.all([
      cluster.command(["MGET", key, keyA("2")]),
      cluster.pipeline([["MGET", key, keyA("2")]]),
    ])
    fake.layout = [{ slots: [0, 16_383], nodes: [b.place] }]
    // Something else tells of it.
    fake.node(2).script = first("GET", "-CLUSTERDOWN The cluster is down\r\n")
    await cluster.safe.command(["GET", keyC()])
    await settled(replies)
  })
})

describe("errors of a cluster that lives", () => {
  test("are not final where a node has left", async (t) => {
    const fake = await fakeNodes(t)
    const cluster = await connected(t, fake)
    await warm(fake, cluster)
    const [a, b] = [fake.node(0), fake.node(1)]
    a.script = ([name]) => (name === "BLPOP" ? "" : undefined)
    const blocked = cluster.command(["BLPOP", keyA(), 0])
    const outcome = blocked.then(
      () => undefined,
      (error: unknown) => error,
    )
    await a.nextCommand("BLPOP")
    fake.layout = [{ slots: [0, 16_383], nodes: [b.place] }]
    fake.node(2).script = first("GET", "-CLUSTERDOWN The cluster is down\r\n")
    const down = await cluster.safe.command(["GET", keyC()])
    assert.ok(!down.ok && down.error instanceof RedisError)
    const error = await outcome
    assert.ok(error instanceof ConnectionError)
    assert.equal(error.final, false)
  })
})
