// Memory on the JavaScript heap and outside it (buffers): of an idle connection, and of a command that waits for its
// reply. Measured in a fresh process, so that nothing which a client keeps for reuse from before makes it look cheaper.
import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import type { Client } from "../clients/client.ts"
import { blockKey, smallValue } from "../data.ts"
import { getMany } from "./small.ts"
import { atMost, type Bench, type Sample, type Workload } from "./workload.ts"

const CONNECTIONS = 1000
const CONNECTED_TOGETHER = 50
const QUEUED = 100_000
const WARM_UP_QUEUED = 2000
const SETTLING = 400 // ms until everything is written or its connection is quiet

export const memoryWorkloads: readonly Workload[] = [
  {
    name: "mem-idle",
    unit: "bytes",
    isolated: true,
    without: ["ioredis-auto"],
    bar: atMost(4096),
    prepare: async (bench) => closeAll(await openMany(bench, CONNECTED_TOGETHER)),
    measure: measureIdle,
  },
  {
    name: "mem-queued",
    unit: "bytes",
    isolated: true,
    without: ["redis-default", "ioredis-auto"], // the former's timers fire before all is written, on a busy machine
    bar: atMost(350),
    prepare: async (bench) => void (await queue(bench, WARM_UP_QUEUED)),
    measure: async (bench) => ({ value: await queue(bench, QUEUED), operations: QUEUED }),
  },
]

async function measureIdle(bench: Bench): Promise<Sample> {
  const before = await occupied()
  const clients = await openMany(bench, CONNECTIONS)
  const after = await occupied()
  assert.equal(await clients[CONNECTIONS - 1]!.get("redix-bench:no-such-key"), null)
  await closeAll(clients)
  return { value: (after - before) / CONNECTIONS, operations: CONNECTIONS }
}

async function openMany(bench: Bench, count: number): Promise<Client[]> {
  const clients: Client[] = []
  while (clients.length < count)
    clients.push(...(await Promise.all(Array.from({ length: CONNECTED_TOGETHER }, () => bench.connect()))))
  return clients
}

async function closeAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()))
}

// The server answers nothing on a connection that waits for an element of a list, but goes on reading from it.
async function queue(bench: Bench, count: number): Promise<number> {
  const client = await bench.connect()
  const blocked = client.block(blockKey)
  const before = await occupied()
  const requests = getMany(client, count)
  const after = await occupied()
  await bench.client.push(blockKey, "go on")
  const replies = await Promise.all(requests)
  assert.ok(replies.every((reply) => reply === smallValue))
  await blocked
  await client.close()
  return (after - before) / count
}

async function occupied(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error("needs --expose-gc")
  await sleep(SETTLING)
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
