/**
 * Who wants which channels, and what the servers have confirmed of that. Decides what is to be written on which link and what
 * members are told; leaves writing and sockets to the links, and to its owner time, and which link a topic belongs on.
 *
 * A topic lives as long as it has members. When the last one leaves, it is gone, and a later one of the same name is
 * another topic: what the server still says about the old one then concerns nobody.
 */

import { ConnectionError, type RedisError } from "../errors.ts"
import type { RefusalError } from "./events.ts"
import { type Kind, kinds } from "./kind.ts"
import {
  type BookLink,
  type Member,
  subscribedEvent,
  Topic,
  type TopicCommand,
  unsubscribedEvent,
} from "./topic.ts"

/** The most names of one command when everything is subscribed again, a command in each turn of the loop. */
const NAMES_PER_COMMAND = 1000
/** The most names of one command that a call makes: servers have a limit of about a million. */
const NAMES_OF_CALL = 100_000
/** How often in a row a topic is sent on to another link. */
const MOST_HOPS = 5

/** What a member has of a topic. */
export interface Share {
  readonly member: Member
  readonly topic: Topic
}

export interface BookOwner {
  slotOf(kind: Kind, key: string): number | undefined
  /** Where topics of the slot belong; `undefined` while that is not known. */
  linkOf(slot: number | undefined): BookLink | undefined
  /** Whether the error that has come on the link says that topics belong elsewhere, where {@link linkOf} now leads to. */
  isMoved(link: BookLink, error: RedisError): boolean
  /** The server has ended a subscription by itself: its slot may be elsewhere. */
  onEndedByServer(): void
  /** What is wanted and not subscribed to should be asked for again after a while, by {@link Book.onUp}. */
  retryLater(): void
  /** A topic has left the link. */
  onLeft(link: BookLink): void
}

export class Book {
  readonly #owner: BookOwner
  /** By kind and key. */
  readonly #topics: ReadonlyArray<Map<string, Topic>> = kinds.map(() => new Map())

  constructor(owner: BookOwner) {
    this.#owner = owner
  }

  /** @param kind the index of one */
  topic(kind: number, key: string): Topic | undefined {
    return this.#topics[kind]?.get(key)
  }

  /** All members, each once. */
  members(): Set<Member> {
    const members = new Set<Member>()
    for (const topic of this.#allTopics()) for (const member of topic.members) members.add(member)
    return members
  }

  // ── joining and leaving ───────────────────────────────────────────────────────────────────────────────────────

  /** The member wants the names, each given as key and text. */
  join(
    member: Member,
    kind: Kind,
    names: ReadonlyArray<{ readonly key: string; readonly text: string }>,
  ): void {
    const unknown: Topic[] = []
    const confirmed: Topic[] = []
    for (const { key, text } of names) {
      const topic = this.topic(kind.index, key) ?? this.#create(kind, key, text)
      if (topic.members.has(member)) continue
      topic.members.add(member)
      member.topics.add(topic)
      member.waiting.add(topic)
      topic.onChanged()
      if (topic.isConfirmed) confirmed.push(topic)
      else if (topic.pending === undefined) unknown.push(topic)
    }
    this.#ask(unknown, member, NAMES_OF_CALL)
    // Not from within the call: whoever subscribes does not expect its handler to run already.
    if (confirmed.length > 0) queueMicrotask(() => this.#confirmTo(member, confirmed))
  }

  #confirmTo(member: Member, topics: readonly Topic[]): void {
    for (const topic of topics)
      if (topic.isConfirmed && member.waiting.has(topic)) this.#confirm(member, topic)
  }

  /** All that members have of the topics with the keys of a kind, or of the whole kind. */
  shares(kind: Kind, keys: Iterable<string> | undefined): Share[] {
    const topics = this.#topics[kind.index] ?? new Map<string, Topic>()
    const found: Share[] = []
    for (const key of keys ?? topics.keys()) {
      const topic = topics.get(key)
      for (const member of topic?.members ?? []) if (topic !== undefined) found.push({ member, topic })
    }
    return found
  }

  /** Members want topics no more. They are told of each; `onDone` is called once the server knows. */
  leave(shares: readonly Share[], onDone: () => void): void {
    const left = shares.filter(({ member, topic }) => this.#remove(member, topic))
    // Before anybody is told: who subscribes again from a handler must come behind this.
    this.#unsubscribe(new Set(left.map(({ topic }) => topic)), onDone)
    for (const { member, topic } of left)
      if (member.isReady) member.deliver(unsubscribedEvent(topic, undefined))
    for (const member of new Set(left.map((share) => share.member))) this.#settle(member)
  }

  /** After topics were taken from a member, it may have none any more, or nothing to wait for. */
  #settle(member: Member): void {
    if (member.topics.size === 0) member.onEnd()
    else if (!member.isReady && member.waiting.size === 0) member.onReady()
  }

  /** The member waits no longer, and has none of its topics. */
  reject(member: Member, error: unknown): void {
    const topics = [...member.topics]
    for (const topic of topics) this.#remove(member, topic)
    this.#unsubscribe(topics, () => {})
    member.onRejected(error)
  }

  #create(kind: Kind, key: string, text: string): Topic {
    const topic = new Topic(kind, key, text, this.#owner.slotOf(kind, key))
    topic.place(this.#owner.linkOf(topic.slot))
    this.#topics[kind.index]?.set(key, topic)
    return topic
  }

  #remove(member: Member, topic: Topic): boolean {
    if (!topic.members.delete(member)) return false
    topic.onChanged()
    member.topics.delete(topic)
    member.waiting.delete(topic)
    if (topic.members.size === 0) this.#drop(topic)
    return true
  }

  #drop(topic: Topic): void {
    topic.isGone = true
    this.#topics[topic.kind.index]?.delete(topic.key)
    if (topic.link === undefined) return
    topic.link.topics.delete(topic)
    this.#owner.onLeft(topic.link)
  }

