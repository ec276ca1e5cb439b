/** The events of messages. Knows neither subscriptions nor the wire. */

import type { Encoding } from "../options.ts"
import { bytesOf, textOf } from "../util/binary-text.ts"
import type { PubSubEvent } from "./events.ts"
import { patternKind, shardKind } from "./kind.ts"
import type { Topic } from "./topic.ts"

/** The channel whose messages are the keys that a client-side cache has to forget. */
const INVALIDATE = "__redis__:invalidate"

/** Whether this can be the payload of a message on the channel: a string, or what only one channel has. */
export function isPayload(payload: unknown, channel: string): boolean {
  return (
    typeof payload === "string" || (channel === INVALIDATE && (payload === null || Array.isArray(payload)))
  )
}

/** The event of a message on a channel, which was subscribed to by the topic. */
export function messageEvent(topic: Topic, channel: string, payload: string | Buffer): PubSubEvent<Encoding> {
  if (topic.kind === patternKind) return { type: "pmessage", pattern: topic.text, channel, payload }
  return { type: topic.kind === shardKind ? "smessage" : "message", channel, payload }
}

/** A payload given as a binary string, as it is wanted. */
export function decodePayload(payload: unknown, encoding: Encoding): string | Buffer {
  if (typeof payload !== "string") return invalidation(payload)
  return encoding === "buffer" ? bytesOf(payload) : textOf(payload)
}

/**
 * The payload of `__redis__:invalidate`, the only one that is no string: an array of keys, or `null`. It is documented,
 * and left out of the type of all other payloads.
 */
function invalidation(payload: unknown): string
function invalidation(payload: unknown): unknown {
  return Array.isArray(payload)
    ? payload.map((key) => (typeof key === "string" ? textOf(key) : key))
    : payload
}
