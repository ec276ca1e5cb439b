// How the driver of this repository is asked: by its package name, that is as built in `dist`, with its default options.
import { Redix } from "@redix/client"
import type { Client, Connect } from "./client.ts"

export const connectRedix: Connect = async (url) => adapt(await Redix.connect(url))

function adapt(conn: Redix): Client {
  return {
    get: (key) => conn.command(["GET", key]),
    getBuffer: (key) => conn.command(["GET", key], { encoding: "buffer" }),
    set: (key, value) => conn.command(["SET", key, value]),
    incr: (key) => conn.command(["INCR", key]),
    lrange: (key) => conn.command(["LRANGE", key, 0, -1]),
    hgetall: (key) => conn.command(["HGETALL", key]).then(toObject),
    hgetallOwn: (key) => conn.command(["HGETALL", key]),
    pipelineGet: (keys) => conn.pipeline(keys.map((key) => ["GET", key])),
    pipelineSet: (keys, value) => conn.pipeline(keys.map((key) => ["SET", key, value])),
    pipelineValues: (replies) => [...replies],
    block: (key) => conn.command(["BLPOP", key, 0]),
    push: (key, element) => conn.command(["LPUSH", key, element]),
    close: () => conn.close(),
  }
}

// The peers give an object for HGETALL, so an object it is here, for the same work to be compared.
function toObject(flat: readonly string[]): Record<string, string> {
  const object: Record<string, string> = Object.create(null)
  for (let i = 0; i + 1 < flat.length; i += 2) object[flat[i]!] = flat[i + 1]!
  return object
}
