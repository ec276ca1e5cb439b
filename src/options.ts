/**
 * The options of a connection and of a pool: their types and, in one table per set, type, range, default and meaning.
 * Checks what a caller gives and fills in the defaults; docs/options.md is printed from the same tables. Leaves to
 * everybody else what an option does, to uri.ts how a URI is read, and to the files beside the options of Sentinel and of
 * single calls: who asks for options finds all of them here.
 */

import {
  type Credentials,
  credentialRows,
  credentials,
  type LinkSettings,
  linkRows,
  type Password,
  type SocketOptions,
  type TlsOptions,
} from "./link-options.ts"
import {
  COUNT_EXPECTED,
  flag,
  isBoolean,
  isCount,
  isPort,
  isText,
  milliseconds,
  port,
  text,
} from "./option-kinds.ts"
import {
  type GivenOptions,
  givenOptions,
  misuse,
  numberRow,
  type OptionNames,
  type OptionRows,
  type OptionSet,
  optionSet,
  type Place,
  readOptions,
  row,
} from "./options-table.ts"
import { type ResolvedSentinel, readSentinel, type SentinelOptions } from "./sentinel-options.ts"
import { parseUri, type UriParts } from "./uri.ts"
import { describe, isPlainObject } from "./util/describe.ts"

export * from "./call-options.ts"
export type { Password, SocketOptions, TlsOptions } from "./link-options.ts"
export {
  type ResolvedSentinel,
  type ResolvedSentinelAddress,
  type SentinelAddress,
  type SentinelOptions,
  sentinelAddress,
  sentinelOptions,
} from "./sentinel-options.ts"

/** The version of the wire protocol, RESP2 or RESP3. */
export type Protocol = 2 | 3

/** Options of a connection. All may be left out; `undefined` counts as left out. */
export interface RedixOptions<P extends Protocol = Protocol> {
  /** Host name or IP address of the server. Not together with `path` or `sentinel`. Default: `"localhost"`. */
  host?: string | undefined
  /** Port of the server, 1 to 65535. Not together with `path` or `sentinel`. Default: `6379`. */
  port?: number | undefined
  /** Path of the server's Unix domain socket. Not together with `host`, `port` or `sentinel`. Default: none. */
  path?: string | undefined
  /** Number of the database that is selected after connecting. Default: none, which is database 0. */
  database?: number | undefined
  /** User name for `AUTH`; without a password no `AUTH` is sent. `""` means none, also against a URI. Default: none. */
  username?: string | undefined
  /**
   * Password for `AUTH`, or a function, sync or async, that is called for it on every (re)connection. `""` is the
   * empty password of `username`, and without `username` means none, also against a URI. Default: none.
   */
  password?: Password | undefined
  /**
   * `true` for TLS, or options of `tls.connect`. Certificates and host names are verified unless these say otherwise.
   * `false` contradicts a URI that begins with `rediss://` or `valkeys://`. Default: `false`, or `true` by such a URI.
   */
  tls?: boolean | TlsOptions | undefined
  /**
   * More options of `net.connect`: `family`, `lookup`, …
   * Default: `{ keepAlive: true, keepAliveInitialDelay: 10_000, noDelay: true }`, each replaceable by itself.
   */
  socket?: SocketOptions | undefined
  /** Milliseconds for a connection attempt, including TLS and the handshake; `Infinity` for no limit. Default: `5000`. */
  timeout?: number | undefined
  /** Milliseconds for a request that gives no `timeout` of its own; `Infinity` for no limit. Default: `5000`. */
  commandTimeout?: number | undefined
  /** Milliseconds before the first reconnection; each later wait is 1.5 times as long, less jitter. Default: `500`. */
  backoffInitial?: number | undefined
  /** Milliseconds up to which the wait before a reconnection grows; `Infinity` for no limit. Default: `30_000`. */
  backoffMax?: number | undefined
  /** Whether the first disconnection, or failed connection attempt, ends the connection for good. Default: `false`. */
  exitOnDisconnection?: boolean | undefined
  /** Milliseconds of silence after which a connection that owes a reply is given up; `Infinity` for never. Default: `15_000`. */
  healthCheckInterval?: number | undefined
  /** Name under which the connection is registered until it ends. Default: none. */
  name?: string | undefined
  /** Name for `CLIENT SETNAME`: printable ASCII characters without spaces. Default: none. */
  clientName?: string | undefined
  /** Whether the driver tells the server its own name and version, by `CLIENT SETINFO`. Default: `true`. */
  clientInfo?: boolean | undefined
  /** Whether `READONLY` is issued after connecting, for reading from replicas of a cluster. Default: `false`. */
  readonly?: boolean | undefined
  /** Protocol version: `2`, or `3` for RESP3. Default: `2`. */
  protocol?: P | undefined
  /** Number of requests waiting or in flight beyond which further ones are refused; `Infinity` for no limit. Default: `Infinity`. */
  maxInFlight?: number | undefined
  /** Asks Sentinel where the server is. Not together with `host`, `port` or `path`. Default: none. */
  sentinel?: SentinelOptions | undefined
}

