/**
 * A scripted sentinel and a scripted server that has a role, both for one test. They say what a test wants them to,
 * keep count of what they are asked, and know nothing of the driver.
 */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import type { RedixOptions } from "@redix/client"
import type { Certificates } from "../../support/certificates.ts"
import {
  type Answer,
  array,
  bulk,
  error,
  type FakeConnection,
  FakeServer,
  handshake,
  integer,
  simple,
} from "../../support/fake-server.ts"

/** The group that everything here is about, unless a test says otherwise. */
export const group = "mymaster"

/** Where something listens. */
export interface Place {
  readonly host: string
  readonly port: number
}

/** `"host:port"`, as the driver writes addresses. */
export function at({ host, port }: Place): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
}

/** What a script has to say to a command, before the fake does; nothing: the fake decides. `silence`: no answer. */
export type Script = (command: string[], connection: FakeConnection) => Answer

/** The answer that is none. */
export const silence = Buffer.alloc(0)

export interface Login {
  readonly username?: string
  readonly password: string
}

interface FakeOptions {
  tls?: Certificates
  port?: number
  /** Refuses everything until a client has logged in with this. */
  login?: Login
}

/** What sentinel and server have in common: logging in, subscribing, counting. */
abstract class Fake implements Place {
  readonly host = "127.0.0.1"
  script: Script = () => undefined
  /** Changeable: a rotated password. */
  login: Login | undefined
  /** Every AUTH, also as a part of HELLO: the words after it. */
  readonly logins: string[][] = []
  #server: FakeServer | undefined
  #port = 0
  readonly #options: FakeOptions
  readonly #open = new Set<FakeConnection>()
  readonly #authenticated = new WeakSet<FakeConnection>()
  readonly #resp3 = new WeakSet<FakeConnection>()
  readonly #channels = new Map<FakeConnection, Set<string>>()

  constructor(options: FakeOptions) {
    this.#options = options
    this.login = options.login
  }

  /** Listens, the second time on the same port as the first. */
  async listen(t: TestContext): Promise<void> {
    const port = this.#port || this.#options.port
    const server = await FakeServer.start((connection) => this.#accept(connection), {
      ...(this.#options.tls && { tls: this.#options.tls }),
      ...(port !== undefined && { port }),
    })
    this.#server = server
    this.#port = server.port
    t.after(() => server.stop())
  }

  /** Dies: open connections break, new ones are refused. */
  async stop(): Promise<void> {
    await this.#server?.stop()
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `${this.#options.tls ? "rediss" : "redis"}://${at(this)}`
  }

  /** All that were ever accepted, since it listens. */
  get connections(): readonly FakeConnection[] {
    return this.#server?.connections ?? []
  }

  /** Those that are still open. */
  get open(): FakeConnection[] {
    return [...this.#open]
  }

  /** Every command that was received, over all connections. */
  get received(): string[][] {
    return this.connections.flatMap((each) => each.received)
  }

  /** The commands that begin with these words, any case. */
  commands(...words: string[]): string[][] {
    return this.received.filter((command) =>
      words.every((word, index) => command[index]?.toUpperCase() === word.toUpperCase()),
    )
  }

  /** Open connections that are subscribed to this channel. */
  subscribers(channel: string): FakeConnection[] {
    return this.open.filter((each) => this.#channels.get(each)?.has(channel))
  }

  publish(channel: string, payload: string): void {
    const message = bulk("message") + bulk(channel) + bulk(payload)
    const subscribers = this.subscribers(channel)
    assert.ok(subscribers.length > 0, `nobody is subscribed to ${channel}`)
    for (const each of subscribers) each.write(this.#push(each) + message)
  }

  protected abstract answer(command: string[], connection: FakeConnection): Answer

  #accept(connection: FakeConnection): void {
    this.#open.add(connection)
    void connection.closed.then(() => this.#open.delete(connection))
    connection.onCommand = (command) => {
      const own = this.script(command, connection)
      if (own !== undefined) return own.length === 0 ? undefined : own
      return this.reply(command, connection)
    }
  }

  /** Executes a command, whatever the script has to say, and returns the bytes of the answer. */
  reply(command: string[], connection: FakeConnection): Answer {
    const name = command[0]?.toUpperCase()
    if (name === "AUTH") return this.#authenticate(connection, command.slice(1)) ?? simple("OK")
    if (name === "HELLO") {
      const words = command.map((word) => word.toUpperCase()).indexOf("AUTH")
      const refused = words > 0 && this.#authenticate(connection, command.slice(words + 1, words + 3))
      if (refused) return refused
      if (command[1] === "3") this.#resp3.add(connection)
      return handshake(command)
    }
    if (this.login && !this.#authenticated.has(connection)) return error("NOAUTH Authentication required.")
    if (name === "SUBSCRIBE") return this.#subscribe(connection, command.slice(1))
    const channels = this.#channels.get(connection)
    if (channels && !this.#resp3.has(connection)) {
      if (name === "PING") return array(bulk("pong"), bulk(command[1] ?? ""))
      return error(`ERR Can't execute '${command[0]}': only (P|S)SUBSCRIBE / … are allowed in this context`)
    }
    return this.answer(command, connection) ?? handshake(command) ?? error(`ERR unknown command '${name}'`)
  }

  #authenticate(connection: FakeConnection, words: string[]): Answer {
    this.logins.push(words)
    const { username = "default", password } = this.login ?? { password: undefined }
    const [given, secret] = words.length === 1 ? ["default", words[0]] : words
    if (secret !== password || given !== username) return error("WRONGPASS invalid username-password pair")
    this.#authenticated.add(connection)
    return undefined
  }

  #subscribe(connection: FakeConnection, names: string[]): string {
    const channels = this.#channels.get(connection) ?? new Set<string>()
    this.#channels.set(connection, channels)
    return names
      .map((name) => {
        channels.add(name)
        return this.#push(connection) + bulk("subscribe") + bulk(name) + integer(channels.size)
      })
      .join("")
  }

  #push(connection: FakeConnection): string {
    return this.#resp3.has(connection) ? ">3\r\n" : "*3\r\n"
  }
}

/** A replica as a sentinel describes it. */
export interface ReplicaPlace extends Place {
  readonly flags?: string
}

/** A scripted sentinel that knows one group. */
export class FakeSentinel extends Fake {
  /** The group that it knows. */
  group = group
  /** What it says to be the primary; `undefined`: it knows none. */
  primary: Place | undefined
  replicas: ReplicaPlace[] = []
  /** The other sentinels that it knows. */
  others: Place[] = []

