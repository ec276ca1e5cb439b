/** What the parser's tests share: reading the way a socket reads, and everything that came out of it. */
import assert from "node:assert/strict"
import { ConnectionError } from "../../src/errors.ts"
import { INCOMPLETE, Parser } from "../../src/protocol/parser.ts"

/** One reply, and what the parser says of it. */
export interface Read {
  readonly value: unknown
  readonly isError: boolean
  readonly isPush: boolean
  readonly holdsErrors: boolean
}

/** Whether the reply with this number is wanted as bytes. */
export type Modes = (index: number) => boolean

/** Reads as a socket of Node.js does: what comes next goes where the parser said right after the last read. */
export class Reader {
  readonly parser: Parser
  readonly reads: Read[] = []
  readonly #asBytes: Modes
  #target: Uint8Array

  constructor(resp3: boolean, asBytes: Modes = () => false) {
    this.parser = new Parser(resp3)
    this.#asBytes = asBytes
    this.#target = this.parser.target()
  }

  get values(): unknown[] {
    return this.reads.map(({ value }) => value)
  }

  read(chunk: Uint8Array): this {
    for (let offset = 0; offset < chunk.length; ) {
      const part = chunk.subarray(offset, offset + this.#target.length)
      this.#target.set(part)
      this.parser.received(part.length)
      offset += part.length
      this.#takeReplies()
      this.#target = this.parser.target()
      assert.ok(this.#target.length > 0, "there is room for the next read")
    }
    return this
  }

  #takeReplies(): void {
    const { parser } = this
    for (;;) {
      const value = parser.next(this.#asBytes(this.reads.length))
      if (value === INCOMPLETE) return
      const { isError, isPush, holdsErrors } = parser
      this.reads.push({ value, isError, isPush, holdsErrors })
    }
  }
}

/** Latin-1 text, one character for each byte of the wire, as bytes. */
export function wire(literal: string | Uint8Array): Buffer {
  return typeof literal === "string" ? Buffer.from(literal, "latin1") : Buffer.from(literal)
}

/** The values of the bytes, which end with a whole reply. */
export function valuesOf(bytes: Uint8Array, resp3: boolean, asBytes: Modes = () => false): unknown[] {
  return new Reader(resp3, asBytes).read(bytes).values
}

/** The bytes in pieces that end at the given offsets. */
export function cutAt(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const ends = [...new Set(offsets), bytes.length].filter((end) => end > 0 && end <= bytes.length)
  const sorted = [...new Set(ends)].sort((a, b) => a - b)
  return sorted.map((end, index) => bytes.subarray(sorted[index - 1] ?? 0, end))
}

/** The bytes one by one. */
export function eachByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, index) => bytes.subarray(index, index + 1))
}

/** What became of pieces that may not be RESP: the replies up to the error, and the error if there was one. */
export interface Verdict {
  readonly values: unknown[]
  readonly error: ConnectionError | undefined
}

/** Reads pieces that may not be RESP. Any error but a protocol error fails the test. */
export function verdictOn(pieces: readonly Uint8Array[], resp3: boolean, asBytes?: Modes): Verdict {
  const reader = new Reader(resp3, asBytes)
  try {
    for (const piece of pieces) reader.read(piece)
  } catch (error) {
    if (!(error instanceof ConnectionError) || error.reason !== "protocol-error") throw error
    return { values: reader.values, error }
  }
  return { values: reader.values, error: undefined }
}
