// Small commands: one at a time, many at once, in loops of their own, and in pipelines.
import assert from "node:assert/strict"
import type { Client } from "../clients/client.ts"
import { counterKey, setKeys, smallHash, smallKeys, smallValue, unicodeKeys, unicodeValue } from "../data.ts"
import { timed } from "./timed.ts"
import { againstBest, againstUntimed, type Workload } from "./workload.ts"

const COUNTED_TOGETHER = 0.6
const MIXED_WIDTH = 64

export const smallWorkloads: readonly Workload[] = [
  sequence(),
  batch(64),
  batch(1000),
  loops(64),
  loops(1000),
  pipelineGet(100),
  pipelineSet(100),
  pipelineGet(1000),
  pipelineSet(1000),
  mixed(),
  unicode(),
]

function sequence(): Workload {
  return timed({
    name: "seq",
    bar: againstBest(0.9),
    without: ["ioredis-auto"],
    step: 50,
    verify: (client) => verifyGets(client, 50),
    run: async (client, operations) => {
      for (let i = 0; i < operations; i++) await client.get(keyAt(i))
    },
  })
}

function batch(width: number): Workload {
  return timed({
    name: `batch-${width}`,
    bar: againstUntimed(COUNTED_TOGETHER),
    step: width,
    verify: (client) => verifyGets(client, width),
    run: async (client, operations) => {
      for (let done = 0; done < operations; done += width) await Promise.all(getMany(client, width))
    },
  })
}

function loops(width: number): Workload {
  return timed({
    name: `loop-${width}`,
    bar: againstUntimed(COUNTED_TOGETHER),
    step: width,
    verify: (client) => verifyGets(client, width),
    run: async (client, operations) => {
      const each = operations / width
      await Promise.all(Array.from({ length: width }, (_, start) => loop(client, start, each)))
    },
  })
}

async function loop(client: Client, start: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await client.get(keyAt(start + i))
}

function pipelineGet(width: number): Workload {
  const keys = smallKeys.slice(0, width)
  return timed({
    name: `pipe-${width}-get`,
    bar: againstUntimed(0.4),
    without: ["ioredis-auto"],
    step: width,
    verify: async (client) => {
      const values = client.pipelineValues(await client.pipelineGet(keys))
      assert.deepEqual(values, new Array(width).fill(smallValue))
    },
    run: async (client, operations) => {
      for (let done = 0; done < operations; done += width) await client.pipelineGet(keys)
    },
  })
}

function pipelineSet(width: number): Workload {
  const keys = setKeys.slice(0, width)
  return timed({
    name: `pipe-${width}-set`,
    bar: againstUntimed(0.4),
    without: ["ioredis-auto"],
    step: width,
    verify: async (client) => {
      const values = client.pipelineValues(await client.pipelineSet(keys, smallValue))
      assert.deepEqual(values, new Array(width).fill("OK"))
      assert.equal(await client.get(setKeys[width - 1]!), smallValue)
    },
    run: async (client, operations) => {
      for (let done = 0; done < operations; done += width) await client.pipelineSet(keys, smallValue)
    },
  })
}

function mixed(): Workload {
  return timed({
    name: "mixed",
    bar: againstUntimed(COUNTED_TOGETHER),
    step: MIXED_WIDTH,
    verify: async (client) => {
      const count = Number(await client.incr(counterKey))
      const replies = await Promise.all(mixture(client, 4))
      assert.deepEqual(replies.slice(0, 3), [smallValue, "OK", count + 1])
      assert.deepEqual({ ...(replies[3] as object) }, smallHash.fields)
    },
    run: async (client, operations) => {
      for (let done = 0; done < operations; done += MIXED_WIDTH)
        await Promise.all(mixture(client, MIXED_WIDTH))
    },
  })
}

function mixture(client: Client, width: number): Promise<unknown>[] {
  const requests: Promise<unknown>[] = []
  for (let i = 0; i < width; i += 4) {
    requests.push(client.get(smallKeys[i]!), client.set(setKeys[i]!, smallValue))
    requests.push(client.incr(counterKey), client.hgetall(smallHash.key))
  }
  return requests
}

function unicode(): Workload {
  const width = unicodeKeys.length
  return timed({
    name: "unicode",
    bar: againstUntimed(0.8),
    step: width,
    verify: async (client) => {
      await Promise.all(writeAndRead(client))
      assert.deepEqual(
        await Promise.all(unicodeKeys.map((key) => client.get(key))),
        unicodeKeys.map(() => unicodeValue),
      )
    },
    run: async (client, operations) => {
      for (let done = 0; done < operations; done += width) await Promise.all(writeAndRead(client))
    },
  })
}

function writeAndRead(client: Client): Promise<unknown>[] {
  return unicodeKeys.map((key, i) => (i % 2 === 0 ? client.set(key, unicodeValue) : client.get(key)))
}

async function verifyGets(client: Client, width: number): Promise<void> {
  assert.deepEqual(await Promise.all(getMany(client, width)), new Array(width).fill(smallValue))
  assert.equal(await client.get("redix-bench:no-such-key"), null)
}

export function getMany(client: Client, width: number): Promise<string | null>[] {
  const requests: Promise<string | null>[] = []
  for (let i = 0; i < width; i++) requests.push(client.get(keyAt(i)))
  return requests
}

function keyAt(i: number): string {
  return smallKeys[i % smallKeys.length]!
}
