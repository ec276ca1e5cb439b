/**
 * The subscriptions of one connection: joins the book, the connection and the members. Leaves to the book who wants what,
 * and to the public class how it is asked.
 */

import type { Connection, ConnectionListener } from "../connection/connection.ts"
import type { PushReceiver, Source } from "../connection/options.ts"
import { RequestTerms } from "../connection/request.ts"
import { ConnectionError } from "../errors.ts"
import type { Lifecycle } from "../lifecycle.ts"
import { openConnection } from "../open/open.ts"
import type { ReadyOptions, ResolvedPubSubOptions, SubscribeOptions } from "../options.ts"
import { type MessageOwner, MessageReader } from "../protocol/message-reader.ts"
import type { Parser } from "../protocol/parser.ts"
import { textOf } from "../util/binary-text.ts"
import { timerDelay } from "../util/delay.ts"
import { WaitingClock } from "../util/waiting-clock.ts"
import { Book, type BookOwner, type Member, type Topic, type TopicCommand } from "./book.ts"
import { channelKind, type Kind, kinds, patternKind, shardKind } from "./kind.ts"
import { decodePayload, isPayload, messageEvent } from "./messages.ts"
import type { Name } from "./names.ts"
import { PingRequest } from "./ping-request.ts"
import type { Sink } from "./sink.ts"
import { type MemberOwner, SubscriptionMember } from "./subscription.ts"
import { TopicRequest } from "./topic-request.ts"

/** After the server could not subscribe just now. */
const RETRY_MS = 1000

export class Subscriber
  implements PushReceiver, ConnectionListener, BookOwner, MemberOwner, MessageOwner<Topic>
{
  readonly reader: MessageReader<Topic>
  readonly connection: Connection
  readonly #options: ResolvedPubSubOptions
  readonly #lifecycle: Lifecycle
  readonly #book: Book = new Book(this)
  /** Members whose call to subscribe has not settled. */
  readonly #waiting = new Set<SubscriptionMember>()
  readonly #clock: WaitingClock<SubscriptionMember>
  #retryTimer: NodeJS.Timeout | undefined
  #pingTimer: NodeJS.Timeout | undefined
  #progressSeen = 0
  #isPinging = false

  /** @param source where to connect to, if that can change */
  constructor(
    options: ResolvedPubSubOptions,
    lifecycle: Lifecycle,
    exitOnFirstFailure: boolean,
    source?: Source | undefined,
  ) {
    this.#options = options
    this.#lifecycle = lifecycle
    this.reader = new MessageReader(options.protocol === 3, this)
    this.#clock = new WaitingClock(
      (member) => this.#expire(member),
      () => this.connection.progress,
    )
    this.connection = openConnection(options, this, exitOnFirstFailure, {
      pushes: this,
      fetchClientId: options.fetchClientIdOnConnect,
      source,
    })
  }

  // ── what users ask ────────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when the server has confirmed all names. */
  subscribe(
    kind: Kind,
    names: readonly Name[],
    sink: Sink,
    options: SubscribeOptions,
  ): Promise<SubscriptionMember> {
    const { signal, encoding = "utf8", timeout = this.#options.commandTimeout } = options
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (this.connection.status === "closed") return Promise.reject(this.#closed(undefined))
    return new Promise((resolve, reject) => {
      const waiting = { resolve: () => resolve(member), reject, timeout }
      const member = new SubscriptionMember(this, sink, encoding, waiting, signal)
      this.#waiting.add(member)
      this.#book.join(member, kind, names)
      if (this.connection.status === "connected") this.#clock.start(member, member.timeout)
    })
  }

  /** Takes names (all of the kind, without any) from one member, or from all. Resolves when the server knows. */
  unsubscribe(kind: Kind, names: readonly Name[] | undefined, only: Member | undefined): Promise<void> {
    const shares = this.#book.shares(
      kind,
      names?.map(({ key }) => key),
    )
    const left = only === undefined ? shares : shares.filter(({ member }) => member === only)
    return new Promise((resolve) => this.#book.leave(left, resolve))
  }

  leave(member: SubscriptionMember): Promise<void> {
    const shares = [...member.topics].map((topic) => ({ member, topic }))
    return new Promise((resolve) => this.#book.leave(shares, resolve))
  }

  onSettled(member: SubscriptionMember): void {
    this.#waiting.delete(member)
    this.#clock.stop(member)
  }

  #expire(member: SubscriptionMember): void {
    const message = `not confirmed by the server within ${member.timeout} ms`
    const details = { address: this.connection.address, outcome: "unknown" } as const
    this.giveUp(member, new ConnectionError("timeout", message, details))
  }

  giveUp(member: SubscriptionMember, error: unknown): void {
    this.#book.reject(member, error)
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

  // ── what the book wants, and what the server says ─────────────────────────────────────────────────────────────

  write(command: TopicCommand): void {
    this.connection.submit(new TopicRequest(command, this.#book), command)
  }

  topicOf(kind: number, key: string): Topic | undefined {
    return this.#book.topic(kind, key)
  }

  isGone(topic: Topic): boolean {
    return topic.isGone
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
    const topic = this.#book.topic(kind.index, key)
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
    this.#book.onUnsubscribedByServer(kind, key)
    return true
  }

  retryLater(): void {
    clearTimeout(this.#retryTimer)
    this.#retryTimer = setTimeout(() => this.#subscribeStepwise(this.#book.onUp()), RETRY_MS)
    this.#retryTimer.unref()
  }

  // ── the connection ────────────────────────────────────────────────────────────────────────────────────────────

  onConnected(address: string, isAgain: boolean, sessionLost: boolean): void {
    for (const member of this.#waiting) this.#clock.start(member, member.timeout)
    this.#subscribeStepwise(this.#book.onUp())
    this.#startPinging()
    this.#lifecycle.onConnected(address, isAgain, sessionLost)
  }

  /** One command for each turn of the loop: a hundred thousand names must not block it. */
  #subscribeStepwise(steps: Generator<void>): void {
    if (steps.next().done !== true) setImmediate(() => this.#subscribeStepwise(steps))
  }

  onDisconnected(address: string, error: ConnectionError): void {
    this.#onDown(error)
    this.#lifecycle.onDisconnected(address, error)
  }

  onAttemptFailed(address: string, error: ConnectionError): void {
    this.#lifecycle.onAttemptFailed(address, error)
  }

  onSentinelFailed(address: string, error: ConnectionError): void {
    this.#lifecycle.onSentinelFailed(address, error)
  }

  onEnded(error: ConnectionError | undefined): void {
    const closed = this.#closed(error)
    this.#onDown(closed)
    this.#book.onEnded(closed)
    this.#lifecycle.onEnded(error)
  }

  #onDown(error: ConnectionError): void {
    clearInterval(this.#pingTimer)
    clearTimeout(this.#retryTimer)
    for (const member of this.#waiting) this.#clock.stop(member)
    this.#book.onDown(error)
  }

  #closed(cause: ConnectionError | undefined): ConnectionError {
    const details = { address: this.connection.address, cause, final: true }
    return new ConnectionError("closed", "the connection is closed", details)
  }

  // ── idle links ────────────────────────────────────────────────────────────────────────────────────────────────

  /** A subscriber that only listens would never notice that its link is dead: it asks, when nothing has come. */
  #startPinging(): void {
    clearInterval(this.#pingTimer)
    const interval = this.#options.healthCheckInterval
    if (interval === Number.POSITIVE_INFINITY) return
    this.#progressSeen = this.connection.progress
    this.#pingTimer = setInterval(() => this.#pingIfIdle(), timerDelay(interval))
    this.#pingTimer.unref()
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
