// How ioredis is asked: by its methods and its pipeline object, with and without its automatic pipelining.
import { Redis } from "ioredis"
import type { Client, Connect } from "./client.ts"

export const connectIoredis: Connect = (url) => connect(url, false)
export const connectIoredisAuto: Connect = (url) => connect(url, true)

async function connect(url: string, enableAutoPipelining: boolean): Promise<Client> {
  const redis = new Redis(url, { enableAutoPipelining, lazyConnect: true })
  await redis.connect()
  return new IoredisClient(redis)
}

class IoredisClient implements Client {
  readonly #redis: Redis

  constructor(redis: Redis) {
    this.#redis = redis
  }

  get(key: string): Promise<string | null> {
    return this.#redis.get(key)
  }

  getBuffer(key: string): Promise<Buffer | null> {
    return this.#redis.getBuffer(key)
  }

  set(key: string, value: string | Buffer): Promise<unknown> {
    return this.#redis.set(key, value)
  }

  incr(key: string): Promise<unknown> {
    return this.#redis.incr(key)
  }

  lrange(key: string): Promise<readonly string[]> {
    return this.#redis.lrange(key, 0, -1)
  }

  hgetall(key: string): Promise<Readonly<Record<string, string>>> {
    return this.#redis.hgetall(key)
  }

  hgetallOwn(key: string): Promise<unknown> {
    return this.#redis.hgetall(key)
  }

  async pipelineGet(keys: readonly string[]): Promise<readonly unknown[]> {
    const pipeline = this.#redis.pipeline()
    for (const key of keys) pipeline.get(key)
    return (await pipeline.exec()) ?? []
  }

  async pipelineSet(keys: readonly string[], value: string): Promise<readonly unknown[]> {
    const pipeline = this.#redis.pipeline()
    for (const key of keys) pipeline.set(key, value)
    return (await pipeline.exec()) ?? []
  }

  pipelineValues(replies: readonly unknown[]): unknown[] {
    return replies.map(valueOrThrow)
  }

  block(key: string): Promise<unknown> {
    return this.#redis.blpop(key, 0)
  }

  push(key: string, element: string): Promise<unknown> {
    return this.#redis.lpush(key, element)
  }

  close(): Promise<unknown> {
    return this.#redis.quit()
  }
}

// ioredis answers a pipeline with pairs of an error and a value.
function valueOrThrow(pair: unknown): unknown {
  if (!Array.isArray(pair)) throw new TypeError("a pipeline's reply is not a pair")
  const [error, value]: unknown[] = pair
  if (error !== null) throw error
  return value
}
