// Runs the workloads: all clients in turn in each round, each in its own process. Knows nothing of ratios and bars.
import { Child } from "./child.ts"
import type { ClientName } from "./clients/registry.ts"
import type { Targets } from "./messages.ts"
import type { Sample, Workload } from "./workloads/workload.ts"

/** One round of an isolated workload for so many of the others. */
const ISOLATED_ROUNDS = 3

export interface Plan {
  readonly workloads: readonly Workload[]
  readonly clients: readonly ClientName[]
  readonly rounds: number
  readonly seconds: number
}

export interface Outcome {
  readonly workload: Workload
  readonly samples: Partial<Record<ClientName, Sample[]>>
  readonly failures: Partial<Record<ClientName, string>>
}

export type Report = (done: number, total: number, doing: string) => void

export async function run(plan: Plan, targets: Targets, report: Report): Promise<Outcome[]> {
  const runner = new Runner(plan, targets, report)
  try {
    const outcomes: Outcome[] = []
    for (const workload of plan.workloads) outcomes.push(await runner.run(workload))
    return outcomes
  } finally {
    await runner.stop()
  }
}

class Runner {
  readonly #plan: Plan
  readonly #targets: Targets
  readonly #report: Report
  readonly #children = new Map<ClientName, Child>()
  readonly #total: number
  #done = 0

  constructor(plan: Plan, targets: Targets, report: Report) {
    this.#plan = plan
    this.#targets = targets
    this.#report = report
    this.#total = plan.workloads.reduce((sum, workload) => sum + this.#stepsOf(workload), 0)
  }

  async run(workload: Workload): Promise<Outcome> {
    const outcome: Outcome = { workload, samples: {}, failures: {} }
    for (let round = 0; round <= this.#rounds(workload); round++)
      for (const client of rotated(this.#clients(workload), round)) await this.#step(outcome, client, round)
    return outcome
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.values()].map((child) => child.stop()))
  }

  // Round 0 is the warm-up. A client that failed is left out of the further rounds of this workload.
  async #step(outcome: Outcome, client: ClientName, round: number): Promise<void> {
    const { workload, samples, failures } = outcome
    const what = round === 0 ? "warm-up" : `round ${round}/${this.#rounds(workload)}`
    this.#report(this.#done++, this.#total, `${workload.name} ${what} ${client}`)
    if (failures[client] !== undefined) return
    try {
      const sample = await (workload.isolated
        ? this.#alone(workload, client, round)
        : this.#turn(workload, client, round))
      if (sample !== undefined) samples[client] = [...(samples[client] ?? []), sample]
    } catch (error) {
      failures[client] = error instanceof Error ? error.message : String(error)
    }
  }

  async #turn(workload: Workload, client: ClientName, round: number): Promise<Sample | undefined> {
    const child = await this.#childOf(client)
    if (round > 0) return child.measure(workload.name)
    await child.prepare(workload.name, this.#plan.seconds)
    return undefined
  }

  async #alone(workload: Workload, client: ClientName, round: number): Promise<Sample | undefined> {
    if (round === 0) return undefined
    const child = await Child.start(client, this.#targets)
    try {
      await child.prepare(workload.name, this.#plan.seconds)
      return await child.measure(workload.name)
    } finally {
      await child.stop()
    }
  }

  async #childOf(client: ClientName): Promise<Child> {
    const known = this.#children.get(client)
    if (known?.alive) return known
    const child = await Child.start(client, this.#targets)
    this.#children.set(client, child)
    return child
  }

  #clients(workload: Workload): ClientName[] {
    return this.#plan.clients.filter((client) => !workload.without?.includes(client))
  }

  #rounds(workload: Workload): number {
    return workload.isolated ? Math.ceil(this.#plan.rounds / ISOLATED_ROUNDS) : this.#plan.rounds
  }

  #stepsOf(workload: Workload): number {
    return this.#clients(workload).length * (this.#rounds(workload) + 1)
  }
}

// Each round starts with another client, so that none always runs in another one's wake.
function rotated<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}
