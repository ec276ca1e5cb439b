/** Section 3 of the contract, URIs: what each part of one means, and what is refused. */
import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import { describe, type TestContext, test } from "node:test"
import { inspect } from "node:util"
import { Redix } from "@redix/client"
import { createCertificates } from "../../support/certificates.ts"
import { RedisServer } from "../../support/server.ts"
import { closing, fakeServer, nextFailedConnection, throwsTypeError } from "./helpers.ts"

describe("URIs", () => {
  /** What the handshake is when a URI with these parts leads to a scripted server. */
  async function handshakeOf(t: TestContext, uri: (at: string) => string): Promise<string[][]> {
    const fake = await fakeServer(t)
    closing(t, await Redix.connect(uri(`127.0.0.1:${fake.port}`), { clientInfo: false }))
    return fake.connections[0]?.received ?? []
  }

  /** The address that a URI leads to, without being able to connect. */
  async function addressOf(t: TestContext, uri: string): Promise<string> {
    const conn = closing(
      t,
      Redix.start(uri, {
        socket: {
          lookup: (_host, _options, callback) => callback(new Error("not looked up in this test"), ""),
        },
      }),
    )
    return String((await nextFailedConnection(conn)).address)
  }

  test("redis:// and valkey:// lead to host and port", async (t) => {
    assert.deepEqual(await handshakeOf(t, (at) => `redis://${at}`), [["PING"]])
    assert.deepEqual(await handshakeOf(t, (at) => `valkey://${at}`), [["PING"]])
    assert.deepEqual(await handshakeOf(t, (at) => `redis://${at}/`), [["PING"]])
  })

  test("a URI without a port means 6379", async (t) => {
    assert.equal(await addressOf(t, "redis://redis.test"), "redis.test:6379")
    assert.equal(await addressOf(t, "rediss://redis.test"), "redis.test:6379")
    assert.equal(await addressOf(t, "valkey://redis.test/1"), "redis.test:6379")
    assert.equal(await addressOf(t, "redis://redis.test:1234"), "redis.test:1234")
  })

  test("rediss:// and valkeys:// turn TLS on", async (t) => {
    const certificates = await createCertificates()
    for (const scheme of ["rediss", "valkeys"]) {
      const fake = await fakeServer(t, () => undefined, { tls: certificates })
      const conn = closing(
        t,
        await Redix.connect(`${scheme}://localhost:${fake.port}`, {
          tls: { ca: certificates.ca },
          clientInfo: false,
          socket: { family: 4 },
        }),
      )
      assert.equal(conn.status, "connected")
    }
  })

  test("user and password, database", async (t) => {
    assert.deepEqual(await handshakeOf(t, (at) => `redis://user:pw@${at}/3`), [
      ["AUTH", "user", "pw"],
      ["SELECT", "3"],
    ])
  })

  test("user and password are percent-decoded; only the first colon separates them", async (t) => {
    assert.deepEqual(await handshakeOf(t, (at) => `redis://us%3Aer%40x:p%3Aa%2Fs%25s%C3%A9@${at}`), [
      ["AUTH", "us:er@x", Buffer.from("p:a/s%sé").toString("latin1")],
    ])
    assert.deepEqual(await handshakeOf(t, (at) => `redis://user:a:b:c@${at}`), [["AUTH", "user", "a:b:c"]])
  })

  test("a username without a password sends no AUTH; a password alone is sent alone", async (t) => {
    assert.deepEqual(await handshakeOf(t, (at) => `redis://user@${at}`), [["PING"]])
    assert.deepEqual(await handshakeOf(t, (at) => `redis://:pw@${at}`), [["AUTH", "pw"]])
  })

  test("IPv6 stands in brackets", async (t) => {
    const conn = closing(t, Redix.start("redis://[::1]:1/2"))
    assert.equal((await nextFailedConnection(conn)).address, "[::1]:1")
  })

  const noIpv6 = !Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === "::1"),
  )

  test("IPv6 is connected to", { skip: noIpv6 }, async (t) => {
    const server = await RedisServer.start({ args: ["--bind", "127.0.0.1", "::1"] })
    t.after(() => server.stop())
    for (const pending of [
      Redix.connect(`redis://[::1]:${server.port}/2`),
      Redix.connect({ host: "::1", port: server.port }),
    ]) {
      const conn = closing(t, await pending)
      assert.match(String(await conn.command(["CLIENT", "INFO"])), / addr=\[::1\]/)
    }
  })

  test("unix:// leads to a socket", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "redix uri "))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const path = join(folder, "a.sock")
    const fake = await fakeServer(t, () => undefined, { path })
    const conn = closing(
      t,
      await Redix.connect(`unix://${encodeURI(path)}`, { clientInfo: false, database: 2 }),
    )
    assert.equal(conn.status, "connected")
    assert.deepEqual(fake.connections[0]?.received, [["SELECT", "2"]])
  })

  test("a wrong scheme is a TypeError that does not echo the password", () => {
    for (const uri of [
      "http://user:hunter2@localhost",
      "redi://user:hunter2@localhost",
      "rediss+x://user:hunter2@localhost",
      "//user:hunter2@localhost",
      "user:hunter2@localhost:6379",
      "localhost:6379",
      "localhost",
      "unixx:///tmp/hunter2",
    ]) {
      const error = throwsTypeError(() => Redix.start(uri))
      if (uri.includes("hunter2@")) assert.doesNotMatch(inspect(error, { showHidden: true }), /hunter2/)
    }
  })

  test("a database that is not a number is a TypeError", () => {
    for (const database of ["peanuts", "0tacos", "-1", "1.5", "0x1", "1e1", "%31a"]) {
      const error = throwsTypeError(() => Redix.start(`redis://user:hunter2@localhost/${database}`))
      assert.doesNotMatch(inspect(error, { showHidden: true }), /hunter2/)
    }
  })

  test("a query string or a fragment is a TypeError that names the option to use", () => {
    const query = throwsTypeError(() => Redix.start("redis://user:hunter2@localhost/1?timeout=5"))
    assert.match(query.message, /timeout/)
    const database = throwsTypeError(() => Redix.start("redis://user:hunter2@localhost?db=5"))
    assert.match(database.message, /database/)
    const fragment = throwsTypeError(() => Redix.start("redis://user:hunter2@localhost/1#x"))
    const both = throwsTypeError(() => Redix.start("unix:///tmp/x.sock?db=1"))
    for (const error of [query, database, fragment, both]) {
      assert.doesNotMatch(inspect(error, { showHidden: true }), /hunter2/)
    }
  })

  test("tls: false with a TLS scheme is a TypeError", () => {
    for (const scheme of ["rediss", "valkeys"]) {
      const error = throwsTypeError(
        () => Redix.start(`${scheme}://u:hunter2@localhost`, { tls: false }),
        /tls/,
      )
      assert.doesNotMatch(inspect(error, { showHidden: true }), /hunter2/)
    }
  })

  test("no other broken URI echoes its password either, or throws anything but a TypeError", () => {
    for (const uri of [
      "redis://user:hunter2@localhost:99999",
      "redis://user:hunter2@localhost:port",
      "redis://user:hunter2@[::1",
      "redis://user:hunter2@ho st",
      "redis://user:hunter2@",
      "redis://user:hunter2%zz@localhost",
      "redis://user:hunter2%ff@localhost",
      "redis://user:hunter2#@localhost",
      "redis://user:hunter2?@localhost",
      "redis://user:hunter2/@localhost",
      "redis:user:hunter2@localhost",
      "REDISS//:hunter2@localhost",
      " redis://:hunter2@localhost:x",
    ]) {
      let error: unknown
      try {
        Redix.start(uri, { backoffInitial: 60_000 }).destroy()
      } catch (thrown) {
        error = thrown
      }
      if (error === undefined) continue
      assert.ok(error instanceof TypeError, `${uri}: ${inspect(error)}`)
      assert.doesNotMatch(inspect(error, { showHidden: true, depth: 10 }), /hunter2/, uri)
    }
  })
})