/** How a pool chooses among its connections: the one with the fewest requests under way, each in turn, or any. */
export type PoolStrategy = "least-busy" | "round-robin" | "random"

/** Options of a pool: those of a connection, which hold for each of its connections, and a few more. */
export interface PoolOptions<P extends Protocol = Protocol> extends RedixOptions<P> {
  /** Number of connections that share the commands of all callers. Default: `5`. */
  size?: number | undefined
  /** How the connection for a request is chosen. Default: `"least-busy"`. */
  strategy?: PoolStrategy | undefined
  /** Number of connections beside those, for checkouts and blocking commands, beyond which they wait. Default: `100`. */
  maxDedicated?: number | undefined
}

/** {@link RedixOptions}, checked, copied and with their defaults. `undefined` is what has no default and was not given. */
export interface ResolvedOptions extends Credentials, LinkSettings {
  /** Of no meaning where `path` or `sentinel` is given, as is `port`. */
  readonly host: string
  readonly port: number
  readonly path: string | undefined
  readonly database: number | undefined
  readonly timeout: number
  readonly commandTimeout: number
  readonly backoffInitial: number
  readonly backoffMax: number
  readonly exitOnDisconnection: boolean
  readonly healthCheckInterval: number
  readonly name: string | undefined
  readonly clientName: string | undefined
  readonly clientInfo: boolean
  readonly readonly: boolean
  readonly protocol: Protocol
  readonly maxInFlight: number
  readonly sentinel: ResolvedSentinel | undefined
}

/** {@link PoolOptions}, checked, copied and with their defaults. */
export interface ResolvedPoolOptions extends ResolvedOptions {
  readonly size: number
  readonly strategy: PoolStrategy
  readonly maxDedicated: number
}

/** The rows of a connection to a server; other sets are made of them and rows of their own. */
export const redixRows: OptionRows<ResolvedOptions> = {
  host: row(isText, {
    ...text,
    default: "localhost",
    doc: "host name or IP address of the server; not together with `path` or `sentinel`",
    aliases: ["hostname"],
  }),
  port: numberRow(isPort, {
    ...port,
    default: 6379,
    doc: "port of the server; not together with `path` or `sentinel`",
  }),
  path: row(isPath, {
    type: "string",
    expected: "the path of a Unix domain socket",
    doc: "path of the server's Unix domain socket; not together with `host`, `port` or `sentinel`",
    aliases: ["unix", "socketPath"],
  }),
  database: numberRow((value) => Number.isSafeInteger(value) && value >= 0, {
    type: "number",
    expected: "an integer of 0 or more",
    doc: "number of the database that is selected after connecting; without it, it is database 0",
    aliases: ["db"],
  }),
  ...credentialRows(""),
  ...linkRows("the server"),
  timeout: milliseconds(5000, "time for a connection attempt, including TLS and the handshake", [
    "connectTimeout",
  ]),
  commandTimeout: milliseconds(5000, "time for a request that gives no `timeout` of its own", [
    "requestTimeout",
  ]),
  backoffInitial: numberRow((value) => value >= 0 && value !== Infinity, {
    type: "number",
    expected: "a finite number of milliseconds, 0 or more",
    unit: "ms",
    default: 500,
    doc: "wait before the first reconnection; each later wait is 1.5 times as long, and spread by jitter within [0.5, 1] of that",
  }),
  backoffMax: numberRow((value) => value >= 0, {
    type: "number",
    expected: "a number of milliseconds, 0 or more, or Infinity",
    unit: "ms",
    default: 30_000,
    doc: "limit up to which the wait before a reconnection grows",
  }),
  exitOnDisconnection: row(isBoolean, {
    ...flag,
    default: false,
    doc: "whether the first disconnection, or failed connection attempt, ends the connection for good",
  }),
  healthCheckInterval: milliseconds(
    15_000,
    "time of silence after which a connection that owes a reply is torn down and made anew; `Infinity` for never",
    ["pingInterval", "socketTimeout"],
  ),
  name: row(isText, {
    ...text,
    doc: "registers the connection under this name until it ends",
  }),
  clientName: row(isClientName, {
    type: "string",
    expected: "a string of printable ASCII characters without spaces",
    doc: "name for `CLIENT SETNAME`, without spaces",
    aliases: ["connectionName"],
  }),
  clientInfo: row(isBoolean, {
    ...flag,
    default: true,
    doc: "whether the driver tells the server its own name and version, by `CLIENT SETINFO`",
  }),
  readonly: row(isBoolean, {
    ...flag,
    default: false,
    doc: "whether `READONLY` is issued after every connection, for replicas of a cluster",
  }),
  protocol: row(isProtocol, {
    type: "2 | 3",
    expected: "2 or 3",
    default: 2,
    doc: "version of the protocol; `3` is RESP3",
    aliases: ["RESP"],
  }),
  maxInFlight: numberRow(isCount, {
    type: "number",
    expected: COUNT_EXPECTED,
    default: Infinity,
    doc: "number of requests waiting or in flight beyond which further ones are refused",
    aliases: ["commandsQueueMaxLength"],
  }),
  sentinel: {
    type: "SentinelOptions",
    expected: "an object with options of a Sentinel setup",
    doc: "asks Sentinel where the server is, see below; not together with `host`, `port` or `path`",
    aliases: ["sentinels"],
    read: readSentinel,
  },
}

