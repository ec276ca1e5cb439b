/**
 * The examples: which there are, and running one against a real server. `npm run example` lists them,
 * `npm run example -- cache` runs those whose names contain a word, on `REDIS_URL` or `REDIS_CLUSTER` if it is set.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { connect } from "node:net"
import { fileURLToPath, pathToFileURL } from "node:url"
import { RedisCluster } from "../support/cluster.ts"
import { RedisServer } from "../support/server.ts"
import { type ChildResult, runNode } from "./child.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const TIMEOUT_MS = 60_000

const SHARED_PORT = 6379

/** Such as `examples/01-basic-usage.ts`. */
export function exampleFiles(): string[] {
  const files = readdirSync(new URL("../examples", import.meta.url)).filter((file) => file.endsWith(".ts"))
  return files.sort().map((file) => `examples/${file}`)
}

/** Whether the example is about a cluster, and finds its nodes in `REDIS_CLUSTER`. */
export function needsCluster(file: string): boolean {
  return readFileSync(new URL(`../${file}`, import.meta.url), "utf8").includes("REDIS_CLUSTER")
}

/** Each example ends by itself, with 0. What it is given are the URI of a server, or those of a cluster's nodes. */
export function runExample(file: string, urls: readonly string[]): Promise<ChildResult> {
  const env = { [needsCluster(file) ? "REDIS_CLUSTER" : "REDIS_URL"]: urls.join(",") }
  return runNode(["--import", "tsx", file], { cwd: root, env, timeout: TIMEOUT_MS })
}

async function main(words: readonly string[]): Promise<number> {
  const wanted = exampleFiles().filter((file) => words.some((word) => file.includes(word)))
  if (wanted.length === 0) {
    console.log(listOfExamples())
    return words.length === 0 ? 0 : 1
  }
  const [only] = wanted
  if (only !== undefined && wanted.length === 1 && process.stdin.isTTY && !needsCluster(only))
    return runInTerminal(only)
  const { REDIS_URL, REDIS_CLUSTER } = process.env
  await using server = REDIS_URL || wanted.every(needsCluster) ? undefined : await RedisServer.start()
  await using cluster = REDIS_CLUSTER || !wanted.some(needsCluster) ? undefined : await RedisCluster.start()
  let failures = 0
  for (const file of wanted) {
    console.log(`— ${file}`)
    const { code, output } = await runExample(
      file,
      needsCluster(file) ? (cluster?.urls(3) ?? [REDIS_CLUSTER ?? ""]) : [server?.url ?? REDIS_URL ?? ""],
    )
    process.stdout.write(output)
    if (code !== 0) {
      failures += 1
      console.error(`${file} ended with ${code}`)
    }
  }
  return failures === 0 ? 0 : 1
}

/** In a terminal, an example is talked with. Those of several terminals share the server that the first one starts. */
async function runInTerminal(file: string): Promise<number> {
  const { REDIS_URL } = process.env
  await using server =
    REDIS_URL === undefined && (await isPortFree())
      ? await RedisServer.start({ port: SHARED_PORT })
      : undefined
  const url = REDIS_URL ?? server?.url ?? `redis://127.0.0.1:${SHARED_PORT}`
  const child = spawn(process.execPath, ["--import", "tsx", file], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, REDIS_URL: url },
  })
  const [code] = await once(child, "exit")
  return typeof code === "number" ? code : 1
}

async function isPortFree(): Promise<boolean> {
  const probe = connect({ host: "127.0.0.1", port: SHARED_PORT })
  const isTaken = await Promise.race([
    once(probe, "connect").then(() => true),
    once(probe, "error").then(() => false),
  ])
  probe.destroy()
  return !isTaken
}

/** Every example with what its first line says. */
function listOfExamples(): string {
  const lines = exampleFiles().map((file) => {
    const [first = ""] = readFileSync(new URL(`../${file}`, import.meta.url), "utf8").split("\n")
    const name = file.slice("examples/".length, -".ts".length)
    return `  ${name.padEnd(28)} ${/^\W*(.*?)[\s*/]*$/.exec(first)?.[1] ?? ""}`
  })
  return ["npm run example -- <name>, or a part of it:", ...lines].join("\n")
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.exitCode = await main(process.argv.slice(2))
}
