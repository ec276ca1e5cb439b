// How ioredis is asked: by its methods and its pipeline object, with and without its automatic pipelining.
import { Redis } from "ioredis"
import type { Client, Connect } from "./client.ts"

export const connectIoredis: Connect = (url) => connect(url, false)
export const connectIoredisAuto: Connect = (url) => connect(url, true)

async function connect(url: string, enableAutoPipelining: boolean): Promise<Client> {
  const redis = new Redis(url, { enableAutoPipelining, lazyConnect: true })
  await redis.connect()
  return adapt(redis)
}

function adapt(redis: Redis): Client {
  return {
    get: (key) => redis.get(key),
    getBuffer: (key) => redis.getBuffer(key),
    set: (key, value) => redis.set(key, value),
    incr: (key) => redis.incr(key),
    lrange: (key) => redis.lrange(key, 0, -1),
    hgetall: (key) => redis.hgetall(key),
    hgetallOwn: (key) => redis.hgetall(key),
    pipelineGet: (keys) => pipelineGet(redis, keys),
    pipelineSet: (keys, value) => pipelineSet(redis, keys, value),
    pipelineValues: (replies) => replies.map(valueOrThrow),
    block: (key) => redis.blpop(key, 0),
    push: (key, element) => redis.lpush(key, element),
    close: () => redis.quit(),
  }
}

async function pipelineGet(redis: Redis, keys: readonly string[]): Promise<readonly unknown[]> {
  const pipeline = redis.pipeline()
  for (const key of keys) pipeline.get(key)
  return (await pipeline.exec()) ?? []
}

async function pipelineSet(
  redis: Redis,
  keys: readonly string[],
  value: string,
): Promise<readonly unknown[]> {
  const pipeline = redis.pipeline()
  for (const key of keys) pipeline.set(key, value)
  return (await pipeline.exec()) ?? []
}

// ioredis answers a pipeline with pairs of an error and a value.
function valueOrThrow(pair: unknown): unknown {
  if (!Array.isArray(pair)) throw new TypeError("a pipeline's reply is not a pair")
  const [error, value]: unknown[] = pair
  if (error !== null) throw error
  return value
}
