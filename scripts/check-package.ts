/**
 * What would be published: that all of it is there and nothing else, and that its entry points and types work for
 * every kind of consumer. Packs the built package into a temporary folder and looks at that.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../support/cleanup.ts"
import { runNode } from "./child.ts"
import { pack } from "./pack.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const REQUIRED = [
  "package.json",
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "src/index.ts",
  ...["esm", "cjs"].flatMap((kind) =>
    ["index", "opentelemetry"].flatMap((entry) => [`dist/${kind}/${entry}.js`, `dist/${kind}/${entry}.d.ts`]),
  ),
  "dist/cjs/package.json",
  "dist/esm/cli/main.js",
]

const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^src\/[\w/-]+\.ts$/,
  /^dist\/(esm|cjs)\/[\w/-]+\.(js|d\.ts)(\.map)?$/,
  /^dist\/cjs\/package\.json$/,
]

interface Manifest {
  readonly version: string
  readonly dependencies?: object
}

process.exitCode = await main()

async function main(): Promise<number> {
  const folder = temporaryFolder("pack")
  const { filename, files } = pack(folder)
  const tarball = join(folder, filename)
  const problems = [...contentProblems(files), ...versionProblems()]
  for (const problem of problems) console.error(problem)
  // node16: Node.js since 16 and compilers that know `exports`, which is all that `engines` allows.
  const results = [
    await tool("publint", ["run", tarball, "--strict"]),
    await tool("@arethetypeswrong/cli", [tarball, "--profile", "node16", "--no-emoji", "--no-color"]),
  ]
  console.log(`${filename}: ${files.length} files`)
  return problems.length === 0 && results.every((code) => code === 0) ? 0 : 1
}

function contentProblems(files: readonly string[]): string[] {
  return [
    ...REQUIRED.filter((file) => !files.includes(file)).map((file) => `missing from the package: ${file}`),
    ...files
      .filter((file) => !ALLOWED.some((pattern) => pattern.test(file)))
      .map((file) => `does not belong into the package: ${file}`),
    ...files.filter((file) => file.endsWith(".map")).flatMap((file) => missingSources(file, files)),
  ]
}

/** The sources which a map names, so that debuggers and "go to definition" find them. */
function missingSources(map: string, files: readonly string[]): string[] {
  const { sources } = JSON.parse(readFileSync(join(root, map), "utf8")) as { sources: string[] }
  return sources
    .map((source) => join(dirname(map), source))
    .filter((source) => !files.includes(source))
    .map((source) => `${map} names a source that is missing: ${source}`)
}

function versionProblems(): string[] {
  const { version, dependencies = {} } = JSON.parse(read("package.json")) as Manifest
  const problems: string[] = []
  if (!read("src/version.ts").includes(`"${version}"`))
    problems.push(`src/version.ts does not say ${version}`)
  if (!hasEntry(read("CHANGELOG.md"), version)) problems.push(`CHANGELOG.md has no entry for ${version}`)
  if (Object.keys(dependencies).length > 0) problems.push("the package has runtime dependencies")
  return problems
}

/** A heading such as `## [0.1.0] - 2026-11-25`, or the one of what is not released yet. */
function hasEntry(changelog: string, version: string): boolean {
  const headings = [...changelog.matchAll(/^## \[?([^\]\s]+)/gm)].map(([, heading]) => heading)
  return headings.includes(version) || headings.includes("Unreleased")
}

function read(file: string): string {
  try {
    return readFileSync(join(root, file), "utf8")
  } catch {
    return ""
  }
}

/** Runs the only program of a package, and shows what it says. */
async function tool(name: string, args: readonly string[]): Promise<number> {
  const manifest = createRequire(import.meta.url)
  const folder = join(root, "node_modules", name)
  const { bin } = manifest(join(folder, "package.json")) as { bin: string | Record<string, string> }
  const program = typeof bin === "string" ? bin : Object.values(bin)[0]
  const { code, output } = await runNode([join(folder, program ?? ""), ...args], {
    cwd: root,
    timeout: 120_000,
  })
  console.log(output.trim())
  return code
}
