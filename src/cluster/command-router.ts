/**
 * Carries out single commands and transactions in a cluster: each goes to the node that has its keys, and on to where that
 * one says. Leaves the choice of nodes, and what an error means, to others.
 */

import { checkPipeline, copyCommand, copyCommands, hasSpecial } from "../connection/commands.ts"
import type { Request } from "../connection/request.ts"
import type { WaitingRoom } from "../connection/waiting-room.ts"
import { screen } from "../dedicated/screening.ts"
import { ConnectionError, type RedisError } from "../errors.ts"
import { commandInfo } from "../protocol/command-info.ts"
import { keysOf } from "../protocol/command-keys.ts"
import { commandChecker } from "../protocol/encode.ts"
import type { Chooser } from "./chooser.ts"
import { crossSlot } from "./cross-slot.ts"
import type { DedicatedNodes } from "./dedicated-nodes.ts"
import type { Follower } from "./follower.ts"
import type { Gate } from "./gate.ts"
import type { ClusterNode } from "./node.ts"
import { openCommandOf } from "./opening.ts"
import { REFUSALS } from "./refusals.ts"
import { type Hop, inheritTerms, type Route, tryAgainDelay } from "./routed.ts"
import type { RoutedCommand, CommandRouter as Router } from "./routed-command.ts"
import type { RoutedTransaction, TransactionRouter } from "./routed-transaction.ts"
import { ANY_NODE, firstKeyOf, slotOfCommand, UNKNOWN } from "./routing.ts"
import { slotOf } from "./slots.ts"

type Command = readonly unknown[]
type Commands = ReadonlyArray<Command>

export interface RouterParts {
  readonly gate: Gate
  readonly chooser: Chooser
  readonly follower: Follower
  readonly dedicated: DedicatedNodes
  readonly waiting: WaitingRoom
  /** Whether it is known who has which slots. */
  isKnown(): boolean
}

export class CommandRouter implements Router, TransactionRouter {
  readonly #parts: RouterParts

  constructor(parts: RouterParts) {
    this.#parts = parts
  }

  // ── commands ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The usual command goes straight to its node. */
  submit(request: RoutedCommand, command: Command): void {
    const node = this.#usualNode(request, command)
    if (node === undefined) this.#submitWithCare(request, command)
    else {
      // Sent is what would be sent on: reading the caller's array once more might be another call to the same node.
      const copy = copyCommand(command)
      request.node = node
      request.command = copy
      request.detour?.call?.placed?.carriedBy(node)
      node.connection.submit(request, copy)
    }
  }

  /** Where the command goes at once; `undefined` where there is more to look at. */
  #usualNode(request: RoutedCommand, command: Command): ClusterNode | undefined {
    if (!Array.isArray(command) || command.length === 0 || request.detour?.call?.route !== undefined)
      return undefined
    const name = command[0]
    const info = commandInfo(name)
    if (info.special !== undefined || !this.#parts.isKnown()) return undefined
    let slot = openCommandOf(request, name, command, info)
    if (slot === UNKNOWN) slot = slotOfCommand(command, info)
    return slot === UNKNOWN ? undefined : this.#parts.chooser.primary(slot)
  }

