// From measurements to the rows of the table: what each client's quietest round cost, the driver's ratios to its
// peers, and whether it keeps its bar. Leaves the layout to table.ts, and comparisons between workloads to derived.ts.
import type { ClientName } from "./clients/registry.ts"
import { PEERS, type Peer, quietest, type Rounds, roundsOf, type Values } from "./columns.ts"
import type { Outcome } from "./run.ts"
import { type Ratio, ratio } from "./stats.ts"
import type { Bar } from "./workloads/workload.ts"

export type Verdict = "ok" | "over" | "failed"
export type Ratios = Partial<Record<Peer, Ratio>>

export interface Row {
  readonly name: string
  readonly unit: "us" | "bytes" | "ms" | "times"
  readonly values: Values
  readonly ratios: Ratios
  readonly failures: Partial<Record<ClientName, string>>
  readonly bar: Bar | undefined
  readonly verdict: Verdict | undefined
}

export function rowOf(outcome: Outcome): Row {
  const { name, unit, bar } = outcome.workload
  const rounds = roundsOf(outcome, "value")
  const row = judged({ name, unit, bar, values: quietest(rounds), ratios: ratiosOf(rounds) })
  const { failures } = outcome
  return { ...row, failures, verdict: failures.redix === undefined ? row.verdict : "failed" }
}

export function judged(row: Omit<Row, "failures" | "verdict">): Row {
  return { ...row, failures: {}, verdict: row.bar && verdictOf(row.bar, row.values, row.ratios) }
}

export function ratiosOf(rounds: Rounds): Ratios {
  const ratios: Ratios = {}
  for (const peer of PEERS) {
    const found = ratio(rounds.redix ?? [], rounds[peer] ?? [])
    if (found !== undefined) ratios[peer] = found
  }
  return ratios
}

function verdictOf(bar: Bar, values: Values, ratios: Ratios): Verdict | undefined {
  const compared = comparedWithBar(bar, values, ratios)
  if (compared === undefined) return undefined
  return compared <= bar.limit ? "ok" : "over"
}

function comparedWithBar(bar: Bar, values: Values, ratios: Ratios): number | undefined {
  switch (bar.against) {
    case "nothing":
      return values.redix
    case "redis-untimed":
      return ratios["redis-untimed"]?.best
    case "best-peer": {
      const all = Object.values(ratios).map(({ best }) => best)
      return all.length === 0 ? undefined : Math.max(...all)
    }
  }
}
