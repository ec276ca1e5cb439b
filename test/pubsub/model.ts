/**
 * A model of a subscriber, and the steps of a random life of one on a real server. Knows what each subscription must
 * be told, may be told and must not be told; `property.test.ts` decides which steps come in which order.
 *
 * A message MUST arrive at a subscription that was confirmed before its PUBLISH, if neither a kill nor a leave
 * came before the next settling. It must NOT arrive where the channel was left before. Everything else is a gap,
 * in which it MAY arrive.
 */
import assert from "node:assert/strict"
import { inspect } from "node:util"
import { PubSub, type Redix, type Subscription } from "@redix/client"
import type { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { type AnyEvent, Log, Reading, told } from "./setup.ts"

export type Kind = "channel" | "pattern" | "shard"

export type Step =
  | {
      readonly type: "subscribe"
      readonly kind: Kind
      readonly topics: readonly number[]
      readonly iterator: boolean
      readonly wait: boolean
    }
  | {
      readonly type: "unsubscribe"
      readonly pick: number
      readonly how: "method" | "dispose" | "signal" | "topic"
      readonly wait: boolean
    }
  | {
      readonly type: "unsubscribeAll"
      readonly kind: Kind
      readonly topic: number | undefined
      readonly wait: boolean
    }
  | { readonly type: "publish"; readonly channel: number; readonly shard: boolean; readonly wait: boolean }
  | { readonly type: "kill" }
  | { readonly type: "turn" }
  | { readonly type: "settle" }

const kinds = {
  channel: { subscribe: "subscribe", unsubscribe: "unsubscribe", name: "channel" },
  pattern: { subscribe: "psubscribe", unsubscribe: "punsubscribe", name: "pattern" },
  shard: { subscribe: "ssubscribe", unsubscribe: "sunsubscribe", name: "channel" },
} as const

const prefixes = { channel: "", pattern: "p", shard: "s" } as const

/** How long any one wait may take, on a machine however slow. */
const patience = 20_000

interface Sub {
  readonly kind: Kind
  readonly log: Log
  readonly stop: AbortController
  state: "pending" | "live" | "ended"
  /** Those that it has not left. */
  readonly topics: Set<string>
  readonly done: Promise<unknown>
  subscription?: Subscription
}

interface Publication {
  readonly payload: string
  /** How often each subscription must be told; the others may be. */
  readonly musts: Map<Sub, Set<string>>
  readonly forbidden: Map<Sub, Set<string>>
}

export class Life {
  readonly #server: RedisServer
  readonly #conn: Redix
  readonly #pubsub: PubSub
  readonly #prefix: string
  readonly #subs: Sub[] = []
  readonly #pending: Promise<unknown>[] = []
  #publications: Publication[] = []
  #published = 0
  #kills = 0
  #losses = 0
  /** Whether there was a kill since the last settling. */
  #inDoubt = false

  constructor(server: RedisServer, conn: Redix, protocol: 2 | 3, prefix: string) {
    this.#server = server
    this.#conn = conn
    this.#prefix = prefix
    this.#pubsub = PubSub.start({
      host: server.host,
      port: server.port,
      protocol,
      clientInfo: false,
      backoffInitial: 1,
      backoffMax: 2,
      commandTimeout: patience,
      fetchClientIdOnConnect: true,
    })
    this.#pubsub.on("disconnection", () => {
      this.#losses += 1
    })
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (const step of steps) await this.#step(step)
      await this.#settle()
      await this.#end()
    } catch (error) {
      const logs = this.#subs.map(({ kind, state, log }) => [kind, state, log.lines])
      throw new Error(`${error}\n${inspect(logs, { depth: 5, maxArrayLength: 200, breakLength: 120 })}`, {
        cause: error,
      })
    } finally {
      this.#pubsub.destroy()
    }
  }

  async #step(step: Step): Promise<void> {
    switch (step.type) {
      case "subscribe":
        return this.#subscribe(step)
      case "unsubscribe":
        return this.#unsubscribe(step)
      case "unsubscribeAll":
        return this.#unsubscribeAll(step)
      case "publish":
        return this.#publish(step)
      case "kill":
        return this.#kill()
      case "turn":
        await new Promise((resolve) => setImmediate(resolve))
        return
      case "settle":
        return this.#settle()
    }
  }

  async #subscribe({ kind, topics, iterator, wait }: Step & { type: "subscribe" }): Promise<void> {
    const names = topics.map((topic) => this.#topic(kind, topic))
    const method = kinds[kind].subscribe
    const stop = new AbortController()
    const { signal } = stop
    const log = new Log()
    let reading: Promise<unknown> = Promise.resolve()
    const sub: Sub = {
      kind,
      log,
      stop,
      state: "pending",
      topics: new Set(names),
      get done() {
        return reading
      },
    }
    this.#subs.push(sub)
    const asked = iterator
      ? this.#pubsub[method](names, { signal }).then((subscription) => {
          const events = new Reading(subscription)
          // One log for both kinds.
          Object.defineProperty(sub, "log", { value: events })
          reading = events.done
          return subscription
        })
      : this.#pubsub[method](names, log.handler, { signal })
    const settled = asked.then(
      (subscription) => {
        sub.subscription = subscription
        // It may have been confirmed in the very turn in which it was given up.
        if (sub.state === "pending") sub.state = "live"
      },
      (error: unknown) => {
        assert.ok(signal.aborted, `subscribe rejected: ${inspect(error)}`)
        assert.equal(error, signal.reason)
      },
    )
    await this.#later(settled, wait)
  }

  async #unsubscribe({ pick, how, wait }: Step & { type: "unsubscribe" }): Promise<void> {
    const candidates = this.#subs.filter(({ state }) => state !== "ended")
    const sub = candidates[pick % candidates.length]
    if (!sub) return
    const { subscription } = sub
    if (how === "signal" || !subscription) {
      this.#left(sub, [...sub.topics])
      sub.stop.abort(new Error("given up"))
      return
    }
    const [topic] = sub.topics
    const method = kinds[sub.kind].unsubscribe
    this.#left(sub, how === "topic" ? [topic as string] : [...sub.topics])
    if (how === "topic") await this.#later(this.#pubsub[method](topic, subscription), wait)
    else if (how === "method") await this.#later(subscription.unsubscribe(), wait)
    else await this.#later(Promise.resolve(subscription[Symbol.asyncDispose]()), wait)
  }

  async #unsubscribeAll({ kind, topic, wait }: Step & { type: "unsubscribeAll" }): Promise<void> {
    // What becomes of a subscribe that still waits is tested elsewhere.
    await this.#soon(Promise.all(this.#pending), "pending calls before an unsubscribe")
    const name = topic === undefined ? undefined : this.#topic(kind, topic)
    for (const sub of this.#subs) {
      if (sub.kind !== kind || sub.state !== "live") continue
      this.#left(sub, name === undefined ? [...sub.topics] : [name])
    }
    await this.#later(this.#pubsub[kinds[kind].unsubscribe](name), wait)
  }

  async #publish({ channel, shard, wait }: Step & { type: "publish" }): Promise<void> {
    const kind = shard ? "shard" : "channel"
    const name = this.#topic(kind, channel)
    const payload = `${this.#published++}`
    const musts = new Map<Sub, Set<string>>()
    const forbidden = new Map<Sub, Set<string>>()
    for (const sub of this.#subs) {
      const matching = this.#matching(sub.kind, kind, channel)
      const held = matching.filter((topic) => sub.topics.has(topic))
      if (sub.state === "live" && !this.#inDoubt && held.length > 0) musts.set(sub, new Set(held))
      forbidden.set(sub, new Set(matching.filter((topic) => !sub.topics.has(topic))))
    }
    this.#publications.push({ payload, musts, forbidden })
    await this.#later(this.#conn.command([shard ? "SPUBLISH" : "PUBLISH", name, payload]), wait)
  }

  async #kill(): Promise<void> {
    const id = this.#pubsub.clientId
    if (id === undefined) return
    this.#inDoubt = true
    for (const { musts } of this.#publications) musts.clear()
    if (Number(await this.#conn.command(["CLIENT", "KILL", "ID", id])) === 1) this.#kills += 1
  }

  /** Waits until everything that was asked for is done, and checks that it was done rightly. */
  async #settle(): Promise<void> {
    await this.#soon(Promise.all(this.#pending), "pending calls")
    this.#pending.length = 0
    await until(() => this.#losses === this.#kills, {
      timeout: patience,
      message: () => `${this.#kills} losses, seen ${this.#losses}`,
    })
    await this.#pubsub.ready({ timeout: patience })
    await this.#pubsub.ping()
    await new Promise((resolve) => setImmediate(resolve))
    const live = this.#subs.filter(({ state }) => state === "live")
    await until(() => live.every((sub) => this.#isConfirmed(sub)), {
      timeout: patience,
      message: "every subscription to be confirmed again",
    })
    for (const { state, done } of this.#subs)
      if (state === "ended") await this.#soon(done, "the end of an iterator")
    await this.#checkServer(live)
    for (const publication of this.#publications) this.#checkPublication(publication)
    for (const sub of this.#subs) this.#checkLog(sub)
    this.#publications = []
    this.#inDoubt = false
  }

  async #end(): Promise<void> {
    await this.#pubsub.close()
    for (const { done } of this.#subs) await this.#soon(done, "the end of an iterator")
  }

  #left(sub: Sub, topics: readonly string[]): void {
    for (const topic of topics) {
      sub.topics.delete(topic)
      for (const { musts } of this.#publications) musts.get(sub)?.delete(topic)
    }
    if (sub.topics.size === 0) sub.state = "ended"
  }

  #isConfirmed({ kind, topics, log }: Sub): boolean {
    const confirmed = new Set<string>()
    for (const event of log.events) {
      if (event.type === "disconnected") confirmed.clear()
      else if (event.type.endsWith("subscribed") && !event.type.includes("un"))
        confirmed.add(topicOf(kind, event) ?? "")
    }
    return [...topics].every((topic) => confirmed.has(topic))
  }

  async #checkServer(live: readonly Sub[]): Promise<void> {
    const wanted = { channel: new Set<string>(), pattern: new Set<string>(), shard: new Set<string>() }
    for (const { kind, topics } of live) for (const topic of topics) wanted[kind].add(topic)
    for (const [kind, command] of [
      ["channel", "NUMSUB"],
      ["shard", "SHARDNUMSUB"],
    ] as const) {
      const names = [0, 1, 2].map((topic) => this.#topic(kind, topic))
      const reply = (await this.#conn.command(["PUBSUB", command, ...names])) as readonly unknown[]
      const counts = names.map((_, index) => Number(reply[2 * index + 1]))
      assert.deepEqual(
        counts,
        names.map((name) => (wanted[kind].has(name) ? 1 : 0)),
        `${kind}s of the server`,
      )
    }
    // The connection of the life before this one may still be about to go.
    await until(async () => Number(await this.#server.send("PUBSUB", "NUMPAT")) === wanted.pattern.size, {
      timeout: patience,
      message: `${wanted.pattern.size} patterns on the server`,
    })
  }

  #checkPublication({ payload, musts, forbidden }: Publication): void {
    for (const sub of this.#subs) {
      const topics = sub.log.events
        .filter((event) => event.payload === payload)
        .map((event) => topicOf(sub.kind, event) ?? "")
      for (const topic of musts.get(sub) ?? [])
        assert.ok(topics.includes(topic), `message ${payload} is missing in a ${sub.kind}, ${topic}`)
      for (const topic of forbidden.get(sub) ?? [])
        assert.ok(!topics.includes(topic), `message ${payload} came after ${topic} was left`)
      assert.equal(new Set(topics).size, topics.length, `message ${payload} came twice`)
    }
  }

  /** What holds for every log at any time: the order of messages, and brackets around the gaps. */
  #checkLog({ kind, log }: Sub): void {
    let last = -1
    for (const { payload } of log.events) {
      if (payload === undefined) continue
      assert.ok(Number(payload) >= last, `message ${payload} after ${last}`)
      last = Number(payload)
    }
    for (const index of [0, 1, 2]) {
      const topic = this.#topic(kind, index)
      const own = log.events.filter(
        (event) => event.type === "disconnected" || topicOf(kind, event) === topic,
      )
      const letters = own.map(letterOf).join("")
      assert.match(letters, /^D*(SM*(D+SM*)*D*)?U?D*$/, `${own.map(told)}`)
    }
  }

  #matching(kind: Kind, published: "channel" | "shard", channel: number): string[] {
    if (kind !== "pattern") return kind === published ? [this.#topic(kind, channel)] : []
    if (published === "shard") return []
    // Pattern 0 is for all, the others for one each.
    return channel === 0
      ? [this.#topic("pattern", 0)]
      : [0, channel].map((each) => this.#topic("pattern", each))
  }

  #topic(kind: Kind, index: number): string {
    const name = `${this.#prefix}:${index}`
    if (kind === "pattern") return index === 0 ? `${this.#prefix}:?` : `${this.#prefix}:[${index}]`
    return `${name}${prefixes[kind]}`
  }

  async #later(promise: Promise<unknown>, wait: boolean): Promise<void> {
    promise.catch(() => undefined)
    this.#pending.push(promise)
    if (wait) await this.#soon(promise, "a call")
  }

  async #soon(promise: Promise<unknown>, what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`waited ${patience} ms in vain for ${what}`)), patience)
    })
    await Promise.race([promise, late]).finally(() => clearTimeout(timer))
  }
}

function topicOf(kind: Kind, event: AnyEvent): string | undefined {
  return event[kinds[kind].name]
}

function letterOf({ type }: AnyEvent): string {
  if (type === "disconnected") return "D"
  if (type.includes("unsub")) return "U"
  return type.endsWith("subscribed") ? "S" : "M"
}
