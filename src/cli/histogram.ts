/** How often something took how long: counting, percentiles, rows to draw. Knows no clock and no terminal. */

/** Steps within each doubling: values are kept to within 1.6 %. */
const STEPS = 64

export class Histogram {
  /** Of buckets that grow with the values, so that any time has room. */
  readonly #counts: number[] = []
  #count = 0
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0

  get count(): number {
    return this.#count
  }

  get min(): number {
    return this.#count === 0 ? 0 : this.#min
  }

  get max(): number {
    return this.#max
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count
  }

  /** A time in ms, recorded in steps of a microsecond and more. */
  record(ms: number): void {
    const bucket = bucketOf(ms)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#count += 1
    this.#sum += ms
    if (ms < this.#min) this.#min = ms
    if (ms > this.#max) this.#max = ms
  }

  /** The time within which this share of all, in per cent, was done; 0 when there are none. */
  percentile(percent: number): number {
    if (percent >= 100) return this.#max
    const rank = Math.max(1, Math.ceil((this.#count * percent) / 100))
    let seen = 0
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count ?? 0
      if (seen >= rank) return Math.min(this.#max, Math.max(this.#min, upperEnd(bucket)))
    }
    return this.#max
  }

  /** At most `most` rows from the fastest to the slowest, each up to a round time, and how many fell into it. */
  rows(most: number): { readonly upTo: number; readonly count: number }[] {
    if (this.#count === 0) return []
    const limits = roundLimits(this.#min, this.#max, most)
    const rows = limits.map((upTo) => ({ upTo, count: 0 }))
    for (const [bucket, count] of this.#counts.entries()) {
      if (!count) continue
      const row = rows.find(({ upTo }) => middle(bucket) <= upTo) ?? rows.at(-1)
      if (row) row.count += count
    }
    // What is between two limits at the ends may be on one side of both.
    while (rows[0]?.count === 0) rows.shift()
    while (rows.at(-1)?.count === 0) rows.pop()
    return rows
  }
}

/** Microseconds below {@link STEPS} have a bucket each; from there on each doubling has so many. */
function bucketOf(ms: number): number {
  const us = Math.max(1, ms * 1000)
  if (us < STEPS) return Math.floor(us)
  const doubling = Math.floor(Math.log2(us / STEPS))
  return STEPS * (doubling + 1) + Math.floor((us / 2 ** doubling / STEPS - 1) * STEPS)
}

/** Where the next bucket begins, in ms. */
function upperEnd(bucket: number): number {
  return lowerEnd(bucket + 1)
}

function lowerEnd(bucket: number): number {
  if (bucket < STEPS) return bucket / 1000
  const doubling = Math.floor(bucket / STEPS) - 1
  return ((STEPS + (bucket % STEPS)) * 2 ** doubling) / 1000
}

function middle(bucket: number): number {
  return (lowerEnd(bucket) + upperEnd(bucket)) / 2
}

/** Limits that a person can read, of a series that grows as evenly as it has to for so many of them. */
function roundLimits(min: number, max: number, most: number): number[] {
  for (const steps of [[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8], [1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]]) {
    const limits = limitsOf(steps, min, max)
    if (limits.length <= most) return limits
  }
  return limitsOf([1], min, max).slice(-most)
}

function limitsOf(steps: readonly number[], min: number, max: number): number[] {
  const limits: number[] = []
  for (let exponent = -3; limits.length === 0 || (limits.at(-1) ?? 0) < max; exponent++) {
    for (const step of steps) {
      const limit = step * 10 ** exponent
      if (limit >= min && (limits.at(-1) ?? 0) < max) limits.push(limit)
    }
  }
  return limits
}
