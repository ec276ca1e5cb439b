/** What handlers may do from within, and what must not come between the book of subscriptions and the server. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { PubSub, type Subscription } from "@redix/client"
import { nextPoll, until } from "../../support/wait.ts"
import { closing, sharedConnection, uniqueKey } from "../contract/helpers.ts"
import { Log, quick } from "./setup.ts"

const { server, conn } = await sharedConnection()

describe("a subscription", () => {
  const at = () => ({ host: server.host, port: server.port, ...quick })

  test("that is made anew from the handler that hears of its end is not deaf", async (t) => {
    const pubsub = closing(t, await PubSub.connect(at()))
    const [channel, again] = [uniqueKey(), new Log()]
    let anew: Promise<Subscription> | undefined
    const first = await pubsub.subscribe(channel, (event) => {
      if (event.type === "unsubscribed") anew = pubsub.subscribe(channel, again.handler)
    })
    await first.unsubscribe()
    await anew
    assert.equal(await conn.command(["PUBLISH", channel, "heard"]), 1)
    await again.until("message")
    assert.deepEqual(again.payloads, ["heard"])
  })

  test("is not kept from coming back by the limit of requests", async (t) => {
    const pubsub = closing(t, await PubSub.connect({ ...at(), maxInFlight: 2 }))
    const names = Array.from({ length: 5000 }, () => uniqueKey())
    const log = new Log()
    for (let start = 0; start < names.length; start += 500) {
      await pubsub.subscribe(names.slice(start, start + 500), log.handler)
    }
    await conn.command(["CLIENT", "KILL", "TYPE", "PUBSUB"])
    await log.until("subscribed", 2 * names.length)
    const [, last = 0] = (await conn.command(["PUBSUB", "NUMSUB", names.at(-1) ?? ""])) as [string, number]
    assert.equal(last, 1)
  })

  test("of another PubSub cannot be unsubscribed, and stays", async (t) => {
    const [one, other] = [closing(t, await PubSub.connect(at())), closing(t, await PubSub.connect(at()))]
    const [channel, log] = [uniqueKey(), new Log()]
    await one.subscribe(channel, log.handler)
    const foreign = await other.subscribe(channel, () => {})
    await assert.rejects(one.unsubscribe(channel, foreign), TypeError)
    assert.equal(await conn.command(["PUBLISH", channel, "still"]), 2)
    await log.until("message")
  })

  test("gets bytes of its own", async (t) => {
    const pubsub = closing(t, await PubSub.connect(at()))
    const channel = uniqueKey()
    const seen: string[] = []
    for (let index = 0; index < 2; index++) {
      await pubsub.subscribe(
        channel,
        (event) => {
          if (event.type !== "message") return
          seen.push(event.payload.toString())
          event.payload.fill(0)
        },
        { encoding: "buffer" },
      )
    }
    await conn.command(["PUBLISH", channel, "mine"])
    await until(() => seen.length === 2)
    assert.deepEqual(seen, ["mine", "mine"])
  })

  test("that another handler has just ended gets no message any more", async (t) => {
    const pubsub = closing(t, await PubSub.connect(at()))
    const [channel, log] = [uniqueKey(), new Log()]
    let second: Subscription | undefined
    await pubsub.subscribe(channel, (event) => {
      if (event.type === "message") void second?.unsubscribe()
    })
    second = await pubsub.subscribe(channel, log.handler)
    await conn.command(["PUBLISH", channel, "one"])
    await log.until("unsubscribed")
    await pubsub.ping()
    assert.deepEqual(log.payloads, [])
  })

  test("is not timed out because the event loop was blocked", async (t) => {
    const pubsub = closing(t, await PubSub.connect(at()))
    const subscribing = pubsub.subscribe(uniqueKey(), () => {}, { timeout: 100 })
    await nextPoll()
    const end = performance.now() + 400
    while (performance.now() < end);
    await subscribing
  })
})
