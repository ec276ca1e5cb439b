import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { inspect } from "node:util"
import fc from "fast-check"
import { parseUri, type UriParts } from "../src/uri.ts"

function errorOf(uri: string): TypeError {
  try {
    parseUri(uri)
  } catch (error) {
    assert.ok(error instanceof TypeError)
    return error
  }
  return assert.fail("expected a TypeError")
}

const readable: readonly (readonly [uri: string, parts: UriParts])[] = [
  ["redis://localhost:6379/3", { host: "localhost", port: 6379, database: 3 }],
  ["redis://localhost", { host: "localhost" }],
  ["redis://", {}],
  ["redis:///", {}],
  ["redis:///2", { database: 2 }],
  ["redis://:6380", { port: 6380 }],
  ["valkey://localhost:1", { host: "localhost", port: 1 }],
  ["rediss://localhost:65535", { host: "localhost", port: 65535, tls: true }],
  ["valkeys://localhost", { host: "localhost", tls: true }],
  ["REDISS://Example.com", { host: "Example.com", tls: true }],
  ["redis://localhost/", { host: "localhost" }],
  ["redis://localhost/0", { host: "localhost", database: 0 }],
  ["redis://localhost/2/anything", { host: "localhost", database: 2 }],
  ["redis://localhost/2/", { host: "localhost", database: 2 }],
  ["redis://user:pass@localhost", { host: "localhost", username: "user", password: "pass" }],
  ["redis://user@localhost", { host: "localhost", username: "user" }],
  ["redis://:pass@localhost", { host: "localhost", password: "pass" }],
  ["redis://user:@localhost", { host: "localhost", username: "user", password: "" }],
  ["redis://:@localhost", { host: "localhost" }],
  ["redis://@localhost", { host: "localhost" }],
  ["redis://user:a:b:c@localhost", { host: "localhost", username: "user", password: "a:b:c" }],
  ["redis://user:a@b@localhost", { host: "localhost", username: "user", password: "a@b" }],
  ["redis://us%65r:p%40%2F%3a%23@localhost", { host: "localhost", username: "user", password: "p@/:#" }],
  ["redis://:p%E2%82%AC@localhost", { host: "localhost", password: "p€" }],
  ["redis://:€@bücher.example", { host: "bücher.example", password: "€" }],
  ["redis://my%2Dhost_1", { host: "my-host_1" }],
  ["redis://[::1]", { host: "::1" }],
  [
    "redis://u:p@[2001:db8::1]:6380/1",
    { host: "2001:db8::1", port: 6380, username: "u", password: "p", database: 1 },
  ],
  ["redis://[fe80::1%25eth0]:6379", { host: "fe80::1%eth0", port: 6379 }],
  ["unix:///tmp/redis.sock", { path: "/tmp/redis.sock" }],
  ["unix:///tmp/a@b:c%20d.sock", { path: "/tmp/a@b:c d.sock" }],
]

