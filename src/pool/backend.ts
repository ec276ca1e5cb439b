/**
 * What lies below a pool: shared connections, and dedicated ones for what would hold up others. Sends each request where
 * it belongs; leaves to the two how it is carried out there.
 */

import type { Backend } from "../client.ts"
import type { ConnectionListener } from "../connection/connection.ts"
import type { Executor } from "../connection/executor.ts"
import type { Request } from "../connection/request.ts"
import type { Status } from "../connection/state.ts"
import { type CombinedStats, combineStats } from "../connection/stats.ts"
import type { Placed } from "../connection/trace.ts"
import { closedError, failedError } from "../dedicated/closed.ts"
import { DedicatedConnections } from "../dedicated/connections.ts"
import { DedicatedLimit } from "../dedicated/limit.ts"
import { SHARED_REFUSALS, screen } from "../dedicated/screening.ts"
import type { ConnectionError } from "../errors.ts"
import { type Extras, openConnection } from "../open/open.ts"
import type { ResolvedPoolOptions } from "../options.ts"
import { SentinelSource } from "../sentinel/source.ts"
import { Members } from "./members.ts"
import { PoolWaitingRoom } from "./waiting-room.ts"

export class PoolBackend implements Executor, Backend {
  readonly dedicated: DedicatedConnections
  readonly database: number
  readonly #members: Members
  readonly #room: PoolWaitingRoom
  readonly #listener: ConnectionListener
  #isClosing = false
  #isOver = false

  constructor(options: ResolvedPoolOptions, listener: ConnectionListener, exitOnFirstFailure: boolean) {
    this.#listener = listener
    const { sentinel, size, strategy, maxDedicated, database = 0 } = options
    this.database = database
    const extras: Extras = sentinel === undefined ? {} : { source: new SentinelSource(sentinel) }
    const own: Extras = { ...extras, isReplaceable: true }
    const passing = { ...options, exitOnDisconnection: true }
    this.dedicated = new DedicatedConnections(
      new DedicatedLimit(maxDedicated),
      options,
      () => this.status === "connected",
      (each, delay) => openConnection(passing, each, false, { ...own, delay }),
    )
    this.#room = new PoolWaitingRoom(this, options.commandTimeout, options.maxInFlight)
    this.#members = new Members(
      size,
      strategy,
      exitOnFirstFailure,
      (each) => openConnection(options, each, false, extras),
      {
        onConnected: (...told) => {
          this.dedicated.onConnected()
          this.#room.proceedAll()
          listener.onConnected(...told)
        },
        onDisconnected: (...told) => listener.onDisconnected(...told),
        onAttemptFailed: (address, error) => {
          if (this.status !== "connecting") this.#room.failWaiting(() => failedError(error))
          listener.onAttemptFailed(address, error)
        },
        onSentinelFailed: (...told) => listener.onSentinelFailed(...told),
        onEnded: (error) => {
          if (!this.#isClosing) this.#end(error)
        },
      },
    )
  }

  submit<Payload>(request: Request<Payload>, payload: Payload): void {
    if (request.isSpecial(payload)) this.#submitSpecial(request, payload)
    else this.#submitShared(request, payload)
  }

  submitTraced<Payload>(request: Request<Payload>, payload: Payload, placed: Placed): void {
    if (request.isSpecial(payload)) this.#submitSpecial(request, payload, placed)
    else this.#submitShared(request, payload, placed)
  }

  #submitSpecial<Payload>(request: Request<Payload>, payload: Payload, placed?: Placed): void {
    const verdict = screen(request, payload, SHARED_REFUSALS)
    if (verdict === "dedicated") this.dedicated.run(request, payload, placed)
    else if (verdict === "shared") this.#submitShared(request, payload, placed)
  }

  #submitShared<Payload>(request: Request<Payload>, payload: Payload, placed?: Placed): void {
    const member = this.#members.pick()
    if (member === undefined) {
      this.#room.add(request, payload, placed)
      return
    }
    placed?.carriedBy(member)
    member.submit(request, payload)
  }

  get status(): Status {
    return this.#members.status
  }

  get address(): string {
    return this.#members.address
  }

  stats(): CombinedStats {
    const connections = [...this.#members.connections(), ...this.dedicated.connections()]
    return combineStats(connections, [this.dedicated.otherStats(), this.#room.stats()])
  }

  keepAlive(keepsAlive: boolean): void {
    this.#members.keepAlive(keepsAlive)
    this.dedicated.keepAlive(keepsAlive)
  }

  /** Checkouts go on meanwhile. */
  async close(timeout: number): Promise<void> {
    this.#isClosing = true
    this.#room.failWaiting(() => closedError("the connection is closed"))
    await Promise.all([this.#members.close(timeout), this.dedicated.close(timeout)])
    this.#end(undefined)
  }

  destroy(): void {
    this.#isClosing = true
    this.#members.destroy()
    this.#end(undefined)
  }

  #end(error: ConnectionError | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#room.failWaiting(() => failedError(error))
    this.dedicated.destroy()
    this.#listener.onEnded(error)
  }
}
