// How node-redis (the package `redis`) is asked, in two settings. `redis-default`: out of the box and through its typed
// methods, as its documentation writes it. `redis-untimed`: the fastest that its public API gives. A `timeout` of 0 in
// `commandOptions` spares it the `AbortSignal.timeout` that it otherwise makes for each command, `sendCommand` goes
// around its argument parsers, and for a pipeline many `sendCommand` in one tick cost less than its `multi()` object.
import { createClient, RESP_TYPES } from "redis"
import type { Client, Connect } from "./client.ts"

const AS_BUFFER = { [RESP_TYPES.BLOB_STRING]: Buffer }
const UNTIMED = { timeout: 0 }
const UNTIMED_BUFFER = { timeout: 0, typeMapping: AS_BUFFER }

export const connectRedisDefault: Connect = async (url) => adaptDefault(await open(createClient({ url })))

export const connectRedisUntimed: Connect = async (url) =>
  adaptUntimed(await open(createClient({ url, commandOptions: UNTIMED })))

type NodeRedis = ReturnType<typeof createClient>

async function open<T extends Pick<NodeRedis, "on" | "connect">>(client: T): Promise<T> {
  client.on("error", () => {}) // without a listener an error would end the process; requests reject all the same
  await client.connect()
  return client
}

function adaptDefault(client: NodeRedis): Client {
  const buffers = client.withTypeMapping(AS_BUFFER)
  return {
    get: (key) => client.get(key),
    getBuffer: (key) => buffers.get(key),
    set: (key, value) => client.set(key, value),
    incr: (key) => client.incr(key),
    lrange: (key) => client.lRange(key, 0, -1),
    hgetall: (key) => client.hGetAll(key),
    hgetallOwn: (key) => client.hGetAll(key),
    pipelineGet: (keys) => pipelineGet(client, keys),
    pipelineSet: (keys, value) => pipelineSet(client, keys, value),
    pipelineValues: (replies) => [...replies],
    block: (key) => client.blPop(key, 0),
    push: (key, element) => client.lPush(key, element),
    close: () => client.close(),
  }
}

function pipelineGet(client: NodeRedis, keys: readonly string[]): Promise<readonly unknown[]> {
  const multi = client.multi()
  for (const key of keys) multi.get(key)
  return multi.execAsPipeline()
}

function pipelineSet(client: NodeRedis, keys: readonly string[], value: string): Promise<readonly unknown[]> {
  const multi = client.multi()
  for (const key of keys) multi.set(key, value)
  return multi.execAsPipeline()
}

function adaptUntimed(client: NodeRedis): Client {
  return {
    get: (key) => client.sendCommand<string | null>(["GET", key]),
    getBuffer: (key) => client.sendCommand<Buffer | null>(["GET", key], UNTIMED_BUFFER),
    set: (key, value) => client.sendCommand(["SET", key, value]),
    incr: (key) => client.sendCommand(["INCR", key]),
    lrange: (key) => client.sendCommand<string[]>(["LRANGE", key, "0", "-1"]),
    hgetall: (key) => client.sendCommand<Record<string, string>>(["HGETALL", key]),
    hgetallOwn: (key) => client.sendCommand(["HGETALL", key]),
    pipelineGet: (keys) => Promise.all(keys.map((key) => client.sendCommand(["GET", key]))),
    pipelineSet: (keys, value) => Promise.all(keys.map((key) => client.sendCommand(["SET", key, value]))),
    pipelineValues: (replies) => [...replies],
    block: (key) => client.sendCommand(["BLPOP", key, "0"]),
    push: (key, element) => client.sendCommand(["LPUSH", key, element]),
    close: () => client.close(),
  }
}
