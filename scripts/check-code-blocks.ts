/**
 * The TypeScript code in README.md and docs: each block stands alone as a module, is type-checked, and runs to its end
 * against a real server, or a real cluster. Blocks after ```ts no-run are type-checked only. Those after ```js are CommonJS,
 * and run as they are.
 *
 * Each block becomes a file in a project that depends on the built package, at the same line as in its page, so that
 * messages of the compiler and stacks show the place in the page.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../support/cleanup.ts"
import { RedisCluster } from "../support/cluster.ts"
import { RedisServer } from "../support/server.ts"
import { runNode } from "./child.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const COMPILE_TIMEOUT_MS = 120_000
const RUN_TIMEOUT_MS = 30_000

/** What the blocks name as their server; the copies that run here have another port. */
const PORT = /\b6379\b/g

/** What they name as nodes of a cluster. */
const CLUSTER_PORT = /\b700([0-5])\b/g

interface CodeBlock {
  readonly page: string
  /** Of its first line of code, counted from 1. */
  readonly line: number
  readonly code: string
  readonly isRun: boolean
  readonly isCommonJs: boolean
}

process.exitCode = await main()

async function main(): Promise<number> {
  const blocks = pages().flatMap(blocksOf)
  const run = blocks.filter(({ isRun }) => isRun)
  await using server = await RedisServer.start()
  await using cluster = await RedisCluster.start()
  const clusterPorts = cluster.nodes.map(({ port }) => port)
  const project = createProject(blocks, server.port, clusterPorts)
  const compiled = await compile(project)
  if (compiled.code !== 0) {
    console.error(compiled.output.replaceAll(/^(\S+)@\d+\.ts\((\d+),(\d+)\)/gm, pageAndLine))
    return 1
  }
  let failures = 0
  for (const block of run) {
    await Promise.all([server.send("FLUSHALL"), cluster.flush()])
    const file = join("out", `${nameOf(block)}.${block.isCommonJs ? "cjs" : "js"}`)
    const { code, output } = await runNode(["--enable-source-maps", file], {
      cwd: project,
      timeout: RUN_TIMEOUT_MS,
    })
    if (code === 0) continue
    failures += 1
    console.error(`${block.page}:${block.line}: the code ended with ${code}:\n${output}`)
  }
  console.log(`${blocks.length} code blocks checked, ${run.length} run, ${failures} failed`)
  return failures === 0 ? 0 : 1
}

function pages(): string[] {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
  return [
    "README.md",
    ...docs
      .filter((file) => file.endsWith(".md"))
      .sort()
      .map((file) => `docs/${file}`),
  ]
}

function blocksOf(page: string): CodeBlock[] {
  const text = readFileSync(join(root, page), "utf8")
  return [...text.matchAll(/^```(ts|js)\b(.*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language, info = "", code = ""] = match
    return {
      page,
      line: text.slice(0, match.index).split("\n").length + 1,
      code,
      isRun: !info.includes("no-run"),
      isCommonJs: language === "js",
    }
  })
}

/** `docs-errors.md@14`, which tells the page and its line. */
function nameOf({ page, line }: CodeBlock): string {
  return `${page.replaceAll("/", "-")}@${line}`
}

function pageAndLine(_: string, name: string, line: string, column: string): string {
  return `${name.replace("docs-", "docs/")}:${line}:${column}`
}

/** A project as a user of the package has one. */
function createProject(blocks: readonly CodeBlock[], port: number, clusterPorts: readonly number[]): string {
  const project = temporaryFolder("code-blocks")
  mkdirSync(join(project, "node_modules/@redix"), { recursive: true })
  symlinkSync(root, join(project, "node_modules/@redix/client"), "dir")
  symlinkSync(join(root, "node_modules/@types"), join(project, "node_modules/@types"), "dir")
  symlinkSync(join(root, "node_modules/@opentelemetry"), join(project, "node_modules/@opentelemetry"), "dir")
  writeJson(join(project, "package.json"), { type: "module", private: true })
  writeJson(join(project, "tsconfig.json"), {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: {
      rootDir: ".",
      outDir: "out",
      sourceMap: true,
      declaration: false,
      isolatedDeclarations: false,
      moduleDetection: "force",
      // A page may show a value without doing anything with it.
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    files: blocks.filter(({ isCommonJs }) => !isCommonJs).map((block) => `${nameOf(block)}.ts`),
  })
  mkdirSync(join(project, "out"))
  for (const block of blocks) {
    const code = block.code
      .replaceAll(PORT, `${port}`)
      .replaceAll(CLUSTER_PORT, (_, index) => `${clusterPorts[Number(index)]}`)
    const file = block.isCommonJs ? join("out", `${nameOf(block)}.cjs`) : `${nameOf(block)}.ts`
    writeFileSync(join(project, file), "\n".repeat(block.line - 1) + code)
  }
  return project
}

function compile(project: string) {
  const compiler = join(root, "node_modules/typescript/bin/tsc")
  return runNode([compiler, "-p", project, "--pretty", "false"], {
    cwd: project,
    timeout: COMPILE_TIMEOUT_MS,
  })
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, JSON.stringify(value))
}
