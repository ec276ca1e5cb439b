// What a subscriber receives: "receive so many messages" is to Pub/Sub what "run so many commands" is to the other
// workloads. Asks the publisher for a window at a time, always ahead of what has arrived, so that neither the subscriber
// has to wait nor the server to keep much. Counts and sums up all messages. Knows no client.
import assert from "node:assert/strict"
import type { Receive } from "../clients/subscriber.ts"
import { type Message, messagesOf, type Publication } from "../publication.ts"
import type { Publisher } from "../publisher.ts"

const WINDOWS_AHEAD = 2
const LONGEST = 30_000 // ms
/** The checksum takes one character of each payload, another one from message to message. A power of two. */
const PLACES = 32
// So that no two errors in one message make up for each other.
const CHANNEL_WEIGHT = 0x100
const LENGTH_WEIGHT = 0x10000

export class Reception {
  readonly #publisher: Publisher
  readonly #messages: readonly Message[]
  readonly #windowSum: number
  readonly #tallies: readonly Tally[]
  #missing = 0 // windows that have not arrived
  #unasked = 0 // windows that were not asked for
  #behind: number // tallies that lack some of the window under way
  #whole: () => void = () => {}

  /** @param subscriptions how many of them get each message */
  constructor(publisher: Publisher, publication: Publication, subscriptions: number) {
    this.#publisher = publisher
    this.#messages = messagesOf(publication)
    this.#windowSum = this.#messages.reduce(
      (sum, { channel, payload }, i) => (sum + termOf(channel, payload, i)) | 0,
      0,
    )
    this.#tallies = Array.from(
      { length: subscriptions },
      () => new Tally(this.#messages.length, () => this.#onWindow()),
    )
    this.#behind = subscriptions
  }

  /** The handlers of the subscriptions. */
  get handlers(): Receive[] {
    return this.#tallies.map(({ receive }) => receive)
  }

  /** What the number of messages must be a multiple of. */
  get step(): number {
    return this.#messages.length
  }

  /** Receives one window, and compares every character of it. */
  async verify(): Promise<void> {
    for (const tally of this.#tallies) tally.kept = []
    await this.receive(this.step)
    for (const tally of this.#tallies) {
      assert.deepEqual(tally.kept, this.#messages)
      tally.kept = undefined
    }
  }

  async receive(messages: number): Promise<void> {
    for (const { count } of this.#tallies) assert.equal(count, 0, "messages that were not published")
    const windows = messages / this.step
    this.#missing = windows
    this.#unasked = windows
    await this.#arrival(messages)
    for (const tally of this.#tallies) {
      assert.equal(tally.count, messages, "not all messages have arrived, or too many")
      assert.equal(tally.sum, Math.imul(windows, this.#windowSum), "wrong messages have arrived")
      tally.reset()
    }
  }

  #arrival(messages: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        const counts = this.#tallies.map(({ count }) => count)
        reject(new Error(`${Math.min(...counts)} of ${messages} messages have arrived`))
      }, LONGEST)
      this.#whole = () => {
        clearTimeout(late)
        resolve()
      }
      for (let i = 0; i < WINDOWS_AHEAD; i++) this.#askForWindow()
    })
  }

  #askForWindow(): void {
    if (this.#unasked === 0) return
    this.#unasked--
    this.#publisher.publishWindow()
  }

  #onWindow(): void {
    if (--this.#behind > 0) return
    this.#behind = this.#tallies.length
    if (--this.#missing === 0) this.#whole()
    else this.#askForWindow()
  }
}

/** What one subscription got. */
class Tally {
  count = 0
  sum = 0
  /** The messages themselves, if they are to be kept. */
  kept: Message[] | undefined
  readonly receive: Receive
  readonly #window: number
  #windowEnd: number

  constructor(window: number, onWindow: () => void) {
    this.#window = window
    this.#windowEnd = window
    this.receive = (channel, payload) => {
      this.sum = (this.sum + termOf(channel, payload, this.count++)) | 0
      if (this.kept !== undefined) this.kept.push({ channel, payload })
      if (this.count !== this.#windowEnd) return
      this.#windowEnd += window
      onWindow()
    }
  }

  reset(): void {
    this.count = 0
    this.sum = 0
    this.#windowEnd = this.#window
  }
}

// Little enough to be nothing beside what the clients do: whole numbers of 32 bits, which wrap around.
function termOf(channel: string, payload: string, index: number): number {
  const character = payload.charCodeAt(index & (PLACES - 1))
  return (
    (LENGTH_WEIGHT * payload.length + CHANNEL_WEIGHT * channel.charCodeAt(channel.length - 1) + character) | 0
  )
}
