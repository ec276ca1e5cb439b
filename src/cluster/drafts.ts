/**
 * The usual pipeline, split by node and encoded in one pass over it. Usual is one of which all is known: nothing in it is
 * special, misuse or large, and each command has a key. Leaves all others to those who look more closely.
 */

import { isUint8Array } from "node:util/types"
import { commandInfo } from "../protocol/command-info.ts"
import type { Chooser } from "./chooser.ts"
import { CommandList } from "./command-list.ts"
import type { ClusterNode } from "./node.ts"
import { openCommand, opening } from "./opening.ts"
import { slotOfCommand, UNKNOWN } from "./routing.ts"

type Commands = ReadonlyArray<readonly unknown[]>

/**
 * A longer argument is not worth being copied once more. Nor could it be: bytes that the encoding only refers to are more
 * than fit a block, or nothing at all once their caller has given the memory away.
 */
const MOST_LENGTH = 4096
/** Room is made for commands as long as the first one; if that is longer, hardly any other will be. */
const MOST_WIDTH = 8

export interface Drafted {
  /** The same commands, whatever the caller does with the arrays. */
  readonly commands: CommandList
  /** Those who have something in their {@link ClusterNode.draft}. */
  readonly nodes: readonly ClusterNode[]
}

export class Drafts {
  readonly #chooser: Chooser
  /**
   * Whether a pipeline is being split or sent: what a caller's array does when it is read may be another call, and so may
   * be what listeners do who are told of a connection that is lost meanwhile.
   */
  #isBusy = false

  constructor(chooser: Chooser) {
    this.#chooser = chooser
  }

  /**
   * Drafts what each node is to get, until {@link clear}; `undefined`, with nothing left, where there is more to look at.
   */
  of(given: Commands): Drafted | undefined {
    if (!Array.isArray(given) || given.length === 0 || this.#isBusy) return undefined
    this.#isBusy = true
    const nodes: ClusterNode[] = []
    try {
      const commands = new CommandList(given.length, widthOf(given[0]))
      if (this.#draftAll(given, commands, nodes)) return { commands, nodes }
    } catch {
      // Whoever looks more closely says what is wrong, and where.
    }
    this.clear(nodes)
    return undefined
  }

  /** All that was drafted for these nodes is sent, or never will be. */
  clear(nodes: readonly ClusterNode[]): void {
    for (const { draft } of nodes) draft.clear()
    this.#isBusy = false
  }

  #draftAll(given: Commands, commands: CommandList, nodes: ClusterNode[]): boolean {
    for (let place = 0; place < given.length; place++) {
      const command: unknown = given[place]
      if (!Array.isArray(command) || command.length === 0 || hasLarge(command)) return false
      const name = command[0]
      const info = commandInfo(name)
      if (info.special !== undefined) return false
      let slot = openCommand(name, command, info)
      const isOpened = slot !== UNKNOWN
      if (!isOpened) slot = slotOfCommand(command, info)
      const node = slot < 0 ? undefined : this.#chooser.owner(slot)
      if (node === undefined) return false
      if (node.draft.isEmpty) nodes.push(node)
      node.draft.add(place, command, isOpened ? opening : undefined)
      commands.add(command)
    }
    return true
  }
}

function widthOf(command: unknown): number {
  return Array.isArray(command) && command.length <= MOST_WIDTH ? command.length : 0
}

function hasLarge(command: readonly unknown[]): boolean {
  const key = command[1]
  if (typeof key === "string") {
    if (key.length > MOST_LENGTH) return true
  } else if (isUint8Array(key) && key.length > MOST_LENGTH) return true
  for (let index = 2; index < command.length; index++) {
    const argument = command[index]
    if (typeof argument === "string") {
      if (argument.length > MOST_LENGTH) return true
    } else if (typeof argument !== "number") return true
  }
  return false
}
