/**
 * What a cluster's error replies ask for: another node, the same one a little later, or a look at who has which slot. Pure;
 * what is done about it is left to others.
 *
 * Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding
 */

import { RedisError } from "../errors.ts"
import { SLOTS } from "./slots.ts"

/** Where a node is. */
export interface NodeAddress {
  readonly host: string
  readonly port: number
}

export type Redirection =
  | {
      /** `moved` for good, or to be asked once (`ask`) while the slot is on its way. */
      readonly kind: "moved" | "ask"
      readonly slot: number
      /** An empty host is that of the node that said so. */
      readonly to: NodeAddress
    }
  | { readonly kind: "try-again" }

const TRY_AGAIN: Redirection = { kind: "try-again" }

/** Where the reply sends the command; `undefined` for any other reply, and for a redirection that makes no sense. */
export function redirectionOf(reply: unknown): Redirection | undefined {
  if (!(reply instanceof RedisError)) return undefined
  switch (reply.code) {
    case "MOVED":
      return parse("moved", reply.message)
    case "ASK":
      return parse("ask", reply.message)
    case "TRYAGAIN":
      return TRY_AGAIN
    default:
      return undefined
  }
}

const SUSPICIOUS: ReadonlySet<string> = new Set(["CLUSTERDOWN", "LOADING", "READONLY"])

/** Whether the reply says that the cluster, as far as it is known here, may have changed. */
export function suggestsRefresh(reply: unknown): boolean {
  return reply instanceof RedisError && SUSPICIOUS.has(reply.code)
}

/** `MOVED 3999 127.0.0.1:6381`, `ASK 3999 ::1:6381` (the port is behind the last colon; brackets may be around the rest), `MOVED 3999 :6381`. */
function parse(kind: "moved" | "ask", message: string): Redirection | undefined {
  const [, slotText = "", host = "", portText = ""] = /^\S+ (\d{1,5}) (\S*):(\d{1,5})$/.exec(message) ?? []
  const slot = Number(slotText)
  const port = Number(portText)
  if (slotText === "" || slot >= SLOTS || port < 1 || port > 65_535) return undefined
  return { kind, slot, to: { host: host === "?" ? "" : host.replace(/^\[(.*)\]$/, "$1"), port } }
}
