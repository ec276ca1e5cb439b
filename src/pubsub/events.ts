/** What subscriptions are told. Types only. */

import type { ConnectionError, RedisError } from "../errors.ts"
import type { Encoding } from "../options.ts"

/**
 * The payload of a message: text, or the bytes under `encoding: "buffer"`. On the channel `__redis__:invalidate` it is
 * an array of keys, or `null` for all of them.
 */
export type Payload<E extends Encoding> = E extends "buffer" ? Buffer : string

/** Why a channel is not subscribed to any more although it was wanted. */
export type RefusalError = RedisError | ConnectionError

export type ChannelEvent<E extends Encoding = "utf8"> =
  | { readonly type: "subscribed"; readonly channel: string }
  | { readonly type: "unsubscribed"; readonly channel: string; readonly error?: RefusalError }
  | { readonly type: "message"; readonly channel: string; readonly payload: Payload<E> }

export type PatternEvent<E extends Encoding = "utf8"> =
  | { readonly type: "psubscribed"; readonly pattern: string }
  | { readonly type: "punsubscribed"; readonly pattern: string; readonly error?: RefusalError }
  | {
      readonly type: "pmessage"
      readonly pattern: string
      readonly channel: string
      readonly payload: Payload<E>
    }

export type ShardEvent<E extends Encoding = "utf8"> =
  | { readonly type: "ssubscribed"; readonly channel: string }
  | { readonly type: "sunsubscribed"; readonly channel: string; readonly error?: RefusalError }
  | { readonly type: "smessage"; readonly channel: string; readonly payload: Payload<E> }

export type LinkEvent =
  /** The connection dropped: messages may be missed until the next `subscribed` of each channel. */
  | { readonly type: "disconnected"; readonly error: ConnectionError }
  /** An iterator was not read in time: so many events before this one were thrown away. */
  | { readonly type: "dropped"; readonly count: number }

/** What a subscription is told. It sees the events of its own kind, and those of the link. */
export type PubSubEvent<E extends Encoding = "utf8"> =
  | ChannelEvent<E>
  | PatternEvent<E>
  | ShardEvent<E>
  | LinkEvent
