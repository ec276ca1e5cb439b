/**
 * The requests that are not sent yet: their bytes, and what becomes of both when a request settles before it is sent, or
 * when the socket has enough for now. Leaves to others when it is written and what follows.
 */

import { commandChecker, Encoder } from "../protocol/encode.ts"
import type { Transport } from "../transport/transport.ts"
import type { RequestQueue } from "./queue.ts"
import type { Request } from "./request.ts"

/** So much at most is handed to the socket at once: what is not can still be withdrawn. */
const MOST_AT_ONCE = 1 << 20
/** From this many withdrawn requests on, their memory is freed before the next write does it. */
const MANY_WITHDRAWN = 1024

export class Outbox {
  readonly #queue: RequestQueue
  readonly #encoder = new Encoder()
  /** Requests that have settled: their bytes must not be written. */
  #withdrawn = 0
  #bytesWritten = 0
  /** Whether a request is being encoded: what a caller's array does when it is read may be another call. */
  #isEncoding = false

  constructor(queue: RequestQueue) {
    this.#queue = queue
  }

  /** How many bytes there are. */
  get size(): number {
    return this.#encoder.size
  }

  /** How many bytes were written, in all. */
  get bytesWritten(): number {
    return this.#bytesWritten
  }

  /** Bytes that somebody else has written. */
  noteWritten(size: number): void {
    this.#bytesWritten += size
  }

  /** How many requests of the queue nobody waits for although they are not sent. */
  get withdrawn(): number {
    return this.#withdrawn
  }

  /**
   * Encodes a request and adds it to the queue. It is not in it yet when `check` is called.
   * @throws what the encoding or `check` throws, with nothing added
   */
  add<Payload>(
    request: Request<Payload>,
    payload: Payload,
    check: ((request: Request) => void) | undefined,
  ): void {
    // Its bytes would be in the middle of those of the other, and be forgotten with them: replies would be shifted.
    if (this.#isEncoding)
      throw new TypeError("a call from within the reading of a command cannot be carried out")
    const encoder = this.#encoder
    const before = encoder.size
    this.#isEncoding = true
    try {
      request.encode(encoder, payload)
      check?.(request)
    } catch (error) {
      this.#giveUpEncoding(before)
      throw error
    }
    if (!this.#isEncoding) {
      this.#giveUpEncoding(before)
      throw new TypeError("a command that ends its client when it is read cannot be carried out")
    }
    this.#isEncoding = false
    request.size = encoder.size - before
    this.#queue.add(request)
  }

  /** Forgets what was encoded after the moment when there were `before` bytes; all, if {@link clear} has come between. */
  #giveUpEncoding(before: number): void {
    if (this.#isEncoding) this.#encoder.rewind(before)
    else this.#encoder.clear()
    this.#isEncoding = false
  }

  /** Only finds out whether the request is misuse. @throws what the encoding throws */
  check<Payload>(request: Request<Payload>, payload: Payload): void {
    request.encode(commandChecker, payload)
  }

  /**
   * Writes what the socket should have for now, and moves those requests in flight at the time `now`; tells whether
   * something is left.
   */
  write(transport: Transport, now: number): "all" | "some" {
    if (this.#withdrawn > 0) this.#dropWithdrawn()
    // A single request cannot be written in parts, however large.
    if (this.#encoder.size <= MOST_AT_ONCE || this.#queue.unsent === 1) this.#writeAll(transport, now)
    else this.#writeSome(transport, now)
    return this.#encoder.size === 0 ? "all" : "some"
  }

  #writeAll(transport: Transport, now: number): void {
    const encoder = this.#encoder
    const { size } = encoder
    this.#queue.markSent(this.#queue.unsent, now)
    const pieces = encoder.take()
    checkSize(pieces, size)
    this.#bytesWritten += size
    if (transport.write(pieces)) encoder.recycle()
    else encoder.abandon()
    // Under TLS this write may be done with while an earlier one is not.
    if (transport.buffered === 0) encoder.onTakenWritten()
  }

  /** Writes whole requests, at least one, up to the limit. */
  #writeSome(transport: Transport, now: number): void {
    let size = 0
    let count = 0
    for (const request of this.#queue.unsentRequests()) {
      if (count > 0 && size + request.size > MOST_AT_ONCE) break
      size += request.size
      count++
    }
    this.#queue.markSent(count, now)
    const pieces = this.#encoder.takeFirst(size)
    checkSize(pieces, size)
    this.#bytesWritten += size
    transport.write(pieces)
  }

  /** All that was written has been handed to the kernel. */
  onWritten(): void {
    this.#encoder.onTakenWritten()
    if (this.#encoder.size === 0) this.#encoder.recycle()
  }

  /** A request of the outbox has settled: it is never sent. */
  withdraw(): void {
    this.#withdrawn++
    if (this.#withdrawn >= MANY_WITHDRAWN && this.#withdrawn * 2 > this.#queue.unsent) this.#dropWithdrawn()
  }

  /** Forgets all bytes; the requests are gone from the queue. Nobody reads what was written before. */
  clear(): void {
    this.#encoder.clear()
    this.#withdrawn = 0
    this.#isEncoding = false
  }

  /** Cuts the bytes of withdrawn requests out, all at once. */
  #dropWithdrawn(): void {
    const kept: number[] = []
    let offset = 0
    for (const request of this.#queue.unsentRequests()) {
      const end = offset + request.size
      if (!request.isSettled) {
        if (kept.length > 0 && kept[kept.length - 1] === offset) kept[kept.length - 1] = end
        else kept.push(offset, end)
      }
      offset = end
    }
    this.#encoder.keep(kept)
    this.#queue.dropSettledUnsent()
    this.#withdrawn = 0
  }
}

/**
 * A caller who transfers an ArrayBuffer that is still to be written leaves nothing of it: the bytes of all other callers
 * would take its place.
 */
function checkSize(pieces: readonly Uint8Array[], size: number): void {
  let length = 0
  for (const piece of pieces) length += piece.length
  if (length !== size)
    throw new TypeError("a Uint8Array was detached before the request that it belongs to had settled")
}
