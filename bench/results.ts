// Writes a run to a JSON file: where and with what it was measured, every raw round, and the rows that came of it.
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import type { Environment } from "./environment.ts"
import type { Row } from "./report.ts"
import type { Outcome, Plan } from "./run.ts"

export interface Results {
  readonly date: Date
  readonly environment: Environment
  readonly plan: Plan
  readonly outcomes: readonly Outcome[]
  readonly rows: readonly Row[]
}

export function defaultFile(date: Date): string {
  const name = date
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(":", "-")
  return fileURLToPath(new URL(`./results/${name}.json`, import.meta.url))
}

export function writeResults(file: string, { plan, outcomes, ...results }: Results): void {
  const { clients, rounds, seconds } = plan
  const raw = outcomes.map(({ workload, samples, failures }) => ({
    name: workload.name,
    unit: workload.unit,
    samples,
    failures,
  }))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(
    file,
    `${JSON.stringify({ ...results, options: { clients, rounds, seconds }, raw }, null, 2)}\n`,
  )
}
