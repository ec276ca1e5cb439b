/** The doctor: looks at one thing after the other on the way to a server, and says what is wrong and what to do. */

import { Cluster, ConnectionError } from "../index.ts"
import { drawHistogram } from "./chart.ts"
import { type Connection, connect, connectCluster } from "./connect.ts"
import { type Context, throwIfInterrupted } from "./context.ts"
import { examineCluster, examineSeeds } from "./doctor-cluster.ts"
import { examineNetwork } from "./doctor-network.ts"
import { examineServer } from "./doctor-server.ts"
import { examineClusterNode, examineReplication, examineSentinels } from "./doctor-topology.ts"
import { EXIT, UsageError } from "./exit.ts"
import { explain } from "./explain.ts"
import { Findings } from "./findings.ts"
import { Histogram } from "./histogram.ts"
import { infoFields } from "./info.ts"
import { json } from "./print.ts"
import { Progress } from "./progress.ts"
import { columnsOf, counted, duration, isTerminal, paintFor, writeLine } from "./terminal.ts"

/** Round trips beyond this are slow for machines that stand near each other. */
const SLOW_MS = 20

export async function runDoctor(context: Context): Promise<number> {
  const { options, target, interruption } = context
  if (options.has("raw")) throw new UsageError("redix doctor knows no --raw: use --json")
  const asJson = options.has("json")
  const pings = options.integer("pings", 1, 1_000_000) ?? 200
  const findings = new Findings(asJson ? undefined : process.stdout)
  const paint = paintFor(process.stdout)
  if (!asJson) writeLine(process.stdout, paint.bold(`redix doctor: ${target.label}`))
  const roundTrips = new Histogram()
  const isReachable = await reach(context, findings)
  throwIfInterrupted(interruption)
  const conn = isReachable ? await handshake(context, findings) : undefined
  try {
    throwIfInterrupted(interruption)
    if (conn) {
      await examine(conn, findings)
      throwIfInterrupted(interruption)
      await measure(conn, pings, roundTrips, findings, interruption.signal)
    }
  } catch (error) {
    throwIfInterrupted(interruption)
    if (!(error instanceof ConnectionError)) throw error
    findings.problem("connection", explain(error).problem, explain(error).advice)
  } finally {
    conn?.destroy()
  }
  throwIfInterrupted(interruption)
  if (asJson) {
    const ok = findings.count("problem") === 0
    const report = { target: target.label, ok, findings: findings.all }
    writeLine(process.stdout, json(report, isTerminal(process.stdout) ? 2 : 0))
  } else {
    conclude(findings, roundTrips)
  }
  if (conn === undefined) return EXIT.connection
  return findings.count("problem") > 0 ? EXIT.failed : EXIT.ok
}

/** The way to the server, as far as it can be seen without logging in. */
async function reach({ target }: Context, findings: Findings): Promise<boolean> {
  if (target.seeds) return examineSeeds(target, findings)
  if (target.options.sentinel) return examineSentinels(target, findings)
  return examineNetwork(target, findings)
}

async function handshake({ target }: Context, findings: Findings): Promise<Connection | undefined> {
  const startedAt = performance.now()
  try {
    const conn = target.seeds
      ? await connectCluster(target, true)
      : await connect(target, { exitOnDisconnection: true })
    const took = duration(performance.now() - startedAt)
    const place =
      conn instanceof Cluster ? `cluster of ${counted(conn.nodes().length, "node")}` : conn.address
    findings.ok("handshake", `${place} in ${took}, protocol ${conn.protocol}`)
    return conn
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error
    const { problem, advice } = explain(error)
    findings.problem(error.reason === "authentication" ? "auth" : "handshake", problem, advice)
    return undefined
  }
}

async function examine(conn: Connection, findings: Findings): Promise<void> {
  if (conn instanceof Cluster) {
    await examineCluster(conn, findings)
    return
  }
  const reply = await conn.safe.command(["INFO"])
  const info = infoFields(reply.ok ? reply.value : "")
  await examineServer(conn, info, findings, reply.ok ? undefined : reply.error)
  await examineReplication(conn, info, findings)
  if (info.get("cluster_enabled") === "1") await examineClusterNode(conn, findings)
}

async function measure(
  conn: Connection,
  count: number,
  times: Histogram,
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  const progress = new Progress(process.stderr, () => ({ share: times.count / count, text: "round trips" }))
  try {
    while (times.count < count && !signal.aborted) {
      const sentAt = performance.now()
      const result = await conn.safe.command(["PING"], { signal })
      if (!result.ok) {
        if (!signal.aborted)
          findings.problem("round trip", explain(result.error).problem, explain(result.error).advice)
        return
      }
      times.record(performance.now() - sentAt)
    }
  } finally {
    progress.stop()
  }
  const [p50, p95, p99] = [50, 95, 99].map((percent) => duration(times.percentile(percent)))
  const text = `p50 ${p50}, p95 ${p95}, p99 ${p99}, max ${duration(times.max)} of ${count}`
  if (times.percentile(50) <= SLOW_MS) findings.ok("round trip", text)
  else
    findings.warn(
      "round trip",
      text,
      "the server is far away or busy: put callers near it, and use pipelines",
    )
}

function conclude(findings: Findings, roundTrips: Histogram): void {
  const paint = paintFor(process.stdout)
  if (isTerminal(process.stdout) && roundTrips.count > 0) {
    writeLine(process.stdout)
    for (const line of drawHistogram(roundTrips, columnsOf(process.stdout), paint))
      writeLine(process.stdout, line)
  }
  const [problems, warnings] = [findings.count("problem"), findings.count("warning")]
  const parts = [
    problems > 0 ? paint.red(counted(problems, "problem")) : paint.green("no problems"),
    ...(warnings > 0 ? [paint.yellow(counted(warnings, "warning"))] : []),
  ]
  writeLine(process.stdout)
  writeLine(process.stdout, parts.join(", "))
}
