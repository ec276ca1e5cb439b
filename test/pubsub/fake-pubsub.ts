/**
 * A scripted server that knows Pub/Sub, in both protocols. Keeps what each of its connections is subscribed to, and
 * refuses or holds back what a test says. Names and payloads are latin1 here: one character for each byte.
 */
import type { TestContext } from "node:test"
import { type FakeConnection, FakeServer, handshake } from "../../support/fake-server.ts"

const kinds = {
  SUBSCRIBE: "subscribe",
  PSUBSCRIBE: "psubscribe",
  SSUBSCRIBE: "ssubscribe",
  UNSUBSCRIBE: "unsubscribe",
  PUNSUBSCRIBE: "punsubscribe",
  SUNSUBSCRIBE: "sunsubscribe",
} as const

type Verb = keyof typeof kinds

/** What one connection has said hello with, and is subscribed to. */
interface Session {
  protocol: 2 | 3
  readonly SUBSCRIBE: Set<string>
  readonly PSUBSCRIBE: Set<string>
  readonly SSUBSCRIBE: Set<string>
}

export class FakePubSub {
  readonly server: FakeServer
  /** Names that a user may not subscribe to. One of them and the whole command is refused. */
  readonly refused = new Set<string>()
  /** Whether a command gets no answer (yet): {@link answer} is then up to the test. */
  held: (command: string[], connection: FakeConnection) => boolean = () => false
  /** What a well-behaved client never sends, such as a SUBSCRIBE to what is subscribed already. */
  readonly complaints: string[] = []
  readonly #sessions = new WeakMap<FakeConnection, Session>()

  /** A server that stops with the test. */
  static async start(t: TestContext): Promise<FakePubSub> {
    let fake: FakePubSub | undefined
    const server = await FakeServer.start((connection) => fake?.accept(connection))
    fake = new FakePubSub(server)
    t.after(() => server.stop())
    return fake
  }

  private constructor(server: FakeServer) {
    this.server = server
  }

  get host(): string {
    return this.server.host
  }

  get port(): number {
    return this.server.port
  }

  /** The connection accepted last. */
  get connection(): FakeConnection {
    const connection = this.server.connections.at(-1)
    if (!connection) throw new Error("nobody has connected")
    return connection
  }

  accept(connection: FakeConnection): void {
    this.#sessions.set(connection, {
      protocol: 2,
      SUBSCRIBE: new Set(),
      PSUBSCRIBE: new Set(),
      SSUBSCRIBE: new Set(),
    })
    connection.onCommand = (command) =>
      this.held(command, connection) ? undefined : this.reply(connection, command)
  }

  /** What one connection is subscribed to, of one kind. */
  topics(
    connection: FakeConnection = this.connection,
    kind: "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE" = "SUBSCRIBE",
  ): Set<string> {
    return this.#session(connection)[kind]
  }

  /** The commands of that name which a connection has sent. */
  commands(name: string, connection: FakeConnection = this.connection): string[][] {
    return connection.received.filter(([first]) => first?.toUpperCase() === name)
  }

  /** Every name in those commands. */
  names(name: string, connection: FakeConnection = this.connection): string[] {
    return this.commands(name, connection).flatMap((command) => command.slice(1))
  }

  /** Executes a command that was held back, and answers it. */
  answer(command: string[], connection: FakeConnection = this.connection): void {
    const reply = this.reply(connection, command)
    if (reply !== undefined) connection.write(reply)
  }

  /** Sends a message to every connection subscribed to this channel; returns to how many. */
  publish(channel: string, payload: string): number {
    const receivers = this.server.connections.filter((each) => this.topics(each).has(channel))
    for (const each of receivers) this.push(each, "message", channel, payload)
    return receivers.length
  }

  /** Sends a push, which is an array with the older protocol. */
  push(connection: FakeConnection, ...items: (string | number | null)[]): void {
    connection.write(this.bytes(connection, ...items))
  }

  /** The bytes of a push. */
  bytes(connection: FakeConnection, ...items: (string | number | null)[]): Buffer {
    return Buffer.from(this.#push(this.#session(connection), items), "latin1")
  }

  /** Executes a command and returns the bytes of its reply. */
  reply(connection: FakeConnection, command: string[]): Buffer | string | undefined {
    const session = this.#session(connection)
    const [name = "", ...names] = command
    const verb = name.toUpperCase()
    if (verb in kinds) return Buffer.from(this.#execute(session, verb as Verb, names), "latin1")
    const isSubscribed = session.SUBSCRIBE.size + session.PSUBSCRIBE.size + session.SSUBSCRIBE.size > 0
    if (session.protocol === 2 && isSubscribed) {
      if (verb === "PING") return Buffer.from(this.#push(session, ["pong", names[0] ?? ""]), "latin1")
      this.complaints.push(`${verb} while subscribed`)
      return `-ERR Can't execute '${name.toLowerCase()}' in this context\r\n`
    }
    if (verb === "HELLO") session.protocol = names[0] === "3" ? 3 : 2
    if (verb === "CLIENT" && names[0]?.toUpperCase() === "ID")
      return `:${this.server.connections.indexOf(connection) + 1}\r\n`
    return handshake(command)
  }

  #execute(session: Session, verb: Verb, names: string[]): string {
    const kind = verb.replace("UN", "") as "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE"
    const topics = session[kind]
    const leaves = verb.includes("UN")
    if (!leaves && names.length === 0) return "-ERR wrong number of arguments\r\n"
    if (!leaves && names.some((each) => this.refused.has(each)))
      return `-NOPERM No permissions to access a channel\r\n`
    const all = names.length > 0 ? names : [...topics]
    if (all.length === 0) return this.#push(session, [kinds[verb], null, this.#total(session, kind)])
    let text = ""
    for (const each of all) {
      if (leaves) topics.delete(each)
      else if (topics.has(each)) this.complaints.push(`${verb} ${each} again`)
      else topics.add(each)
      text += this.#push(session, [kinds[verb], each, this.#total(session, kind)])
    }
    return text
  }

  #total(session: Session, kind: "SUBSCRIBE" | "PSUBSCRIBE" | "SSUBSCRIBE"): number {
    return kind === "SSUBSCRIBE" ? session.SSUBSCRIBE.size : session.SUBSCRIBE.size + session.PSUBSCRIBE.size
  }

  #push(session: Session, items: (string | number | null)[]): string {
    const nothing = session.protocol === 3 ? "_\r\n" : "$-1\r\n"
    const literals = items.map((item) => {
      if (item === null) return nothing
      return typeof item === "number" ? `:${item}\r\n` : `$${item.length}\r\n${item}\r\n`
    })
    return `${session.protocol === 3 ? ">" : "*"}${items.length}\r\n${literals.join("")}`
  }

  #session(connection: FakeConnection): Session {
    const session = this.#sessions.get(connection)
    if (!session) throw new Error("not a connection of this server")
    return session
  }
}
