// Rows that come of other rows: time besides CPU for the workloads with a crowd of commands, and how much dearer an
// operation is at the hard end of a family of workloads than at its easy end.
import { perColumn, quietest, roundsOf, type Values } from "./columns.ts"
import { judged, type Row, ratiosOf } from "./report.ts"
import type { Outcome } from "./run.ts"
import { ratio } from "./stats.ts"
import { resubscribeWorkload } from "./workloads/resubscribe.ts"
import { PIECES, splitName } from "./workloads/split.ts"
import type { Bar } from "./workloads/workload.ts"

// Generous, since both ends are measured apart; what is not linear misses them by far: a client that parses a cut reply
// again from its start is 20 times dearer in small pieces. Of a million commands many outlive the young generation of
// the heap, and must be copied once, which those of ten thousand are spared.
const LINEAR = 4
const CUT_AT_WILL = 5
/** A command on a cluster, of one on a single connection. */
const OF_SINGLE = 1.3
const AS_MANY_NODES_AS_ONE_LIKES = 1.3
const TEN_TIMES_THE_NODES = 15

export function derivedRows(outcomes: readonly Outcome[]): Row[] {
  const crowds = outcomes.filter(({ workload }) => workload.name.startsWith("million-"))
  const [large, small] = [splitName(PIECES[0]), splitName(PIECES[PIECES.length - 1]!)]
  return [
    ...crowds.map(timeRow),
    ...growth(outcomes, "million-1m", "million-10k", LINEAR),
    ...growth(outcomes, small, large, CUT_AT_WILL),
    ...growth(outcomes, "pubsub-iterator", "pubsub-1ch", undefined),
    ...outcomes.flatMap(besideRows),
    ...growth(outcomes, "cluster-nodes-1000", "cluster-nodes-3", AS_MANY_NODES_AS_ONE_LIKES),
    ...growth(outcomes, "cluster-refresh-1000", "cluster-refresh-100", TEN_TIMES_THE_NODES),
    ...outcomes.filter(({ workload }) => workload.name === resubscribeWorkload.name).map(totalTimeRow),
  ]
}

function timeRow(outcome: Outcome): Row {
  const rounds = roundsOf(outcome, "wall")
  const name = `${outcome.workload.name} time`
  return judged({ name, unit: "us", bar: undefined, values: quietest(rounds), ratios: ratiosOf(rounds) })
}

/** Of what is one long operation. */
function totalTimeRow(outcome: Outcome): Row {
  const micros = quietest(roundsOf(outcome, "wall"))
  const values = perColumn((column) => (micros[column] === undefined ? undefined : micros[column] / 1000))
  return judged({ name: `${outcome.workload.name} time`, unit: "ms", bar: undefined, values, ratios: {} })
}

/**
 * What was measured beside: on one connection, and on several without routing; and how much dearer the cluster was, quietest
 * round by quietest round.
 */
function besideRows(outcome: Outcome): Row[] {
  const bar: Bar | undefined = outcome.workload.bar && { limit: OF_SINGLE, against: "nothing" }
  return [...rowsBeside(outcome, "single", bar), ...rowsBeside(outcome, "sorted", undefined)]
}

function rowsBeside(outcome: Outcome, what: "single" | "sorted", bar: Bar | undefined): Row[] {
  const { name, unit } = outcome.workload
  const beside = roundsOf(outcome, what)
  if (Object.keys(beside).length === 0) return []
  const rounds = roundsOf(outcome, "value")
  const values = perColumn((column) => ratio(rounds[column] ?? [], beside[column] ?? [])?.best)
  return [
    judged({
      name: `${name} ${what}`,
      unit,
      bar: undefined,
      values: quietest(beside),
      ratios: ratiosOf(beside),
    }),
    judged({ name: `${name} / ${what}`, unit: "times", bar, values, ratios: {} }),
  ]
}

function growth(outcomes: readonly Outcome[], hard: string, easy: string, limit: number | undefined): Row[] {
  const [above, below] = [hard, easy].map((name) => netValues(outcomes, name))
  const values = perColumn((column) => {
    const [high, low] = [above?.[column], below?.[column]]
    return high === undefined || low === undefined ? undefined : high / low
  })
  if (Object.keys(values).length === 0) return []
  const name = `${hard} / ${easy.replace(/^\w+-/, "")}`
  const bar: Bar | undefined = limit === undefined ? undefined : { limit, against: "nothing" }
  return [judged({ name, unit: "times", bar, values, ratios: {} })]
}

/** What a client's operation cost above the floor, where there is one. */
function netValues(outcomes: readonly Outcome[], name: string): Values | undefined {
  const outcome = outcomes.find(({ workload }) => workload.name === name)
  if (outcome === undefined) return undefined
  const values = quietest(roundsOf(outcome, "value"))
  const floors = quietest(roundsOf(outcome, "floor"))
  return perColumn((column) => {
    const value = values[column]
    return value === undefined ? undefined : Math.max(value - (floors[column] ?? 0), 0)
  })
}
