/** How sentinels and server are reached: kinds of addresses, credentials, TLS, each for its own side only. */
import assert from "node:assert/strict"
import { connect, createServer, type LookupFunction } from "node:net"
import { before, describe, type TestContext, test } from "node:test"
import { inspect } from "node:util"
import { Redix, type RedixOptions } from "@redix/client"
import { type Certificates, createCertificates } from "../../support/certificates.ts"
import { FakeServer } from "../../support/fake-server.ts"
import { until } from "../../support/wait.ts"
import { closing, connectionFailure } from "../contract/helpers.ts"
import { at, FakeRedis, FakeSentinel, group, quick, through } from "./fakes.ts"
import { connected, sentinelFailures, started } from "./setup.ts"

/** Passes what connects to `::1` on to a port of 127.0.0.1; the port, or `undefined` on a machine without IPv6. */
async function onIPv6(t: TestContext, target: number): Promise<number | undefined> {
  const server = createServer((socket) => {
    const onward = connect(target, "127.0.0.1")
    socket.pipe(onward).pipe(socket)
    for (const each of [socket, onward]) {
      each.on("error", () => each.destroy()).on("close", () => [socket, onward].map((one) => one.destroy()))
    }
  })
  t.after(() => server.close())
  return new Promise((resolve) => {
    server
      .once("error", () => resolve(undefined))
      .listen({ host: "::1", port: 0 }, () => {
        const address = server.address()
        resolve(typeof address === "object" ? address?.port : undefined)
      })
  })
}

/** A `lookup` that knows one name only, and keeps what it was asked for. */
function lookupOf(name: string, asked: string[]): LookupFunction {
  return (hostname, options, callback) => {
    asked.push(hostname)
    if (hostname !== name)
      callback(Object.assign(new Error(`ENOTFOUND ${hostname}`), { code: "ENOTFOUND" }), "", 4)
    else if (options.all) callback(null, [{ address: "127.0.0.1", family: 4 }])
    else callback(null, "127.0.0.1", 4)
  }
}

describe("addresses", () => {
  test("an IPv4 address is dialled as it is, and never looked up", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const asked: string[] = []
    const lookup = lookupOf("nobody", asked)
    const { seen } = await connected(t, {
      ...through([sentinel], { socket: { lookup } }),
      socket: { lookup },
    })
    assert.equal(seen.connections[0]?.address, at(primary))
    assert.deepEqual(asked, [])
  })

  test("the server may be an IPv6 address", async (t) => {
    const primary = await FakeRedis.start(t)
    const port = await onIPv6(t, primary.port)
    if (port === undefined) return t.skip("this machine has no IPv6")
    const sentinel = await FakeSentinel.start(t, { host: "::1", port })
    const { conn, seen } = await connected(t, through([sentinel]))
    assert.equal(seen.connections[0]?.address, `[::1]:${port}`)
    assert.equal(await conn.command(["ECHO", "six"]), "six")
  })

  test("a sentinel may be an IPv6 address, listed as a URI or as an object, or learned", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const port = await onIPv6(t, sentinel.port)
    if (port === undefined) return t.skip("this machine has no IPv6")
    const teacher = await FakeSentinel.start(t)
    teacher.others = [{ host: "::1", port }]
    const object = { group, sentinels: [{ host: "::1", port }] }
    for (const options of [
      through([`redis://[::1]:${port}`]),
      { ...quick, sentinel: object },
      through([teacher]),
    ]) {
      const { conn } = await connected(t, options)
      assert.equal(await conn.command(["ECHO", "a"]), "a")
    }
  })

  test("an IPv6 sentinel that fails is named in brackets", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const { seen } = await connected(t, through(["redis://[::1]:1", sentinel]))
    assert.equal(seen.failures[0]?.sentinelAddress, "[::1]:1")
  })

  test("the server may be a host name, which the connection's own `lookup` resolves", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, { host: "primary.test", port: primary.port })
    const asked: string[] = []
    const lookup = lookupOf("primary.test", asked)
    const { conn, seen } = await connected(t, { ...through([sentinel]), socket: { lookup } })
    assert.equal(seen.connections[0]?.address, `primary.test:${primary.port}`)
    assert.equal(await conn.command(["ECHO", "name"]), "name")
    assert.deepEqual([...new Set(asked)], ["primary.test"])
  })

  test("a sentinel may be a host name, which the sentinels' `lookup` resolves", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const asked: string[] = []
    const lookup = lookupOf("sentinel.test", asked)
    const url = `redis://sentinel.test:${sentinel.port}`
    const { conn } = await connected(t, through([url], { socket: { lookup } }))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    assert.deepEqual([...new Set(asked)], ["sentinel.test"])
  })

  test("a host name that does not exist makes the next sentinel be asked", async (t) => {
    const primary = await FakeRedis.start(t)
    const odd = await FakeSentinel.start(t, { host: "nowhere.invalid", port: 6379 })
    const good = await FakeSentinel.start(t, primary)
    const lookup = lookupOf("nobody", [])
    const { seen } = await connected(t, { ...through([odd, good]), socket: { lookup } })
    assert.deepEqual(sentinelFailures(seen), [[at(odd), "refused"]])
  })
})

