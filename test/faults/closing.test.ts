/** Row 40 of the fault matrix: ended in any state, a connection settles its promises and lets its process end. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { after, before, describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import { freePort, RedisServer } from "../../support/server.ts"

const program = fileURLToPath(new URL("closing-child.mjs", import.meta.url))
const root = fileURLToPath(new URL("../../", import.meta.url))

let server: RedisServer
let mute: FakeServer
let silent: FakeServer
let ports: Record<string, number>

before(async () => {
  server = await RedisServer.start()
  // Shakes hands and then neither answers nor reads.
  mute = await FakeServer.start((connection) => {
    connection.onCommand = (command) => {
      const answer = handshake(command)
      connection.pause()
      return answer
    }
  })
  silent = await FakeServer.start()
  ports = { live: server.port, mute: mute.port, silent: silent.port, refusing: await freePort() }
})

after(async () => {
  await Promise.all([server?.stop(), mute?.stop(), silent?.stop()])
})

type Report = Record<string, string>

/** What the program says at its end, which it must reach by itself. */
function run(state: string, how: string): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, JSON.stringify({ state, how, ...ports })], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "pipe"],
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    const killer = setTimeout(() => child.kill("SIGKILL"), 20_000)
    child.once("error", reject)
    child.once("close", (code, signal) => {
      clearTimeout(killer)
      if (signal) reject(new Error(`${how} while ${state}: the process does not end by itself: ${stderr}`))
      else if (code !== 0) reject(new Error(`${how} while ${state}: code ${code}: ${stdout}${stderr}`))
      else resolve(JSON.parse(stdout) as Report)
    })
  })
}

/** What the requests of each state end with; a pattern for `close`, and one for `destroy` where that differs. */
const states: readonly (readonly [state: string, closed: RegExp, destroyed?: RegExp])[] = [
  ["handshake unanswered", /^closed not-sent$/],
  ["TLS handshake unanswered", /^closed not-sent$/],
  ["just started", /^closed not-sent$/],
  ["looking up a name", /^closed not-sent$/],
  ["waiting for the password", /^closed not-sent$/],
  ["between attempts", /^closed not-sent$/],
  ["idle", /^$/],
  ["replies under way", /^value /, /^closed (unknown|not-sent)$/],
  ["replies that never come", /^closed unknown$/],
  ["timed out, and still in flight", /^$/],
  ["blocking", /^closed unknown$/],
  ["more than the socket takes", /^closed (unknown|not-sent)$/],
  ["within a MULTI", /^value "QUEUED"$/, /^closed (unknown|not-sent)$/],
  ["closed already", /^closed not-sent$/],
]

describe("row 40: ended in any state", { concurrency: 2 }, () => {
  for (const [state, closed, destroyed = closed] of states) {
    test(`${state}: the process ends by itself, and every promise is settled`, async () => {
      for (const how of ["close", "destroy", "all at once"]) {
        const report = await run(state, how)
        const where = `${how} while ${state}: ${JSON.stringify(report).slice(0, 600)}`
        for (const [name, settled] of Object.entries(report)) {
          assert.notEqual(settled, "pending", `${name}: ${where}`)
          if (name === "closed") assert.equal(settled, "value undefined", where)
          else if (name.startsWith("close")) assert.equal(settled, "value undefined", where)
          else if (name === "ready") assert.match(settled, /^closed /, where)
          else if (name === "before") assert.equal(settled, 'value "a"', where)
          else assert.match(settled, how === "close" ? closed : destroyed, `${name}: ${where}`)
        }
      }
    })
  }
})
