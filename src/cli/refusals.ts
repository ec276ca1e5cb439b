/** What cannot be sent from here, and what means less in a cluster than it seems to. Knows nothing of how it is shown. */

import { findCommand } from "./catalogue.ts"
import type { Statement } from "./words.ts"

type Words = readonly (string | Uint8Array)[]

const ONE_NODE = "connect to one node, without --cluster"
const TRANSACTION = "a transaction is sent as a whole, from MULTI to EXEC"

/** What belongs to one connection: in a cluster there is one to each node, and the driver chooses. */
const OF_A_CONNECTION: ReadonlyMap<string, string> = new Map([
  ["MULTI", TRANSACTION],
  ["EXEC", TRANSACTION],
  ["DISCARD", TRANSACTION],
  ["WATCH", ONE_NODE],
  ["UNWATCH", ONE_NODE],
  ["SELECT", "there is the database 0 only"],
  ["AUTH", "use --user and --askpass, which hold for all nodes"],
  ["CLIENT TRACKING", ONE_NODE],
  ["ASKING", "redirections are followed without it"],
  ["READONLY", ONE_NODE],
  ["READWRITE", ONE_NODE],
  ["QUIT", "Ctrl-D leaves"],
  ["SCAN", `its cursors are those of one node: ${ONE_NODE}, at each of them`],
])

/** Without a key they are carried out by some node, and what they say or do is of that one. */
const OF_ONE_NODE: ReadonlySet<string> = new Set([
  "ACL DELUSER",
  "ACL SETUSER",
  "BGREWRITEAOF",
  "BGSAVE",
  "CLIENT KILL",
  "CLIENT LIST",
  "CONFIG RESETSTAT",
  "CONFIG SET",
  "DBSIZE",
  "FLUSHALL",
  "FLUSHDB",
  "FUNCTION DELETE",
  "FUNCTION FLUSH",
  "FUNCTION LOAD",
  "FUNCTION RESTORE",
  "INFO",
  "KEYS",
  "MONITOR",
  "RANDOMKEY",
  "SAVE",
  "SCRIPT FLUSH",
  "SCRIPT LOAD",
  "SHUTDOWN",
  "SLOWLOG GET",
  "SLOWLOG LEN",
  "SLOWLOG RESET",
])

/** Why these words cannot be sent, and what to do instead; `undefined` if they can. */
export function refusalOf(words: Words, isCluster: boolean): string | undefined {
  const command = findCommand(words)
  if (command === undefined) return undefined
  const { name } = command
  const instead = isCluster ? OF_A_CONNECTION.get(name) : undefined
  if (instead !== undefined) return `${name} in a cluster: ${instead}`
  if (!command.isRefused) return undefined
  if (/SUBSCRIBE$/.test(name))
    return `${name}: use redix subscribe, with --exact for names and --shard for shard channels`
  if (name === "HELLO") return "HELLO: use --protocol, --user and --askpass"
  return `${name} cannot be sent by this tool: it would change what the connection is`
}

/** Whether the command, in a cluster, concerns but one of its nodes. */
export function isOfOneNode(words: Words): boolean {
  return OF_ONE_NODE.has(findCommand(words)?.name ?? "")
}

/** Why these commands, from MULTI to EXEC, cannot be sent to a cluster as they stand; `undefined` if they can. */
export function transactionProblem(statements: readonly Statement[]): string | undefined {
  const inner = statements.slice(1, -1)
  const last = findCommand(statements.at(-1)?.words ?? [])?.name
  if (statements.length < 2 || last !== "EXEC") return "MULTI has no EXEC"
  for (const { words } of inner) {
    const refusal = refusalOf(words, true)
    if (refusal !== undefined) return `between MULTI and EXEC: ${refusal}`
  }
  return undefined
}

/** The same of all transactions among the commands. */
export function transactionsProblem(statements: readonly Statement[]): string | undefined {
  const nameAt = (at: number) => findCommand(statements[at]?.words ?? [])?.name
  for (let at = 0; at < statements.length; at++) {
    if (nameAt(at) === "EXEC") return "EXEC has no MULTI before it"
    if (nameAt(at) !== "MULTI") continue
    const from = at
    while (at < statements.length - 1 && nameAt(at) !== "EXEC") at++
    const problem = transactionProblem(statements.slice(from, at + 1))
    if (problem !== undefined) return problem
  }
  return undefined
}
