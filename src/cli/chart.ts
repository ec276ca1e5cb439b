/** Times drawn with characters: bars and small lines of them. Knows nothing of what was measured. */

import type { Histogram } from "./histogram.ts"
import { duration, grouped, type Paint } from "./terminal.ts"

const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
const STEPS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

/** The histogram in lines: up to which time, a bar, the share, and the number. */
export function drawHistogram(histogram: Histogram, columns: number, paint: Paint): string[] {
  const rows = histogram.rows(12)
  const most = Math.max(1, ...rows.map(({ count }) => count))
  const labels = rows.map(({ upTo }) => `≤ ${duration(upTo)}`)
  const width = Math.max(0, ...labels.map(({ length }) => length))
  const room = Math.max(10, Math.min(50, columns - width - 24))
  return rows.map(({ count }, index) => {
    const share = `${((100 * count) / histogram.count).toFixed(1)} %`.padStart(7)
    const label = (labels[index] ?? "").padStart(width)
    return `${paint.dim(label)} ${paint.cyan(bar(count / most, room).padEnd(room))} ${share}  ${paint.dim(grouped(count))}`
  })
}

/** The same in a word. */
export function sparkline(histogram: Histogram): string {
  const rows = histogram.rows(16)
  const most = Math.max(1, ...rows.map(({ count }) => count))
  return rows
    .map(({ count }) => (count === 0 ? " " : STEPS[Math.min(7, Math.floor((count / most) * 8))]))
    .join("")
}

function bar(share: number, columns: number): string {
  const eighths = share === 0 ? 0 : Math.max(1, Math.round(share * columns * 8))
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "")
}
