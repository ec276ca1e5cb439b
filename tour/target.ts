/**
 * The server that the tour plays with: one of its own, which it may kill, or the user's, where it only kills its own
 * connection and leaves no key behind.
 */
import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import type { Redix } from "@redix/client"
import { RedisServer } from "../support/server.ts"

export interface Target {
  readonly url: string
  /** What it is, for the introduction. */
  readonly description: string
  /** What {@link disrupt} does, for the introduction of the story. */
  readonly disruption: string
  /** A name of a key that nobody else uses. */
  key(name: string): string
  /** Breaks the connection in the hardest way there is, and tells of it. Returns whether it could. */
  disrupt(connection: Redix, tell: (news: string) => void): Promise<boolean>
  /** Leaves nothing behind. */
  stop(): Promise<void>
}

/** How long a killed server stays away. */
const DOWNTIME_MS = 1000

export async function startServer(downtimeMs = DOWNTIME_MS): Promise<Target> {
  // Every write is in the file before it is acknowledged, and so survives SIGKILL. That the disk has it, at the price of
  // its time for each command, would only matter if the machine fell.
  const server = await RedisServer.start({ appendOnly: true, args: ["--appendfsync", "no"] })
  return {
    url: server.url,
    description: `a server of its own, process ${server.pid}`,
    disruption: "kill -9 of the server, twice",
    key: (name) => name,
    async disrupt(_, tell) {
      tell(`kill -9 ${server.pid}: the server is gone`)
      await server.kill("SIGKILL")
      await sleep(downtimeMs)
      await server.restart()
      tell(`the server is back, as process ${server.pid}`)
      return true
    },
    stop: () => server.stop(),
  }
}

/** `connect` opens a connection to the same server. */
export function useServer(url: string, connect: () => Promise<Redix>): Target {
  const prefix = `redix-tour:${randomBytes(4).toString("hex")}:`
  const keys = new Set<string>()
  return {
    url,
    description: `your server; keys begin with ${prefix} and are deleted at the end`,
    disruption: "CLIENT KILL of this connection by another one, twice",
    key(name) {
      keys.add(prefix + name)
      return prefix + name
    },
    async disrupt(connection, tell) {
      const id = await connection.safe.command(["CLIENT", "ID"])
      if (!id.ok) {
        tell(id.error.message)
        return false
      }
      const killer = await connect()
      try {
        tell(`CLIENT KILL ID ${id.value}`)
        const killed = await killer.safe.command(["CLIENT", "KILL", "ID", Number(id.value)])
        if (!killed.ok) tell(killed.error.message)
        return killed.ok
      } finally {
        await killer.close()
      }
    },
    async stop() {
      if (keys.size === 0) return
      // A connection of its own: that of the tour may be anything by now.
      const cleaner = await connect()
      try {
        await cleaner.pipeline([...keys].map((key) => ["DEL", key]))
      } finally {
        await cleaner.close()
      }
    },
  }
}
