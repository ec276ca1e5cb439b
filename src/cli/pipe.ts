/** Commands from the standard input: sent in pipelines as they come, counted, and their errors listed by line. */

import { fstatSync } from "node:fs"
import { ConnectionError, type Outcome, RedisError, RedixError } from "../index.ts"
import { findCommand } from "./catalogue.ts"
import { type Connection, connect } from "./connect.ts"
import { type Context, formatOf, shownReply } from "./context.ts"
import { EXIT } from "./exit.ts"
import { explain } from "./explain.ts"
import type { Format } from "./print.ts"
import { Progress } from "./progress.ts"
import { harmlessLine } from "./quote.ts"
import { isOfOneNode, refusalOf, transactionProblem } from "./refusals.ts"
import { counted, duration, grouped, paintFor, write, writeLine } from "./terminal.ts"
import { InputError, type Statement, StatementReader } from "./words.ts"

/** Commands in one pipeline, and pipelines on their way: enough to keep the server busy, and little to lose. */
const BATCH_SIZE = 1000
const MOST_BATCHES = 4
/** Where a redirected command could be overtaken by one of the next pipeline. */
const MOST_BATCHES_OF_CLUSTER = 1
const MOST_ERRORS_SHOWN = 20

/** What became of the commands that have no reply, in their order. */
interface Loss {
  readonly error: ConnectionError
  readonly fates: { readonly nth: number; readonly line: number; readonly outcome: Outcome }[]
}

interface Failure {
  readonly line: number
  readonly command: string
  readonly message: string
}

export async function runPipe(context: Context): Promise<number> {
  const { options, target, interruption } = context
  const asked = ["replies", "json", "raw", "pretty"].some((name) => options.has(name))
  const format = asked
    ? options.has("replies") && !options.has("json") && !options.has("raw")
      ? "pretty"
      : formatOf(options)
    : undefined
  const conn = await connect(target, { exitOnDisconnection: true })
  const pipe = new Pipe(conn, target.seeds !== undefined, format, interruption.signal)
  try {
    const code = await pipe.run()
    return interruption.code ?? code
  } finally {
    conn.destroy()
  }
}

class Pipe {
  readonly #conn: Connection
  readonly #isCluster: boolean
  readonly #format: Format | undefined
  readonly #signal: AbortSignal
  readonly #size = sizeOfStdin()
  readonly #failures: Failure[] = []
  /** What to do about the way that all of it is sent. */
  readonly #advices = new Set<string>()
  readonly #inFlight: Promise<void>[] = []
  #batch: Statement[] = []
  /** Of a cluster, from MULTI on: it is sent as a whole. */
  #transaction: Statement[] | undefined
  /** Lines whose commands were carried out by some node of a cluster. */
  readonly #ofOneNode: number[] = []
  #bytes = 0
  #replies = 0
  #lost: Loss | undefined
  /** Commands of which it is known what became of them. */
  #accepted = 0
  /** The line of the last command that was handed to the driver. */
  #lastSent = 0
  #failed = 0
  /** Replies are printed in the order of their commands. */
  #printed: Promise<void> = Promise.resolve()

  constructor(conn: Connection, isCluster: boolean, format: Format | undefined, signal: AbortSignal) {
    this.#conn = conn
    this.#isCluster = isCluster
    this.#format = format
    this.#signal = signal
  }

