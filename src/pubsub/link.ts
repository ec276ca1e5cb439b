/**
 * One connection with subscriptions: writes what the book wants, reads messages and hands them to the members, and asks when
 * nothing has come for long. Leaves to the book who wants what, and to its owner where it leads and what follows from its life.
 */

import type { Connection, ConnectionListener } from "../connection/connection.ts"
import type { PushReceiver } from "../connection/options.ts"
import { RequestTerms } from "../connection/request.ts"
import type { ConnectionError } from "../errors.ts"
import { type Extras, openConnection } from "../open/open.ts"
import type { ReadyOptions, ResolvedOptions } from "../options.ts"
import { type MessageOwner, MessageReader } from "../protocol/message-reader.ts"
import type { Parser } from "../protocol/parser.ts"
import { textOf } from "../util/binary-text.ts"
import { timerDelay } from "../util/delay.ts"
import type { Book } from "./book.ts"
import { channelKind, type Kind, kinds, patternKind, shardKind } from "./kind.ts"
import { decodePayload, isPayload, messageEvent } from "./messages.ts"
import { PingRequest } from "./ping-request.ts"
import { ShardLeaveRequest } from "./shard-leave-request.ts"
import type { BookLink, Topic, TopicCommand } from "./topic.ts"
import { TopicRequest } from "./topic-request.ts"

/** Who is told of a link's life, after the book. */
export interface LinkOwner {
  onLinkUp(link: Link, address: string, isAgain: boolean, sessionLost: boolean): void
  onLinkDown(link: Link, address: string, error: ConnectionError): void
  onLinkFailed(link: Link, address: string, error: ConnectionError): void
  onSentinelFailed(address: string, error: ConnectionError): void
  /** It has ended for good; what is subscribed to on it is for the owner to end. */
  onLinkEnded(link: Link, error: ConnectionError | undefined): void
}

export interface LinkParts {
  readonly options: ResolvedOptions
  readonly book: Book
  readonly owner: LinkOwner
  /** Whether it ends when the very first attempt to connect fails. */
  readonly exitOnFirstFailure: boolean
  readonly extras?: Omit<Extras, "pushes">
}

export class Link implements BookLink, PushReceiver, ConnectionListener, MessageOwner<Topic> {
  readonly reader: MessageReader<Topic>
  readonly connection: Connection
  readonly topics: Set<Topic> = new Set()
  readonly #book: Book
  readonly #owner: LinkOwner
  readonly #healthCheckInterval: number
  #isUp = false
  #pingTimer: NodeJS.Timeout | undefined
  /** How many bytes had come when that was last looked at, for idle links and for stalled ones. */
  #progressSeen = 0
  #stalledAt = -1
  #isPinging = false

