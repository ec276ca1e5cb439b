/**
 * Makes a connection that a caller has used as if it were new, where that can be told for sure. Knows what undoes what;
 * leaves to others what becomes of a connection that is not clean.
 */

import type { Connection } from "../connection/connection.ts"
import { PipelineRequest } from "../connection/pipeline-request.ts"
import { RequestTerms } from "../connection/request.ts"
import type { Leftovers } from "../connection/session.ts"
import { RedisError } from "../errors.ts"

/** Not a user's, so it does not count for the limit of those. */
class CleaningRequest extends PipelineRequest {
  override get isOverhead(): boolean {
    return true
  }
}

/**
 * Waits for the replies in flight, then undoes what is left; whether the connection is clean then. What blocks is not
 * waited for. Takes `timeout` ms at most, and never rejects.
 *
 * @param database the one that the connection is to be in
 */
export async function clean(connection: Connection, database: number, timeout: number): Promise<boolean> {
  if (connection.status !== "connected" || connection.isBlocked) return false
  const until = performance.now() + timeout
  try {
    // Replies come in order: when this one is there, all are.
    if (connection.load > 0) await ask(connection, [["PING"]], until)
    const commands = undoing(connection.leftovers, database)
    if (commands === undefined) return false
    if (commands.length === 0) return true
    const replies = await ask(connection, commands, until)
    return !replies.some((reply) => reply instanceof RedisError)
  } catch {
    return false
  }
}

/** The commands that undo it; `undefined` if nothing does. */
function undoing(leftovers: Leftovers, database: number): string[][] | undefined {
  if (leftovers.isLasting) return undefined
  const commands: string[][] = []
  if (leftovers.isMultiOpen) commands.push(["DISCARD"])
  else if (leftovers.isWatching) commands.push(["UNWATCH"])
  if (leftovers.hasSelected) commands.push(["SELECT", String(database)])
  return commands
}

function ask(connection: Connection, commands: string[][], until: number): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const request = new CleaningRequest(resolve, reject, false)
    request.terms = new RequestTerms(request, Math.max(until - performance.now(), 0), undefined)
    connection.submit(request, commands)
  })
}
