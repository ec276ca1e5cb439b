// How the driver of this repository is asked for messages: with handlers, and with its asynchronous iterator.
import { PubSub, type PubSubEvent } from "@redix/client"
import type { ConnectSubscriber, Receive, Subscriber } from "./subscriber.ts"

export const connectRedixSubscriber: ConnectSubscriber = async (url) =>
  new RedixSubscriber(await PubSub.connect(url))

class RedixSubscriber implements Subscriber {
  readonly #pubsub: PubSub

  constructor(pubsub: PubSub) {
    this.#pubsub = pubsub
  }

  subscribe(channels: readonly string[], receive: Receive): Promise<unknown> {
    return this.#pubsub.subscribe(channels, (event) => {
      if (event.type === "message") receive(event.channel, event.payload)
    })
  }

  psubscribe(pattern: string, receive: Receive): Promise<unknown> {
    return this.#pubsub.psubscribe(pattern, (event) => {
      if (event.type === "pmessage") receive(event.channel, event.payload)
    })
  }

  async iterate(channels: readonly string[], receive: Receive): Promise<void> {
    void read(await this.#pubsub.subscribe(channels), receive)
  }

  close(): Promise<unknown> {
    return this.#pubsub.close()
  }
}

async function read(events: AsyncIterable<PubSubEvent>, receive: Receive): Promise<void> {
  for await (const event of events) if (event.type === "message") receive(event.channel, event.payload)
}
