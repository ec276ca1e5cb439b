/**
 * The command line tool in a real pseudo-terminal, and the screen as a person sees it: what it writes goes through an
 * interpreter of terminal sequences. Knows nothing of what is done with it.
 */
import { fileURLToPath } from "node:url"
import { type IPty, spawn } from "@lydell/node-pty"
import xterm from "@xterm/headless"
import { until } from "./wait.ts"

/** The built program, as the package's `bin` names it. */
export const program: string = fileURLToPath(new URL("../dist/esm/cli/main.js", import.meta.url))

export interface TerminalOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly columns?: number
  readonly rows?: number
  /** What runs in the terminal. Default: the tool, with the arguments. */
  readonly command?: string
}

/** Keys that have no character of their own. */
export const key = {
  enter: "\r",
  tab: "\t",
  up: "\u001b[A",
  left: "\u001b[D",
  backspace: "\u007f",
  ctrlC: "\u0003",
  ctrlD: "\u0004",
} as const

/** The environment of a program that nobody has set anything for. */
export function cleanEnvironment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = "", HOME = "", NODE_V8_COVERAGE } = process.env
  const coverage = NODE_V8_COVERAGE === undefined ? {} : { NODE_V8_COVERAGE }
  return { ...coverage, PATH, HOME, TERM: "xterm-256color", LANG: "C.UTF-8", REDIX_HISTORY: "", ...env }
}

/** Text on the screen, all of it in one style. */
export interface Piece {
  readonly column: number
  readonly text: string
  /** One of the eight colours of terminals, or `undefined` for that of text. */
  readonly colour: number | undefined
  readonly bold: boolean
  readonly dim: boolean
}

type Line = NonNullable<ReturnType<InstanceType<typeof xterm.Terminal>["buffer"]["active"]["getLine"]>>

function piecesOf(line: Line | undefined): Piece[] {
  const pieces: Piece[] = []
  for (let column = 0; line && column < line.length; column++) {
    const cell = line.getCell(column)
    if (cell === undefined) continue
    const style = {
      colour: cell.isFgDefault() ? undefined : cell.getFgColor(),
      bold: cell.isBold() !== 0,
      dim: cell.isDim() !== 0,
    }
    const text = cell.getChars() || " "
    const last = pieces.at(-1)
    const isSame = last?.colour === style.colour && last?.bold === style.bold && last?.dim === style.dim
    if (last && isSame) pieces[pieces.length - 1] = { ...last, text: last.text + text }
    else pieces.push({ column, text, ...style })
  }
  return pieces.filter(({ text }) => text.trim() !== "")
}

export class Terminal {
  /** Settles with the exit code, or 128 and the signal's number. */
  readonly exited: Promise<number>
  /** All that was written, as it was written. */
  output = ""
  readonly #pty: IPty
  readonly #screen: InstanceType<typeof xterm.Terminal>
  #exitCode: number | undefined

  /** Starts the tool with these arguments. */
  constructor(args: readonly string[], options: TerminalOptions = {}) {
    const { env, columns = 100, rows = 40, command } = options
    this.#screen = new xterm.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true })
    const [file, list] = command ? ["/bin/sh", ["-c", command]] : [process.execPath, [program, ...args]]
    this.#pty = spawn(file, [...list], {
      cols: columns,
      rows,
      // It decides on TERM.
      name: env?.["TERM"] ?? "xterm-256color",
      env: cleanEnvironment(env),
    })
    this.#pty.onData((data) => {
      this.output += data
      this.#screen.write(data)
    })
    // A program may ask the terminal something, such as where the cursor is.
    this.#screen.onData((answer) => this.#pty.write(answer))
    this.exited = new Promise((resolve) => {
      this.#pty.onExit(({ exitCode, signal }) => {
        this.#exitCode = signal ? 128 + signal : exitCode
        resolve(this.#exitCode)
      })
    })
  }

  type(text: string): void {
    this.#pty.write(text)
  }

  /** Types a line and ends it. */
  enter(line: string): void {
    this.type(`${line}${key.enter}`)
  }

  resize(columns: number, rows: number): void {
    this.#pty.resize(columns, rows)
    this.#screen.resize(columns, rows)
  }

  get pid(): number {
    return this.#pty.pid
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.#pty.pid, signal)
  }

  /** The lines of the screen and of what has scrolled out of it, without the empty ones at the end. */
  get text(): string {
    const buffer = this.#screen.buffer.active
    const lines = Array.from({ length: buffer.length }, (_, row) =>
      buffer.getLine(row)?.translateToString(true),
    )
    return lines.join("\n").trimEnd()
  }

  /** The last line that has something on it. */
  get lastLine(): string {
    return this.text.split("\n").at(-1) ?? ""
  }

  /** The line with the cursor: what stands before it, and after it. */
  get cursorLine(): { before: string; after: string } {
    const buffer = this.#screen.buffer.active
    const line = buffer.getLine(buffer.baseY + buffer.cursorY)?.translateToString(false) ?? ""
    return { before: line.slice(0, buffer.cursorX), after: line.slice(buffer.cursorX).trimEnd() }
  }

  /** The rows that are on the screen, in pieces of one style each. */
  get rows(): Piece[][] {
    const buffer = this.#screen.buffer.active
    return Array.from({ length: this.#screen.rows }, (_, row) => piecesOf(buffer.getLine(buffer.baseY + row)))
  }

  /** Where the cursor is on the screen. */
  get cursor(): { readonly row: number; readonly column: number } {
    const { cursorX, cursorY } = this.#screen.buffer.active
    return { row: cursorY, column: cursorX }
  }

  /** Waits until the screen is as it should be. */
  async shows(expected: string | RegExp | (() => boolean)): Promise<void> {
    await until(() => this.#isShown(expected), {
      timeout: 20_000,
      message: () => `${expected} on the screen, which is:\n${this.text}\n(exit code ${this.#exitCode})`,
    })
  }

  /** Ends the program if it has not ended by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exitCode === undefined) this.#pty.kill("SIGKILL")
    await this.exited
    this.#screen.dispose()
  }

  #isShown(expected: string | RegExp | (() => boolean)): boolean {
    if (typeof expected === "function") return expected()
    return typeof expected === "string" ? this.text.includes(expected) : expected.test(this.text)
  }
}
