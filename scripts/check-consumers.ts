/**
 * A user's program against the package as it would be published: compiled as ES module and as CommonJS by the oldest
 * compiler that is supported, by the newest, and by some between.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../support/cleanup.ts"
import { pack } from "./pack.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const COMPILERS = ["typescript5.4", "typescript5.9", "typescript6.0", "typescript"]

const OPTIONS = {
  ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, target: "es2022", types: ["node"] },
  ...{ lib: ["es2022", "esnext.disposable"] },
}

/** How the package is found, and the files which it is found from. */
const PROJECTS: Record<string, Record<string, string | boolean>> = {
  // Also looks at the declarations themselves, which once is enough.
  nodenext: { module: "nodenext", moduleResolution: "nodenext", skipLibCheck: false },
  bundler: { module: "esnext", moduleResolution: "bundler", skipLibCheck: true },
  // What `tsc --init` wrote for years. It knows no `exports`; compilers since 6.0 do without it.
  node10: { module: "commonjs", moduleResolution: "node10", skipLibCheck: true },
}
const WITHOUT_NODE10 = ["typescript6.0", "typescript"]
const FILES: Record<string, string[]> = {
  nodenext: ["consumer.mts", "consumer.cts"],
  bundler: ["consumer.mts"],
  node10: ["consumer.cts"],
}

const folder = temporaryFolder("consumer")
install()
let failed = false
for (const compiler of COMPILERS) {
  for (const [name, how] of Object.entries(PROJECTS)) {
    if (name === "node10" && WITHOUT_NODE10.includes(compiler)) continue
    for (const file of FILES[name] ?? []) {
      const config = join(folder, `${name}.json`)
      writeFileSync(config, JSON.stringify({ compilerOptions: { ...OPTIONS, ...how }, files: [file] }))
      const tsc = join(root, "node_modules", compiler, "bin/tsc")
      const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", config], { encoding: "utf8" })
      console.log(`${compiler}, ${name}, ${file}: ${status === 0 ? "compiles" : `fails\n${stdout}`}`)
      failed ||= status !== 0
    }
  }
}
process.exitCode = failed ? 1 : 0

/** The package and the types of Node.js in `node_modules`, and the program as both kinds of module. */
function install(): void {
  const { filename } = pack(folder)
  const modules = join(folder, "node_modules")
  mkdirSync(join(modules, "@redix/client"), { recursive: true })
  execFileSync("tar", [
    "-xzf",
    join(folder, filename),
    "-C",
    join(modules, "@redix/client"),
    "--strip-components=1",
  ])
  for (const name of ["@types", "undici-types", "@opentelemetry"])
    symlinkSync(join(root, "node_modules", name), join(modules, name))
  for (const kind of ["mts", "cts"]) {
    copyFileSync(join(root, "test/consumer/consumer.mts"), join(folder, `consumer.${kind}`))
  }
}
