/** From `start` to `closed`: what a subscriber has in common with every connection, and its own few things. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type ConnectionError, PubSub, Redix } from "@redix/client"
import { createCertificates } from "../../support/certificates.ts"
import { freePort, RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import {
  assertEndedByItself,
  closing,
  connectionFailure,
  misuse,
  rejection,
  runNode,
  sharedServer,
  throwsTypeError,
  turn,
  uniqueKey,
} from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import { connected, Log, protocols, publisher, quick, Reading, started, untilUnsubscribed } from "./setup.ts"

const server = await sharedServer({ unixSocket: true })

/** A subscription and a ping that are in flight, not answered, and to reject with `closed`. */
async function unanswered(fake: FakePubSub, pubsub: PubSub): Promise<Promise<ConnectionError>[]> {
  fake.held = () => true
  const failures = [
    connectionFailure(
      pubsub.subscribe("a", () => {}),
      "closed",
    ),
    connectionFailure(pubsub.ping(), "closed"),
  ]
  await fake.connection.nextCommand("SUBSCRIBE")
  return failures
}

describe("starting", () => {
  test("`start` returns at once and connects in the background; what is asked for meanwhile waits", async (t) => {
    const pubsub = closing(t, PubSub.start(server.url))
    assert.equal(pubsub.status, "connecting")
    const log = new Log()
    const name = uniqueKey()
    const subscribed = pubsub.subscribe(name, log.handler)
    const pong = pubsub.ping()
    await pubsub.ready()
    await Promise.all([subscribed, pong])
    assert.equal(pubsub.status, "connected")
    assert.deepEqual(log.lines, [`subscribed ${name}`])
  })

  test("`connect` resolves once connected, and rejects when the first attempt fails", async (t) => {
    const pubsub = closing(t, await PubSub.connect(server.url, { clientName: "a-subscriber" }))
    assert.equal(pubsub.status, "connected")
    assert.match(String(await server.send("CLIENT", "LIST")), /name=a-subscriber/)
    const error = await connectionFailure(
      PubSub.connect({ host: "127.0.0.1", port: await freePort() }),
      "refused",
    )
    assert.equal(error.final, true)
  })

  test("wrong credentials", async (t) => {
    const own = await RedisServer.start({ args: ["--requirepass", "right"], auth: { password: "right" } })
    t.after(() => own.stop())
    const target = { host: own.host, port: own.port }
    await connectionFailure(PubSub.connect({ ...target, password: "wrong" }), "authentication")
    await connectionFailure(PubSub.connect(target), "authentication")
    const pubsub = await connected(t, own, { password: async () => "right" })
    await pubsub.subscribe("a", () => {})
  })

  test("over a Unix domain socket", async (t) => {
    const pubsub = started(t, { path: server.path })
    const log = new Log()
    const name = uniqueKey()
    await pubsub.subscribe(name, log.handler)
    await server.send("PUBLISH", name, "hello")
    await log.untilPayload("hello")
  })

  test("over TLS", async (t) => {
    const certificates = await createCertificates()
    const own = await RedisServer.start({ tls: { certificates } })
    t.after(() => own.stop())
    for (const protocol of protocols) {
      const pubsub = closing(t, PubSub.start(own.url, { ...quick, protocol, tls: { ca: certificates.ca } }))
      const log = new Log()
      await pubsub.subscribe("a", log.handler)
      await own.send("PUBLISH", "a", "hello")
      await log.untilPayload("hello")
      await own.send("CLIENT", "KILL", "TYPE", "PUBSUB")
      await log.until("subscribed", 2)
      await pubsub.close()
    }
  })
})

