/**
 * What names in received bytes stand for: found by the bytes themselves, without making a string of them. Knows neither
 * the wire nor what is kept; what a name stands for that was not seen before, its user works out.
 *
 * A name has two slots by its hash, and the last two that came are the ones kept there. Bytes are compared four at a time,
 * those of all names kept lying in one place: with many names, what costs is not the comparing but getting at memory.
 */

import type { Bytes } from "../util/bytes.ts"

const FEWEST_SLOTS = 64
const MOST_SLOTS = 4096
/** Longer names are made anew each time. */
const LONGEST_NAME = 128
const WORD = 4
/** A name of n bytes has n / 4 whole words and its last four bytes. */
const MOST_WORDS = LONGEST_NAME / WORD + 1
/** There is room for names of about 30 bytes; where they are longer, fewer are kept. */
const WORDS_PER_SLOT = 8
const FREE = -1
/** The golden ratio, as it is used for hashing by multiplication. */
const MULTIPLIER = 0x9e3779b1 | 0

export class NameTable<T> {
  #slots = 0
  #values: Array<T | undefined> = []
  /** For each slot: where the name's words begin, and how many bytes it has. */
  #starts = new Int32Array(0)
  #lengths = new Int32Array(0)
  #words = new Int32Array(0)
  #wordsUsed = 0
  #kept = 0

  /** What is kept for the name in these bytes. At least four bytes must lie before it, the same for the same name. */
  find(view: DataView, start: number, end: number): T | undefined {
    const length = end - start
    if (length > LONGEST_NAME || this.#slots === 0) return undefined
    const slot = this.#hash(view, start, end) & (this.#slots - 1)
    if (this.#lengths[slot] === length && this.#isAt(view, start, end, this.#starts[slot] ?? 0))
      return this.#values[slot]
    const other = slot ^ 1
    if (this.#lengths[other] === length && this.#isAt(view, start, end, this.#starts[other] ?? 0))
      return this.#values[other]
    return undefined
  }

  /** Keeps what the name stands for that {@link find} has just not found. */
  keep(view: DataView, start: number, end: number, value: T): void {
    const length = end - start
    if (length > LONGEST_NAME) return
    this.#makeRoom()
    const slot = this.#freeSlot(this.#hash(view, start, end) & (this.#slots - 1))
    this.#values[slot] = value
    this.#starts[slot] = this.#wordsUsed
    this.#lengths[slot] = length
    for (let at = start; at + WORD <= end; at += WORD) this.#words[this.#wordsUsed++] = view.getInt32(at)
    this.#words[this.#wordsUsed++] = view.getInt32(end - WORD)
  }

  #makeRoom(): void {
    const isFull = this.#wordsUsed + MOST_WORDS > this.#words.length
    const isCrowded = ++this.#kept * 2 > this.#slots
    if ((isFull || isCrowded) && this.#slots < MOST_SLOTS) this.#grow()
    else if (isFull) this.#clear()
  }

  /** One of the two slots of a hash: a free one, or that of the name which has been there for longer. */
  #freeSlot(slot: number): number {
    const other = slot ^ 1
    if (this.#lengths[slot] === FREE) return slot
    if (this.#lengths[other] === FREE) return other
    return (this.#starts[slot] ?? 0) < (this.#starts[other] ?? 0) ? slot : other
  }

  #hash(view: DataView, start: number, end: number): number {
    let hash = view.getInt32(end - WORD)
    for (let at = start; at + WORD < end; at += WORD) {
      hash = Math.imul(hash, MULTIPLIER)
      hash = hash ^ (hash >>> 15) ^ view.getInt32(at)
    }
    hash = Math.imul(hash, MULTIPLIER)
    return hash ^ (hash >>> 15)
  }

  #isAt(view: DataView, start: number, end: number, place: number): boolean {
    const words = this.#words
    let word = place
    for (let at = start; at + WORD <= end; at += WORD) if (view.getInt32(at) !== words[word++]) return false
    return view.getInt32(end - WORD) === words[word]
  }

  #grow(): void {
    this.#slots = Math.max(FEWEST_SLOTS, this.#slots * 4)
    this.#starts = new Int32Array(this.#slots)
    this.#lengths = new Int32Array(this.#slots)
    this.#words = new Int32Array(this.#slots * WORDS_PER_SLOT)
    this.#clear()
  }

  #clear(): void {
    this.#kept = 0
    this.#wordsUsed = 0
    this.#lengths.fill(FREE)
    this.#values = new Array<T | undefined>(this.#slots)
  }
}

/** A view of the window's bytes, as {@link NameTable} reads them. */
export function viewOf(window: Bytes): DataView {
  return new DataView(window.buffer, window.byteOffset, window.byteLength)
}
