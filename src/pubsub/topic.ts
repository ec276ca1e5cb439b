/**
 * What the book has entries of: topics, which are channels, patterns and shard channels that somebody wants, with their
 * members and the links that they are subscribed to on. Leaves to the book what becomes of them.
 */

import type { ConnectionError } from "../errors.ts"
import type { Encoding } from "../options.ts"
import type { PubSubEvent, RefusalError } from "./events.ts"
import type { Kind } from "./kind.ts"

/** A connection that topics are subscribed to on. */
export interface BookLink {
  readonly address: string
  /** Whether the connection stands. */
  readonly isUp: boolean
  /** Those that are subscribed to on it, or are to be. */
  readonly topics: Set<Topic>
  /** Writes the command. Only called while it is up. */
  write(command: TopicCommand): void
}

/** The members of a topic that its messages go to. */
export interface Listeners {
  readonly members: readonly Member[]
  readonly wantText: boolean
  readonly wantBytes: boolean
}

/** A channel, pattern or shard channel that somebody wants. */
export class Topic {
  readonly kind: Kind
  /** The name's bytes as a binary string (one character for each byte): by these, names are told apart. */
  readonly key: string
  /** The name as text, for events. */
  readonly text: string
  /** Names in one command have to be of the same slot; `undefined` for those with which it does not matter. */
  readonly slot: number | undefined
  /** Where it is subscribed to, or is to be; `undefined` while that is not known. */
  link: BookLink | undefined
  /** How often it was sent on to another link since it was confirmed. */
  hops = 0
  readonly members: Set<Member> = new Set()
  /** The command in flight that subscribes to it. */
  pending: TopicCommand | undefined
  isConfirmed = false
  /** When it was confirmed last, in ms. */
  confirmedAt = 0
  /** Nobody wants it any more; a later one of the same name is another topic. */
  isGone = false
  /** Worked out for the next message after a change. */
  #listeners: Listeners | undefined

  constructor(kind: Kind, key: string, text: string, slot: number | undefined) {
    this.kind = kind
    this.key = key
    this.text = text
    this.slot = slot
  }

  /** It is to be subscribed to there. */
  place(link: BookLink | undefined): void {
    this.link?.topics.delete(this)
    this.link = link
    link?.topics.add(this)
  }

  /** Whether the server of its link knows of it, or will. */
  get isKnown(): boolean {
    return this.isConfirmed || this.pending !== undefined
  }

  /** Who is to get a message now: all members but those that it was not confirmed to. */
  listeners(): Listeners {
    this.#listeners ??= listenersOf([...this.members].filter((member) => !member.waiting.has(this)))
    return this.#listeners
  }

  /** Its members, or what they wait for, have changed. */
  onChanged(): void {
    this.#listeners = undefined
  }

  hasChangedSince(listeners: Listeners): boolean {
    return this.#listeners !== listeners
  }
}

function listenersOf(members: readonly Member[]): Listeners {
  const wantBytes = members.some(({ encoding }) => encoding === "buffer")
  const wantText = members.some(({ encoding }) => encoding !== "buffer")
  return { members, wantText, wantBytes }
}

/** One command to write: names of one kind to subscribe to, or to leave. */
export interface TopicCommand {
  readonly link: BookLink
  readonly kind: Kind
  readonly isSubscribe: boolean
  readonly topics: readonly Topic[]
  /** The member for whose call it is written; refused, it is that one's to know. */
  readonly owner: Member | undefined
  /** The server has confirmed all, or will not. */
  readonly onDone: () => void
}

/** One subscription, as the book knows it. */
export interface Member {
  readonly encoding: Encoding
  readonly topics: Set<Topic>
  /** Topics that were not confirmed since it joined them. */
  readonly waiting: Set<Topic>
  deliver(event: PubSubEvent<Encoding>): void
  /** All topics that it joined were confirmed. */
  onReady(): void
  /** It can have none of its topics. */
  onRejected(error: unknown): void
  /** It has no topics any more. */
  onEnd(): void
  readonly isReady: boolean
  /** What a command written for it was lost with, while it waits. */
  lostBy: ConnectionError | undefined
}

/** It was subscribed to. */
export function subscribedEvent({ kind, text }: Topic): PubSubEvent {
  switch (kind.subscribed) {
    case "subscribed":
      return { type: "subscribed", channel: text }
    case "psubscribed":
      return { type: "psubscribed", pattern: text }
    case "ssubscribed":
      return { type: "ssubscribed", channel: text }
  }
}

/** It is not subscribed to any more, by its members' wish or because of the error. */
export function unsubscribedEvent({ kind, text }: Topic, error: RefusalError | undefined): PubSubEvent {
  const why = error === undefined ? {} : { error }
  switch (kind.unsubscribed) {
    case "unsubscribed":
      return { type: "unsubscribed", channel: text, ...why }
    case "punsubscribed":
      return { type: "punsubscribed", pattern: text, ...why }
    case "sunsubscribed":
      return { type: "sunsubscribed", channel: text, ...why }
  }
}
