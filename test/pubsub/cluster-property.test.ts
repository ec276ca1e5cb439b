/**
 * Random lives of a subscriber in a cluster whose slots move and whose connections break, against a model. REDIX_PUBSUB_SEED
 * says which ones, REDIX_PUBSUB_CLUSTER_RUNS how many; a failure prints its seed.
 */
import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { PubSub, type Subscription } from "@redix/client"
import { keyIn, slotOf } from "../../support/slots.ts"
import { until } from "../../support/wait.ts"
import { closing } from "../contract/helpers.ts"
import { FakePubSubCluster } from "./cluster-fake.ts"
import { Log, quick } from "./setup.ts"

const runs = Number(process.env["REDIX_PUBSUB_CLUSTER_RUNS"] ?? 6)
const firstSeed = Number(process.env["REDIX_PUBSUB_SEED"] ?? Date.now() % 1_000_000_000)
const steps = 60

const slots = [100, 101, 8000, 16_000]
const channels = slots.flatMap((slot) => [keyIn(slot, "one"), keyIn(slot, "two")])

interface Sub {
  readonly log: Log
  readonly channels: Set<string>
  readonly subscription: Subscription
}

/** Numbers in [0, limit), the same for the same seed (mulberry32). */
function random(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit)
  }
}

class Life {
  readonly #nodes: FakePubSubCluster
  readonly #pubsub: PubSub
  readonly #next: (limit: number) => number
  readonly #subs: Sub[] = []
  readonly #waiting: Promise<unknown>[] = []
  #published = 0

  constructor(nodes: FakePubSubCluster, pubsub: PubSub, next: (limit: number) => number) {
    this.#nodes = nodes
    this.#pubsub = pubsub
    this.#next = next
  }

  async step(): Promise<void> {
    const node = this.#nodes.node(this.#next(3))
    const slot = this.#pick(slots)
    switch (this.#next(8)) {
      case 0:
      case 1:
        this.#waiting.push(this.#subscribe())
        break
      case 2:
        this.#waiting.push(this.#unsubscribe())
        break
      case 3:
        this.#nodes.move(slot, node, this.#next(2) === 0)
        break
      case 4:
        if (this.#next(4) === 0) this.#nodes.reset(node)
        break
      case 5:
        this.#waiting.push(this.#unsubscribeSome())
        break
      case 6:
        this.#nodes.spublish(this.#pick(channels), `${this.#published++}`)
        break
      default:
        await new Promise((resolve) => setTimeout(resolve, this.#next(8)))
    }
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#next(items.length)] as T
  }

  async #subscribe(): Promise<void> {
    const log = new Log()
    const wanted = new Set(Array.from({ length: 1 + this.#next(4) }, () => this.#pick(channels)))
    const subscription = await this.#pubsub.ssubscribe([...wanted], log.handler, { timeout: 30_000 })
    for (const channel of wanted)
      assert.ok(log.lines.includes(`ssubscribed ${channel}`), `${channel} was not told of`)
    this.#subs.push({ log, channels: wanted, subscription })
  }

  async #unsubscribe(): Promise<void> {
    if (this.#subs.length === 0) return
    const [sub] = this.#subs.splice(this.#next(this.#subs.length), 1)
    await sub?.subscription.unsubscribe()
  }

  async #unsubscribeSome(): Promise<void> {
    if (this.#subs.length === 0) return
    const sub = this.#pick(this.#subs)
    const channel = this.#pick([...sub.channels])
    sub.channels.delete(channel)
    if (sub.channels.size === 0) this.#subs.splice(this.#subs.indexOf(sub), 1)
    await this.#pubsub.sunsubscribe(channel, sub.subscription)
  }

  /** Waits until all is done, and looks whether the nodes and the subscriptions have what they should. */
  async settle(): Promise<void> {
    for (const slot of slots) this.#nodes.fake.assign(slot, this.#nodes.ownerOf(slot))
    await Promise.all(this.#waiting)
    const wanted = new Set(this.#subs.flatMap((sub) => [...sub.channels]))
    for (const channel of channels) {
      const owner = this.#nodes.ownerOf(slotOf(channel))
      await until(
        () => {
          const listeners = this.#nodes.listeners("SSUBSCRIBE", channel)
          return wanted.has(channel)
            ? listeners.length === 1 && listeners[0] === owner
            : listeners.length === 0
        },
        { timeout: 20_000, message: () => `${channel} to be wanted at node ${owner.index} only` },
      )
    }
    await this.#checkMessages()
    const nodes = new Set([...wanted].map((channel) => this.#nodes.ownerOf(slotOf(channel))))
    await until(() => this.#nodes.fake.openConnections <= nodes.size + 2)
    assert.deepEqual(this.#nodes.complaints, [])
  }

  async #checkMessages(): Promise<void> {
    for (const channel of channels) this.#nodes.spublish(channel, `last ${channel}`)
    for (const { log, channels: own } of this.#subs) {
      for (const channel of own) await log.untilPayload(`last ${channel}`)
      assert.equal(new Set(log.payloads).size, log.payloads.length, "a message came twice")
    }
  }
}

async function live(t: TestContext, seed: number): Promise<void> {
  const next = random(seed)
  const nodes = await FakePubSubCluster.start(t)
  const cluster = { nodes: nodes.fake.urls(), topologyRefreshInterval: 500 }
  const protocol = seed % 2 === 0 ? 2 : 3
  const pubsub = closing(t, await PubSub.connect({ ...quick, protocol, cluster }))
  const life = new Life(nodes, pubsub, next)
  for (let count = 0; count < steps; count++) await life.step()
  await life.settle()
  for (let count = 0; count < steps; count++) await life.step()
  await life.settle()
  await pubsub.close()
  await until(() => nodes.fake.openConnections === 0)
}

for (let run = 0; run < runs; run++) {
  const seed = firstSeed + run
  test(`a random life in a cluster, seed ${seed}`, (t) => live(t, seed))
}
