/** The chat of the examples, between two processes whose terminals are pipes. */
import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { type TestContext, test } from "node:test"
import { fileURLToPath } from "node:url"
import { killAtExit } from "../../support/cleanup.ts"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** Somebody who chats: what they see, and how they end. */
class Participant {
  output = ""
  readonly code: Promise<number | null>
  readonly #child: ChildProcess

  constructor(t: TestContext, name: string, url: string) {
    const child = spawn(process.execPath, ["--import", "tsx", "examples/chat.ts", name], {
      cwd: root,
      env: { ...process.env, REDIS_URL: url, NODE_OPTIONS: "" },
      stdio: ["pipe", "pipe", "pipe"],
    })
    killAtExit(child)
    t.after(() => child.kill("SIGKILL"))
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text
      })
    this.code = new Promise((resolve) => {
      child.once("close", (code) => resolve(code))
    })
    this.#child = child
  }

  say(text: string): void {
    this.#child.stdin?.write(`${text}\n`)
  }

  leave(): void {
    this.#child.stdin?.end()
  }

  async sees(text: string): Promise<void> {
    await until(() => this.output.includes(text), {
      timeout: 30_000,
      message: () => `${text} in: ${this.output}`,
    })
  }
}

test("two talk, and each ends with the last line", async (t) => {
  const server = await RedisServer.start()
  t.after(() => server.stop())
  const [ann, bob] = [new Participant(t, "ann", server.url), new Participant(t, "bob", server.url)]
  await ann.sees("as ann")
  await bob.sees("as bob")
  ann.say("hello, is there anybody?")
  await bob.sees("ann: hello, is there anybody?")
  bob.say("yes, bob 🎈")
  await ann.sees("bob: yes, bob 🎈")
  ann.say("bye")
  ann.leave()
  assert.equal(await ann.code, 0, ann.output)
  await bob.sees("ann: bye")
  await bob.sees("ann: (left)")
  bob.leave()
  assert.equal(await bob.code, 0, bob.output)
  assert.ok(!ann.output.includes("ann: "), "nobody sees what they have said themselves")
})
