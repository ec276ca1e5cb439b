#!/usr/bin/env node
/** The program `redix`: from its arguments to one of its modes, and to its exit code. */

import { VERSION } from "../index.ts"
import { type Call, readArguments } from "./args.ts"
import { runBench } from "./bench.ts"
import { targetOf } from "./connect.ts"
import type { Context } from "./context.ts"
import { runDoctor } from "./doctor.ts"
import { EXIT } from "./exit.ts"
import { exitCodeOf, explain, fateOf } from "./explain.ts"
import { helpText } from "./help.ts"
import { endWithReader, type Interruption, listenForSignals } from "./interrupt.ts"
import { runPipe } from "./pipe.ts"
import { runRepl } from "./repl.ts"
import { runCommand } from "./single.ts"
import { runSubscribe } from "./subscribe.ts"
import { paintFor, write, writeLine } from "./terminal.ts"

// Others could see a password among the arguments in the list of processes.
process.title = "redix"
endWithReader()
const interruption = listenForSignals()
try {
  process.exitCode = await main(process.argv.slice(2), interruption)
} catch (error) {
  process.exitCode = interruption.code ?? exitCodeOf(error)
  if (interruption.code === undefined) report(error)
}
// An attempt to connect, or an answer of the terminal, may still be waited for.
if (interruption.code !== undefined) process.exit()

async function main(args: readonly string[], interruption: Interruption): Promise<number> {
  const call = readArguments(args)
  const { mode, options, words } = call
  if (options.has("help")) {
    await write(process.stdout, helpText(mode, paintFor(process.stdout)))
    return EXIT.ok
  }
  if (options.has("version")) {
    writeLine(process.stdout, `redix ${VERSION}`)
    return EXIT.ok
  }
  return modeOf(call)({ options, words, interruption, target: await targetOf(options, interruption) })
}

function modeOf({ mode, words, options }: Call): (context: Context) => Promise<number> {
  switch (mode) {
    case "bench":
      return runBench
    case "doctor":
      return runDoctor
    case "subscribe":
      return runSubscribe
    case "run":
      if (words.length > 0 || options.has("stdin-argument")) return runCommand
      return process.stdin.isTTY && process.stdout.isTTY ? runRepl : runPipe
  }
}

function report(error: unknown): void {
  const code = exitCodeOf(error)
  if (code === EXIT.interrupted) return
  const paint = paintFor(process.stderr)
  const { problem, advice } = explain(error)
  writeLine(process.stderr, paint.red(`redix: ${problem}`))
  const fate = fateOf(error)
  if (fate !== undefined) writeLine(process.stderr, `  ${fate}`)
  if (advice !== undefined) writeLine(process.stderr, paint.dim(`  ${advice}`))
  else if (code === EXIT.usage) writeLine(process.stderr, paint.dim("  redix --help tells what there is"))
}
