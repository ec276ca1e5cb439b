// From measurements to the rows of the table: what each client's quietest round cost, the driver's ratios to its
// peers, and whether it keeps its bar. Leaves the layout to table.ts.
import type { ClientName } from "./clients/registry.ts"
import type { Outcome } from "./run.ts"
import { minimum, type Ratio, ratio } from "./stats.ts"
import { PIECES, splitName } from "./workloads/split.ts"
import type { Bar } from "./workloads/workload.ts"

/** The clients as the table shows them: of ioredis' two settings the one that did better. */
export const COLUMNS = ["redix", "redis-untimed", "redis-default", "ioredis"] as const
export type Column = (typeof COLUMNS)[number]
const PEERS = ["redis-untimed", "redis-default", "ioredis"] as const
type Peer = (typeof PEERS)[number]

export type Verdict = "ok" | "over" | "failed"

export interface Row {
  readonly name: string
  readonly unit: "us" | "bytes" | "times"
  readonly values: Partial<Record<Column, number>>
  readonly failures: Partial<Record<ClientName, string>>
  readonly ratios: Partial<Record<Peer, Ratio>>
  readonly bar?: Bar
  readonly verdict?: Verdict
}

export function rowsOf(outcomes: readonly Outcome[]): Row[] {
  const rows = outcomes.map(rowOf)
  return [...rows, ...wallRows(outcomes), ...growthRows(outcomes)]
}

function rowOf({ workload, samples, failures }: Outcome): Row {
  const measured = byColumn(samplesIn(samples, "value"))
  const ratios = ratiosOf(measured)
  const values = mapValues(measured, minimum)
  const verdict = failures.redix === undefined ? verdictOf(workload.bar, values, ratios) : "failed"
  return {
    name: workload.name,
    unit: workload.unit,
    values,
    failures,
    ratios,
    ...(workload.bar && { bar: workload.bar }),
    ...(verdict && { verdict }),
  }
}

type Measured = Partial<Record<Column, number[]>>

function samplesIn(
  samples: Outcome["samples"],
  what: "value" | "wall",
): Partial<Record<ClientName, number[]>> {
  return mapValues(samples, (list) => list.map((sample) => sample[what] ?? Number.NaN))
}

function byColumn({ "ioredis-auto": auto, ...measured }: Partial<Record<ClientName, number[]>>): Measured {
  const plain = measured.ioredis
  if (auto === undefined || (plain !== undefined && Math.min(...plain) <= Math.min(...auto))) return measured
  return { ...measured, ioredis: auto }
}

function ratiosOf(measured: Measured): Partial<Record<Peer, Ratio>> {
  const ours = measured.redix ?? []
  return Object.fromEntries(
    PEERS.map((peer) => [peer, ratio(ours, measured[peer] ?? [])]).filter(([, found]) => found !== undefined),
  )
}

function verdictOf(bar: Bar | undefined, values: Row["values"], ratios: Row["ratios"]): Verdict | undefined {
  if (bar === undefined) return undefined
  const compared = comparedWithBar(bar, values, ratios)
  if (compared === undefined) return undefined
  return compared <= bar.limit ? "ok" : "over"
}

function comparedWithBar(bar: Bar, values: Row["values"], ratios: Row["ratios"]): number | undefined {
  switch (bar.against) {
    case "nothing":
      return values.redix
    case "redis-untimed":
      return ratios["redis-untimed"]?.best
    case "best-peer": {
      const all = Object.values(ratios).map((found) => found.best)
      return all.length === 0 ? undefined : Math.max(...all)
    }
  }
}

// Time as well as CPU, for the workloads which ask how the driver bears a crowd.
function wallRows(outcomes: readonly Outcome[]): Row[] {
  return outcomes
    .filter(({ workload }) => workload.name.startsWith("million-"))
    .map(({ workload, samples }) => {
      const measured = byColumn(samplesIn(samples, "wall"))
      const values = mapValues(measured, minimum)
      return { name: `${workload.name} (time)`, unit: "us", values, failures: {}, ratios: ratiosOf(measured) }
    })
}

const LINEAR = 2
const SPLIT_AT_WILL = 3

// How much more an operation costs at the hard end of a family of workloads than at its easy end.
function growthRows(outcomes: readonly Outcome[]): Row[] {
  const [large, small] = [splitName(PIECES[0]), splitName(PIECES[PIECES.length - 1]!)]
  return [
    growth(outcomes, "million-1m", "million-10k", LINEAR),
    growth(outcomes, small, large, SPLIT_AT_WILL),
  ].filter((row) => row !== undefined)
}

function growth(rows: readonly Row[], hard: string, easy: string, limit: number): Row | undefined {
  const [above, below] = [hard, easy].map((name) => rows.find((row) => row.name === name))
  if (above === undefined || below === undefined) return undefined
  const values: Row["values"] = {}
  for (const column of COLUMNS) {
    const [high, low] = [above.values[column], below.values[column]]
    if (high !== undefined && low !== undefined) values[column] = high / low
  }
  const bar: Bar = { limit, against: "nothing" }
  const verdict = verdictOf(bar, values, {})
  return {
    name: `${hard} / ${easy}`,
    unit: "times",
    values,
    failures: {},
    ratios: {},
    bar,
    ...(verdict && { verdict }),
  }
}

function mapValues<K extends string, A, B>(
  record: Partial<Record<K, A>>,
  change: (value: A) => B | undefined,
): Partial<Record<K, B>> {
  const result: Partial<Record<K, B>> = {}
  for (const key of Object.keys(record) as K[]) {
    const value = record[key]
    const changed = value === undefined ? undefined : change(value)
    if (changed !== undefined) result[key] = changed
  }
  return result
}
