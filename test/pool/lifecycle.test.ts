/** The life of a pool: connecting, status, events, names, its end, and that nothing of it is left then. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { type ConnectionEvent, type DisconnectionEvent, Pool, Redix } from "@redix/client"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import { freePort, RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { connectionFailure, runNode, sharedServer, uniqueKey } from "../contract/helpers.ts"
import { clients, connected, proxyTo, quick, started } from "./setup.ts"

const server = await sharedServer()

describe("Pool.connect", () => {
  test("resolves once the first stands", async (t) => {
    let accepted = 0
    const fake = await FakeServer.start((connection) => {
      accepted += 1
      // All but one stay silent.
      if (accepted === 2) connection.onCommand = (command) => handshake(command) ?? "+OK\r\n"
    })
    t.after(() => fake.stop())
    const pool = await Pool.connect({ ...quick, host: fake.host, port: fake.port, size: 3 })
    t.after(() => pool.destroy())
    assert.equal(pool.status, "connected")
    assert.equal(await pool.command(["SET", "k", "v"]), "OK")
  })

  test("a first attempt that fails does not end it while another one may stand", async (t) => {
    let accepted = 0
    const fake = await FakeServer.start((connection) => {
      accepted += 1
      if (accepted === 1) connection.onCommand = () => "-ERR max number of clients reached\r\n"
      else setTimeout(() => connection.write("+PONG\r\n"), 60)
    })
    t.after(() => fake.stop())
    const pool = await Pool.connect({ ...quick, host: fake.host, port: fake.port, size: 2 })
    t.after(() => pool.destroy())
    assert.equal(pool.status, "connected")
  })

  test("rejects when the first attempts of all have failed, and nothing is left", async () => {
    const port = await freePort()
    const name = uniqueKey("name")
    const error = await connectionFailure(
      Pool.connect({ ...quick, host: "127.0.0.1", port, size: 3, name }),
      "refused",
      "not-sent",
    )
    assert.equal(error.final, true)
    assert.equal(Redix.whereis(name), undefined)
  })
})

describe("a pool", () => {
  test("tells of every connection as of itself", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = started(t, proxy, { name: uniqueKey("name") })
    const told: [string, ConnectionEvent | DisconnectionEvent][] = []
    for (const name of ["connection", "disconnection", "failedConnection"] as const)
      pool.on(name, (event: ConnectionEvent | DisconnectionEvent) => told.push([name, event]))
    const count = (name: string) => told.filter(([each]) => each === name).length
    await until(() => count("connection") === 2)
    proxy.refuse()
    proxy.reset()
    await until(() => count("disconnection") === 2 && count("failedConnection") >= 2)
    assert.ok(["disconnected", "connecting"].includes(pool.status))
    await proxy.accept()
    await until(() => count("connection") === 4)
    for (const [, event] of told) {
      assert.equal(event.connection, pool)
      assert.equal(event.name, pool.name)
      assert.equal(event.address, `127.0.0.1:${proxy.port}`)
    }
    const reconnections = told.flatMap(([, event]) => ("reconnection" in event ? [event.reconnection] : []))
    assert.deepEqual(reconnections, [false, false, true, true])
    assert.equal(pool.address, `127.0.0.1:${proxy.port}`)
  })

  test("has a name and a face", async (t) => {
    const name = uniqueKey("name")
    const pool = started(t, server, { name, password: "secret" })
    assert.equal(Pool.named(name), pool)
    assert.equal(Redix.named(name), pool)
    assert.throws(() => Pool.start({ ...quick, name }), /in use/)
    assert.throws(() => Pool.named(uniqueKey("name")), /nothing is registered/)
    assert.match(inspect(pool), /^Pool /)
    assert.doesNotMatch(inspect(pool, { depth: 9, showHidden: true }), /secret/)
    pool.destroy()
    assert.equal(Redix.whereis(name), undefined)
    const redix = Redix.start({ host: server.host, port: server.port, name })
    assert.throws(() => Pool.named(name), /other than a Pool/)
    redix.destroy()
  })

  test("closes once its replies are there, and for good", async (t) => {
    const own = await RedisServer.start()
    t.after(() => own.stop())
    const pool = await connected(t, own, { size: 3 })
    const replies = Array.from({ length: 30 }, () => pool.command(["PING"]))
    const closed = pool.close()
    assert.equal(pool.status, "closed")
    const refused = await connectionFailure(pool.command(["PING"]), "closed", "not-sent")
    assert.equal(refused.final, true)
    assert.equal((await Promise.all(replies)).length, 30)
    await Promise.all([closed, pool.close()])
    assert.equal(await pool.closed, undefined)
    await connectionFailure(pool.ready(), "closed")
    await until(async () => (await clients(own)) === 0)
  })

  test("destroy rejects what is in flight", async (t) => {
    const proxy = await proxyTo(t, server)
    const pool = await connected(t, proxy)
    proxy.blackhole("both")
    const flying = connectionFailure(pool.command(["PING"]), "closed")
    await new Promise((resolve) => setImmediate(resolve))
    pool.destroy()
    assert.equal((await flying).outcome, "unknown")
    assert.equal(await pool.closed, undefined)
    assert.equal(pool.status, "closed")
  })

  test("exitOnDisconnection: the first connection that drops ends all of it", async (t) => {
    const proxy = await proxyTo(t, server)
    const name = uniqueKey("name")
    const pool = await connected(t, proxy, { exitOnDisconnection: true, name, size: 3 })
    const conn = await pool.checkout()
    conn.destroy()
    assert.equal(pool.status, "connected")
    proxy.cutAfterBytes("to-client", 0, "rst")
    await connectionFailure(pool.command(["PING"]), "disconnected", "unknown")
    assert.equal((await pool.closed)?.reason, "disconnected")
    assert.equal(pool.status, "closed")
    assert.equal(Redix.whereis(name), undefined)
    await connectionFailure(pool.checkout(), "closed", "not-sent")
  })

  test("database and password hold for every connection", async (t) => {
    const own = await RedisServer.start({ args: ["--requirepass", "secret"], auth: { password: "secret" } })
    t.after(() => own.stop())
    const pool = await connected(t, own, { database: 2, password: "secret" })
    await pool.command(["SET", "k", "v"])
    assert.equal(await pool.use((conn) => conn.command(["GET", "k"])), "v")
    assert.deepEqual(await pool.command(["BLPOP", "list", 0.01]), null)
    const keyspace = String(await own.send("INFO", "keyspace"))
    assert.match(keyspace, /db2:keys=1/)
  })
})

describe("the process", () => {
  const start = (port: number) => `
    import { Pool } from "@redix/client"
    const pool = await Pool.connect({ host: "127.0.0.1", port: ${port}, size: 3, maxDedicated: 1, clientInfo: false })
    const settle = (promise) => promise.then(() => "ok", (error) => error.reason + " " + error.outcome)
  `
  const busy = `
    const conn = await pool.checkout()
    await conn.command(["WATCH", "k"])
    const all = [
      settle(pool.checkout({ timeout: 60000 })),
      settle(pool.command(["BLPOP", "none", 0])),
      settle(pool.watch("k", () => null, { timeout: Infinity })),
      settle(conn.command(["BLPOP", "none", 0])),
    ]
    await new Promise((resolve) => setTimeout(resolve, 50))
  `
  const report = "console.log((await Promise.all(all)).join())"
  const settled = "closed not-sent,closed not-sent,closed not-sent,closed unknown"

  for (const [how, code] of [
    ["close", "await pool.close({ timeout: 20 })"],
    ["destroy", "pool.destroy()"],
    ["release and close", "await Promise.all([pool.close(), conn.release()])"],
  ] as const) {
    test(`ends by itself after ${how}, with everything settled`, async () => {
      const { code: exit, stdout, stderr } = await runNode(`${start(server.port)}${busy}${code}\n${report}`)
      assert.equal(stderr, "")
      assert.equal(stdout.trim(), settled)
      assert.equal(exit, 0)
    })
  }

  test("ends by itself when the pool is idle and unref", async () => {
    const source = `${start(server.port)}
      await pool.use((conn) => conn.command(["PING"]))
      pool.unref()
      console.log("done")`
    const { code, stdout } = await runNode(source)
    assert.equal(stdout.trim(), "done")
    assert.equal(code, 0)
  })

  test("stays alive for a pool", async () => {
    const source = `${start(server.port)} console.log("up")`
    const { signal } = await runNode(source, { lingersAfter: "up" })
    assert.notEqual(signal, null)
  })
})
