/**
 * The keys of commands that the table does not have: asked of the server, and remembered by name. Leaves to others which
 * server is asked.
 *
 * Source: https://redis.io/docs/latest/develop/reference/key-specs/
 */

import { RedisError } from "../errors.ts"
import { argumentText } from "../protocol/command-info.ts"

/** Asks a server. Strings in the reply are bytes. */
export type Ask = (command: readonly unknown[]) => Promise<unknown>

type Keys = readonly unknown[]

/** Where the keys of a command are, by its name: from the first to the last, every so many; or somewhere. */
type Positions = { readonly first: number; readonly last: number; readonly step: number } | "somewhere"

const NONE: Keys = []
const NO_KEYS: Positions = { first: 0, last: 0, step: 1 }
/** Names come from users: the map must not grow with whatever they make up. */
const MOST_NAMES = 2048

export class KeyResolver {
  readonly #ask: Ask
  readonly #known = new Map<string, Positions>()
  /** Names that the server did not know when it was asked. */
  readonly #unknown = new Set<string>()
  /** Names that are being asked about. */
  readonly #asked = new Map<string, Promise<Positions>>()

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /** The keys of the command; none where even the server does not know. Rejects where it could not be asked. */
  async keysOf(command: readonly unknown[]): Promise<Keys> {
    const name = argumentText(command[0]).toUpperCase()
    if (this.#unknown.has(name)) return NONE
    const positions = this.#known.get(name) ?? (await this.#askOnceAbout(name))
    return positions === "somewhere" ? this.#askFor(command) : keysAt(command, positions)
  }

  /** From now on the server is asked again what it did not know: a module may have been loaded since. */
  forgetUnknown(): void {
    this.#unknown.clear()
  }

  #askOnceAbout(name: string): Promise<Positions> {
    const asked = this.#asked.get(name)
    if (asked !== undefined) return asked
    const asking = this.#askAbout(name).finally(() => this.#asked.delete(name))
    this.#asked.set(name, asking)
    return asking
  }

  async #askAbout(name: string): Promise<Positions> {
    const reply = await this.#reply(["COMMAND", "INFO", name])
    const info: unknown = Array.isArray(reply) ? reply[0] : undefined
    if (info === null && this.#unknown.size < MOST_NAMES) this.#unknown.add(name)
    const positions = positionsIn(info)
    // What cannot be read is asked about again.
    if (positions !== undefined && this.#known.size < MOST_NAMES) this.#known.set(name, positions)
    return positions ?? NO_KEYS
  }

  async #askFor(command: readonly unknown[]): Promise<Keys> {
    const reply = await this.#reply(["COMMAND", "GETKEYS", ...command])
    return Array.isArray(reply) ? reply : NONE
  }

  async #reply(question: readonly unknown[]): Promise<unknown> {
    try {
      return await this.#ask(question)
    } catch (error) {
      if (error instanceof RedisError) return undefined
      throw error
    }
  }
}

/** What `[name, arity, flags, first key, last key, step, …]` says, if it is that. */
function positionsIn(info: unknown): Positions | undefined {
  if (!Array.isArray(info)) return undefined
  const [, , flags, first, last, step]: readonly unknown[] = info
  if (Array.isArray(flags) && flags.some((flag) => String(flag) === "movablekeys")) return "somewhere"
  if (typeof first !== "number" || typeof last !== "number" || typeof step !== "number") return undefined
  return { first, last, step }
}

function keysAt(command: readonly unknown[], { first, last, step }: Exclude<Positions, "somewhere">): Keys {
  if (first <= 0) return NONE
  const end = last < 0 ? command.length + last : Math.min(last, command.length - 1)
  const keys: unknown[] = []
  for (let index = first; index <= end; index += Math.max(1, step)) keys.push(command[index])
  return keys
}
