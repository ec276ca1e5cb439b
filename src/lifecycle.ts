/**
 * What users can see of a connection's life: events and the channels of telemetry, waiting until it is ready, its end, its
 * name. Learns it from the connection; leaves to that what happens.
 */

import type { ConnectionListener } from "./connection/connection.ts"
import type { Status } from "./connection/state.ts"
import { Waiters } from "./connection/waiters.ts"
import { ConnectionError } from "./errors.ts"
import { assertFree, register, unregister } from "./registry.ts"
import { type ConnectionEvent, type DisconnectionEvent, type OwnChannel, ownChannels } from "./telemetry.ts"
import { Emitter } from "./util/emitter.ts"

/** Events of a connection, by name. It never emits `"error"`. */
export interface ConnectionEvents {
  connection: ConnectionEvent
  disconnection: DisconnectionEvent
  failedConnection: DisconnectionEvent
}

const CHANNELS: { readonly [Name in keyof ConnectionEvents]: OwnChannel<ConnectionEvents[Name]> } =
  ownChannels

export class Lifecycle implements ConnectionListener {
  /** Settles when the connection has ended for good: with the error that ended it, if one did. */
  readonly closed: Promise<ConnectionError | undefined>
  readonly name: string | undefined

  /** What events speak of and what bears the name; nothing happens before it is bound. */
  #client: object = this
  /** Where the connection was last heard of. */
  #address: string | undefined
  #endedBy: ConnectionError | undefined
  #resolveClosed: (error: ConnectionError | undefined) => void = () => {}
  // Both only for those who use them: most connections have neither listeners nor anybody waiting.
  #events: Emitter<ConnectionEvents> | undefined
  #waiters: Waiters | undefined

  /** @throws Error when the name is in use */
  constructor(name: string | undefined) {
    this.name = name
    if (name !== undefined) assertFree(name)
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
  }

  /** Says whose life it is, and registers that under the name. */
  bind(client: object): void {
    this.#client = client
    if (this.name !== undefined) register(this.name, client)
  }

  get events(): Emitter<ConnectionEvents> {
    this.#events ??= new Emitter()
    return this.#events
  }

  /** Resolves when the connection stands, at the latest after `timeout` ms; rejects when it ends. */
  ready(status: Status, timeout: number, signal: AbortSignal | undefined): Promise<void> {
    if (status === "connected") return Promise.resolve()
    if (status === "closed") return Promise.reject(this.#ended())
    this.#waiters ??= new Waiters()
    return this.#waiters.wait(timeout, signal)
  }

  /** Nobody need wait any more: the connection is being closed. */
  onClosing(): void {
    this.#waiters?.rejectAll(this.#ended())
  }

  onConnected(address: string, reconnection: boolean, sessionLost: boolean): void {
    this.#address = address
    this.#waiters?.resolveAll()
    this.#waiters = undefined
    this.onPartConnected(address, reconnection, sessionLost)
  }

  /** One more connection stands, which nobody waits for. */
  onPartConnected(address: string, reconnection: boolean, sessionLost: boolean): void {
    this.#tell("connection", () => {
      const event = { connection: this.#client, name: this.name, address, reconnection }
      return sessionLost ? { ...event, sessionLost } : event
    })
  }

  onDisconnected(address: string, error: ConnectionError): void {
    this.#tell("disconnection", () => ({ connection: this.#client, name: this.name, address, error }))
  }

  onAttemptFailed(address: string, error: ConnectionError): void {
    this.#address = address
    this.#tell("failedConnection", () => ({ connection: this.#client, name: this.name, address, error }))
  }

  onSentinelFailed(sentinelAddress: string, error: ConnectionError): void {
    this.#tell("failedConnection", () => ({
      connection: this.#client,
      name: this.name,
      sentinelAddress,
      error,
    }))
  }

  /** Whether telemetry tells of it. */
  protected get isToldOf(): boolean {
    return true
  }

  /** What events speak of. */
  protected get client(): object {
    return this.#client
  }

  #tell<Name extends keyof ConnectionEvents>(name: Name, makeEvent: () => ConnectionEvents[Name]): void {
    const channel = CHANNELS[name]
    const isHeard = channel.hasSubscribers && this.isToldOf
    if (!isHeard && this.#events === undefined) return
    const event = makeEvent()
    if (isHeard) channel.publish(event)
    this.#events?.emit(name, event)
  }

  onEnded(error: ConnectionError | undefined): void {
    if (this.name !== undefined) unregister(this.name, this.#client)
    this.#endedBy = error
    this.#waiters?.rejectAll(error ?? this.#ended())
    this.#resolveClosed(error)
  }

  #ended(): ConnectionError {
    const details = { final: true, address: this.#address, cause: this.#endedBy }
    return new ConnectionError("closed", "the connection is closed", details)
  }
}

/** That of a connection which telemetry does not tell of: it is a part of something else, or the driver's own. */
export class QuietLifecycle extends Lifecycle {
  protected override get isToldOf(): boolean {
    return false
  }
}
