/**
 * Checkouts of a cluster: from the node that has the key's slot, once that is known. Leaves to `dedicated/` what a checkout
 * is, and to the topology which node that is.
 */

import {
  checkKeyedCheckoutOptions,
  type KeyedCheckoutOptions,
  type ResolvedClusterOptions,
} from "../cluster-options.ts"
import type { WaitingRoom } from "../connection/waiting-room.ts"
import { type Checkout, checkOut } from "../dedicated/checkout.ts"
import { type WatchCallback, type WatchedKeys, watch } from "../dedicated/use.ts"
import { ConnectionError, RedisError } from "../errors.ts"
import { type CheckoutOptions, checkWatchOptions, type Protocol, type WatchOptions } from "../options.ts"
import type { Command, PipelineReplies } from "../protocol/command-map.ts"
import type { DedicatedNodes } from "./dedicated-nodes.ts"
import type { Gate } from "./gate.ts"
import type { ClusterNode } from "./node.ts"
import { Pause } from "./pause.ts"
import { type Redirection, redirectionOf } from "./redirect.ts"
import { setTerms, tryAgainDelay } from "./routed.ts"
import { slotOf } from "./slots.ts"
import type { Topology } from "./topology.ts"

/** What checkouts are made from. */
export interface CheckoutParts {
  readonly gate: Gate
  readonly topology: Topology
  readonly dedicated: DedicatedNodes
  readonly waiting: WaitingRoom
  readonly options: ResolvedClusterOptions
}

export function checkOutKey<P extends Protocol>(
  parts: CheckoutParts,
  protocol: P,
  options: KeyedCheckoutOptions,
): Promise<Checkout<P>> {
  checkKeyedCheckoutOptions(options)
  return checkOutAt(parts, protocol, slotOf(options.key), options)
}

async function checkOutAt<P extends Protocol>(
  parts: CheckoutParts,
  protocol: P,
  slot: number,
  { timeout = parts.options.commandTimeout, signal }: CheckoutOptions,
): Promise<Checkout<P>> {
  const waitedMs = await known(parts, "a checkout", { timeout, signal })
  const node = nodeOf(parts.topology, slot)
  const left = Math.max(1, timeout - waitedMs)
  return checkOut(parts.dedicated.at(node), node.options, protocol, { timeout: left, signal })
}

/** Resolves when it is known who has which slots, to the time that this took, in ms. */
export async function known(
  { gate }: CheckoutParts,
  label: string,
  { timeout, signal }: CheckoutOptions,
): Promise<number> {
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    const pause = new Pause(label, reject)
    setTerms(pause, { timeout, signal })
    gate.pass(pause, () => {
      pause.end()
      resolve(pause.terms?.waitedMs ?? 0)
    })
  })
}

function nodeOf(topology: Topology, slot: number): ClusterNode {
  const node = topology.map.at(slot)?.primary
  if (node !== undefined) return node
  // As for a command, of which a server would say CLUSTERDOWN: somebody may have it by now.
  topology.refresh()
  throw new ConnectionError("closed", `no node of the cluster has the slot ${slot}`)
}

/**
 * As `watch` of a pool, at the node that has the keys, and anew at another one if they have moved there. While they are on
 * their way it is tried again a little later, since the callback's own commands would not find them.
 */
export async function watchKeys<P extends Protocol, const Cs extends readonly Command[]>(
  parts: CheckoutParts,
  protocol: P,
  keys: WatchedKeys,
  callback: WatchCallback<P, Cs>,
  options: WatchOptions | undefined,
): Promise<PipelineReplies<Cs, P> | null> {
  checkWatchOptions(options)
  const slot = slotOfKeys(keys)
  for (let redirections = 0; ; redirections++) {
    try {
      return await watch(
        () => checkOutAt(parts, protocol, slot, options ?? {}),
        keys,
        callback,
        options ?? {},
      )
    } catch (error) {
      const redirection = redirections < parts.options.maxRedirections ? undone(error) : undefined
      if (redirection === undefined) throw error
      if (redirection.kind === "moved") noteMoved(parts.topology, redirection)
      else await later(parts, slot, tryAgainDelay(redirections), options?.signal)
    }
  }
}

/** Where the keys are instead, if nothing was done because of that. */
function undone(error: unknown): Redirection | undefined {
  return redirectionOf(error instanceof RedisError && error.code === "EXECABORT" ? error.cause : error)
}

function noteMoved(topology: Topology, { slot, to }: Extract<Redirection, { slot: number }>): void {
  const host = to.host === "" ? topology.map.at(slot)?.primary.host : to.host
  if (host !== undefined) topology.onMoved(slot, { host, port: to.port })
}

function later(
  { waiting, topology }: CheckoutParts,
  slot: number,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const pause = new Pause("a watch", reject)
    setTerms(pause, { timeout: Number.POSITIVE_INFINITY, signal })
    waiting.holdFor(pause, ms, nodeOf(topology, slot), () => {
      pause.end()
      resolve()
    })
  })
}

function slotOfKeys(keys: WatchedKeys): number {
  const list: readonly unknown[] = Array.isArray(keys) ? keys : [keys]
  const slots = new Set(list.map(slotOf))
  if (slots.size > 1) throw new RedisError("CROSSSLOT the keys to watch must hash to one slot", "WATCH")
  return slotOf(list[0])
}