describe("names", () => {
  test("`PubSub.named` finds what is registered, until it ends", async (t) => {
    const name = uniqueKey("name")
    const pubsub = closing(t, PubSub.start(server.url, { name }))
    assert.equal(pubsub.name, name)
    assert.equal(PubSub.named(name), pubsub)
    assert.equal(Redix.named<PubSub>(name), pubsub)
    assert.equal(Redix.whereis(name), pubsub)
    assert.throws(() => PubSub.start(server.url, { name }), Error)
    assert.throws(() => Redix.start(server.url, { name }), Error)
    await pubsub.close()
    assert.equal(Redix.whereis(name), undefined)
    assert.throws(() => PubSub.named(name), Error)
    closing(t, PubSub.start(server.url, { name }))
  })

  test("`PubSub.named` throws when something else bears the name", (t) => {
    const name = uniqueKey("name")
    const conn = closing(t, Redix.start(server.url, { name }))
    assert.throws(() => PubSub.named(name), Error)
    assert.equal(Redix.named(name), conn)
  })
})

describe("ending", () => {
  test("close is idempotent, frees the server, and `closed` says that it was asked for", async (t) => {
    const pubsub = await connected(t, server)
    const name = uniqueKey()
    await pubsub.subscribe(name, () => {})
    await Promise.all([pubsub.close(), pubsub.close({ timeout: 100 })])
    await pubsub.close()
    assert.equal(pubsub.status, "closed")
    assert.equal(await pubsub.closed, undefined)
    await untilUnsubscribed(server, name)
  })

  test("`await using` closes", async () => {
    let pubsub: PubSub | undefined
    {
      await using own = await PubSub.connect(server.url)
      pubsub = own
      await own.subscribe(uniqueKey(), () => {})
    }
    assert.equal(pubsub.status, "closed")
  })

  test("afterwards everything rejects with `closed`, final, not sent", async (t) => {
    for (const end of ["close", "destroy"] as const) {
      const pubsub = await connected(t, server)
      await pubsub[end]()
      const failures = [
        connectionFailure(
          pubsub.subscribe("a", () => {}),
          "closed",
          "not-sent",
        ),
        connectionFailure(pubsub.psubscribe("a"), "closed", "not-sent"),
        connectionFailure(pubsub.ping(), "closed", "not-sent"),
        connectionFailure(pubsub.ready(), "closed"),
      ]
      for (const error of await Promise.all(failures)) assert.equal(error.final, true)
    }
  })

  test("what waits for a connection rejects at once", async (t) => {
    for (const end of ["close", "destroy"] as const) {
      const pubsub = started(t, { host: "127.0.0.1", port: await freePort() })
      const failures = [
        connectionFailure(
          pubsub.subscribe("a", () => {}),
          "closed",
          "not-sent",
        ),
        connectionFailure(pubsub.ssubscribe("a"), "closed", "not-sent"),
      ]
      await pubsub[end]()
      for (const error of await Promise.all(failures)) assert.equal(error.final, true)
    }
  })

  test("what is in flight rejects with `closed` when it is destroyed", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const failures = await unanswered(fake, pubsub)
    pubsub.destroy()
    await Promise.all(failures)
    await fake.connection.closed
  })

  test("close resolves and everything settles, although the server has fallen silent", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake)
    const log = new Log()
    await pubsub.subscribe("b", log.handler)
    const failures = await unanswered(fake, pubsub)
    await pubsub.close({ timeout: 50 })
    await Promise.all(failures)
    await fake.connection.closed
    fake.connection.write(fake.bytes(fake.connection, "message", "b", "late"))
    await turn()
    assert.deepEqual(log.payloads, [])
  })

  test("a handler may end the connection", async (t) => {
    for (const end of ["close", "destroy"] as const) {
      const fake = await FakePubSub.start(t)
      const pubsub = await connected(t, fake)
      const log = new Log()
      let ended: Promise<void> | undefined
      await pubsub.subscribe("a", (event) => {
        log.handler(event)
        if (event.type === "message") ended = Promise.resolve(pubsub[end]())
      })
      const reading = new Reading(await pubsub.subscribe("a"))
      const bytes = fake.bytes(fake.connection, "message", "a", "x")
      fake.connection.write(Buffer.concat([bytes, bytes, bytes]))
      await until(() => ended !== undefined)
      await ended
      await reading.done
      assert.equal(pubsub.status, "closed")
      assert.equal(await pubsub.closed, undefined)
    }
  })
})

