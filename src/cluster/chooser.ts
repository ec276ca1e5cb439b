/** Which node carries out a command: the one that has its slot, or a replica where the caller allows one. */

import { ConnectionError } from "../errors.ts"
import { isReadOnly } from "../protocol/command-keys.ts"
import type { ClusterNode } from "./node.ts"
import type { Route } from "./routed.ts"
import type { Shard, SlotMap } from "./slot-map.ts"
import type { Picker } from "./split.ts"

export class Chooser {
  readonly #map: SlotMap
  readonly #someone: () => ClusterNode | undefined
  #turn = 0

  /** @param someone any node, for what no node has */
  constructor(map: SlotMap, someone: () => ClusterNode | undefined) {
    this.#map = map
    this.#someone = someone
  }

  /** The primary that has the slot; where nobody has it, the server is the one to say so. */
  primary(slot: number): ClusterNode | undefined {
    return this.#map.at(slot)?.primary ?? this.#someone()
  }

  /** The primary that has the slot, if one is known. */
  owner(slot: number): ClusterNode | undefined {
    return this.#map.at(slot)?.primary
  }

  /** Who carries out all commands of one call: those of one slot that may go to a replica go to the same one. */
  picker(route: Route | undefined): Picker {
    return new Choice(this.#map, this.#someone, route, this.#turn++)
  }
}

class Choice implements Picker {
  readonly #map: SlotMap
  readonly #someone: () => ClusterNode | undefined
  readonly #route: Route | undefined
  readonly #turn: number
  /** Any node, the same one for all of the call. */
  #anyone: ClusterNode | undefined

  constructor(map: SlotMap, someone: () => ClusterNode | undefined, route: Route | undefined, turn: number) {
    this.#map = map
    this.#someone = someone
    this.#route = route
    this.#turn = turn
  }

  pick(slot: number, command: readonly unknown[], hasKeys: boolean): ClusterNode | undefined {
    const route = this.#route
    const shard = this.#map.at(slot)
    if (route === undefined || route === "primary" || !hasKeys || !isReadOnly(command))
      return shard?.primary ?? this.#anyNode()
    const replica = replicaOf(shard, this.#turn)
    return replica ?? (route === "prefer-replica" ? (shard?.primary ?? this.#anyNode()) : undefined)
  }

  nobody(): ConnectionError {
    return nobody(this.#route)
  }

  #anyNode(): ClusterNode | undefined {
    this.#anyone ??= this.#someone()
    return this.#anyone
  }
}

/** One that stands, or else one that is being connected to. */
function replicaOf(shard: Shard | undefined, turn: number): ClusterNode | undefined {
  if (shard === undefined) return undefined
  for (const status of ["connected", "connecting"] as const) {
    const such = shard.replicas.filter(({ connection }) => connection.status === status)
    if (such.length > 0) return such[turn % such.length]
  }
  return undefined
}

function nobody(route: Route | undefined): ConnectionError {
  if (route === "replica")
    return new ConnectionError("no-replica-connection", "no replica of the slot's primary is connected")
  return new ConnectionError("closed", "there is no node of the cluster to send this to")
}
