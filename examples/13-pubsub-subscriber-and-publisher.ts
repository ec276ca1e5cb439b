// A subscriber and a publisher: notifications that reach whoever listens, and that are gone for everybody else.
import assert from "node:assert/strict"
import { PubSub, type PubSubEvent, Redix, type Subscription } from "@redix/client"

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const channel = "redix-example:13:notifications"

/** Publishes over a connection that other parts of the program may share. */
class Publisher {
  readonly #conn: Redix

  constructor(conn: Redix) {
    this.#conn = conn
  }

  /** To how many subscribers the server has passed it on. */
  publish(to: string, message: string): Promise<number> {
    return this.#conn.command(["PUBLISH", to, message])
  }
}

/** Has a connection of its own: one that is subscribed can do nothing else. */
class Subscriber {
  readonly #pubsub: PubSub
  readonly #handle: (message: string) => void
  #subscription: Subscription | undefined

  constructor(pubsub: PubSub, handle: (message: string) => void) {
    this.#pubsub = pubsub
    this.#handle = handle
  }

  async start(to: string): Promise<void> {
    // Resolves when the server has confirmed it: what is published from now on arrives.
    this.#subscription = await this.#pubsub.subscribe(to, (event) => this.#onEvent(event))
  }

  async stop(): Promise<void> {
    await this.#subscription?.unsubscribe()
  }

  #onEvent(event: PubSubEvent): void {
    switch (event.type) {
      case "subscribed":
        console.log("subscribed to", event.channel)
        break
      case "message":
        console.log("received on", `${event.channel}:`, event.payload)
        this.#handle(String(event.payload))
        break
      case "disconnected":
        // The driver reconnects and subscribes again. Until the next `subscribed`, messages are missed.
        console.log("disconnected:", event.error.message)
        break
      case "unsubscribed":
        console.log("no longer subscribed to", event.channel)
        break
    }
  }
}

const conn = await Redix.connect(url)
const pubsub = await PubSub.connect(url)
const publisher = new Publisher(conn)

const notifications: string[] = []
let allReceived = (): void => {}
const whenAllReceived = new Promise<void>((resolve) => {
  allReceived = resolve
})

// Nobody listens yet, so nobody will ever get this.
assert.equal(await publisher.publish(channel, "Is anybody there?"), 0)

const subscriber = new Subscriber(pubsub, (message) => {
  notifications.push(message)
  if (notifications.length === 2) allReceived()
})
await subscriber.start(channel)

assert.equal(await publisher.publish(channel, "Hello, subscribers!"), 1)
assert.equal(await publisher.publish(channel, "It works."), 1)
await whenAllReceived
assert.deepEqual(notifications, ["Hello, subscribers!", "It works."])
await subscriber.stop()

// The same as a loop. It shares the connection, and leaving it unsubscribes.
const numbers: number[] = []
for await (const event of await pubsub.psubscribe("redix-example:13:number:*")) {
  if (event.type === "psubscribed") {
    // The server passes messages of one publisher on in their order.
    for (const number of [1, 2, 3]) await publisher.publish(`redix-example:13:number:${number}`, `${number}`)
  }
  if (event.type === "pmessage") numbers.push(Number(event.payload))
  if (numbers.length === 3) break
}
assert.deepEqual(numbers, [1, 2, 3])
console.log("numbers:", numbers)

await pubsub.close()
await conn.close()
