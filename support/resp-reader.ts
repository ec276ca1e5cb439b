/**
 * An incremental RESP2 parser that shares nothing with the driver, so that neither can hide a mistake of the
 * other. Knows the bytes only; who sent them is the business of its callers.
 */

/** An error reply is a value here: it may be an item of an array. */
export type RespValue = string | number | null | Error | RespValue[]

export interface RespReaderOptions {
  encoding: BufferEncoding
  /** Whether a line without a type is an inline command, read as an array of words. */
  inline?: boolean
}

/** An array that is not complete yet. */
interface OpenArray {
  readonly items: RespValue[]
  readonly size: number
}

export class RespReader {
  readonly #options: RespReaderOptions
  #chunks: Buffer[] = []
  #length = 0
  /** With fewer bytes than this nothing new is complete. Saves joining the pieces of a big bulk again and again. */
  #needed = 1
  #open: OpenArray[] = []

  constructor(options: RespReaderOptions) {
    this.#options = options
  }

  /** Takes the next bytes; returns the values that they complete. */
  push(chunk: Buffer): RespValue[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#length < this.#needed) return []

    const bytes = Buffer.concat(this.#chunks)
    const complete: RespValue[] = []
    let offset = 0
    for (;;) {
      const next = this.#readItem(bytes, offset, complete)
      if (next === undefined) break
      offset = next
    }
    const rest = bytes.subarray(offset)
    this.#chunks = [rest]
    this.#length = rest.length
    return complete
  }

  /** Reads one value or array header; returns the offset behind it, or `undefined` if bytes are missing. */
  #readItem(bytes: Buffer, offset: number, complete: RespValue[]): number | undefined {
    const lineEnd = bytes.indexOf("\r\n", offset, "latin1")
    if (lineEnd < 0) {
      this.#needed = bytes.length - offset + 1
      return undefined
    }
    const type = String.fromCharCode(bytes[offset] as number)
    const line = bytes.toString(this.#options.encoding, offset + 1, lineEnd)
    const bodyStart = lineEnd + 2
    const size = Number(line)

    if (type === "$" && size >= 0) {
      const bodyEnd = bodyStart + size
      if (bytes.length < bodyEnd + 2) {
        this.#needed = bodyEnd + 2 - offset
        return undefined
      }
      this.#close(bytes.toString(this.#options.encoding, bodyStart, bodyEnd), complete)
      return bodyEnd + 2
    }
    if (type === "*" && size > 0) this.#open.push({ items: [], size })
    else this.#close(this.#lineValue(type, line, size), complete)
    return bodyStart
  }

  #lineValue(type: string, line: string, size: number): RespValue {
    if (type === "+") return line
    if (type === "-") return new Error(line)
    if (type === ":") return size
    if (type === "*" || type === "$") return type === "*" && size === 0 ? [] : null
    if (this.#options.inline && this.#open.length === 0) return `${type}${line}`.trim().split(/\s+/)
    throw new Error(`not RESP2: ${JSON.stringify(type + line)}`)
  }

  /** Puts a value into its place: into the innermost open array, and that, once full, into the next. */
  #close(value: RespValue, complete: RespValue[]): void {
    let closed = value
    for (;;) {
      const parent = this.#open.at(-1)
      if (!parent) {
        complete.push(closed)
        return
      }
      parent.items.push(closed)
      if (parent.items.length < parent.size) return
      this.#open.pop()
      closed = parent.items
    }
  }
}
