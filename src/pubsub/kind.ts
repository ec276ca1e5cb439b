/**
 * The three kinds of things one can subscribe to, and the words that the protocol has for each.
 *
 * Source: https://redis.io/docs/latest/develop/pubsub/#format-of-pushed-messages
 */

export interface Kind {
  /** Its place among {@link kinds}. */
  readonly index: number
  readonly subscribe: "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE"
  readonly unsubscribe: "UNSUBSCRIBE" | "PUNSUBSCRIBE" | "SUNSUBSCRIBE"
  readonly subscribed: "subscribed" | "psubscribed" | "ssubscribed"
  readonly unsubscribed: "unsubscribed" | "punsubscribed" | "sunsubscribed"
  /** What the name is called in events. */
  readonly field: "channel" | "pattern"
}

export const channelKind: Kind = {
  index: 0,
  subscribe: "SUBSCRIBE",
  unsubscribe: "UNSUBSCRIBE",
  subscribed: "subscribed",
  unsubscribed: "unsubscribed",
  field: "channel",
}

export const patternKind: Kind = {
  index: 1,
  subscribe: "PSUBSCRIBE",
  unsubscribe: "PUNSUBSCRIBE",
  subscribed: "psubscribed",
  unsubscribed: "punsubscribed",
  field: "pattern",
}

export const shardKind: Kind = {
  index: 2,
  subscribe: "SSUBSCRIBE",
  unsubscribe: "SUNSUBSCRIBE",
  subscribed: "ssubscribed",
  unsubscribed: "sunsubscribed",
  field: "channel",
}

export const kinds: readonly Kind[] = [channelKind, patternKind, shardKind]
