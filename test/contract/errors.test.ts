/** Section 4 of the contract: the classes of errors, what they carry, and what none of them may show. */
import assert from "node:assert/strict"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { ConnectionError, RedisError, Redix, RedixError, type RedixOptions } from "@redix/client"
import { freePort } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import {
  type AnyRedix,
  assertConnectionError,
  closing,
  connectionFailure,
  fakeServer,
  hasReceived,
  nextFailedConnection,
  rawServer,
  redisFailure,
  rejection,
  sharedConnection,
  throwsTypeError,
  uniqueKey,
} from "./helpers.ts"

const { server, conn } = await sharedConnection()

describe("RedisError", () => {
  test("carries the server's message, its code and the command's name", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, "text"])
    const error = await redisFailure(conn.command(["LPUSH", key, "an argument"]), "WRONGTYPE")
    assert.equal(error.message, "WRONGTYPE Operation against a key holding the wrong kind of value")
    assert.equal(error.command?.toUpperCase(), "LPUSH")
    assert.equal(error.name, "RedisError")
    assert.ok(error instanceof RedixError)
    assert.ok(error instanceof Error)
    assert.ok(!(error instanceof ConnectionError))
    const unknown = await redisFailure(conn.command(["NOSUCHCOMMAND"]), "ERR")
    assert.match(unknown.message, /^ERR unknown command/)
  })

  test("code is the first word, whatever the server says", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? `-${command[1]}\r\n` : undefined))
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    for (const [text, code] of [
      ["MOVED 3999 127.0.0.1:6381", "MOVED"],
      ["LOADING Redis is loading the dataset in memory", "LOADING"],
      ["READONLY You can't write against a read only replica.", "READONLY"],
      ["OOM command not allowed when used memory > 'maxmemory'.", "OOM"],
      ["NOSCRIPT No matching script.", "NOSCRIPT"],
      ["BUSY", "BUSY"],
      ["CROSSSLOT Keys in request don't hash to the same slot", "CROSSSLOT"],
    ] as const) {
      const error = await redisFailure(own.command(["ECHO", text]), code)
      assert.equal(error.message, text)
    }
  })

  test("never holds the arguments of its command", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, "text"])
    for (const call of [
      () => conn.command(["LPUSH", key, "s3cret-argument"]),
      () => conn.transactionPipeline([["NOSUCHCOMMAND"], ["SET", key, "s3cret-argument"]]),
    ]) {
      const error = await rejection(call())
      assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), /s3cret-argument/)
    }
    const replies: readonly unknown[] = await conn.pipeline([["LPUSH", key, "s3cret-argument"]])
    assert.doesNotMatch(inspect(replies, { depth: 20, showHidden: true }), /s3cret-argument/)
  })

  test("the name of a command that was given as bytes is text", async () => {
    const key = uniqueKey()
    await conn.command(["SET", key, "text"])
    const error = await redisFailure(conn.command([Buffer.from("LPUSH"), key, "x"]), "WRONGTYPE")
    assert.equal(error.command?.toUpperCase(), "LPUSH")
  })
})

