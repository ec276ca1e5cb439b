// The layout of the result table, as plain text.
import { COLUMNS, type Column } from "./columns.ts"
import type { Row } from "./report.ts"
import type { Ratio } from "./stats.ts"
import type { Bar } from "./workloads/workload.ts"

const HEADER = ["workload", "unit", ...COLUMNS, "/untimed", "/default", "/ioredis", "bar", ""]
const LEFT_ALIGNED = new Set([0, 1, HEADER.length - 1])
const UNITS = { us: "us/op", bytes: "bytes", ms: "ms", times: "x" } as const

export const LEGEND = `us/op: user and system CPU of the client's process for one operation, in its quietest round (lower is better).
/peer: redix divided by that peer, quietest round by quietest round; in brackets the median of the rounds.
redis-untimed: node-redis with its command timeout off and asked in its fastest way; redis-default: as it comes.
ioredis: with or without automatic pipelining, whichever did better in that row.
pubsub: one published message, at the subscriber. pubsub-resubscribe: the longest time at which the event loop stood still
after a lost connection; time: until the server had confirmed all channels again.
cluster-…: one command of a cluster; single: the same on one connection, in the same rounds; sorted: on one connection for each
node, without routing. cluster-nodes-n: one command among n fake nodes; cluster-refresh-n: one look at which of them has what. A
cluster's ioredis has no pipelines over nodes.
split-a / b: what is left of both rows without what a bare socket takes to read those pieces.`

export function table(rows: readonly Row[]): string {
  const cells = [HEADER, ...rows.map(cellsOf)]
  const widths = HEADER.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)))
  const lines = cells.map((line) =>
    line
      .map((cell, i) => pad(cell, widths[i]!, i))
      .join("  ")
      .trimEnd(),
  )
  lines.splice(
    1,
    0,
    widths
      .map((width) => "-".repeat(width))
      .join("  ")
      .trimEnd(),
  )
  return lines.join("\n")
}

export function failuresOf(rows: readonly Row[]): string[] {
  return rows.flatMap((row) =>
    Object.entries(row.failures).map(([client, error]) => `${row.name}: ${client} failed: ${error}`),
  )
}

function cellsOf(row: Row): string[] {
  return [
    row.name,
    UNITS[row.unit],
    ...COLUMNS.map((column) => valueCell(row, column)),
    ratioCell(row.ratios["redis-untimed"]),
    ratioCell(row.ratios["redis-default"]),
    ratioCell(row.ratios.ioredis),
    barCell(row.bar),
    row.verdict ?? "",
  ]
}

function valueCell(row: Row, column: Column): string {
  const value = row.values[column]
  if (value !== undefined) return figure(value)
  return row.failures[column] === undefined ? "-" : "failed"
}

function ratioCell(ratio: Ratio | undefined): string {
  return ratio === undefined ? "-" : `${ratio.best.toFixed(2)} (${ratio.paired.toFixed(2)})`
}

function barCell(bar: Bar | undefined): string {
  if (bar === undefined) return ""
  if (bar.against === "nothing") return `<= ${bar.limit}`
  return `<= ${bar.limit.toFixed(2)} of ${bar.against === "best-peer" ? "best" : "untimed"}`
}

function figure(value: number): string {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function pad(cell: string, width: number, column: number): string {
  return LEFT_ALIGNED.has(column) ? cell.padEnd(width) : cell.padStart(width)
}
