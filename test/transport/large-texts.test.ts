/** The memory of large texts is used again: never while a socket still has to write what is in it. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { Redix } from "../../src/index.ts"
import { createCertificates } from "../../support/certificates.ts"
import { RedisServer } from "../../support/server.ts"

const KEYS = 60

for (const secure of [false, true]) {
  test(`large texts written while the server does not read arrive as they were, ${secure ? "over TLS" : "over TCP"}`, async (t) => {
    const certificates = await createCertificates()
    const server = await RedisServer.start(secure ? { tls: { certificates } } : {})
    t.after(() => server.stop())
    const tls = secure ? { ca: certificates.ca } : undefined
    const conn = await Redix.connect({ host: "127.0.0.1", port: server.port, tls, commandTimeout: 60_000 })
    t.after(() => conn.close())
    server.pause()
    const written: Promise<unknown>[] = []
    for (let index = 0; index < KEYS; index++) {
      written.push(conn.command(["SET", `key:${index}`, textOf(index)]))
      // Each in a write of its own.
      await new Promise(setImmediate)
      written.push(conn.command(["GET", "small"]))
      await new Promise(setImmediate)
    }
    server.resume()
    await Promise.all(written)
    for (let index = 0; index < KEYS; index++) {
      const stored = await conn.command(["GET", `key:${index}`])
      assert.ok(
        stored === textOf(index),
        `key:${index} holds the text of another, it begins with ${stored?.slice(0, 5)}`,
      )
    }
  })
}

function textOf(index: number): string {
  return `${index}:`.padEnd(100_000, String.fromCharCode(97 + (index % 26)))
}
