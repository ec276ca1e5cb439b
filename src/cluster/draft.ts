/** What of a pipeline is for one node, while the pipeline is split: where its commands are, and their bytes. */

import type { CommandOpening } from "../protocol/encode.ts"
import { Encoder } from "../protocol/encode.ts"

export class Draft {
  #places: number[] = []
  readonly #encoder: Encoder = new Encoder()

  get isEmpty(): boolean {
    return this.#places.length === 0
  }

  /** @param opening its first bytes, if they are known already. @throws what the encoding throws */
  add(place: number, command: readonly unknown[], opening: CommandOpening | undefined): void {
    this.#places.push(place)
    if (opening === undefined) this.#encoder.command(command)
    else this.#encoder.opened(opening, command)
  }

  takePlaces(): number[] {
    const places = this.#places
    this.#places = []
    return places
  }

  /** The bytes are good until {@link clear}. */
  takeBytes(): Uint8Array[] {
    return this.#encoder.take()
  }

  clear(): void {
    this.#places = []
    this.#encoder.clear()
  }
}
