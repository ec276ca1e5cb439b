/**
 * Where the events of one subscription go: to a handler, or into an iterator. Knows nothing of channels.
 */

import type { Encoding } from "../options.ts"
import { Fifo } from "../util/fifo.ts"
import type { PubSubEvent } from "./events.ts"

type AnyEvent = PubSubEvent<Encoding>

export interface Sink {
  deliver(event: AnyEvent): void
  /** Nothing more will be delivered. */
  end(): void
}

/** Calls a handler. What it throws surfaces on a later tick, and harms nothing here. */
export class HandlerSink implements Sink {
  readonly #handler: (event: AnyEvent) => void

  constructor(handler: (event: AnyEvent) => void) {
    this.#handler = handler
  }

  deliver(event: AnyEvent): void {
    try {
      this.#handler(event)
    } catch (error) {
      setImmediate(() => {
        throw error
      })
    }
  }

  end(): void {}
}

type Step = IteratorResult<AnyEvent, undefined>

const DONE: Step = { done: true, value: undefined }

/** Keeps events until they are read; those that are too many push the oldest out. */
export class IteratorSink implements Sink {
  readonly #maxBuffered: number
  readonly #events = new Fifo<AnyEvent>()
  readonly #readers = new Fifo<(step: Step) => void>()
  #droppedCount = 0
  #hasEnded = false

  constructor(maxBuffered: number) {
    this.#maxBuffered = maxBuffered
  }

  deliver(event: AnyEvent): void {
    if (this.#hasEnded) return
    const reader = this.#readers.take()
    if (reader !== undefined) {
      reader({ done: false, value: event })
      return
    }
    this.#events.add(event)
    if (this.#events.length > this.#maxBuffered) {
      this.#events.take()
      this.#droppedCount++
    }
  }

  end(): void {
    this.#hasEnded = true
    for (let reader = this.#readers.take(); reader !== undefined; reader = this.#readers.take()) reader(DONE)
  }

  /** Forgets what was not read, too: the reader has left. */
  abandon(): void {
    this.end()
    this.#droppedCount = 0
    while (this.#events.length > 0) this.#events.take()
  }

  next(): Promise<Step> {
    const event = this.#takeDropped() ?? this.#events.take()
    if (event !== undefined) return Promise.resolve({ done: false, value: event })
    if (this.#hasEnded) return Promise.resolve(DONE)
    return new Promise((resolve) => this.#readers.add(resolve))
  }

  #takeDropped(): AnyEvent | undefined {
    const count = this.#droppedCount
    if (count === 0) return undefined
    this.#droppedCount = 0
    return { type: "dropped", count }
  }
}