  /** Tells the servers of those among the topics that nobody wants any more. */
  #unsubscribe(topics: Iterable<Topic>, onDone: () => void): void {
    this.#tellLeft(
      [...topics].filter((topic) => topic.members.size === 0),
      onDone,
    )
  }

  /** Tells the servers that topics are not wanted on their links any more. */
  #tellLeft(topics: readonly Topic[], onDone: () => void): void {
    const groups = grouped(topics.filter((topic) => topic.isKnown)).flatMap(({ link, kind, topics: all }) =>
      chunks(all).map((some) => ({ link, kind, topics: some })),
    )
    let missing = groups.length
    const onOneDone = (): void => {
      if (--missing === 0) onDone()
    }
    for (const group of groups) {
      group.link.write({ ...group, isSubscribe: false, owner: undefined, onDone: onOneDone })
    }
    if (groups.length === 0) onDone()
  }

  /** Asks for those of the topics that were not asked for, where their links are up. */
  #ask(topics: readonly Topic[], owner: Member | undefined, size = NAMES_PER_COMMAND): void {
    const wanted = topics.filter((topic) => topic.members.size > 0 && !topic.isKnown)
    for (const { link, kind, topics: all } of grouped(wanted))
      for (const chunk of chunks(all, size)) this.#subscribe(link, kind, chunk, owner)
  }

  #subscribe(link: BookLink, kind: Kind, topics: readonly Topic[], owner: Member | undefined): void {
    const command: TopicCommand = { link, kind, isSubscribe: true, topics, owner, onDone: () => {} }
    for (const topic of topics) topic.pending = command
    link.write(command)
  }

  // ── what the server says ──────────────────────────────────────────────────────────────────────────────────────

  /** The server has confirmed the topic of a subscribing command. */
  onConfirmed(command: TopicCommand, topic: Topic): void {
    if (topic.pending !== command) return
    topic.pending = undefined
    topic.isConfirmed = true
    topic.confirmedAt = performance.now()
    topic.hops = 0
    for (const member of topic.members) this.#confirm(member, topic)
  }

  #confirm(member: Member, topic: Topic): void {
    const wasWaiting = member.waiting.delete(topic)
    if (wasWaiting) topic.onChanged()
    member.deliver(subscribedEvent(topic))
    if (wasWaiting && member.waiting.size === 0) member.onReady()
  }

  /**
   * The server has refused a whole subscribing command, although it may have refused a single name: its owner is
   * rejected, and what others want of it is asked for in halves, until each refused name stands alone.
   */
  onRefused(command: TopicCommand, error: RedisError): void {
    const topics = command.topics.filter((topic) => topic.pending === command)
    for (const topic of topics) topic.pending = undefined
    const { owner } = command
    if (this.#owner.isMoved(command.link, error)) {
      this.#follow(topics, owner, error)
      return
    }
    if (owner !== undefined && topics.some((topic) => topic.members.has(owner))) this.reject(owner, error)
    const wanted = topics.filter((topic) => topic.members.size > 0 && topic.pending === undefined)
    if (wanted.length > 0 && TRANSIENT.has(error.code)) {
      this.#owner.retryLater()
      return
    }
    if (command.topics.length === 1) for (const topic of wanted) this.#refuse(topic, error)
    else for (const half of halves(wanted)) this.#ask(half, undefined)
  }

  /** Nobody can have the topic. */
  #refuse(topic: Topic, error: RefusalError): void {
    for (const member of [...topic.members]) {
      if (!member.isReady) {
        this.reject(member, error)
        continue
      }
      this.#remove(member, topic)
      member.deliver(unsubscribedEvent(topic, error))
      if (member.topics.size === 0) member.onEnd()
    }
  }

  /** The command gets no answer: what it asked for is asked for again, by the next call or connection. */
  onLost(command: TopicCommand, error: ConnectionError | undefined): void {
    for (const topic of command.topics) {
      if (topic.pending === command) topic.pending = undefined
      for (const member of topic.members)
        if (error !== undefined && member.waiting.has(topic)) member.lostBy = error
    }
  }

  /**
   * The server has ended a subscription by itself, as it does when a shard's slot moves: it is asked for again, and in a
   * cluster says where it is now.
   */
  onUnsubscribedByServer(link: BookLink, kind: Kind, key: string): void {
    const topic = this.topic(kind.index, key)
    if (topic === undefined || topic.link !== link || !topic.isConfirmed) return
    topic.isConfirmed = false
    this.#ask([topic], undefined)
    this.#owner.onEndedByServer()
  }

  // ── from one link to another ──────────────────────────────────────────────────────────────────────────────────

  /**
   * Topics that are not where they belong, according to the owner, move there.
   * @param askedAt when the owner has asked for that, in ms: what was confirmed later is known better
   */
  relocate(askedAt: number): void {
    const [, , shards = new Map<string, Topic>()] = this.#topics
    this.#move([...shards.values()].filter((topic) => !topic.isConfirmed || topic.confirmedAt < askedAt))
  }

  #move(topics: readonly Topic[]): void {
    const moves = topics
      .map((topic) => ({ topic, to: this.#owner.linkOf(topic.slot) }))
      .filter(({ topic, to }) => to !== undefined && to !== topic.link)
    const moved = moves.map(({ topic }) => topic)
    const gaps = gapsOf(moved.filter((topic) => topic.isConfirmed))
    const from = new Set(moved.flatMap((topic) => topic.link ?? []))
    // Told first: from two servers, messages would come twice, or in disorder.
    this.#tellLeft(moved, () => {})
    forget(moved)
    for (const { topic, to } of moves) topic.place(to)
    this.#ask(moved, undefined)
    for (const link of from) this.#owner.onLeft(link)
    for (const { members, error } of gaps)
      for (const member of members) member.deliver({ type: "disconnected", error })
  }

  /** The server of their link has said that topics are elsewhere. */
  #follow(topics: readonly Topic[], owner: Member | undefined, error: RedisError): void {
    const wanted = topics.filter((topic) => topic.members.size > 0)
    for (const topic of wanted) topic.hops++
    const lost = wanted.filter((topic) => topic.hops > MOST_HOPS)
    const others = wanted.filter((topic) => topic.hops <= MOST_HOPS)
    this.#move(others)
    this.#ask(others, owner)
    for (const topic of lost) {
      topic.hops = 0
      for (const member of [...topic.members]) if (!member.isReady) this.reject(member, tooManyHops(error))
    }
    if (lost.some((topic) => topic.members.size > 0)) this.#owner.retryLater()
  }

  // ── the links ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The link is up: everything wanted on it is subscribed to, a command at a time; the caller asks for the next. */
  *onUp(link: BookLink): Generator<void> {
    for (const topic of link.topics) for (const member of topic.members) member.lostBy = undefined
    for (const chunk of chunks([...link.topics])) {
      if (!link.isUp) return
      // Some may have gone, and come back, since.
      this.#ask(
        chunk.filter((topic) => topic.link === link),
        undefined,
      )
      yield
    }
  }

  /** The link is down, and with it all that its server knew is gone. */
  onDown(link: BookLink, error: ConnectionError): void {
    // Gathered first: whoever is told may end it all.
    const begun = begunMembers(link.topics)
    forget(link.topics)
    for (const member of begun) member.deliver({ type: "disconnected", error })
  }

  /** All has ended for good. */
  onEnded(error: ConnectionError): void {
    const topics = [...this.#allTopics()]
    const begun = begunMembers(topics.filter((topic) => topic.link?.isUp === true))
    forget(topics)
    for (const member of begun) member.deliver({ type: "disconnected", error })
    for (const member of this.members()) {
      for (const topic of [...member.topics]) this.#remove(member, topic)
      if (member.isReady) member.onEnd()
      else member.onRejected(member.lostBy ?? error)
    }
  }

  *#allTopics(): Generator<Topic> {
    for (const topics of this.#topics) yield* topics.values()
  }
}

