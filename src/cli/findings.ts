/** What the doctor finds: lines of what is well, what is doubtful and what is wrong. Knows nothing of how it is found. */

import type { Writable } from "node:stream"
import { harmlessLine } from "./quote.ts"
import { type Paint, paintFor, writeLine } from "./terminal.ts"

export type Verdict = "ok" | "warning" | "problem" | "skipped"

export interface Finding {
  readonly verdict: Verdict
  /** What was looked at, in a word or two. */
  readonly what: string
  readonly text: string
  /** What to do about it. */
  readonly advice?: string | undefined
}

const TITLE_COLUMNS = 14

/** Keeps findings, and shows each as soon as it is made. */
export class Findings {
  readonly all: Finding[] = []
  readonly #output: Writable | undefined
  readonly #paint: Paint

  /** Without an output they are only kept. */
  constructor(output: Writable | undefined) {
    this.#output = output
    this.#paint = paintFor(process.stdout)
  }

  ok(what: string, text: string): void {
    this.add({ verdict: "ok", what, text })
  }

  warn(what: string, text: string, advice: string): void {
    this.add({ verdict: "warning", what, text, advice })
  }

  problem(what: string, text: string, advice?: string): void {
    this.add({ verdict: "problem", what, text, advice })
  }

  skip(what: string, text: string): void {
    this.add({ verdict: "skipped", what, text })
  }

  count(verdict: Verdict): number {
    return this.all.filter((finding) => finding.verdict === verdict).length
  }

  add(found: Finding): void {
    const finding = { ...found, text: harmlessLine(found.text) }
    this.all.push(finding)
    if (this.#output) writeLine(this.#output, this.#line(finding))
  }

  #line({ verdict, what, text, advice }: Finding): string {
    const { green, yellow, red, dim, bold } = this.#paint
    const marks = { ok: green("✔"), warning: yellow("!"), problem: red("✘"), skipped: dim("–") }
    const shown =
      verdict === "ok"
        ? text
        : verdict === "warning"
          ? yellow(text)
          : verdict === "problem"
            ? red(text)
            : dim(text)
    const line = `${marks[verdict]} ${bold(what.padEnd(TITLE_COLUMNS))} ${shown}`
    return advice === undefined ? line : `${line}\n  ${" ".repeat(TITLE_COLUMNS)} ${dim("→")} ${advice}`
  }
}