  constructor({ options, book, owner, exitOnFirstFailure, extras }: LinkParts) {
    this.#book = book
    this.#owner = owner
    this.#healthCheckInterval = options.healthCheckInterval
    this.reader = new MessageReader(options.protocol === 3, this)
    this.connection = openConnection(options, this, exitOnFirstFailure, { ...extras, pushes: this })
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get address(): string {
    return this.connection.address
  }

  /** Whether nothing has come since this was asked the last time, although something should have. */
  hasStalled(): boolean {
    const { isWaiting, progress } = this.connection
    const isStalled = isWaiting && progress === this.#stalledAt
    this.#stalledAt = isWaiting ? progress : -1
    return isStalled
  }

  write(command: TopicCommand): void {
    const isShardLeft = !command.isSubscribe && command.topics[0]?.slot !== undefined
    const request = isShardLeft ? new ShardLeaveRequest(command) : new TopicRequest(command, this.#book)
    this.connection.submit(request, command)
  }

  /** Resolves when the server has answered. */
  ping({ timeout, signal }: ReadyOptions): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const request = new PingRequest(resolve, reject)
      if (timeout !== undefined || signal !== undefined)
        request.terms = new RequestTerms(request, timeout, signal)
      this.connection.submit(request, undefined)
    })
  }

  // ── what the server says ──────────────────────────────────────────────────────────────────────────────────────

  topicOf(kind: number, key: string): Topic | undefined {
    const topic = this.#book.topic(kind, key)
    return topic?.link === this ? topic : undefined
  }

  isGone(topic: Topic): boolean {
    return topic.isGone || topic.link !== this
  }

  /** The usual message. It is decoded before anybody is told: then the bytes may be gone. */
  onMessage(parser: Parser): void {
    const { topic, channel, payloadStart, payloadEnd } = this.reader
    if (topic === undefined) return
    const listeners = topic.listeners()
    const name = topic.kind === patternKind ? channel : topic.text
    const text = listeners.wantText
      ? messageEvent(topic, name, parser.textIn(payloadStart, payloadEnd))
      : undefined
    const bytes = listeners.wantBytes ? parser.bytesIn(payloadStart, payloadEnd) : undefined
    for (const member of listeners.members) {
      // Whoever was told before may have taken it out.
      if (topic.hasChangedSince(listeners) && !topic.members.has(member)) continue
      if (bytes !== undefined && member.encoding === "buffer") {
        member.deliver(messageEvent(topic, name, Buffer.from(bytes)))
      } else if (text !== undefined) {
        member.deliver(text)
      }
    }
  }

  onPush(push: readonly unknown[]): boolean {
    const [word, first, second, third] = push
    switch (word) {
      case "message":
        return this.#onRareMessage(channelKind, first, first, second)
      case "pmessage":
        return this.#onRareMessage(patternKind, first, second, third)
      case "smessage":
        return this.#onRareMessage(shardKind, first, first, second)
      default:
        return this.#onOtherPush(push)
    }
  }

  /** A message that did not come in one piece, or whose payload is that of an invalidation. */
  #onRareMessage(kind: Kind, key: unknown, channel: unknown, payload: unknown): boolean {
    if (typeof key !== "string" || typeof channel !== "string" || !isPayload(payload, channel)) return false
    const topic = this.topicOf(kind.index, key)
    if (topic === undefined) return true
    for (const member of topic.listeners().members) {
      if (topic.members.has(member)) {
        member.deliver(messageEvent(topic, textOf(channel), decodePayload(payload, member.encoding)))
      }
    }
    return true
  }

  /** The server ends a subscription by itself, or confirms what was unsubscribed and is not waited for any more. */
  #onOtherPush([word, key]: readonly unknown[]): boolean {
    const kind = kinds.find((each) => each.unsubscribe.toLowerCase() === word)
    if (kind === undefined || typeof key !== "string") return false
    this.#book.onUnsubscribedByServer(this, kind, key)
    return true
  }

  // ── the connection ────────────────────────────────────────────────────────────────────────────────────────────

  onConnected(address: string, isAgain: boolean, sessionLost: boolean): void {
    this.#isUp = true
    this.subscribeAll()
    this.#startPinging()
    this.#owner.onLinkUp(this, address, isAgain, sessionLost)
  }

  /** Subscribes to what is wanted on it, and is not subscribed to. */
  subscribeAll(): void {
    this.#subscribeStepwise(this.#book.onUp(this))
  }

  /** One command for each turn of the loop: a hundred thousand names must not block it. */
  #subscribeStepwise(steps: Generator<void>): void {
    if (steps.next().done !== true) setImmediate(() => this.#subscribeStepwise(steps))
  }

  onDisconnected(address: string, error: ConnectionError): void {
    this.#stopPinging()
    const wasUp = this.#isUp
    this.#isUp = false
    if (wasUp) this.#book.onDown(this, error)
    this.#owner.onLinkDown(this, address, error)
  }

  onAttemptFailed(address: string, error: ConnectionError): void {
    this.#owner.onLinkFailed(this, address, error)
  }

  onSentinelFailed(address: string, error: ConnectionError): void {
    this.#owner.onSentinelFailed(address, error)
  }

  onEnded(error: ConnectionError | undefined): void {
    this.#stopPinging()
    this.#owner.onLinkEnded(this, error)
  }

  // ── idle links ────────────────────────────────────────────────────────────────────────────────────────────────

  /** A subscriber that only listens would never notice that its link is dead: it asks, when nothing has come. */
  #startPinging(): void {
    this.#stopPinging()
    if (this.#healthCheckInterval === Number.POSITIVE_INFINITY) return
    this.#progressSeen = this.connection.progress
    this.#pingTimer = setInterval(() => this.#pingIfIdle(), timerDelay(this.#healthCheckInterval))
    this.#pingTimer.unref()
  }

  #stopPinging(): void {
    clearInterval(this.#pingTimer)
  }

  #pingIfIdle(): void {
    const { progress } = this.connection
    const isIdle = progress === this.#progressSeen
    this.#progressSeen = progress
    if (!isIdle || this.#isPinging) return
    this.#isPinging = true
    const done = (): void => {
      this.#isPinging = false
    }
    // Unanswered, it is the health check that ends the link.
    const ping = new PingRequest(done, done)
    ping.terms = new RequestTerms(ping, Number.POSITIVE_INFINITY, undefined)
    this.connection.submit(ping, undefined)
  }
}
