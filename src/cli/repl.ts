/**
 * The prompt: reads commands, sends them, prints their replies. Leaves the line itself to `line-editor.ts`, and what stands
 * before it to `prompt.ts`.
 */

import { Cluster, type Protocol, RedixError } from "../index.ts"
import { type CommandFacts, findCommand } from "./catalogue.ts"
import { completionsOf, hintOf } from "./completion.ts"
import { type Connection, connect, connectPubSub } from "./connect.ts"
import { type Context, formatOf, shownReply } from "./context.ts"
import { EXIT } from "./exit.ts"
import { explain, fateOf } from "./explain.ts"
import { History, historyFile } from "./history.ts"
import { LineEditor } from "./line-editor.ts"
import type { Format } from "./print.ts"
import { Prompt } from "./prompt.ts"
import { promptHelp } from "./prompt-help.ts"
import { quoteWord } from "./quote.ts"
import { isOfOneNode, refusalOf, transactionsProblem } from "./refusals.ts"
import { secretStart } from "./sensitive.ts"
import { listen, wantedOf } from "./subscribe.ts"
import { counted, duration, paintFor, writeLine } from "./terminal.ts"
import { InputError, type Statement, StatementReader } from "./words.ts"

export async function runRepl(context: Context): Promise<number> {
  const conn = await connect(context.target)
  try {
    return await new Repl(context, conn).run()
  } finally {
    conn.destroy()
  }
}

/** What a subscription is asked for by, as the server calls it. */
const SUBSCRIBES: ReadonlyMap<string, "names" | "patterns" | "shardNames"> = new Map([
  ["SUBSCRIBE", "names"],
  ["PSUBSCRIBE", "patterns"],
  ["SSUBSCRIBE", "shardNames"],
])

/** From one look at the nodes of a cluster to the next, in ms. */
const LOOK_MS = 500

class Repl {
  readonly #context: Context
  readonly #conn: Connection
  readonly #cluster: Cluster<Protocol> | undefined
  readonly #paint = paintFor(process.stdout)
  readonly #state: Prompt
  readonly #history = new History(historyFile(process.env))
  readonly #editor: LineEditor
  readonly #lines: string[] = []
  #format: Format
  #reader = new StatementReader()
  /** Lines of a statement that goes on. */
  #pending = ""
  #pipeline: Statement[] | undefined
  #isTimed = false
  #isRunning = false
  #mayLeave = false
  #hasLeft = false
  /** What Ctrl-C ends. */
  #running: AbortController | undefined
  #finish: (code: number) => void = () => {}

  constructor(context: Context, conn: Connection) {
    this.#context = context
    this.#conn = conn
    this.#cluster = conn instanceof Cluster ? conn : undefined
    this.#format = formatOf(context.options)
    this.#state = new Prompt(context, conn, this.#paint)
    this.#editor = new LineEditor({
      paint: this.#paint,
      history: this.#history.load(),
      complete: (line) => (this.#pending === "" ? completionsOf(line) : [[], line]),
      hint: (line) => (this.#pending === "" ? hintOf(line) : ""),
      secretStart: (line) => {
        const from = secretStart(this.#pending + line)
        return from === undefined ? undefined : Math.max(0, from - this.#pending.length)
      },
      onLine: (line) => {
        this.#lines.push(line)
        this.#work().catch((error: unknown) => this.#showError(error))
      },
      onInterrupt: () => this.#interrupt(),
      onClose: () => this.#leave(EXIT.ok),
    })
  }

  async run(): Promise<number> {
    const finished = new Promise<number>((resolve) => {
      this.#finish = resolve
    })
    this.#conn
      .on("disconnection", ({ error, address = "" }) => {
        const which = this.#cluster ? `${address} ` : ""
        this.#note(this.#paint.yellow(`${which}disconnected: ${explain(error).problem}`))
      })
      .on("failedConnection", () => this.#reprompt())
      .on("connection", ({ sessionLost, reconnection, address }) => {
        if (this.#cluster) {
          if (reconnection) this.#note(this.#paint.green(`${address} connected again`))
          else this.#reprompt()
          return
        }
        this.#state.onTransactionLost()
        const lost = sessionLost ? "; what was set by hand (MULTI, WATCH, AUTH …) is gone" : ""
        this.#note(this.#paint.green(`connected again${lost}`))
      })
    const { interruption } = this.#context
    interruption.signal.addEventListener("abort", () => this.#leave(interruption.code ?? EXIT.interrupted))
    await this.#greet()
    this.#ask()
    if (this.#cluster) this.#watchCluster()
    return finished
  }

  /** Nodes come and go without an event for each. */
  #watchCluster(): void {
    let shown = this.#prompt()
    const timer = setInterval(() => {
      if (this.#hasLeft) clearInterval(timer)
      else if (shown !== this.#prompt()) this.#reprompt()
      shown = this.#prompt()
    }, LOOK_MS)
    timer.unref()
  }

  async #greet(): Promise<void> {
    const info = await this.#conn.safe.command(["INFO", "server"])
    const [, kind, version] = (info.ok && /^(valkey|redis)_version:(\S+)/m.exec(String(info.value))) || []
    const server = kind === undefined ? "connected" : `${kind === "valkey" ? "Valkey" : "Redis"} ${version}`
    writeLine(process.stdout, this.#paint.dim(`${server}. Tab completes, :help tells more, Ctrl-D leaves.`))
  }

  #leave(code: number): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#running?.abort()
    this.#finish(code)
    this.#editor.close()
  }

  #interrupt(): void {
    if (this.#running) {
      this.#running.abort()
      return
    }
    const isEmpty = this.#editor.line === "" && this.#pending === "" && this.#pipeline === undefined
    if (isEmpty && this.#mayLeave) {
      writeLine(process.stdout)
      this.#leave(EXIT.interrupted)
      return
    }
    this.#editor.clearLine()
    this.#resetStatement()
    this.#pipeline = undefined
    this.#mayLeave = isEmpty
    if (isEmpty) this.#editor.printAbove(this.#paint.dim("Ctrl-C once more, or Ctrl-D, leaves"))
    this.#reprompt()
  }

  #resetStatement(): void {
    this.#reader = new StatementReader()
    this.#pending = ""
  }

  /** Takes the lines one after the other: pasted ones come faster than their replies. */
  async #work(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      for (let line = this.#lines.shift(); line !== undefined && !this.#hasLeft; line = this.#lines.shift()) {
        this.#mayLeave = false
        await this.#takeLine(line).catch((error: unknown) => this.#showError(error))
      }
    } finally {
      this.#isRunning = false
      this.#ask()
    }
  }

