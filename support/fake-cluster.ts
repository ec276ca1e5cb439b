/**
 * A cluster of scriptable nodes, for answers and faults that real ones do not give on command. Knows its nodes, who is
 * said to serve which slots, and what arrived where; connections are left to `fake-server.ts`, all else to scripts.
 */

import type { Certificates } from "./certificates.ts"
import {
  type Answer,
  array,
  bulk,
  error,
  type FakeConnection,
  FakeServer,
  handshake,
  integer,
  nullBulk,
  simple,
} from "./fake-server.ts"
import { evenRanges } from "./slots.ts"
import { until } from "./wait.ts"

/** A node as a layout names it. */
export interface Place {
  /** `null`, `""` and `"?"` are what real nodes say where they know no host. */
  readonly host: string | null
  readonly port: number
  readonly id?: string
  /** More of the node, such as `["hostname", "node-1.example"]`. */
  readonly metadata?: readonly string[]
}

/** A range of slots and who serves it: the primary first, then the replicas. */
export interface Shard {
  readonly slots: readonly [number, number]
  readonly nodes: readonly Place[]
}

/** What a node says to a command: bytes, `""` for silence; `undefined` leaves it to the next in line. */
export type NodeScript = (
  command: string[],
  node: FakeNode,
  connection: FakeConnection,
  // biome-ignore lint/suspicious/noConfusingVoidType: lets a script answer some commands and just fall off its end
) => Answer | void

export interface FakeClusterOptions {
  /** Default 3. */
  primaries?: number
  /** Default 0. */
  replicasPerPrimary?: number
  /** Of every node, after its own. */
  script?: NodeScript
  /** Speaks TLS with the server's certificate. */
  tls?: Certificates
}

/** Commands by which a client introduces itself or asks for the layout: what {@link FakeNode.commands} leaves out. */
const housekeeping = new Set(["HELLO", "AUTH", "PING", "READONLY", "SELECT"])

export class FakeNode {
  readonly index: number
  readonly server: FakeServer
  /** Comes before the script of the cluster. */
  script: NodeScript | undefined
  /** What this node says instead of the layout of the cluster; an error reply is a string. */
  layout: readonly Shard[] | string | undefined
  /** Milliseconds that it takes to tell the layout. */
  layoutDelay = 0
  /** How many questions for the layout are open; see {@link layoutDelay}. */
  layoutsPending = 0
  /** Everything that arrived, in order, over all connections. */
  readonly received: string[][] = []
  /** When each of {@link received} arrived. */
  readonly times: number[] = []
  /** The connections that are open. */
  readonly open: FakeConnection[] = []

  constructor(index: number, server: FakeServer) {
    this.index = index
    this.server = server
  }

  get host(): string {
    return this.server.host
  }

  get port(): number {
    return this.server.port
  }

  /** `host:port` */
  get address(): string {
    return `${this.host}:${this.port}`
  }

  get url(): string {
    return this.server.url
  }

  get place(): Place {
    return { host: this.host, port: this.port, id: nodeId(this.index) }
  }

  /** What arrived, without handshakes and questions for the layout. */
  get commands(): string[][] {
    return this.received.filter(([name = "", sub = ""]) => {
      const [upper, upperSub] = [name.toUpperCase(), sub.toUpperCase()]
      return (
        !housekeeping.has(upper) &&
        !(upper === "CLIENT" && /^SET(INFO|NAME)$/.test(upperSub)) &&
        upper !== "CLUSTER"
      )
    })
  }

  /** How often this node was asked for the layout. */
  get layoutsAsked(): number {
    return this.received.filter(([name]) => name?.toUpperCase() === "CLUSTER").length
  }

  /** Called for every new connection. */
  opened(connection: FakeConnection): void {
    this.open.push(connection)
    void connection.closed.then(() => this.open.splice(this.open.indexOf(connection), 1))
  }

  /** Breaks every open connection off. */
  reset(): void {
    for (const connection of [...this.open]) connection.reset()
  }

  /** Resolves to the first command of that name that has arrived or arrives, as it was written. */
  async nextCommand(name: string): Promise<string[]> {
    const find = () => this.received.find(([first]) => first?.toUpperCase() === name)
    return until(find, {
      message: () => `${name} at node ${this.index}, which has ${JSON.stringify(this.received)}`,
    })
  }
}

/** What one connection is in the middle of. */
interface Session {
  protocol: 2 | 3
  queued: number | undefined
}

