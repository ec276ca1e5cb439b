/**
 * The connections of a pool that all callers share: which one carries out a request, what they are like together, and
 * when the last has ended. Leaves to each connection how it comes back, and to others what is not for shared ones.
 */

import { asFinal, type Connection, type ConnectionListener } from "../connection/connection.ts"
import type { Status } from "../connection/state.ts"
import type { ConnectionError } from "../errors.ts"
import type { PoolStrategy } from "../options.ts"
import { Picker } from "./strategy.ts"

type AtLeastOne<T> = [T, ...T[]]

export class Members {
  readonly #listener: ConnectionListener
  readonly #all: AtLeastOne<Connection>
  readonly #picker: Picker
  /** Those that are connected, as far as they have told. */
  #up: Connection[] = []
  /** How many first attempts are to fail before all of it ends. */
  #firstAttempts: number
  #endedBy: ConnectionError | undefined
  #ended = 0

  /**
   * @param open opens one that connects again whenever it drops
   * @param exitOnFirstFailure whether they end when the first attempts of all have failed
   * @param listener is told of all of them as if they were one
   */
  constructor(
    size: number,
    strategy: PoolStrategy,
    exitOnFirstFailure: boolean,
    open: (listener: ConnectionListener) => Connection,
    listener: ConnectionListener,
  ) {
    this.#listener = listener
    this.#picker = new Picker(strategy)
    this.#firstAttempts = exitOnFirstFailure ? size : Number.POSITIVE_INFINITY
    this.#all = [this.#member(open)]
    while (this.#all.length < size) this.#all.push(this.#member(open))
  }

  /** The one that is to carry out the next request; `undefined` if that is the one which stands first. */
  pick(): Connection | undefined {
    const up = this.#up
    if (isSome(up)) {
      const picked = this.#picker.pick(up)
      if (picked.status === "connected") return picked
    }
    return this.#pickAnew()
  }

  /** They are told after the fact: whoever reacts to a rejection may come before. */
  #pickAnew(): Connection | undefined {
    const up = this.#all.filter((connection) => connection.status === "connected")
    if (isSome(up)) return this.#picker.pick(up)
    // The only one lets requests wait by itself, and those that are not on their way have an error for them.
    return this.#all.length > 1 && this.status === "connecting" ? undefined : this.#picker.pick(this.#all)
  }

  get status(): Status {
    let best: Status = "closed"
    for (const { status } of this.#all) {
      if (status === "connected") return status
      if (status === "connecting" || best === "closed") best = status
    }
    return best
  }

  /** Where one of them is connected to, or was last. */
  get address(): string {
    return (this.#all.find(({ status }) => status === "connected") ?? this.#all[0]).address
  }

  connections(): readonly Connection[] {
    return this.#all
  }

  keepAlive(keepsAlive: boolean): void {
    for (const connection of this.#all) connection.keepAlive(keepsAlive)
  }

  async close(timeout: number): Promise<void> {
    await Promise.all(this.#all.map((connection) => connection.close(timeout)))
  }

  destroy(): void {
    for (const connection of this.#all) connection.destroy()
  }

  #member(open: (listener: ConnectionListener) => Connection): Connection {
    let isFirst = true
    return open({
      onConnected: (...told) => {
        this.#firstAttempts = Number.POSITIVE_INFINITY
        this.#lookWhoIsUp()
        this.#listener.onConnected(...told)
      },
      onDisconnected: (...told) => {
        this.#lookWhoIsUp()
        this.#listener.onDisconnected(...told)
      },
      onAttemptFailed: (address, error) => {
        const isLast = isFirst && --this.#firstAttempts === 0
        isFirst = false
        this.#listener.onAttemptFailed(address, isLast ? asFinal(error) : error)
        if (isLast) this.#endBecause(asFinal(error))
      },
      onSentinelFailed: (...told) => this.#listener.onSentinelFailed(...told),
      onEnded: (error) => {
        this.#ended++
        this.#lookWhoIsUp()
        if (error !== undefined) this.#endBecause(error)
        if (this.#ended === this.#all.length) this.#listener.onEnded(this.#endedBy)
      },
    })
  }

  /** One that ends by itself is not made anew, and takes the others along. */
  #endBecause(error: ConnectionError): void {
    this.#endedBy ??= error
    this.destroy()
  }

  #lookWhoIsUp(): void {
    this.#up = this.#all.filter(({ status }) => status === "connected")
  }
}

function isSome<T>(list: readonly T[]): list is AtLeastOne<T> {
  return list.length > 0
}
