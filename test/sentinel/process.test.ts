/** What a process with connections through Sentinel is kept alive by, and what is left when they are closed. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { until } from "../../support/wait.ts"
import { assertEndedByItself, runNode } from "../contract/helpers.ts"
import { FakeRedis, FakeSentinel, group } from "./fakes.ts"

function script(sentinels: readonly { url: string }[], body: string): string {
  const urls = JSON.stringify(sentinels.map(({ url }) => url))
  return `
    import { PubSub, Redix } from "@redix/client"
    const options = { sentinel: { sentinels: ${urls}, group: "${group}" } }
    ${body}
  `
}

describe("a process", () => {
  test("ends by itself once its connections are closed", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const body = `
      const conns = [await Redix.connect(options), await PubSub.connect(options), Redix.start(options)]
      console.log(await conns[0].command(["ECHO", "hello"]))
      await Promise.all(conns.map((conn) => conn.close()))
    `
    assert.match(assertEndedByItself(await runNode(script([sentinel], body), { limit: 15_000 })), /hello/)
    await until(() => sentinel.open.length === 0 && primary.open.length === 0)
  })

  test("ends by itself when its connections are unref'd", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const body = `
      const conn = await Redix.connect(options)
      const pubsub = await PubSub.connect(options)
      console.log(await conn.command(["ECHO", "hello"]))
      setTimeout(() => {
        conn.unref()
        pubsub.unref()
      }, 200)
    `
    assert.match(assertEndedByItself(await runNode(script([sentinel], body), { limit: 15_000 })), /hello/)
  })

  test("ends by itself when an unref'd connection finds no sentinel", async (t) => {
    const sentinel = await FakeSentinel.start(t)
    sentinel.freeze()
    const body = `
      const conn = Redix.start(options)
      conn.unref()
      console.log("started")
    `
    assert.match(assertEndedByItself(await runNode(script([sentinel], body), { limit: 15_000 })), /started/)
  })

  test("ends by itself when all sentinels die and its connection is unref'd", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const body = `
      const conn = await Redix.connect(options)
      await conn.command(["ECHO", "up"])
      conn.unref()
      setTimeout(() => console.log("enough"), 1500)
    `
    const result = runNode(script([sentinel], body), { limit: 15_000 })
    await until(() => sentinel.listeners.length === 1 && primary.ran("ECHO").length === 1)
    await sentinel.stop()
    assert.match(assertEndedByItself(await result), /enough/)
  })

  test("ends by itself when its connection is closed while a sentinel is mute", async (t) => {
    const sentinel = await FakeSentinel.start(t)
    sentinel.freeze()
    const body = `
      options.sentinel.timeout = Infinity
      const conn = Redix.start({ ...options, timeout: Infinity })
      setTimeout(() => conn.close().then(() => console.log("closed")), 200)
    `
    assert.match(assertEndedByItself(await runNode(script([sentinel], body), { limit: 10_000 })), /closed/)
  })

  test("is kept alive by a connection that is open, also after `ref`", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const body = `
      const conn = await Redix.connect(options)
      conn.unref()
      conn.ref()
      console.log("open")
    `
    const result = await runNode(script([sentinel], body), { lingersAfter: "open", limit: 15_000 })
    assert.equal(result.signal, "SIGKILL", result.stdout + result.stderr)
  })

  test("is kept alive by one connection, though another one that shares its watcher is unref'd", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const body = `
      const conns = [await Redix.connect(options), await Redix.connect(options)]
      conns[1].unref()
      console.log("open")
    `
    const result = await runNode(script([sentinel], body), { lingersAfter: "open", limit: 15_000 })
    assert.equal(result.signal, "SIGKILL", result.stdout + result.stderr)
  })
})
