/** Packs the built package, as it would be published, into a folder. */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The name of the tarball in the folder, and what is in it. */
export function pack(folder: string): { filename: string; files: string[] } {
  const npm = process.env["npm_execpath"]
  const [program, ...before] = npm?.endsWith("npm-cli.js") ? [process.execPath, npm] : ["npm"]
  const args = [...before, "pack", "--json", "--ignore-scripts", "--pack-destination", folder]
  const output = execFileSync(program as string, args, { cwd: root, encoding: "utf8" })
  const [packed] = Object.values(JSON.parse(output) as object) as {
    filename: string
    files: { path: string }[]
  }[]
  if (!packed) throw new Error(`npm pack made nothing:\n${output}`)
  return { filename: packed.filename, files: packed.files.map(({ path }) => path) }
}
