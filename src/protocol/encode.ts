/**
 * Commands to bytes (RESP arrays of bulk strings), and the one check of a command's arguments.
 * Knows the block that it writes into; leaves to others when the bytes are written, to what, and who waits for them.
 *
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#sending-commands-to-a-redis-server
 */

import { isUint8Array } from "node:util/types"
import {
  asBytes,
  BLOCK_SIZE,
  type Bytes,
  borrowBlock,
  borrowLarge,
  returnBlock,
  returnLarge,
  viewOf,
} from "../util/bytes.ts"
import { describe } from "../util/describe.ts"
import { textOfNumber } from "./number-text.ts"

/** Up to this many characters, a loop over the characters is faster than a call into the engine. */
const LOOP_UP_TO = 32
/** From here on, a string's bytes are counted before it is written instead of assuming three for each character. */
const COUNT_FROM = 4_096
/** Text of at least this many characters is encoded into memory of its own: three times as many bytes fit a block. */
const PIECE_FROM = 16_384
/** Arguments of at least this many bytes go to the socket as they are, instead of being copied into the block. */
const REFERENCE_FROM = 8_192
/** A block with less room than this left is not kept for later commands. */
const LEAST_REMAINDER = 16_384
/** Room for `*<count>\r\n` or `$<length>\r\n`. */
const HEADER_ROOM = 24

const ASTERISK = 42
const DOLLAR = 36
const CR = 13
const LF = 10
const ZERO = 48
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
const NOTHING = new DataView(new ArrayBuffer(0))

/** What takes the commands of a request. */
export interface CommandSink {
  /** @throws TypeError naming the argument that is no {@link Argument} */
  command(command: readonly unknown[]): void
  /** Takes bytes that are a command already. */
  raw(bytes: Uint8Array): void
  /** The same as {@link command} for one whose first arguments are bytes already. */
  opened(opening: CommandOpening, command: readonly unknown[]): void
}

/** The bytes of a command as far as its first arguments. */
export interface CommandOpening {
  /** The bytes, {@link OPENING_SIZE} at most and all of them ASCII, so that no eight of them are `NaN`. */
  readonly words: Float64Array
  /** How many bytes there are. */
  size: number
  /** How many arguments they are, the name of the command included. */
  readonly count: number
  /** How many arguments they say that the command has. */
  total: number
}

/** Room for three lengths and two short texts. */
export const OPENING_SIZE = 128

/** Only checks commands: for requests that will be refused whatever they are. */
export const commandChecker: CommandSink = {
  command(command) {
    for (const [index, argument] of command.entries()) {
      if (typeof argument === "string" || isUint8Array(argument)) continue
      if (typeof argument === "number") numberText(argument, command, index)
      else otherText(argument, command, index)
    }
  },
  raw() {},
  opened(_opening, command) {
    this.command(command)
  },
}

/**
 * Encodes commands one after the other into borrowed blocks, until {@link take} hands the bytes over.
 *
 * The bytes not yet taken are a sequence of pieces: earlier pieces in {@link #pieces}, the last one being what lies in
 * the block between {@link #start} and {@link #end}.
 */
export class Encoder implements CommandSink {
  /** How many bytes are encoded and not yet taken. */
  size = 0

  #block: Bytes | undefined
  /** The same block; made when it is first needed. */
  #view: DataView | undefined
  #start = 0
  #end = 0
  #pieces: Uint8Array[] = []
  /** Blocks that are full, for {@link recycle} to give back. */
  #fullBlocks: Bytes[] | undefined
  /** Borrowed memory of large texts among the pieces, and where among the bytes each begins. */
  #largeTexts: Array<{ readonly memory: Bytes; readonly offset: number }> | undefined
  /** The same of pieces that were taken. */
  #takenTexts: Bytes[] | undefined

  /**
   * Encodes one command.
   * @throws TypeError naming the argument that is no {@link Argument}; what was encoded of the command before that is
   * the caller's to {@link rewind}.
   */
  command(command: readonly unknown[]): void {
    const count = command.length
    const before = this.#reserve(HEADER_ROOM)
    this.#header(ASTERISK, count)
    this.size += this.#end - before
    this.#arguments(command, 0, count)
  }

