/** Replies as text: for people, as JSON, or as they are. Knows nothing of where they come from and where they go. */

import { isUtf8 } from "node:buffer"
import { isUint8Array } from "node:util/types"
import { RedixError } from "../index.ts"
import type { CommandFacts } from "./catalogue.ts"
import { harmless, harmlessLine, inPieces, quote } from "./quote.ts"
import type { Paint } from "./terminal.ts"

export type Format = "pretty" | "json" | "raw"

/** Commands whose reply is a text of several lines for people. */
const TEXTS = new Set([
  "CLIENT INFO",
  "CLIENT LIST",
  "CLUSTER INFO",
  "CLUSTER NODES",
  "INFO",
  "LATENCY DOCTOR",
  "LATENCY GRAPH",
  "LOLWUT",
  "MEMORY DOCTOR",
  "MEMORY MALLOC-STATS",
])

/** Replies that are no data; the driver gives them as strings, as it does data. */
const WORDS = new Set(["OK", "QUEUED", "PONG"])

/** Lines for a person: types can be seen, and nothing in them does anything to the terminal. */
export function pretty(reply: unknown, paint: Paint, command?: CommandFacts): string {
  const printer = new Printer(paint, command?.repliesDoubles ?? false)
  const bytes = isText(reply) ? reply : undefined
  if (bytes !== undefined) {
    if (command !== undefined && TEXTS.has(command.name)) return harmless(bytes).trimEnd()
    const word = Buffer.from(bytes).toString()
    const isWord = word === "QUEUED" || command?.repliesWord || command?.name === "PING"
    if (isWord && WORDS.has(word)) return paint.green(word)
  }
  // Under `encoding: "buffer"` a set comes as an array.
  const value = command?.repliesSet && Array.isArray(reply) ? new Set(reply) : reply
  return printer.lines(value).join("\n")
}

class Printer {
  readonly #paint: Paint
  readonly #doubles: boolean

  constructor(paint: Paint, doubles: boolean) {
    this.#paint = paint
    this.#doubles = doubles
  }

