/** Names of channels: checked, and in the form by which they are told apart. */

import { isUint8Array } from "node:util/types"
import { isAsciiText, textOf } from "../util/binary-text.ts"
import { describe } from "../util/describe.ts"

/** A name of a channel, pattern or shard channel; bytes need not be text. */
export type ChannelName = string | Uint8Array

export interface Name {
  /** The name's bytes as a binary string, one character for each byte. */
  readonly key: string
  /** The name as text: what of it is not UTF-8 is U+FFFD. */
  readonly text: string
}

/** The names of a call, each once. @throws TypeError for what is no name, or no names at all */
export function namesOf(channels: unknown): Name[] {
  const list: readonly unknown[] = Array.isArray(channels) ? channels : [channels]
  if (list.length === 0)
    throw new TypeError("at least one name of a channel must be given, got an empty array ([])")
  const names = new Map<string, Name>()
  for (const [index, channel] of list.entries()) {
    const name = nameOf(channel, index)
    names.set(name.key, name)
  }
  return [...names.values()]
}

function nameOf(channel: unknown, index: number): Name {
  if (typeof channel === "string") {
    const key = isAsciiText(channel) ? channel : Buffer.from(channel).toString("latin1")
    return { key, text: key === channel ? channel : textOf(key) }
  }
  if (isUint8Array(channel)) {
    const key = Buffer.from(channel).toString("latin1")
    return { key, text: textOf(key) }
  }
  throw new TypeError(
    `the name of a channel must be a string or a Uint8Array, got ${describe(channel)} at index ${index}`,
  )
}
