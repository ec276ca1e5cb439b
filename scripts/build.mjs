// Builds `dist`: once as ES modules, once as CommonJS, each with its own declarations.
import { execFileSync } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const compiler = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin",
  "tsc",
)

rmSync(join(root, "dist"), { recursive: true, force: true })
for (const project of ["tsconfig.build.json", "tsconfig.cjs.json"]) {
  execFileSync(process.execPath, [compiler, "-p", project], { cwd: root, stdio: "inherit" })
}
// Node.js decides by the nearest package.json whether a .js file is CommonJS.
writeFileSync(join(root, "dist/cjs/package.json"), '{ "type": "commonjs" }\n')
