/**
 * One search for who has which slots: asks one node after the other, without waiting for the silent, and takes the first
 * answer that can be used. Leaves to others when that is done, and what follows from it.
 */

import { ConnectionError } from "../errors.ts"
import { formatEndpoint } from "../transport/transport.ts"
import { type Layout, readLayout } from "./layout.ts"
import type { NodeAddress } from "./redirect.ts"

/** When a node has not answered for so long, the next one is asked as well, in ms. */
const PATIENCE_MS = 200

/** Somebody to ask. */
export interface Candidate {
  readonly address: NodeAddress
  /** Asks for CLUSTER SLOTS. Calls one of the two, once, unless the question was stopped before. */
  ask(onReply: (reply: unknown) => void, onError: (error: unknown) => void): Question
}

/** A question that is open. */
export interface Question {
  stop(): void
  /** Whether the process stays alive for it. */
  keepAlive(keepsAlive: boolean): void
}

const NOT_ASKED_YET: Question = { stop() {}, keepAlive() {} }

export interface InquiryOwner {
  /** Takes the layout on. Throws where it cannot be used. */
  apply(layout: Layout): void
  /** A layout was taken on. */
  onAnswered(): void
  /** Nobody could tell. */
  onNobody(error: ConnectionError): void
}

interface Failure {
  readonly address: NodeAddress
  readonly error: unknown
}

export class Inquiry {
  readonly #candidates: Candidate[]
  readonly #owner: InquiryOwner
  /** Those who are being asked. */
  readonly #asked = new Map<Candidate, Question>()
  readonly #failures: Failure[] = []
  #timer: NodeJS.Timeout | undefined
  #keepsAlive: boolean
  #hasEnded = false

  constructor(candidates: readonly Candidate[], owner: InquiryOwner, keepsAlive: boolean) {
    this.#candidates = [...candidates]
    this.#owner = owner
    this.#keepsAlive = keepsAlive
  }

  start(): void {
    this.#askNext()
  }

  cancel(): void {
    this.#hasEnded = true
    clearTimeout(this.#timer)
    for (const question of this.#asked.values()) question.stop()
    this.#asked.clear()
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    for (const question of this.#asked.values()) question.keepAlive(keepsAlive)
    if (keepsAlive) this.#timer?.ref()
    else this.#timer?.unref()
  }

  #askNext(): void {
    clearTimeout(this.#timer)
    const candidate = this.#candidates.shift()
    if (candidate === undefined) {
      if (this.#asked.size === 0) this.#giveUp()
      return
    }
    // Before it is asked, which may fail at once.
    this.#timer = setTimeout(() => this.#askNext(), PATIENCE_MS)
    if (!this.#keepsAlive) this.#timer.unref()
    this.#asked.set(candidate, NOT_ASKED_YET)
    const question = candidate.ask(
      (reply) => this.#onReply(candidate, reply),
      (error) => this.#onError(candidate, error),
    )
    if (!this.#asked.has(candidate)) return
    this.#asked.set(candidate, question)
    question.keepAlive(this.#keepsAlive)
  }

  #onReply(candidate: Candidate, reply: unknown): void {
    if (this.#hasEnded) return
    try {
      this.#owner.apply(readLayout(reply, candidate.address))
    } catch (error) {
      this.#onError(candidate, error)
      return
    }
    // A user's function has a say in where nodes are, and may have ended the cluster.
    if (this.#hasEnded) return
    this.cancel()
    this.#owner.onAnswered()
  }

  #onError(candidate: Candidate, error: unknown): void {
    if (this.#hasEnded) return
    this.#asked.delete(candidate)
    this.#failures.push({ address: candidate.address, error })
    this.#askNext()
  }

  #giveUp(): void {
    this.cancel()
    const what = this.#failures.map(({ address, error }) => `${formatEndpoint(address)}: ${textOf(error)}`)
    const message = `no node of the cluster could tell who has which slots (${what.join("; ")})`
    const [first] = this.#failures
    this.#owner.onNobody(new ConnectionError("no-reachable-node", message, { cause: first?.error }))
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown error"
}
