/**
 * Which of the 16384 slots a key belongs to. Knows CRC16 and hash tags; leaves to others which node has a slot.
 *
 * Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#key-distribution-model
 */

import { isUint8Array } from "node:util/types"
import { textOfNumber } from "../protocol/number-text.ts"

/** How many slots there are. */
export const SLOTS = 16_384

const OPENING = 123 // {
const CLOSING = 125 // }
/** CRC16 as XMODEM has it. */
const POLYNOMIAL = 0x1021

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1
  return crc
})

/** What a byte does to the checksum once one more has followed. */
const tableAfterNext = table.map((crc) => (crc << 8) ^ (table[crc >> 8] ?? 0))

/**
 * The slot of a key as it is given in a command. What could be no argument has some slot as well: it is for the encoding
 * to refuse it.
 */
export function slotOf(key: unknown): number {
  return typeof key === "string" ? slotOfText(key) : slotOfBytes(bytesOf(key))
}

/** In one pass over the usual key, which is ASCII, two characters at a time. */
function slotOfText(key: string): number {
  const { length } = key
  let crc = 0
  let index = 0
  for (; index + 1 < length; index += 2) {
    const code = key.charCodeAt(index)
    const next = key.charCodeAt(index + 1)
    if (code === OPENING || next === OPENING || (code | next) > 127) break
    crc = afterTwo(crc, code, next)
  }
  for (; index < length; index++) {
    const code = key.charCodeAt(index)
    if (code === OPENING) return slotOfTagged(key, index, crc)
    if (code > 127) return slotOfBytes(Buffer.from(key))
    crc = afterOne(crc, code)
  }
  return slotOfCrc(crc)
}

/** The slot of a key whose first brace is at `open`, what is before it being ASCII. */
function slotOfTagged(key: string, open: number, crcBefore: number): number {
  const close = key.indexOf("}", open + 1)
  // Nothing between the braces is no tag.
  const isTag = close > open + 1
  let crc = isTag ? 0 : crcBefore
  const end = isTag ? close : key.length
  for (let index = isTag ? open + 1 : open; index < end; index++) {
    const code = key.charCodeAt(index)
    if (code > 127) return slotOfBytes(Buffer.from(key))
    crc = afterOne(crc, code)
  }
  return slotOfCrc(crc)
}

function slotOfBytes(key: Uint8Array): number {
  const open = key.indexOf(OPENING)
  const close = open < 0 ? -1 : key.indexOf(CLOSING, open + 1)
  return close > open + 1 ? crc16(key, open + 1, close) : crc16(key, 0, key.length)
}

function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0
  for (let index = start; index < end; index++) {
    crc = afterOne(crc, bytes[index] ?? 0)
  }
  return slotOfCrc(crc)
}

/** The checksum after one more byte. */
export function afterOne(crc: number, byte: number): number {
  return ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] ?? 0)
}

/** The checksum after two more bytes. */
export function afterTwo(crc: number, byte: number, next: number): number {
  return (tableAfterNext[(crc >> 8) ^ byte] ?? 0) ^ (table[(crc & 0xff) ^ next] ?? 0)
}

export function slotOfCrc(crc: number): number {
  return crc & (SLOTS - 1)
}

function bytesOf(key: unknown): Uint8Array {
  if (isUint8Array(key)) return key
  if (typeof key === "number") return Buffer.from(textOfNumber(key))
  return Buffer.from(typeof key === "bigint" ? String(key) : "")
}
