/**
 * What must hold whatever breaks: every call settles in time and with a legal error, every reply belongs to its call,
 * every write runs at most once, an acknowledged one exactly once, and one that was "not sent" never.
 * Knows how to record calls and to judge them afterwards; causing faults is left to the tests.
 */
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { inspect } from "node:util"
import { type Command, ConnectionError, RedisError, type RequestOptions } from "@redix/client"
import { until } from "../../support/wait.ts"

/** How a call ended. */
export type Settled =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown }

/** As much of a connection as is recorded. */
export interface Connection {
  command(command: Command, options?: RequestOptions): Promise<unknown>
  pipeline(commands: readonly Command[], options?: RequestOptions): Promise<unknown>
  transactionPipeline(commands: readonly Command[], options?: RequestOptions): Promise<unknown>
  noreplyCommand(command: Command, options?: RequestOptions): Promise<unknown>
  noreplyPipeline(commands: readonly Command[], options?: RequestOptions): Promise<unknown>
}

/** One command to the server beside the driver. */
export type Send = (...command: string[]) => Promise<unknown>

/** What else is known about a call. */
export interface CallOptions {
  /** Ms after which it must have settled, without the grace. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
  /** It is a misuse: a `TypeError` is what it should end with. */
  readonly misuse?: boolean
  /** Says what is wrong with a value, if anything. */
  readonly check?: ((value: unknown) => string | undefined) | undefined
  /** Keys that the call increments once each, used by nobody else. */
  readonly increments?: readonly string[]
  /** The increments happen all or not at all. */
  readonly atomic?: boolean
  /** That it succeeds does not say that they happened: nobody reads what the server makes of a noreply command. */
  readonly unacknowledged?: boolean
}

interface Call extends CallOptions {
  readonly what: string
  readonly issuedAt: number
  settledAt: number
  settled: Settled | undefined
}

/** The reasons of a `ConnectionError` that a single connection may give. */
const reasons: ReadonlySet<string> = new Set([
  "closed",
  "disconnected",
  "timeout",
  "refused",
  "tls",
  "authentication",
  "handshake",
  "protocol-error",
  "health-check-timeout",
  "overloaded",
])

const run = randomBytes(4).toString("hex")
let counter = 0

/** A text that no other call of this run uses: a key, or the tag of an ECHO. */
export function unique(label = "tag"): string {
  counter += 1
  return `faults:${run}:${label}:${counter}`
}

/** What escaped from all promises of this process. */
const escaped: string[] = []
process.on("uncaughtExceptionMonitor", (error) => escaped.push(`uncaught exception: ${inspect(error)}`))
process.on("unhandledRejection", (error) => escaped.push(`unhandled rejection: ${inspect(error)}`))

export class Recorder {
  readonly #graceMs: number
  readonly #calls: Call[] = []
  readonly #escapedBefore = escaped.length

  /** `graceMs` is for a slow machine; what settles later than its timeout and this counts as hung. */
  constructor({ graceMs = 5000 }: { graceMs?: number } = {}) {
    this.#graceMs = graceMs
  }

  /** The calls of `connection` recorded; `timeout` is its `commandTimeout`. */
  wrap(connection: Connection, { timeout = 5000 }: { timeout?: number } = {}): Calls {
    return new Calls(this, connection, timeout)
  }

  /**
   * Records a call and returns how it ends, without ever rejecting. From here on nothing that happens to `promise`
   * is unhandled, so a fault may follow at once.
   */
  watch(what: string, promise: Promise<unknown>, options: CallOptions): Promise<Settled> {
    const call: Call = {
      ...options,
      what,
      issuedAt: performance.now(),
      settledAt: Number.NaN,
      settled: undefined,
    }
    this.#calls.push(call)
    const settle = (settled: Settled): Settled => {
      call.settledAt = performance.now()
      call.settled = settled
      return settled
    }
    return promise.then(
      (value) => settle({ ok: true, value }),
      (error: unknown) => settle({ ok: false, error }),
    )
  }

  /** How many calls were recorded. */
  get size(): number {
    return this.#calls.length
  }

