/** What is refused at the call: a TypeError that names the option and shows no secret. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { PubSub, Redix, type RedixOptions } from "@redix/client"
import { throwsTypeError } from "../contract/helpers.ts"

const url = "redis://127.0.0.1:26379"
const ok = { sentinels: [url], group: "mymaster" }

/** Options as somebody without types might give them. */
function start(options: unknown): () => unknown {
  return () => Redix.start(options as RedixOptions<2>)
}

describe("sentinel together with another address", () => {
  for (const other of [{ host: "localhost" }, { port: 6379 }, { path: "/tmp/redis.sock" }]) {
    const [name = ""] = Object.keys(other)
    test(`\`${name}\` is refused`, () => {
      throwsTypeError(start({ sentinel: ok, ...other }), /sentinel/, new RegExp(name))
      throwsTypeError(() => PubSub.start({ sentinel: ok, ...other }), /sentinel/, new RegExp(name))
    })
  }

  test("a URI is refused", () => {
    throwsTypeError(() => Redix.start("redis://localhost:6379", { sentinel: ok }), /sentinel/)
    throwsTypeError(() => Redix.start("unix:///tmp/redis.sock", { sentinel: ok }), /sentinel/)
  })

  test("one that is `undefined` counts as not given", () => {
    const conn = Redix.start({ sentinel: ok, host: undefined, port: undefined, path: undefined })
    conn.destroy()
  })
})

describe("wrong options of sentinel", () => {
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["no object", "mymaster", /sentinel/],
    ["null", null, /sentinel/],
    ["an array", [url], /sentinel/],
    ["no sentinels", { group: "mymaster" }, /sentinels/],
    ["an empty list of sentinels", { ...ok, sentinels: [] }, /sentinels/],
    ["a URI instead of a list", { ...ok, sentinels: url }, /sentinels/],
    ["a sentinel that is a number", { ...ok, sentinels: [26379] }, /sentinels/],
    ["a sentinel that is undefined", { ...ok, sentinels: [undefined] }, /sentinels/],
    ["a sentinel that is null", { ...ok, sentinels: [null] }, /sentinels/],
    ["an empty URI", { ...ok, sentinels: [""] }, /sentinels/],
    ["a URI with a wrong scheme", { ...ok, sentinels: ["http://127.0.0.1:26379"] }, /sentinels|scheme|http/],
    ["a URI of a Unix socket", { ...ok, sentinels: ["unix:///tmp/sentinel.sock"] }, /sentinels|unix/],
    ["a URI without a port", { ...ok, sentinels: ["redis://127.0.0.1"] }, /port/],
    ["an object without a host", { ...ok, sentinels: [{ port: 26379 }] }, /host/],
    ["an object without a port", { ...ok, sentinels: [{ host: "localhost" }] }, /port/],
    ["a port that is too high", { ...ok, sentinels: [{ host: "localhost", port: 65536 }] }, /port/],
    ["a port that is a string", { ...ok, sentinels: [{ host: "localhost", port: "26379" }] }, /port/],
    ["an empty host", { ...ok, sentinels: [{ host: "", port: 26379 }] }, /host/],
    ["an unknown key of a sentinel", { ...ok, sentinels: [{ host: "a", port: 1, pasword: "x" }] }, /pasword/],
    ["no group", { sentinels: [url] }, /group/],
    ["an empty group", { ...ok, group: "" }, /group/],
    ["a group that is no string", { ...ok, group: 1 }, /group/],
    ["an old name of a role", { ...ok, role: "master" }, /role/],
    ["another old name of a role", { ...ok, role: "slave" }, /role/],
    ["a timeout of 0", { ...ok, timeout: 0 }, /timeout/],
    ["a timeout below 0", { ...ok, timeout: -1 }, /timeout/],
    ["a timeout that is NaN", { ...ok, timeout: Number.NaN }, /timeout/],
    ["a timeout that is a string", { ...ok, timeout: "500" }, /timeout/],
    ["a password that is no string", { ...ok, password: 1 }, /password/],
    ["a user name that is no string", { ...ok, username: 1 }, /username/],
    ["tls that is a string", { ...ok, tls: "yes" }, /tls/],
    ["socket that is no object", { ...ok, socket: true }, /socket/],
    ["an unknown key", { ...ok, groups: "mymaster" }, /groups[\s\S]*group/],
  ]
  for (const [what, sentinel, pattern] of wrong) {
    test(`${what} is refused`, () => {
      throwsTypeError(start({ sentinel }), pattern)
    })
  }

  test("TLS in some URIs only is refused, wherever they stand", () => {
    const secure = "rediss://127.0.0.1:26380"
    for (const sentinels of [
      [url, secure],
      [secure, url],
      [url, url, "valkeys://127.0.0.1:26380"],
    ]) {
      throwsTypeError(start({ sentinel: { ...ok, sentinels } }), /tls/i)
    }
  })

  test("`tls: false` against a URI with TLS is refused", () => {
    const sentinels = ["rediss://127.0.0.1:26380"]
    throwsTypeError(start({ sentinel: { ...ok, sentinels, tls: false } }), /tls/i)
  })

  test("`connect` rejects or throws a TypeError, and connects to nothing", async () => {
    const call = async () => Redix.connect({ sentinel: { ...ok, sentinels: [] } })
    await assert.rejects(call, TypeError)
  })

  test("no secret is shown", () => {
    const secret = "very-secret"
    for (const sentinel of [
      { ...ok, sentinels: [`redis://:${secret}@127.0.0.1`] },
      { ...ok, sentinels: [`http://:${secret}@127.0.0.1:1`] },
      { ...ok, sentinels: [`redis://:${secret}@127.0.0.1:26379?a=b`] },
      { ...ok, sentinels: [`redis://:${secret}@127.0.0.1:26379`, "rediss://127.0.0.1:1"] },
      { ...ok, sentinels: [{ host: "a", password: secret }] },
      { ...ok, sentinels: [{ host: "a", port: 1, password: [secret] }] },
      { ...ok, password: { secret } },
      { ...ok, timeout: 0, password: secret },
    ]) {
      const error = throwsTypeError(start({ sentinel }))
      const shown = inspect(error, { depth: 20, showHidden: true }) + String(error.stack)
      assert.ok(!shown.includes(secret), shown)
    }
  })
})

describe("right options of sentinel", () => {
  const right: readonly (readonly [string, NonNullable<RedixOptions["sentinel"]>])[] = [
    ["a role", { ...ok, role: "replica" }],
    ["a timeout without end", { ...ok, timeout: Number.POSITIVE_INFINITY }],
    ["undefined for what has a default", { ...ok, role: undefined, timeout: undefined, password: undefined }],
    ["all schemes without TLS", { ...ok, sentinels: [url, "valkey://localhost:1", "redis://[::1]:1"] }],
    ["all schemes with TLS", { ...ok, sentinels: ["rediss://localhost:1", "valkeys://localhost:2"] }],
    ["TLS by the option for URIs without", { ...ok, tls: true }],
    ["a URI and an object", { ...ok, sentinels: [url, { host: "localhost", port: 1, password: "x" }] }],
  ]
  for (const [what, sentinel] of right) {
    test(`${what}: accepted`, () => {
      Redix.start({ sentinel }).destroy()
    })
  }

  test("the caller's object is not changed, and changing it later changes nothing", () => {
    const sentinels = Object.freeze([url])
    const sentinel = Object.freeze({ ...ok, sentinels: [...sentinels] })
    Redix.start({ sentinel }).destroy()
    assert.deepEqual(sentinel, { ...ok, sentinels: [url] })
  })
})
