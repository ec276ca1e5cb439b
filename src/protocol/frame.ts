/**
 * A container (array, map, set, push, attribute) while its elements arrive. Knows how elements become the value;
 * leaves to the parser where they come from.
 */

export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]
export const FrameKind = { array: 0, map: 1, set: 2, attribute: 3 } as const

/** The fewest bytes that an element takes (`_\r\n`): so many elements at most can lie in the bytes at hand. */
const SMALLEST_ELEMENT = 3
/** Room that is made for a nested array at once: nested claims would multiply. */
const NESTED_ROOM = 32

export class Frame {
  readonly kind: FrameKind
  readonly parent: Frame | undefined
  readonly value: unknown[] | Map<unknown, unknown> | Set<unknown>

  readonly #list: unknown[]
  #missing: number
  #index = 0

  /**
   * @param count the claimed number of elements (entries, for a map)
   * @param available how many bytes are at hand: room is made for what can lie in them, not for what is claimed
   */
  constructor(kind: FrameKind, count: number, available: number, parent: Frame | undefined) {
    this.kind = kind
    this.parent = parent
    this.#missing = kind === FrameKind.map || kind === FrameKind.attribute ? count * 2 : count
    const possible = parent === undefined ? Math.ceil(available / SMALLEST_ELEMENT) : NESTED_ROOM
    this.#list = kind === FrameKind.array ? new Array<unknown>(Math.min(count, possible)) : []
    if (kind === FrameKind.map) this.value = new Map()
    else if (kind === FrameKind.set) this.value = new Set()
    else this.value = this.#list
  }

  /** The value of a container without elements. */
  static empty(kind: FrameKind): unknown {
    if (kind === FrameKind.map) return new Map()
    return kind === FrameKind.set ? new Set() : []
  }

  /** Whether it is, or is a part of, an attribute, which is skipped. */
  get isInAttribute(): boolean {
    return this.kind === FrameKind.attribute || (this.parent?.isInAttribute ?? false)
  }

  /** Whether the next element is the key of a map's entry. */
  get expectsKey(): boolean {
    return this.kind === FrameKind.map && this.#index === 0
  }

  /** How many elements are missing; a map's entry counts as two. */
  get missing(): number {
    return this.#missing
  }

  /** Adds an element; true when it was the last one. */
  add(element: unknown): boolean {
    if (this.kind === FrameKind.array) this.#list[this.#index++] = element
    else this.#addToOther(element)
    return --this.#missing === 0
  }

  #addToOther(element: unknown): void {
    const { value } = this
    if (value instanceof Set) value.add(element)
    else if (value instanceof Map) this.#addToMap(value, element)
  }

  /** A key waits in the list until its value has come. */
  #addToMap(map: Map<unknown, unknown>, element: unknown): void {
    if (this.#index === 0) {
      this.#list[0] = element
      this.#index = 1
    } else {
      map.set(this.#list[0], element)
      this.#index = 0
    }
  }
}
