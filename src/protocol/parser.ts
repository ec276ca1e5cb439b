/**
 * Bytes to replies, RESP2 and RESP3. Resumable: bytes may arrive cut anywhere, what was parsed is never parsed again,
 * and nothing is allocated because of a length that was merely claimed.
 * Also says where the next bytes should be put ({@link Parser.target}), so that the kernel can write a large value
 * straight to where it stays. Knows nothing of sockets, promises or clocks, nor whose reply it is parsing.
 *
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

import { isAscii } from "node:buffer"
import { ConnectionError, RedisError, RedixError, withoutStack } from "../errors.ts"
import {
  allocate,
  BLOCK_SIZE,
  type Bytes,
  borrowBlock,
  borrowLarge,
  decodeText,
  MAX_BYTES_LENGTH,
  MAX_TEXT_LENGTH,
  returnBlock,
  returnLarge,
} from "../util/bytes.ts"
import { isShortAscii, SHORT_TEXT, shortText } from "../util/short-text.ts"
import { Frame, FrameKind } from "./frame.ts"

/** What {@link Parser.next} returns while a reply is not complete. */
export const INCOMPLETE: unique symbol = Symbol("incomplete")
/** Inside of the parser: a container was opened, or an element was put into one. */
const CONTINUE: unique symbol = Symbol("continue")

/** Deeper nesting is refused: no server sends it, and what cannot recurse should not get it. */
export const MAX_DEPTH = 32_768
/** The most elements that an array of this engine can have, halved since a map has two for each entry. */
const MAX_ELEMENTS = 2 ** 31
/** A line (simple string, error, big number) longer than this is no reply. */
const MAX_LINE = 64 << 20
/** A bulk string of at least this many bytes that is cut gets memory of its own instead of waiting in the window. */
const BULK_FROM = 32_768
/** What a bulk string's memory starts with, whatever length is claimed; it grows as bytes arrive. */
const BULK_START = 1 << 20
/** An integer of up to this many digits is exact as a number. */
const SAFE_DIGITS = 15
/** No length and no 64-bit integer has more digits. */
const MAX_DIGITS = 20
/** Longer big numbers are refused: converting one takes time that grows with the square of its length. */
const MAX_BIG_NUMBER = 10_000
/** Below this, looking whether the whole window is ASCII costs more than it saves. */
const ASCII_CHECK_FROM = 256

const DOLLAR = 36
const PUSH = 62
const CR = 13
const LF = 10
const ZERO = 48
const MINUS = 45
const PLUS = 43

/** {@link Parser.#length} when the header is cut. */
const CUT = -2
/** {@link Parser.#length} of `$-1` and `*-1`. */
const NULL = -1

/** All connections read into the same block: a private one is borrowed only while a reply is cut. */
const sharedWindow = allocate(BLOCK_SIZE)
const DOUBLE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const BIG_NUMBER = /^[+-]?\d+$/

/** Reads whole messages in its own way. */
export interface WindowReader {
  /** Reads a complete message that begins at the position; returns where it ends, or -1 if there is none. */
  read(window: Bytes, position: number, end: number): number
}

export class Parser {
  /** Whether the last reply of {@link next} was an error reply at the top. */
  isError = false
  /** Whether the last reply of {@link next} was a push message (RESP3), which answers no request. */
  isPush = false
  /** Whether the last reply of {@link next} holds an error reply somewhere inside. */
  holdsErrors = false
  /** Why the last reply of {@link next}, although sound, cannot be had as text; it is `undefined` otherwise. */
  failure: RedixError | undefined

  /** How many bytes were received in all. */
  bytesReceived = 0

  readonly #resp3: boolean
  readonly #isBinary: boolean
  #window: Bytes = sharedWindow
  #position = 0
  #end = 0
  /** Whether the window is all ASCII: not looked at yet, or known. */
  #ascii: boolean | undefined
  /** How far a cut line was searched for its end, from its first byte. */
  #searched = 0

  /** Whether the reply under way is wanted as bytes. Fixed from its first byte to its last. */
  #asBytes = false
  #frame: Frame | undefined
  #depth = 0

