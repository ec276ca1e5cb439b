/**
 * The errors that a caller can meet: what went wrong, where, and whether the command may have run.
 * Knows nothing of who raises them.
 */

/** Why a connection, or a request on it, failed. Minor versions may add reasons: a `switch` needs a `default`. */
export type ConnectionErrorReason =
  | "closed"
  | "disconnected"
  | "timeout"
  | "refused"
  | "tls"
  | "authentication"
  | "handshake"
  | "protocol-error"
  | "health-check-timeout"
  | "overloaded"
  | "no-viable-sentinel"
  | "wrong-role"
  | "no-reachable-node"
  | "no-replica-connection"
  | "too-many-redirections"

/**
 * What became of the command: `"not-sent"` surely never reached the server (safe to issue again),
 * `"unknown"` may have run.
 */
export type Outcome = "not-sent" | "unknown"

/** What a {@link ConnectionError} says beside its message. */
export interface ConnectionErrorDetails {
  readonly cause?: unknown
  readonly address?: string | undefined
  readonly outcome?: Outcome
  readonly final?: boolean
}

const BRAND_PREFIX = "@redix/client@0/"

/**
 * An `instanceof` that also holds for the other copy of the package: an application may load the ES module
 * while one of its libraries loads the CommonJS build. A subclass of a user's own keeps the ordinary meaning.
 */
function brandedInstance(
  base: { readonly prototype: object },
  brand: symbol,
  self: unknown,
  value: unknown,
): boolean {
  if (typeof value !== "object" || value === null) return false
  if (self !== base) return Function.prototype[Symbol.hasInstance].call(self, value)
  return brand in value
}

/** The base of every error that the driver makes, except for the `TypeError` of misuse. */
export class RedixError extends Error {
  declare readonly name: string

  static override [Symbol.hasInstance](value: unknown): boolean {
    return brandedInstance(RedixError, REDIX_ERROR, this, value)
  }
}

/**
 * An error reply of the server.
 *
 * @example
 * try {
 *   await conn.command(["INCR", "a-list"])
 * } catch (error) {
 *   if (error instanceof RedisError && error.code === "WRONGTYPE") …
 * }
 *
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
export class RedisError extends RedixError {
  /** The first word of the message, by which the server tells kinds of errors apart: `"ERR"`, `"WRONGTYPE"`, `"MOVED"`, … */
  readonly code: string
  /** The name of the command, in capitals, never its arguments; `undefined` where it is not known. */
  readonly command: string | undefined

  constructor(message: string, command?: string | undefined, options?: ErrorOptions) {
    super(message, options)
    this.code = codeOf(message)
    this.command = command
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return brandedInstance(RedisError, REDIS_ERROR, this, value)
  }
}

/** The connection, and not the server, failed the request. */
export class ConnectionError extends RedixError {
  readonly reason: ConnectionErrorReason
  /** Where it happened: `"host:port"`, `"[::1]:6379"` or the path of a socket; `undefined` where there is no address. */
  readonly address: string | undefined
  readonly outcome: Outcome
  /** True when the connection has ended for good: trying again on it is of no use. */
  readonly final: boolean

  constructor(reason: ConnectionErrorReason, message: string, details: ConnectionErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.reason = reason
    this.address = details.address
    this.outcome = details.outcome ?? "not-sent"
    this.final = details.final ?? false
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return brandedInstance(ConnectionError, CONNECTION_ERROR, this, value)
  }
}

const REDIX_ERROR = brand(RedixError, "RedixError")
const REDIS_ERROR = brand(RedisError, "RedisError")
const CONNECTION_ERROR = brand(ConnectionError, "ConnectionError")

function brand(base: { readonly prototype: object }, name: string): symbol {
  const symbol = Symbol.for(BRAND_PREFIX + name)
  Object.defineProperty(base.prototype, symbol, { value: true })
  Object.defineProperty(base.prototype, "name", { value: name, configurable: true, writable: true })
  return symbol
}

/** The error reply with the name of its command, which only its request knows. */
export function nameError(reply: unknown, command: string | undefined): RedisError {
  if (reply instanceof RedisError) return Object.assign(reply, { command })
  throw new TypeError("not an error reply")
}

function codeOf(message: string): string {
  const end = message.indexOf(" ")
  return end === -1 ? message : message.slice(0, end)
}

/**
 * Makes an error without capturing a stack: made while reading from a socket, it would show the driver's insides
 * only, and ten thousand of them are made at once when a connection drops.
 */
export function withoutStack<E extends Error>(make: () => E): E {
  const limit = Error.stackTraceLimit
  // Not by assignment, which throws where somebody has frozen it.
  Reflect.set(Error, "stackTraceLimit", 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, "stackTraceLimit", limit)
  }
}
