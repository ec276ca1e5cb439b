/**
 * What the conformance suite stands on: the description of a topology, a client of it, keys, and the servers beside the
 * driver. Knows no topology by name, and nothing of what is asserted.
 */
import type { TestContext } from "node:test"
import type {
  CloseOptions,
  Commands,
  ConnectionError,
  ConnectionErrorReason,
  ConnectionEvent,
  ConnectionEvents,
  DisconnectionEvent,
  RedixOptions,
  Status,
} from "@redix/client"
import { request } from "../../../support/side-channel.ts"
import { until } from "../../../support/wait.ts"
import { uniqueKey } from "../helpers.ts"

/** What would change a connection for others who share it. */
export const changing: readonly (readonly string[])[] = [
  ["MULTI"],
  ["EXEC"],
  ["DISCARD"],
  ["WATCH", "key"],
  ["UNWATCH"],
  ["SELECT", "1"],
  ["AUTH", "secret"],
  ["QUIT"],
  ["CLIENT", "TRACKING", "ON"],
]

/** What is refused everywhere, since it would desynchronise a connection. */
export const desynchronising: readonly (readonly string[])[] = [
  ["SUBSCRIBE", "c"],
  ["PSUBSCRIBE", "c"],
  ["SSUBSCRIBE", "c"],
  ["UNSUBSCRIBE"],
  ["PUNSUBSCRIBE"],
  ["SUNSUBSCRIBE"],
  ["MONITOR"],
  ["HELLO", "3"],
  ["RESET"],
  ["SYNC"],
  ["PSYNC", "?", "-1"],
  ["REPLCONF", "ack", "0"],
  ["REPLCONF", "ACK", "1"],
  ["CLIENT", "REPLY", "OFF"],
  ["CLIENT", "REPLY", "SKIP"],
]

/** What every client has beside its commands. */
export interface Life {
  readonly protocol: 2 | 3
  readonly name: string | undefined
  readonly status: Status
  readonly closed: Promise<ConnectionError | undefined>
  ready(options?: { timeout?: number | undefined; signal?: AbortSignal | undefined }): Promise<void>
  close(options?: CloseOptions): Promise<void>
  destroy(): void
  ref(): unknown
  unref(): unknown
  on<Name extends keyof ConnectionEvents>(
    name: Name,
    listener: (event: ConnectionEvents[Name]) => void,
  ): unknown
  once<Name extends keyof ConnectionEvents>(
    name: Name,
    listener: (event: ConnectionEvents[Name]) => void,
  ): unknown
  off<Name extends keyof ConnectionEvents>(
    name: Name,
    listener: (event: ConnectionEvents[Name]) => void,
  ): unknown
  [Symbol.asyncDispose](): Promise<void>
}

/** A client of any topology, by what all of them promise. */
export type Client = Commands<2 | 3> & Life

/** Options that mean the same to every topology. */
export type ClientOptions = Omit<RedixOptions<2 | 3>, "host" | "port" | "path" | "sentinel" | "database">

/** Where something listens. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** Servers that run, and how clients come to them. */
export interface Setting {
  /** Every server that holds data. */
  readonly servers: readonly Place[]
  start(options?: ClientOptions): Client
  connect(options?: ClientOptions): Promise<Client>
  /** A client that knows of nothing but this place, which may be nobody's. */
  startAt(place: Place, options?: ClientOptions): Client
  connectAt(place: Place, options?: ClientOptions): Promise<Client>
  /** The class's own `named`. */
  named(name: string): unknown
  /** The beginning of a program that leaves an open `client`, with these options as well. */
  program(options?: { username: string; password: string }): string
  stop(): Promise<void>
}

/** A topology: how it is set up, and where the contract states a difference. */
export interface Topology {
  readonly name: string
  /** Commands that change a connection are refused, since many are shared; blocking ones run on their own. */
  readonly manyConnections: boolean
  /** What else than on one connection is refused, and the words that say what to use instead. */
  readonly refused: readonly (readonly string[])[]
  /** A command that fails alone stands in its place in a pipeline, instead of failing the whole of it. */
  readonly failsOneByOne: boolean
  /** A transaction without any key has nowhere to go. */
  readonly needsKey: boolean
  /** `noreply…` asks the server not to reply; otherwise the replies are read and thrown away. */
  readonly usesClientReply: boolean
  /** Why `connect` rejects where nobody listens. */
  readonly nobodyThere: ConnectionErrorReason
  setUp(): Promise<Setting>
}