export const uriHints = {
  uri: "a URI is the first argument by itself",
  url: "a URI is the first argument by itself",
} as const

export const redixOptions: OptionSet<ResolvedOptions> = optionSet("Redix", redixRows, uriHints)

/** For whatever has connections of its own for checkouts and blocking commands. */
export const dedicatedRows: OptionRows<Pick<ResolvedPoolOptions, "maxDedicated">> = {
  maxDedicated: numberRow(isCount, {
    type: "number",
    expected: COUNT_EXPECTED,
    default: 100,
    doc: "number of connections for checkouts and blocking commands, opened on demand, beyond which these wait",
  }),
}

type PoolOnly = Pick<ResolvedPoolOptions, "size" | "strategy" | "maxDedicated">

const poolRows: OptionRows<PoolOnly> = {
  size: numberRow((value) => Number.isSafeInteger(value) && value >= 1, {
    type: "number",
    expected: "an integer of 1 or more",
    default: 5,
    doc: "number of connections that share the commands of all callers, opened at once",
    aliases: ["poolSize", "connections", "max"],
  }),
  strategy: row(isStrategy, {
    type: '"least-busy" | "round-robin" | "random"',
    expected: '"least-busy", "round-robin" or "random"',
    default: "least-busy",
    doc: "how the connection for a request is chosen: the one with the fewest requests under way, each in turn, or any",
  }),
  ...dedicatedRows,
}

/** What the options of a pool have beside those of a connection. */
export const poolOnlyOptions: OptionSet<PoolOnly> = optionSet("Pool", poolRows)

export const poolOptions: OptionSet<ResolvedPoolOptions> = optionSet(
  "Pool",
  { ...redixRows, ...poolRows },
  uriHints,
)

/**
 * The options of `Redix.start(...args)`: `()`, `(options)`, `(uri)` or `(uri, options)`, in which options win over
 * the URI. Throws a `TypeError` for everything else, which never shows a string that was given.
 */
export function resolveOptions(args: readonly unknown[]): ResolvedOptions {
  return fill(redixOptions, startSources(redixOptions, args))
}

/**
 * The options of a `duplicate` of a connection: those of `base` without its name, except for `overrides`, which are
 * {@link RedixOptions}. Overrides that say where to connect to replace all of `base` that says so: `path` or `sentinel`
 * instead of its host and port, for example; `host` alone keeps its port.
 */
export function mergeOptions(base: ResolvedOptions, overrides: unknown): ResolvedOptions {
  const given = overrides === undefined ? new Map<string, unknown>() : givenOptions(redixOptions, overrides)
  refuseContradictions(redixOptions, given, undefined)
  const kept = new Map<string, unknown>(Object.entries(base))
  for (const name of ["name", "sentinel", ...replacedBy(given)]) kept.delete(name)
  for (const [name, value] of kept) if (value === undefined) kept.delete(name)
  const merged = fill(redixOptions, [given, kept])
  const isMoved = given.has("host") || given.has("port") || given.has("path") || given.has("sentinel")
  return isMoved ? merged : { ...merged, sentinel: base.sentinel }
}

/** The options of `Pool.start(...args)`, as {@link resolveOptions}. */
export function resolvePoolOptions(args: readonly unknown[]): ResolvedPoolOptions {
  const sources = startSources(poolOptions, args)
  const { filled } = readOptions(poolOptions, sources)
  return {
    ...fill(poolOptions, sources),
    size: filled("size"),
    strategy: filled("strategy"),
    maxDedicated: filled("maxDedicated"),
  }
}

