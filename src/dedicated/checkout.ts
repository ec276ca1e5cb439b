/**
 * A connection that is checked out, as a user sees it. Leaves to the lease below what giving it back takes.
 */

import { Lifecycle } from "../lifecycle.ts"
import type { CheckoutOptions, Protocol, ResolvedOptions } from "../options.ts"
import { Redix } from "../redix.ts"
import type { DedicatedConnections } from "./connections.ts"
import type { Lease } from "./lease.ts"

/**
 * A connection of one's own until it is given back. It never connects again: once it drops, every call on it rejects, so
 * that no WATCH and no MULTI can be lost unnoticed.
 *
 * @example
 * await using conn = await pool.checkout()
 * await conn.command(["WATCH", "key"])
 */
export class Checkout<out P extends Protocol = 2> extends Redix<P> {
  /** Use `checkout` of a pool. */
  constructor(options: ResolvedOptions, protocol: P, lease: Lease, lifecycle: Lifecycle) {
    super(options, protocol, lease, lifecycle)
  }

  /**
   * Gives the connection back: waits for the replies in flight (5 s at most; blocking commands are not waited for), and
   * undoes what is left of MULTI, WATCH or SELECT, or else ends the connection. Always resolves, when that is done; may be
   * called any number of times. The methods of the checkout reject from the first call on.
   *
   * `close` and `await using` do the same. `destroy` ends the connection at once.
   */
  release(): Promise<void> {
    return this.close()
  }
}

/** Checks a connection out. */
export async function checkOut<P extends Protocol>(
  connections: DedicatedConnections,
  options: ResolvedOptions,
  protocol: P,
  { timeout = options.commandTimeout, signal }: CheckoutOptions,
): Promise<Checkout<P>> {
  const lifecycle = new Lifecycle(undefined)
  const lease = await connections.lease(lifecycle, timeout, signal)
  const checkout = new Checkout<P>(options, protocol, lease, lifecycle)
  lifecycle.bind(checkout)
  return checkout
}
