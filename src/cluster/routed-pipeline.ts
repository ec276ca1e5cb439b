/**
 * A pipeline on its way through a cluster: split by node into parts that are sent at the same time, its replies in the
 * order of its commands. What is redirected goes on as further parts. Leaves to its router which node is whose.
 */

import { encodeCommand } from "../connection/commands.ts"
import { type ReplyFacts, Request, type RequestTerms } from "../connection/request.ts"
import type { Place, Placed } from "../connection/trace.ts"
import { ConnectionError, nameError, type RedisError } from "../errors.ts"
import { commandInfo } from "../protocol/command-info.ts"
import type { CommandSink } from "../protocol/encode.ts"
import { keepOne, unused } from "../util/keep.ts"
import { ASKING } from "./asking.ts"
import { type Block, NO_BLOCKS } from "./blocks.ts"
import type { CommandSequence } from "./command-list.ts"
import { asNotSent } from "./outcome.ts"
import { redirectionOf } from "./redirect.ts"
import { type Hop, NO_TERMS, type Route, type Terms } from "./routed.ts"

export interface PipelineRouter {
  /** Sends a part of the pipeline: the commands at these places. */
  sendPart(pipeline: RoutedPipeline, part: Part): void
  /** All replies to a part have come, and some are errors that send commands elsewhere. */
  followPart(pipeline: RoutedPipeline, part: Part, places: readonly number[]): void
}

/** What becomes of the replies. */
export interface PipelineResult {
  /** @param failure why some of them are missing */
  resolve(replies: unknown[], failure: ConnectionError | undefined): void
  reject(error: unknown): void
  readonly placed?: Placed | undefined
}

/** What a caller asks of a pipeline. */
export interface PipelineCall {
  readonly asBytes: boolean
  readonly terms: Terms
  readonly route: Route | undefined
  /** Whether the caller is not told of replies. */
  readonly isWithoutReply?: boolean
  readonly result: PipelineResult
}

/** Whether nothing in it is special, some of it may be, or some of it blocks. */
export type PipelineKind = "usual" | "careful" | "blocking"

export class RoutedPipeline {
  readonly commands: CommandSequence
  readonly asBytes: boolean
  readonly terms: Terms
  /** Transactions that it holds, MULTI to EXEC. */
  readonly blocks: readonly Block[]
  readonly route: Route | undefined
  /** How long it waited before it could be split, in ms. */
  waitedMs = 0
  readonly kind: PipelineKind
  readonly #router: PipelineRouter
  readonly #result: PipelineResult
  readonly #replies: unknown[]
  /** Parts that are under way, or about to be. */
  #open = 0
  #failure: ConnectionError | undefined
  #failuresDiffer = false
  #hasSettled = false

  constructor(
    router: PipelineRouter,
    commands: CommandSequence,
    kind: PipelineKind,
    blocks: readonly Block[],
    { asBytes, terms, route, result }: PipelineCall,
  ) {
    this.#router = router
    this.commands = commands
    this.kind = kind
    this.blocks = blocks
    this.asBytes = asBytes
    this.terms = terms
    this.route = route
    this.#result = result
    this.#replies = new Array<unknown>(commands.length)
  }

  get hasSettled(): boolean {
    return this.#hasSettled
  }

  /** Sends parts. The pipeline is not done before all of them are. */
  send(parts: readonly Part[]): void {
    this.open(parts.length + 1)
    for (const part of parts) this.#router.sendPart(this, part)
    this.release()
  }

  /** A part of it is sent there. */
  onSentTo(place: Place): void {
    this.#result.placed?.partlyCarriedBy(place)
  }

  /** So many parts more are under way, until each is released. */
  open(parts: number): void {
    this.#open += parts
  }