describe("ConnectionError", () => {
  test("is a RedixError and an Error with a name, a message, a reason, an outcome and final", async (t) => {
    const fake = await fakeServer(t)
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const error = await connectionFailure(own.command(["SLOW"], { timeout: 20 }), "timeout", "unknown")
    assert.ok(error instanceof RedixError)
    assert.ok(error instanceof Error)
    assert.ok(!(error instanceof RedisError))
    assert.equal(error.name, "ConnectionError")
    assert.ok(error.message.length > 0)
    assert.equal(error.final, false)
    assert.equal(error.address, `127.0.0.1:${fake.port}`)
    assert.match(String(error.stack), /ConnectionError/)
  })

  test("refused: nobody listens, no such host, no such socket; the underlying error is the cause", async () => {
    const code = (error: Error) => (error.cause as { code?: string }).code
    const port = await freePort()
    const refused = await connectionFailure(Redix.connect({ host: "127.0.0.1", port }), "refused", "not-sent")
    assert.equal(code(refused), "ECONNREFUSED")
    assert.equal(refused.address, `127.0.0.1:${port}`)
    const notFound = Object.assign(new Error("getaddrinfo ENOTFOUND redis.test"), { code: "ENOTFOUND" })
    const unknown = await connectionFailure(
      Redix.connect({
        host: "redis.test",
        socket: { lookup: (_host, _options, callback) => callback(notFound, "") },
      }),
      "refused",
      "not-sent",
    )
    assert.equal(code(unknown), "ENOTFOUND")
    assert.equal(unknown.address, "redis.test:6379")
    const path = join(tmpdir(), `no such socket ${process.pid}`)
    const missing = await connectionFailure(Redix.connect({ path }), "refused", "not-sent")
    assert.equal(code(missing), "ENOENT")
    assert.equal(missing.address, path)
  })

  test("timeout: the deadline of a request or of an attempt", async (t) => {
    const fake = await fakeServer(t)
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    await connectionFailure(own.command(["SLOW"], { timeout: 20 }), "timeout", "unknown")
    const silent = await rawServer(t, () => undefined)
    await connectionFailure(
      Redix.connect({ host: "127.0.0.1", port: silent.port, timeout: 50 }),
      "timeout",
      "not-sent",
    )
  })

  test("disconnected: the connection dropped", async (t) => {
    const fake = await fakeServer(t, (command, connection) => {
      if (command[0] === "DIE") connection.reset()
      return undefined
    })
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const error = await connectionFailure(own.command(["DIE"]), "disconnected", "unknown")
    assert.ok(error.cause instanceof Error)
    assert.equal(error.final, false)
  })

  test("closed: by its owner it is final, between two attempts it is not", async (t) => {
    const own = closing(t, Redix.start({ host: "127.0.0.1", port: await freePort(), backoffInitial: 60_000 }))
    await nextFailedConnection(own)
    const between = await connectionFailure(own.command(["PING"]), "closed", "not-sent")
    assert.equal(between.final, false)
    own.destroy()
    const ended = await connectionFailure(own.command(["PING"]), "closed", "not-sent")
    assert.equal(ended.final, true)
  })

  test("protocol-error and health-check-timeout are causes of disconnected", async (t) => {
    for (const [reason, answer] of [
      ["protocol-error", "what?\r\n"],
      ["health-check-timeout", undefined],
    ] as const) {
      const fake = await fakeServer(t, (command) => (command[0] === "ASK" ? answer : undefined))
      const own = closing(
        t,
        await Redix.connect({ host: "127.0.0.1", port: fake.port, healthCheckInterval: 100 }),
      )
      const error = await connectionFailure(own.command(["ASK"]), "disconnected", "unknown")
      assertConnectionError(error.cause, reason)
    }
  })

  test("overloaded: beyond maxInFlight", async (t) => {
    const fake = await fakeServer(t)
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port, maxInFlight: 1 }))
    own.command(["SLOW"]).catch(() => undefined)
    const error = await connectionFailure(own.command(["PING"]), "overloaded", "not-sent")
    assert.equal(error.final, false)
  })

  test("final is true where there is no way back: connect, exitOnDisconnection, close", async (t) => {
    const port = await freePort()
    const connect = await connectionFailure(Redix.connect({ host: "127.0.0.1", port }), "refused")
    assert.equal(connect.final, true)
    const exiting = closing(t, Redix.start({ host: "127.0.0.1", port, exitOnDisconnection: true }))
    assert.equal((await exiting.closed)?.final, true)
    const retrying = closing(t, Redix.start({ host: "127.0.0.1", port }))
    assert.equal((await nextFailedConnection(retrying)).error.final, false)
  })
})

