/**
 * One connection, as a user sees it: start, commands, status, events, name, end. Leaves all of the work to the
 * connection below.
 */

import type { Backend } from "./client.ts"
import { CommandClient } from "./commands.ts"
import type { Executor } from "./connection/executor.ts"
import { Lifecycle } from "./lifecycle.ts"
import { openConnection } from "./open/open.ts"
import {
  mergeOptions,
  type Protocol,
  type RedixOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./options.ts"
import { registered } from "./registry.ts"
import { SentinelSource } from "./sentinel/source.ts"

/** Types of what is registered under a name. Open to declaration merging. */
export interface Names {}

/** What `start` and `connect` take: nothing, options, a URI, or a URI and options that win over it. */
export type StartArguments<P extends Protocol = Protocol> =
  | readonly []
  | readonly [options: RedixOptions<P>]
  | readonly [uri: string, options?: RedixOptions<P> | undefined]

/**
 * One connection to a Redis or Valkey server, for any number of callers at the same time.
 *
 * It connects in the background and reconnects by itself. It keeps the process alive until it is closed.
 *
 * @example
 * const conn = Redix.start("redis://localhost:6379")
 * await conn.command(["SET", "key", "value"])
 * await conn.close()
 */
export class Redix<out P extends Protocol = 2> extends CommandClient<P> {
  /** The version of the wire protocol that the replies' types go by. */
  readonly protocol: P
  readonly #options: ResolvedOptions

  /** Use {@link Redix.start} or {@link Redix.connect}. */
  protected constructor(
    options: ResolvedOptions,
    protocol: P,
    connection: Executor & Backend,
    lifecycle: Lifecycle,
  ) {
    super(connection, lifecycle)
    this.#options = options
    this.protocol = protocol
  }

  /**
   * Starts a connection and returns it at once; it connects in the background, and until then commands wait.
   *
   * @throws TypeError for options that are no options, Error for a name that is in use
   * @example
   * Redix.start() // localhost:6379
   * Redix.start("redis://localhost:6379/3", { commandTimeout: 1000 })
   */
  static start<P extends Protocol = 2>(...args: StartArguments<P>): Redix<P> {
    return Redix.#from<P>(resolveOptions(args), false)
  }

  /**
   * Starts a connection and resolves to it once it is connected. When the first attempt fails, it rejects with the
   * `ConnectionError` of that attempt, and nothing is left of the connection.
   */
  static async connect<P extends Protocol = 2>(...args: StartArguments<P>): Promise<Redix<P>> {
    const redix = Redix.#from<P>(resolveOptions(args), true)
    await redix.ready()
    return redix
  }

  /** The types of options do not say their protocol: that it is `P` is for those to see to who call this. */
  static #from<P extends Protocol>(options: ResolvedOptions, exitOnFirstFailure: boolean): Redix<P>
  static #from(options: ResolvedOptions, exitOnFirstFailure: boolean): Redix<Protocol> {
    const lifecycle = new Lifecycle(options.name)
    const extras = options.sentinel === undefined ? {} : { source: new SentinelSource(options.sentinel) }
    const connection = openConnection(options, lifecycle, exitOnFirstFailure, extras)
    const redix = new Redix<Protocol>(options, options.protocol, connection, lifecycle)
    lifecycle.bind(redix)
    return redix
  }

  /**
   * What is registered under the name.
   * @throws Error when nothing is
   */
  static named<const Name extends string>(name: Name): Name extends keyof Names ? Names[Name] : Redix
  static named<T>(name: string): T
  static named(name: string): unknown {
    const found = registered(name)
    if (found === undefined) {
      throw new Error(
        `nothing is registered under the name "${name}": start it with the option name, or look with Redix.whereis`,
      )
    }
    return found
  }

  /** What is registered under the name, or `undefined`. */
  static whereis<const Name extends string>(
    name: Name,
  ): (Name extends keyof Names ? Names[Name] : Redix) | undefined
  static whereis<T>(name: string): T | undefined
  static whereis(name: string): unknown {
    return registered(name)
  }

  /** A connection of its own with the same options, but without the name; `options` win over them. */
  duplicate<Q extends Protocol = P>(options?: RedixOptions<Q>): Redix<Q> {
    return Redix.#from<Q>(mergeOptions(this.#options, options), false)
  }
}