  lines(value: unknown): string[] {
    if (value instanceof RedixError) return [this.#paint.red(`(error) ${harmlessLine(value.message)}`)]
    if (isText(value)) return [this.#paint.green(quote(value))]
    if (Array.isArray(value)) return this.#list(value, ")", "(empty array)")
    if (value instanceof Set) return this.#list([...value], "~", "(empty set)")
    if (value instanceof Map) return this.#map(value)
    return [this.#scalar(value)]
  }

  #scalar(value: unknown): string {
    if (value === null || value === undefined) return this.#paint.dim("(nil)")
    if (typeof value === "boolean") return this.#paint.yellow(`(${value})`)
    if (typeof value === "bigint") return `${this.#type("integer")} ${this.#paint.yellow(`${value}`)}`
    if (typeof value !== "number") return String(value)
    const type = this.#doubles || !Number.isInteger(value) ? "double" : "integer"
    return `${this.#type(type)} ${this.#paint.yellow(numberText(value))}`
  }

  #type(name: string): string {
    return this.#paint.dim(`(${name})`)
  }

  #list(items: readonly unknown[], mark: string, empty: string): string[] {
    if (items.length === 0) return [this.#paint.dim(empty)]
    const digits = `${items.length}`.length
    return items.flatMap((item, index) => {
      const label = `${`${index + 1}`.padStart(digits)}${mark} `
      return this.lines(item).map(
        (line, at) => (at === 0 ? this.#paint.dim(label) : " ".repeat(label.length)) + line,
      )
    })
  }

  #map(map: ReadonlyMap<unknown, unknown>): string[] {
    if (map.size === 0) return [this.#paint.dim("(empty map)")]
    const digits = `${map.size}`.length
    return [...map].flatMap(([key, value], index) => {
      const label = `${`${index + 1}`.padStart(digits)}# `
      const indent = " ".repeat(label.length)
      const head = `${this.#paint.dim(label)}${this.lines(key).join(" ")} ${this.#paint.dim("=>")}`
      const [first = "", ...rest] = this.lines(value)
      if (rest.length === 0) return [`${head} ${first}`]
      return [head, ...[first, ...rest].map((line) => `${indent}${line}`)]
    })
  }
}

/** The bytes as they came; each element of what has elements in a line of its own. */
export function raw(reply: unknown): Buffer {
  return Buffer.concat(
    elementsOf(reply).flatMap((value, index) =>
      index === 0 ? [rawScalar(value)] : [NEWLINE, rawScalar(value)],
    ),
  )
}

const NEWLINE = Buffer.from("\n")

function elementsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(elementsOf)
  if (value instanceof Set) return [...value].flatMap(elementsOf)
  if (value instanceof Map) return [...value].flat().flatMap(elementsOf)
  return [value]
}

function rawScalar(value: unknown): Buffer {
  if (isUint8Array(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (value === null || value === undefined) return Buffer.alloc(0)
  if (value instanceof RedixError) return Buffer.from(value.message)
  return Buffer.from(typeof value === "number" ? numberText(value) : String(value))
}

/**
 * JSON: a map is an object, a set an array, an error `{ "error": … }`. Bytes that are no text become
 * `{ "base64": … }`, and numbers keep all of their digits.
 */
export function json(reply: unknown, indent: number = 0): string {
  return jsonOf(reply, indent, "\n")
}

function jsonOf(value: unknown, indent: number, line: string): string {
  const inner = `${line}${" ".repeat(indent)}`
  const block = (open: string, close: string, items: readonly string[]) => {
    if (items.length === 0) return open + close
    return indent === 0
      ? `${open}${items.join(",")}${close}`
      : `${open}${inner}${items.join(`,${inner}`)}${line}${close}`
  }
  const nested = (item: unknown) => jsonOf(item, indent, inner)
  const entry = (key: unknown, item: unknown) =>
    `${jsonText(keyText(key))}:${indent === 0 ? "" : " "}${nested(item)}`
  if (value === null || value === undefined) return "null"
  if (typeof value === "boolean" || typeof value === "bigint") return `${value}`
  if (typeof value === "number")
    return Number.isFinite(value) ? JSON.stringify(value) : jsonText(numberText(value))
  if (isUint8Array(value)) {
    const bytes = Buffer.from(value)
    return isUtf8(value) ? jsonText(bytes.toString()) : nested({ base64: bytes.toString("base64") })
  }
  if (Array.isArray(value)) return block("[", "]", value.map(nested))
  if (value instanceof Set) return block("[", "]", [...value].map(nested))
  if (value instanceof Map)
    return block(
      "{",
      "}",
      [...value].map(([key, item]) => entry(key, item)),
    )
  if (value instanceof RedixError) return nested({ error: value.message })
  if (typeof value === "object") {
    return block(
      "{",
      "}",
      Object.entries(value).map(([key, item]) => entry(key, item)),
    )
  }
  return jsonText(String(value))
}

/** What does something to a terminal, as C1 controls and marks of direction do, is escaped, as JSON does with others. */
function jsonText(text: string): string {
  return inPieces(JSON.stringify(text), (piece) =>
    piece.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
      character.split("").map(unicodeEscape).join(""),
    ),
  )
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
}

/** Names of fields are text; keys that are none are told apart by what they would be as values. */
function keyText(key: unknown): string {
  if (typeof key === "string") return key
  if (isUint8Array(key)) return isUtf8(key) ? Buffer.from(key).toString() : quote(key)
  return key !== null && typeof key === "object" ? jsonOf(key, 0, "") : String(key)
}

function isText(value: unknown): value is string | Uint8Array {
  return typeof value === "string" || isUint8Array(value)
}

/** As the server writes it: without an exponent where it has none, and `inf`. */
function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "inf"
  if (value === Number.NEGATIVE_INFINITY) return "-inf"
  return Number.isNaN(value) ? "nan" : `${value}`
}
