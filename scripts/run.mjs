// `npm start`, `npm test` and their kin: makes sure that the dependencies are installed and `dist` is built, then runs
// what was asked for and ends with its exit code. Plain Node.js, since on a fresh clone nothing is installed.
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { constants } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")

/** What a test file may take in all, in ms. Far more than any needs, so that only one that hangs meets it. */
const TEST_TIMEOUT = 180_000

/** The commands of each task, which run one after the other until one fails. */
const TASKS = {
  tour: (args) => [typescript("tour/main.ts", ...args)],
  bench: (args) => [typescript("bench/main.ts", ...args)],
  record: () => [typescript("scripts/record-command.ts")],
  example: (args) => [typescript("scripts/run-examples.ts", ...args)],
  test: (args) => [["node", ...testRunner(args)]],
  coverage: (args) => [["c8", process.execPath, ...testRunner(args)]],
  types: (args) => [["tsc", "-p", "tsconfig.json", ...args]],
  generate: (args) => [typescript("scripts/generate-commands.ts", ...args)],
  conformance: (args) => [typescript("scripts/conformance.ts", ...args)],
  compare: (args) => [typescript("scripts/compare-commands.ts", ...args)],
  consumers: () => [typescript("scripts/check-consumers.ts")],
  weight: (args) => [typescript("scripts/check-weight.ts", ...args)],
  server: () => [typescript("scripts/server-version.ts")],
  package: () => [typescript("scripts/check-package.ts")],
  docs: () => [
    typescript("scripts/options-docs.ts", "--check"),
    typescript("scripts/check-links.ts"),
    typescript("scripts/check-code-blocks.ts"),
  ],
}

const [name, ...args] = process.argv.slice(2)
const task = TASKS[name]
if (!task) fail(`what to run? One of ${Object.keys(TASKS).join(", ")}`)
if (!isInstalled()) install()
const commands = task(args)
if (!isBuilt()) build()
run(commands)

function typescript(file, ...args) {
  return ["node", "--import", "tsx", file, ...args]
}

// The runner of Node.js 20 knows no patterns: the files are listed here.
function testRunner(args) {
  const flags = []
  const places = []
  for (const arg of args) {
    const path = existing(arg)
    if (path) places.push(path)
    else if (arg.startsWith("-") || isValue(flags.at(-1))) flags.push(arg)
    else fail(`no such test: ${arg}`)
  }
  if (places.length === 0) places.push(join(root, "test"))
  const files = places.flatMap(testsIn)
  if (files.length === 0) fail(`no tests in ${places.join(", ")}`)
  return [
    ...["--import", "tsx", "--test", "--test-reporter=spec", "--test-concurrency=2"],
    ...[`--test-timeout=${TEST_TIMEOUT}`, ...flags],
    ...files.sort().map((file) => relative(root, file)),
  ]
}

/** Whether what follows this argument belongs to it: `--test-name-pattern word`. */
function isValue(previous) {
  return previous?.startsWith("--") && !previous.includes("=")
}

function existing(path) {
  if (path.startsWith("-")) return undefined
  // `npm` runs scripts in the project's folder, and tells where it was itself called.
  const places = [process.env.INIT_CWD, process.cwd(), root].filter(Boolean)
  return places.map((place) => resolve(place, path)).find((candidate) => existsSync(candidate))
}

function testsIn(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => join(path, file))
}

/** Whether what is installed is what the lock file says. npm keeps a list of what it has installed. */
function isInstalled() {
  const installed = join(root, "node_modules/.package-lock.json")
  if (!existsSync(installed)) return false
  const { packages: have } = readJson(installed)
  return Object.entries(readJson(join(root, "package-lock.json")).packages).every(([path, wanted]) => {
    if (path === "") return true
    // What is optional is made for other systems.
    if (!have[path]) return Boolean(wanted.optional || wanted.devOptional)
    return have[path].version === wanted.version && have[path].integrity === wanted.integrity
  })
}

function install() {
  note("installing the dependencies (npm ci)")
  // npm itself when it runs us, so that no shell is needed to find it.
  const npm = process.env.npm_execpath?.endsWith("npm-cli.js")
    ? [process.execPath, process.env.npm_execpath]
    : ["npm"]
  const quiet = ["--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]
  // It tells of its success on the standard output, and of its errors elsewhere.
  prepare([...npm, "ci", "--include=dev", ...quiet], "ignore")
}

/** Whether `dist` is newer than all that it is made of. */
function isBuilt() {
  const stamp = join(root, "dist/cjs/package.json")
  if (!existsSync(stamp)) return false
  const inputs = ["src", "scripts/build.mjs", "package-lock.json"]
  inputs.push(...readdirSync(root).filter((file) => /^tsconfig.*\.json$/.test(file)))
  return Math.max(...inputs.map((input) => newest(join(root, input)))) < statSync(stamp).mtimeMs
}

/** The time of the last change to the file, or in the folder: its own time tells of what is gone. */
function newest(path) {
  const stats = statSync(path)
  if (!stats.isDirectory()) return stats.mtimeMs
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function build() {
  note("building dist")
  prepare([process.execPath, join(root, "scripts/build.mjs")], process.stderr)
}

/** Runs a program to its end, with nothing on the standard output: that is for the result. */
function prepare([program, ...args], output) {
  const { status, signal, error } = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", output, process.stderr],
    shell: process.platform === "win32" && program === "npm",
  })
  if (error) fail(`${program}: ${error.message}`)
  if (status !== 0) process.exit(status ?? exitCodeOf(signal))
}

function run([[program, ...args], ...rest]) {
  const file = program === "node" ? process.execPath : binary(program)
  const start = program === "node" ? args : [file, ...args]
  const child = spawn(process.execPath, start, { cwd: root, stdio: "inherit" })
  // A terminal sends Ctrl-C to the child as well: it ends in its own way, and then so does this.
  const interrupt = () => process.stdin.isTTY || child.kill("SIGINT")
  const terminate = () => child.kill("SIGTERM")
  process.on("SIGINT", interrupt).on("SIGTERM", terminate)
  child.once("error", (error) => fail(error.message))
  child.once("exit", (code, signal) => {
    if (code !== 0 || rest.length === 0) process.exit(code ?? exitCodeOf(signal))
    process.off("SIGINT", interrupt).off("SIGTERM", terminate)
    run(rest)
  })
}

/** The script behind a command of a dependency. */
function binary(command) {
  const packages = { tsc: "typescript", c8: "c8" }
  const folder = join(root, "node_modules", packages[command])
  const { bin } = readJson(join(folder, "package.json"))
  return join(folder, typeof bin === "string" ? bin : bin[command])
}

function exitCodeOf(signal) {
  return 128 + (constants.signals[signal] ?? 0)
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"))
}

function note(text) {
  process.stderr.write(`${text} …\n`)
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}
