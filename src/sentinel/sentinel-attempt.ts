/**
 * One attempt by way of sentinels: they are asked one after the other, until one names a server that can be connected to
 * and that has the role it should; a server that was announced is tried before. The time limit of an attempt is that of each
 * server, which is tried once; sentinels have one of their own. Fails when none does. Knows nothing of what comes after.
 */

import { Attempt } from "../connection/attempt.ts"
import type { Connection } from "../connection/connection.ts"
import { discard } from "../connection/discard.ts"
import type { AttemptOwner, ConnectionAttempt, ConnectionOptions, Link } from "../connection/options.ts"
import { ConnectionError, RedixError } from "../errors.ts"
import { type Endpoint, formatEndpoint } from "../transport/transport.ts"
import type { Asker, SentinelDirectory } from "./directory.ts"

/** More sentinels than this are not asked in one attempt: one that always knows another would have no end. */
const MOST_ASKED = 32

export class SentinelAttempt implements ConnectionAttempt, Asker {
  readonly #directory: SentinelDirectory
  readonly #options: ConnectionOptions
  readonly #database: number | undefined
  readonly #owner: AttemptOwner
  readonly #announced: Endpoint | undefined
  #inner: Attempt | undefined
  #conversation: Connection | undefined
  #keepsAlive = true
  #isOver = false
  /** What each of those said that could not help, in order. */
  readonly #failures: Array<{ readonly who: string; readonly error: ConnectionError }> = []
  /** Servers that could not be connected to. */
  readonly #failed = new Map<string, unknown>()

  constructor(
    directory: SentinelDirectory,
    options: ConnectionOptions,
    database: number | undefined,
    owner: AttemptOwner,
    announced: Endpoint | undefined,
  ) {
    this.#directory = directory
    this.#options = options
    this.#database = database
    this.#owner = owner
    this.#announced = announced
  }

  start(): void {
    void this.#run()
  }

  cancel(): void {
    this.#isOver = true
    this.#inner?.cancel()
    this.#conversation?.destroy()
  }

  keepAlive(keepsAlive: boolean): void {
    this.#keepsAlive = keepsAlive
    this.#inner?.keepAlive(keepsAlive)
    this.#conversation?.keepAlive(keepsAlive)
  }

  // ── the conversation with a sentinel ──────────────────────────────────────────────────────────────────────────

  onConversation(connection: Connection): void {
    this.#conversation = connection
    connection.keepAlive(this.#keepsAlive)
  }

  onDiscarded(closed: Promise<void>): void {
    this.#conversation = undefined
    this.#owner.onDiscarded(closed)
  }

  // ── one after the other ───────────────────────────────────────────────────────────────────────────────────────

  async #run(): Promise<void> {
    if (this.#announced !== undefined && (await this.#tryAnnounced(this.#announced))) return
    const asked = new Set<string>()
    for (let sentinel = this.#next(asked); sentinel !== undefined; sentinel = this.#next(asked)) {
      if (this.#isOver) return
      const address = formatEndpoint(sentinel)
      asked.add(address)
      try {
        this.#succeed(await this.#connect(await this.#directory.locate(sentinel, this)))
        return
      } catch (error) {
        if (this.#isOver) return
        const failure = asConnectionError(error, address)
        this.#failures.push({ who: address, error: failure })
        this.#owner.onSentinelFailed(address, failure)
      }
    }
    if (this.#isOver) return
    const error = this.#noneViable()
    this.cancel()
    this.#owner.onAttemptFailed(this, error)
  }

  /** Whoever has announced it knows more than sentinels that have not heard of it yet. */
  async #tryAnnounced(endpoint: Endpoint): Promise<boolean> {
    try {
      this.#succeed(await this.#connect(endpoint))
      return true
    } catch (error) {
      this.#failures.push({ who: "as announced", error: asConnectionError(error, formatEndpoint(endpoint)) })
      return false
    }
  }

  /** Looked up each time: a sentinel tells of others. */
  #next(asked: ReadonlySet<string>): ReturnType<SentinelDirectory["sentinels"]>[number] | undefined {
    if (asked.size >= MOST_ASKED) return undefined
    return this.#directory.sentinels().find((each) => !asked.has(formatEndpoint(each)))
  }

  async #connect(endpoint: Endpoint): Promise<Link> {
    const address = formatEndpoint(endpoint)
    // Several sentinels name the same server: that it cannot be reached need not be found out again.
    if (this.#failed.has(address)) throw this.#failed.get(address)
    try {
      return await this.#dial(endpoint, address)
    } catch (error) {
      this.#failed.set(address, error)
      throw error
    }
  }

  #dial(endpoint: Endpoint, label: string): Promise<Link> {
    return new Promise((resolve, reject) => {
      const owner: AttemptOwner = {
        onAttemptUp: (_attempt, link) => resolve(link),
        onAttemptFailed: (_attempt, error) => reject(error),
        onSentinelFailed: () => {},
        onDiscarded: (closed) => this.#owner.onDiscarded(closed),
      }
      const { role } = this.#directory.options
      this.#inner = new Attempt(
        { ...this.#options, resolve: () => endpoint, label, role },
        this.#database,
        owner,
      )
      this.#inner.keepAlive(this.#keepsAlive)
      if (this.#isOver) reject(new RedixError("given up"))
      else this.#inner.start()
    })
  }

  #succeed(link: Link): void {
    if (this.#isOver) {
      this.#owner.onDiscarded(discard(link.transport))
      return
    }
    this.#isOver = true
    this.#owner.onAttemptUp(this, link)
  }

  #noneViable(): ConnectionError {
    const { group, role } = this.#directory.options
    const said = this.#failures.map(({ who, error }) => `${who}: ${error.message}`).join("; ")
    const errors = this.#failures.map(({ error }) => error)
    const details = { address: this.#options.label, cause: new AggregateError(errors, said) }
    const message = `no sentinel led to a ${role} of "${group}" (${said})`
    return new ConnectionError("no-viable-sentinel", message, details)
  }
}

function asConnectionError(error: unknown, address: string): ConnectionError {
  if (error instanceof ConnectionError) return error
  const message = error instanceof Error ? error.message : String(error)
  const details = { address, cause: error }
  return new ConnectionError(
    "no-viable-sentinel",
    `the sentinel at ${address} cannot help: ${message}`,
    details,
  )
}
