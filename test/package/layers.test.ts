/**
 * The layers of the source: `npm run lint` fails for an import that breaks one, and for a cycle. Each breach here is
 * planted in a copy of the source.
 */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { text } from "node:stream/consumers"
import { describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../../support/cleanup.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const breaches: Record<string, string> = {
  "src/errors.ts": "./redix.ts",
  "src/uri.ts": "./connection/backoff.ts",
  "src/telemetry.ts": "./protocol/types.ts",
  "src/logger.ts": "./lifecycle.ts",
  "src/opentelemetry.ts": "./connection/stats.ts",
  "src/options.ts": "./transport/transport.ts",
  "src/options-table.ts": "./protocol/parser.ts",
  "src/util/heap.ts": "../errors.ts",
  "src/util/bytes.ts": "../protocol/types.ts",
  "src/protocol/encode.ts": "../transport/transport.ts",
  "src/protocol/parser.ts": "../connection/request.ts",
  "src/protocol/command-info.ts": "../commands.ts",
  "src/protocol/types.ts": "node:net",
  "src/transport/socket.ts": "../protocol/types.ts",
  "src/transport/transport.ts": "../connection/state.ts",
  "src/connection/connection.ts": "../transport/socket.ts",
  "src/connection/wire.ts": "../open/open.ts",
  "src/connection/requests.ts": "../commands.ts",
  "src/connection/state.ts": "../registry.ts",
  "src/open/sentinel.ts": "../transport/socket.ts",
  "src/open/open.ts": "../redix.ts",
  "src/dedicated/limit.ts": "../pool/pool.ts",
  "src/dedicated/lease.ts": "../transport/socket.ts",
  "src/dedicated/use.ts": "../cluster/cluster.ts",
  "src/pool/members.ts": "../transport/socket.ts",
  "src/pool/strategy.ts": "../pubsub/pubsub.ts",
  "src/pool/backend.ts": "../cluster/cluster.ts",
  "src/redix.ts": "./transport/socket.ts",
  "src/commands.ts": "./index.ts",
  "src/registry.ts": "@redix/client",
  "src/connection/queue.ts": "../index.ts",
  "src/client.ts": "./cli/print.ts",
  "src/pubsub/pubsub.ts": "../cli/print.ts",
  "src/cli/connect.ts": "../redix.ts",
  "src/cli/print.ts": "../protocol/command-info.ts",
  "src/cluster/cluster.ts": "../transport/socket.ts",
  "src/cluster/topology.ts": "../sentinel/source.ts",
  "src/cluster/dedicated-nodes.ts": "../pool/pool.ts",
  "src/cluster/scan.ts": "../pubsub/pubsub.ts",
  "src/cluster/slots.ts": "../unwrap.ts",
  "src/cluster-options.ts": "./protocol/parser.ts",
  "src/version.ts": "./cluster-options.ts",
  "src/dedicated/checkout.ts": "../cluster-options.ts",
}

/** Forms of an import that a breach may take. */
const forms: ((from: string) => string)[] = [
  (from) => `import type {} from "${from}"`,
  (from) => `import "${from}"`,
  (from) => `export * from "${from}"`,
  (from) => `export const planted = () => import("${from}")`,
]

/** The rules that hold the layers apart. */
const rules = ["lint/style/noRestrictedImports", "lint/suspicious/noImportCycles"] as const

describe("npm run lint", () => {
  test("finds no breach in the source as it is", async () => {
    const { failures } = await lint(copyOfSource())
    for (const rule of rules) assert.deepEqual(failures(rule), [])
  })

  test("fails for an import of a higher or a neighbouring layer, whatever its form", async () => {
    await Promise.all(
      forms.map(async (form) => {
        const project = copyOfSource()
        for (const [file, from] of Object.entries(breaches)) plant(project, file, form(from))
        const { code, failures } = await lint(project)
        assert.notEqual(code, 0)
        assert.deepEqual(failures("lint/style/noRestrictedImports"), Object.keys(breaches).sort(), form("…"))
      }),
    )
  })

  test("fails for a cycle of imports, also for one of types", async () => {
    const project = copyOfSource()
    plant(project, "src/util/one.ts", 'import { b } from "./two.ts"\nexport const a = () => b()')
    plant(project, "src/util/two.ts", 'import { a } from "./one.ts"\nexport const b = () => a()')
    plant(project, "src/util/three.ts", 'import type { B } from "./four.ts"\nexport type A = B | 1')
    plant(project, "src/util/four.ts", 'import type { A } from "./three.ts"\nexport type B = A[]')
    const { code, failures } = await lint(project)
    assert.notEqual(code, 0)
    assert.deepEqual(failures("lint/suspicious/noImportCycles"), [
      "src/util/four.ts",
      "src/util/one.ts",
      "src/util/three.ts",
      "src/util/two.ts",
    ])
  })
})

/** The source and what the linter reads, in a folder of their own. */
function copyOfSource(): string {
  const project = temporaryFolder("layers")
  for (const name of ["src", "biome.json", ".gitignore", "package.json"]) {
    cpSync(join(root, name), join(project, name), { recursive: true })
  }
  return project
}

/** Adds a line to the top of a file, which need not exist. */
function plant(project: string, file: string, line: string): void {
  const path = join(project, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${line}\n${existsSync(path) ? readFileSync(path, "utf8") : ""}`)
}

interface Diagnostic {
  readonly severity: string
  readonly category: string
  readonly location: { readonly path: string }
}

interface LintResult {
  readonly code: number | null
  /** The files in which this rule found an error. */
  readonly failures: (rule: (typeof rules)[number]) => string[]
}

/** What `npm run lint` does, with its findings as data. */
async function lint(project: string): Promise<LintResult> {
  const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8"))
  const [program, ...args] = String(manifest.scripts.lint).split(" ")
  assert.equal(program, "biome")
  const biome = createRequire(import.meta.url).resolve("@biomejs/biome/bin/biome")
  const child = spawn(process.execPath, [biome, ...args, "--reporter=json", "--max-diagnostics=none"], {
    cwd: project,
    stdio: ["ignore", "pipe", "ignore"],
  })
  const [output, code] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve, reject) => child.once("exit", resolve).once("error", reject)),
  ])
  const { diagnostics } = JSON.parse(output) as { diagnostics: Diagnostic[] }
  const failures = (rule: string) => {
    const found = diagnostics.filter(({ severity, category }) => severity === "error" && category === rule)
    return [...new Set(found.map(({ location }) => location.path))].sort()
  }
  return { code, failures }
}
