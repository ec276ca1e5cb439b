/** A first-in, first-out list whose both ends cost the same however long it is. Knows nothing of its items. */

/** From this many taken items on, their room is given up. */
const COMPACT_FROM = 1024

export class Fifo<T> {
  #items: Array<T | undefined> = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  add(item: T): void {
    this.#items.push(item)
  }

  /** Takes the oldest item. */
  take(): T | undefined {
    const item = this.#items[this.#head]
    if (this.#head < this.#items.length) this.#items[this.#head++] = undefined
    if (this.#head >= COMPACT_FROM && this.#head * 2 > this.#items.length) this.#compact()
    return item
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