export class FakeCluster {
  /** The primaries, then the replicas: those of the first primary first. */
  readonly nodes: FakeNode[] = []
  /** What every node says, unless it has something of its own to say. May be changed at any time. */
  layout: readonly Shard[] = []
  /** Comes after the script of the node. */
  script: NodeScript | undefined
  readonly #options: FakeClusterOptions

  /** Nodes that listen, and agree on an even layout. */
  static async start(options: FakeClusterOptions = {}): Promise<FakeCluster> {
    const cluster = new FakeCluster(options)
    const { primaries = 3, replicasPerPrimary = 0 } = options
    // One after another in groups, since a thousand probes for a port at once get in each other's way.
    const count = primaries * (1 + replicasPerPrimary)
    for (let begin = 0; begin < count; begin += 50) {
      const some = Array.from({ length: Math.min(50, count - begin) }, () => cluster.#listen())
      for (const listening of await Promise.all(some)) cluster.#adopt(listening)
    }
    const ranges = evenRanges(primaries)
    cluster.layout = ranges.map((slots, index) => {
      const replicas = Array.from({ length: replicasPerPrimary }, (_, replica) =>
        cluster.node(primaries + index * replicasPerPrimary + replica),
      )
      return { slots, nodes: [cluster.node(index), ...replicas].map(({ place }) => place) }
    })
    return cluster
  }

  private constructor(options: FakeClusterOptions) {
    this.#options = options
    this.script = options.script
  }

  node(index: number): FakeNode {
    const node = this.nodes[index]
    if (!node) throw new RangeError(`no node ${index}`)
    return node
  }

  /** One more node, which no layout mentions yet. */
  async addNode(): Promise<FakeNode> {
    return this.#adopt(await this.#listen())
  }

  /** The same port again, after {@link FakeServer.stop}. */
  async restart(node: FakeNode): Promise<void> {
    await node.server.stop()
    const server = await FakeServer.start((connection) => this.#serve(node, connection), {
      port: node.port,
      ...(this.#options.tls && { tls: this.#options.tls }),
    })
    Object.assign(node, { server })
  }

  /** The URIs of all nodes, or of the first few. */
  urls(count: number = this.nodes.length): string[] {
    return this.nodes.slice(0, count).map(({ url }) => url)
  }

  /** The node that the layout says serves the slot. */
  primaryOf(slot: number): FakeNode {
    const shard = this.layout.find(({ slots: [first, last] }) => first <= slot && slot <= last)
    const node = this.nodes.find(({ port }) => port === shard?.nodes[0]?.port)
    if (!node) throw new RangeError(`nobody serves slot ${slot}`)
    return node
  }

  /** Makes the layout say that another node serves this one slot. */
  assign(slot: number, to: FakeNode): void {
    this.layout = this.layout.flatMap((shard) => {
      const [first, last] = shard.slots
      if (slot < first || slot > last) return [shard]
      const parts: Shard[] = [
        { ...shard, slots: [first, slot - 1] },
        { slots: [slot, slot], nodes: [to.place] },
        { ...shard, slots: [slot + 1, last] },
      ]
      return parts.filter(({ slots: [from, until] }) => from <= until)
    })
  }

  /** Everything but housekeeping, over all nodes; the order between nodes is that of the nodes. */
  get commands(): string[][] {
    return this.nodes.flatMap((node) => node.commands)
  }

  /** How often any node was asked for the layout. */
  get layoutsAsked(): number {
    return this.nodes.reduce((sum, node) => sum + node.layoutsAsked, 0)
  }

  /** How many connections are open, over all nodes. */
  get openConnections(): number {
    return this.nodes.reduce((sum, node) => sum + node.open.length, 0)
  }

  /** Stops to listen and breaks off what is open. May be called again. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ server }) => server.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #listen(): Promise<{ server: FakeServer; adopt: (node: FakeNode) => void }> {
    let owner: FakeNode | undefined
    const { tls } = this.#options
    const server = await FakeServer.start((connection) => {
      if (owner) this.#serve(owner, connection)
    }, tls && { tls })
    return {
      server,
      adopt: (node) => {
        owner = node
      },
    }
  }

  #adopt({ server, adopt }: { server: FakeServer; adopt: (node: FakeNode) => void }): FakeNode {
    const node = new FakeNode(this.nodes.length, server)
    this.nodes.push(node)
    adopt(node)
    return node
  }

  #serve(node: FakeNode, connection: FakeConnection): void {
    const session: Session = { protocol: 2, queued: undefined }
    node.opened(connection)
    connection.onCommand = (command) => {
      node.received.push(command)
      node.times.push(performance.now())
      return (
        node.script?.(command, node, connection) ??
        this.script?.(command, node, connection) ??
        this.#answer(command, node, session, connection)
      )
    }
  }

  /** What a healthy node says. Data commands are all answered with `OK`: what they mean is for scripts to know. */
  #answer(command: string[], node: FakeNode, session: Session, connection: FakeConnection): Answer {
    const [name = "", sub = ""] = command.map((word) => word.toUpperCase())
    if (name === "HELLO" && sub === "3") session.protocol = 3
    const greeting = handshake(command)
    if (greeting !== undefined) return greeting
    if (name === "CLUSTER") {
      const reply = () => clusterReply(sub, node.layout ?? this.layout, node, session.protocol)
      if (node.layoutDelay === 0) return reply()
      node.layoutsPending += 1
      const late = setTimeout(() => {
        node.layoutsPending -= 1
        connection.write(reply())
      }, node.layoutDelay)
      late.unref()
      return ""
    }
    if (name === "MULTI") session.queued = 0
    else if (name === "EXEC" || name === "DISCARD") return endTransaction(name, session)
    else if (session.queued !== undefined) {
      session.queued += 1
      return simple("QUEUED")
    } else if (name === "COMMAND") return commandReply(sub, command)
    return simple("OK")
  }
}

