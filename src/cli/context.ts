/** What every mode of the tool is given. Types, and the few decisions that all of them share. */

import type { Options } from "./args.ts"
import type { CommandFacts } from "./catalogue.ts"
import type { Target } from "./connect.ts"
import { Interrupted, UsageError } from "./exit.ts"
import type { Interruption } from "./interrupt.ts"
import { type Format, json, pretty, raw } from "./print.ts"
import { isTerminal, paintFor } from "./terminal.ts"

export interface Context {
  readonly options: Options
  readonly target: Target
  /** The command and its arguments, or the channels. */
  readonly words: readonly string[]
  readonly interruption: Interruption
}

/** How replies are shown: as asked for, and otherwise by who reads them. */
export function formatOf(options: Options): Format {
  const asked = (["json", "raw", "pretty"] as const).filter((format) => options.has(format))
  if (asked.length > 1) throw new UsageError("--json, --raw and --pretty: one of them")
  return asked[0] ?? (isTerminal(process.stdout) ? "pretty" : "raw")
}

/** The reply as it is written to the standard output, with its end of line. */
export function shownReply(
  reply: unknown,
  format: Format,
  command: CommandFacts | undefined,
): string | Buffer {
  try {
    return written(reply, format, command)
  } catch (error) {
    // Of strings and buffers, which end somewhere.
    if (!(error instanceof Error) || !["ERR_STRING_TOO_LONG", "ERR_OUT_OF_RANGE"].includes(codeOf(error)))
      throw error
    throw new Error("the reply is too long to be shown like that: --raw prints it as it is", { cause: error })
  }
}

function codeOf(error: Error): string {
  if ("code" in error) return String(error.code)
  return error instanceof RangeError && /string length/.test(error.message) ? "ERR_STRING_TOO_LONG" : ""
}

function written(reply: unknown, format: Format, command: CommandFacts | undefined): string | Buffer {
  switch (format) {
    case "json":
      return `${json(reply, isTerminal(process.stdout) ? 2 : 0)}\n`
    case "raw":
      return Buffer.concat([raw(reply), Buffer.from("\n")])
    case "pretty":
      return `${pretty(reply, paintFor(process.stdout), command)}\n`
  }
}

/** Throws if a signal has come: for the places where work could begin or go on. */
export function throwIfInterrupted({ code }: Interruption): void {
  if (code !== undefined) throw new Interrupted(code)
}
