/**
 * What a stream of bytes says by the specification of RESP, with the strictness that the driver must have and with
 * a verdict on every doubt. Shares nothing with the driver; used to judge streams of which a byte was changed.
 *
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

/** A reply, in the form of `plain` in setup.ts. */
export interface Judged {
  readonly value: unknown
  /** A strict reader may refuse it, a lenient one may take it for this value. */
  readonly doubtful: boolean
}

export interface Judgement {
  readonly replies: readonly Judged[]
  /**
   * How it ends: behind the last reply; within a reply; with bytes that are certainly not RESP; or with something
   * that readers may take in different ways (a type that the server never sends to this client).
   */
  readonly end: "clean" | "incomplete" | "illegal" | "open"
}

class Incomplete extends Error {}
class Illegal extends Error {}
class Open extends Error {}

export function judge(bytes: Buffer, protocol: 2 | 3): Judgement {
  const reader = new Reader(bytes, protocol)
  const replies: Judged[] = []
  try {
    while (reader.offset < bytes.length) {
      reader.doubtful = false
      const value = reader.read()
      replies.push({ value, doubtful: reader.doubtful })
    }
    return { replies, end: "clean" }
  } catch (error) {
    if (error instanceof Incomplete) return { replies, end: "incomplete" }
    if (error instanceof Illegal) return { replies, end: "illegal" }
    if (error instanceof Open) return { replies, end: "open" }
    throw error
  }
}

class Reader {
  offset = 0
  doubtful = false
  readonly #bytes: Buffer
  readonly #protocol: 2 | 3

  constructor(bytes: Buffer, protocol: 2 | 3) {
    this.#bytes = bytes
    this.#protocol = protocol
  }

  read(): unknown {
    const code = this.#bytes[this.offset]
    if (code === undefined) throw new Incomplete()
    const type = String.fromCharCode(code)
    if ("_#,(=!~%|>;.".includes(type) && this.#protocol === 2) throw new Open()
    if ("|>;.".includes(type)) throw new Open()
    if (!"+-:$*_#,(=!~%".includes(type)) throw new Illegal()
    this.offset += 1
    const line = this.#line()
    switch (type) {
      case "+":
        return this.#text(line)
      case "-":
        return { error: this.#text(line) }
      case ":":
        return this.#integer(line)
      case "_":
        if (line !== "") throw new Open()
        return null
      case "#":
        if (line !== "t" && line !== "f") throw new Illegal()
        return line === "t"
      case ",":
        return this.#double(line)
      case "(":
        return { bigint: `${BigInt(this.#digits(line))}` }
      case "$":
        return this.#bulk(line)
      case "=": {
        const content = this.#bulk(line)
        if (typeof content !== "string" || !content.startsWith("txt:")) throw new Open()
        return content.slice(4)
      }
      case "!": {
        const content = this.#bulk(line)
        if (typeof content !== "string") throw new Open()
        return { error: content }
      }
      case "*":
        return this.#items(line, 1)
      case "~": {
        const items = this.#items(line, 1)
        if (!items || new Set(items.map((item) => JSON.stringify(item))).size < items.length) throw new Open()
        return { set: items }
      }
      default:
        return this.#map(line)
    }
  }

  /** Up to the next CRLF, one character for each byte. */
  #line(): string {
    const end = this.#bytes.indexOf("\r\n", this.offset, "latin1")
    if (end < 0) throw new Incomplete()
    const line = this.#bytes.toString("latin1", this.offset, end)
    this.offset = end + 2
    return line
  }

  #text(line: string): string {
    if (/[\r\n]/.test(line)) this.doubtful = true
    return Buffer.from(line, "latin1").toString()
  }

  #integer(line: string): unknown {
    const value = Number(this.#digits(line))
    if (!Number.isSafeInteger(value)) throw new Open()
    return value
  }

  /** Decimal digits; a plus, leading zeros and the like are a matter of taste. */
  #digits(line: string): string {
    if (!/^[-+]?[0-9]+$/.test(line)) throw new Illegal()
    if (!/^(0|-?[1-9][0-9]*)$/.test(line)) this.doubtful = true
    return line.replace("+", "")
  }

  #double(line: string): number {
    if (line === "inf" || line === "-inf") return line === "inf" ? Infinity : -Infinity
    if (!/^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/.test(line))
      throw /^[-+.0-9eEinfa]*$/i.test(line) ? new Open() : new Illegal()
    return Number(line)
  }

  /** A length; -1 is a null of RESP2. */
  #length(line: string): number | undefined {
    if (line === "-1") return undefined
    if (!/^[0-9]+$/.test(line)) throw /^[-+]0+$|^\+[0-9]+$/.test(line) ? new Open() : new Illegal()
    if (!/^(0|[1-9][0-9]*)$/.test(line)) this.doubtful = true
    return Number(line)
  }

  #bulk(line: string): string | null {
    const length = this.#length(line)
    if (length === undefined) return null
    const end = this.offset + length
    if (this.#bytes.length < end + 2) throw new Incomplete()
    if (this.#bytes.toString("latin1", end, end + 2) !== "\r\n") throw new Illegal()
    const content = this.#bytes.toString("utf8", this.offset, end)
    this.offset = end + 2
    return content
  }

  #items(line: string, each: number): unknown[] | null {
    const length = this.#length(line)
    if (length === undefined) return null
    const items: unknown[] = []
    for (let index = 0; index < length * each; index++) items.push(this.read())
    return items
  }

  #map(line: string): unknown {
    const items = this.#items(line, 2)
    if (!items) throw new Open()
    const entries = items.flatMap((item, index) => (index % 2 === 0 ? [[item, items[index + 1]]] : []))
    const keys = entries.map(([key]) => key)
    if (keys.some((key) => typeof key !== "string") || new Set(keys).size < keys.length) throw new Open()
    return { map: entries }
  }
}