  static async start(t: TestContext, primary?: Place, options: FakeOptions = {}): Promise<FakeSentinel> {
    const sentinel = new FakeSentinel(options)
    sentinel.primary = primary
    await sentinel.listen(t)
    return sentinel
  }

  /** How often it was asked for the primary. */
  get asked(): number {
    return this.commands("SENTINEL", "GET-MASTER-ADDR-BY-NAME").length
  }

  /** How often somebody subscribed to the switches, over all times. */
  get subscriptions(): number {
    return this.commands("SUBSCRIBE").filter((command) => command.includes("+switch-master")).length
  }

  /** Open connections that listen to switches. */
  get listeners(): FakeConnection[] {
    return this.subscribers("+switch-master")
  }

  /** Says that the primary of a group has moved. What it answers when asked is not changed. */
  announce(from: Place, to: Place, whose = this.group): void {
    this.publish("+switch-master", `${whose} ${from.host} ${from.port} ${to.host} ${to.port}`)
  }

  /** Nothing is answered any more, and nothing closed. */
  freeze(): void {
    this.script = () => silence
  }

  protected answer(command: string[]): Answer {
    const [name, verb, whose] = command
    if (name?.toUpperCase() !== "SENTINEL") return undefined
    const known = whose === this.group
    switch (verb?.toUpperCase()) {
      case "GET-MASTER-ADDR-BY-NAME": {
        if (!known || !this.primary) return "*-1\r\n"
        return array(bulk(this.primary.host), bulk(`${this.primary.port}`))
      }
      case "REPLICAS":
      case "SLAVES":
        if (!known) return error("ERR No such master with that name")
        return array(...this.replicas.map((each) => describe(each, each.flags ?? "slave")))
      case "SENTINELS":
        if (!known) return error("ERR No such master with that name")
        return array(...this.others.map((place) => describe(place, "sentinel")))
      default:
        return error(`ERR Unknown sentinel subcommand '${verb}'`)
    }
  }
}

/** The flat list of names and values by which a sentinel describes a server. */
function describe({ host, port }: Place, flags: string): string {
  const up = flags === "slave" || flags === "sentinel"
  const fields = ["name", `${host}:${port}`, "ip", host, "port", `${port}`, "runid", "0".repeat(40)]
  fields.push("flags", flags, "link-refcount", "1", "last-ping-reply", "10")
  if (flags.includes("slave")) fields.push("master-link-status", up ? "ok" : "err", "slave-priority", "100")
  return array(...fields.map((field) => bulk(field)))
}

/** A scripted server that is a primary or a replica. */
export class FakeRedis extends Fake {
  role: "master" | "slave" = "master"
  /** Whether writes are refused. */
  readonly = false

  static async start(
    t: TestContext,
    role: "master" | "slave" = "master",
    options: FakeOptions = {},
  ): Promise<FakeRedis> {
    const server = new FakeRedis(options)
    server.role = role
    await server.listen(t)
    return server
  }

  /** The first arguments of the commands of that name that were run here, in order. */
  ran(name: string): string[] {
    return this.commands(name).map((command) => command[1] ?? "")
  }

  protected answer(command: string[]): Answer {
    const [name, first = ""] = command
    switch (name?.toUpperCase()) {
      case "ROLE":
        if (this.role === "master") return array(bulk("master"), integer(0), array())
        return array(bulk("slave"), bulk("127.0.0.1"), integer(6379), bulk("connected"), integer(0))
      case "ECHO":
        return bulk(first)
      case "SET":
        return this.readonly ? error("READONLY You can't write against a read only replica.") : simple("OK")
      case "WATCH":
        return simple("OK")
      default:
        return undefined
    }
  }
}

/** Options that come back soon, and leave the script little to answer. */
export const quick = { clientInfo: false, backoffInitial: 5, backoffMax: 20 } as const

/** Options for these sentinels and their group. */
export function through(
  sentinels: readonly (string | { url: string })[],
  sentinel: Partial<NonNullable<RedixOptions["sentinel"]>> = {},
): RedixOptions<2> {
  const urls = sentinels.map((each) => (typeof each === "string" ? each : each.url))
  return { ...quick, sentinel: { group, sentinels: urls, ...sentinel } }
}
