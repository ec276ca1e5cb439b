/** One command: sent, and its reply printed. */

import { RedisError } from "../index.ts"
import { OPTION_ROWS } from "./args.ts"
import { findCommand } from "./catalogue.ts"
import { connect } from "./connect.ts"
import { type Context, formatOf, shownReply } from "./context.ts"
import { EXIT, UsageError } from "./exit.ts"
import { explain } from "./explain.ts"
import { isOfOneNode, refusalOf } from "./refusals.ts"
import { isTerminal, paintFor, write, writeLine } from "./terminal.ts"

export async function runCommand(context: Context): Promise<number> {
  const { options, target, interruption } = context
  const format = formatOf(options)
  const words: (string | Buffer)[] = [...context.words]
  if (options.has("stdin-argument")) words.push(await allOfStdin())
  const command = findCommand(words)
  const isCluster = target.seeds !== undefined
  const refusal = refusalOf(words, isCluster)
  if (refusal !== undefined) throw new UsageError(refusal)
  const conn = await connect(target, { exitOnDisconnection: true })
  try {
    const { signal } = interruption
    const reply = await conn.command(words, { encoding: "buffer", signal })
    await write(process.stdout, shownReply(reply, format, command))
    if (isCluster && isOfOneNode(words) && isTerminal(process.stderr))
      writeLine(process.stderr, paintFor(process.stderr).dim("  of one node of the cluster only"))
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof RedisError)) throw error
    if (format === "json") await write(process.stdout, shownReply(error, format, command))
    else writeLine(process.stderr, shownError(error, context.words))
    return EXIT.failed
  } finally {
    conn.destroy()
  }
}

function shownError(error: RedisError, words: readonly string[]): string {
  const paint = paintFor(process.stderr)
  const { problem, advice } = explain(error)
  const more = isTerminal(process.stderr) ? [strayOption(words), usageOf(error, words)] : []
  const hints = [advice, ...more].filter((hint) => hint !== undefined)
  return [paint.red(`(error) ${problem}`), ...hints.map((hint) => paint.dim(`  ${hint}`))].join("\n")
}

/** `redix GET key --json` sends `--json` to the server. */
function strayOption(words: readonly string[]): string | undefined {
  const stray = words.find((word) => OPTION_ROWS.some(({ name }) => word === `--${name}`))
  return stray === undefined
    ? undefined
    : `${stray} was sent to the server: options of redix stand before the command`
}

function usageOf({ message }: RedisError, words: readonly string[]): string | undefined {
  if (!/wrong number of arguments|syntax error/i.test(message)) return undefined
  const command = findCommand(words)
  return command && `${command.name} ${command.hint}`
}

async function allOfStdin(): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
