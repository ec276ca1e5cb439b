/** What the Pub/Sub tests share: connections that end with their test, and a log of what a subscription is told. */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { inspect } from "node:util"
import { PubSub, type PubSubOptions, Redix } from "@redix/client"
import { FaultProxy, type ProxyTarget } from "../../support/proxy.ts"
import type { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { closing } from "../contract/helpers.ts"

/** Comes back soon, and asks for nothing but a PING. */
export const quick = { clientInfo: false, backoffInitial: 5, backoffMax: 20 } as const

/** Both protocols: nothing that a user sees depends on which it is. */
export const protocols = [2, 3] as const

/** Any event of any subscription, whatever its encoding. */
export interface AnyEvent {
  readonly type: string
  readonly channel?: string | undefined
  readonly pattern?: string | undefined
  readonly payload?: unknown
  readonly error?: Error | undefined
  readonly count?: number | undefined
}

/** An event in one line: `subscribed a`, `pmessage a* ab hello`, `unsubscribed a NOPERM`, `dropped 3`. */
export function told(event: AnyEvent): string {
  const { type, pattern, channel, payload, error, count } = event
  const words = [type, pattern, channel, payload === undefined ? undefined : plain(payload), count]
  if (error && type !== "disconnected") words.push(codeOf(error))
  return words.filter((word) => word !== undefined).join(" ")
}

function plain(payload: unknown): string {
  if (Buffer.isBuffer(payload)) return `0x${payload.toString("hex")}`
  return typeof payload === "string" ? payload : JSON.stringify(payload)
}

/** The same items in an order that can be compared. */
export function sorted<T>(items: readonly T[]): T[] {
  return [...items].sort()
}

/** The code of a server's error. */
export function codeOf(error: Error | undefined): string {
  assert.ok(error !== undefined && "code" in error, `expected an error of the server, got ${inspect(error)}`)
  return String(error.code)
}

/** What one subscription was told, in order. */
export class Log {
  readonly events: AnyEvent[] = []
  readonly handler = (event: AnyEvent): void => {
    this.events.push(event)
  }

  get lines(): string[] {
    return this.events.map(told)
  }

  /** The payloads of all messages, of channels, patterns and shard channels. */
  get payloads(): string[] {
    return this.events.filter(({ type }) => type.endsWith("message")).map(({ payload }) => plain(payload))
  }

  count(type: string): number {
    return this.events.filter((event) => event.type === type).length
  }

  last(type: string): AnyEvent | undefined {
    return this.events.filter((event) => event.type === type).at(-1)
  }

  /** Resolves once there have been so many events of this type. */
  async until(type: string, count = 1): Promise<void> {
    await until(() => this.count(type) >= count, {
      timeout: 20_000,
      message: () => `${count} × ${type}, got ${inspect(this.lines.slice(-50))}`,
    })
  }

  /** Resolves once this payload has arrived. */
  async untilPayload(payload: string): Promise<void> {
    await until(() => this.payloads.includes(payload), {
      timeout: 20_000,
      message: () => `the message ${payload}, got ${inspect(this.lines.slice(-50))}`,
    })
  }
}

/** Reads an iterator to its end into a log. */
export class Reading extends Log {
  /** Resolves when the iterator has ended, and rejects if it throws, which it never should. */
  readonly done: Promise<void>

  constructor(events: AsyncIterable<AnyEvent>) {
    super()
    this.done = this.#read(events)
    this.done.catch(() => undefined)
  }

  async #read(events: AsyncIterable<AnyEvent>): Promise<void> {
    for await (const event of events) this.handler(event)
  }
}

/** A subscriber that was started, and is destroyed with the test. */
export function started(t: TestContext, options: PubSubOptions): PubSub {
  return closing(t, PubSub.start({ ...quick, ...options }))
}

/** A subscriber that is up, and is destroyed with the test. */
export async function connected(
  t: TestContext,
  target: { host: string; port: number },
  options: PubSubOptions = {},
): Promise<PubSub> {
  const pubsub = started(t, { host: target.host, port: target.port, ...options })
  await pubsub.ready({ timeout: 20_000 })
  return pubsub
}

/** A connection to publish with, and to ask, beside the subscriber. */
export async function publisher(t: TestContext, target: { host: string; port: number }): Promise<Redix> {
  const conn = closing(t, Redix.start({ ...quick, host: target.host, port: target.port }))
  await conn.ready({ timeout: 20_000 })
  return conn
}

/** A proxy that can fail, and stops with the test. */
export async function proxyTo(t: TestContext, target: ProxyTarget): Promise<FaultProxy> {
  const proxy = await FaultProxy.start({ host: target.host, port: target.port })
  t.after(() => proxy.stop())
  return proxy
}

/** How many connections the server has subscribed to a channel. */
export async function subscribers(server: RedisServer, channel: string): Promise<number> {
  const reply = await server.send("PUBSUB", "NUMSUB", channel)
  return Number((reply as unknown[])[1])
}

/** How many connections the server has subscribed to a shard channel. */
export async function shardSubscribers(server: RedisServer, channel: string): Promise<number> {
  const reply = await server.send("PUBSUB", "SHARDNUMSUB", channel)
  return Number((reply as unknown[])[1])
}

/** Resolves once the server has nobody subscribed to the channel any more. */
export async function untilUnsubscribed(server: RedisServer, channel: string): Promise<void> {
  await until(async () => (await subscribers(server, channel)) === 0, {
    timeout: 20_000,
    message: `the server to have no subscription to ${channel}`,
  })
}

/**
 * Resolves when all that the server had sent before has reached the subscriptions: the reply to a PING comes after
 * it on the same connection.
 */
export async function delivered(pubsub: PubSub): Promise<void> {
  await pubsub.ping()
  // Handlers may run on a later turn than the reply.
  await new Promise((resolve) => setImmediate(resolve))
}
