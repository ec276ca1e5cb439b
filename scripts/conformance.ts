/**
 * The conformance test by itself: `npm run conformance`, on the found server, or with `--server redis-8` or `valkey-9` on
 * one that is fetched for it.
 */
import { printReport, runConformance } from "../test/conformance/run.ts"
import { startServers } from "../test/conformance/servers.ts"

const at = process.argv.indexOf("--server")
if (at > 0) {
  const { fetchServer } = await import("../support/debian-suite.ts")
  process.env["REDIS_SERVER_BIN"] = await fetchServer(process.argv[at + 1] ?? "")
}
const servers = await startServers()
try {
  const report = await runConformance(servers)
  console.log(printReport(report))
  process.exitCode = report.disagreements.length === 0 ? 0 : 1
} finally {
  await servers.stop()
}
