/** Measuring: what is shown, what is printed as JSON, and that nothing is left behind. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { key, Terminal } from "../../support/terminal.ts"
import { sharedServer } from "../contract/helpers.ts"
import { run } from "./run.ts"

const server = await sharedServer()
await server.send("SET", "mine", "1")
const at = () => ["--url", server.url]

describe("redix bench", () => {
  test("draws a bar while it measures, then throughput and latency", async () => {
    await using terminal = new Terminal([...at(), "bench", "--requests", "5000"])
    assert.equal(await terminal.exited, 0)
    for (const name of ["PING", "SET", "GET", "INCR", "LPUSH", "LPOP", "HSET", "MGET \\(10\\)"]) {
      await terminal.shows(new RegExp(`^${name} +[\\d,]+/s {2}p50 .*p95 .*p99 `, "m"))
    }
    await terminal.shows(/^Latency of PING {2}mean .*, p99\.9 .*, max /m)
    await terminal.shows(/≤ +[\d.]+ (µs|ms) █+.* % {2}[\d,]+/)
    // It is there from the start; how often it is drawn again depends on the time that it takes.
    assert.match(terminal.output, /─.* 0 % /)
    assert.deepEqual(await server.send("KEYS", "*"), ["mine"])
  })

  test("measures a command of one's own, and prints JSON", async () => {
    const args = ["bench", "--json", "--requests", "200", "--pipeline", "5", "--connections", "2"]
    const { code, stdout, stderr } = await run([...at(), ...args, "SET", "__key__", "__value__"])
    assert.deepEqual([code, stderr], [0, ""])
    const { tests, connections } = JSON.parse(stdout)
    assert.equal(connections, 2)
    assert.equal(tests.length, 1)
    const [{ name, requests, commands, errors, commandsPerSecond, latencyMs, histogram }] = tests
    assert.deepEqual([name, requests, commands, errors], ["SET __key__ __value__", 200, 1000, 0])
    assert.ok(commandsPerSecond > 0)
    assert.ok(
      latencyMs.min <= latencyMs.p50 && latencyMs.p50 <= latencyMs.p99 && latencyMs.p99 <= latencyMs.max,
    )
    const counts = histogram.map(({ count }: { count: number }) => count)
    assert.equal(
      counts.reduce((sum: number, count: number) => sum + count, 0),
      200,
    )
    assert.deepEqual(await server.send("KEYS", "*"), ["mine"])
  })

  test("counts error replies", async () => {
    const { code, stdout } = await run([...at(), "bench", "--requests", "10", "LPUSH", "mine", "x"])
    assert.equal(code, 1)
    assert.match(stdout, /10 errors, the first: WRONGTYPE/)
  })

  test("is interrupted by Ctrl-C, and leaves nothing behind", async () => {
    await using terminal = new Terminal([
      ...at(),
      "bench",
      "--requests",
      "100000000",
      "SET",
      "__key__",
      "__value__",
    ])
    await terminal.shows(/━─* +\d+ % /)
    terminal.type(key.ctrlC)
    assert.equal(await terminal.exited, 130)
    assert.deepEqual(await server.send("KEYS", "*"), ["mine"])
  })
})