function replacedBy(given: GivenOptions): readonly string[] {
  if (given.has("path") || given.has("sentinel")) return ["host", "port", "path"]
  return given.has("host") || given.has("port") ? ["path"] : []
}

/** What the arguments of a `start` give, options before the URI. */
export function startSources(set: OptionNames, args: readonly unknown[]): readonly GivenOptions[] {
  if (args.length === 0) return []
  const [first, second] = args
  if (args.length > 2) {
    throw new TypeError(
      `${set.name} arguments: expected at most a URI and options, got ${args.length} of them`,
    )
  }
  if (typeof first === "string" && first !== "") return uriSources(set, first, second)
  if (!isPlainObject(first)) throw notAStart(set, first)
  if (second !== undefined) {
    throw new TypeError(
      `${set.name} arguments: a second one is allowed after a URI only, got ${describe(second)}`,
    )
  }
  const given = givenOptions(set, first)
  refuseContradictions(set, given, undefined)
  return [given]
}

function uriSources(set: OptionNames, uri: string, options: unknown): readonly GivenOptions[] {
  const given = options === undefined ? new Map<string, unknown>() : givenOptions(set, options)
  const parts = parseUri(uri, `${set.name} URI`)
  refuseContradictions(set, given, parts)
  return [given, new Map<string, unknown>(Object.entries(parts))]
}

function notAStart(set: OptionNames, value: unknown): TypeError {
  const problem = `expected a URI or an object with options, got ${describe(value)}`
  const isEmpty = value === undefined || value === null || value === ""
  return new TypeError(
    isEmpty
      ? `${set.name} URI: ${problem}; is an environment variable not set? Only a call without any argument means localhost`
      : `${set.name} options: ${problem}${value instanceof URL ? "; give its href" : ""}`,
  )
}

/** Throws where the options, together with the URI, name more than one place to connect to, or TLS and no TLS. */
function refuseContradictions(set: OptionNames, given: GivenOptions, uri: UriParts | undefined): void {
  const at = (name: string): Place => ({ set: set.name, path: name })
  const address = given.has("host") ? "host" : given.has("port") ? "port" : undefined
  if (given.has("path") && address !== undefined) throw misuse(at("path"), `it excludes "${address}"`)
  if (given.has("path") && uri !== undefined && uri.path === undefined) {
    throw misuse(at("path"), "it contradicts the URI, which is not a unix:// one")
  }
  if (address !== undefined && uri?.path !== undefined) {
    throw misuse(at(address), "it contradicts the URI, which is a unix:// one")
  }
  if (given.has("sentinel")) refuseAddress(at("sentinel"), given, uri)
  if (uri?.tls === true && given.get("tls") === false) {
    throw misuse(at("tls"), "false contradicts the scheme of the URI, which asks for TLS")
  }
}

function refuseAddress(place: Place, given: GivenOptions, uri: UriParts | undefined): void {
  for (const name of ["host", "port", "path"] as const) {
    if (given.has(name)) throw misuse(place, `it excludes "${name}": the sentinels know the address`)
    if (uri?.[name] !== undefined) {
      throw misuse(place, `it excludes the ${name} of the URI: the sentinels know the address`)
    }
  }
}

/** Reads every option of a connection from the first of the sources that gives it. */
export function fill(set: OptionSet<ResolvedOptions>, sources: readonly GivenOptions[]): ResolvedOptions {
  const { optional, filled } = readOptions(set, sources)
  return {
    host: filled("host"),
    port: filled("port"),
    path: optional("path"),
    database: optional("database"),
    ...credentials(optional("username"), optional("password")),
    tls: filled("tls"),
    socket: filled("socket"),
    timeout: filled("timeout"),
    commandTimeout: filled("commandTimeout"),
    backoffInitial: filled("backoffInitial"),
    backoffMax: filled("backoffMax"),
    exitOnDisconnection: filled("exitOnDisconnection"),
    healthCheckInterval: filled("healthCheckInterval"),
    name: optional("name"),
    clientName: optional("clientName"),
    clientInfo: filled("clientInfo"),
    readonly: filled("readonly"),
    protocol: filled("protocol"),
    maxInFlight: filled("maxInFlight"),
    sentinel: optional("sentinel"),
  }
}

function isStrategy(value: unknown): value is PoolStrategy {
  return value === "least-busy" || value === "round-robin" || value === "random"
}

/** The system ends a path at a NUL, and would open another one. */
function isPath(value: unknown): value is string {
  return isText(value) && !value.includes("\0")
}

/** Source: https://redis.io/docs/latest/commands/client-setname/ */
function isClientName(value: unknown): value is string {
  return typeof value === "string" && /^[!-~]+$/.test(value)
}

function isProtocol(value: unknown): value is Protocol {
  return value === 2 || value === 3
}
