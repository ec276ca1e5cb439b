/**
 * Short ASCII text from bytes. A call into the engine costs more than a short string itself; given as many codes as
 * there are characters, `String.fromCharCode` is compiled to making the string, in a third of the time.
 */

/** The longest text that {@link shortText} makes. */
export const SHORT_TEXT = 20

/** `String.fromCharCode`, with codes that may be missing as far as the types know. */
interface TextMaker {
  make(...codes: ReadonlyArray<number | undefined>): string
}

const maker: TextMaker = { make: String.fromCharCode }
const { make } = maker

/** Whether so many bytes at the place are ASCII. For short runs this is faster than asking the engine. */
export function isShortAscii(bytes: Uint8Array, place: number, length: number): boolean {
  let allBits = 0
  for (let index = place; index < place + length; index++) allBits |= bytes[index] ?? 0
  return allBits < 128
}

/** The text of up to {@link SHORT_TEXT} bytes at the place, all of them ASCII. */
// biome-ignore format: one line for each length
export function shortText(bytes: Uint8Array, place: number, length: number): string {
  const b = bytes
  const p = place
  switch (length) {
    case 0: return ""
    case 1: return make(b[p])
    case 2: return make(b[p], b[p + 1])
    case 3: return make(b[p], b[p + 1], b[p + 2])
    case 4: return make(b[p], b[p + 1], b[p + 2], b[p + 3])
    case 5: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4])
    case 6: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5])
    case 7: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6])
    case 8: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7])
    case 9: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8])
    case 10: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9])
    case 11: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10])
    case 12: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10], b[p + 11])
    case 13: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10], b[p + 11], b[p + 12])
    case 14: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10], b[p + 11], b[p + 12], b[p + 13])
    case 15: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10], b[p + 11], b[p + 12], b[p + 13], b[p + 14])
    case 16: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10], b[p + 11], b[p + 12], b[p + 13], b[p + 14], b[p + 15])
    case 17: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10], b[p + 11], b[p + 12], b[p + 13], b[p + 14], b[p + 15], b[p + 16])
    case 18: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10], b[p + 11], b[p + 12], b[p + 13], b[p + 14], b[p + 15], b[p + 16], b[p + 17])
    case 19: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10], b[p + 11], b[p + 12], b[p + 13], b[p + 14], b[p + 15], b[p + 16], b[p + 17], b[p + 18])
    case 20: return make(b[p], b[p + 1], b[p + 2], b[p + 3], b[p + 4], b[p + 5], b[p + 6], b[p + 7], b[p + 8], b[p + 9], b[p + 10], b[p + 11], b[p + 12], b[p + 13], b[p + 14], b[p + 15], b[p + 16], b[p + 17], b[p + 18], b[p + 19])
    default: throw new RangeError(`a text of ${length} bytes is not short`)
  }
}
