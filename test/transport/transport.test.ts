import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type Endpoint, formatEndpoint } from "../../src/transport/transport.ts"

describe("formatEndpoint", () => {
  const rows: readonly (readonly [endpoint: Endpoint, text: string])[] = [
    [{ host: "localhost", port: 6379 }, "localhost:6379"],
    [{ host: "127.0.0.1", port: 1 }, "127.0.0.1:1"],
    [{ host: "::1", port: 6379 }, "[::1]:6379"],
    [{ host: "fe80::1%eth0", port: 6379 }, "[fe80::1%eth0]:6379"],
    [{ path: "/tmp/redis.sock" }, "/tmp/redis.sock"],
    [{ path: "\0abstract" }, "\0abstract"],
  ]
  for (const [endpoint, text] of rows) {
    it(`shows ${JSON.stringify(endpoint)} as ${JSON.stringify(text)}`, () => {
      assert.equal(formatEndpoint(endpoint), text)
    })
  }
})
