/**
 * The keys of the terminal, held back while nobody asks for a line: what is typed or pasted ahead appears where it belongs,
 * behind the prompt that it is for. Only Ctrl-C and Ctrl-Z go through. Knows nothing of lines.
 */

import { Readable } from "node:stream"

const CTRL_C = "\u0003"
const CTRL_Z = "\u001a"

export class HeldInput extends Readable {
  readonly #onInterrupt: () => void
  #held = ""
  #isOpen = false
  readonly #take = (data: Buffer | string): void => {
    let text = String(data)
    // Otherwise readline sees to it.
    if (!this.#isOpen && text.includes(CTRL_Z)) {
      text = text.replaceAll(CTRL_Z, "")
      process.stdin.setRawMode(false)
      process.once("SIGCONT", () => process.stdin.setRawMode(true))
      process.kill(process.pid, "SIGTSTP")
    }
    const at = this.#isOpen ? -1 : text.lastIndexOf(CTRL_C)
    if (at === -1) {
      this.#held += text
      this.#feed()
      return
    }
    // Whoever interrupts does not want what was typed before it.
    this.#held = text.slice(at + 1)
    this.#onInterrupt()
  }
  readonly #end = (): void => {
    this.push(null)
  }

  /** `onInterrupt` is called for Ctrl-C while keys are held back. */
  constructor(onInterrupt: () => void) {
    super()
    this.#onInterrupt = onInterrupt
    process.stdin.setEncoding("utf8")
    process.stdin.on("data", this.#take).once("end", this.#end)
  }

  /** Lets keys through, until the end of a line. */
  open(): void {
    this.#isOpen = true
    this.#feed()
  }

  /** As readline sets the terminal. */
  setRawMode(isRaw: boolean): this {
    process.stdin.setRawMode(isRaw)
    return this
  }

  /** Leaves the terminal to others. */
  close(): void {
    process.stdin.off("data", this.#take).off("end", this.#end)
    process.stdin.pause()
  }

  override _read(): void {
    // What comes is pushed.
  }

  #feed(): void {
    while (this.#isOpen && this.#held !== "") {
      const [piece = ""] = /^[^\r\n]*(?:\r\n|\r|\n)?/.exec(this.#held) ?? []
      this.#held = this.#held.slice(piece.length)
      if (/[\r\n]$/.test(piece)) this.#isOpen = false
      this.push(piece)
    }
  }
}
