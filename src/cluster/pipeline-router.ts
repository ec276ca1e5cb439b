/**
 * Carries out pipelines in a cluster: splits them by node, and sends on what was redirected, the commands of one slot
 * together and in their order. Leaves the choice of nodes, and what an error means, to others.
 */

import { copyCommands } from "../connection/commands.ts"
import { refuseTransactions } from "../connection/noreply-request.ts"
import { PipelineRequest } from "../connection/pipeline-request.ts"
import { screen } from "../dedicated/screening.ts"
import { ConnectionError, RedisError } from "../errors.ts"
import { commandChecker } from "../protocol/encode.ts"
import { type Block, blocksOf, NO_BLOCKS } from "./blocks.ts"
import type { RouterParts } from "./command-router.ts"
import { crossSlot } from "./cross-slot.ts"
import { type Drafted, Drafts } from "./drafts.ts"
import type { ClusterNode } from "./node.ts"
import { Pause } from "./pause.ts"
import { redirectionOf, suggestsRefresh } from "./redirect.ts"
import { REFUSALS } from "./refusals.ts"
import { type Hop, inheritTerms, setTerms, tryAgainDelay } from "./routed.ts"
import {
  noPipeline,
  Part,
  type PipelineCall,
  RoutedPipeline,
  type PipelineRouter as Router,
} from "./routed-pipeline.ts"
import { ANY_NODE, firstKeyOf, slotOfCommand, UNKNOWN } from "./routing.ts"
import { slotOf } from "./slots.ts"
import { split, withBlocks } from "./split.ts"

type Commands = ReadonlyArray<readonly unknown[]>

export class PipelineRouter implements Router {
  readonly #parts: RouterParts
  readonly #drafts: Drafts
  /** A part that is kept, as by {@link keepOne}: it needs a node, and before there is none. */
  #example: Part | undefined

  constructor(parts: RouterParts) {
    this.#parts = parts
    this.#drafts = new Drafts(parts.chooser)
  }

  submit(commands: Commands, call: PipelineCall): void {
    const isForPrimaries = call.route === undefined || call.route === "primary"
    const drafted = isForPrimaries && this.#parts.isKnown() ? this.#drafts.of(commands) : undefined
    if (drafted === undefined) this.#submitWithCare(commands, call)
    else this.#sendDrafted(drafted, call)
  }

  #sendDrafted({ commands, nodes }: Drafted, call: PipelineCall): void {
    const pipeline = new RoutedPipeline(this, commands, "usual", NO_BLOCKS, call)
    const parts = nodes.map((node) => draftedPart(pipeline, node))
    try {
      pipeline.send(parts)
    } finally {
      for (const part of parts) part.bytes = undefined
      this.#drafts.clear(nodes)
    }
    this.#example ??= parts[0] && new Part(noPipeline, parts[0].hop)
  }

  #submitWithCare(commands: Commands, call: PipelineCall): void {
    const check = new PipelineRequest(() => {}, call.result.reject, call.asBytes)
    if (isRefused(check, commands, call)) return
    const copy = copyCommands(commands)
    const blockMs = check.terms?.blockMs ?? 0
    const kind = blockMs > 0 ? "blocking" : "careful"
    const pipeline = new RoutedPipeline(this, copy, kind, blocksOf(copy), call)
    const slots = this.#parts.isKnown() ? slotsOf(copy) : undefined
    if (slots === undefined) this.#locate(pipeline, copy)
    else this.#send(pipeline, slots)
  }

  /** Waits for whatever is not known yet. */
  #locate(pipeline: RoutedPipeline, commands: Commands): void {
    const pause = new Pause(`a pipeline of ${commands.length}`, (error) => pipeline.failAll(error))
    setTerms(pause, pipeline.terms)
    const { gate } = this.#parts
    const send = (slots: readonly number[]): void => {
      pause.end()
      pipeline.waitedMs = pause.terms?.waitedMs ?? 0
      this.#send(pipeline, slots)
    }
    gate.pass(pause, () => {
      const slots = slotsOf(commands)
      if (slots !== undefined) send(slots)
      else
        gate.withKeys(pause, commands, (keys) =>
          send(keys.map((own) => (own.length === 0 ? ANY_NODE : slotOf(own[0])))),
        )
    })
  }

  #send(pipeline: RoutedPipeline, slots: readonly number[]): void {
    const own = withBlocks(slots, pipeline.blocks)
    if (own === undefined) pipeline.failAll(crossSlot())
    else pipeline.send(split(pipeline, own, this.#parts.chooser.picker(pipeline.route)))
  }

  sendPart(pipeline: RoutedPipeline, part: Part): void {
    const { node } = part.hop
    pipeline.onSentTo(node)
    if (pipeline.kind === "blocking" && blocks(part)) this.#parts.dedicated.at(node).run(part, undefined)
    else node.connection.submit(part, undefined)
  }

  // ── redirections ──────────────────────────────────────────────────────────────────────────────────────────────

  followPart(pipeline: RoutedPipeline, part: Part, places: readonly number[]): void {
    const onward = new Map<string, Part>()
    for (const unit of unitsOf(places, pipeline.blocks)) this.#followUnit(pipeline, part, unit, onward)
    pipeline.open(onward.size)
    for (const next of onward.values()) {
      const send = (): void => this.sendPart(pipeline, next)
      if (next.isDelayed)
        this.#parts.waiting.holdFor(next, tryAgainDelay(part.hop.count), next.hop.node, send)
      else send()
    }
  }

  /** A command, or a block: of the latter, any reply may be the one that sends all of it elsewhere. */
  #followUnit(pipeline: RoutedPipeline, part: Part, unit: Unit, onward: Map<string, Part>): void {
    if (unit.last > unit.first && !isDiscarded(pipeline.replyAt(unit.last))) return
    for (const place of unit.errorsAt) {
      const error = pipeline.replyAt(place)
      if (!(error instanceof RedisError)) continue
      const key = (): unknown => firstKeyOf(pipeline.commands.at(place) ?? [])
      const next = this.#parts.follower.follow(error, part.hop, pipeline.route, key)
      if (next === undefined) continue
      if (next instanceof ConnectionError) pipeline.failPlaces(placesOf(unit), next)
      else partFor(next, error.code === "TRYAGAIN", part, onward).places.push(...placesOf(unit))
      return
    }
  }
}

