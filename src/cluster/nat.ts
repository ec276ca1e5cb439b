/** The option `natMap` as a function. */

import type { NatMap } from "../cluster-options.ts"
import { ConnectionError } from "../errors.ts"
import { isPort, isText } from "../option-kinds.ts"
import { formatEndpoint } from "../transport/transport.ts"
import { describe } from "../util/describe.ts"
import type { Translate } from "./nodes.ts"
import type { NodeAddress } from "./redirect.ts"

export function translation(natMap: NatMap | undefined): Translate {
  if (natMap === undefined) return (address) => address
  if (typeof natMap === "function") return (address) => called(natMap, address)
  // IPv6 addresses may be given with brackets or without.
  return (address) => natMap[formatEndpoint(address)] ?? natMap[`${address.host}:${address.port}`] ?? address
}

type Call = Extract<NatMap, (...args: never[]) => unknown>

/** @throws ConnectionError in place of whatever the function throws, and where it returns what is no address */
function called(natMap: Call, announced: NodeAddress): NodeAddress {
  const target: unknown = attempted(natMap, announced)
  if (target === undefined || target === null) return announced
  if (isAddress(target)) return { host: target.host, port: target.port }
  const address = formatEndpoint(announced)
  const message = `natMap has returned ${describe(target)} for ${address}, expected { host, port } or undefined`
  throw new ConnectionError("no-reachable-node", message, { address })
}

function attempted(natMap: Call, { host, port }: NodeAddress): unknown {
  try {
    return natMap(host, port)
  } catch (cause) {
    const address = formatEndpoint({ host, port })
    throw new ConnectionError("no-reachable-node", `natMap has thrown for ${address}`, { address, cause })
  }
}

function isAddress(value: unknown): value is NodeAddress {
  if (typeof value !== "object" || value === null || !("host" in value) || !("port" in value)) return false
  return isText(value.host) && typeof value.port === "number" && isPort(value.port)
}
