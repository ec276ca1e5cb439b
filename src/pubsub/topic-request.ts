/**
 * One (un)subscribing command on the wire: the server answers with a confirmation for each name, in their order, or with
 * one error for the whole command. Knows nothing of who wanted it.
 */

import type { ReplyFacts } from "../connection/request.ts"
import { type PushVerdict, Request, RequestTerms } from "../connection/request.ts"
import { ConnectionError, RedisError } from "../errors.ts"
import type { Encoder } from "../protocol/encode.ts"
import { bytesOf, isAsciiText } from "../util/binary-text.ts"
import type { Topic, TopicCommand } from "./topic.ts"

export interface TopicRequestOwner {
  onConfirmed(command: TopicCommand, topic: Topic): void
  onRefused(command: TopicCommand, error: RedisError): void
  /** There will be no answer; with the error, if the server may have carried it out. */
  onLost(command: TopicCommand, error: ConnectionError | undefined): void
}

export class TopicRequest extends Request<TopicCommand> {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly #command: TopicCommand
  readonly #owner: TopicRequestOwner
  readonly #word: string
  #confirmed = 0

  constructor(command: TopicCommand, owner: TopicRequestOwner) {
    super()
    this.#command = command
    this.#owner = owner
    this.#word = (command.isSubscribe ? command.kind.subscribe : command.kind.unsubscribe).toLowerCase()
    // Whoever waits for it has a deadline of its own; a server that is mute is noticed by the health check.
    this.terms = new RequestTerms(this, Number.POSITIVE_INFINITY, undefined)
  }

  get label(): string {
    return this.#word.toUpperCase()
  }

  get asBytes(): boolean {
    return false
  }

  override get isOverhead(): boolean {
    return true
  }

  encode(encoder: Encoder, { topics }: TopicCommand): void {
    encoder.command([this.label, ...topics.map(({ key }) => wireName(key))])
  }

  override acceptPush(push: readonly unknown[]): PushVerdict {
    const topic = this.#command.topics[this.#confirmed]
    if (push[0] !== this.#word || topic === undefined || push[1] !== topic.key) return "foreign"
    this.#confirmed++
    if (this.#command.isSubscribe) this.#owner.onConfirmed(this.#command, topic)
    return this.#confirmed < this.#command.topics.length ? "more" : this.#done()
  }

  /** An error, for the whole command: nothing else is a reply to it. */
  accept(reply: unknown, facts: ReplyFacts): boolean {
    if (!facts.isError || !(reply instanceof RedisError)) {
      const message = `${this.label} was answered by something other than confirmations`
      throw new ConnectionError("protocol-error", message, { outcome: "unknown" })
    }
    if (this.#command.isSubscribe) this.#owner.onRefused(this.#command, reply)
    this.#done()
    return true
  }

  #done(): "last" {
    if (this.settle()) this.#command.onDone()
    return "last"
  }

  /** The connection dropped: what is wanted is asked for again, and what is not wanted the server has forgotten. */
  protected rejectPromise(error: unknown): void {
    this.#owner.onLost(this.#command, this.isSent && error instanceof ConnectionError ? error : undefined)
    this.#command.onDone()
  }
}

/** A name given as a binary string, as an argument. */
export function wireName(key: string): string | Uint8Array {
  return isAsciiText(key) ? key : bytesOf(key)
}
