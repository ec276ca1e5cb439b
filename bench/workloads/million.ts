// Ten thousand, a hundred thousand and a million commands in flight at once: the cost of one must not grow.
import assert from "node:assert/strict"
import { smallValue } from "../data.ts"
import { getMany } from "./small.ts"
import { sample } from "./timed.ts"
import { againstUntimed, type Workload } from "./workload.ts"

const WARM_UP_WIDTH = 10_000
const WARM_UP_TIMES = 5
const OPERATIONS_OF_A_SLICE = 200_000

export const millionWorkloads: readonly Workload[] = [
  inFlight("million-10k", 10_000),
  inFlight("million-100k", 100_000),
  inFlight("million-1m", 1_000_000),
]

function inFlight(name: string, width: number): Workload {
  const times = Math.max(1, OPERATIONS_OF_A_SLICE / width)
  return {
    name,
    unit: "us",
    bar: againstUntimed(0.6),
    isolated: true,
    without: ["redis-default", "ioredis-auto"],
    prepare: async ({ client }) => {
      for (let i = 0; i < WARM_UP_TIMES; i++) {
        const replies = await Promise.all(getMany(client, WARM_UP_WIDTH))
        assert.ok(replies.every((reply) => reply === smallValue))
      }
    },
    measure: ({ client }) =>
      sample(width * times, async () => {
        for (let i = 0; i < times; i++) await Promise.all(getMany(client, width))
      }),
  }
}