/** One topology while its suite runs. */
export class Bed {
  readonly topology: Topology
  #setting: Setting | undefined
  #client: Client | undefined

  constructor(topology: Topology) {
    this.topology = topology
  }

  async setUp(): Promise<void> {
    this.#setting = await this.topology.setUp()
    this.#client = await this.#setting.connect()
  }

  async tearDown(): Promise<void> {
    this.#client?.destroy()
    await this.#setting?.stop()
  }

  get setting(): Setting {
    if (!this.#setting) throw new Error("the suite has not been set up")
    return this.#setting
  }

  /** The client that all cases share which do it no harm. */
  get client(): Client {
    if (!this.#client) throw new Error("the suite has not been set up")
    return this.#client
  }

  /** A client of a case's own, connected, destroyed with it. */
  async own(t: TestContext, options?: ClientOptions): Promise<Client> {
    const client = await this.setting.connect(options)
    t.after(() => client.destroy())
    return client
  }

  /** The reply of each server to one command, beside the driver. */
  everywhere(...command: string[]): Promise<unknown[]> {
    return Promise.all(this.setting.servers.map((place) => request(place, command)))
  }

  /** Makes every server hold writes back, until the returned function is called or the case has ended. */
  async holdWrites(t: TestContext): Promise<() => Promise<void>> {
    const resume = async () => {
      await this.everywhere("CLIENT", "UNPAUSE")
    }
    t.after(resume)
    await this.everywhere("CLIENT", "PAUSE", "60000", "WRITE")
    return resume
  }

  /** Resolves when the servers hold all that clients of that name have written: some of it held back, nothing unread. */
  async untilHeld(clientName: string): Promise<void> {
    await this.untilBlocked(clientName, undefined)
    // What was written at the same time on other connections has arrived by the time of another reply.
    await this.clientLines(clientName)
  }

  /** Resolves when so many clients of that name, or any, are held back or blocked. */
  async untilBlocked(clientName: string, count: number | undefined): Promise<void> {
    let blocked: string[] = []
    await until(
      async () => {
        blocked = (await this.clientLines(clientName))
          .filter(({ line }) => / flags=[^ ]*b/.test(line))
          .map(({ line }) => line)
        return count === undefined ? blocked.length > 0 : blocked.length === count
      },
      { message: () => `${count ?? "any"} blocked clients, there are ${blocked.length}` },
    )
  }

  /** Breaks off every connection of the clients of that name, at the server. Resolves to how many there were. */
  async kill(clientName: string): Promise<number> {
    const lines = await this.clientLines(clientName)
    await Promise.all(
      lines.map(({ place, line }) =>
        request(place, ["CLIENT", "KILL", "ID", /^id=(\d+)/.exec(line)?.[1] ?? ""]),
      ),
    )
    return lines.length
  }

  /** The connections of that name, as the servers list them. */
  async clientLines(clientName: string): Promise<{ place: Place; line: string }[]> {
    const lists = await Promise.all(
      this.setting.servers.map(async (place) => {
        const text = String(await request(place, ["CLIENT", "LIST"]))
        return text.split("\n").map((line) => ({ place, line }))
      }),
    )
    return lists.flat().filter(({ line }) => line.includes(` name=${clientName} `))
  }
}

/** A maker of keys for one case. They share a hash tag, so that a cluster has them in one slot. */
export function keys(): (label?: string) => string {
  const tag = uniqueKey("slot")
  return (label = "key") => `{${tag}}:${label}`
}

/** A name that no other connection bears. */
export function clientName(): string {
  return uniqueKey("client").replaceAll(":", "-")
}

/** The next event of that name. */
export function nextEvent(client: Client, name: "connection"): Promise<ConnectionEvent>
export function nextEvent(
  client: Client,
  name: "disconnection" | "failedConnection",
): Promise<DisconnectionEvent>
export function nextEvent(client: Client, name: keyof ConnectionEvents): Promise<object> {
  return new Promise((resolve) => {
    client.once(name, resolve)
  })
}
