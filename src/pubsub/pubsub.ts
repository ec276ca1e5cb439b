/**
 * Pub/Sub as a user sees it: subscriptions of any number, over one connection or those to the nodes of a cluster. Leaves to the
 * book who wants what, and to what lies below where.
 */

import { Client } from "../client.ts"
import { Lifecycle } from "../lifecycle.ts"
import {
  checkReadyOptions,
  checkSubscribeOptions,
  type Encoding,
  type ReadyOptions,
  type SubscribeOptions,
} from "../options.ts"
import { type PubSubOptions, type ResolvedPubSubOptions, resolvePubSubOptions } from "../pubsub-options.ts"
import { registeredAs } from "../registry.ts"
import { SentinelSource } from "../sentinel/source.ts"
import { ClusterSubscriber } from "./cluster-subscriber.ts"
import type { PubSubEvent } from "./events.ts"
import { channelKind, type Kind, patternKind, shardKind } from "./kind.ts"
import { type ChannelName, namesOf } from "./names.ts"
import { HandlerSink, IteratorSink } from "./sink.ts"
import { Subscriber, type SubscriberBackend } from "./subscriber.ts"
import { HandledSubscription, IteratedSubscription, type Subscription } from "./subscription.ts"
import type { Member } from "./topic.ts"

const DEFAULT_MAX_BUFFERED = 10_000

/** What `start` and `connect` take: nothing, options, a URI, or a URI and options that win over it. */
export type PubSubArguments =
  | readonly []
  | readonly [options: PubSubOptions]
  | readonly [uri: string, options?: PubSubOptions | undefined]

/** A name or several. */
export type ChannelNames = ChannelName | readonly ChannelName[]

type Handler<E extends Encoding> = (event: PubSubEvent<E>) => void
type Iterated<E extends Encoding> = Subscription & AsyncIterable<PubSubEvent<E>>

/**
 * One connection to a Redis or Valkey server for any number of subscriptions; with the option `cluster`, one to each node that
 * it takes.
 *
 * It connects in the background, reconnects by itself and subscribes again then. It keeps the process alive until it is
 * closed.
 *
 * @example
 * await using pubsub = PubSub.start("redis://localhost:6379")
 * for await (const event of await pubsub.subscribe("news")) {
 *   if (event.type === "message") console.log(event.payload)
 * }
 *
 * Source: https://redis.io/docs/latest/develop/pubsub/
 */
export class PubSub extends Client {
  readonly #subscriber: SubscriberBackend

  /** Use {@link PubSub.start} or {@link PubSub.connect}. */
  private constructor(subscriber: SubscriberBackend, lifecycle: Lifecycle) {
    super(subscriber, lifecycle)
    this.#subscriber = subscriber
  }

  /**
   * Starts a connection and returns it at once; it connects in the background, and until then subscriptions wait.
   * @throws TypeError for options that are no options, Error for a name that is in use
   */
  static start(...args: PubSubArguments): PubSub {
    return PubSub.#from(resolvePubSubOptions(args), false)
  }

  /** Starts a connection and resolves to it once it is connected; rejects when the first attempt fails. */
  static async connect(...args: PubSubArguments): Promise<PubSub> {
    const pubsub = PubSub.#from(resolvePubSubOptions(args), true)
    await pubsub.ready()
    return pubsub
  }

