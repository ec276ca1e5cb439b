// The clients as the table shows them: of ioredis' two settings the one that did better. Gathers each one's rounds.
import type { ClientName } from "./clients/registry.ts"
import type { Outcome } from "./run.ts"
import { minimum } from "./stats.ts"
import type { Sample } from "./workloads/workload.ts"

export const COLUMNS = ["redix", "redis-untimed", "redis-default", "ioredis"] as const
export type Column = (typeof COLUMNS)[number]

export const PEERS = ["redis-untimed", "redis-default", "ioredis"] as const
export type Peer = (typeof PEERS)[number]

export type Rounds = Partial<Record<Column, number[]>>
export type Values = Partial<Record<Column, number>>

/** What each client took in every round. */
export function roundsOf({ samples }: Outcome, what: keyof Sample): Rounds {
  const rounds: Partial<Record<ClientName, number[]>> = {}
  for (const client of [...COLUMNS, "ioredis-auto"] as const) {
    const found = samples[client]?.map((sample) => sample[what]).filter((value) => value !== undefined)
    if (found !== undefined && found.length > 0) rounds[client] = found
  }
  return betterOfIoredis(rounds)
}

/** What each client took in its quietest round. */
export function quietest(rounds: Rounds): Values {
  return perColumn((column) => minimum(rounds[column] ?? []))
}

export function perColumn(value: (column: Column) => number | undefined): Values {
  const values: Values = {}
  for (const column of COLUMNS) {
    const found = value(column)
    if (found !== undefined) values[column] = found
  }
  return values
}

function betterOfIoredis({ "ioredis-auto": auto, ...rounds }: Partial<Record<ClientName, number[]>>): Rounds {
  const plain = rounds.ioredis
  if (auto === undefined || (plain !== undefined && Math.min(...plain) <= Math.min(...auto))) return rounds
  return { ...rounds, ioredis: auto }
}
