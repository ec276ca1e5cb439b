// Builds `dist`: once as ES modules, once as CommonJS, each with its own declarations.
//
// It is built beside `dist` and put in its place by a rename, so whoever uses the old build meanwhile never finds
// half of the new one.
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const compiler = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin",
  "tsc",
)
const dist = join(root, "dist")
// As deep in the project as `dist` is, for the paths in the source maps.
const fresh = join(root, `dist-${process.pid}`)
const old = `${fresh}-old`

const startedAt = new Date()
mkdirSync(fresh)
process.once("SIGINT", () => process.exit(130))
process.once("exit", () => {
  for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true })
})
compile("tsconfig.build.json", "esm")
compile("tsconfig.cjs.json", "cjs")
// A clone's own `redix` is run from here; npm does the same where it installs the package.
chmodSync(join(fresh, "esm/cli/main.js"), 0o755)
// Node.js decides by the nearest package.json whether a .js file is CommonJS.
writeFileSync(join(fresh, "cjs/package.json"), '{ "type": "commonjs" }\n')
// What `run.mjs` compares with the sources: a source that is changed during the build is newer than the build.
utimesSync(join(fresh, "cjs/package.json"), startedAt, startedAt)
replace()

function compile(project, folder) {
  try {
    const args = [compiler, "-p", project, "--outDir", join(fresh, folder)]
    execFileSync(process.execPath, args, { cwd: root, stdio: "inherit" })
  } catch (error) {
    // The compiler has already said what is wrong.
    process.exit(error.status ?? 1)
  }
}

function replace() {
  for (let attempt = 1; ; attempt++) {
    try {
      if (existsSync(dist)) renameSync(dist, old)
      renameSync(fresh, dist)
      return
    } catch (error) {
      // Another build came first. Its files are replaced too: ours may be of newer sources.
      if (attempt === 5) throw error
      rmSync(old, { recursive: true, force: true })
    }
  }
}
