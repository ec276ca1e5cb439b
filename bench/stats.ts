// Minimum, median, and ratios of measurements which were taken in the same rounds.

export function minimum(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.min(...values)
}

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle]
  if (high === undefined || sorted.length % 2 === 1) return high
  return (sorted[middle - 1]! + high) / 2
}

export interface Ratio {
  /** The quietest rounds of both, which is what counts. */
  readonly best: number
  /** The median over the rounds of what each round gives. */
  readonly paired: number
}

export function ratio(ours: readonly number[], theirs: readonly number[]): Ratio | undefined {
  const rounds = Math.min(ours.length, theirs.length)
  const paired = median(Array.from({ length: rounds }, (_, i) => ours[i]! / theirs[i]!))
  if (paired === undefined) return undefined
  return { best: Math.min(...ours) / Math.min(...theirs), paired }
}
