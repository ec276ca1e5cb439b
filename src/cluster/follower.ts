/**
 * What an error reply to a request means for it: nothing, or another hop. Leaves to the requests how they are sent again.
 */

import { ConnectionError, type RedisError } from "../errors.ts"
import { type Redirection, redirectionOf, suggestsRefresh } from "./redirect.ts"
import { type Guide, type Hop, nextHop, type Route, tooManyRedirections } from "./routed.ts"
import { slotOf } from "./slots.ts"

export class Follower {
  readonly #guide: Guide

  constructor(guide: Guide) {
    this.#guide = guide
  }

  /**
   * The next hop, why there may be none, or `undefined` where the error is for the caller.
   * @param key one of the command's keys, for what a replica could not answer just now
   */
  follow(
    error: RedisError,
    hop: Hop,
    route: Route | undefined,
    key: () => unknown,
  ): Hop | ConnectionError | undefined {
    const redirection = redirectionOf(error)
    if (redirection !== undefined) {
      if (hop.count >= this.#guide.maxRedirections) return tooManyRedirections(this.#guide, hop.node, error)
      return this.#next(hop, redirection)
    }
    if (suggestsRefresh(error)) this.#guide.onSuspicion()
    if (route !== "prefer-replica" || hop.node.role !== "replica" || !isBehind(error)) return undefined
    const primary = this.#guide.primaryOf(slotOf(key()))
    return primary === undefined ? undefined : { node: primary, isAsking: false, count: hop.count + 1 }
  }

  /** A user's function may have a say in where that is, and fail. */
  #next(hop: Hop, redirection: Redirection): Hop | ConnectionError {
    try {
      return nextHop(this.#guide, hop, redirection)
    } catch (error) {
      if (error instanceof ConnectionError) return error
      throw error
    }
  }
}

/** A replica that has lost its primary, or is not filled yet. */
function isBehind({ code }: RedisError): boolean {
  return code === "LOADING" || code === "MASTERDOWN"
}