describe("ping", () => {
  for (const protocol of protocols) {
    test(`before and after subscribing, many at once, RESP${protocol}`, async (t) => {
      const pubsub = await connected(t, server, { protocol })
      await pubsub.ping()
      const log = new Log()
      const name = uniqueKey()
      const order: string[] = []
      const asked = [
        pubsub.ping().then(() => order.push("1")),
        pubsub.subscribe(name, log.handler).then(() => order.push("2")),
        pubsub.ping().then(() => order.push("3")),
        pubsub.unsubscribe(name).then(() => order.push("4")),
        pubsub.ping().then(() => order.push("5")),
      ]
      await Promise.allSettled(asked)
      assert.ok(
        order.indexOf("1") < order.indexOf("3") && order.indexOf("3") < order.indexOf("5"),
        `${order}`,
      )
      await pubsub.subscribe(name, log.handler)
      await Promise.all(Array.from({ length: 100 }, () => pubsub.ping()))
      await pubsub.unsubscribe()
      await pubsub.ping()
    })
  }

  test("rejects with `timeout` when nothing comes, and a late PONG answers nobody else", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake, { commandTimeout: 50 })
    await pubsub.subscribe("a", () => {})
    fake.held = ([name]) => name === "PING"
    await connectionFailure(pubsub.ping(), "timeout", "unknown")
    let answered = false
    const second = pubsub.ping().finally(() => {
      answered = true
    })
    const failed = rejection(second)
    await until(() => fake.commands("PING").length === 3)
    fake.answer(["PING"])
    await turn()
    assert.equal(answered, false)
    await failed
    fake.held = () => false
    fake.answer(["PING"])
    await pubsub.ping()
    assert.equal(fake.server.connections.length, 1)
  })

  test("rejects with `disconnected` when the connection breaks, and with `closed` between attempts", async (t) => {
    const fake = await FakePubSub.start(t)
    const pubsub = await connected(t, fake, { backoffInitial: 60_000, backoffMax: 60_000 })
    fake.held = ([name]) => name === "PING"
    const failure = connectionFailure(pubsub.ping(), "disconnected", "unknown")
    await until(() => fake.commands("PING").length === 2)
    fake.connection.reset()
    await failure
    assert.equal(pubsub.status, "disconnected")
    const error = await connectionFailure(pubsub.ping(), "closed", "not-sent")
    assert.equal(error.final, false)
  })
})

describe("clientId", () => {
  for (const protocol of protocols) {
    test(`is the server's, and new after each reconnection, RESP${protocol}`, async (t) => {
      const pubsub = started(t, {
        host: server.host,
        port: server.port,
        protocol,
        fetchClientIdOnConnect: true,
        clientName: "with-an-id",
      })
      assert.equal(pubsub.clientId, undefined)
      const log = new Log()
      await pubsub.subscribe(uniqueKey(), log.handler)
      const list = async () => String(await server.send("CLIENT", "LIST", "TYPE", "PUBSUB"))
      const listed = async () => Number(/id=(\d+) [^\n]*name=with-an-id/.exec(await list())?.[1])
      const first = pubsub.clientId
      assert.equal(first, await listed())
      await server.send("CLIENT", "KILL", "ID", `${first}`)
      await log.until("subscribed", 2)
      assert.notEqual(pubsub.clientId, first)
      assert.equal(pubsub.clientId, await listed())
    })
  }

  test("is undefined without `fetchClientIdOnConnect`", async (t) => {
    const pubsub = await connected(t, server)
    assert.equal(pubsub.clientId, undefined)
    const fake = await FakePubSub.start(t)
    await connected(t, fake)
    assert.ok(!fake.connection.received.some(([name, first]) => name === "CLIENT" && first === "ID"))
  })
})