  async run(): Promise<number> {
    const startedAt = performance.now()
    const seconds = () => (performance.now() - startedAt) / 1000
    const progress = new Progress(process.stderr, () => ({
      share: this.#size === undefined ? undefined : Math.min(1, this.#bytes / this.#size),
      text: this.#status(seconds()),
    }))
    let bad: InputError | undefined
    let unforeseen: unknown
    try {
      await this.#readAll().catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error
        bad = error
      })
      await this.#drain()
    } catch (error) {
      unforeseen = this.#signal.aborted ? undefined : error
    } finally {
      progress.stop()
    }
    this.#report(seconds(), bad)
    if (unforeseen !== undefined) throw unforeseen
    if (this.#lost) return EXIT.connection
    if (bad) return EXIT.usage
    return this.#failed > 0 ? EXIT.failed : EXIT.ok
  }

  async #readAll(): Promise<void> {
    const reader = new StatementReader()
    const onAbort = () => process.stdin.destroy(new Error("interrupted"))
    this.#signal.addEventListener("abort", onAbort, { once: true })
    try {
      for await (const chunk of process.stdin) {
        this.#bytes += chunk.length
        await this.#takeAll(reader.read(Buffer.from(chunk).toString("latin1")))
        if (this.#lost) return
      }
      await this.#takeAll(reader.end())
      if (this.#transaction) await this.#sendTransaction()
    } finally {
      this.#signal.removeEventListener("abort", onAbort)
    }
  }

  /** What stands before bad input is sent, wherever the pieces of the input end. */
  async #takeAll(statements: Iterable<Statement>): Promise<void> {
    try {
      await this.#take(statements)
    } finally {
      await this.#flush()
    }
  }

  async #take(statements: Iterable<Statement>): Promise<void> {
    for (const statement of statements) {
      if (this.#lost) return
      if (statement.line === 1 && /^\*\d+$/.test(`${statement.words[0]}`)) {
        throw new InputError("expected commands as text, and this is the wire protocol", 1, 1)
      }
      if (this.#isCluster && (await this.#takesIntoTransaction(statement))) continue
      const refusal = refusalOf(statement.words, this.#isCluster)
      if (refusal !== undefined) {
        await this.#flush()
        await this.#drain()
        await this.#accept(statement, new RedixError(`not sent: ${refusal}`))
        continue
      }
      if (this.#isCluster && isOfOneNode(statement.words)) this.#ofOneNode.push(statement.line)
      this.#batch.push(statement)
      if (this.#batch.length >= BATCH_SIZE) await this.#flush()
    }
  }

  /** Whether the command is part of a transaction, which goes to one node of a cluster as one. */
  async #takesIntoTransaction(statement: Statement): Promise<boolean> {
    const name = findCommand(statement.words)?.name
    if (this.#transaction === undefined && name !== "MULTI") return false
    await this.#flush()
    this.#transaction ??= []
    this.#transaction.push(statement)
    if (name === "EXEC") await this.#sendTransaction()
    return true
  }

  async #sendTransaction(): Promise<void> {
    const statements = this.#transaction ?? []
    this.#transaction = undefined
    await this.#drain()
    if (this.#lost) return
    const problem = transactionProblem(statements)
    if (problem === undefined) await this.#send(statements)
    else for (const each of statements) await this.#accept(each, new RedixError(`not sent: ${problem}`))
  }

  async #flush(): Promise<void> {
    const batch = this.#batch
    if (batch.length === 0 || this.#lost) return
    this.#batch = []
    await this.#send(batch)
  }

  async #send(batch: readonly Statement[]): Promise<void> {
    this.#lastSent = batch.at(-1)?.line ?? this.#lastSent
    const replies = this.#conn.pipeline(
      batch.map(({ words }) => words),
      { encoding: "buffer", signal: this.#signal },
    )
    const done = this.#settle(batch, replies, this.#printed)
    this.#printed = done.catch(() => undefined)
    this.#inFlight.push(done)
    const most = this.#isCluster ? MOST_BATCHES_OF_CLUSTER : MOST_BATCHES
    if (this.#inFlight.length >= most) await this.#inFlight.shift()
  }

  async #drain(): Promise<void> {
    while (this.#inFlight.length > 0) await this.#inFlight.shift()
  }

  async #settle(
    batch: readonly Statement[],
    coming: Promise<readonly unknown[]>,
    before: Promise<void>,
  ): Promise<void> {
    const [result] = await Promise.allSettled([coming, before])
    for (const [index, statement] of batch.entries()) {
      if (result.status === "fulfilled") await this.#accept(statement, result.value[index])
      else if (result.reason instanceof RedixError) await this.#accept(statement, result.reason)
      else throw result.reason
    }
  }

  async #accept(statement: Statement, reply: unknown): Promise<void> {
    this.#accepted += 1
    if (reply instanceof ConnectionError) {
      this.#lost ??= { error: reply, fates: [] }
      this.#lost.fates.push({ nth: this.#accepted, line: statement.line, outcome: reply.outcome })
      return
    }
    this.#replies += 1
    if (reply instanceof RedixError) {
      this.#failed += 1
      const { advice } = explain(reply)
      if (advice !== undefined && /^(?:MOVED|ASK|CROSSSLOT) /.test(reply.message)) this.#advices.add(advice)
      if (this.#failures.length < MOST_ERRORS_SHOWN) {
        this.#failures.push({
          line: statement.line,
          command: nameOf(statement, reply),
          message: harmlessLine(reply.message),
        })
      }
    }
    if (this.#format === undefined) return
    await write(process.stdout, shownReply(reply, this.#format, findCommand(statement.words)))
  }

  #status(seconds: number): string {
    const rate = seconds > 0.2 ? `  ${grouped(this.#replies / seconds)}/s` : ""
    const errors = this.#failed > 0 ? `  ${counted(this.#failed, "error")}` : ""
    return `${counted(this.#replies, "command")}${rate}${errors}`
  }

  #report(seconds: number, bad: InputError | undefined): void {
    const paint = paintFor(process.stderr)
    const line = (text: string) => writeLine(process.stderr, text)
    const errors = this.#failed === 0 ? paint.green("no errors") : paint.red(counted(this.#failed, "error"))
    const rate = seconds > 0.001 ? `, ${grouped(this.#replies / seconds)} in a second` : ""
    line(`${counted(this.#replies, "command")}, ${errors}, ${duration(seconds * 1000)}${rate}`)
    const width = Math.max(0, ...this.#failures.map((failure) => `${failure.line}`.length))
    for (const { line: at, command, message } of this.#failures) {
      line(`  line ${`${at}`.padStart(width)}  ${paint.bold(command)}  ${paint.red(message)}`)
    }
    const more = this.#failed - this.#failures.length
    if (more > 0) line(`  … and ${counted(more, "more error")}`)
    for (const advice of this.#advices) line(paint.dim(`  ${advice}`))
    if (this.#ofOneNode.length > 0) {
      const [first = 0] = this.#ofOneNode
      const others = this.#ofOneNode.length - 1
      const where = `line ${first}${others > 0 ? ` and ${counted(others, "other")}` : ""}`
      line(paint.yellow(`  ${where}: carried out by one node of the cluster only`))
    }
    if (bad) {
      line(paint.red(bad.message))
      line(paint.dim("  nothing from there on was sent"))
    }
    if (this.#lost) this.#reportLoss(this.#lost)
    if (this.#signal.aborted) line(paint.yellow("interrupted: what was on its way may have run"))
  }

  #reportLoss({ error, fates }: Loss): void {
    const paint = paintFor(process.stderr)
    const { problem, advice } = explain(error)
    const isSaid = problem.startsWith("the connection was lost")
    writeLine(process.stderr, paint.red(isSaid ? problem : `the connection was lost: ${problem}`))
    const maybe = linesOf(fates, "unknown")
    const unsent = linesOf(fates, "not-sent")
    if (maybe !== "") writeLine(process.stderr, `  what is in ${maybe} may have run or not`)
    if (unsent !== "")
      writeLine(process.stderr, `  ${maybe === "" ? "what" : "and what"} is in ${unsent} was not sent`)
    writeLine(process.stderr, `  nothing after line ${this.#lastSent} was sent`)
    if (advice) writeLine(process.stderr, paint.dim(`  ${advice}`))
  }
}

/** `line 4`, `lines 2 to 7, 9`: of commands that follow each other, the first and the last one. */
function linesOf(fates: Loss["fates"], outcome: Outcome): string {
  const runs: { from: number; to: number }[] = []
  let nth = 0
  for (const fate of fates.filter((each) => each.outcome === outcome)) {
    const run = runs.at(-1)
    if (run && fate.nth === nth + 1) run.to = fate.line
    else runs.push({ from: fate.line, to: fate.line })
    nth = fate.nth
  }
  const [first] = runs
  if (first === undefined) return ""
  const isOne = runs.length === 1 && first.from === first.to
  return `line${isOne ? "" : "s"} ${runs.map(({ from, to }) => (from === to ? from : `${from} to ${to}`)).join(", ")}`
}

function nameOf({ words }: Statement, error: RedixError): string {
  const known = error instanceof RedisError ? error.command : undefined
  return known ?? findCommand(words)?.name ?? harmlessLine(`${words[0] ?? ""}`).slice(0, 30)
}

/** The size of the input, where it is a file. */
function sizeOfStdin(): number | undefined {
  try {
    const stats = fstatSync(0)
    return stats.isFile() && stats.size > 0 ? stats.size : undefined
  } catch {
    return undefined
  }
}
