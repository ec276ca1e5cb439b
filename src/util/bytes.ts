/**
 * Buffers with the conversions that V8 inlines best, and the two kinds of memory that connections borrow from the
 * process: blocks to write or read into. Knows nothing of what the bytes mean.
 */

import { isAscii, isUtf8, constants as limits, transcode } from "node:buffer"

/**
 * A `Buffer` with its per-encoding methods, which every runtime has and `toString(encoding)` ends in; calling them
 * directly saves a third of the time of a short string.
 */
export interface Bytes extends Buffer {
  latin1Slice(start?: number, end?: number): string
  utf8Slice(start?: number, end?: number): string
  ucs2Slice(start?: number, end?: number): string
  utf8Write(text: string, offset: number, length?: number): number
}

function isBytes(buffer: Buffer): buffer is Bytes {
  return "latin1Slice" in buffer && "utf8Slice" in buffer && "ucs2Slice" in buffer && "utf8Write" in buffer
}

/** The same memory as `buffer`, with the methods of {@link Bytes}. */
export function asBytes(buffer: Buffer): Bytes {
  if (isBytes(buffer)) return buffer
  throw new TypeError("this JavaScript runtime's Buffer lacks the methods of Node.js's")
}

/** Memory of its own, not zeroed and not a part of Node.js's shared pool. */
export function allocate(size: number): Bytes {
  return asBytes(Buffer.allocUnsafeSlow(size))
}

/** The size of the blocks that connections borrow to write into and to read into. */
export const BLOCK_SIZE = 65_536

/** More free blocks than this are left to the garbage collector. */
const MOST_FREE_BLOCKS = 16

const freeBlocks: Bytes[] = []

/** Borrows a block of {@link BLOCK_SIZE}: a connection holds one only while it has something in it. */
export function borrowBlock(): Bytes {
  return freeBlocks.pop() ?? allocate(BLOCK_SIZE)
}

const views = new WeakMap<Bytes, DataView>()

/** A view of a block, the same one each time. */
export function viewOf(block: Bytes): DataView {
  const known = views.get(block)
  if (known !== undefined) return known
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  views.set(block, view)
  return view
}

/** Gives a block back. Nothing may read it any more. */
export function returnBlock(block: Bytes): void {
  if (freeBlocks.length < MOST_FREE_BLOCKS) freeBlocks.push(block)
}

/** Memory for one large text, not in use. The garbage collector may have it when it wants it. */
let spareLarge: WeakRef<Bytes> | undefined

/** Borrows memory for a large text: fresh memory costs more than writing the text into it. At least `size` bytes. */
export function borrowLarge(size: number): Bytes {
  const spare = spareLarge?.deref()
  if (spare === undefined || spare.length < size) return allocate(size)
  spareLarge = undefined
  return spare
}

/** Gives the memory of a large text back. Nothing may read it any more. */
export function returnLarge(memory: Bytes): void {
  spareLarge = new WeakRef(memory)
}

/** Below this, V8's own UTF-8 decoder is as fast as the detour through UTF-16. */
const TRANSCODE_FROM = 512
/** Above this, the copy in UTF-16 would cost more memory than the detour saves time. */
const TRANSCODE_UP_TO = 64 << 20

/**
 * The text of bytes that may be other than ASCII; what is not UTF-8 becomes U+FFFD.
 * V8's decoder is slow on long text, so that is looked at first: ASCII is copied, valid UTF-8 goes through ICU.
 */
export function decodeText(bytes: Bytes, start: number, end: number): string {
  const length = end - start
  if (length < TRANSCODE_FROM) return bytes.utf8Slice(start, end)
  const part = bytes.subarray(start, end)
  if (isAscii(part)) return bytes.latin1Slice(start, end)
  // A build of Node.js without ICU has no `transcode`.
  if (length > TRANSCODE_UP_TO || typeof transcode !== "function" || !isUtf8(part))
    return bytes.utf8Slice(start, end)
  return asBytes(transcode(part, "utf8", "ucs2")).ucs2Slice()
}

/** The most UTF-16 units that a string of this engine can have; text of more bytes may not be representable. */
export const MAX_TEXT_LENGTH: number = limits.MAX_STRING_LENGTH
/** The most bytes that a buffer of this engine can have. */
export const MAX_BYTES_LENGTH: number = limits.MAX_LENGTH
