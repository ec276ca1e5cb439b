/**
 * Messages of Pub/Sub, recognised by their bytes: nearly all that a subscriber receives looks the same. Knows the form of
 * a complete message; whatever looks different is left to the parser.
 *
 * Source: https://redis.io/docs/latest/develop/pubsub/#format-of-pushed-messages
 */

import type { Bytes } from "../util/bytes.ts"

/** The beginnings of messages after their first byte, in the order of their kinds: channel, pattern, shard channel. */
const BEGINNINGS: ReadonlyArray<Uint8Array> = [
  Buffer.from("3\r\n$7\r\nmessage\r\n"),
  Buffer.from("4\r\n$8\r\npmessage\r\n"),
  Buffer.from("3\r\n$8\r\nsmessage\r\n"),
]
const PATTERN_KIND = 1

const CR = 13
const LF = 10
const DOLLAR = 36
const ASTERISK = 42
const GREATER = 62
const ZERO = 48

/** How many names are kept as strings: the same name is then the same string, which is found again at once. */
const NAME_SLOTS = 4096
/** Longer names are made anew each time. */
const LONGEST_NAME = 128

export class MessageReader {
  /** Of the last message: the index of its kind. */
  kind = 0
  /** Of the last message: what it was subscribed by, as a binary string. */
  key = ""
  /** Of the last message, if it came by a pattern: the channel, as a binary string. */
  channel = ""
  /** Of the last message: where its payload begins and ends in the window. */
  payloadStart = 0
  payloadEnd = 0

  readonly #first: number
  readonly #names: string[] = []
  /** Behind what {@link #string} has read. */
  #next = 0
  #start = 0
  #end = 0

  constructor(resp3: boolean) {
    this.#first = resp3 ? GREATER : ASTERISK
  }

  /** Reads a complete message that begins at the position; returns where it ends, or -1 if there is none. */
  read(window: Bytes, position: number, end: number): number {
    if (window[position] !== this.#first) return -1
    const kind = this.#kindAt(window, position + 1, end)
    const beginning = BEGINNINGS[kind]
    if (beginning === undefined || !this.#string(window, position + 1 + beginning.length, end)) return -1
    const key = this.#name(window)
    let channel = ""
    if (kind === PATTERN_KIND) {
      if (!this.#string(window, this.#next, end)) return -1
      channel = this.#name(window)
    }
    if (!this.#string(window, this.#next, end)) return -1
    this.kind = kind
    this.key = key
    this.channel = channel
    this.payloadStart = this.#start
    this.payloadEnd = this.#end
    return this.#next
  }

  #kindAt(window: Bytes, position: number, end: number): number {
    // The first of them is told from the others by the length of its word, the second by that of its array.
    const kind = window[position + 4] === 55 ? 0 : window[position] === 52 ? PATTERN_KIND : 2
    const beginning = BEGINNINGS[kind]
    if (beginning === undefined || position + beginning.length > end) return -1
    for (let index = 0; index < beginning.length; index++) {
      if (window[position + index] !== beginning[index]) return -1
    }
    return kind
  }

  /** Reads a complete bulk string; whether there is one. */
  #string(window: Bytes, position: number, end: number): boolean {
    if (window[position] !== DOLLAR) return false
    let at = position + 1
    let length = 0
    for (; at < position + 7; at++) {
      const digit = (window[at] ?? 0) - ZERO
      if (digit < 0 || digit > 9) break
      length = length * 10 + digit
    }
    const start = at + 2
    const stop = start + length
    if (at === position + 1 || stop + 2 > end) return false
    if (window[at] !== CR || window[at + 1] !== LF || window[stop] !== CR || window[stop + 1] !== LF)
      return false
    this.#start = start
    this.#end = stop
    this.#next = stop + 2
    return true
  }

  /** The string just read as a name: the one that was made of the same bytes before, if it is still kept. */
  #name(window: Bytes): string {
    const start = this.#start
    const length = this.#end - start
    if (length > LONGEST_NAME) return window.latin1Slice(start, this.#end)
    // Names mostly differ at their ends. That it is the same one is found out below.
    const end = this.#end
    const last = ((window[end - 1] ?? 0) * 31 + (window[end - 2] ?? 0)) * 31 + (window[end - 3] ?? 0)
    const slot =
      ((last * 31 + (window[end - 4] ?? 0)) * 31 + (window[start] ?? 0) + length) & (NAME_SLOTS - 1)
    const known = this.#names[slot]
    if (known !== undefined && known.length === length && isAt(window, start, known)) return known
    const name = window.latin1Slice(start, this.#end)
    this.#names[slot] = name
    return name
  }
}

function isAt(window: Bytes, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (window[start + index] !== text.charCodeAt(index)) return false
  }
  return true
}
