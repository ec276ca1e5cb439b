/**
 * One dedicated connection: it serves one user at a time, and never connects again. Knows whether it may be given to the
 * next one; leaves to its users what they do with it, and to its owner where it goes afterwards.
 */

import type { Connection, ConnectionListener } from "../connection/connection.ts"
import type { Leftovers } from "../connection/session.ts"
import type { ConnectionError } from "../errors.ts"

/** Who wants to hear of the connection while having it. */
export interface HeldUser {
  onConnected(): void
  onDisconnected(address: string, error: ConnectionError): void
  /** It has ended, whether or not it ever stood. */
  onEnded(error: ConnectionError | undefined): void
}

export interface HeldOwner {
  onConnected(): void
  /** It ends because it could not connect; {@link onEnded} follows. */
  onAttemptFailed(error: ConnectionError): void
  /** Nobody uses it any more. */
  onGivenBack(held: Held): void
  onEnded(held: Held): void
}

/** Where connections come from. */
export interface HeldSource {
  /** One that nobody uses, or a new one; `undefined` if it has to be waited for, an error if there is none to wait for. */
  takeNow(): Held | ConnectionError | undefined
}

export class Held implements ConnectionListener {
  readonly connection: Connection
  user: HeldUser | undefined
  readonly #owner: HeldOwner

  /** @param open opens a connection that ends when it drops, or when its first attempt fails */
  constructor(open: (listener: ConnectionListener) => Connection, owner: HeldOwner) {
    this.#owner = owner
    this.connection = open(this)
  }

  /** Whether the next user would find it as if it were new. */
  get isClean(): boolean {
    const { connection } = this
    return connection.load === 0 && isNothing(connection.leftovers)
  }

  /** Its user needs it no longer. Where anything is in doubt, it is not kept. */
  giveBack(): void {
    this.user = undefined
    if (this.connection.status === "closed") return
    if (this.isClean) this.#owner.onGivenBack(this)
    else this.discard()
  }

  /** Ends it; what is in flight on it rejects, for good or because it was this connection. */
  discard(isFinal = true): void {
    this.connection.destroy(isFinal)
  }

  onConnected(): void {
    this.#owner.onConnected()
    this.user?.onConnected()
  }

  onDisconnected(address: string, error: ConnectionError): void {
    this.user?.onDisconnected(address, error)
  }

  onAttemptFailed(_address: string, error: ConnectionError): void {
    this.#owner.onAttemptFailed(error)
  }

  onSentinelFailed(): void {}

  onEnded(error: ConnectionError | undefined): void {
    const { user } = this
    this.user = undefined
    this.#owner.onEnded(this)
    user?.onEnded(error)
  }
}

function isNothing({ isMultiOpen, isWatching, hasSelected, isLasting }: Leftovers): boolean {
  return !(isMultiOpen || isWatching || hasSelected || isLasting)
}
