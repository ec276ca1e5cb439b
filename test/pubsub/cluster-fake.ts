/**
 * Scripted nodes of a cluster that know Pub/Sub, in both protocols, and who has which slot: they refuse what belongs
 * elsewhere with MOVED, end subscriptions of slots that leave, and complain of what no good client sends.
 */
import type { TestContext } from "node:test"
import { FakeCluster, type FakeNode } from "../../support/fake-cluster.ts"
import { array, bulk, error, type FakeConnection, integer, simple } from "../../support/fake-server.ts"
import { slotOf } from "../../support/slots.ts"

const kinds = ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"] as const
type Kind = (typeof kinds)[number]

interface Session {
  protocol: 2 | 3
  readonly names: Readonly<Record<Kind, Set<string>>>
}

export class FakePubSubCluster {
  readonly fake: FakeCluster
  /** Names that a user may not subscribe to. */
  readonly refused = new Set<string>()
  /** Nodes that answer nothing any more. */
  readonly frozen = new Set<FakeNode>()
  /** What a node says to SSUBSCRIBE for its slot, before all else. */
  ssubscribe: (node: FakeNode, slot: number) => string | undefined = () => undefined
  /** Nothing that the server does not take for granted. */
  readonly complaints: string[] = []
  readonly #sessions = new Map<FakeConnection, Session>()
  /** Slots that have another owner than the layout of the beginning says. */
  readonly #owners = new Map<number, FakeNode>()

  static async start(t: TestContext): Promise<FakePubSubCluster> {
    const fake = await FakeCluster.start()
    t.after(() => fake.stop())
    return new FakePubSubCluster(fake)
  }

  private constructor(fake: FakeCluster) {
    this.fake = fake
    fake.script = (command, node, connection) => this.#answer(command, node, connection)
  }

  node(index: number): FakeNode {
    return this.fake.node(index)
  }

  ownerOf(slot: number): FakeNode {
    return this.#owners.get(slot) ?? this.fake.primaryOf(slot)
  }

  /** Gives the slot to another node, as the old owner knows at once; the layout tells it if `isTold`. */
  move(slot: number, to: FakeNode, isTold = true): void {
    const from = this.ownerOf(slot)
    if (from === to) return
    this.#owners.set(slot, to)
    if (isTold) this.fake.assign(slot, to)
    for (const [connection, session] of this.#of(from)) {
      const gone = [...session.names.SSUBSCRIBE].filter((name) => slotOf(latin1(name)) === slot)
      for (const name of gone) {
        session.names.SSUBSCRIBE.delete(name)
        connection.write(push(session, bulk("sunsubscribe"), bulk(name), integer(0)))
      }
    }
  }

  /** The same, unknown to the old owner: as when that is cut off. */
  moveSilently(slot: number, to: FakeNode): void {
    this.#owners.set(slot, to)
    this.fake.assign(slot, to)
  }

  /** Breaks off the connections of a node, which nobody is subscribed on from then on. */
  reset(node: FakeNode): void {
    for (const connection of node.open) this.#sessions.delete(connection)
    node.reset()
  }

  /** How many have got it. */
  publish(channel: string, payload: string): number {
    const receivers = [...this.#sessions].filter(([, { names }]) => names.SUBSCRIBE.has(channel))
    for (const [connection, session] of receivers)
      connection.write(push(session, bulk("message"), bulk(channel), bulk(payload)))
    return receivers.length
  }

  /** How many have got it, at the node that has the slot. */
  spublish(channel: string, payload: string, node = this.ownerOf(slotOf(channel))): number {
    const receivers = this.#of(node).filter(([, { names }]) => names.SSUBSCRIBE.has(channel))
    for (const [connection, session] of receivers)
      connection.write(push(session, bulk("smessage"), bulk(channel), bulk(payload)))
    return receivers.length
  }

  /** Who has the name, each node as often as it has connections with it. */
  listeners(kind: Kind, name: string): FakeNode[] {
    return this.fake.nodes.flatMap((node) =>
      this.#of(node).flatMap(([, { names }]) => (names[kind].has(name) ? [node] : [])),
    )
  }

  #of(node: FakeNode): (readonly [FakeConnection, Session])[] {
    return node.open.flatMap((connection) => {
      const session = this.#sessions.get(connection)
      return session ? [[connection, session] as const] : []
    })
  }

  #session(connection: FakeConnection): Session {
    const known = this.#sessions.get(connection)
    if (known) return known
    const names = {
      SUBSCRIBE: new Set<string>(),
      PSUBSCRIBE: new Set<string>(),
      SSUBSCRIBE: new Set<string>(),
    }
    const session: Session = { protocol: 2, names }
    this.#sessions.set(connection, session)
    void connection.closed.then(() => this.#sessions.delete(connection))
    return session
  }

  #answer(command: string[], node: FakeNode, connection: FakeConnection): string | undefined {
    if (this.frozen.has(node)) return ""
    const [word = "", ...names] = command
    const name = word.toUpperCase()
    const session = this.#session(connection)
    if (name === "HELLO" && names[0] === "3") session.protocol = 3
    const kind = kinds.find((each) => name === each || name === each.replace("SUB", "UNSUB"))
    if (name === "PING") return ping(session)
    if (!kind) return undefined
    return this.#redirect(kind, name, names, node) ?? this.#subscribe(kind, name, names, session)
  }

  #redirect(kind: Kind, word: string, names: readonly string[], node: FakeNode): string | undefined {
    if (kind !== "SSUBSCRIBE") return undefined
    const slots = new Set(names.map((name) => slotOf(latin1(name))))
    const [slot = 0] = slots
    if (slots.size !== 1) {
      this.complaints.push(`${word} of ${slots.size} slots`)
      return error("CROSSSLOT Keys in request don't hash to the same slot")
    }
    const owner = this.ownerOf(slot)
    const special = word === kind ? this.ssubscribe(node, slot) : undefined
    return special ?? (owner === node ? undefined : error(`MOVED ${slot} ${owner.address}`))
  }

  #subscribe(kind: Kind, word: string, names: readonly string[], session: Session): string {
    const isSubscribe = word === kind
    const refused = names.find((name) => this.refused.has(name))
    if (isSubscribe && refused !== undefined) return error("NOPERM No permissions to access a channel")
    const had = session.names[kind]
    return names
      .map((name) => {
        if (isSubscribe && had.has(name)) this.complaints.push(`${word} ${name} again`)
        if (isSubscribe) had.add(name)
        else had.delete(name)
        return push(session, bulk(word.toLowerCase()), bulk(name), integer(had.size))
      })
      .join("")
  }
}

function ping({ protocol, names }: Session): string {
  const isSubscribed = kinds.some((kind) => names[kind].size > 0)
  return protocol === 2 && isSubscribed ? array(bulk("pong"), bulk("")) : simple("PONG")
}

function push({ protocol }: Session, ...items: string[]): string {
  const message = array(...items)
  return protocol === 3 ? `>${message.slice(1)}` : message
}

function latin1(name: string): Uint8Array {
  return Buffer.from(name, "latin1")
}
