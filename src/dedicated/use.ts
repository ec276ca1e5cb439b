/**
 * What is done with a checkout from its beginning to its end: a callback, and optimistic locking. Knows only how to get
 * a checkout; leaves to that which server it leads to.
 */

import { ConnectionError } from "../errors.ts"
import type { Protocol, WatchOptions } from "../options.ts"
import type { Command, PipelineReplies } from "../protocol/command-map.ts"
import { commandChecker } from "../protocol/encode.ts"
import type { Argument } from "../protocol/types.ts"
import type { Checkout } from "./checkout.ts"

/** Checks a connection out. */
export type Acquire<P extends Protocol> = () => Promise<Checkout<P>>

/** A key, or several. */
export type WatchedKeys = Argument | readonly Argument[]

/** What is done with the connection on which the keys are watched: the commands of the transaction, or `null` for none. */
export type WatchCallback<P extends Protocol, Cs extends readonly Command[]> = (
  conn: Checkout<P>,
) => Cs | null | PromiseLike<Cs | null>

const DEFAULT_RETRIES = 10

/** Calls `callback` with a checkout, and gives that back whatever happens; resolves to what the callback returns. */
export async function use<P extends Protocol, T>(
  acquire: Acquire<P>,
  callback: (conn: Checkout<P>) => T | PromiseLike<T>,
): Promise<T> {
  checkCallback(callback)
  const conn = await acquire()
  try {
    return await callback(conn)
  } finally {
    await conn.release()
  }
}

/** Why a round came to nothing and may be tried again. */
class Lost {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/**
 * Watches keys, asks `callback` for commands and carries them out if no key has changed meanwhile, otherwise begins anew.
 * Resolves to the replies of EXEC, or to `null`: the callback returned that, or a key has changed each time.
 */
export async function watch<P extends Protocol, const Cs extends readonly Command[]>(
  acquire: Acquire<P>,
  keys: WatchedKeys,
  callback: WatchCallback<P, Cs>,
  { retries = DEFAULT_RETRIES, signal }: WatchOptions,
): Promise<PipelineReplies<Cs, P> | null> {
  checkCallback(callback)
  const command = watchCommand(keys)
  // Misuse is told before anything is waited for.
  commandChecker.command(command)
  for (let left = retries; ; left--) {
    const result = await use(acquire, (conn) => round(conn, command, callback, signal))
    if (result === "given up") return null
    if (result instanceof Lost) {
      if (left <= 0) throw result.error
    } else if (result !== null || left <= 0) return result
    signal?.throwIfAborted()
  }
}

/** The replies; `null` where a key has changed. */
async function round<P extends Protocol, const Cs extends readonly Command[]>(
  conn: Checkout<P>,
  command: readonly Argument[],
  callback: WatchCallback<P, Cs>,
  signal: AbortSignal | undefined,
): Promise<PipelineReplies<Cs, P> | null | "given up" | Lost> {
  const watched = await conn.command(command, { signal }).catch(lost)
  if (watched instanceof Lost) return watched
  const commands = await callback(conn)
  // The connection is given back right after this, and what is watched is unwatched then.
  if (commands === null) return "given up"
  return conn.transactionPipeline(commands, { signal }).catch(lost)
}

/** The connection dropped, and surely nothing has happened yet. */
function lost(error: unknown): Lost {
  const isLost =
    error instanceof ConnectionError &&
    error.outcome === "not-sent" &&
    (error.reason === "disconnected" || error.reason === "closed")
  if (isLost) return new Lost(error)
  throw error
}

function watchCommand(keys: WatchedKeys): readonly Argument[] {
  if (!isKeys(keys)) return ["WATCH", keys]
  if (keys.length === 0)
    throw new TypeError("there must be at least one key to watch, got an empty array ([])")
  return ["WATCH", ...keys]
}

function isKeys(keys: WatchedKeys): keys is readonly Argument[] {
  return Array.isArray(keys)
}

function checkCallback(callback: unknown): void {
  if (typeof callback !== "function") throw new TypeError("the callback must be a function")
}
