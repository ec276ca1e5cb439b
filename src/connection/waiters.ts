/** Promises of those who wait until a connection stands. Knows when, from being told; leaves to others why. */

import { ConnectionError } from "../errors.ts"
import { type Abortable, forgetAbort, onAbort } from "../util/abort.ts"
import { timerDelay } from "../util/delay.ts"

class Waiter implements Abortable {
  readonly #waiters: Set<Waiter>
  readonly #resolve: () => void
  readonly #reject: (error: unknown) => void
  readonly #signal: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(
    waiters: Set<Waiter>,
    resolve: () => void,
    reject: (error: unknown) => void,
    signal?: AbortSignal,
  ) {
    this.#waiters = waiters
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    waiters.add(this)
    if (signal !== undefined) onAbort(signal, this)
  }

  expireAfter(timeout: number): void {
    if (timeout === Number.POSITIVE_INFINITY) return
    const message = `not connected within ${timeout} ms`
    const expire = (): void => this.reject(new ConnectionError("timeout", message))
    // What is waited for keeps the process alive, if anything should.
    this.#timer = setTimeout(expire, timerDelay(timeout)).unref()
  }

  resolve(): void {
    this.#stop()
    this.#resolve()
  }

  reject(error: unknown): void {
    this.#stop()
    this.#reject(error)
  }

  onAbort(reason: unknown): void {
    this.reject(reason)
  }

  #stop(): void {
    this.#waiters.delete(this)
    clearTimeout(this.#timer)
    if (this.#signal !== undefined) forgetAbort(this.#signal, this)
  }
}

export class Waiters {
  readonly #waiters = new Set<Waiter>()

  /** Resolves with {@link resolveAll}, rejects with {@link rejectAll}, after `timeout` ms, or with the signal's reason. */
  wait(timeout: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      new Waiter(this.#waiters, resolve, reject, signal).expireAfter(timeout)
    })
  }

  resolveAll(): void {
    for (const waiter of [...this.#waiters]) waiter.resolve()
  }

  rejectAll(error: unknown): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error)
  }
}
