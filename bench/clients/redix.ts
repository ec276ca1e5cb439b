// How the driver of this repository is asked: by its package name, that is as built in `dist`, with its default options.
import { Redix } from "@redix/client"
import type { Client, Connect } from "./client.ts"

const BUFFER = { encoding: "buffer" } as const

export const connectRedix: Connect = async (url) => new RedixClient(await Redix.connect(url))

class RedixClient implements Client {
  readonly #conn: Redix

  constructor(conn: Redix) {
    this.#conn = conn
  }

  get(key: string): Promise<string | null> {
    return this.#conn.command(["GET", key])
  }

  getBuffer(key: string): Promise<Buffer | null> {
    return this.#conn.command(["GET", key], BUFFER)
  }

  set(key: string, value: string | Buffer): Promise<unknown> {
    return this.#conn.command(["SET", key, value])
  }

  incr(key: string): Promise<unknown> {
    return this.#conn.command(["INCR", key])
  }

  lrange(key: string): Promise<readonly string[]> {
    return this.#conn.command(["LRANGE", key, 0, -1])
  }

  hgetall(key: string): Promise<Readonly<Record<string, string>>> {
    return this.#conn.command(["HGETALL", key]).then(toObject)
  }

  hgetallOwn(key: string): Promise<unknown> {
    return this.#conn.command(["HGETALL", key])
  }

  pipelineGet(keys: readonly string[]): Promise<readonly unknown[]> {
    return this.#conn.pipeline(keys.map((key) => ["GET", key]))
  }

  pipelineSet(keys: readonly string[], value: string): Promise<readonly unknown[]> {
    return this.#conn.pipeline(keys.map((key) => ["SET", key, value]))
  }

  pipelineValues(replies: readonly unknown[]): unknown[] {
    return [...replies]
  }

  block(key: string): Promise<unknown> {
    return this.#conn.command(["BLPOP", key, 0])
  }

  push(key: string, element: string): Promise<unknown> {
    return this.#conn.command(["LPUSH", key, element])
  }

  close(): Promise<unknown> {
    return this.#conn.close()
  }
}

// The peers give an object for HGETALL, so an object it is here, for the same work to be compared.
function toObject(flat: readonly string[]): Record<string, string> {
  const object: Record<string, string> = Object.create(null)
  for (let i = 0; i + 1 < flat.length; i += 2) object[flat[i]!] = flat[i + 1]!
  return object
}
