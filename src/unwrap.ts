/** Replies of a pipeline without the errors in their places. */

import { RedixError } from "./errors.ts"
import type { Unwrapped } from "./protocol/command-map.ts"

/**
 * The same replies, typed without errors; throws the first error among them instead. `null` (a transaction that was
 * not run) stays `null`.
 *
 * @example
 * const [count] = unwrap(await conn.pipeline([["INCR", key], ["EXPIRE", key, 60]])) // count: number
 */
export function unwrap<const T extends readonly unknown[] | null>(replies: T): Unwrapped<T>
export function unwrap(replies: readonly unknown[] | null): unknown {
  for (const reply of replies ?? []) if (reply instanceof RedixError) throw reply
  return replies
}