describe("credentials", () => {
  /** A sentinel that wants to be logged in to, and a primary that wants something else. */
  async function guarded(t: TestContext, username?: string) {
    const primary = await FakeRedis.start(t, "master", {
      login: { username: "app", password: "of-the-server" },
    })
    const login = { password: "of-the-sentinels", ...(username !== undefined && { username }) }
    const sentinel = await FakeSentinel.start(t, primary, { login })
    return { primary, sentinel, server: { username: "app", password: "of-the-server" } }
  }

  test("common ones go to every sentinel, the connection's own to the server, and never the other way", async (t) => {
    const { primary, sentinel, server } = await guarded(t)
    const { conn } = await connected(t, {
      ...through([sentinel], { password: "of-the-sentinels" }),
      ...server,
    })
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    await until(() => sentinel.listeners.length === 1)
    for (const words of sentinel.logins) assert.deepEqual(words, ["of-the-sentinels"])
    for (const words of primary.logins) assert.deepEqual(words, ["app", "of-the-server"])
  })

  test("common ones may have a user name", async (t) => {
    const { sentinel, server } = await guarded(t, "asker")
    const common = { username: "asker", password: "of-the-sentinels" }
    await connected(t, { ...through([sentinel], common), ...server })
    await until(() => sentinel.listeners.length === 1)
    for (const words of sentinel.logins) assert.deepEqual(words, ["asker", "of-the-sentinels"])
  })

  test("those of a sentinel win over the common ones, as a URI or as an object", async (t) => {
    const { sentinel, server } = await guarded(t, "asker")
    const uri = sentinel.url.replace("//", "//asker:of-the-sentinels@")
    const object = {
      host: sentinel.host,
      port: sentinel.port,
      username: "asker",
      password: "of-the-sentinels",
    }
    for (const each of [uri, object]) {
      const options: RedixOptions<2> = {
        ...quick,
        ...server,
        sentinel: { group, sentinels: [each], username: "wrong", password: "wrong" },
      }
      await connected(t, options)
    }
    await until(() => sentinel.listeners.length >= 1)
    for (const words of sentinel.logins) assert.deepEqual(words, ["asker", "of-the-sentinels"])
  })

  test("a sentinel without any is not logged in to", async (t) => {
    const primary = await FakeRedis.start(t, "master", { login: { password: "of-the-server" } })
    const sentinel = await FakeSentinel.start(t, primary)
    await connected(t, { ...through([sentinel], { username: "asker" }), password: "of-the-server" })
    await until(() => sentinel.listeners.length === 1)
    assert.deepEqual(sentinel.logins, [])
  })

  test("learned sentinels get the common ones", async (t) => {
    const { primary, sentinel, server } = await guarded(t)
    const open = await FakeSentinel.start(t, primary, { login: { password: "of-the-sentinels" } })
    open.others = [sentinel]
    const { seen } = await connected(t, { ...through([open], { password: "of-the-sentinels" }), ...server })
    await open.stop()
    for (const each of primary.open) each.reset()
    await until(() => seen.connections.length === 2)
    assert.ok(sentinel.asked >= 1)
  })

  test("a password function, sync or async, is called for every attempt, so a rotated password is taken up", async (t) => {
    const { primary, sentinel, server } = await guarded(t)
    let current = "of-the-sentinels"
    let calls = 0
    const password = async () => {
      calls += 1
      await Promise.resolve()
      return current
    }
    const { seen } = await connected(t, { ...through([sentinel], { password }), ...server })
    const before = calls
    assert.ok(before >= 1)
    sentinel.login = { password: "rotated" }
    current = "rotated"
    for (const each of primary.open) each.reset()
    await until(() => seen.connections.length === 2)
    assert.ok(calls > before)
    const own = { host: sentinel.host, port: sentinel.port, password: () => current }
    await connected(t, { ...quick, ...server, sentinel: { group, sentinels: [own] } })
  })

  test("a wrong password is the failure of that sentinel, and the next one is asked", async (t) => {
    const { primary, sentinel, server } = await guarded(t)
    const open = await FakeSentinel.start(t, primary)
    const { seen } = await connected(t, {
      ...through([sentinel.url.replace("//", "//:no@"), open]),
      ...server,
    })
    assert.deepEqual(sentinelFailures(seen), [[at(sentinel), "authentication"]])
  })

  test("a password that is missing is the failure of that sentinel, and the next one is asked", async (t) => {
    const { primary, sentinel, server } = await guarded(t)
    const open = await FakeSentinel.start(t, primary)
    const { seen } = await connected(t, { ...through([sentinel, open]), ...server })
    assert.deepEqual(sentinelFailures(seen), [[at(sentinel), "authentication"]])
  })

  test("a password function that throws or is mute is the failure of that sentinel", async (t) => {
    const { primary, sentinel, server } = await guarded(t)
    const open = await FakeSentinel.start(t, primary)
    const place = { host: sentinel.host, port: sentinel.port }
    const throwing = () => {
      throw new Error("no vault")
    }
    const mute = () => new Promise<string>(() => undefined)
    for (const password of [throwing, () => Promise.reject(new Error("no vault")), mute]) {
      const sentinels = [{ ...place, password }, open.url]
      const { seen } = await connected(t, {
        ...quick,
        ...server,
        sentinel: { group, sentinels, timeout: 100 },
      })
      assert.equal(seen.failures[0]?.sentinelAddress, at(sentinel))
      assert.match(seen.failures[0]?.error.reason ?? "", /authentication|timeout/)
    }
  })

  test("the connection itself shows none of them", async (t) => {
    const { sentinel, server } = await guarded(t)
    const uri = sentinel.url.replace("//", "//:of-the-sentinels@")
    const { conn } = await connected(t, { ...through([uri], { password: "common-secret" }), ...server })
    const shown = inspect(conn, { depth: 20, showHidden: true })
    for (const secret of ["of-the-sentinels", "common-secret", "of-the-server"])
      assert.ok(!shown.includes(secret))
  })

  test("name, database, protocol and the like are for the server, not for the sentinels", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const conn = await Redix.connect({ ...through([sentinel]), protocol: 3, database: 3, clientName: "mine" })
    closing(t, conn)
    assert.equal(primary.commands("SELECT", "3").length, 1)
    assert.equal(primary.commands("CLIENT", "SETNAME", "mine").length, 1)
    assert.equal(primary.commands("HELLO", "3").length, 1)
    assert.equal(sentinel.commands("SELECT").length, 0)
    assert.equal(sentinel.commands("READONLY").length, 0)
  })
})

