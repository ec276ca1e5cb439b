/**
 * The books of the resilience story: what became of every increment of every counter, and whether what the server
 * has in the end can be true. Knows no connection.
 */
import { ConnectionError } from "@redix/client"

/** One counter. */
interface Account {
  acknowledged: number
  unknown: number
  /** The value of the last acknowledgement. */
  last: number
}

export class Ledger {
  sent = 0
  acknowledged = 0
  /** Rejected, and surely never run. */
  notSent = 0
  /** Rejected, and may have run. */
  unknown = 0
  /** Answered with an error by the server, as by one that is still loading: not run. */
  refused = 0
  readonly #accounts: readonly Account[]
  readonly #violations: string[] = []

  constructor(counters: number) {
    this.#accounts = Array.from({ length: counters }, () => ({ acknowledged: 0, unknown: 0, last: 0 }))
  }

  /** The increment of this counter was answered with `value`. */
  acknowledge(counter: number, value: number): void {
    const account = this.#account(counter)
    this.acknowledged += 1
    account.acknowledged += 1
    // Replies come in the order of the commands, so a value that does not grow is the reply to somebody else's.
    if (value <= account.last) {
      this.#violations.push(`counter ${counter}: the reply ${value} came after ${account.last}`)
    }
    account.last = value
  }

  /** The increment of this counter was rejected. */
  reject(counter: number, error: Error): void {
    if (!(error instanceof ConnectionError)) this.refused += 1
    else if (error.outcome === "not-sent") this.notSent += 1
    else {
      this.unknown += 1
      this.#account(counter).unknown += 1
    }
  }

  /** What cannot be true if each increment ran at most once, and each acknowledged one did run. */
  violations(values: readonly number[]): string[] {
    const wrong = this.#accounts.flatMap(({ acknowledged, unknown }, counter) => {
      const value = values[counter] ?? 0
      if (value < acknowledged)
        return `counter ${counter}: ${acknowledged} acknowledged, but ${value} on the server`
      if (value > acknowledged + unknown) {
        return `counter ${counter}: ${value} on the server, but ${acknowledged} acknowledged and ${unknown} unknown`
      }
      return []
    })
    const settled = this.acknowledged + this.notSent + this.unknown + this.refused
    if (settled !== this.sent) wrong.push(`${this.sent} sent, but ${settled} settled`)
    return [...this.#violations, ...wrong]
  }

  #account(counter: number): Account {
    const account = this.#accounts[counter]
    if (!account) throw new RangeError(`no counter ${counter}`)
    return account
  }
}
