/** `SCAN` of all primaries, one after the other. Leaves to the topology which these are. */

import { checkScanOptions, type ScanOptions } from "../cluster-options.ts"
import type { ClusterNode } from "./node.ts"
import type { SlotMap } from "./slot-map.ts"

/**
 * The keys of all primaries; one that becomes a primary meanwhile is scanned as well. Misuse rejects, as that of everything
 * that is waited for: here what is asked for the first key.
 * @param known resolves once it is known who these are
 */
export async function* scan(
  known: (options: ScanOptions) => Promise<unknown>,
  map: SlotMap,
  given: ScanOptions | undefined,
): AsyncGenerator<string, void, undefined> {
  checkScanOptions(given)
  const options = { ...given }
  await known(options)
  const done = new Set<ClusterNode>()
  for (let node = next(map, done); node !== undefined; node = next(map, done)) {
    done.add(node)
    yield* scanNode(node, options)
  }
}

function next(map: SlotMap, done: ReadonlySet<ClusterNode>): ClusterNode | undefined {
  for (const { primary } of map.shards) if (!done.has(primary)) return primary
  return undefined
}

async function* scanNode(
  { redix }: ClusterNode,
  options: ScanOptions,
): AsyncGenerator<string, void, undefined> {
  const { match, count, type, signal } = options
  const filter = [
    ...(match === undefined ? [] : ["MATCH", match]),
    ...(count === undefined ? [] : ["COUNT", count]),
    ...(type === undefined ? [] : ["TYPE", type]),
  ]
  let cursor = "0"
  do {
    const reply: unknown = await redix.command(["SCAN", cursor, ...filter], { signal })
    const [nextCursor, keys]: readonly unknown[] = Array.isArray(reply) ? reply : []
    for (const key of Array.isArray(keys) ? keys : []) if (typeof key === "string") yield key
    cursor = String(nextCursor)
  } while (cursor !== "0")
}
