/** Text as a binary string: one character for each byte of its UTF-8. */

/** Whether all characters are ASCII, so that a binary string is its own text. */
export function isAsciiText(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false
  return true
}

/** The text of a binary string; what is not UTF-8 becomes U+FFFD. */
export function textOf(binary: string): string {
  return isAsciiText(binary) ? binary : Buffer.from(binary, "latin1").toString()
}

/** The bytes of a binary string. */
export function bytesOf(binary: string): Buffer {
  return Buffer.from(binary, "latin1")
}
