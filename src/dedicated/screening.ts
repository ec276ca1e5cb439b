/**
 * Looks at the special commands of a request before it is decided who carries it out: which are refused where callers
 * share connections, and which block. Knows no connections.
 */

import { atPlace } from "../connection/commands.ts"
import type { Request } from "../connection/request.ts"
import { commandInfo, type SessionEffectKind } from "../protocol/command-info.ts"
import { commandChecker } from "../protocol/encode.ts"

/** What is to become of a request: carried out by any connection, by one of its own, or nothing any more. */
export type Verdict = "shared" | "dedicated" | "settled"

/** For each change to a connection that is refused, what to use instead. */
export type Refusals = Partial<Readonly<Record<SessionEffectKind, string>>>

const TRANSACTION = "use transactionPipeline, or a connection of your own (checkout)"
const WATCHING = "use watch, or a connection of your own (checkout)"
const OWN = "use a connection of your own (checkout)"

/** What is refused where any of several connections may carry a command out. */
export const SHARED_REFUSALS: Refusals = {
  multi: TRANSACTION,
  exec: TRANSACTION,
  discard: TRANSACTION,
  watch: WATCHING,
  unwatch: WATCHING,
  select: `${OWN}, or the option "database"`,
  auth: `${OWN}, or the options "username" and "password"`,
  "tracking-on": OWN,
  "tracking-off": OWN,
  quit: "use close, or destroy of a checkout",
}

/**
 * Rejects the request if it holds misuse or a command that is refused; otherwise tells whether it blocks, and then its
 * terms say for how long.
 */
export function screen<Payload>(request: Request<Payload>, payload: Payload, refusals: Refusals): Verdict {
  try {
    refuseStateful(request.commandsOf(payload), refusals)
    request.encode(commandChecker, payload)
  } catch (error) {
    request.fail(error)
    return "settled"
  }
  if ((request.terms?.blockMs ?? 0) > 0) return "dedicated"
  request.terms?.forgetFindings()
  return "shared"
}

/** A whole MULTI … EXEC leaves nothing behind, and is allowed. */
function refuseStateful(commands: readonly unknown[], refusals: Refusals): void {
  if (!Array.isArray(commands)) return
  let multiAt = -1
  for (let index = 0; index < commands.length; index++) {
    const kind = effectOf(commands[index])
    if (kind === "multi" && multiAt < 0) multiAt = index
    else if (kind === "exec" && multiAt >= 0) multiAt = -1
    else if (kind !== undefined) refuseAt(commands, index, kind, refusals)
  }
  if (multiAt >= 0) refuseAt(commands, multiAt, "multi", refusals)
}

function effectOf(command: unknown): SessionEffectKind | undefined {
  if (!Array.isArray(command)) return undefined
  return commandInfo(command[0]).special?.sessionEffect?.(command)
}

function refuseAt(
  commands: readonly unknown[],
  index: number,
  kind: SessionEffectKind,
  refusals: Refusals,
): void {
  const instead = refusals[kind]
  if (instead === undefined) return
  const error = new TypeError(
    `${nameOf(commands[index], kind)} is refused where callers share connections: ${instead}`,
  )
  throw commands.length === 1 ? error : atPlace(error, index)
}

function nameOf(command: unknown, kind: SessionEffectKind): string {
  if (kind === "tracking-on" || kind === "tracking-off") return "CLIENT TRACKING"
  return Array.isArray(command) ? commandInfo(command[0]).name : ""
}
