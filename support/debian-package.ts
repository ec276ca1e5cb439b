/**
 * A Redis server out of Debian's archive without root rights: knows how to fetch and
 * unpack it; how to call it is left to `server-binary.ts`. Apt checks
 * the signatures with the machine's own sources and keys; nothing is installed and no service is started.
 */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

/** Whether this machine has the two programs which {@link fetchDebianPackage} needs. */
export async function canFetchDebianPackage(): Promise<boolean> {
  try {
    await Promise.all([run("apt-get", ["--version"]), run("dpkg-deb", ["--version"])])
    return true
  } catch {
    return false
  }
}

/** Fetches packages into a workspace, and unpacks them into a root. */
export type FetchPackages = (workspace: string, root: string) => Promise<void>

/**
 * Fetches the server into `folder`, with `fetchPackages` from elsewhere than this machine's own sources. The work is done beside it, and a rename puts it in its place, so a broken or
 * half fetch is never seen there. Of several processes that do this at once the first one wins.
 */
export async function fetchDebianPackage(
  folder: string,
  works: (folder: string) => boolean,
  fetchPackages: FetchPackages = fetchNative,
): Promise<void> {
  process.stderr.write(`fetching a server (Debian package) into ${folder}\n`)
  await mkdir(dirname(folder), { recursive: true })
  const workspace = await mkdtemp(`${folder}-`)
  try {
    const root = join(workspace, "root")
    await fetchPackages(workspace, root)
    if (!works(root)) throw new Error("it does not run on this machine")
    // What is there is not overwritten by a rename: it is either broken, or another process was faster.
    if (!works(folder)) await rename(folder, join(workspace, "broken")).catch(ignoreMissing)
    await rename(root, folder).catch((cause: unknown) => {
      if (!works(folder)) throw cause
    })
  } catch (cause) {
    throw new Error(
      "no Redis server found, and fetching one with apt-get failed: `apt-get install redis-tools` installs one",
      { cause },
    )
  } finally {
    await rm(workspace, { recursive: true, force: true })
  }
}

async function fetchNative(workspace: string, root: string): Promise<void> {
  const apt = await aptIn(workspace, ["Dir::State::status=/var/lib/dpkg/status"])
  await apt("update")
  const { stdout } = await apt("install", "--print-uris", "-y", "--no-install-recommends", "redis-tools")
  // One line per package that this machine lacks: 'address' name_version_architecture.deb size hash
  const names = [...stdout.matchAll(/^'[^']+' ([^_\s]+)_/gm)].map((match) => match[1] as string)
  await apt("download", ...(names.length > 0 ? names : ["redis-tools"]))
  await unpack(workspace, root)
}

/** Runs apt-get in a workspace, with settings beside those that keep it away from the machine's own state. */
export async function aptIn(
  workspace: string,
  settings: readonly string[],
): Promise<(...args: string[]) => Promise<{ stdout: string }>> {
  const state = join(workspace, "state")
  const cache = join(workspace, "cache")
  const cwd = join(workspace, "packages")
  await mkdir(join(state, "lists/partial"), { recursive: true })
  await mkdir(join(cache, "archives/partial"), { recursive: true })
  await mkdir(cwd)
  // Own package lists: the machine's may be missing (container images wipe them) and need root rights to renew.
  const all = [
    `Dir::State=${state}`,
    `Dir::Cache=${cache}`,
    "APT::Sandbox::User=",
    "Acquire::Languages=none",
    "Debug::NoLocking=1",
    ...settings,
  ].flatMap((setting) => ["-o", setting])
  return (...args) => run("apt-get", [...all, "-qq", ...args], { cwd, maxBuffer: 16 * 1024 * 1024 })
}

/** Unpacks what `apt-get download` has left in the workspace. */
export async function unpack(workspace: string, root: string): Promise<void> {
  const packages = join(workspace, "packages")
  for (const file of await readdir(packages)) await run("dpkg-deb", ["-x", join(packages, file), root])
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error
}
