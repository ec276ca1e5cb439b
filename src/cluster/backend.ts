/**
 * What lies below a cluster: the topology, the requests that wait for it, the routers, and connections for single users.
 * Joins these, and tells of its life as if it were one connection; leaves all of the work to them.
 */

import type { Backend } from "../client.ts"
import type { ResolvedClusterOptions } from "../cluster-options.ts"
import type { Status } from "../connection/state.ts"
import { type CombinedStats, combineStats } from "../connection/stats.ts"
import { WaitingRoom } from "../connection/waiting-room.ts"
import { closedError } from "../dedicated/closed.ts"
import { ConnectionError, withoutStack } from "../errors.ts"
import { formatEndpoint } from "../transport/transport.ts"
import type { CheckoutParts } from "./checkouts.ts"
import { Chooser } from "./chooser.ts"
import type { ClusterListener } from "./cluster-lifecycle.ts"
import { CommandRouter, type RouterParts } from "./command-router.ts"
import { DedicatedNodes } from "./dedicated-nodes.ts"
import { Follower } from "./follower.ts"
import { Gate } from "./gate.ts"
import { translation } from "./nat.ts"
import type { ClusterNode } from "./node.ts"
import { LEAVING_MS } from "./nodes.ts"
import { PipelineRouter } from "./pipeline-router.ts"
import type { NodeAddress } from "./redirect.ts"
import type { Routers } from "./requests.ts"
import type { Guide } from "./routed.ts"
import { Topology, type TopologyOwner } from "./topology.ts"

export class ClusterBackend implements Backend, TopologyOwner, Guide {
  readonly address: string
  readonly routers: Routers
  readonly topology: Topology
  readonly dedicated: DedicatedNodes
  readonly maxRedirections: number
  /** What checkouts are made from. */
  readonly checkouts: CheckoutParts
  readonly #listener: ClusterListener
  readonly #waiting: WaitingRoom
  /** Whether all of it ends when nothing could be reached at first. */
  readonly #exitOnFirstFailure: boolean
  /** Whether a node was ever connected. */
  #hasConnected = false
  #unknownBecause: ConnectionError | undefined
  #isClosed = false
  #hasEnded = false

