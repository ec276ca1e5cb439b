/**
 * SUNSUBSCRIBE on a node of a cluster. The node may end the same subscriptions by itself at that moment, since their slot
 * has gone elsewhere, and then answer with MOVED: both look like the answer. So a PING follows, whose reply says that all of
 * it has come. Knows nothing of who wanted it.
 */

import { type PushVerdict, type ReplyFacts, Request, RequestTerms } from "../connection/request.ts"
import { RedisError } from "../errors.ts"
import type { Encoder } from "../protocol/encode.ts"
import type { TopicCommand } from "./topic.ts"
import { wireName } from "./topic-request.ts"

export class ShardLeaveRequest extends Request<TopicCommand> {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly label = "SUNSUBSCRIBE"
  readonly #command: TopicCommand
  readonly #unconfirmed: Set<string>
  #errors = 0

  constructor(command: TopicCommand) {
    super()
    this.#command = command
    this.#unconfirmed = new Set(command.topics.map(({ key }) => key))
    // As with all that subscribes: a server that is mute is noticed by the health check.
    this.terms = new RequestTerms(this, Number.POSITIVE_INFINITY, undefined)
  }

  get asBytes(): boolean {
    return false
  }

  override get isOverhead(): boolean {
    return true
  }

  encode(encoder: Encoder, { topics }: TopicCommand): void {
    encoder.command([this.label, ...topics.map(({ key }) => wireName(key))])
    encoder.command(["PING"])
  }

  override acceptPush([word, key]: readonly unknown[]): PushVerdict {
    if (word === "pong") return this.#done()
    if (word !== "sunsubscribe" || typeof key !== "string") return "foreign"
    return this.#unconfirmed.delete(key) ? "more" : "foreign"
  }

  /** Whatever the error is, the subscriptions are over: a node that does not have the slot has ended them. */
  accept(reply: unknown, facts: ReplyFacts): boolean {
    if (facts.isError && !this.#isAboutPing(reply)) return false
    this.#done()
    return true
  }

  /** A user may not be allowed to ping. */
  #isAboutPing(error: unknown): boolean {
    this.#errors++
    if (this.#errors > 1) return true
    return this.#unconfirmed.size === 0 && error instanceof RedisError && error.code === "NOPERM"
  }

  #done(): "last" {
    if (this.settle()) this.#command.onDone()
    return "last"
  }

  /** The connection dropped, and what is not wanted the server has forgotten. */
  protected rejectPromise(): void {
    this.#command.onDone()
  }
}
