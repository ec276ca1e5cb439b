/** The package as such: its exports, and that its ES module copy and its CommonJS copy agree. */
import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { describe, test } from "node:test"
import * as esm from "@redix/client"
import { freePort } from "../../support/server.ts"
import { assertEndedByItself, closing, rejection, runNode, sharedServer, uniqueKey } from "./helpers.ts"

type Package = typeof esm

const cjs = createRequire(import.meta.url)("@redix/client") as Package

const server = await sharedServer()

describe("the package", () => {
  test("exports by name, and nothing by default", () => {
    for (const copy of [esm, cjs]) {
      assert.equal(typeof copy.Redix, "function")
      assert.equal(typeof copy.RedixError, "function")
      assert.equal(typeof copy.RedisError, "function")
      assert.equal(typeof copy.ConnectionError, "function")
      assert.equal(typeof copy.unwrap, "function")
    }
    assert.equal("default" in esm, false)
  })

  test("has no runtime dependencies", async () => {
    const text = await readFile(new URL("../../package.json", import.meta.url), "utf8")
    const manifest = JSON.parse(text) as Record<string, unknown>
    assert.deepEqual(manifest["dependencies"] ?? {}, {})
    assert.equal(manifest["name"], "@redix/client")
  })

  test("is one copy for import and another for require", () => {
    assert.notEqual(esm.Redix, cjs.Redix)
  })

  test("works by import and by require in a plain Node.js", async () => {
    const body = `
      async function main() {
        const conn = await Redix.connect({ host: "127.0.0.1", port: ${server.port} })
        console.log(await conn.command(["ECHO", "works"]))
        await conn.close()
      }
      main()
    `
    const [byImport, byRequire] = await Promise.all([
      runNode(`import { Redix } from "@redix/client"; ${body}`),
      runNode(`const { Redix } = require("@redix/client"); ${body}`, { type: "commonjs" }),
    ])
    assert.equal(assertEndedByItself(byImport).trim(), "works")
    assert.equal(assertEndedByItself(byRequire).trim(), "works")
    assert.equal(byImport.stderr + byRequire.stderr, "")
  })

  test("an import alone keeps no process alive and writes nothing", async () => {
    const result = await runNode(`import "@redix/client"`)
    assert.equal(assertEndedByItself(result) + result.stderr, "")
  })
})

describe("the two copies", () => {
  test("instanceof works across them", async (t) => {
    const port = await freePort()
    for (const [one, other] of [
      [esm, cjs],
      [cjs, esm],
    ] as const) {
      const conn = closing(t, await one.Redix.connect({ host: server.host, port: server.port }))
      const redis = await rejection(conn.command(["NOSUCHCOMMAND"]))
      assert.ok(redis instanceof one.RedisError && redis instanceof other.RedisError)
      assert.ok(redis instanceof other.RedixError)
      assert.ok(!(redis instanceof other.ConnectionError))
      const connection = await rejection(one.Redix.connect({ host: "127.0.0.1", port }))
      assert.ok(connection instanceof one.ConnectionError && connection instanceof other.ConnectionError)
      assert.ok(connection instanceof other.RedixError)
      assert.ok(!(connection instanceof other.RedisError))
      for (const stranger of [new Error("x"), {}, null, undefined, "x", { reason: "closed" }] as unknown[]) {
        assert.ok(!(stranger instanceof other.RedixError))
        assert.ok(!(stranger instanceof other.RedisError))
        assert.ok(!(stranger instanceof other.ConnectionError))
      }
      const replies = await conn.pipeline([["NOSUCHCOMMAND"], ["PING"]])
      assert.throws(() => other.unwrap(replies), one.RedisError)
    }
  })

  test("instanceof still works for a subclass of an error class", () => {
    class Special extends esm.RedixError {}
    const special = Object.create(Special.prototype) as unknown
    assert.ok(special instanceof Special)
    const base = Object.create(esm.RedixError.prototype) as unknown
    assert.ok(!(base instanceof Special))
  })

  test("names are one registry for both", async (t) => {
    const name = uniqueKey("name")
    const conn = closing(t, esm.Redix.start({ host: server.host, port: server.port, name }))
    assert.equal(cjs.Redix.named(name), conn)
    assert.equal(cjs.Redix.whereis(name), conn)
    assert.throws(() => cjs.Redix.start({ host: server.host, port: server.port, name }), new RegExp(name))
    await conn.close()
    assert.equal(cjs.Redix.whereis(name), undefined)
    const second = closing(t, cjs.Redix.start({ host: server.host, port: server.port, name }))
    assert.equal(esm.Redix.named(name), second)
  })
})