  #submitWithCare(request: RoutedCommand, command: Command): void {
    const verdict = screen(request, command, REFUSALS)
    if (verdict === "settled") return
    if (verdict === "dedicated") request.detour = { ...request.detour, isBlocking: true }
    const copy = copyCommand(command)
    request.command = copy
    this.#parts.gate.pass(request, () => {
      const slot = slotOfCommand(copy)
      if (slot !== UNKNOWN) this.#choose(request, copy, slot)
      else
        this.#parts.gate.withKeys(request, [copy], ([keys]) => this.#choose(request, copy, slotOfKeys(keys)))
    })
  }

  #choose(request: RoutedCommand, command: Command, slot: number): void {
    const picker = this.#parts.chooser.picker(request.detour?.call?.route)
    const node = picker.pick(slot, command, slot !== ANY_NODE)
    if (node === undefined) request.fail(picker.nobody())
    else this.#sendTo(node, request, command)
  }

  #sendTo(node: ClusterNode, request: RoutedCommand, command: Command): void {
    request.node = node
    request.detour?.call?.placed?.carriedBy(node)
    if (request.detour?.isBlocking === true) this.#parts.dedicated.at(node).run(request, command)
    else node.connection.submit(request, command)
  }

  follow(request: RoutedCommand, error: RedisError): boolean {
    const { command = [], detour } = request
    return this.#follow(request, error, {
      hop: detour?.hop,
      route: detour?.call?.route,
      key: () => firstKeyOf(command),
      prepare: (successor) => {
        // What blocks is to be looked at anew: its block time is counted from when it is carried out.
        if (detour?.isBlocking === true) successor.encode(commandChecker, command)
      },
      send: (node, successor) => this.#sendTo(node, successor, command),
    })
  }

  // ── transactions ──────────────────────────────────────────────────────────────────────────────────────────────

  submitTransaction(request: RoutedTransaction, commands: Commands): void {
    try {
      checkPipeline(commands)
      if (hasSpecial(commands) && screen(request, commands, REFUSALS) === "settled") return
      request.encode(commandChecker, commands)
      request.terms?.forgetFindings()
    } catch (error) {
      request.fail(error)
      return
    }
    const copy = copyCommands(commands)
    const keys = copy.map((command) => keysOf(command))
    if (keys.every(isKnownKeys)) this.#locateTransaction(request, copy, keys)
    else {
      this.#parts.gate.pass(request, () =>
        this.#parts.gate.withKeys(request, copy, (found) => this.#locateTransaction(request, copy, found)),
      )
    }
  }

  #locateTransaction(
    request: RoutedTransaction,
    commands: Commands,
    keys: ReadonlyArray<readonly unknown[]>,
  ): void {
    const slots = new Set(keys.flat().map(slotOf))
    const [slot] = slots
    if (slot === undefined || slots.size > 1) {
      request.fail(crossSlot())
      return
    }
    this.#parts.gate.pass(request, () => {
      const picker = this.#parts.chooser.picker(undefined)
      const node = picker.pick(slot, [], true)
      if (node === undefined) request.fail(picker.nobody())
      else this.#sendTransactionTo(node, request, commands)
    })
  }

  #sendTransactionTo(node: ClusterNode, request: RoutedTransaction, commands: Commands): void {
    request.node = node
    request.commands = commands
    request.placed?.carriedBy(node)
    node.connection.submit(request, commands)
  }

  followTransaction(request: RoutedTransaction, error: RedisError): boolean {
    const { commands = [] } = request
    return this.#follow(request, error, {
      hop: request.hop,
      route: undefined,
      key: () => undefined,
      prepare: () => {},
      send: (node, successor) => this.#sendTransactionTo(node, successor, commands),
    })
  }

  // ── both ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #follow<R extends Followed<R>>(request: R, error: RedisError, way: Way<R>): boolean {
    const { node } = request
    if (node === undefined) return false
    const hop: Hop = way.hop ?? { node, isAsking: false, count: 0 }
    const next = this.#parts.follower.follow(error, hop, way.route, way.key)
    if (next === undefined) return false
    const successor = request.successor(next instanceof ConnectionError ? hop : next)
    if (next instanceof ConnectionError) {
      successor.fail(next)
      return true
    }
    inheritTerms(successor, request, node)
    way.prepare(successor)
    const send = (): void => way.send(next.node, successor)
    if (error.code === "TRYAGAIN")
      this.#parts.waiting.holdFor(successor, tryAgainDelay(hop.count), next.node, send)
    else send()
    return true
  }
}

/** What can be sent on, as another request of its kind. */
interface Followed<R> extends Request {
  /** Where it was sent. */
  readonly node: ClusterNode | undefined
  successor(hop: Hop): R
}

/** How a request has gone, and how its successor goes on. */
interface Way<R> {
  /** Its last hop, after redirections. */
  readonly hop: Hop | undefined
  readonly route: Route | undefined
  readonly key: () => unknown
  /** What there is to do before the successor is sent, or waits to be. */
  readonly prepare: (successor: R) => void
  readonly send: (node: ClusterNode, successor: R) => void
}

function slotOfKeys(keys: readonly unknown[] | undefined): number {
  return keys === undefined || keys.length === 0 ? ANY_NODE : slotOf(keys[0])
}

function isKnownKeys(keys: readonly unknown[] | "unknown"): keys is readonly unknown[] {
  return keys !== "unknown"
}
