/**
 * Finds a Redis or Valkey server program on this machine, or fetches one. Knows where such programs live and how
 * they are called; fetching is left to `debian-package.ts`, running to `server.ts`.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { canFetchDebianPackage, fetchDebianPackage } from "./debian-package.ts"

/** How to call a server program. */
export interface ServerProgram {
  readonly command: string
  /** The name that the program must see as its own: it decides by it what it is. */
  readonly argv0: string
  /** Variables which it needs on top of the environment of this process. */
  readonly env: Record<string, string>
}

export type ServerSource = "REDIS_SERVER_BIN" | "path" | "system" | "cache" | "fetch"

export interface ServerBinary extends ServerProgram {
  /** As in `--version`, for example `7.0.15`. */
  readonly version: string
  readonly source: ServerSource
}

export interface FindServerOptions {
  /** Places not to look at, to try out the later ones. */
  skip?: readonly ServerSource[]
  /** The folder which a fetched server is kept in. */
  cache?: string
}

const defaultCache = fileURLToPath(new URL("../node_modules/.cache/redis-server", import.meta.url))

/**
 * Debian's redis-tools, which starts no system service, has the real server under the name of a checker. What it
 * does depends on the name that it is called by; other builds of the server do not mind.
 */
const debianServer: ServerProgram = { command: "/usr/bin/redis-check-rdb", argv0: "redis-server", env: {} }

let found: Promise<ServerBinary> | undefined

/**
 * The server program to use: `REDIS_SERVER_BIN`, else one on the PATH, else the one in Debian's redis-tools, else
 * one that was fetched before, else one that is fetched now. A call without options looks only once per process.
 */
export function findServer(options?: FindServerOptions): Promise<ServerBinary> {
  if (options) return search(options)
  found ??= search({})
  return found
}

async function search({ skip = [], cache = defaultCache }: FindServerOptions): Promise<ServerBinary> {
  const wanted = process.env["REDIS_SERVER_BIN"]
  if (wanted && !skip.includes("REDIS_SERVER_BIN")) {
    const binary = verify(onPath(wanted), "REDIS_SERVER_BIN")
    // An explicit wish that cannot be met is not replaced by something else.
    if (binary) return binary
    throw new Error(`REDIS_SERVER_BIN names no working Redis or Valkey server: ${wanted}`)
  }
  const places: readonly (readonly [ServerSource, ServerProgram])[] = [
    ["path", onPath("redis-server")],
    ["path", onPath("valkey-server")],
    ["system", debianServer],
    ["cache", unpacked(cache)],
  ]
  for (const [source, program] of places) {
    const binary = skip.includes(source) ? undefined : verify(program, source)
    if (binary) return binary
  }
  if (!skip.includes("fetch") && (await canFetchDebianPackage())) {
    await fetchDebianPackage(cache, (folder) => verify(unpacked(folder), "fetch") !== undefined)
    const binary = verify(unpacked(cache), "fetch")
    if (binary) return binary
  }
  throw new Error(
    "no Redis or Valkey server found: `apt-get install redis-tools` or `brew install redis` installs one, " +
      "or let REDIS_SERVER_BIN name one",
  )
}

/** A name on the PATH, or a path itself. */
function onPath(name: string): ServerProgram {
  // Absolute, since servers run in folders of their own.
  const command = name.includes("/") ? resolve(name) : name
  return { ...debianServer, command }
}

/** The server of Debian's redis-tools in `folder`, whether or not there is one. */
function unpacked(folder: string): ServerProgram {
  const libraries = ["usr/lib", "lib"]
    .map((path) => join(folder, path))
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path).map((name) => join(path, name)))
    .filter((path) => path.endsWith("-linux-gnu"))
  if (process.env["LD_LIBRARY_PATH"]) libraries.push(process.env["LD_LIBRARY_PATH"])
  return {
    ...debianServer,
    command: join(folder, debianServer.command),
    env: libraries.length > 0 ? { LD_LIBRARY_PATH: libraries.join(":") } : {},
  }
}

/** `undefined` when it does not run, or is something else. */
function verify(program: ServerProgram, source: ServerSource): ServerBinary | undefined {
  const { stdout } = spawnSync(program.command, ["--version"], {
    argv0: program.argv0,
    env: { ...process.env, ...program.env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 10_000,
  })
  const version = /server v=(\S+)/.exec(stdout ?? "")?.[1]
  return version ? { ...program, version, source } : undefined
}