describe("ready", () => {
  test("resolves when connected, and rejects by its own timeout and signal", async (t) => {
    const port = await freePort()
    const pubsub = started(t, { host: "127.0.0.1", port })
    await connectionFailure(pubsub.ready({ timeout: 20 }), "timeout")
    const stop = new AbortController()
    const aborted = rejection(pubsub.ready({ signal: stop.signal }))
    const reason = new Error("enough")
    stop.abort(reason)
    assert.equal(await aborted, reason)
    const ready = pubsub.ready()
    const own = await RedisServer.start({ port })
    t.after(() => own.stop())
    await ready
    assert.equal(pubsub.status, "connected")
    await pubsub.ready()
    await misuse(() => pubsub.ready({ timeout: -1 }), /timeout/)
  })
})

test("listeners can be taken off again, and a wrong one is refused", async (t) => {
  const pubsub = started(t, { host: server.host, port: server.port })
  let calls = 0
  const listener = () => {
    calls += 1
  }
  pubsub.on("connection", listener)
  pubsub.off("connection", listener)
  const once = new Promise((resolve) => pubsub.once("connection", resolve))
  await once
  assert.equal(calls, 0)
  throwsTypeError(() => pubsub.on("connection", "listener" as unknown as () => void))
})

describe("the process", { concurrency: 2 }, () => {
  test("is kept alive by an open subscriber, and ends after close", async () => {
    const open = await runNode(
      `import { PubSub } from "@redix/client"
       const pubsub = await PubSub.connect("${server.url}")
       await pubsub.subscribe("a", () => {})
       console.log("subscribed")`,
      { lingersAfter: "subscribed" },
    )
    assert.equal(open.signal, "SIGKILL", `it ended: ${open.stdout}${open.stderr}`)

    const closed = await runNode(
      `import { PubSub } from "@redix/client"
       const pubsub = await PubSub.connect("${server.url}")
       await pubsub.subscribe("a", () => {})
       for await (const event of await pubsub.subscribe("b")) { console.log(event.type); break }
       const left = await pubsub.subscribe("c")
       await pubsub.close()
       for await (const event of left) console.log(event.type)`,
    )
    assert.equal(assertEndedByItself(closed).split("\n")[0], "subscribed")
  })

  test("ends although a subscriber is open that was unref'ed, also one that waits to reconnect", async () => {
    const source = (url: string) =>
      `import { PubSub } from "@redix/client"
       const pubsub = PubSub.start("${url}")
       pubsub.unref()
       pubsub.on("connection", () => console.log("connected"))
       pubsub.on("failedConnection", () => console.log("failed"))
       const timer = setTimeout(() => {}, 60_000)
       const end = () => clearTimeout(timer)
       pubsub.once("failedConnection", end)
       pubsub.subscribe("a", () => {}).then(end, end)`
    const results = await Promise.all([
      runNode(source(server.url)),
      runNode(source(`redis://127.0.0.1:${await freePort()}`)),
    ])
    assert.deepEqual(results.map(assertEndedByItself), ["connected\n", "failed\n"])
  })

  test("is kept alive again after ref", async () => {
    const result = await runNode(
      `import { PubSub } from "@redix/client"
       const pubsub = PubSub.start("${server.url}")
       pubsub.unref()
       pubsub.ref()
       await pubsub.subscribe("a", () => {})
       console.log("subscribed")`,
      { lingersAfter: "subscribed" },
    )
    assert.equal(result.signal, "SIGKILL", `it ended: ${result.stdout}${result.stderr}`)
  })

  test("ends after destroy, in whatever state", async () => {
    const port = await freePort()
    const result = await runNode(
      `import { PubSub } from "@redix/client"
       const fresh = PubSub.start("${server.url}")
       fresh.destroy()
       const up = await PubSub.connect("${server.url}", { healthCheckInterval: 1000 })
       await up.subscribe("a", () => {})
       up.destroy()
       const down = PubSub.start("redis://127.0.0.1:${port}")
       await new Promise((resolve) => down.once("failedConnection", resolve))
       const waiting = down.subscribe("a").catch((error) => console.log(error.reason))
       down.destroy()
       await waiting`,
    )
    assert.equal(assertEndedByItself(result), "closed\n")
  })

  for (const protocol of protocols) {
    test(`hears of a handler that throws, and nobody else does, RESP${protocol}`, async () => {
      const result = await runNode(
        `import { PubSub, Redix } from "@redix/client"
         const errors = []
         process.on("uncaughtException", (error) => errors.push(error.message))
         const conn = await Redix.connect("${server.url}")
         const pubsub = await PubSub.connect("${server.url}", { protocol: ${protocol} })
         let connections = 0
         pubsub.on("connection", () => { connections += 1; throw new Error("listener") })
         const seen = []
         let finish
         const finished = new Promise((resolve) => { finish = resolve })
         const thrower = (event) => { throw new Error(event.type + (event.payload ?? "")) }
         await pubsub.subscribe("throws${protocol}", thrower)
         await pubsub.subscribe("throws${protocol}", (event) => {
           if (event.type === "message") seen.push(event.payload)
           if (event.payload === "3") finish()
         })
         await pubsub.psubscribe("throws${protocol}", async () => { throw new Error("async") })
         await conn.pipeline(["1", "2", "3"].map((text) => ["PUBLISH", "throws${protocol}", text]))
         await finished
         await pubsub.ping()
         await new Promise((resolve) => setTimeout(resolve, 50))
         console.log(JSON.stringify({
           seen, connections, status: pubsub.status,
           errors: errors.filter((text) => text !== "async"),
         }))
         await pubsub.close()
         await conn.close()`,
      )
      assert.deepEqual(JSON.parse(assertEndedByItself(result)), {
        seen: ["1", "2", "3"],
        connections: 0,
        status: "connected",
        errors: ["subscribed", "message1", "message2", "message3"],
      })
    })
  }

  test("gets no unhandled rejection from what nobody waits for", async () => {
    const result = await runNode(
      `import { PubSub } from "@redix/client"
       process.on("unhandledRejection", (error) => console.log("unhandled", error))
       const pubsub = await PubSub.connect("${server.url}", { backoffInitial: 5 })
       const subscription = await pubsub.subscribe("a", () => {})
       const iterator = await pubsub.subscribe("b")
       pubsub.closed.then(() => console.log("closed"))
       void subscription.unsubscribe()
       void pubsub.unsubscribe()
       pubsub.destroy()
       void subscription.unsubscribe()
       void iterator.unsubscribe()
       void pubsub.close()
       await new Promise((resolve) => setTimeout(resolve, 50))`,
    )
    assert.equal(assertEndedByItself(result), "closed\n")
  })
})

