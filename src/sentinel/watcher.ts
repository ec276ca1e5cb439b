/**
 * Hears from a sentinel when the primary of a group has moved, and tells everybody who wants to know. One for each group
 * and process, however many connections there are; it lives as long as somebody listens.
 *
 * Source: https://redis.io/docs/latest/develop/reference/sentinel-clients/#using-sentinel-instances-to-get-notified
 */

import { isDeepStrictEqual } from "node:util"
import type { Connection } from "../connection/connection.ts"
import type { SourceListener, Watch } from "../connection/options.ts"
import { type Lifecycle, QuietLifecycle } from "../lifecycle.ts"
import type { ResolvedSentinelAddress } from "../options.ts"
import { channelKind } from "../pubsub/kind.ts"
import { HandlerSink } from "../pubsub/sink.ts"
import { Subscriber } from "../pubsub/subscriber.ts"
import { endpointIn } from "./addresses.ts"
import type { Asker, SentinelDirectory } from "./directory.ts"

const CHANNEL = "+switch-master"
/** After all sentinels in turn could not be listened to. */
const RETRY_MS = 1000
/** The sentinels are asked at most this often because of what servers say. */
const ASK_INTERVAL_MS = 1000
/** A sentinel that is silent for so long, twice, is left for another. */
const HEALTH_CHECK_MS = 2000

const watchers = new Set<Watcher>()

/** Tells the listener when the primary moves; and when it may have moved unheard, what a sentinel says then. */
export function watchPrimary(directory: SentinelDirectory, listener: SourceListener): Watch {
  const watcher = [...watchers].find((each) => each.isFor(directory)) ?? new Watcher(directory)
  watchers.add(watcher)
  return watcher.add(listener)
}

class Watcher implements Asker {
  readonly #directory: SentinelDirectory
  readonly #listeners = new Set<SourceListener>()
  #subscriber: Subscriber | undefined
  /** The sentinel listened to. */
  #sentinel: ResolvedSentinelAddress | undefined
  #conversation: Connection | undefined
  #timer: NodeJS.Timeout | undefined
  #turn = 0
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(directory: SentinelDirectory) {
    this.#directory = directory
  }

  /** Whether it listens to the same sentinels, in the same way and with the same credentials. */
  isFor({ options }: SentinelDirectory): boolean {
    const { role: _mine, ...mine } = this.#directory.options
    const { role: _theirs, ...theirs } = options
    return isDeepStrictEqual(mine, theirs)
  }

  add(listener: SourceListener): Watch {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#listen()
    return { ask: () => this.#askSoon(), stop: () => this.#remove(listener) }
  }

  #remove(listener: SourceListener): void {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return
    watchers.delete(this)
    clearTimeout(this.#timer)
    this.#subscriber?.connection.destroy()
    this.#conversation?.destroy()
  }

  get #isOver(): boolean {
    return this.#listeners.size === 0
  }

  onConversation(connection: Connection): void {
    this.#conversation = connection
    connection.keepAlive(false)
  }

  onDiscarded(): void {
    this.#conversation = undefined
  }

  /** Listens to the next sentinel, until that is lost. */
  #listen(): void {
    const sentinels = this.#directory.sentinels()
    const sentinel = sentinels[this.#turn++ % sentinels.length]
    if (sentinel === undefined || this.#isOver) return
    const lifecycle = new QuietLifecycle(undefined)
    void lifecycle.closed.then(() => this.#listenLater(sentinels.length))
    this.#sentinel = sentinel
    this.#subscriber = this.#subscribe(sentinel, lifecycle)
  }

  #listenLater(count: number): void {
    if (this.#isOver) return
    const wait = this.#turn % count === 0 ? RETRY_MS : 0
    this.#timer = setTimeout(() => this.#listen(), wait)
    this.#timer.unref()
  }

  #subscribe(sentinel: ResolvedSentinelAddress, lifecycle: Lifecycle): Subscriber {
    const options = { ...this.#directory.optionsFor(sentinel), healthCheckInterval: HEALTH_CHECK_MS }
    const subscriber = new Subscriber({ ...options, fetchClientIdOnConnect: false }, lifecycle, true)
    // The connections that want to know keep the process alive, if anything should.
    subscriber.connection.keepAlive(false)
    const sink = new HandlerSink((event) => {
      // Whatever moved before there was anybody to hear it is asked for.
      if (event.type === "subscribed") void this.#ask()
      if (event.type === "message") this.#onSwitch(event.payload.toString())
    })
    subscriber.subscriptions.subscribe(channelKind, [{ key: CHANNEL, text: CHANNEL }], sink, {}).catch(() => {
      subscriber.connection.destroy()
    })
    return subscriber
  }

  /** `<group> <old host> <old port> <new host> <new port>` */
  #onSwitch(message: string): void {
    const [group, , , host, port] = message.split(" ")
    const endpoint = endpointIn([host, port])
    if (group !== this.#directory.options.group || endpoint === undefined) return
    for (const listener of [...this.#listeners]) listener.onAnnounced(endpoint)
  }

  #askSoon(): void {
    const now = performance.now()
    if (now - this.#askedAt < ASK_INTERVAL_MS) return
    this.#askedAt = now
    void this.#ask()
  }

  /** Asks the sentinel listened to, and if it cannot say, the others in turn. */
  async #ask(): Promise<void> {
    const first = this.#sentinel
    const sentinels = this.#directory.sentinels()
    for (const sentinel of first === undefined ? sentinels : [first, ...sentinels]) {
      if (this.#isOver) return
      const primary = await this.#directory.locatePrimary(sentinel, this).catch(() => undefined)
      if (primary === undefined) continue
      for (const listener of [...this.#listeners]) listener.onSuspected(primary)
      return
    }
  }
}