  static #from(options: ResolvedPubSubOptions, exitOnFirstFailure: boolean): PubSub {
    const lifecycle = new Lifecycle(options.name)
    const pubsub = new PubSub(backendFor(options, lifecycle, exitOnFirstFailure), lifecycle)
    lifecycle.bind(pubsub)
    return pubsub
  }

  /**
   * The `PubSub` that is registered under the name.
   * @throws Error when nothing is, or something else
   */
  static named(name: string): PubSub {
    return registeredAs("PubSub", name, (found) => found instanceof PubSub)
  }

  /** The server's number for the connection, with the option `fetchClientIdOnConnect`, once connected. */
  get clientId(): number | undefined {
    return this.#subscriber.clientId
  }

  /**
   * Subscribes to channels. With a handler, it is called with each event; without one, the result is iterated over.
   *
   * Resolves when the server has confirmed: what is published after that arrives. Rejects, and leaves nothing behind,
   * with the server's `RedisError` when it refuses, a `ConnectionError` of reason `"timeout"`, the reason of `signal`, or
   * `"closed"` when the connection has ended. While there is no connection it waits.
   *
   * @example
   * const subscription = await pubsub.subscribe(["a", "b"], (event) => console.log(event))
   * await subscription.unsubscribe()
   */
  subscribe<E extends Encoding = "utf8">(
    channels: ChannelNames,
    handler: Handler<E>,
    options?: SubscribeOptions<E>,
  ): Promise<Subscription>
  subscribe<E extends Encoding = "utf8">(
    channels: ChannelNames,
    options?: SubscribeOptions<E>,
  ): Promise<Iterated<E>>
  subscribe(channels: ChannelNames, ...rest: readonly unknown[]): Promise<Subscription> {
    return this.#subscribe(channelKind, channels, rest)
  }

  /** As {@link subscribe}, to all channels whose names match a pattern. */
  psubscribe<E extends Encoding = "utf8">(
    patterns: ChannelNames,
    handler: Handler<E>,
    options?: SubscribeOptions<E>,
  ): Promise<Subscription>
  psubscribe<E extends Encoding = "utf8">(
    patterns: ChannelNames,
    options?: SubscribeOptions<E>,
  ): Promise<Iterated<E>>
  psubscribe(patterns: ChannelNames, ...rest: readonly unknown[]): Promise<Subscription> {
    return this.#subscribe(patternKind, patterns, rest)
  }

  /** As {@link subscribe}, to shard channels (Redis 7 and later). */
  ssubscribe<E extends Encoding = "utf8">(
    shardChannels: ChannelNames,
    handler: Handler<E>,
    options?: SubscribeOptions<E>,
  ): Promise<Subscription>
  ssubscribe<E extends Encoding = "utf8">(
    shardChannels: ChannelNames,
    options?: SubscribeOptions<E>,
  ): Promise<Iterated<E>>
  ssubscribe(shardChannels: ChannelNames, ...rest: readonly unknown[]): Promise<Subscription> {
    return this.#subscribe(shardKind, shardChannels, rest)
  }

  /**
   * Takes channels (all of them, without any) from one subscription, or from all. Resolves when the server knows; while
   * there is no connection, at once.
   */
  unsubscribe(channels?: ChannelNames, subscription?: Subscription): Promise<void> {
    return this.#unsubscribe(channelKind, channels, subscription)
  }

  /** As {@link unsubscribe}, for patterns. */
  punsubscribe(patterns?: ChannelNames, subscription?: Subscription): Promise<void> {
    return this.#unsubscribe(patternKind, patterns, subscription)
  }

  /** As {@link unsubscribe}, for shard channels. */
  sunsubscribe(shardChannels?: ChannelNames, subscription?: Subscription): Promise<void> {
    return this.#unsubscribe(shardKind, shardChannels, subscription)
  }

  /** Resolves when the server has answered a `PING`; rejects as a command does. */
  ping(options?: ReadyOptions): Promise<void> {
    try {
      checkReadyOptions(options)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#subscriber.ping(options ?? {})
  }

  async #subscribe(kind: Kind, channels: unknown, rest: readonly unknown[]): Promise<Subscription> {
    const [first, second] = rest
    const names = namesOf(channels)
    if (!isHandler(first)) return this.#iterate(kind, names, optionsFrom(first))
    const sink = new HandlerSink(first)
    const member = await this.#subscriber.subscriptions.subscribe(kind, names, sink, optionsFrom(second))
    return new HandledSubscription(member, this.#subscriber.subscriptions)
  }

  async #iterate(
    kind: Kind,
    names: ReturnType<typeof namesOf>,
    options: SubscribeOptions,
  ): Promise<Subscription> {
    const sink = new IteratorSink(options.maxBuffered ?? DEFAULT_MAX_BUFFERED)
    const member = await this.#subscriber.subscriptions.subscribe(kind, names, sink, options)
    return new IteratedSubscription(member, this.#subscriber.subscriptions, sink)
  }

  async #unsubscribe(kind: Kind, channels: unknown, subscription: Subscription | undefined): Promise<void> {
    const names = channels === undefined ? undefined : namesOf(channels)
    await this.#subscriber.subscriptions.unsubscribe(kind, names, this.#memberOf(subscription))
  }

  #memberOf(subscription: unknown): Member | undefined {
    if (subscription === undefined) return undefined
    const member =
      subscription instanceof HandledSubscription
        ? subscription.memberOf(this.#subscriber.subscriptions)
        : undefined
    if (member === undefined) throw new TypeError("the second argument must be a subscription of this PubSub")
    return member
  }
}

function backendFor(
  options: ResolvedPubSubOptions,
  lifecycle: Lifecycle,
  exitOnFirstFailure: boolean,
): SubscriberBackend {
  const { cluster, sentinel } = options
  if (cluster !== undefined) return new ClusterSubscriber(options, cluster, lifecycle, exitOnFirstFailure)
  const source = sentinel && new SentinelSource(sentinel)
  return new Subscriber(options, lifecycle, exitOnFirstFailure, source)
}

function isHandler(value: unknown): value is Handler<Encoding> {
  return typeof value === "function"
}

function optionsFrom(options: unknown): SubscribeOptions
function optionsFrom(options: unknown): unknown {
  checkSubscribeOptions(options)
  return options ?? {}
}