test("passwords are not shown", async (t) => {
  const { inspect } = await import("node:util")
  const pubsub = started(t, { host: "127.0.0.1", port: await freePort(), password: "hunter2" })
  const shown = [
    inspect(pubsub, { depth: 20, showHidden: true }),
    String(JSON.stringify({ status: pubsub.status })),
  ]
  const failure = await new Promise<{ error: ConnectionError }>((resolve) => {
    pubsub.once("failedConnection", resolve)
  })
  shown.push(inspect(failure.error, { depth: 20 }))
  for (const text of shown) assert.ok(!text.includes("hunter2"))
})

test("several subscribers are independent", async (t) => {
  const pubsubs = await Promise.all(Array.from({ length: 5 }, () => connected(t, server)))
  const conn = await publisher(t, server)
  const name = uniqueKey()
  const logs = pubsubs.map(() => new Log())
  await Promise.all(pubsubs.map((pubsub, index) => pubsub.subscribe(name, (logs[index] as Log).handler)))
  assert.equal(await conn.command(["PUBLISH", name, "all"]), 5)
  for (const log of logs) await log.untilPayload("all")
  pubsubs[0]?.destroy()
  await until(async () => (await conn.command(["PUBLISH", name, "others"])) === 4)
  for (const log of logs.slice(1)) await log.untilPayload("others")
  assert.deepEqual(logs[0]?.payloads, ["all"])
})
