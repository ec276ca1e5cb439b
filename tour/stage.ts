/** The stage: titles, lines of code with their live results, and the pace. Knows nothing of what is played on it. */
import { setTimeout as sleep } from "node:timers/promises"
import { inspect } from "node:util"
import { ConnectionError, RedisError } from "@redix/client"
import { shownCall } from "./source-text.ts"
import { isTerminal, paint, print } from "./terminal.ts"

/** Time to read what was just shown. */
const PACE_MS = 350

export interface StageOptions {
  /** Ends every wait, by rejecting. */
  readonly signal: AbortSignal
  /** Nobody reads along: no pauses, and a short load. */
  readonly quick: boolean
}

export class Stage {
  readonly signal: AbortSignal
  readonly quick: boolean
  #titles = 0

  constructor({ signal, quick }: StageOptions) {
    this.signal = signal
    this.quick = quick
  }

  title(text: string, explanation: string): void {
    this.#titles += 1
    print()
    print(`${paint.bold(paint.cyan(`${this.#titles}  ${text}`))}  ${paint.dim(explanation)}`)
  }

  say(text: string): void {
    print(`     ${paint.dim(text)}`)
  }

  /** Shows the call as it stands in the source, runs it, and shows what it resolves to. */
  async show<T>(call: () => Promise<T>): Promise<T> {
    this.#code(shownCall(stackOf(this.show)))
    const value = await call()
    if (value !== undefined) this.#result(describe(value))
    await this.pause()
    return value
  }

  /** The same for a call that has to fail. */
  async showError(call: () => Promise<unknown>): Promise<void> {
    this.#code(shownCall(stackOf(this.showError)))
    const error = await call().then(
      (value) => Promise.reject(new Error(`expected an error, got ${inspect(value)}`)),
      (reason: unknown) => reason,
    )
    this.#result(describe(error))
    await this.pause()
  }

  /** Shows the call, runs it, and returns the time it took, in ms. */
  async time(call: () => Promise<unknown>): Promise<number> {
    this.#code(shownCall(stackOf(this.time)))
    const start = performance.now()
    await call()
    return performance.now() - start
  }

  /** Time to read. Rejects when the tour is stopped. */
  async pause(ms: number = PACE_MS): Promise<void> {
    this.signal.throwIfAborted()
    if (isTerminal && !this.quick) await this.wait(ms)
  }

  /** Time that passes in any case. Rejects when the tour is stopped. */
  wait(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.signal })
  }

  #code(text: string): void {
    const [first, ...rest] = text.split("\n")
    print(`   ${paint.dim("›")} ${first}`)
    for (const line of rest) print(`     ${line}`)
  }

  #result(text: string): void {
    print(`     ${text.replaceAll("\n", "\n     ")}`)
  }
}

/** A stack whose first frame is the caller of `method`. */
function stackOf(method: (...args: never[]) => unknown): string {
  const holder = { stack: "" }
  Error.captureStackTrace(holder, method)
  return holder.stack
}

function describe(value: unknown): string {
  if (value instanceof Error) return describeError(value)
  return inspect(readable(value), {
    colors: paint.isColorSupported,
    breakLength: 90,
    maxArrayLength: 6,
    depth: 4,
  })
}

export function describeError(error: Error): string {
  const { name, message } = error
  const facts = factsOf(error)
  const text = paint.red(`${paint.bold(name)}: ${message}`)
  return facts ? `${text}\n${paint.dim(facts)}` : text
}

function factsOf(error: Error): string | undefined {
  if (error instanceof RedisError) return `code ${error.code}, command ${error.command}`
  if (error instanceof ConnectionError) return `reason ${error.reason}, outcome ${error.outcome}`
  return undefined
}

/** The same, with errors inside of it in one line each. */
function readable(value: unknown): unknown {
  if (value instanceof Error) {
    return { [inspect.custom]: () => paint.red(`[${value.name}: ${value.message}]`) }
  }
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readable(item)]))
  }
  return value
}
