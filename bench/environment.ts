// What the figures depend on: machine, Node.js, server, and the versions of the clients.
import { readFileSync } from "node:fs"
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os"
import { createClient } from "redis"

const ROOT = new URL("../", import.meta.url)

export interface Environment {
  readonly machine: { cpu: string; cores: number; memoryBytes: number; system: string; load: number[] }
  readonly node: string
  readonly server: string
  readonly packages: Readonly<Record<string, string>>
}

export async function environment(url: string): Promise<Environment> {
  return {
    machine: machine(),
    node: process.version,
    server: await serverVersion(url),
    packages: {
      "@redix/client": versionIn("package.json"),
      ioredis: versionIn("node_modules/ioredis/package.json"),
      redis: versionIn("node_modules/redis/package.json"),
    },
  }
}

function machine(): Environment["machine"] {
  const all = cpus()
  return {
    cpu: all[0]?.model ?? "unknown",
    cores: all.length,
    memoryBytes: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
    load: loadavg(),
  }
}

async function serverVersion(url: string): Promise<string> {
  const client = createClient({ url })
  await client.connect()
  try {
    const info = await client.info("server")
    const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1]
    return valkey === undefined ? `redis ${/^redis_version:(\S+)/m.exec(info)?.[1]}` : `valkey ${valkey}`
  } finally {
    await client.close()
  }
}

function versionIn(path: string): string {
  try {
    const { version }: { version?: unknown } = JSON.parse(readFileSync(new URL(path, ROOT), "utf8"))
    return String(version)
  } catch {
    return "unknown"
  }
}
