/**
 * A binary heap ordered by time whose items know their place, so that one can be taken out from the middle.
 * Knows nothing of what the items are.
 */

export interface Timed {
  /** When it is due, in ms by the clock of its timer. Must not change while it is in the heap. */
  deadline: number
  /** Its place in the heap, or -1 outside of one. */
  heapIndex: number
}

export class TimeHeap<T extends Timed> {
  readonly #items: T[] = []

  /** The item that is due first. */
  get first(): T | undefined {
    return this.#items[0]
  }

  add(item: T): void {
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  /** Takes the item out; nothing happens if it is not in. */
  remove(item: T): void {
    const index = item.heapIndex
    if (index < 0) return
    item.heapIndex = -1
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    this.#rise(last, index)
    this.#sink(last, last.heapIndex)
  }

  clear(): void {
    for (const item of this.#items) item.heapIndex = -1
    this.#items.length = 0
  }

  #rise(item: T, from: number): void {
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#items[parentIndex]
      if (parent === undefined || parent.deadline <= item.deadline) break
      this.#put(parent, index)
      index = parentIndex
    }
    this.#put(item, index)
  }

  #sink(item: T, from: number): void {
    let index = from
    for (;;) {
      const left = this.#items[2 * index + 1]
      const right = this.#items[2 * index + 2]
      const child = left !== undefined && right !== undefined && right.deadline < left.deadline ? right : left
      if (child === undefined || child.deadline >= item.deadline) break
      const childIndex = child.heapIndex
      this.#put(child, index)
      index = childIndex
    }
    this.#put(item, index)
  }

  #put(item: T, index: number): void {
    this.#items[index] = item
    item.heapIndex = index
  }
}
