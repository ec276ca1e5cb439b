/** Things that arrive one after another, for somebody who waits for the next of a kind. */

interface Waiter<T> {
  readonly wanted: (item: T) => boolean
  readonly resolve: (item: T) => void
}

export class Inbox<T> {
  #items: T[] = []
  #waiters: Waiter<T>[] = []

  push(item: T): void {
    const waiter = this.#waiters.find(({ wanted }) => wanted(item))
    if (!waiter) {
      this.#items.push(item)
      return
    }
    this.#items = []
    waiter.resolve(item)
  }

  /**
   * The next item that is `wanted`, counted from the one taken last: whatever came in between is dropped. Items
   * that came before the call count too, so nothing is missed by asking late.
   */
  next(description: string, wanted: (item: T) => boolean = () => true, timeout: number = 10_000): Promise<T> {
    const index = this.#items.findIndex(wanted)
    if (index >= 0) return Promise.resolve(this.#items.splice(0, index + 1).at(-1) as T)
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        wanted,
        resolve: (item) => {
          settle()
          resolve(item)
        },
      }
      const timer = setTimeout(() => {
        settle()
        reject(new Error(`waited ${timeout} ms in vain for ${description}`))
      }, timeout)
      const settle = () => {
        clearTimeout(timer)
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
      }
      this.#waiters.push(waiter)
    })
  }
}
