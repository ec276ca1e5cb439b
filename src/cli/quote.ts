/**
 * Bytes as text that a person can read and this tool can read back, as redis-cli writes it. Knows nothing of replies.
 */

import { isUtf8 } from "node:buffer"

const NAMED: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\u0007", "\\a"],
  ["\b", "\\b"],
])

/** What does something to a terminal, or is not to be seen: controls, marks of direction, separators of lines. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u
const TO_ESCAPE = /["\\\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu
const UNSEEN_BUT_LINES = /[^\P{Cc}\n\t]|[\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu

/** In double quotes. What is not to be seen, and what is not UTF-8, is written `\xHH`. */
export function quote(value: string | Uint8Array): string {
  if (typeof value === "string" || isUtf8(value))
    return `"${inPieces(textOf(value), (piece) => piece.replace(TO_ESCAPE, escaped))}"`
  const bytes = Buffer.from(value).toString("latin1")
  return `"${inPieces(bytes, (piece) => piece.replace(/[^ !#-[\]-~]/g, byteEscaped))}"`
}

const PIECE = 1024 * 1024

/** A text in which too much is replaced at once would end the program, not with an error but with a crash of V8. */
export function inPieces(text: string, replaced: (piece: string) => string): string {
  if (text.length <= PIECE) return replaced(text)
  let result = ""
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + PIECE)
    // Both halves of a character, and both of a line end, belong together.
    if (to < text.length && /[\ud800-\udbff\r]/.test(text.charAt(to - 1))) to += 1
    result += replaced(text.slice(from, to))
    from = to
  }
  return result
}

/** As {@link quote}, but without quotes where none are needed. */
export function quoteWord(value: string | Uint8Array): string {
  const text = textOf(value)
  const isPlain = text !== "" && !/^#|[\s"'\\]/.test(text) && !UNSEEN.test(text)
  return isPlain && (typeof value === "string" || isUtf8(value)) ? text : quote(value)
}

/** Text with its lines, in which nothing can do anything to the terminal. */
export function harmless(value: string | Uint8Array): string {
  return inPieces(textOf(value), (piece) => piece.replaceAll("\r\n", "\n").replace(UNSEEN_BUT_LINES, escaped))
}

/** One line of it. */
export function harmlessLine(value: string): string {
  return harmless(value).replaceAll("\n", "\\n")
}

function textOf(value: string | Uint8Array): string {
  return typeof value === "string" ? value : Buffer.from(value).toString()
}

function escaped(character: string): string {
  return NAMED.get(character) ?? [...Buffer.from(character)].map(hex).join("")
}

function byteEscaped(byte: string): string {
  return NAMED.get(byte) ?? hex(byte.charCodeAt(0))
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`
}
