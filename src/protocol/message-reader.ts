/**
 * Messages of Pub/Sub, recognised by their bytes: nearly all that a subscriber receives looks the same. Knows the form of
 * a complete message; whatever looks different is left to the parser, and what a name stands for to its owner.
 *
 * Source: https://redis.io/docs/latest/develop/pubsub/#format-of-pushed-messages
 */

import { textOf } from "../util/binary-text.ts"
import type { Bytes } from "../util/bytes.ts"
import { NameTable, viewOf } from "./name-table.ts"

/** Who knows what messages are for. */
export interface MessageOwner<T> {
  /** What the name, a binary string, stands for in messages of the kind; `undefined` if they are for nobody. */
  topicOf(kind: number, name: string): T | undefined
  /** Whether what the name stood for when it was looked up is not that any more. */
  isGone(topic: T): boolean
}

/** The beginnings of messages after their first byte, in the order of their kinds: channel, pattern, shard channel. */
const BEGINNINGS = ["3\r\n$7\r\nmessage\r\n", "4\r\n$8\r\npmessage\r\n", "3\r\n$8\r\nsmessage\r\n"].map(
  (text) => {
    const bytes = Buffer.from(text)
    return {
      length: bytes.length,
      first: bytes.readInt32BE(0),
      second: bytes.readInt32BE(4),
      third: bytes.readInt32BE(8),
      fourth: bytes.readInt32BE(12),
    }
  },
)
const PATTERN_KIND = 1

const CR = 13
const LF = 10
const DOLLAR = 36
const ASTERISK = 42
const GREATER = 62
const ZERO = 48

const NO_BYTES = new DataView(new ArrayBuffer(0))

export class MessageReader<T> {
  /** Of the last message: what it was subscribed by. */
  topic: T | undefined
  /** Of the last message, if it came by a pattern: the channel, as text. */
  channel = ""
  /** Of the last message: where its payload begins and ends in the window. */
  payloadStart = 0
  payloadEnd = 0

  readonly #owner: MessageOwner<T>
  readonly #first: number
  readonly #topics: ReadonlyArray<NameTable<T>> = BEGINNINGS.map(() => new NameTable())
  readonly #channels = new NameTable<string>()
  #window: Bytes | undefined
  #view: DataView = NO_BYTES
  /** Where the string that {@link #string} has read begins and ends. */
  #start = 0
  #end = 0

  constructor(resp3: boolean, owner: MessageOwner<T>) {
    this.#first = resp3 ? GREATER : ASTERISK
    this.#owner = owner
  }

  /** Reads a complete message that begins at the position; returns where it ends, or -1 if there is none. */
  read(window: Bytes, position: number, end: number): number {
    if (window[position] !== this.#first) return -1
    if (window !== this.#window) this.#look(window)
    const kind = this.#kindAt(position + 1, end)
    const beginning = BEGINNINGS[kind]
    if (beginning === undefined) return -1
    let next = this.#string(window, position + 1 + beginning.length, end)
    if (next < 0) return -1
    const nameStart = this.#start
    const nameEnd = this.#end
    if (kind === PATTERN_KIND) {
      next = this.#string(window, next, end)
      if (next < 0) return -1
      this.channel = this.#channelAt(window, this.#start, this.#end)
    }
    next = this.#string(window, next, end)
    if (next < 0) return -1
    this.topic = this.#topicAt(window, kind, nameStart, nameEnd)
    this.payloadStart = this.#start
    this.payloadEnd = this.#end
    return next
  }

  #look(window: Bytes): void {
    this.#window = window
    this.#view = viewOf(window)
  }

  #kindAt(position: number, end: number): number {
    const view = this.#view
    if (position + 17 > end) return -1
    const second = view.getInt32(position + 4)
    for (let kind = 0; kind < BEGINNINGS.length; kind++) {
      const beginning = BEGINNINGS[kind]
      if (beginning === undefined || second !== beginning.second) continue
      const isIt =
        view.getInt32(position) === beginning.first &&
        view.getInt32(position + 8) === beginning.third &&
        view.getInt32(position + 12) === beginning.fourth &&
        view.getUint8(position + beginning.length - 1) === LF
      return isIt ? kind : -1
    }
    return -1
  }

  /** Reads a complete bulk string; returns where what follows begins, or -1. */
  #string(window: Bytes, position: number, end: number): number {
    if (window[position] !== DOLLAR) return -1
    let at = position + 1
    let length = 0
    for (; at < position + 7; at++) {
      const digit = (window[at] ?? 0) - ZERO
      if (digit < 0 || digit > 9) break
      length = length * 10 + digit
    }
    const start = at + 2
    const stop = start + length
    if (at === position + 1 || stop + 2 > end) return -1
    if (window[at] !== CR || window[at + 1] !== LF || window[stop] !== CR || window[stop + 1] !== LF)
      return -1
    this.#start = start
    this.#end = stop
    return stop + 2
  }

  #topicAt(window: Bytes, kind: number, start: number, end: number): T | undefined {
    const table = this.#topics[kind]
    const known = table?.find(this.#view, start, end)
    if (known !== undefined && !this.#owner.isGone(known)) return known
    const topic = this.#owner.topicOf(kind, window.latin1Slice(start, end))
    if (topic !== undefined) table?.keep(this.#view, start, end, topic)
    return topic
  }

  #channelAt(window: Bytes, start: number, end: number): string {
    const known = this.#channels.find(this.#view, start, end)
    if (known !== undefined) return known
    const channel = textOf(window.latin1Slice(start, end))
    this.#channels.keep(this.#view, start, end, channel)
    return channel
  }
}
