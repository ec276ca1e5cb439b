// Messages that a subscriber receives: on one channel and on a thousand, by one subscription and by ten, by a pattern,
// and read by an iterator. An operation is one published message. The publisher is a process of its own.
import type { Receive, Subscriber } from "../clients/subscriber.ts"
import { ownChannels } from "../data.ts"
import type { Publication } from "../publication.ts"
import { Publisher } from "../publisher.ts"
import { Reception } from "./reception.ts"
import { resubscribeWorkload } from "./resubscribe.ts"
import { calibrate, sample } from "./timed.ts"
import { againstUntimed, type Bench, type Workload } from "./workload.ts"

const SMALL = 50 // bytes
const LARGE = 1024
const PATTERN_CHANNELS = 10
const SUBSCRIPTIONS = 10

/** Their settings change nothing here. */
const SAME_AS_OTHERS = ["redis-default", "ioredis-auto"] as const
const ALL_PEERS = [...SAME_AS_OTHERS, "redis-untimed", "ioredis"] as const

export const pubsubWorkloads: readonly Workload[] = [
  receiving({ name: "pubsub-1ch", subscribe: toChannels }),
  receiving({ name: "pubsub-1ch-1k", payloadBytes: LARGE, subscribe: toChannels }),
  receiving({ name: "pubsub-1000ch", channels: 1000, subscribe: toChannels }),
  receiving({ name: "pubsub-10subs", subscriptions: SUBSCRIPTIONS, subscribe: toChannels }),
  receiving({ name: "pubsub-pattern", channels: PATTERN_CHANNELS, subscribe: toPattern }),
  {
    ...receiving({ name: "pubsub-iterator", subscribe: byIterator }),
    bar: undefined,
    without: ALL_PEERS,
  },
  { ...resubscribeWorkload, without: ALL_PEERS },
]

interface Spec {
  readonly name: string
  readonly channels?: number
  readonly subscriptions?: number
  readonly payloadBytes?: number
  subscribe(subscriber: Subscriber, names: Names, receive: Receive): Promise<unknown>
}

interface Names {
  readonly channels: readonly string[]
  readonly pattern: string
}

interface Open {
  readonly subscriber: Subscriber
  readonly publisher: Publisher
}

/** What the workload before this one has left: no workload is told when its last round is over. */
let open: Open | undefined

function receiving({
  name,
  channels = 1,
  subscriptions = 1,
  payloadBytes = SMALL,
  subscribe,
}: Spec): Workload {
  let reception: Reception
  let messages = 1
  const receive = (count: number): Promise<void> => reception.receive(count)
  return {
    name,
    unit: "us",
    bar: againstUntimed(0.5),
    without: SAME_AS_OTHERS,
    prepare: async (bench, seconds) => {
      const names = ownChannels(channels)
      const { subscriber, publisher } = await openBoth(bench, { channels: names.channels, payloadBytes })
      reception = new Reception(publisher, { channels: names.channels, payloadBytes }, subscriptions)
      for (const handler of reception.handlers) await subscribe(subscriber, names, handler)
      await reception.verify()
      messages = await calibrate(receive, reception.step, seconds)
    },
    measure: () => sample(messages, () => receive(messages)),
  }
}

async function openBoth(bench: Bench, publication: Publication): Promise<Open> {
  const before = open
  open = undefined
  await Promise.all([before?.subscriber.close(), before?.publisher.stop()])
  const publisher = await Publisher.start({ url: bench.url, publication })
  open = { publisher, subscriber: await bench.connectSubscriber() }
  return open
}

function toChannels(subscriber: Subscriber, { channels }: Names, receive: Receive): Promise<unknown> {
  return subscriber.subscribe(channels, receive)
}

function toPattern(subscriber: Subscriber, { pattern }: Names, receive: Receive): Promise<unknown> {
  return subscriber.psubscribe(pattern, receive)
}

async function byIterator(subscriber: Subscriber, { channels }: Names, receive: Receive): Promise<void> {
  if (subscriber.iterate === undefined) throw new Error("the client has no iterator")
  await subscriber.iterate(channels, receive)
}