describe("secrets", () => {
  const secret = "hunter2"

  /** Everything that a careless log statement might show of a value. */
  function shown(value: unknown): string {
    const parts = [
      inspect(value, { depth: 50, showHidden: true, maxArrayLength: null, maxStringLength: null }),
    ]
    if (value instanceof Error) parts.push(String(value), String(value.stack))
    try {
      parts.push(JSON.stringify(value) ?? "")
    } catch {
      // A cycle: JSON shows nothing then.
    }
    return parts.join("\n")
  }

  function assertNotShown(value: unknown): void {
    const text = shown(value)
    for (const form of [
      secret,
      Buffer.from(secret).toString("hex"),
      Buffer.from(secret).toString("base64"),
    ]) {
      assert.ok(
        !text.includes(form),
        `the password is shown: …${text.slice(text.indexOf(form) - 200).slice(0, 300)}`,
      )
    }
    const spaced = Buffer.from(secret).toString("hex").replace(/../g, "$& ").trim()
    assert.ok(!text.includes(spaced), "the password is shown as bytes")
  }

  test("no connection shows its password, whatever it does and however it was told", async (t) => {
    const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? "+x\r\n" : undefined))
    const silent = await rawServer(t, () => undefined)
    const at = { host: "127.0.0.1", port: fake.port }
    const ways: (() => AnyRedix)[] = [
      () => Redix.start({ ...at, username: "user", password: secret }),
      () => Redix.start({ ...at, password: () => secret }),
      () => Redix.start({ ...at, password: async () => secret }),
      () => Redix.start(`redis://user:${secret}@127.0.0.1:${fake.port}`),
      () => Redix.start({ ...at, password: secret, protocol: 3 }),
      () => Redix.start({ ...at, password: secret, tls: false, sentinel: undefined }),
    ]
    for (const start of ways) {
      const own = start()
      closing(t, own)
      assertNotShown(own)
      await own.ready()
      assertNotShown(own)
      assert.equal(await own.command(["ECHO", "x"]), "x")
      const twin = own.duplicate()
      closing(t, twin)
      assertNotShown(twin)
      await twin.ready()
      assertNotShown(twin)
      await own.close()
      assertNotShown(own)
    }
    const connecting = closing(t, Redix.start({ host: "127.0.0.1", port: silent.port, password: secret }))
    const connection = await silent.nextConnection()
    await until(() => hasReceived(connection, secret), { message: "no AUTH" })
    assertNotShown(connecting)
  })

  test("no error of an attempt shows it", async (t) => {
    const answers: Record<string, RedixOptions> = {
      "-WRONGPASS invalid username-password pair or user is disabled.\r\n": {},
      "-ERR something\r\n": {},
      "what?\r\n": {},
      "-NOPERM no\r\n": { protocol: 3 },
    }
    for (const [answer, options] of Object.entries(answers)) {
      const fake = await fakeServer(t, (command) =>
        command[0] === "AUTH" || command[0] === "HELLO" ? answer : undefined,
      )
      const at = { host: "127.0.0.1", port: fake.port, password: secret, ...options }
      assertNotShown(await rejection(Redix.connect(at)))
      assertNotShown(await rejection(Redix.connect(`redis://u:${secret}@127.0.0.1:${fake.port}`, options)))
      const own = closing(t, Redix.start(at))
      const waiting = rejection(own.command(["PING"]))
      assertNotShown(await nextFailedConnection(own))
      assertNotShown(await waiting)
      assertNotShown(own)
    }
    const port = await freePort()
    assertNotShown(await rejection(Redix.connect({ host: "127.0.0.1", port, password: secret })))
    assertNotShown(await rejection(Redix.connect(`redis://u:${secret}@127.0.0.1:${port}`)))
    const silent = await rawServer(t, () => undefined)
    assertNotShown(
      await rejection(Redix.connect({ host: "127.0.0.1", port: silent.port, password: secret, timeout: 50 })),
    )
  })

  test("no error and no connection shows the password of an AUTH by hand", async (t) => {
    const own = closing(t, await Redix.connect({ host: server.host, port: server.port, backoffInitial: 10 }))
    const wrong = await redisFailure(own.command(["AUTH", "nobody", secret]), "WRONGPASS")
    assertNotShown(wrong)
    assertNotShown(own)
    const replies: readonly unknown[] = await own.pipeline([["AUTH", "nobody", secret]])
    assertNotShown(replies)
    const queued = rejection(own.pipeline([["AUTH", "nobody", secret]], { timeout: 60_000 }))
    own.destroy()
    assertNotShown(await queued)
    assertNotShown(own)
  })

  test("no TypeError shows a password that came with wrong options", () => {
    for (const start of [
      () => Redix.start({ password: [secret] } as never),
      () => Redix.start({ password: { value: secret } } as never),
      () => Redix.start({ password: Buffer.from(secret) } as never),
      () => Redix.start({ username: { value: secret } } as never),
      () => Redix.start({ password: secret, nonsense: true } as never),
      () => Redix.start({ password: secret, port: "x" } as never),
      () => Redix.start(`redis://u:${secret}@localhost`, { nonsense: true } as never),
      () => Redix.start(`redis://u:${secret}@localhost`, { port: "x" } as never),
      () => Redix.start([`redis://u:${secret}@localhost`] as never),
      () => Redix.start({ url: `redis://u:${secret}@localhost` } as never),
      () => Redix.start({ host: `redis://u:${secret}@localhost`, port: "x" } as never),
    ]) {
      assertNotShown(throwsTypeError(start))
    }
  })
})
