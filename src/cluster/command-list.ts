/**
 * Commands as they were when they were added, whatever the caller does with the arrays. All arguments are in one array:
 * an array for each command would be most of the memory that a pipeline takes.
 */

import { keepOne } from "../util/keep.ts"

/** What the commands of a pipeline are read from; an array of them will do. */
export interface CommandSequence {
  readonly length: number
  at(place: number): readonly unknown[] | undefined
}

export class CommandList implements CommandSequence {
  readonly #all: unknown[]
  /** How long commands are, as far as {@link #ends} does not say it. */
  readonly #width: number
  /** Where in {@link #all} each command ends; `undefined` while all are equally long. */
  #ends: number[] | undefined
  #end = 0
  #length = 0

  /** @param count how many there will be @param width how long they probably are */
  constructor(count: number, width: number) {
    this.#all = new Array<unknown>(count * width)
    this.#width = width
  }

  get length(): number {
    return this.#length
  }

  add(command: readonly unknown[]): void {
    const { length } = command
    if (length !== this.#width) this.#ends ??= this.#equalEnds()
    for (let index = 0; index < length; index++) this.#all[this.#end++] = command[index]
    this.#length++
    this.#ends?.push(this.#end)
  }

  at(place: number): readonly unknown[] | undefined {
    if (place < 0 || place >= this.#length) return undefined
    const [start, end] =
      this.#ends === undefined
        ? [place * this.#width, (place + 1) * this.#width]
        : [this.#ends[place - 1] ?? 0, this.#ends[place]]
    return this.#all.slice(start, end)
  }

  #equalEnds(): number[] {
    return Array.from({ length: this.#length }, (_, place) => (place + 1) * this.#width)
  }
}

keepOne(new CommandList(1, 2))
