/**
 * Which slot of a cluster a key belongs to, and keys for a wanted slot. Shares nothing with the driver, so that neither
 * can hide a mistake of the other: bit by bit instead of by a table.
 */

export const slotCount = 16_384

/** The slot of a key: that of its hash tag, if it has one. */
export function slotOf(key: string | Uint8Array): number {
  const bytes = Buffer.from(key)
  const open = bytes.indexOf("{")
  const close = open < 0 ? -1 : bytes.indexOf("}", open + 1)
  return crc16(close > open + 1 ? bytes.subarray(open + 1, close) : bytes) % slotCount
}

/** A key of that slot; `name` tells it from others there. */
export function keyIn(slot: number, name = ""): string {
  return `{${tagOf(slot)}}${name}`
}

/** A short text that hashes to that slot. */
export function tagOf(slot: number): string {
  tags ??= findTags()
  const tag = tags[slot]
  if (tag === undefined) throw new RangeError(`no slot: ${slot}`)
  return tag
}

/** `[first, last]` of so many ranges of slots that cover all of them evenly. */
export function evenRanges(count: number): (readonly [number, number])[] {
  const begin = (index: number) => Math.round((index * slotCount) / count)
  return Array.from({ length: count }, (_, index) => [begin(index), begin(index + 1) - 1] as const)
}

let tags: string[] | undefined

function findTags(): string[] {
  const found: string[] = new Array<string>(slotCount)
  let missing = slotCount
  for (let number = 0; missing > 0; number++) {
    const tag = number.toString(36)
    const slot = slotOf(tag)
    if (found[slot] !== undefined) continue
    found[slot] = tag
    missing -= 1
  }
  return found
}

/** CRC16-XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff
  }
  return crc
}
