// What a benchmarked client has to offer in Pub/Sub. Adapters hand each message over as they get it from the client,
// the channel first.

export type Receive = (channel: string, payload: string) => void

export interface Subscriber {
  /** Resolves when the server has confirmed. Called again for the same channels, it adds a subscription to them. */
  subscribe(channels: readonly string[], receive: Receive): Promise<unknown>
  psubscribe(pattern: string, receive: Receive): Promise<unknown>
  /** As `subscribe`, but reads the messages in a loop, where the client has such a thing. */
  iterate?(channels: readonly string[], receive: Receive): Promise<unknown>
  close(): Promise<unknown>
}

export type ConnectSubscriber = (url: string) => Promise<Subscriber>
