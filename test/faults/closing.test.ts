/** Row 40 of the fault matrix: ended in any state, a connection settles its promises and lets its process end. */
import assert from "node:assert/strict"
import { after, describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import { freePort } from "../../support/server.ts"
import { runNodeWith, sharedServer } from "../contract/helpers.ts"

const program = fileURLToPath(new URL("closing-child.mjs", import.meta.url))

const server = await sharedServer()
// Shakes hands and then neither answers nor reads.
const mute = await FakeServer.start((connection) => {
  connection.onCommand = (command) => {
    const answer = handshake(command)
    connection.pause()
    return answer
  }
})
const silent = await FakeServer.start()
const ports = { live: server.port, mute: mute.port, silent: silent.port, refusing: await freePort() }
after(() => Promise.all([mute.stop(), silent.stop()]))

type Report = Record<string, string>

/** What the program says at its end, which it must reach by itself. */
async function run(state: string, how: string): Promise<Report> {
  const args = [program, JSON.stringify({ state, how, ...ports })]
  const { code, signal, stdout, stderr } = await runNodeWith(args, { limit: 20_000 })
  assert.equal(signal, null, `${how} while ${state}: the process does not end by itself: ${stderr}`)
  assert.equal(code, 0, `${how} while ${state}: ${stdout}${stderr}`)
  return JSON.parse(stdout) as Report
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