function forget(topics: Iterable<Topic>): void {
  for (const topic of topics) {
    topic.isConfirmed = false
    topic.pending = undefined
  }
}

/** Who is to know that topics leave their links, and what of. */
function gapsOf(topics: readonly Topic[]): Array<{ members: Set<Member>; error: ConnectionError }> {
  return [...new Set(topics.flatMap(({ link }) => link ?? []))].map((link) => ({
    members: begunMembers(topics.filter((topic) => topic.link === link)),
    error: leaving(link.address),
  }))
}

function leaving(address: string): ConnectionError {
  const message = "the connection was left: another node has the slot of the shard channel now"
  return new ConnectionError("disconnected", message, { address, outcome: "unknown" })
}

function tooManyHops(cause: RedisError): ConnectionError {
  const message = `the channel was not found after ${MOST_HOPS} redirections, each to another node`
  return new ConnectionError("too-many-redirections", message, { outcome: "not-sent", cause })
}

/** Codes of errors that say nothing of what was asked, but that the server cannot just now. */
const TRANSIENT: ReadonlySet<string> = new Set([
  "LOADING",
  "BUSY",
  "MASTERDOWN",
  "CLUSTERDOWN",
  "TRYAGAIN",
  "ASK",
])

/** Members that messages of the topics may have reached, so that they have to know of a gap. */
function begunMembers(topics: Iterable<Topic>): Set<Member> {
  const members = new Set<Member>()
  for (const topic of topics)
    for (const member of topic.members) if (member.isReady || !member.waiting.has(topic)) members.add(member)
  return members
}

/** Topics that a command may have in common. */
interface Group {
  readonly link: BookLink
  readonly kind: Kind
  readonly topics: Topic[]
}

/** Those whose links are up, by link, kind and slot. */
function grouped(topics: readonly Topic[]): Group[] {
  const byLink = new Map<BookLink, Map<number, Group>>()
  for (const topic of topics) {
    const { link, kind, slot = -1 } = topic
    if (link?.isUp !== true) continue
    const groups = byLink.get(link) ?? new Map<number, Group>()
    byLink.set(link, groups)
    const number = slot * kinds.length + kind.index
    const group = groups.get(number) ?? { link, kind, topics: [] }
    groups.set(number, group)
    group.topics.push(topic)
  }
  return [...byLink.values()].flatMap((groups) => [...groups.values()])
}

function chunks(topics: readonly Topic[], size = NAMES_PER_COMMAND): Topic[][] {
  const found: Topic[][] = []
  for (let start = 0; start < topics.length; start += size) found.push(topics.slice(start, start + size))
  return found
}

function halves(topics: readonly Topic[]): Topic[][] {
  const middle = Math.ceil(topics.length / 2)
  return [topics.slice(0, middle), topics.slice(middle)].filter((half) => half.length > 0)
}
