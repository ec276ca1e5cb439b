/** Longer delays overflow the timers of Node.js, which then fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/** A delay in ms that a timer can take: at least 1, and in place of one too long the longest. */
export function timerDelay(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms), 1), LONGEST_MS)
}