  /** The memory of the large bulk string under way. */
  #bulk: Bytes | undefined
  #bulkFilled = 0
  #bulkLength = 0
  #bulkType = 0
  #readsIntoBulk = false

  /**
   * @param resp3 whether the types that RESP3 adds are accepted: a RESP2 connection never receives them
   * @param isBinary whether all strings become binary strings (one character for each byte), whatever is asked for
   */
  constructor(resp3: boolean, isBinary = false) {
    this.#resp3 = resp3
    this.#isBinary = isBinary
  }

  /** Whether a part of a reply has been received. */
  get hasPartial(): boolean {
    return this.#frame !== undefined || this.#bulk !== undefined || this.#position < this.#end
  }

  /** Whether what has been received of the reply under way may be the beginning of a push message. */
  get partialMayBePush(): boolean {
    if (this.#frame !== undefined) return this.isPush
    return this.#resp3 && this.#position < this.#end && this.#window[this.#position] === PUSH
  }

  /** Where the next bytes received are to be put. {@link received} must follow. */
  target(): Uint8Array {
    const bulk = this.#bulk
    if (bulk !== undefined && this.#bulkFilled < this.#bulkLength) {
      this.#readsIntoBulk = true
      return this.#bulkRoom(bulk)
    }
    this.#readsIntoBulk = false
    if (this.#position === this.#end) return this.#emptyWindow()
    return this.#windowRoom()
  }

  /** Says that `count` bytes were put into what {@link target} returned. */
  received(count: number): void {
    this.bytesReceived += count
    if (this.#readsIntoBulk) {
      this.#bulkFilled += count
    } else {
      this.#end += count
      this.#ascii = undefined
    }
  }

  /** Receives a whole chunk, and hands every reply in it to `onReply`. For what does not read from a socket. */
  push(chunk: Uint8Array, asBytes: () => boolean, onReply: (reply: unknown) => void): void {
    for (let offset = 0; offset < chunk.length; ) {
      const target = this.target()
      const part = chunk.subarray(offset, offset + target.length)
      target.set(part)
      this.received(part.length)
      offset += part.length
      for (let reply = this.next(asBytes()); reply !== INCOMPLETE; reply = this.next(asBytes()))
        onReply(reply)
    }
    // What is left of a reply is taken out of the window that all share.
    this.target()
  }

  /** Gives borrowed memory back. The parser must not be used any more. */
  release(): void {
    this.#bulk = undefined
    this.#frame = undefined
    this.#position = 0
    this.#end = 0
    this.#emptyWindow()
  }

  /**
   * The next complete reply, or {@link INCOMPLETE}. `asBytes`: strings become a `Buffer` each; looked at with the first
   * byte of a reply only.
   * @throws ConnectionError with reason `"protocol-error"` for bytes that are not RESP. The parser is useless then.
   */
  next(asBytes: boolean): unknown {
    if (this.#frame === undefined && this.#bulk === undefined) this.#begin(asBytes)
    for (;;) {
      const value = this.#bulk === undefined ? this.#nextValue() : this.#resumeBulk()
      if (value === CONTINUE) continue
      if (value === INCOMPLETE) return INCOMPLETE
      const reply = this.#frame === undefined ? value : this.#place(value)
      if (reply !== CONTINUE) return this.failure ?? reply
    }
  }

  /** Takes the message that begins at the position, if a complete one does. It is where the reader says. */
  takeMessage(reader: WindowReader): boolean {
    if (this.#frame !== undefined || this.#bulk !== undefined) return false
    const next = reader.read(this.#window, this.#position, this.#end)
    if (next < 0) return false
    this.#position = next
    return true
  }

  /** The text of bytes in the window. */
  textIn(start: number, end: number): string {
    return this.#shortTextOf(start, end)
  }

  /** A copy of bytes in the window. */
  bytesIn(start: number, end: number): Buffer {
    return copyOf(this.#window, start, end)
  }

  #nextValue(): unknown {
    const frame = this.#frame
    const isTextArray = frame !== undefined && frame.kind === FrameKind.array && !this.#asBytes
    if (isTextArray && this.#ascii === true) this.#textRun(frame)
    return this.#element()
  }

  #begin(asBytes: boolean): void {
    this.#asBytes = asBytes && !this.#isBinary
    this.isError = false
    this.isPush = false
    this.holdsErrors = false
    this.failure = undefined
  }

  /** Puts a value where it belongs; returns the reply when that completes it. */
  #place(value: unknown): unknown {
    let complete = value
    let frame = this.#frame
    while (frame !== undefined) {
      if (!frame.add(complete)) return CONTINUE
      this.#frame = frame.parent
      this.#depth--
      if (frame.kind === FrameKind.attribute) return CONTINUE
      complete = frame.value
      frame = frame.parent
    }
    return complete
  }

  /** Parses the element at the position. A cut one leaves the position where it is. */
  #element(): unknown {
    const start = this.#position
    if (start === this.#end) return INCOMPLETE
    const type = this.#window[start] ?? 0
    switch (type) {
      case DOLLAR:
        return this.#bulkString(type)
      case 43: // +
        return this.#simpleString()
      case 58: // :
        return this.#integer()
      case 42: // *
        return this.#container(FrameKind.array)
      case 45: // -
        return this.#simpleError()
      default:
        return this.#resp3Element(type)
    }
  }

  #resp3Element(type: number): unknown {
    if (this.#resp3) {
      switch (type) {
        case 95: // _
          return this.#line(nullFrom)
        case 35: // #
          return this.#line(booleanFrom)
        case 44: // ,
          return this.#line(doubleFrom)
        case 40: // (
          return this.#line(bigNumberFrom)
        case 37: // %
          return this.#container(FrameKind.map)
        case 126: // ~
          return this.#container(this.#asBytes ? FrameKind.array : FrameKind.set)
        case 124: // |
          return this.#container(FrameKind.attribute)
        case PUSH:
          return this.#push()
        case 61: // =
        case 33: // !
          return this.#bulkString(type)
      }
    }
    throw protocolError(`expected the first byte of a reply, got ${showByte(type)}`)
  }

  #push(): unknown {
    if (this.#frame !== undefined) throw protocolError("a push message inside of a reply")
    this.isPush = true
    this.#asBytes = !this.#isBinary
    const opened = this.#container(FrameKind.array)
    if (opened === null) throw protocolError("a null length where none is allowed")
    return opened
  }

  // ── lengths and integers ──────────────────────────────────────────────────────────────────────────────────────

  /** The length in the header at the position, which then stands behind it; {@link CUT} leaves it. */
  #length(): number {
    const window = this.#window
    const end = this.#end
    let at = this.#position + 1
    if (window[at] === MINUS && at < end) return this.#nullLength(at)
    let value = 0
    const first = at
    for (; at < end; at++) {
      const digit = (window[at] ?? 0) - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    if (at - first > MAX_DIGITS) throw protocolError("a length of more than 20 digits")
    if (at >= end) return CUT
    if (window[at] !== CR || at === first)
      throw protocolError(`expected a length, got ${showByte(window[at])}`)
    if (at + 1 >= end) return CUT
    if (window[at + 1] !== LF)
      throw protocolError(`expected LF after a length, got ${showByte(window[at + 1])}`)
    this.#position = at + 2
    return value
  }

  /** `-1\r\n`, the only negative length. */
  #nullLength(at: number): number {
    const window = this.#window
    const expected = [MINUS, ZERO + 1, CR, LF]
    for (let index = 0; index < expected.length; index++) {
      if (at + index >= this.#end) return CUT
      if (window[at + index] !== expected[index]) throw protocolError("a negative length other than -1")
    }
    this.#position = at + expected.length
    return NULL
  }

  #integer(): unknown {
    const window = this.#window
    const end = this.#end
    let at = this.#position + 1
    const sign = at < end ? window[at] : 0
    if (sign === MINUS || sign === PLUS) at++
    const first = at
    let value = 0
    for (; at < end; at++) {
      const digit = (window[at] ?? 0) - ZERO
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    if (at - first > MAX_DIGITS) throw protocolError("an integer of more than 20 digits")
    if (at >= end) return INCOMPLETE
    if (window[at] !== CR || at === first)
      throw protocolError(`expected an integer, got ${showByte(window[at])}`)
    if (at + 1 >= end) return INCOMPLETE
    if (window[at + 1] !== LF)
      throw protocolError(`expected LF after an integer, got ${showByte(window[at + 1])}`)
    this.#position = at + 2
    if (at - first > SAFE_DIGITS) return exactInteger(window.latin1Slice(first, at), sign === MINUS)
    // `0 - value` rather than `-value`: there is no negative zero in Redis.
    return sign === MINUS ? 0 - value : value
  }

  // ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The index of the CR that ends the line at the position, or {@link CUT}. */
  #lineEnd(): number {
    const window = this.#window
    const end = this.#end
    let at = this.#position + 1 + this.#searched
    while (at < end && window[at] !== CR) at++
    if (at - this.#position > MAX_LINE) throw protocolError("a line of more than 64 MiB")
    if (at + 1 >= end) {
      this.#searched = at - this.#position - 1
      return CUT
    }
    if (window[at + 1] !== LF)
      throw protocolError(`expected LF at the end of a line, got ${showByte(window[at + 1])}`)
    this.#searched = 0
    return at
  }

  #simpleString(): unknown {
    const end = this.#lineEnd()
    if (end === CUT) return INCOMPLETE
    const start = this.#position + 1
    this.#position = end + 2
    if (this.#wantsBytes()) return copyOf(this.#window, start, end)
    const window = this.#window
    if (end - start === 2 && window[start] === 79 && window[start + 1] === 75) return "OK"
    return this.#isBinary ? window.latin1Slice(start, end) : decodeText(window, start, end)
  }

  #simpleError(): unknown {
    const end = this.#lineEnd()
    if (end === CUT) return INCOMPLETE
    const message = decodeText(this.#window, this.#position + 1, end)
    this.#position = end + 2
    return this.#error(message)
  }

  #line(convert: (text: string) => unknown): unknown {
    const end = this.#lineEnd()
    if (end === CUT) return INCOMPLETE
    const text = this.#window.latin1Slice(this.#position + 1, end)
    this.#position = end + 2
    return convert(text)
  }

  #error(message: string): RedisError {
    if (this.#frame === undefined) this.isError = true
    else this.holdsErrors ||= !this.#frame.isInAttribute
    return withoutStack(() => new RedisError(message))
  }

  // ── bulk strings ──────────────────────────────────────────────────────────────────────────────────────────────

  #bulkString(type: number): unknown {
    const header = this.#position
    const length = this.#length()
    if (length === CUT) return INCOMPLETE
    if (length === NULL) return nullBulk(type)
    const start = this.#position
    const end = start + length
    if (end + 2 <= this.#end) {
      this.#position = end + 2
      this.#checkLineEnd(end)
      if (type === 36 && !this.#asBytes) return this.#shortText(start, end)
      return this.#bulkValue(type, this.#window, start, end)
    }
    if (length < BULK_FROM) {
      this.#position = header
      return INCOMPLETE
    }
    if (length > MAX_BYTES_LENGTH) throw protocolError(`a string of ${length} bytes`)
    this.#startBulk(type, length)
    return CONTINUE
  }

  #checkLineEnd(at: number): void {
    if (this.#window[at] !== CR || this.#window[at + 1] !== LF) {
      throw protocolError(`expected CRLF after a string, got ${showByte(this.#window[at])}`)
    }
  }

  /** The text of a bulk string that lies in the window. */
  #shortText(start: number, end: number): string {
    return this.#isBinary ? this.#binaryText(start, end) : this.#shortTextOf(start, end)
  }

