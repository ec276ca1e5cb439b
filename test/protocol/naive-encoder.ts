/** Commands to bytes in the plainest way, sharing nothing with the driver's encoder; and random commands. */
import fc from "fast-check"
import type { Argument } from "../../src/protocol/types.ts"

/** A number without an exponent. */
export function plainNumber(value: number): string {
  if (value === Infinity) return "inf"
  if (value === -Infinity) return "-inf"
  const [, sign = "", whole = "0", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? []
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point >= digits.length) return sign + BigInt(digits) * 10n ** BigInt(point - digits.length)
  if (point <= 0) return `${sign}0.${digits.padStart(digits.length - point, "0")}`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

function bytesOf(argument: Argument): Uint8Array {
  if (typeof argument === "number") return Buffer.from(plainNumber(argument))
  // The text encoder makes U+FFFD of a lone surrogate.
  return typeof argument === "object" ? argument : new TextEncoder().encode(String(argument))
}

export function naiveEncoding(command: readonly Argument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${command.length}\r\n`)]
  for (const bytes of command.map(bytesOf)) {
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"))
  }
  return Buffer.concat(parts)
}

/** Lengths around which the encoder changes its ways, or a length gets another digit. */
const lengths = [
  0, 1, 9, 10, 31, 32, 33, 34, 99, 100, 101, 333, 334, 999, 1000, 3333, 3334, 4095, 4096, 4097, 8190, 8191,
  8192, 9999, 16_383, 16_384, 16_385, 10_000, 21_900, 65_000, 65_535, 65_536, 70_000,
]
const length = fc.oneof({ weight: 3, arbitrary: fc.nat({ max: 40 }) }, fc.constantFrom(...lengths))

const pattern = fc.oneof(
  fc.constantFrom("a", "xyz", "é", "€", "😀", "a€", "\ud800", "\udc00a", "\0", "\r\n", "\x7f\x80", "\uffff"),
  fc.string({ unit: "binary", minLength: 1, maxLength: 5 }),
)

/** Text of a length in UTF-16 units, and text that is ASCII but for its last character. */
const text = fc.oneof(
  fc.tuple(pattern, length).map(([unit, size]) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size)),
  fc.tuple(pattern, length).map(([unit, size]) => "x".repeat(size) + unit),
)

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.constantFrom(-0, 0, 0.1, 1e20, 1e21, 1e23, 5e-324, 1.5e-7, 1e-7, Number.MAX_VALUE, -Number.MAX_VALUE),
  fc.constantFrom(2 ** 53 + 2, 2 ** 64, 2.5e23, Infinity, -Infinity),
)

/** Bytes that are a view into the middle of larger memory, as `Uint8Array` or `Buffer`. */
const bytes = fc
  .tuple(length, fc.nat({ max: 9 }), fc.nat({ max: 255 }), fc.boolean())
  .map(([size, offset, fill, isBuffer]) => {
    const memory = new Uint8Array(size + offset + 5).fill(fill)
    for (let at = 0; at < memory.length; at += 7) memory[at] = at & 255
    return isBuffer ? Buffer.from(memory.buffer, offset, size) : memory.subarray(offset, offset + size)
  })

export const argument: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 3, arbitrary: text },
  number,
  fc.bigInt(),
  fc.constantFrom(2n ** 63n, -(2n ** 64n), 10n ** 100n),
  { weight: 2, arbitrary: bytes },
)

export const command: fc.Arbitrary<readonly Argument[]> = fc.array(argument, { minLength: 1, maxLength: 6 })