  /** How many ended in that way: `"ok"`, the reason of a `ConnectionError`, or the name of an error. */
  tally(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { settled } of this.#calls) {
      const name = settled ? nameOf(settled) : "pending"
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  /** Waits for every call, and fails with everything that is wrong. `send` reaches the server, past every fault. */
  async verify(send?: Send): Promise<void> {
    assert.deepEqual((await this.violations(send)).slice(0, 20), [])
  }

  /** Everything that is wrong, a sentence each. */
  async violations(send?: Send): Promise<string[]> {
    const bound = Math.max(0, ...this.#calls.map((call) => this.#remainingMs(call)))
    assert.ok(Number.isFinite(bound), "a call without any timeout is still pending")
    const allSettled = () => this.#calls.every(({ settled }) => settled)
    await until(allSettled, { timeout: bound }).catch(() => undefined)
    return [
      ...this.#calls.flatMap((call) => this.#judge(call)),
      ...(send ? await this.#judgeWrites(send) : []),
      ...escaped.slice(this.#escapedBefore),
    ]
  }

  #remainingMs(call: Call): number {
    return call.settled ? 0 : call.issuedAt + call.timeout + this.#graceMs - performance.now()
  }

  #judge(call: Call): string[] {
    const { settled, what } = call
    if (!settled) return [`${what} hangs`]
    const faults: string[] = []
    const elapsed = Math.round(call.settledAt - call.issuedAt)
    if (elapsed > call.timeout + this.#graceMs) faults.push(`${what} took ${elapsed} ms`)
    const wrong = settled.ok ? call.check?.(settled.value) : illegality(settled.error, call)
    if (wrong) faults.push(`${what} ${wrong}`)
    if (settled.ok && call.misuse) faults.push(`${what} was not refused`)
    return faults
  }

  async #judgeWrites(send: Send): Promise<string[]> {
    const writes = this.#calls.filter(({ increments }) => increments?.length)
    const counts = await readCounts(
      send,
      writes.flatMap(({ increments = [] }) => increments),
    )
    return writes.flatMap((call) => {
      const { what, increments = [], atomic, settled } = call
      const found = increments.map((key) => counts.get(key) ?? 0)
      const faults: string[] = []
      if (found.some((count) => count > 1)) faults.push(`${what} ran more than once: ${found}`)
      if (atomic && new Set(found).size > 1) faults.push(`${what} ran in part: ${found}`)
      if (isAcknowledged(call) && found.includes(0)) faults.push(`${what} is lost although acknowledged`)
      if (settled && surelyNotRun(settled) && found.some((count) => count > 0))
        faults.push(`${what} ran although it rejected with ${nameOf(settled)}, which says it did not`)
      return faults
    })
  }
}

/** The calls of one connection, recorded. None of them rejects. */
export class Calls {
  readonly recorder: Recorder
  readonly #connection: Connection
  readonly #timeout: number

  constructor(recorder: Recorder, connection: Connection, timeout: number) {
    this.recorder = recorder
    this.#connection = connection
    this.#timeout = timeout
  }

  command(command: Command, options?: RequestOptions, known?: Partial<CallOptions>): Promise<Settled> {
    const call = this.#connection.command(command, options)
    return this.#watch(describe([command]), call, options, known)
  }

  pipeline(
    commands: readonly Command[],
    options?: RequestOptions,
    known?: Partial<CallOptions>,
  ): Promise<Settled> {
    return this.#watch(
      `pipeline ${describe(commands)}`,
      this.#connection.pipeline(commands, options),
      options,
      known,
    )
  }

  transactionPipeline(
    commands: readonly Command[],
    options?: RequestOptions,
    known?: Partial<CallOptions>,
  ): Promise<Settled> {
    const call = this.#connection.transactionPipeline(commands, options)
    return this.#watch(`transaction ${describe(commands)}`, call, options, { atomic: true, ...known })
  }

  noreplyCommand(command: Command, options?: RequestOptions, known?: Partial<CallOptions>): Promise<Settled> {
    const call = this.#connection.noreplyCommand(command, options)
    return this.#watch(`noreply ${describe([command])}`, call, options, known)
  }

  noreplyPipeline(
    commands: readonly Command[],
    options?: RequestOptions,
    known?: Partial<CallOptions>,
  ): Promise<Settled> {
    const call = this.#connection.noreplyPipeline(commands, options)
    return this.#watch(`noreply ${describe(commands)}`, call, options, known)
  }

  /** An ECHO of a tag of its own: only its own reply has it. */
  echo(options?: RequestOptions): Promise<Settled> {
    const tag = unique()
    return this.command(["ECHO", tag], options, { check: equals(tag) })
  }

  /** An INCR of a key of its own: 1, and 1 on the server. */
  incr(options?: RequestOptions): Promise<Settled> {
    const key = unique("key")
    return this.command(["INCR", key], options, { check: equals(1), increments: [key] })
  }

  /** A transaction of `size` such INCRs. */
  incrAtomically(size: number, options?: RequestOptions): Promise<Settled> {
    const keys = Array.from({ length: size }, () => unique("key"))
    const commands = keys.map((key): Command => ["INCR", key])
    return this.transactionPipeline(commands, options, {
      check: equals(keys.map(() => 1)),
      increments: keys,
    })
  }

  /** `size` such INCRs of which no reply is asked. */
  incrSilently(size: number, options?: RequestOptions, known?: Partial<CallOptions>): Promise<Settled> {
    const keys = Array.from({ length: size }, () => unique("key"))
    const commands = keys.map((key): Command => ["INCR", key])
    return this.noreplyPipeline(commands, options, { check: equals(undefined), increments: keys, ...known })
  }

  #watch(
    what: string,
    promise: Promise<unknown>,
    options: RequestOptions | undefined,
    known: Partial<CallOptions> | undefined,
  ): Promise<Settled> {
    const timeout = options?.timeout ?? this.#timeout
    return this.recorder.watch(what, promise, { timeout, signal: options?.signal, ...known })
  }
}

