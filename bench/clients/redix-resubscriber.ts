// A subscriber of this repository's driver to very many channels, which can be cut off. Counts what the server confirms.
import { setImmediate as turn } from "node:timers/promises"
import { PubSub, type PubSubEvent, Redix } from "@redix/client"

/** Milliseconds: what is measured is the subscribing, not the pause before it. */
const BACKOFF = 1

export class RedixResubscriber {
  readonly #pubsub: PubSub
  readonly #other: Redix
  readonly #channels: readonly string[]
  #confirmed = 0
  #allConfirmed: () => void = () => {}

  private constructor(pubsub: PubSub, other: Redix, channels: readonly string[]) {
    this.#pubsub = pubsub
    this.#other = other
    this.#channels = channels
  }

  static async open(url: string, channels: readonly string[]): Promise<RedixResubscriber> {
    const options = { fetchClientIdOnConnect: true, backoffInitial: BACKOFF }
    const [pubsub, other] = await Promise.all([PubSub.connect(url, options), Redix.connect(url)])
    const subscriber = new RedixResubscriber(pubsub, other, channels)
    await pubsub.subscribe(channels, (event) => subscriber.#onEvent(event))
    return subscriber
  }

  /** Ends the connection at the server; resolves when all channels have been confirmed again. */
  async cut(): Promise<void> {
    const again = new Promise<void>((resolve) => {
      this.#allConfirmed = resolve
    })
    await this.#other.command(["CLIENT", "KILL", "ID", this.#pubsub.clientId ?? 0])
    await again
    await turn()
  }

  /** How many subscribers the server counts for these channels. */
  async subscribersOf(channels: readonly string[]): Promise<number[]> {
    const reply = await this.#other.command(["PUBSUB", "NUMSUB", ...channels])
    return (reply as unknown[]).filter((_, i) => i % 2 === 1).map(Number)
  }

  async close(): Promise<void> {
    await Promise.all([this.#pubsub.close(), this.#other.close()])
  }

  #onEvent(event: PubSubEvent): void {
    if (event.type === "disconnected") this.#confirmed = 0
    else if (event.type === "subscribed" && ++this.#confirmed === this.#channels.length) this.#allConfirmed()
  }
}