  #shortTextOf(start: number, end: number): string {
    const window = this.#window
    const length = end - start
    if (this.#end >= ASCII_CHECK_FROM) this.#ascii ??= isAscii(window.subarray(0, this.#end))
    const isAllAscii = this.#ascii === true
    if (length <= SHORT_TEXT && (isAllAscii || isShortAscii(window, start, length))) {
      return shortText(window, start, length)
    }
    return isAllAscii ? window.latin1Slice(start, end) : decodeText(window, start, end)
  }

  /**
   * Takes the complete bulk strings at the position into the array under way, all but its last element: a shorter way
   * than element by element, for what most long replies are made of. Whatever it stops at is left to {@link #element}.
   */
  #textRun(frame: Frame): void {
    const window = this.#window
    const end = this.#end
    let at = this.#position
    while (frame.missing > 1 && window[at] === DOLLAR && at < end) {
      let length = 0
      let place = at + 1
      for (; place < at + 7; place++) {
        const digit = (window[place] ?? 0) - ZERO
        if (digit < 0 || digit > 9) break
        length = length * 10 + digit
      }
      const start = place + 2
      const stop = start + length
      // At least one digit and at most five: nothing longer lies in a window.
      if (place === at + 1 || place > at + 6 || stop + 2 > end) break
      if (window[place] !== CR || window[place + 1] !== LF || window[stop] !== CR || window[stop + 1] !== LF)
        break
      frame.add(length <= SHORT_TEXT ? shortText(window, start, length) : window.latin1Slice(start, stop))
      at = stop + 2
    }
    this.#position = at
  }

  #binaryText(start: number, end: number): string {
    const window = this.#window
    return end - start <= SHORT_TEXT ? shortText(window, start, end - start) : window.latin1Slice(start, end)
  }

  #bulkValue(type: number, bytes: Bytes, start: number, end: number): unknown {
    if (type === 33) return this.#error(decodeText(bytes, start, end))
    const from = type === 61 ? start + verbatimPrefix(bytes, start, end) : start
    if (!this.#wantsBytes()) return this.#textOf(bytes, from, end)
    // The window is read into again: a caller gets a copy. A bulk's own memory is the caller's.
    return bytes === this.#window ? copyOf(bytes, from, end) : bytes.subarray(from, end)
  }

  #textOf(bytes: Bytes, start: number, end: number): unknown {
    if (this.#isBinary) return bytes.latin1Slice(start, end)
    if (end - start <= MAX_TEXT_LENGTH) return decodeText(bytes, start, end)
    try {
      return bytes.utf8Slice(start, end)
    } catch (cause) {
      this.failure = new RedixError(
        `the reply holds a string of ${end - start} bytes, more than a JavaScript string can: ask for it with { encoding: "buffer" }`,
        { cause },
      )
      return null
    }
  }

  /** Whether strings here are wanted as bytes; the keys of a map never are. */
  #wantsBytes(): boolean {
    return this.#asBytes && !(this.#frame?.expectsKey ?? false)
  }

  #startBulk(type: number, length: number): void {
    const present = this.#end - this.#position
    const copied = Math.min(present, length)
    const size = Math.max(copied, Math.min(length, BULK_START))
    // A caller who wants bytes keeps this memory, one who wants text does not.
    const bulk = this.#wantsBytes() ? allocate(size) : borrowLarge(size)
    this.#window.copy(bulk, 0, this.#position, this.#position + copied)
    this.#position += copied
    this.#bulk = bulk
    this.#bulkFilled = copied
    this.#bulkLength = length
    this.#bulkType = type
  }

  #bulkRoom(bulk: Bytes): Uint8Array {
    if (this.#bulkFilled < bulk.length) {
      return bulk.subarray(this.#bulkFilled, Math.min(bulk.length, this.#bulkLength))
    }
    // The bytes that have arrived bear the claim out so far: up to fifteen times as many may follow.
    const grown = allocate(Math.min(this.#bulkLength, bulk.length * 16))
    bulk.copy(grown, 0, 0, this.#bulkFilled)
    this.#bulk = grown
    return grown.subarray(this.#bulkFilled)
  }

  #resumeBulk(): unknown {
    const bulk = this.#bulk
    if (bulk === undefined || this.#bulkFilled < this.#bulkLength) return INCOMPLETE
    if (this.#end - this.#position < 2) return INCOMPLETE
    this.#checkLineEnd(this.#position)
    this.#position += 2
    this.#bulk = undefined
    const value = this.#bulkValue(this.#bulkType, bulk, 0, this.#bulkLength)
    if (!(value instanceof Uint8Array)) returnLarge(bulk)
    return value
  }

  // ── containers ────────────────────────────────────────────────────────────────────────────────────────────────

  #container(kind: FrameKind): unknown {
    const available = this.#end - this.#position
    const count = this.#length()
    if (count === CUT) return INCOMPLETE
    if (count === NULL) {
      if (kind !== FrameKind.array) throw protocolError("a null length where none is allowed")
      return null
    }
    if (count > MAX_ELEMENTS) throw protocolError(`a container of ${count} elements`)
    if (count === 0) return kind === FrameKind.attribute ? CONTINUE : Frame.empty(kind)
    if (++this.#depth > MAX_DEPTH) throw protocolError(`replies nested deeper than ${MAX_DEPTH}`)
    this.#frame = new Frame(kind, count, available, this.#frame)
    return CONTINUE
  }

  // ── the window ────────────────────────────────────────────────────────────────────────────────────────────────

  #emptyWindow(): Bytes {
    if (this.#window !== sharedWindow) {
      if (this.#window.length === BLOCK_SIZE) returnBlock(this.#window)
      this.#window = sharedWindow
    }
    this.#position = 0
    this.#end = 0
    return sharedWindow
  }

  /** The room behind a cut element, in a window that is this parser's own. */
  #windowRoom(): Uint8Array {
    const kept = this.#end - this.#position
    let window = this.#window
    if (window === sharedWindow || this.#end === window.length) {
      const isFull = kept > window.length / 2
      const next = isFull ? allocate(window.length * 2) : window === sharedWindow ? borrowBlock() : window
      window.copy(next, 0, this.#position, this.#end)
      if (next !== window && window !== sharedWindow && window.length === BLOCK_SIZE) returnBlock(window)
      window = next
      this.#window = next
      this.#position = 0
      this.#end = kept
    }
    return window.subarray(this.#end)
  }
}

function nullBulk(type: number): null {
  if (type !== 36) throw protocolError("a null length where none is allowed")
  return null
}

/** The length of the format in front of a verbatim string, such as `txt:`. */
function verbatimPrefix(bytes: Bytes, start: number, end: number): number {
  if (end - start < 4 || bytes[start + 3] !== 58) throw protocolError("a verbatim string without its format")
  return 4
}

function copyOf(bytes: Bytes, start: number, end: number): Buffer {
  return Buffer.from(bytes.subarray(start, end))
}

function exactInteger(digits: string, isNegative: boolean): number | bigint {
  const exact = isNegative ? -BigInt(digits) : BigInt(digits)
  const value = Number(exact)
  return Number.isSafeInteger(value) ? value : exact
}

function nullFrom(text: string): null {
  if (text !== "") throw protocolError("a null with content")
  return null
}

function booleanFrom(text: string): boolean {
  if (text !== "t" && text !== "f") throw protocolError("a boolean other than t or f")
  return text === "t"
}

function doubleFrom(text: string): number {
  if (DOUBLE.test(text)) return Number(text)
  switch (text.toLowerCase()) {
    case "inf":
    case "+inf":
      return Number.POSITIVE_INFINITY
    case "-inf":
      return Number.NEGATIVE_INFINITY
    case "nan":
    case "-nan":
      return Number.NaN
    default:
      throw protocolError("a double that is no number")
  }
}

function bigNumberFrom(text: string): bigint {
  if (text.length > MAX_BIG_NUMBER) throw protocolError(`a big number of more than ${MAX_BIG_NUMBER} digits`)
  if (!BIG_NUMBER.test(text)) throw protocolError("a big number with other than digits")
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text.replace("+", ""))
}

function protocolError(what: string): ConnectionError {
  return new ConnectionError("protocol-error", `the server sent bytes that are not RESP: ${what}`, {
    outcome: "unknown",
  })
}

function showByte(byte: number | undefined): string {
  if (byte === undefined) return "nothing"
  const hex = `0x${byte.toString(16).padStart(2, "0")}`
  return byte > 32 && byte < 127 ? `"${String.fromCharCode(byte)}" (${hex})` : hex
}