/** What `CLUSTER SLOTS`, `SHARDS`, `MYID` and `INFO` say. */
function clusterReply(
  question: string,
  layout: readonly Shard[] | string,
  node: FakeNode,
  protocol: 2 | 3,
): string {
  if (typeof layout === "string") return error(layout)
  if (question === "SLOTS") return array(...layout.map((shard) => slotsEntry(shard, protocol)))
  if (question === "SHARDS") return array(...layout.map((shard) => shardsEntry(shard, protocol)))
  if (question === "MYID") return bulk(nodeId(node.index))
  if (question === "INFO") return bulk(`cluster_state:ok\r\ncluster_size:${layout.length}\r\n`)
  return error(`ERR unknown subcommand '${question}'. Try CLUSTER HELP.`)
}

function slotsEntry({ slots: [first, last], nodes }: Shard, protocol: 2 | 3): string {
  const places = nodes.map(({ host, port, id, metadata = [] }) =>
    array(
      host === null ? nullBulk : bulk(host),
      integer(port),
      bulk(id ?? nodeId(port)),
      protocol === 3
        ? map(...metadata.map((each) => bulk(each)))
        : array(...metadata.map((each) => bulk(each))),
    ),
  )
  return array(integer(first), integer(last), ...places)
}

function shardsEntry({ slots: [first, last], nodes }: Shard, protocol: 2 | 3): string {
  const record = protocol === 3 ? map : array
  const places = nodes.map(({ host, port, id }, index) =>
    record(
      ...[bulk("id"), bulk(id ?? nodeId(port)), bulk("port"), integer(port)],
      ...[bulk("ip"), bulk(host ?? ""), bulk("endpoint"), host === null ? nullBulk : bulk(host)],
      ...[bulk("role"), bulk(index === 0 ? "master" : "replica")],
      ...[bulk("replication-offset"), integer(1), bulk("health"), bulk("online")],
    ),
  )
  return record(bulk("slots"), array(integer(first), integer(last)), bulk("nodes"), array(...places))
}

/** RESP3's map, of keys and values in turn. */
function map(...items: string[]): string {
  return `%${items.length / 2}\r\n${items.join("")}`
}

function endTransaction(name: string, session: Session): string {
  const { queued } = session
  session.queued = undefined
  if (queued === undefined) return error(`ERR ${name} without MULTI`)
  return name === "EXEC" ? array(...Array.from({ length: queued }, () => simple("OK"))) : simple("OK")
}

/** `COMMAND INFO` knows no command, and `COMMAND GETKEYS` no keys, unless a script does. */
function commandReply(sub: string, command: readonly string[]): string {
  if (sub === "INFO") return array(...command.slice(2).map(() => "*-1\r\n"))
  if (sub === "GETKEYS") return error("ERR The command has no key arguments")
  return array()
}

/** 40 hexadecimal digits, as ids of nodes are. */
function nodeId(number: number): string {
  return number.toString(16).padStart(40, "0")
}