  /** None of it will be sent. */
  failAll(error: unknown): void {
    this.open(1)
    this.failPlaces(this.#replies.keys(), error)
    this.release()
  }

  release(): void {
    this.#open--
    this.#finishIfDone()
  }

  /** The reply to the command at the place. */
  take(place: number, reply: unknown): void {
    this.#replies[place] = reply
  }

  replyAt(place: number): unknown {
    return this.#replies[place]
  }

  /** All replies to the part have come. */
  onPartDone(part: Part, redirected: readonly number[] | undefined): void {
    if (redirected !== undefined && !this.#hasSettled) this.#router.followPart(this, part, redirected)
    this.release()
  }

  /** The commands at these places will have no reply. */
  failPlaces(places: Iterable<number>, error: unknown): void {
    if (!(error instanceof ConnectionError)) {
      this.#rejectWith(error)
      return
    }
    this.#failure ??= error
    const { reason, outcome } = this.#failure
    this.#failuresDiffer ||= reason !== error.reason || outcome !== error.outcome
    for (const place of places) this.#replies[place] = error
  }

  #rejectWith(error: unknown): void {
    if (this.#hasSettled) return
    this.#hasSettled = true
    this.#result.reject(error)
  }

  #finishIfDone(): void {
    if (this.#open > 0 || this.#hasSettled) return
    if (this.#failure !== undefined && !this.#failuresDiffer && this.#replies.every(isFailure))
      this.#rejectWith(this.#failure)
    else {
      this.#hasSettled = true
      this.#result.resolve(this.#replies, this.#failure)
    }
  }
}

/** A pipeline of nothing, which nobody waits for. */
export const noPipeline: RoutedPipeline = new RoutedPipeline(
  { sendPart: unused, followPart: unused },
  [],
  "usual",
  NO_BLOCKS,
  { asBytes: false, terms: NO_TERMS, route: undefined, result: { resolve: unused, reject: unused } },
)
keepOne(noPipeline)

function isFailure(reply: unknown): boolean {
  return reply instanceof ConnectionError
}

/** What of a pipeline goes to one node. */
export class Part extends Request<undefined> {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly pipeline: RoutedPipeline
  readonly hop: Hop
  /** Which of the pipeline's commands, in their order. */
  readonly places: number[]
  /** Their bytes, if they are encoded already: only good for being sent at once. */
  bytes: readonly Uint8Array[] | undefined
  /** Whether it is to be sent a little later. */
  isDelayed = false
  #received = 0
  #isAskingOwed = false
  #redirected: number[] | undefined

  constructor(pipeline: RoutedPipeline, hop: Hop, places: number[] = []) {
    super()
    this.pipeline = pipeline
    this.hop = hop
    this.places = places
  }

  get asBytes(): boolean {
    return this.pipeline.asBytes
  }

  get label(): string {
    return `a part of a pipeline, ${this.places.length} of ${this.pipeline.commands.length}`
  }

  encode(sink: CommandSink): void {
    if (this.bytes !== undefined) {
      for (const piece of this.bytes) sink.raw(piece)
      return
    }
    const { places } = this
    const { commands, kind } = this.pipeline
    const isUsual = kind === "usual"
    // ASKING has replies as well.
    let askings = 0
    for (let index = 0; index < places.length; index++) {
      if (this.hop.isAsking && this.#needsAsking(index)) {
        sink.raw(ASKING)
        askings++
      }
      const command = commands.at(places[index] ?? 0) ?? []
      if (isUsual) sink.command(command)
      else encodeCommand(this, sink, command, index + askings)
    }
    this.#isAskingOwed = this.hop.isAsking && this.#needsAsking(0)
  }

  /** Whether the command is to be preceded by ASKING, as all are; but of a transaction, only MULTI is. */
  #needsAsking(index: number): boolean {
    const place = this.places[index]
    if (place === undefined) return false
    return !this.pipeline.blocks.some(({ first, last }) => place > first && place <= last)
  }

  accept(reply: unknown, facts: ReplyFacts): boolean {
    if (this.#isAskingOwed) {
      this.#isAskingOwed = false
      return false
    }
    const index = this.#received++
    if (!this.isSettled) this.#take(index, reply, facts)
    if (this.hop.isAsking) this.#isAskingOwed = this.#needsAsking(this.#received)
    if (this.#received < this.places.length) return false
    if (this.settle()) this.pipeline.onPartDone(this, this.#redirected)
    return true
  }

  #take(index: number, reply: unknown, facts: ReplyFacts): void {
    const place = this.places[index] ?? 0
    if (facts.failure !== undefined) this.pipeline.failPlaces([], facts.failure)
    else if (facts.isError) this.#takeError(place, nameError(reply, this.#nameAt(place)))
    else this.pipeline.take(place, reply)
  }

  #nameAt(place: number): string | undefined {
    return commandInfo(this.pipeline.commands.at(place)?.[0]).shownName
  }

  #takeError(place: number, error: RedisError): void {
    this.pipeline.take(place, error)
    if (!MAY_LEAD_ON.has(error.code)) return
    this.#redirected ??= []
    this.#redirected.push(place)
  }

  protected rejectPromise(error: unknown): void {
    const { pipeline } = this
    pipeline.failPlaces(this.places.slice(this.#received), error)
    if (this.#redirected !== undefined && error instanceof ConnectionError)
      pipeline.failPlaces(this.#redirected.filter(isRedirected, pipeline), asNotSent(error))
    pipeline.release()
  }
}

/** Whether the command at the place was to be sent on: it was not carried out, and where to is not for the caller. */
function isRedirected(this: RoutedPipeline, place: number): boolean {
  return redirectionOf(this.replyAt(place)) !== undefined
}

/** Errors that may be for the router, and not for the caller. */
const MAY_LEAD_ON: ReadonlySet<string> = new Set([
  "MOVED",
  "ASK",
  "TRYAGAIN",
  "CLUSTERDOWN",
  "LOADING",
  "MASTERDOWN",
  "READONLY",
  "EXECABORT",
])
