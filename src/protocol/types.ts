/** The words that commands and replies are made of. Types only. */

import type { RedisError } from "../errors.ts"

/** One argument of a command. A `Buffer` is a `Uint8Array`. */
export type Argument = string | number | bigint | Uint8Array

/**
 * Any reply. Strings are `string`, or `Buffer` with `{ encoding: "buffer" }`; integers are `number`, or `bigint` where
 * a number would lose digits. Booleans, maps, sets and (as `number`) doubles come with `protocol: 3` only.
 */
export type Reply =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | RedisError
  | Reply[]
  | Map<Reply, Reply>
  | Set<Reply>
