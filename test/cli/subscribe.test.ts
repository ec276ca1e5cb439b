/** Messages of channels, printed as they come. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisServer } from "../../support/server.ts"
import { key, Terminal } from "../../support/terminal.ts"
import { until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { run } from "./run.ts"

const server = await sharedServer()
const at = () => ["--url", server.url]

/** Publishes once so many subscribers are there to hear it. */
async function publish(channel: string, message: string, subscribers = 1): Promise<void> {
  await until(async () => {
    const [, count] = (await server.send("PUBSUB", "NUMSUB", channel)) as [string, number]
    const patterns = await server.send("PUBSUB", "NUMPAT")
    return count + Number(patterns) >= subscribers
  })
  await server.send("PUBLISH", channel, message)
}

describe("redix subscribe", () => {
  test("prints time, channel and payload in a terminal, until Ctrl-C", async () => {
    await using terminal = new Terminal([...at(), "subscribe", "news.*", "alerts"])
    await terminal.shows(/subscribed to the channel alerts[\s\S]*subscribed to the pattern news\.\*/)
    await publish("news.tech", "hello\nworld", 1)
    await publish("alerts", "now")
    await terminal.shows(/^\d\d:\d\d:\d\d\.\d{3} {2}news\.tech {2}"hello\\nworld"$/m)
    await terminal.shows(/^\d\d:\d\d:\d\d\.\d{3} {2}alerts {2}"now"$/m)
    terminal.type(key.ctrlC)
    assert.equal(await terminal.exited, 130)
    await terminal.shows("2 messages")
  })

  test("prints payloads alone, or JSON, and ends after so many", async () => {
    const raw = run([...at(), "subscribe", "raw.*", "--count", "2"])
    await publish("raw.a", "one")
    await publish("raw.b", "two")
    assert.deepEqual(await raw, { code: 0, stdout: "one\ntwo\n", stderr: "" })
    const json = run([...at(), "--json", "subscribe", "json.*", "--count", "1"])
    await publish("json.a", "one")
    const { time, ...message } = JSON.parse((await json).stdout)
    assert.deepEqual(message, { pattern: "json.*", channel: "json.a", payload: "one" })
    assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000)
  })

  test("takes names as they are, and shard channels, where it is told so", async () => {
    const exact = run([...at(), "subscribe", "--exact", "a*", "--count", "1"])
    await until(async () => ((await server.send("PUBSUB", "NUMSUB", "a*")) as [string, number])[1] === 1)
    await server.send("PUBLISH", "a*", "starred")
    assert.equal((await exact).stdout, "starred\n")
    if (Number.parseInt(server.version, 10) < 7) return
    const shard = run([...at(), "subscribe", "--shard", "s", "--count", "1"])
    await until(async () => ((await server.send("PUBSUB", "SHARDNUMSUB", "s")) as [string, number])[1] === 1)
    await server.send("SPUBLISH", "s", "sharded")
    assert.equal((await shard).stdout, "sharded\n")
  })

  test("subscribes again after a lost connection, and says so", async () => {
    await using own = await RedisServer.start()
    await using terminal = new Terminal(["--url", own.url, "subscribe", "a"])
    await terminal.shows("subscribed to the channel a")
    await own.restart()
    await terminal.shows(/disconnected: .*messages may be missed/)
    await terminal.shows("subscribed to the channel a again")
    await own.send("PUBLISH", "a", "back")
    await terminal.shows('"back"')
    terminal.type(key.ctrlC)
    assert.equal(await terminal.exited, 130)
  })

  test("ends with 1 where it is refused, and with 2 without names", async () => {
    await server.send("ACL", "SETUSER", "deaf", "on", "nopass", "+@all", "~*", "resetchannels")
    const { code, stderr } = await run([...at(), "-u", "deaf", "--password", "x", "subscribe", "a"])
    assert.equal(code, 1)
    assert.match(stderr, /NOPERM/)
    assert.equal((await run([...at(), "subscribe"])).code, 2)
  })
})