/** A check that a value, or the bytes of it, is exactly this. */
export function equals(expected: unknown): (value: unknown) => string | undefined {
  return (value) => {
    const comparable = typeof expected === "string" && Buffer.isBuffer(value) ? value.toString() : value
    try {
      assert.deepStrictEqual(comparable, expected)
      return undefined
    } catch {
      return `got the reply ${inspect(value)} instead of ${inspect(expected)}`
    }
  }
}

/** `"ok"`, the reason of a `ConnectionError`, or the name of another error. */
export function nameOf(settled: Settled): string {
  if (settled.ok) return "ok"
  const { error } = settled
  if (error instanceof ConnectionError) return error.reason
  return error instanceof Error ? error.name : inspect(error)
}

/** What is illegal about the error of a call, if anything. */
function illegality(error: unknown, { signal, misuse }: CallOptions): string | undefined {
  if (signal?.aborted && error === signal.reason) return undefined
  if (misuse) return error instanceof TypeError ? undefined : `rejected with ${inspect(error)}, no TypeError`
  if (error instanceof RedisError) return undefined
  if (!(error instanceof ConnectionError)) return `rejected with ${inspect(error)}`
  if (!reasons.has(error.reason)) return `rejected with the unknown reason ${error.reason}`
  if (error.outcome !== "not-sent" && error.outcome !== "unknown") return `has the outcome ${error.outcome}`
  return undefined
}

/** Answered as it should be. Without a check of its own, no value may be an error, of a command that did not run. */
function isAcknowledged({ settled, check, unacknowledged }: Call): boolean {
  if (!settled?.ok || unacknowledged) return false
  if (check) return check(settled.value) === undefined
  return !(Array.isArray(settled.value) && settled.value.some((item) => item instanceof RedisError))
}

/** Refused by the server or by the driver, or said not to have been sent. */
function surelyNotRun(settled: Settled): boolean {
  if (settled.ok) return false
  const { error } = settled
  if (error instanceof ConnectionError) return error.outcome === "not-sent"
  return error instanceof RedisError || error instanceof TypeError
}

async function readCounts(send: Send, keys: readonly string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (let index = 0; index < keys.length; index += 1000) {
    const some = keys.slice(index, index + 1000)
    const values = (await send("MGET", ...some)) as (string | null)[]
    for (const [at, key] of some.entries()) counts.set(key, Number(values[at] ?? 0))
  }
  return counts
}

function describe(commands: readonly Command[]): string {
  return commands
    .slice(0, 3)
    .map((command) => command.slice(0, 2).map(String).join(" "))
    .join(", ")
}