  async #takeLine(line: string): Promise<void> {
    if (this.#pending === "" && /^\s*:/.test(line)) {
      this.#remember(line.trim())
      await this.#runOwn(line.trim())
      return
    }
    if (this.#pending === "" && /^\s*(quit|exit)\s*$/i.test(line)) {
      this.#leave(EXIT.ok)
      return
    }
    for (const statement of this.#statementsOf(line)) await this.#take(statement)
  }

  #statementsOf(line: string): Statement[] {
    try {
      const statements = [...this.#reader.read(Buffer.from(`${line}\n`).toString("latin1"))]
      this.#pending += `${line}\n`
      if (this.#reader.isOpen) return []
      const isSecret = secretStart(this.#pending) !== undefined
      const isLong = this.#pending.trimEnd().includes("\n")
      const [statement] = statements
      // What goes over lines is remembered in one, with escapes.
      if (!isSecret && statement)
        this.#remember(isLong ? statement.words.map(quoteWord).join(" ") : line.trim())
      this.#resetStatement()
      return statements
    } catch (error) {
      // To be corrected.
      this.#remember(line.trim())
      this.#resetStatement()
      throw error
    }
  }

  #remember(line: string): void {
    if (!this.#editor.hides(line) && this.#history.add(line)) this.#editor.remember(line)
  }

  async #runOwn(line: string): Promise<void> {
    const [name = "", ...words] = line.split(/\s+/)
    const rest = line.slice(name.length).trim()
    switch (name) {
      case ":help":
        this.#print(promptHelp(words, this.#paint))
        return
      case ":pipeline":
        this.#pipeline = []
        this.#print(
          this.#paint.dim("commands are collected; :send sends them, :cancel or Ctrl-C forgets them"),
        )
        return
      case ":send":
        await this.#sendPipeline()
        return
      case ":cancel":
        this.#pipeline = undefined
        return
      case ":time":
        if (rest === "") {
          this.#isTimed = !this.#isTimed
          this.#print(this.#paint.dim(`times are ${this.#isTimed ? "shown" : "not shown"}`))
          return
        }
        for (const statement of this.#statementsOf(rest)) await this.#send(statement, true)
        return
      case ":format": {
        const format = (["pretty", "json", "raw"] as const).find((each) => each === rest)
        if (format) this.#format = format
        else this.#print(this.#paint.red(":format pretty, :format json or :format raw"))
        return
      }
      case ":clear":
        process.stdout.write("\u001b[H\u001b[2J")
        return
      case ":quit":
      case ":exit":
        this.#leave(EXIT.ok)
        return
      default:
        this.#print(this.#paint.red(`${name} is not known; :help tells what is`))
    }
  }

  async #take(statement: Statement): Promise<void> {
    if (this.#pipeline === undefined) {
      await this.#send(statement, this.#isTimed)
      return
    }
    const refusal = this.#refusalOf(statement, true)
    if (refusal === undefined) this.#pipeline.push(statement)
    else this.#print(this.#paint.red(`not collected: ${refusal}`))
  }

