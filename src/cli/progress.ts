/** A bar that tells how far something is, rewritten in place in a terminal and absent elsewhere. */

import type { Writable } from "node:stream"
import { CLEAR_LINE, canRewrite, columnsOf, type Paint, paintFor, widthOf } from "./terminal.ts"

const REDRAW_MS = 80
const BAR_COLUMNS = 28

export interface ProgressState {
  /** From 0 to 1, or `undefined` where the end is not known. */
  readonly share: number | undefined
  readonly text: string
}

export class Progress {
  readonly #stream: Writable
  readonly #state: () => ProgressState
  readonly #paint: Paint
  readonly #timer: NodeJS.Timeout | undefined
  #drawn = false

  /** `state` is asked again and again until {@link stop}. */
  constructor(stream: Writable, state: () => ProgressState) {
    this.#stream = stream
    this.#state = state
    this.#paint = paintFor(stream)
    if (!canRewrite(stream)) return
    this.#timer = setInterval(() => this.draw(), REDRAW_MS)
    this.#timer.unref()
    this.draw()
  }

  draw(): void {
    if (this.#timer === undefined) return
    const { share, text } = this.#state()
    const line = `${share === undefined ? "" : `${this.#bar(share)} `}${text}`
    // A line that wraps could not be rewritten.
    const fits = widthOf(line) < columnsOf(this.#stream)
    this.#stream.write(`${CLEAR_LINE}${fits ? line : text.slice(0, columnsOf(this.#stream) - 1)}`)
    this.#drawn = true
  }

  /** Takes the bar away, so that the result can stand in its place. */
  stop(): void {
    clearInterval(this.#timer)
    if (this.#drawn) this.#stream.write(CLEAR_LINE)
    this.#drawn = false
  }

  #bar(share: number): string {
    const done = Math.round(Math.min(1, Math.max(0, share)) * BAR_COLUMNS)
    const percent = `${Math.floor(share * 100)} %`.padStart(5)
    return `${this.#paint.green("━".repeat(done))}${this.#paint.dim("─".repeat(BAR_COLUMNS - done))}${percent}`
  }
}
