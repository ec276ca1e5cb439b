/**
 * Random lives of a subscriber, after the stateful property test of Redix. REDIX_PUBSUB_RUNS says how many (thousands
 * are fine), REDIX_PUBSUB_SEED which ones; a failure prints its seed, and the shortest life that fails.
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import { PubSub } from "@redix/client"
import fc from "fast-check"
import { until } from "../../support/wait.ts"
import { sharedServer, uniqueKey } from "../contract/helpers.ts"
import { FakePubSub } from "./fake-pubsub.ts"
import { Life, type Step } from "./model.ts"
import { Log, publisher, quick, sorted } from "./setup.ts"

const runs = Number(process.env["REDIX_PUBSUB_RUNS"] ?? 100)
const seed = Number(process.env["REDIX_PUBSUB_SEED"] ?? Date.now() % 1_000_000_000)

const server = await sharedServer()

const settings = {
  seed,
  includeErrorInReport: true,
  // Ends the search for the shortest failure, should each try take its time.
  interruptAfterTimeLimit: 40_000 + runs * 300,
}

const kind = fc.constantFrom("channel" as const, "pattern" as const, "shard" as const)
const topic = fc.nat(2)
const wait = fc.boolean()

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("subscribe" as const),
      kind,
      topics: fc.uniqueArray(topic, { minLength: 1, maxLength: 3 }),
      iterator: fc.boolean(),
      wait,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("unsubscribe" as const),
      pick: fc.nat(20),
      how: fc.constantFrom("method" as const, "dispose" as const, "signal" as const, "topic" as const),
      wait,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("unsubscribeAll" as const),
      kind,
      topic: fc.option(topic, { nil: undefined }),
      wait,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("publish" as const),
      channel: topic,
      shard: fc.boolean(),
      wait,
    }),
  },
  { weight: 2, arbitrary: fc.constant({ type: "kill" as const }) },
  { weight: 3, arbitrary: fc.constant({ type: "turn" as const }) },
  { weight: 3, arbitrary: fc.constant({ type: "settle" as const }) },
)

test(`random lives: every subscription is told what it must, and nothing else (${runs} runs)`, {
  timeout: 120_000 + runs * 600,
}, async (t) => {
  const conn = await publisher(t, server)
  const property = fc.asyncProperty(
    fc.constantFrom(2 as const, 3 as const),
    fc.array(step, { minLength: 1, maxLength: 40, size: "max" }),
    (protocol, steps) => new Life(server, conn, protocol, uniqueKey("life")).run(steps),
  )
  await fc.assert(property, { ...settings, numRuns: runs })
})

type LargeStep =
  | { readonly type: "subscribe"; readonly from: number; readonly length: number; readonly wait: boolean }
  | { readonly type: "unsubscribe"; readonly pick: number; readonly wait: boolean }
  | { readonly type: "reset" }
  | { readonly type: "settle" }

const names = Array.from({ length: 3_000 }, (_, index) => `channel:${index}`)

const largeStep: fc.Arbitrary<LargeStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("subscribe" as const),
      from: fc.nat(names.length - 1),
      length: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1_500 })),
      wait,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("unsubscribe" as const), pick: fc.nat(50), wait }),
  },
  { weight: 2, arbitrary: fc.constant({ type: "reset" as const }) },
  { weight: 1, arbitrary: fc.constant({ type: "settle" as const }) },
)

interface Part {
  readonly names: readonly string[]
  readonly log: Log
  readonly stop: AbortController
  left: boolean
}

/** A life with thousands of channels, on a server that counts, answers late, and cuts what it says anywhere. */
async function largeLife(
  fake: FakePubSub,
  protocol: 2 | 3,
  lag: number,
  steps: readonly LargeStep[],
): Promise<void> {
  const pubsub = PubSub.start({
    ...quick,
    host: fake.host,
    port: fake.port,
    protocol,
    commandTimeout: 30_000,
  })
  const parts: Part[] = []
  const pending: Promise<unknown>[] = []
  const open = () => parts.filter(({ left }) => !left)
  const first = fake.server.connections.length
  let resets = 0
  let losses = 0
  pubsub.on("disconnection", () => {
    losses += 1
  })
  // Each answer comes some turns late, but in order.
  fake.held = (command, connection) => {
    let turns = lag
    const later = () => {
      if (turns-- > 0) setImmediate(later)
      else fake.answer(command, connection)
    }
    later()
    return true
  }
  const later = async (promise: Promise<unknown>, waits: boolean) => {
    promise.catch(() => undefined)
    pending.push(promise)
    if (waits) await promise
  }
  const settle = async () => {
    await Promise.all(pending)
    await until(() => losses === resets, { timeout: 30_000 })
    await pubsub.ready()
    await pubsub.ping()
    const wanted = new Set(open().flatMap((part) => part.names))
    await until(() => open().every(({ log, names }) => isConfirmed(log, names)), {
      timeout: 30_000,
      message: "every channel to be confirmed",
    })
    await pubsub.ping()
    assert.deepEqual(sorted([...fake.topics()]), sorted([...wanted]))
    assert.deepEqual(fake.complaints, [])
  }
  try {
    await pubsub.ready()
    for (const each of steps) {
      if (each.type === "subscribe") {
        const part: Part = {
          names: names.slice(each.from, each.from + each.length),
          log: new Log(),
          stop: new AbortController(),
          left: false,
        }
        parts.push(part)
        const { signal } = part.stop
        const asked = pubsub.subscribe(part.names, part.log.handler, { signal })
        await later(
          asked.catch((error: unknown) => assert.equal(error, signal.reason)),
          each.wait,
        )
      } else if (each.type === "unsubscribe") {
        const part = open()[each.pick % Math.max(1, open().length)]
        if (!part) continue
        part.left = true
        part.stop.abort(new Error("given up"))
      } else if (each.type === "reset") {
        await settle()
        resets += 1
        fake.connection.reset()
      } else await settle()
    }
    await settle()
    // One more reconnection: few commands, and each name once.
    resets += 1
    fake.connection.reset()
    await settle()
    const commands = fake.commands("SUBSCRIBE").length
    assert.ok(commands <= 10, `${commands} commands`)
    assert.equal(fake.server.connections.length - first, resets + 1)
    for (const name of fake.topics()) fake.publish(name, name)
    await pubsub.ping()
    for (const { left, log, names } of parts)
      assert.deepEqual(sorted(log.payloads), left ? [] : sorted(names))
  } finally {
    pubsub.destroy()
  }
}

/** Whether every name was confirmed since the last gap; each of them once. */
function isConfirmed(log: Log, names: readonly string[]): boolean {
  const gap = log.events.map(({ type }) => type).lastIndexOf("disconnected")
  const confirmed = log.events.slice(gap + 1).filter(({ type }) => type === "subscribed")
  const distinct = new Set(confirmed.map(({ channel }) => channel))
  assert.equal(confirmed.length, distinct.size, "a channel was subscribed twice, without a gap in between")
  return distinct.size === names.length
}

const largeRuns = Math.max(1, Math.ceil(runs / 10))

test(`random lives with thousands of channels (${largeRuns} runs)`, {
  timeout: 120_000 + runs * 600,
}, async (t) => {
  const property = fc.asyncProperty(
    fc.constantFrom(2 as const, 3 as const),
    fc.nat(3),
    fc.array(largeStep, { minLength: 1, maxLength: 15, size: "max" }),
    async (protocol, lag, steps) => {
      const fake = await FakePubSub.start(t)
      await largeLife(fake, protocol, lag, steps)
      await fake.server.stop()
    },
  )
  await fc.assert(property, { ...settings, numRuns: largeRuns })
})