const refused: readonly (readonly [uri: string, message: RegExp])[] = [
  ["foo://localhost", /begin with redis:\/\/, rediss:\/\/, valkey:\/\/, valkeys:\/\/ or unix:\/\//],
  ["localhost:6379", /begin with/],
  ["redis:localhost", /begin with/],
  [" redis://localhost", /begin with/],
  ["", /begin with/],
  ["redis://localhost/peanuts", /number of a database/],
  ["redis://localhost/0tacos", /number of a database/],
  ["redis://localhost/-1", /number of a database/],
  ["redis://localhost/+1", /number of a database/],
  ["redis://localhost//2", /number of a database/],
  ["redis://localhost/2 ", /number of a database/],
  ["redis://localhost/99999999999999999", /number of a database/],
  ["redis://localhost?db=2", /option "database" instead/],
  ["redis://localhost/?DB=2&password=x", /option "database" and "password" instead/],
  ["redis://localhost?x=y", /options object instead/],
  ["redis://localhost?", /options object instead/],
  ["redis://localhost#2", /option "database"/],
  ["unix:///tmp/redis.sock?db=2", /option "database" instead/],
  ["unix:///tmp/redis.sock#2", /fragment/],
  ["unix://tmp/redis.sock", /unix:\/\/\/path\/to\.sock/],
  ["unix://", /unix:\/\/\/path\/to\.sock/],
  ["unix:///", /unix:\/\/\/path\/to\.sock/],
  ["redis://localhost:0", /port between 1 and 65535/],
  ["redis://localhost:65536", /port between 1 and 65535/],
  ["redis://localhost:abc", /port between 1 and 65535/],
  ["redis://localhost:-1", /port between 1 and 65535/],
  ["redis://localhost:", /port between 1 and 65535/],
  ["redis://::1:6379", /IPv6 address stands in brackets/],
  ["redis://[::1", /IPv6 address/],
  ["redis://[localhost]", /IPv6 address between the brackets/],
  ["redis://[::1]x", /IPv6 address/],
  ["redis://local host", /no host has/],
  ["redis://a%2Fb", /no host has/],
  ["redis://localhost\n", /line break/],
  ["redis://:p%zz@localhost", /password is not valid percent-encoding/],
  ["redis://u%:p@localhost", /user name is not valid percent-encoding/],
  ["redis://:p%FF@localhost", /password is not valid percent-encoding/],
  ["unix:///tmp/%", /path is not valid percent-encoding/],
  ["redis://:pa/ss@localhost", /must be percent-encoded/],
  ["redis://:pa?ss@localhost", /must be percent-encoded/],
  ["redis://:pa#ss@localhost", /must be percent-encoded/],
  ["redis://user:12/3@localhost", /must be percent-encoded/],
]

describe("parseUri", () => {
  for (const [uri, parts] of readable) {
    it(`reads ${uri}`, () => assert.deepEqual(parseUri(uri), parts))
  }

  for (const [uri, message] of refused) {
    it(`refuses ${JSON.stringify(uri)}`, () => assert.match(errorOf(uri).message, message))
  }

  it("begins its messages with the place that it is told", () => {
    assert.match(errorOf("foo://").message, /^Redix URI: /)
    assert.throws(() => parseUri("foo://", "Somewhere"), { name: "TypeError", message: /^Somewhere: / })
  })

  it("gives back any user name and password that were encoded", () => {
    const text = fc.string({ minLength: 1, unit: "grapheme" })
    fc.assert(
      fc.property(text, text, fc.nat(), (username, password, database) => {
        const uri = `redis://${encodeURIComponent(username)}:${encodeURIComponent(password)}@[::1]:7000/${database}`
        assert.deepEqual(parseUri(uri), { host: "::1", port: 7000, database, username, password })
      }),
    )
  })

  it("either reads a raw password as it is or refuses it, and never shows any of it", () => {
    const special = fc.constantFrom("#", "/", "?", "@", ":", "%", "[", "]", "\\", " ", "\n", "&db=1", "://")
    const secret = fc.array(fc.oneof(special, fc.constantFrom("zqx", "QZX", "7193")), { minLength: 1 })
    const scheme = fc.constantFrom("redis", "rediss", "valkey", "valkeys", "unix", "foo", "")
    const rest = fc.constantFrom(
      "@localhost:6379/1",
      "@[::1]",
      "@",
      "",
      "@localhost:x",
      "@localhost/x",
      "@h?db=1",
    )
    fc.assert(
      fc.property(scheme, fc.constantFrom("", "user"), secret, rest, (prefix, user, parts, suffix) => {
        const uri = `${prefix}://${user}:${parts.join("")}${suffix}`
        try {
          const read = parseUri(uri)
          if (suffix.startsWith("@localhost"))
            assert.equal(read.password ?? "", decodeURIComponent(parts.join("")))
        } catch (error) {
          assert.ok(error instanceof TypeError, inspect(error))
          // The stack is the driver's own and the message's: whatever of the error could be printed is looked at.
          assert.doesNotMatch(inspect(error, { showHidden: true, depth: null }), /zqx|QZX|7193/)
          assert.equal(error.cause, undefined)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
