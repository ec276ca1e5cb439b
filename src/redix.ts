/**
 * One connection, as a user sees it: start, commands, status, events, name, end. Leaves all of the work to the
 * connection below.
 */

import { type InspectOptions, inspect } from "node:util"
import { CommandClient } from "./commands.ts"
import type { Connection } from "./connection/connection.ts"
import type { ConnectionError } from "./errors.ts"
import { type ConnectionEvents, Lifecycle, type Status } from "./lifecycle.ts"
import { openConnection } from "./open/open.ts"
import {
  type CloseOptions,
  checkCloseOptions,
  checkReadyOptions,
  mergeOptions,
  type Protocol,
  type ReadyOptions,
  type RedixOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./options.ts"
import { registered } from "./registry.ts"
import { nameAsyncDispose } from "./util/dispose.ts"

/** Types of what is registered under a name. Open to declaration merging. */
export interface Names {}

/** What `start` and `connect` take: nothing, options, a URI, or a URI and options that win over it. */
export type StartArguments<P extends Protocol = Protocol> =
  | readonly []
  | readonly [options: RedixOptions<P>]
  | readonly [uri: string, options?: RedixOptions<P> | undefined]

const DEFAULT_CLOSE_MS = 5000

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
export class Redix<out P extends Protocol = 2> extends CommandClient<P> implements AsyncDisposable {
  /** The version of the wire protocol that the replies' types go by. */
  readonly protocol: P
  /** The name under which the connection is registered. */
  readonly name: string | undefined
  /** Settles when the connection has ended for good: with the error that ended it, if one did. Never rejects. */
  readonly closed: Promise<ConnectionError | undefined>

  readonly #options: ResolvedOptions
  readonly #connection: Connection
  readonly #lifecycle: Lifecycle

  /** Use {@link Redix.start} or {@link Redix.connect}. */
  private constructor(options: ResolvedOptions, protocol: P, connection: Connection, lifecycle: Lifecycle) {
    super(connection)
    this.#options = options
    this.#connection = connection
    this.#lifecycle = lifecycle
    this.protocol = protocol
    this.name = options.name
    this.closed = lifecycle.closed
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
    const connection = openConnection(options, lifecycle, exitOnFirstFailure)
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

  get status(): Status {
    const { state } = this.#connection
    return state === "closing" ? "closed" : state
  }

  /** Where it is connected to, or was last: `"host:port"`, `"[::1]:6379"` or the path of a socket. */
  get address(): string {
    return this.#connection.address
  }

  /**
   * Resolves when the connection stands. Rejects with a `ConnectionError`: `"timeout"` after `timeout` ms (default: no
   * limit), or why the connection has ended; and with the reason of `signal` when that is aborted.
   */
  ready(options?: ReadyOptions): Promise<void> {
    try {
      checkReadyOptions(options)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#lifecycle.ready(this.status, options?.timeout ?? Number.POSITIVE_INFINITY, options?.signal)
  }

  /**
   * Takes no more requests, waits for the replies in flight (at most `timeout` ms, 5000 by default), and closes. Blocking
   * commands are not waited for. Always resolves, when everything is closed; may be called any number of times.
   */
  close(options?: CloseOptions): Promise<void> {
    try {
      checkCloseOptions(options)
    } catch (error) {
      return Promise.reject(error)
    }
    const closed = this.#connection.close(options?.timeout ?? DEFAULT_CLOSE_MS)
    this.#lifecycle.onClosing()
    return closed
  }

  /** Closes now; what is in flight rejects with reason `"closed"`. */
  destroy(): void {
    this.#connection.destroy()
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A connection of its own with the same options, but without the name; `options` win over them. */
  duplicate<Q extends Protocol = P>(options?: RedixOptions<Q>): Redix<Q> {
    return Redix.#from<Q>(mergeOptions(this.#options, options), false)
  }

  /** The process stays alive for the connection, as it does by default. */
  ref(): this {
    this.#connection.keepAlive(true)
    return this
  }

  /** The process does not stay alive for the connection. */
  unref(): this {
    this.#connection.keepAlive(false)
    return this
  }

  /** Calls `listener` on each event. What it throws surfaces as an uncaught exception on a later tick. */
  on<Name extends keyof ConnectionEvents>(
    name: Name,
    listener: (event: ConnectionEvents[Name]) => void,
  ): this {
    this.#lifecycle.events.on(name, listener)
    return this
  }

  /** Calls `listener` on the next event. */
  once<Name extends keyof ConnectionEvents>(
    name: Name,
    listener: (event: ConnectionEvents[Name]) => void,
  ): this {
    this.#lifecycle.events.once(name, listener)
    return this
  }

  off<Name extends keyof ConnectionEvents>(
    name: Name,
    listener: (event: ConnectionEvents[Name]) => void,
  ): this {
    this.#lifecycle.events.off(name, listener)
    return this
  }
}

nameAsyncDispose(Redix.prototype)

/** What `util.inspect` shows: what is worth seeing, and never a password. */
Object.defineProperty(Redix.prototype, inspect.custom, {
  value(this: Redix, _depth: number, options: InspectOptions): string {
    const { name, address, status, protocol } = this
    return `${this.constructor.name} ${inspect({ name, address, status, protocol }, options)}`
  },
})
