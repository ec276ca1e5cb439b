/**
 * What all requests to a cluster have in common: a hop, which is one attempt at one node, and what an error reply to it
 * leads to. Knows when to go on and when not to; leaves to the requests how they are sent again.
 */

import { type Request, RequestTerms } from "../connection/request.ts"
import type { Placed } from "../connection/trace.ts"
import { ConnectionError, type RedisError, withoutStack } from "../errors.ts"
import type { ClusterNode } from "./node.ts"
import type { NodeAddress, Redirection } from "./redirect.ts"

/** Which nodes may answer. */
export type Route = "primary" | "replica" | "prefer-replica"

/** What a call has that is not like most. */
export interface Call {
  readonly route?: Route | undefined
  readonly placed?: Placed | undefined
}

/** One attempt at one node. */
export interface Hop {
  readonly node: ClusterNode
  /** Whether the node is to be told that it may answer although the slot is still somebody else's. */
  readonly isAsking: boolean
  /** How many redirections came before. */
  readonly count: number
}

/** The terms of a request that are the same for all its hops. */
export interface Terms {
  /** The caller's own time, in ms. */
  readonly timeout: number | undefined
  readonly signal: AbortSignal | undefined
}

export const NO_TERMS: Terms = { timeout: undefined, signal: undefined }

/** Gives a request its terms, if there are any. */
export function setTerms(request: Request, { timeout, signal }: Terms): void {
  if (timeout !== undefined || signal !== undefined)
    request.terms = new RequestTerms(request, timeout, signal)
}

/** Gives a request the terms of the one before it, whose time goes on. */
export function inheritTerms(request: Request, before: Request, node: ClusterNode): void {
  const { timeout, signal, waitedMs = 0, clock = node.connection } = before.terms ?? NO_TERMS_YET
  request.terms = new RequestTerms(request, timeout, signal)
  request.terms.waitedMs = waitedMs + Math.max(0, clock.now() - before.since)
}

const NO_TERMS_YET: Partial<RequestTerms> = {}

/** After a first TRYAGAIN; each further one doubles it. In ms. */
const TRY_AGAIN_MS = 20
const MOST_DOUBLINGS = 6

/** How long to wait before what was answered by TRYAGAIN is sent again, in ms. */
export function tryAgainDelay(count: number): number {
  return TRY_AGAIN_MS * 2 ** Math.min(count, MOST_DOUBLINGS)
}

/** What the cluster knows of itself, for requests that are sent on. */
export interface Guide {
  readonly maxRedirections: number
  /** A node has said that the slot is at the address now. */
  onMoved(slot: number, to: NodeAddress): ClusterNode
  /** The primary at the address. */
  at(address: NodeAddress): ClusterNode
  /** The primary that has the slot. */
  primaryOf(slot: number): ClusterNode | undefined
  /** A reply suggests that the cluster has changed. */
  onSuspicion(): void
  onRedirection(kind: "moved" | "ask", slot: number, node: ClusterNode): void
}

/** The hop that a redirection leads to. */
export function nextHop(guide: Guide, hop: Hop, redirection: Redirection): Hop {
  const count = hop.count + 1
  if (redirection.kind === "try-again") return { ...hop, count }
  const { kind, slot, to } = redirection
  const address = to.host === "" ? { host: hop.node.host, port: to.port } : to
  const node = kind === "moved" ? guide.onMoved(slot, address) : guide.at(address)
  guide.onRedirection(kind, slot, node)
  return { node, isAsking: kind === "ask", count }
}

export function tooManyRedirections(guide: Guide, node: ClusterNode, cause: RedisError): ConnectionError {
  const message = `redirected more than ${guide.maxRedirections} times (maxRedirections)`
  return withoutStack(
    // None of the nodes has carried it out.
    () =>
      new ConnectionError("too-many-redirections", message, {
        address: node.address,
        outcome: "not-sent",
        cause,
      }),
  )
}