describe("TLS", () => {
  let certificates: Certificates
  before(async () => {
    certificates = await createCertificates()
  })

  test("to the sentinels and not to the server, by their URIs", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary, { tls: certificates })
    assert.match(sentinel.url, /^rediss:/)
    const { conn } = await connected(t, through([sentinel], { tls: { ca: certificates.ca } }))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    await until(() => sentinel.listeners.length === 1)
  })

  test("to the sentinels, by the option, for objects and for learned ones", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary, { tls: certificates })
    const learned = await FakeSentinel.start(t, primary, { tls: certificates })
    sentinel.others = [learned]
    const sentinels = [{ host: sentinel.host, port: sentinel.port }]
    const { seen } = await connected(t, {
      ...quick,
      sentinel: { group, sentinels, tls: { ca: certificates.ca } },
    })
    await sentinel.stop()
    for (const each of primary.open) each.reset()
    await until(() => seen.connections.length === 2)
    assert.ok(learned.asked >= 1)
  })

  test("to the server and not to the sentinels", async (t) => {
    const primary = await FakeRedis.start(t, "master", { tls: certificates })
    const sentinel = await FakeSentinel.start(t, primary)
    const { conn } = await connected(t, { ...through([sentinel]), tls: { ca: certificates.ca } })
    assert.equal(await conn.command(["ECHO", "a"]), "a")
  })

  test("to both, each with its own options", async (t) => {
    const primary = await FakeRedis.start(t, "master", { tls: certificates })
    const sentinel = await FakeSentinel.start(t, primary, { tls: certificates })
    const tls = { ca: certificates.ca }
    const { conn } = await connected(t, { ...through([sentinel], { tls }), tls })
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    const failure = await connectionFailure(
      Redix.connect({ ...through([sentinel], { tls }), tls: { ca: certificates.otherCa } }),
      "no-viable-sentinel",
    )
    assert.match(failure.message, /certificate/i)
  })

  test("a sentinel whose certificate is not trusted is not asked; the next one is", async (t) => {
    const primary = await FakeRedis.start(t)
    const suspect = await FakeSentinel.start(t, primary, { tls: certificates })
    const { seen } = started(t, through([suspect]))
    await until(() => seen.failures.length >= 2)
    assert.deepEqual(sentinelFailures(seen)[0], [at(suspect), "tls"])
    assert.equal(suspect.received.length, 0)
  })

  test("to a sentinel without TLS fails within the timeout, and the next one is asked", async (t) => {
    const primary = await FakeRedis.start(t)
    const mute = await FakeServer.start()
    t.after(() => mute.stop())
    const good = await FakeSentinel.start(t, primary, { tls: certificates })
    const url = mute.url.replace("redis:", "rediss:")
    const { seen } = await connected(t, through([url, good], { tls: { ca: certificates.ca }, timeout: 300 }))
    assert.equal(seen.failures[0]?.sentinelAddress, at(mute))
  })
})