  constructor(options: ResolvedClusterOptions, listener: ClusterListener, exitOnFirstFailure: boolean) {
    this.#listener = listener
    this.#exitOnFirstFailure = exitOnFirstFailure
    this.maxRedirections = options.maxRedirections
    this.address = options.nodes.map(formatEndpoint).join(",")
    this.dedicated = new DedicatedNodes(options.maxDedicated)
    this.#waiting = new WaitingRoom(
      options.commandTimeout,
      (label, timeout) => `${label} could not be sent within ${timeout} ms`,
    )
    this.topology = new Topology(
      {
        seeds: options.nodes,
        node: { ...options, name: undefined },
        translate: translation(options.natMap),
        readFromReplicas: options.readFromReplicas,
        refreshInterval: options.topologyRefreshInterval,
      },
      this,
    )
    const gate = this.#makeGate(options.maxInFlight)
    this.routers = this.#makeRouters(gate, options.readFromReplicas)
    this.checkouts = {
      gate,
      topology: this.topology,
      dedicated: this.dedicated,
      waiting: this.#waiting,
      options,
    }
    this.topology.start()
  }

  #makeGate(maxInFlight: number): Gate {
    const { map, nodes } = this.topology
    return new Gate({
      map,
      waiting: this.#waiting,
      maxInFlight,
      someone: () => nodes.someone(),
      refusal: () => this.#refusal(),
    })
  }

  #makeRouters(gate: Gate, readFromReplicas: boolean): Routers {
    const { map, nodes } = this.topology
    const someone = (): ClusterNode | undefined => nodes.someone()
    const parts: RouterParts = {
      gate,
      chooser: new Chooser(map, someone),
      follower: new Follower(this),
      dedicated: this.dedicated,
      waiting: this.#waiting,
      isKnown: () => map.isKnown,
    }
    return { commands: new CommandRouter(parts), pipelines: new PipelineRouter(parts), readFromReplicas }
  }

  /** What a request gets that comes after the end, or while nothing is known and nobody is being asked. */
  #refusal(): ConnectionError | undefined {
    if (this.#isClosed) return closed()
    const { map, isAsking } = this.topology
    return map.isKnown || isAsking ? undefined : unknown(this.#unknownBecause)
  }

  get status(): Status {
    if (this.#isClosed) return "closed"
    const statuses = new Set(this.topology.nodes.all().map(({ connection }) => connection.status))
    if (this.topology.map.isKnown && statuses.has("connected")) return "connected"
    return this.topology.isAsking || statuses.has("connecting") ? "connecting" : "disconnected"
  }

  // ── for requests ──────────────────────────────────────────────────────────────────────────────────────────────

  onMoved(slot: number, to: NodeAddress): ClusterNode {
    return this.topology.onMoved(slot, to)
  }

  at(address: NodeAddress): ClusterNode {
    return this.topology.at(address)
  }

  primaryOf(slot: number): ClusterNode | undefined {
    return this.topology.map.at(slot)?.primary
  }

  onSuspicion(): void {
    this.topology.refresh()
  }

  onRedirection(kind: "moved" | "ask", slot: number, node: ClusterNode): void {
    this.#listener.onRedirected(kind, slot, node.address)
  }

  // ── from the topology ─────────────────────────────────────────────────────────────────────────────────────────

  onKnown(nodes: readonly ClusterNode[]): void {
    this.#unknownBecause = undefined
    this.checkouts.gate.onKnown()
    this.#waiting.proceedAll()
    this.#listener.onTopologyKnown(() => nodes.map(({ address }) => address))
  }

  onUnknown(error: ConnectionError): void {
    this.#unknownBecause = error
    this.#waiting.failWaiting(() => unknown(error))
    this.#listener.onTopologyUnknown(error)
    this.#listener.onAttemptFailed(this.address, error)
    if (this.#exitOnFirstFailure && !this.#hasConnected) this.#endBecause(error)
  }

  onNodeConnected(node: ClusterNode, isAgain: boolean, sessionLost: boolean): void {
    this.#hasConnected = true
    this.topology.nodes.onChanged()
    this.dedicated.onConnected(node)
    this.#listener.onConnected(node.address, isAgain, sessionLost)
  }

  onNodeDisconnected(node: ClusterNode, error: ConnectionError): void {
    this.topology.nodes.onChanged()
    this.topology.refresh()
    this.#listener.onDisconnected(node.address, error)
  }

  onNodeFailed(node: ClusterNode, error: ConnectionError): void {
    this.topology.nodes.onChanged()
    this.topology.refresh()
    this.#listener.onNodeFailed(node.address, error)
    this.#listener.onAttemptFailed(node.address, error)
    if (this.#exitOnFirstFailure && !this.#hasConnected && !this.#hasHope())
      this.#endBecause(unreachable(error))
  }

  onNodeLeft(node: ClusterNode): void {
    this.dedicated.leave(node, LEAVING_MS)
  }

  /** Whether some node may still turn out to be there. */
  #hasHope(): boolean {
    return this.topology.nodes.all().some(({ connection }) => connection.status === "connecting")
  }

  stats(): CombinedStats {
    const { nodes } = this.topology
    const connections = [...nodes.connections(), ...this.dedicated.connections()]
    return combineStats(connections, [nodes.leftStats(), this.dedicated.otherStats(), this.#waiting.stats()])
  }

  // ── ending ────────────────────────────────────────────────────────────────────────────────────────────────────

  keepAlive(keepsAlive: boolean): void {
    this.topology.keepAlive(keepsAlive)
    this.dedicated.keepAlive(keepsAlive)
  }

  async close(timeout: number): Promise<void> {
    this.#shut()
    await Promise.all([this.topology.close(timeout), this.dedicated.close(timeout)])
    this.#end(undefined)
  }

  destroy(): void {
    this.#shut()
    this.topology.destroy()
    this.dedicated.destroy()
    this.#end(undefined)
  }

  #endBecause(error: ConnectionError): void {
    this.#shut()
    this.topology.destroy()
    this.#end(final(error))
  }

  #shut(): void {
    this.#isClosed = true
    this.#waiting.close(closed)
  }

  #end(error: ConnectionError | undefined): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#listener.onEnded(error)
  }
}

function closed(): ConnectionError {
  return withoutStack(() => closedError("the cluster is closed"))
}

function unknown(cause: ConnectionError | undefined): ConnectionError {
  const why = cause === undefined ? "it is not known yet who has which slots" : cause.message
  return withoutStack(() => new ConnectionError("closed", `no connection: ${why}`, { cause }))
}

function unreachable(cause: ConnectionError): ConnectionError {
  const message = `none of the nodes that have slots can be reached: ${cause.message}`
  return new ConnectionError("no-reachable-node", message, { address: cause.address, cause })
}

function final(error: ConnectionError): ConnectionError {
  const { address, outcome, cause } = error
  return new ConnectionError(error.reason, error.message, { address, outcome, cause, final: true })
}
