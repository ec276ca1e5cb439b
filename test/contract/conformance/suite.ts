/**
 * The contract of every client, written once: `Redix`, `Pool` and `Cluster` promise the same, whatever they connect to.
 * Where the contract states a difference, the topology says which.
 */
import { after, before, describe } from "node:test"
import { Bed, type Topology } from "./bed.ts"
import { blockingCases } from "./blocking.ts"
import { commandCases } from "./commands.ts"
import { failureCases } from "./failures.ts"
import { lifeCases } from "./life.ts"
import { misuseCases } from "./misuse.ts"

/** Registers the suite's cases for a topology. */
export function conformance(topology: Topology): void {
  describe(topology.name, () => {
    const bed = new Bed(topology)
    before(() => bed.setUp())
    after(() => bed.tearDown())
    commandCases(bed)
    misuseCases(bed)
    failureCases(bed)
    blockingCases(bed)
    lifeCases(bed)
  })
}
