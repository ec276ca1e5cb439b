/**
 * The opening of a command: its bytes up to its key, and the slot of that. Both are found in one pass, since reading the
 * characters of a key costs more than all that is done with them. For the usual command, whose key is its first argument,
 * and short; leaves all others, and what follows the key, to those who look more closely.
 *
 * There is one at a time, written and used within one call. The name of a command is written once for many alike.
 */

import type { CommandInfo } from "../protocol/command-info.ts"
import { firstKeyPlace } from "../protocol/command-keys.ts"
import { type CommandOpening, OPENING_SIZE } from "../protocol/encode.ts"
import { UNKNOWN } from "./routing.ts"
import { afterOne, afterTwo, slotOf, slotOfCrc } from "./slots.ts"

/** Longer texts are faster written by the engine. */
const MOST_CHARACTERS = 32
/** As many as two digits can say. */
const MOST_ARGUMENTS = 99

// Not those of encode.ts: an imported constant is looked up each time.
const ASTERISK = 42
const DOLLAR = 36
const BRACE = 123
const CR = 13
const LF = 10
const ZERO = 48

const words = new Float64Array(OPENING_SIZE / 8)
const bytes = new Uint8Array(words.buffer)

/** What {@link openCommand} has written last. */
export const opening: CommandOpening = { words, size: 0, count: 2, total: 0 }

/** Whose command the name at the start of {@link bytes} is, how many arguments it says, and where it ends. */
let openedInfo: CommandInfo | undefined
let openedTotal = 0
let afterName = 0
/** Who is to take the opening. */
let owner: unknown

/**
 * Writes {@link opening}; returns the slot of the key, or {@link UNKNOWN} for a command that is not usual.
 * @param name that of the command, read once: read anew, it may be another one, and is then written for others too
 * @param info what is known of the command by its name
 */
export function openCommand(name: unknown, command: readonly unknown[], info: CommandInfo): number {
  // Read before anything is written: what a caller's array does when it is read may be another call, which writes as well.
  const total = command.length
  const key = command[1]
  owner = undefined
  if ((info !== openedInfo || total !== openedTotal) && !openName(name, info, total)) return UNKNOWN
  if (typeof key !== "string" || key.length > MOST_CHARACTERS) return UNKNOWN
  const start = lengthInto(afterName, DOLLAR, key.length)
  opening.size = start + key.length + 2
  return keyInto(start, key)
}

/** The same for {@link takeOpening}. */
export function openCommandOf(
  request: object,
  name: unknown,
  command: readonly unknown[],
  info: CommandInfo,
): number {
  const slot = openCommand(name, command, info)
  if (slot !== UNKNOWN) owner = request
  return slot
}

/** The opening of the request's command, once, if it is the one that was written last. */
export function takeOpening(request: object): CommandOpening | undefined {
  if (owner !== request) return undefined
  owner = undefined
  return opening
}

/** Whether the command can be usual; writes its name then. */
function openName(name: unknown, info: CommandInfo, total: number): boolean {
  openedInfo = undefined
  const isUsual =
    info.special === undefined && firstKeyPlace(info) === 1 && total > 1 && total <= MOST_ARGUMENTS
  if (!isUsual || typeof name !== "string" || name.length > MOST_CHARACTERS) return false
  afterName = nameInto(lengthInto(0, ASTERISK, total), name)
  openedInfo = info
  openedTotal = total
  opening.total = total
  return true
}

/** A name that is known is ASCII. */
function nameInto(start: number, name: string): number {
  let end = lengthInto(start, DOLLAR, name.length)
  for (let index = 0; index < name.length; index++) bytes[end++] = name.charCodeAt(index)
  return lineEndInto(end)
}

/** Writes the key, two characters at a time; returns its slot, or {@link UNKNOWN} if it is not ASCII. */
function keyInto(start: number, key: string): number {
  const { length } = key
  let end = start
  let crc = 0
  let isTagged = false
  let index = 0
  for (; index + 1 < length; index += 2) {
    const code = key.charCodeAt(index)
    const next = key.charCodeAt(index + 1)
    if ((code | next) > 127) return UNKNOWN
    if (code === BRACE || next === BRACE) isTagged = true
    bytes[end++] = code
    bytes[end++] = next
    crc = afterTwo(crc, code, next)
  }
  if (index < length) {
    const code = key.charCodeAt(index)
    if (code > 127) return UNKNOWN
    bytes[end++] = code
    crc = afterOne(crc, code)
  }
  lineEndInto(end)
  return isTagged ? slotOf(key) : slotOfCrc(crc)
}

/** Writes `<type><length>\r\n` for a length of at most two digits; returns where it ends. */
function lengthInto(start: number, type: number, length: number): number {
  let end = start
  bytes[end++] = type
  if (length < 10) {
    bytes[end++] = ZERO + length
  } else {
    const tens = (length * 205) >> 11
    bytes[end++] = ZERO + tens
    bytes[end++] = ZERO + length - tens * 10
  }
  return lineEndInto(end)
}

function lineEndInto(start: number): number {
  bytes[start] = CR
  bytes[start + 1] = LF
  return start + 2
}
