/**
 * A pipeline as parts, one for each node that has a say in it. Knows blocks and commands without keys; leaves to others
 * which node that is.
 */

import type { ConnectionError } from "../errors.ts"
import type { Block } from "./blocks.ts"
import type { ClusterNode } from "./node.ts"
import { setTerms } from "./routed.ts"
import { Part, type RoutedPipeline } from "./routed-pipeline.ts"
import { ANY_NODE } from "./routing.ts"

/** Who chooses nodes. */
export interface Picker {
  /** Who is to carry out a command with keys in the slot; without keys, any will do. */
  pick(slot: number, command: readonly unknown[], hasKeys: boolean): ClusterNode | undefined
  /** Why there is nobody. */
  nobody(): ConnectionError
}

/** The slots, with those of a block all being that of its keys; `undefined` for a block with keys in several slots. */
export function withBlocks(
  slots: readonly number[],
  blocks: readonly Block[],
): readonly number[] | undefined {
  if (blocks.length === 0) return slots
  const own = [...slots]
  for (const { first, last } of blocks) {
    const different = new Set(own.slice(first, last + 1).filter((each) => each !== ANY_NODE))
    if (different.size > 1) return undefined
    const [slot = ANY_NODE] = different
    own.fill(slot, first, last + 1)
  }
  return own
}

/**
 * The parts of the pipeline, whose commands are in these slots. Commands without keys go where the first one with a key
 * goes, so that they make no part of their own.
 */
export function split(pipeline: RoutedPipeline, slots: readonly number[], picker: Picker): Part[] {
  const { commands } = pipeline
  const parts: Part[] = []
  const usual = slots.find((slot) => slot !== ANY_NODE) ?? ANY_NODE
  for (let place = 0; place < commands.length; place++) {
    const slot = slots[place] ?? ANY_NODE
    const hasKeys = slot !== ANY_NODE
    const node = picker.pick(hasKeys ? slot : usual, commands.at(place) ?? [], hasKeys)
    if (node === undefined) {
      pipeline.failPlaces([place], picker.nobody())
      continue
    }
    partAt(node, pipeline, parts).places.push(place)
  }
  for (const { hop } of parts) hop.node.scratch = undefined
  return parts
}

/** The part for the node: kept at the node while the pipeline is split, which is faster than any look-up. */
function partAt(node: ClusterNode, pipeline: RoutedPipeline, parts: Part[]): Part {
  const { scratch } = node
  if (scratch instanceof Part && scratch.pipeline === pipeline) return scratch
  const part = new Part(pipeline, { node, isAsking: false, count: 0 })
  setTerms(part, pipeline.terms)
  if (pipeline.waitedMs > 0) part.needTerms().waitedMs = pipeline.waitedMs
  node.scratch = part
  parts.push(part)
  return part
}
