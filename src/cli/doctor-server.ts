/** A server as it describes itself: user and permissions, version, memory, persistence, clients, clock. */

import type { Connection } from "./connect.ts"
import { explain } from "./explain.ts"
import type { Findings } from "./findings.ts"
import { mapFields, numberField } from "./info.ts"
import { duration, grouped, longDuration } from "./terminal.ts"

type Info = ReadonlyMap<string, string>

/** Clocks that differ by more make times in keys and logs wrong. */
const CLOCK_MS = 1000

export async function examineServer(
  conn: Connection,
  info: Info,
  findings: Findings,
  infoError: Error | undefined,
): Promise<void> {
  await examineUser(conn, findings)
  if (infoError) {
    findings.problem("server", explain(infoError).problem, "let the user have INFO: ACL SETUSER … +info")
  } else {
    describeServer(info, findings)
    examineMemory(info, findings)
    examinePersistence(info, findings)
    examineClients(info, findings)
  }
  await examineClock(conn, findings)
}

async function examineUser(conn: Connection, findings: Findings): Promise<void> {
  const who = await conn.safe.command(["ACL", "WHOAMI"])
  if (!who.ok) {
    // Before version 6 there are no users, and without permission there is no knowing.
    findings.skip("user", explain(who.error).problem)
    return
  }
  const name = String(who.value)
  const reply = await conn.safe.command(["ACL", "GETUSER", name])
  if (!reply.ok) {
    findings.ok("user", `${name}; what it may do only an administrator can see`)
    return
  }
  const user = mapFields(reply.value)
  const flags = listOf(user.get("flags"))
  const commands = String(user.get("commands") ?? "")
  const keys = wordsOf(user.get("keys"))
  const channels = wordsOf(user.get("channels"))
  const text = `${name}: commands ${commands || "none"}; keys ${keys || "none"}; channels ${channels || "none"}`
  if (flags.includes("nopass") && name === "default") {
    findings.warn(
      "user",
      `${text}; no password`,
      "whoever reaches the port may do all that: set requirepass, or an ACL",
    )
  } else {
    findings.ok("user", text)
  }
}

function describeServer(info: Info, findings: Findings): void {
  const valkey = info.get("valkey_version")
  const version = valkey ?? info.get("redis_version") ?? "of an unknown version"
  const mode = info.get("server_mode") ?? info.get("redis_mode") ?? "standalone"
  const uptime = numberField(info, "uptime_in_seconds")
  const since = uptime === undefined ? "" : `, up for ${longDuration(uptime * 1000)}`
  const text = `${valkey === undefined ? "Redis" : "Valkey"} ${version}, ${mode}${since}`
  if (mode === "sentinel") {
    findings.warn(
      "server",
      text,
      "a sentinel has no data: --sentinel HOST:PORT and --group find the server that has",
    )
  } else if (info.get("loading") === "1")
    findings.problem("server", `${text}, loading its data`, "wait until it is done")
  else findings.ok("server", text)
}

function examineMemory(info: Info, findings: Findings): void {
  const used = numberField(info, "used_memory")
  if (used === undefined) return
  const most = numberField(info, "maxmemory") ?? 0
  const policy = info.get("maxmemory_policy") ?? "noeviction"
  const text = `${bytes(used)} used${most > 0 ? ` of ${bytes(most)}` : ", no limit"}, ${policy}`
  if (most > 0 && used > 0.9 * most && policy === "noeviction") {
    findings.warn(
      "memory",
      text,
      "writes will soon be refused: raise maxmemory, or choose a policy that evicts",
    )
  } else {
    findings.ok("memory", text)
  }
}

function examinePersistence(info: Info, findings: Findings): void {
  const snapshot = info.get("rdb_last_bgsave_status")
  const log = info.get("aof_enabled") === "1" ? info.get("aof_last_write_status") : undefined
  if (snapshot === undefined) return
  if (snapshot !== "ok") {
    findings.problem("persistence", "the last snapshot failed", "see the server's log; is its disk full?")
  } else if (log !== undefined && log !== "ok") {
    findings.problem("persistence", "the last write to the append-only file failed", "see the server's log")
  } else {
    const changes = numberField(info, "rdb_changes_since_last_save") ?? 0
    const kind = log === undefined ? "snapshots only" : "append-only file"
    findings.ok("persistence", `${kind}, ${grouped(changes)} changes since the last snapshot`)
  }
}

function examineClients(info: Info, findings: Findings): void {
  const clients = numberField(info, "connected_clients")
  if (clients === undefined) return
  const most = numberField(info, "maxclients")
  const blocked = numberField(info, "blocked_clients") ?? 0
  const rejected = numberField(info, "rejected_connections") ?? 0
  const text = `${grouped(clients)} connected${most === undefined ? "" : ` of ${grouped(most)}`}, ${grouped(blocked)} blocked, ${grouped(rejected)} rejected since the start`
  if (most !== undefined && clients > 0.9 * most) {
    findings.warn("clients", text, "new ones will soon be refused: see CLIENT LIST, or raise maxclients")
  } else {
    findings.ok("clients", text)
  }
}

async function examineClock(conn: Connection, findings: Findings): Promise<void> {
  const askedAt = Date.now()
  const reply = await conn.safe.command(["TIME"])
  if (!reply.ok) {
    findings.skip("clock", explain(reply.error).problem)
    return
  }
  const [seconds, microseconds] = Array.isArray(reply.value) ? reply.value.map(Number) : []
  const theirs = (seconds ?? 0) * 1000 + (microseconds ?? 0) / 1000
  const ours = (askedAt + Date.now()) / 2
  const apart = theirs - ours
  const text = `the server's is ${duration(Math.abs(apart))} ${apart < 0 ? "behind" : "ahead of"} this machine's`
  if (Math.abs(apart) <= CLOCK_MS) findings.ok("clock", text)
  else findings.warn("clock", text, "set the clocks by NTP: EXPIREAT and times in keys go by the server's")
}

function listOf(value: unknown): string[] {
  if (value instanceof Set) return [...value].map(String)
  return Array.isArray(value) ? value.map(String) : []
}

/** Before version 7 these are lists. */
function wordsOf(value: unknown): string {
  return typeof value === "string" ? value : listOf(value).join(" ")
}

function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"]
  let value = count
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
