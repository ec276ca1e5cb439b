/**
 * The line that is being typed: `node:readline`, with a hint behind the cursor, and with stars in place of passwords.
 * Leaves to others what lines, completions and hints mean.
 */

import { clearScreenDown, createInterface, cursorTo, type Interface } from "node:readline"
import { Writable } from "node:stream"
import { HeldInput } from "./held-input.ts"
import { MOST_ENTRIES } from "./history.ts"
import { CLEAR_REST, canRewrite, moveLeft, type Paint, starred, widthOf } from "./terminal.ts"

export interface LineEditorOptions {
  readonly paint: Paint
  /** The last one first. */
  readonly history: readonly string[]
  complete(line: string): [string[], string]
  hint(line: string): string
  /** From where on the line is not to be seen. */
  secretStart(line: string): number | undefined
  onLine(line: string): void
  onInterrupt(): void
  onClose(): void
}

export class LineEditor {
  readonly #options: LineEditorOptions
  readonly #input: HeldInput
  readonly #readline: Interface
  /** That of readline, which it shares with its listeners. */
  #history: string[] | undefined
  #hintIsShown = false
  #isIdle = false
  #isOpen = true
  readonly #canDraw = canRewrite(process.stdout)
  /** The last that was secret of what is being typed. */
  #secret = ""

  constructor(options: LineEditorOptions) {
    this.#options = options
    const output = new MaskedOutput((text) => this.#masked(text))
    this.#input = new HeldInput(() => options.onInterrupt())
    this.#readline = createInterface({
      input: this.#input,
      output,
      terminal: true,
      history: [...options.history],
      historySize: MOST_ENTRIES,
      removeHistoryDuplicates: true,
      completer: (line: string) => options.complete(line),
      // A single Escape is no beginning of something longer.
      escapeCodeTimeout: 50,
    })
    this.#readline
      .on("line", (line) => {
        this.#isIdle = false
        options.onLine(line)
      })
      .on("SIGINT", () => options.onInterrupt())
      .on("close", () => this.#close())
      .on("history", (history: string[]) => {
        // What is remembered is said by `remember`, once it is known what the line was.
        this.#history = history
        history.shift()
      })
    // Readline has written the line again, and with it taken the hint away.
    output.on("resize", this.#draw)
    // Before and after readline itself does something about the key.
    this.#input.prependListener("keypress", this.#erase)
    this.#input.on("keypress", this.#draw)
    process.on("SIGCONT", this.#resume)
  }

  get line(): string {
    return this.#readline.line
  }

  remember(line: string): void {
    const history = this.#history
    if (history === undefined) return
    const before = history.indexOf(line)
    if (before !== -1) history.splice(before, 1)
    history.unshift(line)
  }

  /** Whether the line, which was entered, has something secret in it. */
  hides(line: string): boolean {
    return this.#secretFrom(line) !== undefined
  }

  /** Asks for a line. */
  ask(prompt: string): void {
    this.#secret = ""
    this.#isIdle = true
    this.#readline.setPrompt(prompt)
    this.#readline.prompt()
    this.#input.open()
    this.#draw()
  }

  /** Changes the prompt under the line that is being typed. */
  reprompt(prompt: string): void {
    this.#readline.setPrompt(prompt)
    if (!this.#isIdle) return
    this.#erase()
    this.#readline.prompt(true)
    this.#draw()
  }

  /** Prints something above the line that is being typed. */
  printAbove(text: string): void {
    if (this.#isIdle && this.#canDraw) {
      this.#erase()
      cursorTo(process.stdout, 0)
      clearScreenDown(process.stdout)
    } else if (this.#isIdle) process.stdout.write("\n")
    process.stdout.write(`${text}\n`)
    if (!this.#isIdle) return
    this.#readline.prompt(true)
    this.#draw()
  }

  /** Throws away what has been typed. */
  clearLine(): void {
    this.#erase()
    this.#readline.write(null, { ctrl: true, name: "e" })
    this.#readline.write(null, { ctrl: true, name: "u" })
  }

  close(): void {
    this.#readline.close()
  }

  #close(): void {
    this.#isOpen = false
    this.#erase()
    if (this.#isIdle) process.stdout.write("\n")
    this.#input.off("keypress", this.#erase)
    this.#input.off("keypress", this.#draw)
    process.off("SIGCONT", this.#resume)
    this.#input.close()
    this.#isIdle = false
    this.#options.onClose()
  }

  /** Back from having been stopped: whoever had the terminal meanwhile has set it as they like, and written on it. */
  readonly #resume = (): void => {
    // After readline, which does something about it only when it has stopped us itself.
    setImmediate(() => {
      if (!this.#isOpen) return
      // What it is set to already would not be set again.
      this.#input.setRawMode(false).setRawMode(true)
      this.#readline.resume()
      if (!this.#isIdle) return
      this.#hintIsShown = false
      this.#readline.prompt(true)
      this.#draw()
    })
  }

  readonly #erase = (): void => {
    if (this.#hintIsShown) process.stdout.write(CLEAR_REST)
    this.#hintIsShown = false
  }

  readonly #draw = (): void => {
    const { line, cursor } = this.#readline
    if (!this.#isIdle || !this.#canDraw || cursor !== line.length) return
    // In one row, or the screen could scroll under it.
    const room = process.stdout.columns - this.#readline.getCursorPos().cols - 1
    const hint = this.#options.hint(line)
    const shown = widthOf(hint) <= room ? hint : `${hint.slice(0, Math.max(0, room - 1))}…`
    if (hint === "" || room < 2) return
    process.stdout.write(`${this.#options.paint.dim(shown)}${moveLeft(widthOf(shown))}`)
    this.#hintIsShown = true
  }

  /** Readline writes the whole line, or what has come to it. */
  #masked(text: string): string {
    const line = this.#readline.line
    const from = this.#secretFrom(line)
    if (from === undefined || from >= line.length) return text
    if (text.includes(line)) return text.replaceAll(line, line.slice(0, from) + starred(line.slice(from)))
    if (line.endsWith(text)) {
      const open = Math.max(0, text.length - (line.length - from))
      return text.slice(0, open) + starred(text.slice(open))
    }
    return text.startsWith(ESCAPE) ? text : starred(text)
  }

  /** What was secret stays that, also where the command before it is edited. */
  #secretFrom(line: string): number | undefined {
    const from = this.#options.secretStart(line)
    if (from === undefined) {
      const at = this.#secret === "" ? -1 : line.indexOf(this.#secret)
      return at === -1 ? undefined : at
    }
    if (from < line.length) this.#secret = line.slice(from)
    return from
  }
}

const ESCAPE = "\u001b"

/** The terminal, as readline sees it. */
class MaskedOutput extends Writable {
  readonly isTTY = true
  readonly #mask: (text: string) => string

  constructor(mask: (text: string) => string) {
    super({ decodeStrings: false })
    this.#mask = mask
    process.stdout.on("resize", () => this.emit("resize"))
  }

  get columns(): number {
    return process.stdout.columns || 80
  }

  get rows(): number {
    return process.stdout.rows || 24
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    process.stdout.write(this.#mask(String(chunk)))
    done()
  }
}
