/** What the terminal can do: colours, a line that is rewritten. Knows nothing of what is shown. */
import { createLogUpdate } from "log-update"
import pc from "picocolors"

/** Whether somebody watches, as opposed to a file or another program. */
export const isTerminal: boolean = process.stdout.isTTY === true

// Only a terminal has `hasColors`; it respects NO_COLOR, FORCE_COLOR and TERM.
export const paint: ReturnType<typeof pc.createColors> = pc.createColors(
  isTerminal && process.stdout.hasColors(),
)

export function print(line = ""): void {
  process.stdout.write(`${line}\n`)
}

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString("en-US")
}

// A terminal without a size, as some containers have, is nothing that a line can be rewritten in.
const canRewrite = isTerminal && process.stdout.columns > 0

/** A text that tells how things are: rewritten in place in a terminal, elsewhere printed now and then. */
export class LiveText {
  readonly #text: () => string
  readonly #timer: NodeJS.Timeout
  readonly #update = canRewrite ? createLogUpdate(process.stdout) : undefined

  /** `text` is asked again and again until {@link stop}. */
  constructor(text: () => string, plainIntervalMs: number) {
    this.#text = text
    this.#timer = setInterval(() => this.#draw(), this.#update ? 100 : plainIntervalMs)
    this.#draw()
  }

  /** Prints a line that stays, above the live text. */
  note(line: string): void {
    this.#update?.clear()
    print(line)
    if (this.#update) this.#draw()
  }

  /** Leaves the text as it is now. */
  stop(): void {
    clearInterval(this.#timer)
    this.#draw()
    this.#update?.done()
  }

  #draw(): void {
    if (this.#update) this.#update(this.#text())
    else print(this.#text())
  }
}
