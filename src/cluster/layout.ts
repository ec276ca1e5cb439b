/**
 * Who has which slots, as a node tells: reads the reply to CLUSTER SLOTS. Pure; leaves to others which node is asked, and
 * what connections follow from it.
 *
 * Source: https://redis.io/docs/latest/commands/cluster-slots/
 */

import { RedixError } from "../errors.ts"
import type { NodeAddress } from "./redirect.ts"
import { SLOTS } from "./slots.ts"

/** A range of slots and who has it. */
export interface ShardLayout {
  readonly first: number
  readonly last: number
  readonly primary: NodeAddress
  readonly replicas: readonly NodeAddress[]
}

export type Layout = readonly ShardLayout[]

/** The same, its nodes where they can be reached from here. Throws what `translate` throws. */
export function translated(
  { first, last, primary, replicas }: ShardLayout,
  translate: (address: NodeAddress) => NodeAddress,
): ShardLayout {
  return { first, last, primary: translate(primary), replicas: replicas.map(translate) }
}

/**
 * The layout that the reply tells. A node whose host is not told is at the host that answered.
 * @throws RedixError for a reply of another form, and for one that gives no slots to anybody
 */
export function readLayout(reply: unknown, answeredBy: NodeAddress): Layout {
  if (!Array.isArray(reply)) throw unreadable("it is not an array")
  const layout = reply.map((shard) => readShard(shard, answeredBy))
  if (layout.length === 0)
    throw new RedixError("no slots are assigned: the node is in no cluster, or was not set up yet")
  return layout
}

function readShard(shard: unknown, answeredBy: NodeAddress): ShardLayout {
  if (!Array.isArray(shard)) throw unreadable("a shard is not an array")
  const [first, last, primary, ...replicas]: readonly unknown[] = shard
  if (!isSlot(first) || !isSlot(last) || first > last) throw unreadable("a range of slots is none")
  return {
    first,
    last,
    primary: readNode(primary, answeredBy),
    replicas: replicas.map((replica) => readNode(replica, answeredBy)),
  }
}

function readNode(node: unknown, answeredBy: NodeAddress): NodeAddress {
  if (!Array.isArray(node)) throw unreadable("a node is not an array")
  const [host, port]: readonly unknown[] = node
  if (typeof port !== "number" || port < 1 || port > 65_535) throw unreadable("a node has no port")
  if (host === null || host === "" || host === "?") return { host: answeredBy.host, port }
  if (typeof host !== "string") throw unreadable("a node's host is not text")
  return { host, port }
}

function isSlot(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < SLOTS
}

function unreadable(why: string): RedixError {
  return new RedixError(`the reply to CLUSTER SLOTS cannot be read: ${why}`)
}