/** The node's part of the pipeline, with the bytes of its draft. */
function draftedPart(pipeline: RoutedPipeline, node: ClusterNode): Part {
  const part = new Part(pipeline, { node, isAsking: false, count: 0 }, node.draft.takePlaces())
  setTerms(part, pipeline.terms)
  part.bytes = node.draft.takeBytes()
  return part
}

/** What is sent on as one: all from the first to the last place. */
interface Unit extends Block {
  readonly errorsAt: readonly number[]
}

function unitsOf(places: readonly number[], blocks: readonly Block[]): Unit[] {
  if (blocks.length === 0) return places.map((place) => ({ first: place, last: place, errorsAt: [place] }))
  const units = new Map<Block | number, Unit>()
  for (const place of places) {
    const block = blocks.find(({ first, last }) => place >= first && place <= last)
    const { first, last } = block ?? { first: place, last: place }
    const errorsAt = [...(units.get(block ?? place)?.errorsAt ?? []), place]
    units.set(block ?? place, { first, last, errorsAt })
  }
  return [...units.values()]
}

/** Whether EXEC's reply says that nothing was carried out. Without a MULTI it was, one by one. */
function isDiscarded(reply: unknown): boolean {
  if (!(reply instanceof RedisError)) return false
  return reply.code === "EXECABORT" || suggestsRefresh(reply) || redirectionOf(reply) !== undefined
}

function placesOf({ first, last }: Block): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function partFor(hop: Hop, isDelayed: boolean, before: Part, onward: Map<string, Part>): Part {
  const key = `${hop.node.address} ${hop.isAsking} ${isDelayed}`
  const known = onward.get(key)
  if (known !== undefined) return known
  const part = new Part(before.pipeline, hop)
  part.isDelayed = isDelayed
  inheritTerms(part, before, before.hop.node)
  onward.set(key, part)
  return part
}

/** Whether a command of the part blocks; tells its terms for how long. */
function blocks(part: Part): boolean {
  part.encode(commandChecker)
  if ((part.terms?.blockMs ?? 0) > 0) return true
  part.terms?.forgetFindings()
  return false
}

/** Whether there is misuse among the commands: it rejects then. Otherwise `check` knows for how long they block. */
function isRefused(check: PipelineRequest, commands: Commands, { isWithoutReply }: PipelineCall): boolean {
  if (screen(check, commands, REFUSALS) === "settled") return true
  if (isWithoutReply !== true) return false
  try {
    refuseTransactions(commands)
    return false
  } catch (error) {
    check.fail(error)
    return true
  }
}

/** The slot of each command; `undefined` if only the server knows one of them. */
function slotsOf(commands: Commands): number[] | undefined {
  const slots: number[] = []
  for (let place = 0; place < commands.length; place++) {
    const command = commands[place] ?? []
    const slot = slotOfCommand(command)
    if (slot === UNKNOWN) return undefined
    slots.push(slot)
  }
  return slots
}
