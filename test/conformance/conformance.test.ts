/** Every command that the found server offers is sent, and its reply is of the type that the table says. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { printReport, runConformance } from "./run.ts"
import { startServers } from "./servers.ts"

test("every reply of a real server is of the type that is declared for its command", async (t) => {
  const servers = await startServers()
  t.after(() => servers.stop())
  const report = await runConformance(servers)
  for (const line of printReport(report).split("\n")) t.diagnostic(line)
  assert.deepEqual(report.disagreements, [])
})
