// How ioredis is asked for messages: by its events. It has no listeners of a channel's own.
import { Redis } from "ioredis"
import type { ConnectSubscriber, Receive, Subscriber } from "./subscriber.ts"

export const connectIoredisSubscriber: ConnectSubscriber = async (url) => {
  const redis = new Redis(url, { lazyConnect: true })
  await redis.connect()
  return new IoredisSubscriber(redis)
}

class IoredisSubscriber implements Subscriber {
  readonly #redis: Redis

  constructor(redis: Redis) {
    this.#redis = redis
  }

  subscribe(channels: readonly string[], receive: Receive): Promise<unknown> {
    this.#redis.on("message", receive)
    return this.#redis.subscribe(...channels)
  }

  psubscribe(pattern: string, receive: Receive): Promise<unknown> {
    this.#redis.on("pmessage", (_, channel, message) => receive(channel, message))
    return this.#redis.psubscribe(pattern)
  }

  async close(): Promise<void> {
    this.#redis.disconnect()
  }
}
