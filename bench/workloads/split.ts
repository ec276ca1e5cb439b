// One and the same reply, delivered in pieces of different sizes: what a client makes of it must not depend on where it
// is cut. More pieces are more reads, whatever reads them, so that is measured apart, as the floor.
import { BareReader } from "../bare-reader.ts"
import type { Client } from "../clients/client.ts"
import { bigList } from "../data.ts"
import { verifyList } from "./large.ts"
import { calibrate, sample } from "./timed.ts"
import type { Bench, Workload } from "./workload.ts"

export const PIECES = [64 * 1024, 16 * 1024, 1460] as const

/** Seconds: less would be a handful of replies, since the proxy makes pauses. */
const SHORTEST_SLICE = 0.25

export const splitWorkloads: readonly Workload[] = PIECES.map(split)

export function splitName(pieceBytes: number): string {
  return `split-${pieceBytes % 1024 === 0 ? `${pieceBytes / 1024}k` : pieceBytes}`
}

function split(pieceBytes: number): Workload {
  let client: Client
  let reader: BareReader
  let operations = 1
  const parse = (times: number): Promise<void> => repeat(times, () => client.lrange(bigList.key))
  const read = (times: number): Promise<void> => repeat(times, () => reader.read())
  return {
    name: splitName(pieceBytes),
    unit: "us",
    without: ["redis-default", "ioredis-auto"],
    prepare: async (bench, seconds) => {
      client = await bench.connect(bench.splitUrl(pieceBytes))
      await verifyList(client)
      operations = await calibrate(parse, 1, Math.max(seconds, SHORTEST_SLICE))
      reader = await openReader(bench, pieceBytes)
      await read(operations)
    },
    measure: async () => {
      const floor = await sample(operations, () => read(operations))
      return { ...(await sample(operations, () => parse(operations))), floor: floor.value }
    },
  }
}

function openReader(bench: Bench, pieceBytes: number): Promise<BareReader> {
  const header = `*${bigList.items.length}\r\n`
  const itemBytes = bigList.items.map((item) => `$${item.length}\r\n${item}\r\n`.length)
  const replyBytes = itemBytes.reduce((sum, bytes) => sum + bytes, header.length)
  return BareReader.open(bench.splitUrl(pieceBytes), ["LRANGE", bigList.key, "0", "-1"], replyBytes)
}

async function repeat(times: number, once: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await once()
}
