/** Which of several connections a request goes to. Knows of a connection only how much it has to do. */

import type { PoolStrategy } from "../options.ts"

/** How many requests something has under way. */
interface Loaded {
  readonly load: number
}

export class Picker {
  readonly #strategy: PoolStrategy
  /** Where to begin next time, so that equals take turns. */
  #turn = 0

  constructor(strategy: PoolStrategy) {
    this.#strategy = strategy
  }

  /** One of `from`, which is not empty. */
  pick<T extends Loaded>(from: readonly [T, ...T[]]): T {
    const count = from.length
    if (count === 1) return from[0]
    if (this.#strategy === "random") return from[Math.floor(Math.random() * count)] ?? from[0]
    const first = this.#turn < count ? this.#turn : 0
    const index = this.#strategy === "round-robin" ? first : leastBusy(from, first)
    this.#turn = index + 1
    return from[index] ?? from[0]
  }
}

/** The index of the one with the least to do; among equals of the first, counted from `first` and around. */
function leastBusy(from: readonly Loaded[], first: number): number {
  const count = from.length
  let least = Number.POSITIVE_INFINITY
  let best = first
  let index = first
  for (let seen = 0; seen < count; seen++) {
    const load = from[index]?.load ?? least
    if (load < least) {
      // Nothing is less than nothing.
      if (load === 0) return index
      least = load
      best = index
    }
    index = index + 1 === count ? 0 : index + 1
  }
  return best
}
