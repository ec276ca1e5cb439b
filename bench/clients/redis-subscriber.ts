// How node-redis is asked for messages: by a listener for each subscription.
import { createClient } from "redis"
import { type NodeRedis, open } from "./redis-default.ts"
import type { ConnectSubscriber, Receive, Subscriber } from "./subscriber.ts"

export const connectRedisSubscriber: ConnectSubscriber = async (url) =>
  new RedisSubscriber(await open(createClient({ url })))

class RedisSubscriber implements Subscriber {
  readonly #client: NodeRedis

  constructor(client: NodeRedis) {
    this.#client = client
  }

  subscribe(channels: readonly string[], receive: Receive): Promise<unknown> {
    return this.#client.subscribe([...channels], (message, channel) => receive(channel, message))
  }

  psubscribe(pattern: string, receive: Receive): Promise<unknown> {
    return this.#client.pSubscribe(pattern, (message, channel) => receive(channel, message))
  }

  close(): Promise<unknown> {
    return this.#client.close()
  }
}
