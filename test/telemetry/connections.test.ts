/** Section 9 of the contract: what is told of connections, and what the default logger makes of it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  attachDefaultLogger,
  type ConnectionEvent,
  channels,
  type DisconnectionEvent,
  Pool,
  PubSub,
  Redix,
} from "@redix/client"
import { freePort } from "../../support/port.ts"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { closing, runNode, sharedServer } from "../contract/helpers.ts"
import { proxyTo } from "../pool/setup.ts"
import { at, FakeRedis, FakeSentinel, through } from "../sentinel/fakes.ts"
import { heardOn } from "./setup.ts"

const quick = { backoffInitial: 1, backoffMax: 2 } as const

const server = await sharedServer()

describe("connections", () => {
  for (const Client of [Redix, PubSub, Pool]) {
    test(`of a ${Client.name} are told of as its events tell of them`, async (t) => {
      const proxy = await proxyTo(t, server)
      const ups = heardOn<ConnectionEvent>(t, "redix:connection")
      const downs = heardOn<DisconnectionEvent>(t, "redix:disconnection")
      const failures = heardOn<DisconnectionEvent>(t, "redix:failed-connection")
      const options = { host: proxy.host, port: proxy.port, ...quick, name: `told-${Client.name}` }
      const client = closing(t, await Client.connect(Client === Pool ? { ...options, size: 1 } : options))
      const events: unknown[] = []
      for (const name of ["connection", "disconnection", "failedConnection"] as const)
        client.on(name, (event) => events.push(event))
      const address = `${proxy.host}:${proxy.port}`
      assert.deepEqual(ups, [{ connection: client, name: client.name, address, reconnection: false }])
      await proxy.stop()
      await until(() => failures.length > 0)
      const [down] = downs
      assert.equal(downs.length, 1)
      assert.equal(down?.connection, client)
      assert.equal(down?.name, client.name)
      assert.equal(down?.address, address)
      assert.equal(down?.error.reason, "disconnected")
      assert.equal(failures[0]?.connection, client)
      assert.equal(failures[0]?.error.reason, "refused")
      assert.deepEqual(events, [...downs, ...failures])
      client.destroy()
    })
  }

  test("that come back say so, and what was lost", async (t) => {
    const ups = heardOn<ConnectionEvent>(t, "redix:connection")
    const conn = closing(t, await Redix.connect({ port: server.port, ...quick }))
    await conn.command(["WATCH", "a"])
    const id = await conn.command(["CLIENT", "ID"])
    await server.send("CLIENT", "KILL", "ID", String(id))
    await until(() => ups.length === 2)
    assert.equal(ups[1]?.reconnection, true)
    assert.equal(ups[1]?.sessionLost, true)
  })

  test("of a sentinel that fails bear its address", async (t) => {
    const redis = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, redis)
    const dead = { host: "127.0.0.1", port: await freePort() }
    const ups = heardOn<ConnectionEvent>(t, "redix:connection")
    const failures = heardOn<DisconnectionEvent>(t, "redix:failed-connection")
    const lines: string[] = []
    t.after(attachDefaultLogger(collecting(lines)))
    const conn = closing(t, await Redix.connect(through([`redis://${at(dead)}`, sentinel])))
    assert.equal(failures[0]?.sentinelAddress, at(dead))
    assert.ok(!("address" in (failures[0] ?? {})))
    assert.equal(ups[0]?.connection, conn)
    assert.equal(ups[0]?.address, at(redis))
    assert.match(
      lines[0] ?? "",
      new RegExp(`^error Connection \\(Redix\\) failed to connect to the sentinel at ${at(dead)}: `),
    )
  })

  test("are heard of by the typed channels", async (t) => {
    const told: string[] = []
    const listener = (event: ConnectionEvent): void => void told.push(event.address)
    channels.connection.subscribe(listener)
    const conn = closing(t, await Redix.connect({ port: server.port }))
    channels.connection.unsubscribe(listener)
    assert.deepEqual(told, [conn.address])
  })
})

/** A logger that writes down `"level message"`. */
function collecting(lines: string[]) {
  const log = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  return { error: log("error"), warn: log("warn"), info: log("info") }
}

describe("the default logger", () => {
  test("logs disconnections and failures as errors, reconnections as information, and no first connection", async (t) => {
    const lines: string[] = []
    const detach = attachDefaultLogger(collecting(lines))
    t.after(detach)
    const own = await RedisServer.start()
    t.after(() => own.stop())
    const conn = closing(t, await Redix.connect({ port: own.port, ...quick, name: "logged" }))
    assert.deepEqual(lines, [])
    await own.kill()
    await until(() => lines.length > 2)
    await own.restart()
    await conn.ready()
    const where = `Redis at localhost:${own.port}`
    assert.equal(
      lines[0],
      `error Connection "logged" disconnected from ${where}: the connection was lost: the server closed the connection`,
    )
    assert.match(
      lines[1] ?? "",
      new RegExp(`^error Connection "logged" failed to connect to ${where}: .*ECONNREFUSED`),
    )
    assert.equal(lines.at(-1), `info Connection "logged" reconnected to ${where}`)
    const count = lines.length
    detach()
    await own.kill()
    await until(() => conn.status !== "connected")
    assert.equal(lines.length, count)
  })

  test("is attached once to each logger, and may be detached and attached again", async () => {
    const [lines, others]: string[][] = [[], []]
    assert.ok(lines && others)
    const logger = collecting(lines)
    const detach = attachDefaultLogger(logger)
    const same = attachDefaultLogger(logger)
    const other = attachDefaultLogger(collecting(others))
    const fail = async (): Promise<void> => {
      await assert.rejects(Redix.connect({ port: await freePort() }))
    }
    await fail()
    assert.deepEqual([lines.length, others.length], [1, 1])
    same()
    await fail()
    assert.deepEqual([lines.length, others.length], [1, 2])
    const again = attachDefaultLogger(logger)
    // The one that was detached before ends nothing of this.
    detach()
    attachDefaultLogger(logger)
    await fail()
    assert.deepEqual([lines.length, others.length], [2, 3])
    again()
    other()
  })

  test("logs to the console, and what a cluster cannot reach once", async () => {
    const port = await freePort()
    const { stdout, stderr, code } = await runNode(`
      import { attachDefaultLogger, Cluster } from "@redix/client"
      attachDefaultLogger()
      await Cluster.connect({ nodes: ["redis://127.0.0.1:${port}"], name: "c" }).catch(() => {})
    `)
    assert.equal(code, 0)
    assert.equal(stdout, "")
    assert.match(
      stderr,
      new RegExp(`^Cluster "c" failed to find out who has which slots: .*127.0.0.1:${port}.*\\n$`),
    )
  })

  test("logs once where both builds of the package are loaded", async () => {
    const { stderr } = await runNode(`
      import { createRequire } from "node:module"
      import { attachDefaultLogger, Redix } from "@redix/client"
      createRequire(process.cwd() + "/x.js")("@redix/client").attachDefaultLogger()
      attachDefaultLogger()
      await Redix.connect({ port: ${await freePort()} }).catch(() => {})
    `)
    assert.equal(stderr.trim().split("\n").length, 1)
  })
})
