/** `npm start`: the tour ends well with a server of its own and with the user's, and its books can be wrong. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import { ConnectionError } from "@redix/client"
import { RedisServer } from "../support/server.ts"
import { Ledger } from "../tour/ledger.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The lines that show that each part of the tour did its work. */
const keyLines = [
  /^1 {2}Connect/m,
  /(redis|valkey) \d/,
  /› await conn\.command\(\["SET", greeting, "hello", "EX", 60\]\)\n\s+'OK'/,
  /<Buffer 89 ff 00>/,
  /pipeline\s+█+\s+[\d.]+ µs a command\s+[\d.]+× as fast/,
  /\["INCRBY", to, 100\],\n\s+\]\)\n\s+\[ -100, 100 \]/,
  /RedisError: WRONGTYPE/,
  /reason timeout, outcome unknown/,
  /reconnections 2/,
  /✓ 100 of 100 counters are right/,
  /^10 {2}Close/m,
]

describe("npm start", () => {
  test("gives the tour with a server of its own, which it kills twice", async () => {
    const { code, output } = await tour(["--quick"])
    assert.equal(code, 0, output)
    for (const line of [...keyLines, /kill -9 \d+[\s\S]*kill -9 \d+/]) assert.match(output, line)
    assert.ok(!output.includes("\u001b"), "no colours and no cursor movements outside of a terminal")
  })

  test("gives the tour with the user's server, and leaves it as it was", async () => {
    await using server = await RedisServer.start()
    await server.send("SET", "greeting", "mine")
    const { code, output } = await tour(["--quick", server.url])
    assert.equal(code, 0, output)
    for (const line of [...keyLines, /CLIENT KILL ID \d+[\s\S]*CLIENT KILL ID \d+/])
      assert.match(output, line)
    assert.deepEqual(await server.send("KEYS", "*"), ["greeting"])
    assert.equal(await server.send("GET", "greeting"), "mine")
  })

  test("says in a few words why it cannot begin", async () => {
    for (const [argument, reason] of [
      ["redis://127.0.0.1:1", /ConnectionError: .*ECONNREFUSED/],
      ["http://localhost", /TypeError: .*expected it to begin with redis:/],
      ["--no-such-option", /TypeError: Unknown option '--no-such-option'/],
    ] as const) {
      const { code, output } = await tour([argument])
      assert.equal(code, 1)
      assert.match(output, reason)
      assert.doesNotMatch(output, /^ +at /m)
    }
  })

  test("ends by itself, and leaves nothing behind, when it is interrupted", async () => {
    await using server = await RedisServer.start()
    const { code, output } = await tour([server.url], { interruptAt: "connected     sent" })
    assert.equal(code, 130, output)
    assert.match(output, /stopped/)
    assert.deepEqual(await server.send("KEYS", "*"), [])
  })
})

describe("the books of the tour", () => {
  const unknown = new ConnectionError("disconnected", "lost", { outcome: "unknown" })
  const notSent = new ConnectionError("closed", "not connected", { outcome: "not-sent" })

  test("are right when an unknown increment ran, and when it did not", () => {
    assert.deepEqual(ledgerOf([1, 2, unknown, notSent]).violations([2]), [])
    assert.deepEqual(ledgerOf([1, 2, unknown, notSent]).violations([3]), [])
  })

  test("are wrong when an acknowledged increment is missing", () => {
    assert.match(ledgerOf([1, 2]).violations([1]).join(), /2 acknowledged, but 1 on the server/)
  })

  test("are wrong when an increment ran twice, or one that was not sent ran", () => {
    assert.match(ledgerOf([1, 2, unknown]).violations([4]).join(), /4 on the server, but 2 acknowledged/)
    assert.match(ledgerOf([1, notSent]).violations([2]).join(), /2 on the server, but 1 acknowledged/)
  })

  test("are wrong when two callers have the same reply", () => {
    assert.match(ledgerOf([1, 1]).violations([2]).join(), /the reply 1 came after 1/)
  })

  test("are wrong when a request has not settled", () => {
    const ledger = ledgerOf([1])
    ledger.sent += 1
    assert.match(ledger.violations([1]).join(), /2 sent, but 1 settled/)
  })
})

/** The books of one counter, after these replies and rejections. */
function ledgerOf(events: readonly (number | Error)[]): Ledger {
  const ledger = new Ledger(1)
  for (const event of events) {
    ledger.sent += 1
    if (typeof event === "number") ledger.acknowledge(0, event)
    else ledger.reject(0, event)
  }
  return ledger
}

interface TourResult {
  readonly code: number | null
  readonly output: string
}

/** Takes the tour without a terminal, and interrupts it as Ctrl-C does once it has printed a text. */
async function tour(
  args: readonly string[],
  { interruptAt }: { interruptAt?: string } = {},
): Promise<TourResult> {
  const child = spawn(process.execPath, ["--import", "tsx", "tour/main.ts", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  })
  if (interruptAt !== undefined) {
    const listener = (chunk: Buffer) => {
      if (!chunk.includes(interruptAt)) return
      child.stdout.off("data", listener)
      child.kill("SIGINT")
    }
    child.stdout.on("data", listener)
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve).once("error", reject)
  })
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { code, output: stdout + stderr }
}
