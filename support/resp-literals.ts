/** RESP2 values as the bytes of the wire, for scripts that state what a server says. Text is UTF-8. */

/** `+OK\r\n` */
export function simple(text: string): string {
  return `+${text}\r\n`
}

/** `-ERR reason\r\n` */
export function error(text: string): string {
  return `-${text}\r\n`
}

/** `:1\r\n` */
export function integer(value: number | bigint): string {
  return `:${value}\r\n`
}

/** `$5\r\nhello\r\n`. Bytes stay bytes, text stays text. */
export function bulk(value: string): string
export function bulk(value: Buffer): Buffer
export function bulk(value: string | Buffer): string | Buffer
export function bulk(value: string | Buffer): string | Buffer {
  const header = `$${Buffer.byteLength(value)}\r\n`
  return typeof value === "string" ? `${header}${value}\r\n` : Buffer.concat([bytes(header), value, crlf])
}

/** `*2\r\n` and the items, which are literals themselves. Bytes if any item is, else text. */
export function array(...items: string[]): string
export function array(...items: (string | Buffer)[]): string | Buffer
export function array(...items: (string | Buffer)[]): string | Buffer {
  const header = `*${items.length}\r\n`
  return items.every((item) => typeof item === "string")
    ? header + items.join("")
    : Buffer.concat([header, ...items].map(bytes))
}

/** RESP2's null. */
export const nullBulk = "$-1\r\n"

const crlf = Buffer.from("\r\n")

/** The bytes of a literal. */
export function bytes(literal: string | Buffer): Buffer {
  return typeof literal === "string" ? Buffer.from(literal) : literal
}
