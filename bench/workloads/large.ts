// Large replies and large arguments, one at a time: collections, and values of 1 and 10 MiB.
import assert from "node:assert/strict"
import type { Client } from "../clients/client.ts"
import { type BigSize, bigHash, bigKey, bigList, bigSetKey, bigText, bigUnicode } from "../data.ts"
import { timed } from "./timed.ts"
import { againstUntimed, type Bar, type Workload } from "./workload.ts"

const SIZES = ["1m", "10m"] as const
const AUTO_PIPELINING_CHANGES_NOTHING = ["ioredis-auto"] as const

export const largeWorkloads: readonly Workload[] = [
  list(),
  hash(),
  ownHash(),
  ...SIZES.map((size) => getString(`get-${size}-string`, bigKey(size), () => bigText(size), 0.6)),
  ...SIZES.map(getBuffer),
  ...SIZES.map(setString),
  ...SIZES.map(setBuffer),
  getString("get-1m-unicode", bigKey("1m-unicode"), bigUnicode, 0.4),
]

interface OneByOne {
  readonly name: string
  readonly bar?: Bar
  verify(client: Client): Promise<void>
  once(client: Client): Promise<unknown>
}

function oneByOne({ once, ...spec }: OneByOne): Workload {
  return timed({
    ...spec,
    step: 1,
    without: AUTO_PIPELINING_CHANGES_NOTHING,
    run: async (client, operations) => {
      for (let i = 0; i < operations; i++) await once(client)
    },
  })
}

function list(): Workload {
  return oneByOne({
    name: "lrange-10k",
    bar: againstUntimed(0.6),
    verify: verifyList,
    once: (client) => client.lrange(bigList.key),
  })
}

export async function verifyList(client: Client): Promise<void> {
  assert.deepEqual(await client.lrange(bigList.key), bigList.items)
}

function hash(): Workload {
  return oneByOne({
    name: "hgetall-1k",
    bar: againstUntimed(0.6),
    verify: async (client) => assert.deepEqual({ ...(await client.hgetall(bigHash.key)) }, bigHash.fields),
    once: (client) => client.hgetall(bigHash.key),
  })
}

// Not the same work for all: the driver gives the flat array, as Redis sends it, the peers an object. Hence no bar.
function ownHash(): Workload {
  return oneByOne({
    name: "hgetall-1k-own",
    verify: async (client) => assert.equal(typeof (await client.hgetallOwn(bigHash.key)), "object"),
    once: (client) => client.hgetallOwn(bigHash.key),
  })
}

function getString(name: string, key: string, expected: () => string, limit: number): Workload {
  return oneByOne({
    name,
    bar: againstUntimed(limit),
    verify: async (client) => assert.ok((await client.get(key)) === expected(), `${name}: a wrong value`),
    once: (client) => client.get(key),
  })
}

function getBuffer(size: BigSize): Workload {
  return oneByOne({
    name: `get-${size}-buffer`,
    bar: againstUntimed(0.6),
    verify: async (client) => {
      const value = await client.getBuffer(bigKey(size))
      assert.ok(value !== null && Buffer.isBuffer(value), "not a Buffer")
      assert.ok(value.equals(Buffer.from(bigText(size))), "a wrong value")
    },
    once: (client) => client.getBuffer(bigKey(size)),
  })
}

function setString(size: BigSize): Workload {
  const value = bigText(size)
  return setting(`set-${size}-string`, value, value, 0.6)
}

function setBuffer(size: BigSize): Workload {
  const value = bigText(size)
  return setting(`set-${size}-buffer`, Buffer.from(value), value, 1.1)
}

function setting(name: string, value: string | Buffer, text: string, limit: number): Workload {
  return oneByOne({
    name,
    bar: againstUntimed(limit),
    verify: async (client) => {
      assert.equal(await client.set(bigSetKey, value), "OK")
      assert.ok((await client.get(bigSetKey)) === text, `${name}: a wrong value`)
    },
    once: (client) => client.set(bigSetKey, value),
  })
}