  /** Of a cluster, transactions are collected, and sent with the rest. */
  #refusalOf({ words }: Statement, isCollected: boolean): string | undefined {
    const name = findCommand(words)?.name
    if (isCollected && (name === "MULTI" || name === "EXEC")) return undefined
    const refusal = refusalOf(words, this.#cluster !== undefined)
    return refusal !== undefined && name === "MULTI" && this.#cluster
      ? "MULTI in a cluster is sent as a whole: :pipeline, MULTI, …, EXEC, :send"
      : refusal
  }

  async #send({ words }: Statement, isTimed: boolean): Promise<void> {
    const command = findCommand(words)
    const kind = SUBSCRIBES.get(command?.name ?? "")
    if (kind !== undefined && words.length > 1) {
      await this.#subscribe(words.slice(1).map(String), kind)
      return
    }
    const refusal = this.#refusalOf({ words, line: 1 }, false)
    if (refusal !== undefined) {
      this.#print(this.#paint.red(refusal))
      return
    }
    await this.#during(async (signal) => {
      const startedAt = performance.now()
      const reply: unknown = await this.#conn.command(words, { encoding: "buffer", signal })
      const took = performance.now() - startedAt
      this.#state.onReply(command, words, reply)
      this.#show(reply, command)
      if (this.#cluster && isOfOneNode(words))
        this.#print(this.#paint.dim("  of one node of the cluster only"))
      if (isTimed) this.#print(this.#paint.dim(duration(took)))
    })
  }

  async #sendPipeline(): Promise<void> {
    const statements = this.#pipeline
    if (statements === undefined) {
      this.#print(this.#paint.red("there is no pipeline: :pipeline begins one"))
      return
    }
    this.#pipeline = undefined
    if (statements.length === 0) return
    const problem = this.#cluster && transactionsProblem(statements)
    if (problem !== undefined) {
      this.#print(this.#paint.red(`not sent: ${problem}`))
      return
    }
    await this.#during(async (signal) => {
      const startedAt = performance.now()
      const commands = statements.map(({ words }) => words)
      const replies: readonly unknown[] = await this.#conn.pipeline(commands, { encoding: "buffer", signal })
      const took = performance.now() - startedAt
      for (const [index, { words }] of statements.entries()) {
        const command = findCommand(words)
        this.#state.onReply(command, words, replies[index])
        this.#print(this.#paint.dim(`${index + 1}› ${shownCommand(words, command)}`))
        this.#show(replies[index], command)
        const fate = fateOf(replies[index])
        if (fate !== undefined) this.#print(this.#paint.dim(`  ${fate}`))
      }
      this.#print(
        this.#paint.dim(`${counted(statements.length, "command")} in one round trip, ${duration(took)}`),
      )
    })
  }

  async #subscribe(words: readonly string[], kind: "names" | "patterns" | "shardNames"): Promise<void> {
    const pubsub = await connectPubSub(this.#context.target)
    try {
      this.#print(this.#paint.dim("Ctrl-C goes back to the prompt"))
      await this.#during(async (signal) => {
        const wanted = { ...wantedOf([], true, false), [kind]: words }
        await listen(pubsub, wanted, { format: this.#format, most: Number.POSITIVE_INFINITY, signal })
      })
    } finally {
      pubsub.destroy()
    }
  }

  /** Something that Ctrl-C ends. */
  async #during(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const running = new AbortController()
    this.#running = running
    try {
      await work(running.signal)
    } catch (error) {
      if (!running.signal.aborted) throw error
      this.#print(this.#paint.yellow("interrupted: it may have run on the server"))
    } finally {
      this.#running = undefined
    }
  }

  #show(reply: unknown, command: CommandFacts | undefined): void {
    process.stdout.write(shownReply(reply, this.#format, command))
  }

  #showError(error: unknown): void {
    if (error instanceof RedixError && /^EXECABORT/.test(error.message)) this.#state.onTransactionLost()
    const { problem, advice } = explain(error)
    const label = error instanceof InputError ? "" : "(error) "
    this.#print(this.#paint.red(`${label}${problem}`))
    for (const line of [fateOf(error), advice])
      if (line !== undefined) this.#print(this.#paint.dim(`  ${line}`))
  }

  #print(text: string): void {
    if (text !== "") writeLine(process.stdout, text)
  }

  #note(text: string): void {
    this.#editor.printAbove(text)
    this.#reprompt()
  }

  #ask(): void {
    if (!this.#hasLeft) this.#editor.ask(this.#prompt())
  }

  #reprompt(): void {
    this.#editor.reprompt(this.#prompt())
  }

  #prompt(): string {
    return this.#pending === "" ? this.#state.text(this.#pipeline?.length) : this.#paint.dim("…> ")
  }
}

function shownCommand(words: readonly Buffer[], command: CommandFacts | undefined): string {
  const line = words.map(quoteWord).join(" ")
  return secretStart(line) === undefined ? line : `${command?.name ?? ""} …`
}
