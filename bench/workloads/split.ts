// One and the same reply, delivered in pieces of different sizes: its cost must not depend on where it is cut.
import { bigList } from "../data.ts"
import { verifyList } from "./large.ts"
import { timed } from "./timed.ts"
import type { Workload } from "./workload.ts"

export const PIECES = [64 * 1024, 16 * 1024, 1460] as const

export const splitWorkloads: readonly Workload[] = PIECES.map(split)

export function splitName(pieceBytes: number): string {
  return `split-${pieceBytes % 1024 === 0 ? `${pieceBytes / 1024}k` : pieceBytes}`
}

function split(pieceBytes: number): Workload {
  return timed({
    name: splitName(pieceBytes),
    without: ["redis-default", "ioredis-auto"],
    step: 1,
    open: (bench) => bench.connectSplit(pieceBytes),
    verify: verifyList,
    run: async (client, operations) => {
      for (let i = 0; i < operations; i++) await client.lrange(bigList.key)
    },
  })
}
