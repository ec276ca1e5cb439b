/**
 * Several connections to one server, as a user sees them: start, commands, checkouts, end. Leaves to the backend which
 * connection carries a request out, and to `dedicated/` what becomes of a checkout.
 */

import { CommandClient } from "../commands.ts"
import type { CombinedStats } from "../connection/stats.ts"
import { type Checkout, checkOut } from "../dedicated/checkout.ts"
import { use, type WatchCallback, type WatchedKeys, watch } from "../dedicated/use.ts"
import { Lifecycle } from "../lifecycle.ts"
import {
  type CheckoutOptions,
  checkCheckoutOptions,
  checkWatchOptions,
  type PoolOptions,
  type Protocol,
  type ResolvedPoolOptions,
  resolvePoolOptions,
  type WatchOptions,
} from "../options.ts"
import type { Command, PipelineReplies } from "../protocol/command-map.ts"
import { registeredAs } from "../registry.ts"
import { PoolBackend } from "./backend.ts"

/** What `start` and `connect` take: nothing, options, a URI, or a URI and options that win over it. */
export type PoolArguments<P extends Protocol = Protocol> =
  | readonly []
  | readonly [options: PoolOptions<P>]
  | readonly [uri: string, options?: PoolOptions<P> | undefined]

/**
 * Several connections to a Redis or Valkey server, shared by any number of callers, and more of them on demand for those
 * who need one for themselves: checkouts, and commands that block.
 *
 * They connect in the background and reconnect by themselves. They keep the process alive until the pool is closed.
 *
 * @example
 * const pool = Pool.start("redis://localhost:6379", { size: 5 })
 * await pool.command(["SET", "key", "value"])
 * const reply = await pool.command(["BLPOP", "queue", 10]) // holds up nobody
 * await pool.close()
 */
export class Pool<out P extends Protocol = 2> extends CommandClient<P> {
  /** The version of the wire protocol that the replies' types go by. */
  readonly protocol: P
  readonly #options: ResolvedPoolOptions
  readonly #backend: PoolBackend

  /** Use {@link Pool.start} or {@link Pool.connect}. */
  private constructor(options: ResolvedPoolOptions, protocol: P, backend: PoolBackend, lifecycle: Lifecycle) {
    super(backend, lifecycle)
    this.#options = options
    this.#backend = backend
    this.protocol = protocol
  }

  /**
   * Starts a pool and returns it at once; it connects in the background, and until then commands wait.
   * @throws TypeError for options that are no options, Error for a name that is in use
   */
  static start<P extends Protocol = 2>(...args: PoolArguments<P>): Pool<P> {
    return Pool.#from<P>(resolvePoolOptions(args), false)
  }

  /**
   * Starts a pool and resolves to it once one of its connections stands. When the first attempts of all have failed, it
   * rejects with the `ConnectionError` of the last, and nothing is left of the pool.
   */
  static async connect<P extends Protocol = 2>(...args: PoolArguments<P>): Promise<Pool<P>> {
    const pool = Pool.#from<P>(resolvePoolOptions(args), true)
    await pool.ready()
    return pool
  }

  /** The types of options do not say their protocol: that it is `P` is for those to see to who call this. */
  static #from<P extends Protocol>(options: ResolvedPoolOptions, exitOnFirstFailure: boolean): Pool<P>
  static #from(options: ResolvedPoolOptions, exitOnFirstFailure: boolean): Pool<Protocol> {
    const lifecycle = new Lifecycle(options.name)
    const backend = new PoolBackend(options, lifecycle, exitOnFirstFailure)
    const pool = new Pool<Protocol>(options, options.protocol, backend, lifecycle)
    lifecycle.bind(pool)
    return pool
  }

  /**
   * The `Pool` that is registered under the name.
   * @throws Error when nothing is, or something else
   */
  static named(name: string): Pool {
    return registeredAs("Pool", name, (found) => found instanceof Pool)
  }

  /** Sums over all connections, dedicated ones included, and each of those that there are. */
  override stats(): CombinedStats {
    return this.#backend.stats()
  }

  /**
   * A connection of one's own, until it is given back: `WATCH`, `MULTI`, `SELECT` and commands that block concern nobody
   * else there. Resolves once it stands. While `maxDedicated` of them are in use, it waits its turn.
   *
   * Rejects with a `ConnectionError`, `"timeout"` (after `timeout` ms, `commandTimeout` by default) or `"closed"`, both
   * with outcome `"not-sent"`; and with the reason of `signal` when that is aborted.
   *
   * @example
   * const conn = await pool.checkout()
   * try {
   *   await conn.command(["CLIENT", "ID"])
   * } finally {
   *   await conn.release()
   * }
   */
  async checkout(options?: CheckoutOptions): Promise<Checkout<P>> {
    checkCheckoutOptions(options)
    return this.#checkOut(options)
  }

  /**
   * Checks a connection out, calls `callback` with it and gives it back, also when that throws or rejects. Resolves to
   * what the callback returns.
   *
   * @example
   * const id = await pool.use((conn) => conn.command(["CLIENT", "ID"]))
   */
  async use<T>(callback: (conn: Checkout<P>) => T | PromiseLike<T>, options?: CheckoutOptions): Promise<T> {
    checkCheckoutOptions(options)
    return use(() => this.#checkOut(options), callback)
  }

  /**
   * Optimistic locking: watches the keys, calls `callback` with the connection, and carries out the commands that it
   * returns as one transaction, if no key has changed meanwhile. If one has, all of this is done again, at most `retries`
   * times (10 by default); then it resolves to `null`.
   *
   * The callback may return `null` to give up: nothing is changed, and it resolves to `null`. When the callback throws, it
   * rejects with that. When the connection drops, it is done again if surely nothing has happened (outcome `"not-sent"`).
   *
   * @example
   * await pool.watch("stock", async (conn) => {
   *   const stock = Number(await conn.command(["GET", "stock"]))
   *   return stock > 0 ? [["SET", "stock", stock - 1]] : null
   * })
   */
  async watch<const Cs extends readonly Command[]>(
    keys: WatchedKeys,
    callback: WatchCallback<P, Cs>,
    options?: WatchOptions,
  ): Promise<PipelineReplies<Cs, P> | null> {
    checkWatchOptions(options)
    return watch(() => this.#checkOut(options), keys, callback, options ?? {})
  }

  #checkOut(options: CheckoutOptions | undefined): Promise<Checkout<P>> {
    return checkOut(this.#backend.dedicated, this.#options, this.protocol, options ?? {})
  }
}
