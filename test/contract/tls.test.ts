/** Section 3 of the contract, the option `tls` and the TLS schemes. */
import assert from "node:assert/strict"
import type { LookupFunction } from "node:net"
import { after, before, describe, test } from "node:test"
import { ConnectionError, Redix } from "@redix/client"
import { type Certificates, createCertificates } from "../../support/certificates.ts"
import { RedisServer } from "../../support/server.ts"
import {
  closing,
  connectionFailure,
  fakeServer,
  nextConnection,
  nextFailedConnection,
  rawServer,
  rejection,
  uniqueKey,
} from "./helpers.ts"

describe("TLS", () => {
  let certificates: Certificates
  let server: RedisServer
  let mutual: RedisServer

  before(async () => {
    certificates = await createCertificates()
    ;[server, mutual] = await Promise.all([
      RedisServer.start({ tls: { certificates } }),
      RedisServer.start({ tls: { certificates, clientAuth: true } }),
    ])
  })

  after(async () => {
    await server?.stop()
    await mutual?.stop()
  })

  const toLoopback: LookupFunction = (_host, options, callback) => {
    if (options.all) callback(null, [{ address: "127.0.0.1", family: 4 }])
    else callback(null, "127.0.0.1", 4)
  }

  test("connects with the authority that has signed the server's certificate", async (t) => {
    for (const host of ["localhost", "127.0.0.1"]) {
      const conn = closing(
        t,
        await Redix.connect({ host, port: server.port, tls: { ca: certificates.ca }, socket: { family: 4 } }),
      )
      const key = uniqueKey()
      await conn.command(["SET", key, "v"])
      assert.equal(await conn.command(["GET", key]), "v")
    }
  })

  test("connects by the name of a host with several addresses", async (t) => {
    const conn = closing(
      t,
      await Redix.connect({ host: "localhost", port: server.port, tls: { ca: certificates.ca } }),
    )
    assert.equal(await conn.command(["PING"]), "PONG")
  })

  test("works over rediss:// and valkeys://", async (t) => {
    for (const scheme of ["rediss", "valkeys"]) {
      const conn = closing(
        t,
        await Redix.connect(`${scheme}://127.0.0.1:${server.port}/2`, { tls: { ca: certificates.ca } }),
      )
      assert.match(String(await conn.command(["CLIENT", "INFO"])), / db=2 /)
    }
  })

  test("large values go both ways", async (t) => {
    const conn = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: server.port, tls: { ca: certificates.ca } }),
    )
    const key = uniqueKey()
    const value = Buffer.alloc(3 * 1024 * 1024, "redix")
    await conn.command(["SET", key, value])
    const stored: unknown = await conn.command(["GET", key], { encoding: "buffer", timeout: 20_000 })
    assert.ok(value.equals(stored as Buffer))
    const tags = Array.from({ length: 2_000 }, (_, index) => `tag ${index}`)
    assert.deepEqual(await Promise.all(tags.map((tag) => conn.command(["ECHO", tag]))), tags)
  })

  test("certificates are verified by default", async () => {
    const { port } = server
    for (const connect of [
      () => Redix.connect({ host: "127.0.0.1", port, tls: true }),
      () => Redix.connect({ host: "127.0.0.1", port, tls: {} }),
      () => Redix.connect(`rediss://127.0.0.1:${port}`),
      () => Redix.connect({ host: "127.0.0.1", port, tls: { ca: certificates.otherCa } }),
    ]) {
      const error = await connectionFailure(connect(), "tls", "not-sent")
      assert.ok(error.cause instanceof Error)
      assert.equal(error.address, `127.0.0.1:${port}`)
    }
  })

  test("host names are verified by default", async () => {
    const error = await connectionFailure(
      Redix.connect({
        host: "redis.test",
        port: server.port,
        tls: { ca: certificates.ca },
        socket: { lookup: toLoopback },
      }),
      "tls",
      "not-sent",
    )
    assert.equal((error.cause as { code?: string }).code, "ERR_TLS_CERT_ALTNAME_INVALID")
  })

  test("tls takes options of tls.connect: servername, rejectUnauthorized, checkServerIdentity", async (t) => {
    const base = { host: "redis.test", port: server.port, socket: { lookup: toLoopback } }
    for (const tls of [
      { ca: certificates.ca, servername: "localhost" },
      { rejectUnauthorized: false },
      { ca: certificates.ca, checkServerIdentity: () => undefined },
    ]) {
      const conn = closing(t, await Redix.connect({ ...base, tls }))
      assert.equal(await conn.command(["PING"]), "PONG")
    }
  })

  test("one option of TLS does not switch off the others' defaults", async () => {
    for (const tls of [
      { minVersion: "TLSv1.2" },
      { servername: "localhost" },
      { checkServerIdentity: () => undefined },
    ] as const) {
      await connectionFailure(Redix.connect({ host: "127.0.0.1", port: server.port, tls }), "tls")
    }
    await connectionFailure(
      Redix.connect({
        host: "127.0.0.1",
        port: server.port,
        tls: { ca: certificates.ca, servername: "redis.test" },
      }),
      "tls",
    )
  })

  test("a client certificate is shown to a server that asks for one", async (t) => {
    const conn = closing(
      t,
      await Redix.connect({
        host: "127.0.0.1",
        port: mutual.port,
        tls: { ca: certificates.ca, cert: certificates.clientCert, key: certificates.clientKey },
      }),
    )
    assert.equal(await conn.command(["PING"]), "PONG")
  })

  test("without the client certificate that a server asks for the attempt fails", async () => {
    const error = await rejection(
      Redix.connect({ host: "127.0.0.1", port: mutual.port, tls: { ca: certificates.ca } }),
    )
    assert.ok(error instanceof ConnectionError)
    assert.equal(error.outcome, "not-sent")
    // The refusal comes after the client's side of the handshake: an alert, or a reset that overtook it.
    const code = String((error.cause as { code?: string } | undefined)?.code)
    if (code.startsWith("ERR_SSL")) assert.equal(error.reason, "tls")
  })

  test("a plain port is reason tls", async (t) => {
    const plain = await rawServer(t, (connection) => connection.write("-ERR this is no TLS\r\n"))
    await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: plain.port, tls: true }),
      "tls",
      "not-sent",
    )
  })

  test("a port that says nothing is reason timeout", async (t) => {
    const silent = await rawServer(t, () => undefined)
    await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: silent.port, tls: true, timeout: 100 }),
      "timeout",
      "not-sent",
    )
  })

  test("plain text to a TLS port fails the attempt", async () => {
    const error = await rejection(Redix.connect({ host: "127.0.0.1", port: server.port, timeout: 2_000 }))
    assert.ok(error instanceof ConnectionError)
    assert.equal(error.outcome, "not-sent")
  })

  test("no TLS without being asked for", async (t) => {
    const fake = await fakeServer(t)
    const conn = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, tls: false }))
    assert.equal(conn.status, "connected")
  })

  test("a failed verification is tried again like any failed attempt, with what waits told so", async (t) => {
    const conn = closing(
      t,
      Redix.start({ host: "127.0.0.1", port: server.port, tls: true, backoffInitial: 10 }),
    )
    const error = await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
    assert.ok(error.cause instanceof ConnectionError)
    assert.equal(error.cause.reason, "tls")
    assert.equal((await nextFailedConnection(conn)).error.reason, "tls")
    assert.notEqual(conn.status, "closed")
  })

  test("aborts in the turn of the calls leave exactly the others", async (t) => {
    const conn = closing(
      t,
      await Redix.connect({ host: "127.0.0.1", port: server.port, tls: { ca: certificates.ca } }),
    )
    const key = uniqueKey()
    const controller = new AbortController()
    const aborted: Promise<unknown>[] = []
    const kept: Promise<unknown>[] = []
    const tags: string[] = []
    for (let index = 0; index < 1_000; index++) {
      const tag = `${index} ${"x".repeat((index * 37) % 300)}`
      if (index % 3 === 0) {
        aborted.push(
          assert.rejects(conn.command(["INCR", key], { signal: controller.signal }), { name: "AbortError" }),
        )
      } else {
        kept.push(conn.command(["ECHO", tag]))
        tags.push(tag)
      }
    }
    controller.abort()
    await Promise.all(aborted)
    assert.deepEqual(await Promise.all(kept), tags)
    assert.equal(await conn.command(["EXISTS", key]), 0)
  })

  test("reconnects", async (t) => {
    const conn = closing(
      t,
      await Redix.connect({
        host: "127.0.0.1",
        port: server.port,
        tls: { ca: certificates.ca },
        backoffInitial: 10,
      }),
    )
    const back = nextConnection(conn)
    await server.send("CLIENT", "KILL", "ID", String(await conn.command(["CLIENT", "ID"])))
    await back
    assert.equal(await conn.command(["PING"]), "PONG")
  })

  test("requests in flight when a TLS connection is reset reject with disconnected", async (t) => {
    const fake = await fakeServer(
      t,
      (command, connection) => {
        if (command[0] === "DIE") connection.reset()
        return undefined
      },
      { tls: certificates },
    )
    const conn = closing(
      t,
      await Redix.connect({
        host: "127.0.0.1",
        port: fake.port,
        tls: { ca: certificates.ca },
        backoffInitial: 10,
      }),
    )
    const back = nextConnection(conn)
    await connectionFailure(conn.command(["DIE"]), "disconnected", "unknown")
    await back
  })
})
