/**
 * What sentinels say about a group: where its primary and its replicas are, and which other sentinels there are. Knows
 * their replies; leaves asking to others.
 *
 * Source: https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#sentinel-api
 */

import type { Endpoint } from "../transport/transport.ts"

/** An address given as a pair of host and port, as `SENTINEL GET-MASTER-ADDR-BY-NAME` does; `undefined` for none. */
export function endpointIn(reply: unknown): Extract<Endpoint, { host: string }> | undefined {
  if (!Array.isArray(reply)) return undefined
  return endpoint(reply[0], reply[1])
}

/** The addresses in a list of servers, as `SENTINEL REPLICAS` and `SENTINEL SENTINELS` give it; only those in order. */
export function endpointsIn(reply: unknown): Array<Extract<Endpoint, { host: string }>> {
  const servers: readonly unknown[] = Array.isArray(reply) ? reply : []
  const usable = servers.map(fieldsOf).filter((fields) => !isDown(fields))
  return usable
    .map((fields) => endpoint(fields.get("ip"), fields.get("port")))
    .filter((each) => each !== undefined)
}

function endpoint(host: unknown, port: unknown): Extract<Endpoint, { host: string }> | undefined {
  const number = Number(port)
  const isAddress =
    typeof host === "string" && host !== "" && Number.isInteger(number) && number > 0 && number < 65_536
  return isAddress ? { host, port: number } : undefined
}

/** A server's fields, which come as a flat list of names and values. */
function fieldsOf(server: unknown): Map<unknown, unknown> {
  const list: readonly unknown[] = Array.isArray(server) ? server : []
  const fields = new Map<unknown, unknown>()
  for (let index = 0; index + 1 < list.length; index += 2) fields.set(list[index], list[index + 1])
  return fields
}

function isDown(fields: ReadonlyMap<unknown, unknown>): boolean {
  return /\b(?:[so]_down|disconnected)\b/.test(String(fields.get("flags") ?? ""))
}