  /** Encodes those of the arguments that are between the two places. */
  #arguments(command: readonly unknown[], from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const argument = command[index]
      if (typeof argument === "string") this.#text(argument)
      else if (typeof argument === "number") this.#text(numberText(argument, command, index))
      else if (isUint8Array(argument)) this.#bytes(argument)
      else this.#text(otherText(argument, command, index))
    }
  }

  /**
   * The same for a command whose first arguments are bytes already. They are copied eight at a time, and what is copied
   * beyond them is written over.
   */
  opened({ words, size, count, total }: CommandOpening, command: readonly unknown[]): void {
    const before = this.#reserve(OPENING_SIZE)
    const view = this.#viewOfBlock()
    for (let offset = 0; offset < size; offset += 8)
      view.setFloat64(before + offset, words[offset >> 3] ?? 0, IS_LITTLE_ENDIAN)
    this.#end = before + size
    this.size += size
    this.#arguments(command, count, total)
  }

  /** Encodes bytes that are a command already. */
  raw(bytes: Uint8Array): void {
    this.#copy(bytes)
  }

  /** Forgets everything that was encoded after the moment when {@link size} was `size`. */
  rewind(size: number): void {
    let surplus = this.size - size
    this.size = size
    const inBlock = Math.min(surplus, this.#end - this.#start)
    this.#end -= inBlock
    surplus -= inBlock
    while (surplus > 0) {
      const last = this.#pieces.pop()
      if (last === undefined) break
      if (last.length > surplus) this.#pieces.push(last.subarray(0, last.length - surplus))
      surplus -= Math.min(surplus, last.length)
    }
    this.#returnTextsFrom(size)
    // In a block that begins with what nobody took, nothing is left to read.
    if (size === 0 && this.#start === 0) this.recycle()
  }

  #returnTextsFrom(offset: number): void {
    const texts = this.#largeTexts
    for (let last = texts?.at(-1); last !== undefined && last.offset >= offset; last = texts?.at(-1)) {
      returnLarge(last.memory)
      texts?.pop()
    }
  }

  /**
   * Takes all the bytes, in pieces. The memory of the pieces is the encoder's: {@link recycle} or {@link abandon} must
   * follow before the next command.
   */
  take(): Uint8Array[] {
    const pieces = this.#pieces
    this.#closePiece()
    this.#pieces = []
    this.size = 0
    if (this.#largeTexts !== undefined) {
      this.#takenTexts = [...(this.#takenTexts ?? []), ...this.#largeTexts.map(({ memory }) => memory)]
      this.#largeTexts = undefined
    }
    return pieces
  }

  /** After {@link take}: nobody reads the blocks any more, they are free for the next user. */
  recycle(): void {
    for (const block of this.#fullBlocks ?? []) returnBlock(block)
    if (this.#block !== undefined) returnBlock(this.#block)
    this.#forgetBlocks()
  }

  /** Nobody reads any piece any more that was taken by now, however long ago. */
  onTakenWritten(): void {
    for (const text of this.#takenTexts ?? []) returnLarge(text)
    this.#takenTexts = undefined
  }

  /** After {@link take}: the pieces are still read. What is left of the block goes on being written to. */
  abandon(): void {
    if (this.#end + LEAST_REMAINDER > BLOCK_SIZE) this.#forgetBlocks()
    else this.#fullBlocks = undefined
  }

  #forgetBlocks(): void {
    this.#block = undefined
    this.#view = undefined
    this.#start = 0
    this.#end = 0
    this.#fullBlocks = undefined
  }

  /** Forgets all bytes that were not taken. What was taken is read by nobody any more. */
  clear(): void {
    this.take()
    this.recycle()
    this.onTakenWritten()
  }

  /**
   * Keeps only the given ranges of the bytes not yet taken, as offsets from the first of them: `[from, to, from, to, …]`
   * in ascending order.
   */
  keep(ranges: readonly number[]): void {
    const pieces = this.#takeForGood()
    let index = 0
    let offset = 0
    for (const piece of pieces) {
      const end = offset + piece.length
      for (; index < ranges.length && (ranges[index] ?? 0) < end; index += 2) {
        const to = ranges[index + 1] ?? 0
        this.#addPiece(piece, Math.max((ranges[index] ?? 0) - offset, 0), Math.min(to, end) - offset)
        if (to > end) break
      }
      offset = end
    }
  }

  /** Takes the first `size` bytes only. The rest stays, in memory that is never recycled. */
  takeFirst(size: number): Uint8Array[] {
    this.#closePiece()
    this.#forgetBlocks()
    this.#largeTexts = undefined
    const first: Uint8Array[] = []
    let missing = size
    let count = 0
    for (const piece of this.#pieces) {
      if (missing < piece.length) break
      missing -= piece.length
      first.push(piece)
      count++
    }
    this.#pieces.splice(0, count)
    const cut = this.#pieces[0]
    if (missing > 0 && cut !== undefined) {
      first.push(cut.subarray(0, missing))
      this.#pieces[0] = cut.subarray(missing)
    }
    this.size -= size
    return first
  }

  /** Takes all pieces; their memory is left to the garbage collector. */
  #takeForGood(): Uint8Array[] {
    const pieces = this.take()
    this.#forgetBlocks()
    this.#takenTexts = undefined
    return pieces
  }

  #addPiece(piece: Uint8Array, from: number, to: number): void {
    if (from >= to) return
    this.#pieces.push(piece.subarray(from, to))
    this.size += to - from
  }

  /** Makes sure that `room` bytes (at most a block) can be written at the returned place. */
  #reserve(room: number): number {
    if (this.#block === undefined) {
      this.#block = borrowBlock()
      this.#view = undefined
    } else if (this.#end + room > BLOCK_SIZE) {
      this.#closePiece()
      this.#fullBlocks ??= []
      this.#fullBlocks.push(this.#block)
      this.#block = borrowBlock()
      this.#view = undefined
      this.#start = 0
      this.#end = 0
    }
    return this.#end
  }

  #viewOfBlock(): DataView {
    this.#view ??= this.#block === undefined ? NOTHING : viewOf(this.#block)
    return this.#view
  }

  #closePiece(): void {
    if (this.#block === undefined || this.#start === this.#end) return
    this.#pieces.push(this.#block.subarray(this.#start, this.#end))
    this.#start = this.#end
  }

  /** Writes `<type><number>\r\n`; the room is reserved. */
  #header(type: number, value: number): void {
    const block = this.#block
    if (block === undefined) return
    let end = this.#end
    block[end++] = type
    if (value < 10) {
      block[end++] = ZERO + value
    } else {
      end += digitCount(value)
      let rest = value
      for (let at = end - 1; rest > 0; at--) {
        const quotient = Math.floor(rest / 10)
        block[at] = ZERO + rest - quotient * 10
        rest = quotient
      }
    }
    block[end++] = CR
    block[end++] = LF
    this.#end = end
  }

  #lineEnd(): void {
    const block = this.#block
    if (block === undefined) return
    block[this.#end++] = CR
    block[this.#end++] = LF
  }

  #text(text: string): void {
    if (text.length > LOOP_UP_TO) this.#longText(text)
    else if (!this.#shortAscii(text)) this.#utf8(text)
  }

  /** Writes a short text byte by byte; `false`, with nothing written, when it is not ASCII. */
  #shortAscii(text: string): boolean {
    const length = text.length
    const before = this.#reserve(HEADER_ROOM + LOOP_UP_TO)
    const block = this.#block
    if (block === undefined) return false
    let end = before
    block[end++] = DOLLAR
    if (length < 10) {
      block[end++] = ZERO + length
    } else {
      const tens = (length * 205) >> 11
      block[end++] = ZERO + tens
      block[end++] = ZERO + length - tens * 10
    }
    block[end++] = CR
    block[end++] = LF
    let allBits = 0
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      allBits |= code
      block[end++] = code
    }
    if (allBits > 127) return false
    block[end++] = CR
    block[end++] = LF
    this.#end = end
    this.size += end - before
    return true
  }

  #longText(text: string): void {
    if (text.length < COUNT_FROM) this.#utf8(text)
    else if (text.length < PIECE_FROM) this.#countedText(text)
    else this.#largeText(text)
  }

  /**
   * Encodes long text into memory of its own. It is taken to be ASCII at first: counting its bytes takes as long as
   * writing them. Were it not, it would fill more than the room of an ASCII text, whose last three bytes no character
   * can leave free.
   */
  #largeText(text: string): void {
    let memory = borrowLarge(text.length + 4)
    let length = memory.utf8Write(text, 0, text.length + 4)
    if (length > text.length) {
      returnLarge(memory)
      length = Buffer.byteLength(text)
      memory = borrowLarge(length)
      memory.utf8Write(text, 0, length)
    }
    this.#largeTexts ??= []
    this.#largeTexts.push({ memory, offset: this.size })
    this.#piece(memory.subarray(0, length))
  }

  #countedText(text: string): void {
    const length = Buffer.byteLength(text)
    const before = this.#reserve(HEADER_ROOM)
    this.#header(DOLLAR, length)
    this.size += this.#end - before
    this.#copyText(text, length)
  }

  #copyText(text: string, length: number): void {
    this.#reserve(length + 2)
    this.#block?.utf8Write(text, this.#end)
    this.#end += length
    this.#lineEnd()
    this.size += length + 2
  }

  /**
   * Writes text before its length is known: at the place where it goes if it is ASCII. If it is not, and its length has
   * more digits than assumed, it is moved by the difference.
   */
  #utf8(text: string): void {
    const assumed = text.length
    const before = this.#reserve(HEADER_ROOM + 3 * assumed)
    const block = this.#block
    if (block === undefined) return
    const body = before + 3 + digitCount(assumed)
    const length = block.utf8Write(text, body)
    if (length !== assumed) {
      const shift = digitCount(length) - digitCount(assumed)
      if (shift > 0) block.copyWithin(body + shift, body, body + length)
    }
    this.#header(DOLLAR, length)
    this.#end += length
    this.#lineEnd()
    this.size += this.#end - before
  }

  #bytes(bytes: Uint8Array): void {
    if (bytes.length >= REFERENCE_FROM) {
      this.#piece(bytes)
      return
    }
    const before = this.#reserve(HEADER_ROOM)
    this.#header(DOLLAR, bytes.length)
    this.size += this.#end - before
    this.#copy(bytes)
    this.#reserve(2)
    this.#lineEnd()
    this.size += 2
  }

  #copy(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#block?.set(bytes, this.#end)
    this.#end += bytes.length
    this.size += bytes.length
  }

  /** Adds bytes as a piece of their own, between a header and a line end. */
  #piece(bytes: Uint8Array): void {
    const before = this.#reserve(HEADER_ROOM)
    this.#header(DOLLAR, bytes.length)
    this.size += this.#end - before + bytes.length + 2
    this.#closePiece()
    this.#pieces.push(bytes)
    this.#reserve(2)
    this.#lineEnd()
  }
}

