// How node-redis (the package `redis`) is asked out of the box: through its typed methods, as its documentation does.
import { createClient, RESP_TYPES } from "redis"
import type { Client, Connect } from "./client.ts"

export type NodeRedis = ReturnType<typeof createClient>

export const AS_BUFFER = { [RESP_TYPES.BLOB_STRING]: Buffer }

export const connectRedisDefault: Connect = async (url) =>
  new DefaultClient(await open(createClient({ url })))

export async function open(client: NodeRedis): Promise<NodeRedis> {
  client.on("error", ignore)
  await client.connect()
  return client
}

// Without a listener an error would end the process; requests reject all the same.
function ignore(): void {}

class DefaultClient implements Client {
  readonly #client: NodeRedis

  constructor(client: NodeRedis) {
    this.#client = client
  }

  get(key: string): Promise<string | null> {
    return this.#client.get(key)
  }

  getBuffer(key: string): Promise<Buffer | null> {
    return this.#client.withTypeMapping(AS_BUFFER).get(key)
  }

  set(key: string, value: string | Buffer): Promise<unknown> {
    return this.#client.set(key, value)
  }

  incr(key: string): Promise<unknown> {
    return this.#client.incr(key)
  }

  lrange(key: string): Promise<readonly string[]> {
    return this.#client.lRange(key, 0, -1)
  }

  hgetall(key: string): Promise<Readonly<Record<string, string>>> {
    return this.#client.hGetAll(key)
  }

  hgetallOwn(key: string): Promise<unknown> {
    return this.#client.hGetAll(key)
  }

  pipelineGet(keys: readonly string[]): Promise<readonly unknown[]> {
    const multi = this.#client.multi()
    for (const key of keys) multi.get(key)
    return multi.execAsPipeline()
  }

  pipelineSet(keys: readonly string[], value: string): Promise<readonly unknown[]> {
    const multi = this.#client.multi()
    for (const key of keys) multi.set(key, value)
    return multi.execAsPipeline()
  }

  pipelineValues(replies: readonly unknown[]): unknown[] {
    return [...replies]
  }

  block(key: string): Promise<unknown> {
    return this.#client.blPop(key, 0)
  }

  push(key: string, element: string): Promise<unknown> {
    return this.#client.lPush(key, element)
  }

  close(): Promise<unknown> {
    return this.#client.close()
  }
}
