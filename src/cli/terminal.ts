/** What the terminal can do: colours, widths, a line that is rewritten. Knows nothing of what is shown. */

import type { Writable } from "node:stream"
import { WriteStream } from "node:tty"
import { stripVTControlCharacters } from "node:util"

/** Each gives the text in that colour, or as it is where there are no colours. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  blue(text: string): string
  magenta(text: string): string
  cyan(text: string): string
}

const ESCAPE = "\u001b["

/** From here to the end of the line. */
export const CLEAR_REST: string = `${ESCAPE}K`
export const CLEAR_LINE: string = `\r${ESCAPE}2K`

export function moveLeft(columns: number): string {
  return columns > 0 ? `${ESCAPE}${columns}D` : ""
}

function colour(open: number, close: number, enabled: boolean): (text: string) => string {
  return enabled ? (text) => `${ESCAPE}${open}m${text}${ESCAPE}${close}m` : (text) => text
}

export function createPaint(enabled: boolean): Paint {
  return {
    bold: colour(1, 22, enabled),
    dim: colour(2, 22, enabled),
    red: colour(31, 39, enabled),
    green: colour(32, 39, enabled),
    yellow: colour(33, 39, enabled),
    blue: colour(34, 39, enabled),
    magenta: colour(35, 39, enabled),
    cyan: colour(36, 39, enabled),
  }
}

/** Colours as the stream and `NO_COLOR`, `FORCE_COLOR` and `TERM` allow. */
export function paintFor(stream: Writable): Paint {
  return createPaint(hasColours(stream))
}

function hasColours(stream: Writable): boolean {
  // Node.js lets FORCE_COLOR win over NO_COLOR, and looks at neither where there is no terminal.
  if (process.env["NO_COLOR"]) return false
  return stream instanceof WriteStream && stream.hasColors()
}

/** Whether a person watches, as opposed to a file or another program. */
export function isTerminal(stream: Writable): stream is WriteStream {
  return stream instanceof WriteStream && stream.isTTY
}

/** Whether a line can be rewritten in place: not in a terminal that has no size, or that is none of that kind. */
export function canRewrite(stream: Writable): stream is WriteStream {
  return isTerminal(stream) && stream.columns > 0 && process.env["TERM"] !== "dumb"
}

/** The number of columns, or 80 where nobody says. */
export function columnsOf(stream: Writable): number {
  return (isTerminal(stream) && stream.columns) || 80
}

/** How long the text is on the screen, taking each character for one column. */
export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length
}

/** As many stars as the text has columns, so that the cursor stays where it is thought to be. */
export function starred(text: string): string {
  return text
    .replace(/[\p{Mn}\p{Me}\p{Cf}]/gu, "")
    .replace(WIDE, "**")
    .replace(/[^*\r\n]/gu, "*")
}

/** Characters of two columns: of East Asia, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/gu

/** Writes, and waits while the reader is slower than we are. */
export function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (stream.write(data) || stream.destroyed) resolve()
    else stream.once("drain", resolve).once("close", resolve)
  })
}

export function writeLine(stream: Writable, line = ""): void {
  stream.write(`${line}\n`)
}

/** `12,345` */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US")
}

/** `1 command`, `2 commands` */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`
}

/** A time that was measured: `85 µs`, `1.23 ms`, `2.50 s`, `3 min`. */
export function duration(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`
  if (ms < 10) return `${ms.toFixed(2)} ms`
  if (ms < 1000) return `${ms.toFixed(0)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`
  return longDuration(ms)
}

/** `45 s`, `12 min`, `5 h`, `3 days` */
export function longDuration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}
