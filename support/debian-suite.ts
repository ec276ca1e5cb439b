/**
 * Servers of other versions than this machine has, out of other suites of Debian's archive: which suite has which, and
 * how they are run beside this system's own C library. The fetch itself is that of `debian-package.ts`.
 */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { chmod, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { aptIn, fetchDebianPackage, unpack } from "./debian-package.ts"

interface Suite {
  readonly suites: readonly string[]
  readonly package: string
  readonly program: "redis" | "valkey"
}

/** What is there moves with time: newer versions come, and are as good for what this is for. */
const SUITES: Readonly<Record<string, Suite>> = {
  "redis-8": { suites: ["sid", "experimental"], package: "redis-tools/experimental", program: "redis" },
  "redis-8.0": { suites: ["forky"], package: "redis-tools", program: "redis" },
  "valkey-8": { suites: ["trixie"], package: "valkey-tools", program: "valkey" },
  "valkey-9": { suites: ["forky"], package: "valkey-tools", program: "valkey" },
}

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
const cache = fileURLToPath(new URL("../node_modules/.cache", import.meta.url))

/** What the programs need, all of it from their own suite. */
const LIBRARIES = [
  ...["libc6", "libjemalloc2", "liblzf1", "libssl3t64", "libsystemd0", "libatomic1", "libstdc++6"],
  ...["libgcc-s1", "libcap2", "zlib1g", "libzstd1"],
]

/** The path of a server program of that version, fetched once. */
export async function fetchServer(name: string): Promise<string> {
  const suite = SUITES[name]
  if (!suite) throw new Error(`no such server: ${name}. One of ${Object.keys(SUITES).join(", ")}`)
  const folder = join(cache, `server-${name}`)
  const program = join(folder, "server")
  if (!works(folder)) {
    await fetchDebianPackage(folder, works, (workspace, root) => fetchSuite(suite, workspace, root))
  }
  return program
}

function works(folder: string): boolean {
  const { stdout } = spawnSync(join(folder, "server"), ["--version"], { encoding: "utf8", timeout: 10_000 })
  return /server v=/.test(stdout ?? "")
}

async function fetchSuite(suite: Suite, workspace: string, root: string): Promise<void> {
  const sources = join(workspace, "sources")
  const status = join(workspace, "status")
  const lines = suite.suites.map((name) => `deb [signed-by=${KEYRING}] ${archive()} ${name} main\n`)
  await writeFile(sources, lines.join(""))
  await writeFile(status, "")
  const apt = await aptIn(workspace, [
    `Dir::State::status=${status}`,
    `Dir::Etc::sourcelist=${sources}`,
    "Dir::Etc::sourceparts=-",
  ])
  await apt("update")
  await apt("download", suite.package, ...LIBRARIES)
  await unpack(workspace, root)
  await writeProgram(suite, join(root, "server"))
}

/** A newer C library works with its own loader only, which finds all by where the script is. */
async function writeProgram({ program }: Suite, path: string): Promise<void> {
  await writeFile(
    path,
    `#!/bin/bash
here=$(dirname "$(readlink -f "$0")")
libraries=$(echo "$here"/usr/lib/*-linux-gnu)
loader=$(echo "$libraries"/ld-linux-*.so.*)
exec -a ${program}-server "$loader" --argv0 ${program}-server --library-path "$libraries" "$here/usr/bin/${program}-check-rdb" "$@"
`,
  )
  await chmod(path, 0o755)
}

/** The archive that this machine's own sources name. */
function archive(): string {
  const folder = "/etc/apt/sources.list.d"
  const files = ["/etc/apt/sources.list", ...readdirSync(folder).map((file) => join(folder, file))]
  for (const file of files) {
    const address = /https?:\/\/\S+\/debian\/?(?=\s|$)/m.exec(readIfThere(file))?.[0]
    if (address) return address
  }
  throw new Error("no source of Debian packages is known on this machine")
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}
