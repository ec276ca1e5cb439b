/**
 * Text to commands: words, quotes and escapes as redis-cli reads them, and where something is wrong. Reads bytes as
 * Latin-1, so that words keep the bytes that they have. Knows nothing of where the text comes from.
 */

/** One command of the input. */
export interface Statement {
  readonly words: readonly Buffer[]
  /** The line where it begins, the first one being 1. */
  readonly line: number
}

/** Input that is not to be understood. */
export class InputError extends Error {
  readonly line: number
  /** In characters, the first one being 1. */
  readonly column: number

  constructor(problem: string, line: number, column: number) {
    super(`line ${line}, column ${column}: ${problem}`)
    this.line = line
    this.column = column
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\u0007" }

type State = "between" | "plain" | "double" | "single" | "closed" | "comment"

/** Reads text that comes in pieces. A command ends with its line, unless a quote is open there. */
export class StatementReader {
  #state: State = "between"
  #words: Buffer[] = []
  #word = ""
  /** An escape that is not complete: `\`, `\x` or `\x4`. */
  #escape = ""
  #line = 1
  #column = 0
  #statementLine = 1
  #quote = { line: 1, column: 1 }

  /** Whether more lines have to follow, since a quote is open. */
  get isOpen(): boolean {
    return this.#state === "double" || this.#state === "single"
  }

  /** The commands that are complete, of text as Latin-1. Throws an {@link InputError} after those before it. */
  *read(text: string): Generator<Statement> {
    for (const character of text) {
      // Of a character of several bytes, only the first one counts.
      if (character < "\u0080" || character > "\u00bf") this.#column += 1
      const isLineEnd = character === "\n"
      this.#take(character)
      if (isLineEnd) {
        if (!this.isOpen) yield* this.#complete()
        this.#line += 1
        this.#column = 0
      }
    }
  }

  /** The last command, which may have no end of line. */
  *end(): Generator<Statement> {
    if (this.isOpen) {
      throw new InputError("the quote that opens here is never closed", this.#quote.line, this.#quote.column)
    }
    if (this.#state === "plain" || this.#state === "closed") this.#endWord()
    yield* this.#complete()
  }

  *#complete(): Generator<Statement> {
    const words = this.#words
    this.#words = []
    this.#state = "between"
    if (words.length > 0) yield { words, line: this.#statementLine }
  }

  #take(character: string): void {
    switch (this.#state) {
      case "comment":
        return
      case "double":
        this.#takeDouble(character)
        return
      case "single":
        this.#takeSingle(character)
        return
      case "closed":
        if (!isSpace(character)) throw this.#error("expected a space after the quote that closes before this")
        this.#endWord()
        return
      default:
        this.#takePlain(character)
    }
  }

  #takePlain(character: string): void {
    if (isSpace(character)) {
      if (this.#state === "plain") this.#endWord()
      return
    }
    if (this.#state === "between") {
      if (this.#words.length === 0) {
        if (character === "#") {
          this.#state = "comment"
          return
        }
        this.#statementLine = this.#line
      }
      this.#state = "plain"
    }
    if (character === '"' || character === "'") {
      this.#state = character === '"' ? "double" : "single"
      this.#quote = { line: this.#line, column: this.#column }
    } else {
      this.#word += character
    }
  }

  #takeDouble(character: string): void {
    if (this.#escape !== "") this.#takeEscaped(character)
    else if (character === "\\") this.#escape = "\\"
    else if (character === '"') this.#state = "closed"
    else this.#word += character
  }

  #takeEscaped(character: string): void {
    if (this.#escape === "\\") {
      if (character === "x") this.#escape = "\\x"
      else {
        this.#escape = ""
        this.#word += ESCAPES[character] ?? character
      }
      return
    }
    if (/[\da-f]/i.test(character)) {
      this.#escape += character
      if (this.#escape.length < 4) return
      this.#word += String.fromCharCode(Number.parseInt(this.#escape.slice(2), 16))
      this.#escape = ""
      return
    }
    // Not two digits: the letters stand for themselves.
    this.#word += this.#escape.slice(1)
    this.#escape = ""
    this.#takeDouble(character)
  }

  #takeSingle(character: string): void {
    if (this.#escape !== "") {
      this.#escape = ""
      this.#word += character === "'" ? "'" : `\\${character}`
    } else if (character === "\\") this.#escape = "\\"
    else if (character === "'") this.#state = "closed"
    else this.#word += character
  }

  #endWord(): void {
    this.#words.push(Buffer.from(this.#word, "latin1"))
    this.#word = ""
    this.#state = "between"
  }

  #error(problem: string): InputError {
    return new InputError(problem, this.#line, this.#column)
  }
}

function isSpace(character: string): boolean {
  return character === " " || character === "\n" || character === "\r" || character === "\t"
}

/** The commands in a text, all of it being there. */
export function statementsOf(text: string): Statement[] {
  const reader = new StatementReader()
  return [...reader.read(Buffer.from(text).toString("latin1")), ...reader.end()]
}
