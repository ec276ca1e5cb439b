// `npm run bench`: reads the options, starts a server and the splitting proxies, runs the workloads, shows the table.
// Ends with 1 if a workload failed, 2 if it could not begin. A bar that is not kept is shown only: machines differ.
import { existsSync } from "node:fs"
import { loadavg } from "node:os"
import { fileURLToPath } from "node:url"
import { removeSeed, seed, seedCluster } from "./data.ts"
import { derivedRows } from "./derived.ts"
import { environment } from "./environment.ts"
import { FakeNodes } from "./fake-nodes.ts"
import type { Targets } from "./messages.ts"
import { HELP, type Options, parseOptions } from "./options.ts"
import { progressOn } from "./progress.ts"
import { rowOf } from "./report.ts"
import { defaultFile, writeResults } from "./results.ts"
import { run } from "./run.ts"
import { SplitProxy } from "./split-proxy.ts"
import { failuresOf, LEGEND, table } from "./table.ts"
import { NODE_COUNTS } from "./workloads/cluster.ts"
import { PIECES } from "./workloads/split.ts"

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let options: Options
  try {
    options = parseOptions(args)
    if (options.clients.includes("redix")) requireBuild()
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error} (see --help)`)
    return 2
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }
  return runAgainstServer(options)
}

// What is measured is what users get, the built driver.
function requireBuild(): void {
  const entry = new URL("../dist/esm/index.js", import.meta.url)
  if (!existsSync(entry)) throw new Error(`${fileURLToPath(entry)} is missing: npm run build makes it`)
}

async function runAgainstServer(options: Options): Promise<number> {
  const server = await serverFor(options.url)
  process.once("SIGINT", () => process.exit(130))
  try {
    await seed(server.url)
    return await compare(options, server.url)
  } finally {
    await server.stop()
  }
}

async function compare(options: Options, url: string): Promise<number> {
  const date = new Date()
  const proxies = await Promise.all(PIECES.map((bytes) => SplitProxy.start(url, bytes)))
  const split = Object.fromEntries(PIECES.map((bytes, i) => [bytes, proxies[i]!.url]))
  await using clusters = await clustersFor(options)
  const outcomes = await measure(options, { server: url, split, ...clusters.targets })
  for (const proxy of proxies) proxy.stop()
  const rows = [...outcomes.map(rowOf), ...derivedRows(outcomes)]
  const results = { date, environment: await environment(url), plan: options, outcomes, rows }
  const file = options.json ?? defaultFile(date)
  writeResults(file, results)
  const failures = failuresOf(rows)
  console.log(
    [heading(results.environment), table(rows), LEGEND, ...failures, `Raw figures: ${file}`].join("\n\n"),
  )
  return failures.length === 0 ? 0 : 1
}

async function measure(options: Options, targets: Targets): ReturnType<typeof run> {
  const progress = progressOn(process.stderr)
  try {
    return await run(options, targets, progress.report)
  } finally {
    progress.clear()
  }
}

function heading({ machine, node, server, packages }: Awaited<ReturnType<typeof environment>>): string {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  const load = loadavg()[0]!.toFixed(1)
  return `${versions.join(", ")}; Node.js ${node}, ${server}, ${machine.cores} x ${machine.cpu}, load ${load}`
}

interface RunningClusters extends AsyncDisposable {
  readonly targets: Pick<Targets, "cluster" | "nodes">
}

/** As far as workloads need them: their processes cost time on a small machine, though none of the client's CPU. */
async function clustersFor({ workloads }: Options): Promise<RunningClusters> {
  const needs = new Set(workloads.map((workload) => workload.needs))
  const real = needs.has("cluster") ? await startCluster() : undefined
  const fakes = needs.has("nodes") ? await Promise.all(NODE_COUNTS.map((n) => FakeNodes.start(n))) : []
  return {
    targets: {
      cluster: real?.urls() ?? [],
      nodes: Object.fromEntries(fakes.map(({ url }, i) => [NODE_COUNTS[i], url])),
    },
    async [Symbol.asyncDispose]() {
      for (const fake of fakes) fake.stop()
      await real?.stop()
    },
  }
}

async function startCluster() {
  const { RedisCluster } = await import("../support/cluster.ts")
  // Patient, since a node that is kept from the CPU by a benchmark is not dead.
  const cluster = await RedisCluster.start({ nodeTimeout: 15_000 })
  await seedCluster(cluster.urls())
  return cluster
}

interface RunningServer {
  readonly url: string
  stop(): Promise<unknown>
}

async function serverFor(url: string | undefined): Promise<RunningServer> {
  if (url !== undefined) return { url, stop: () => removeSeed(url) }
  const { RedisServer } = await import("../support/server.ts")
  return RedisServer.start()
}