/** The bytes of commands that do not change, such as `MULTI`. */
export function encodeOnce(...commands: ReadonlyArray<readonly string[]>): Bytes {
  const encoder = new Encoder()
  for (const command of commands) encoder.command(command)
  const bytes = asBytes(Buffer.concat(encoder.take()))
  encoder.recycle()
  return bytes
}

function digitCount(value: number): number {
  if (value < 10) return 1
  if (value < 100) return 2
  if (value < 1_000) return 3
  if (value < 10_000) return 4
  return String(value).length
}

function numberText(value: number, command: readonly unknown[], index: number): string {
  if (Number.isNaN(value)) throw badArgument(command, index, "NaN")
  return textOfNumber(value)
}

function otherText(argument: unknown, command: readonly unknown[], index: number): string {
  if (typeof argument === "bigint") return String(argument)
  throw badArgument(command, index, describe(argument))
}

function badArgument(command: readonly unknown[], index: number, got: string): TypeError {
  return new TypeError(
    `${commandLabel(command)}: argument ${index} must be a string, a number, a bigint or a Uint8Array, got ${got}`,
  )
}

/** A command for error messages: by its name only, since its arguments may be secrets. */
export function commandLabel(command: readonly unknown[]): string {
  const [first] = command
  const name = isUint8Array(first) ? Buffer.from(first).toString("latin1") : first
  return typeof name === "string" && /^[\w.-]{1,64}$/.test(name) ? `command ${name.toUpperCase()}` : "command"
}
