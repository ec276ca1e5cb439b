/**
 * What `Redix`, `PubSub` and their kin have in common as things with a life: waiting until they are ready, ending them,
 * their events. Leaves what they are for to them, and the work to what lies below.
 */

import { type InspectOptions, inspect } from "node:util"
import type { Status } from "./connection/state.ts"
import type { ConnectionStats } from "./connection/stats.ts"
import type { ConnectionError } from "./errors.ts"
import type { ConnectionEvents, Lifecycle } from "./lifecycle.ts"
import { type CloseOptions, checkCloseOptions, checkReadyOptions, type ReadyOptions } from "./options.ts"
import { nameAsyncDispose } from "./util/dispose.ts"

/** What lies below a client: one connection, or many. */
export interface Backend {
  readonly status: Status
  readonly address: string
  stats(): ConnectionStats
  close(timeout: number): Promise<void>
  destroy(): void
  keepAlive(keepsAlive: boolean): void
}

const DEFAULT_CLOSE_MS = 5000

export abstract class Client implements AsyncDisposable {
  readonly #backend: Backend
  readonly #lifecycle: Lifecycle

  protected constructor(backend: Backend, lifecycle: Lifecycle) {
    this.#backend = backend
    this.#lifecycle = lifecycle
  }

  /** The name under which it is registered. */
  get name(): string | undefined {
    return this.#lifecycle.name
  }

  /** Settles when it has ended for good: with the error that ended it, if one did. Never rejects. */
  get closed(): Promise<ConnectionError | undefined> {
    return this.#lifecycle.closed
  }

  get status(): Status {
    return this.#backend.status
  }

  /** Where it is connected to, or was last: `"host:port"`, `"[::1]:6379"` or the path of a socket. */
  get address(): string {
    return this.#backend.address
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
    const closed = this.#backend.close(options?.timeout ?? DEFAULT_CLOSE_MS)
    this.#lifecycle.onClosing()
    return closed
  }

  /**
   * What it has done and has to do, in figures. Costs nothing but this call, which looks at each request that is under way;
   * after the end it tells of all that was.
   */
  stats(): ConnectionStats {
    return this.#backend.stats()
  }

  /** Closes now; what is in flight rejects with reason `"closed"`. */
  destroy(): void {
    this.#backend.destroy()
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The process stays alive for it, as it does by default. */
  ref(): this {
    this.#backend.keepAlive(true)
    return this
  }

  /** The process does not stay alive for it. */
  unref(): this {
    this.#backend.keepAlive(false)
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

nameAsyncDispose(Client.prototype)

/** What `util.inspect` shows: what is worth seeing, and never a password. */
Object.defineProperty(Client.prototype, inspect.custom, {
  value(this: Client, _depth: number, options: InspectOptions): string {
    const { name, address, status } = this
    const shown =
      "protocol" in this ? { name, address, status, protocol: this.protocol } : { name, address, status }
    return `${this.constructor.name} ${inspect(shown, options)}`
  },
})
