/**
 * A dedicated connection while it is checked out: carries requests out until it is given back, once. Leaves to `Held`
 * whether it is kept, and to the checkout what a user sees.
 */

import type { Backend } from "../client.ts"
import type { Executor } from "../connection/executor.ts"
import type { Request } from "../connection/request.ts"
import type { Status } from "../connection/state.ts"
import type { ConnectionStats } from "../connection/stats.ts"
import type { ConnectionError } from "../errors.ts"
import type { Lifecycle } from "../lifecycle.ts"
import { clean } from "./cleaning.ts"
import { closedError, refuse } from "./closed.ts"
import type { Held, HeldUser } from "./held.ts"

export class Lease implements Executor, Backend, HeldUser {
  readonly #held: Held
  readonly #lifecycle: Lifecycle
  readonly #database: number
  readonly #onOver: (lease: Lease) => void
  /** Given back, on the way to be, or dropped and given back then. */
  #isReturned = false
  /** Nothing is to be done about the connection any more. */
  #isOver = false
  #returning: Promise<void> | undefined

  /**
   * @param database the one that the connection has to be in when it is given back
   * @param onOver the connection is not its any more
   */
  constructor(held: Held, lifecycle: Lifecycle, database: number, onOver: (lease: Lease) => void) {
    this.#held = held
    this.#lifecycle = lifecycle
    this.#database = database
    this.#onOver = onOver
    held.user = this
  }

  get status(): Status {
    return this.#isReturned ? "closed" : this.#held.connection.status
  }

  get address(): string {
    return this.#held.connection.address
  }

  get database(): number {
    return this.#held.connection.database
  }

  /** Of the connection, whoever had it before. */
  stats(): ConnectionStats {
    return this.#held.connection.stats()
  }

  submit<Payload>(request: Request<Payload>, payload: Payload): void {
    if (this.#isReturned) refuse(request, payload, closedError("the checkout was given back", this.address))
    else this.#held.connection.submit(request, payload)
  }

  keepAlive(keepsAlive: boolean): void {
    if (!this.#isOver) this.#held.connection.keepAlive(keepsAlive)
  }

  /** Gives it back; resolves when that is done, after `timeout` ms at most. */
  close(timeout: number): Promise<void> {
    this.#returning ??= this.#return(timeout)
    return this.#returning
  }

  async #return(timeout: number): Promise<void> {
    this.#isReturned = true
    if (this.#isOver) return
    // Most often there is nothing to wait for, and the next one can have it at once.
    const isClean = this.#held.isClean || (await clean(this.#held.connection, this.#database, timeout))
    if (this.#isOver) return
    this.#end(undefined)
    if (isClean) this.#held.giveBack()
    else this.#held.discard()
  }

  destroy(): void {
    this.#isReturned = true
    if (!this.#isOver) this.#held.discard()
  }

  onConnected(): void {}

  onDisconnected(address: string, error: ConnectionError): void {
    this.#lifecycle.onDisconnected(address, error)
  }

  onEnded(error: ConnectionError | undefined): void {
    if (!this.#isOver) this.#end(error)
  }

  #end(error: ConnectionError | undefined): void {
    this.#isOver = true
    this.#held.user = undefined
    this.#onOver(this)
    this.#lifecycle.onEnded(error)
  }
}
