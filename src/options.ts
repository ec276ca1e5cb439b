/**
 * The options of a connection, of a Sentinel setup and of single calls: their types and, in one table per set, type,
 * range, default and meaning. Checks what a caller gives and fills in the defaults; docs/options.md is printed from
 * the same tables. Leaves to everybody else what an option does, and to uri.ts how a URI is read.
 *
 * Long, since types, tables and what combines the options are one list told three times, easier kept in step here.
 */

import type { TcpSocketConnectOpts } from "node:net"
import type { ConnectionOptions } from "node:tls"
import {
  checkOptions,
  type GivenOptions,
  givenOptions,
  inside,
  label,
  misuse,
  numberRow,
  type OptionFacts,
  type OptionNames,
  type OptionRow,
  type OptionRows,
  type OptionSet,
  optionSet,
  type Place,
  readOptions,
  row,
} from "./options-table.ts"
import { parseUri, type UriParts } from "./uri.ts"
import { describe, isPlainObject } from "./util/describe.ts"

/** The version of the wire protocol, RESP2 or RESP3. */
export type Protocol = 2 | 3

/** What strings in replies become: text, or `Buffer`s with the bytes as they came. */
export type Encoding = "utf8" | "buffer"

/** A password, or a function that is called for it on every (re)connection. */
export type Password = string | (() => string | Promise<string>)

/** Options of `net.connect`, except for those that say where to connect to. */
export type SocketOptions = Omit<Partial<TcpSocketConnectOpts>, "host" | "port" | "path" | "onread">

/** Options of `tls.connect`, except for those that say where to connect to. */
export type TlsOptions = Omit<ConnectionOptions, "host" | "port" | "path" | "socket">

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

/** Options of `checkout` and `use`. */
export interface CheckoutOptions {
  /** Milliseconds, more than 0, until there has to be a connection; `Infinity` for no limit. Default: `commandTimeout`. */
  timeout?: number | undefined
  /** Ends the waiting; it rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined
}

/** Options of `watch`. */
export interface WatchOptions extends CheckoutOptions {
  /** Number of times that it is tried again when a watched key has changed; `Infinity` for no limit. Default: `10`. */
  retries?: number | undefined
}

/** Options of one subscription. */
export interface SubscribeOptions<E extends Encoding = Encoding> {
  /** What payloads become. Default: `"utf8"`. */
  encoding?: E | undefined
  /** Number of events that an iterator keeps while it is not read; beyond it the oldest are dropped. Default: `10_000`. */
  maxBuffered?: number | undefined
  /**
   * Milliseconds, more than 0, until the server has to have confirmed, counted from when the connection stands;
   * `Infinity` for no limit. Default: `commandTimeout` of the connection.
   */
  timeout?: number | undefined
  /** Rejects a `subscribe` that waits, with its reason; later, ends the subscription. Default: none. */
  signal?: AbortSignal | undefined
}

/** How to find a server through Redis Sentinel. */
export interface SentinelOptions {
  /**
   * The sentinels, tried in this order: URIs, or objects with `host` and `port`. At least one; none is assumed.
   * The schemes `rediss://` and `valkeys://` turn TLS on for all of them, and then every URI has to have it.
   */
  sentinels: readonly (string | SentinelAddress)[]
  /** Name of the group of servers, as the sentinels know it. Has no default. */
  group: string
  /** Which server of the group: the primary, or a replica picked at random. Default: `"primary"`. */
  role?: "primary" | "replica" | undefined
  /** Milliseconds for connecting to a sentinel, and for each of its answers; `Infinity` for no limit. Default: `500`. */
  timeout?: number | undefined
  /** User name for the sentinels that have none of their own. Default: none. */
  username?: string | undefined
  /** Password, or a function that is called for it, for the sentinels that have none of their own. Default: none. */
  password?: Password | undefined
  /** `true`, or options of `tls.connect`, for TLS to the sentinels. Default: `false`, or `true` by their URIs. */
  tls?: boolean | TlsOptions | undefined
  /** More options of `net.connect` for the sentinels. Default: as for the option `socket` of the connection. */
  socket?: SocketOptions | undefined
}

/** One sentinel. */
export interface SentinelAddress {
  /** Host name or IP address. Has no default. */
  host: string
  /** Port, 1 to 65535. Has no default. */
  port: number
  /** User name for `AUTH`. Default: that of {@link SentinelOptions}. */
  username?: string | undefined
  /** Password for `AUTH`, or a function that is called for it. Default: that of {@link SentinelOptions}. */
  password?: Password | undefined
}

/** Options of one request. */
export interface RequestOptions<E extends Encoding = Encoding> {
  /** Milliseconds, more than 0, until the request rejects; `Infinity` for never. Default: `commandTimeout` of the connection. */
  timeout?: number | undefined
  /** Aborts the request, which rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined
  /** What strings in the reply become. Default: `"utf8"`. */
  encoding?: E | undefined
  /** Anything; handed to telemetry with the request. Default: none. */
  metadata?: unknown
}

/** Options of `close`. */
export interface CloseOptions {
  /** Milliseconds to wait for the replies in flight: `0` for not at all, `Infinity` for no limit. Default: `5000`. */
  timeout?: number | undefined
}

/** Options of `ready`. */
export interface ReadyOptions {
  /** Milliseconds, more than 0, until it rejects; `Infinity` for never. Default: `Infinity`. */
  timeout?: number | undefined
  /** Ends the waiting; it rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | undefined
}

/** {@link RedixOptions}, checked, copied and with their defaults. `undefined` is what has no default and was not given. */
export interface ResolvedOptions {
  /** Of no meaning where `path` or `sentinel` is given, as is `port`. */
  readonly host: string
  readonly port: number
  readonly path: string | undefined
  readonly database: number | undefined
  /** Never empty. */
  readonly username: string | undefined
  /** Only with a `username` it may be empty. */
  readonly password: Password | undefined
  /** `true` has become `{}`. */
  readonly tls: false | TlsOptions
  readonly socket: SocketOptions
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

/** {@link SentinelOptions}, checked, copied and with their defaults. */
export interface ResolvedSentinel {
  /** At least one, each with the credentials to use for it. */
  readonly sentinels: readonly ResolvedSentinelAddress[]
  readonly group: string
  readonly role: "primary" | "replica"
  readonly timeout: number
  /** For sentinels that are not listed, as is `password`. */
  readonly username: string | undefined
  readonly password: Password | undefined
  readonly tls: false | TlsOptions
  readonly socket: SocketOptions
}

/** {@link SentinelAddress}, or a URI for one, with the credentials to use. */
export interface ResolvedSentinelAddress {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: Password | undefined
}

const TLS_EXPECTED = "true, false or an object with options of tls.connect"
const SOCKET_EXPECTED = "an object with options of net.connect"
const COUNT_EXPECTED = "an integer of 1 or more, or Infinity"
const SENTINELS_EXPECTED = "an array of at least one sentinel, each a URI or an object with host and port"

const SOCKET_DEFAULTS: SocketOptions = { keepAlive: true, keepAliveInitialDelay: 10_000, noDelay: true }

const text: Pick<OptionFacts<string>, "type" | "expected"> = {
  type: "string",
  expected: "a string that is not empty",
}
export const flag: Pick<OptionFacts<boolean>, "type" | "expected"> = {
  type: "boolean",
  expected: "true or false",
}
export const port: Pick<OptionFacts<number>, "type" | "expected"> = {
  type: "number",
  expected: "an integer between 1 and 65535",
}
const role: Pick<OptionFacts<"primary" | "replica">, "type" | "expected"> = {
  type: '"primary" | "replica"',
  expected: '"primary" or "replica"',
}

/** The part of `rows` that sentinels and servers have in common, for the `whom` of the doc lines. */
function credentialRows(whom: string): OptionRows<Pick<ResolvedOptions, "username" | "password">> {
  return {
    username: row(isString, {
      type: "string",
      expected: "a string",
      doc: `user name for \`AUTH\`${whom}; without a password no \`AUTH\` is sent; \`""\` means none`,
      aliases: ["user"],
    }),
    password: row(isPassword, {
      type: "string | (() => string | Promise<string>)",
      expected: "a string, or a function that returns one",
      doc: `password for \`AUTH\`${whom}, or a function, sync or async, that is called for it on every (re)connection; \`""\` without a user name means none`,
      aliases: ["auth", "pass"],
    }),
  }
}

function linkRows(whom: string): OptionRows<Pick<ResolvedOptions, "tls" | "socket">> {
  return {
    tls: {
      type: "boolean | tls.ConnectionOptions",
      expected: TLS_EXPECTED,
      default: false,
      doc: `TLS to ${whom}: \`true\`, or options of \`tls.connect\`; certificates and host names are verified unless these say otherwise; a URI with TLS turns it on`,
      aliases: ["ssl"],
      read: readTls,
    },
    socket: {
      type: "net.TcpSocketConnectOpts",
      expected: SOCKET_EXPECTED,
      default: SOCKET_DEFAULTS,
      doc: `more options of \`net.connect\` to ${whom} (\`family\`, \`lookup\`, …); what is given is added to the default`,
      aliases: ["socketOptions", "socketOpts"],
      read: readSocket,
    },
  }
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

const sentinelRows: OptionRows<ResolvedSentinel> = {
  sentinels: {
    type: "(string | SentinelAddress)[]",
    expected: SENTINELS_EXPECTED,
    doc: "the sentinels, tried in this order: URIs with a host and a port, or objects as below; has to be given",
    read: readAddresses,
  },
  group: row(isText, {
    ...text,
    doc: "name of the group of servers, as the sentinels know it; has to be given",
    aliases: ["master", "masterName"],
  }),
  role: row(isRole, {
    ...role,
    default: "primary",
    doc: "which server of the group: the primary, or a replica picked at random",
  }),
  timeout: milliseconds(500, "time for connecting to a sentinel, and for each of its answers", [
    "connectTimeout",
  ]),
  ...credentialRows(" on the sentinels that have none of their own"),
  ...linkRows("the sentinels"),
}

const addressRows: OptionRows<ResolvedSentinelAddress> = {
  host: row(isText, { ...text, doc: "host name or IP address; has to be given", aliases: ["hostname"] }),
  port: numberRow(isPort, { ...port, doc: "port; has to be given" }),
  ...credentialRows(" on this sentinel"),
}

const timeoutRow: OptionRow<number> = numberRow(isDuration, {
  type: "number",
  expected: "a number of milliseconds greater than 0, or Infinity",
  unit: "ms",
  doc: "time until the request rejects; without it, `commandTimeout` of the connection",
})

const signalRow: OptionRow<AbortSignal> = row(isAbortSignal, {
  type: "AbortSignal",
  expected: "an AbortSignal",
  doc: "aborts it: the promise rejects with the signal's reason",
})

/** The rows of a request; other sets are made of them and rows of their own. */
export const requestRows: OptionRows<RequestOptions> = {
  timeout: timeoutRow,
  signal: signalRow,
  encoding: row(isEncoding, {
    type: '"utf8" | "buffer"',
    expected: '"utf8" or "buffer"',
    default: "utf8",
    doc: "what strings in the reply become: text, or a `Buffer` with the bytes as they came",
  }),
  metadata: row(isAnything, {
    type: "unknown",
    expected: "anything",
    doc: "handed to telemetry with the request",
  }),
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
export const subscribeOptions: OptionSet<SubscribeOptions> = optionSet("PubSub subscribe", {
  encoding: {
    ...requestRows.encoding,
    doc: "what payloads become: text, or a `Buffer` with the bytes as they came",
  },
  maxBuffered: numberRow(isCount, {
    type: "number",
    expected: COUNT_EXPECTED,
    default: 10_000,
    doc: "number of events that an iterator keeps while it is not read; beyond it the oldest are dropped",
  }),
  timeout: {
    ...timeoutRow,
    doc: "time until the server has to have confirmed, from when the connection stands; without it, `commandTimeout` of the connection",
  },
  signal: {
    ...signalRow,
    doc: "rejects a `subscribe` that waits, with its reason; later, ends the subscription",
  },
})
export const sentinelOptions: OptionSet<ResolvedSentinel> = optionSet("Redix", sentinelRows)
export const sentinelAddress: OptionSet<ResolvedSentinelAddress> = optionSet("Redix", addressRows)
export const requestOptions: OptionSet<RequestOptions> = optionSet("Redix request", requestRows)
export const closeOptions: OptionSet<CloseOptions> = optionSet("Redix close", {
  timeout: numberRow((value) => value >= 0, {
    type: "number",
    expected: "a number of milliseconds, 0 or more, or Infinity",
    unit: "ms",
    default: 5000,
    doc: "time to wait for the replies in flight",
  }),
})
export const readyOptions: OptionSet<ReadyOptions> = optionSet("Redix ready", {
  timeout: { ...timeoutRow, default: Infinity, doc: "time until the promise rejects" },
  signal: signalRow,
})
const checkoutRows: OptionRows<CheckoutOptions> = {
  timeout: {
    ...timeoutRow,
    doc: "time until there has to be a connection; without it, `commandTimeout` of the connection",
  },
  signal: signalRow,
}
export const checkoutOptions: OptionSet<CheckoutOptions> = optionSet("Pool checkout", checkoutRows)
export const watchOptions: OptionSet<WatchOptions> = optionSet("Pool watch", {
  ...checkoutRows,
  retries: numberRow((value) => value === 0 || isCount(value), {
    type: "number",
    expected: "an integer of 0 or more, or Infinity",
    default: 10,
    doc: "number of times that it is tried again when a watched key has changed",
  }),
})

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

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link CheckoutOptions}. */
export function checkCheckoutOptions(options: unknown): void {
  checkOptions(checkoutOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link WatchOptions}. */
export function checkWatchOptions(options: unknown): void {
  checkOptions(watchOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link SubscribeOptions}. */
export function checkSubscribeOptions(options: unknown): void {
  checkOptions(subscribeOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link RequestOptions}. */
export function checkRequestOptions(options: unknown): void {
  checkOptions(requestOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link CloseOptions}. */
export function checkCloseOptions(options: unknown): void {
  checkOptions(closeOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link ReadyOptions}. */
export function checkReadyOptions(options: unknown): void {
  checkOptions(readyOptions, options)
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

type Credentials = Pick<ResolvedOptions, "username" | "password">

/** An empty user name is none, and so is an empty password without a user name. */
function credentials(username: string | undefined, password: Password | undefined): Credentials {
  if (username !== undefined && username !== "") return { username, password }
  return { username: undefined, password: password === "" ? undefined : password }
}

function readTls(value: unknown, place: Place): false | TlsOptions {
  if (typeof value === "boolean") return value ? {} : false
  if (!isPlainObject(value)) {
    throw misuse(place, `expected ${TLS_EXPECTED}, got ${describe(value)}`)
  }
  const { host, port, path, socket, ...options } = value
  refuseMoved(place, { host, port, path, socket })
  return withoutUndefined(options)
}

function readSocket(value: unknown, place: Place): SocketOptions {
  if (!isPlainObject(value)) {
    throw misuse(place, `expected ${SOCKET_EXPECTED}, got ${describe(value)}`)
  }
  const { host, port, path, onread, ...options } = value
  refuseMoved(place, { host, port, path, onread })
  return { ...SOCKET_DEFAULTS, ...withoutUndefined(options) }
}

function refuseMoved(place: Place, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    throw misuse(
      inside(place, name),
      name === "onread" || name === "socket"
        ? "not allowed, the driver makes and reads its sockets by itself"
        : `not allowed here, it belongs ${place.path.includes(".") ? 'into "sentinels"' : `beside "${place.path}"`}`,
    )
  }
}

function withoutUndefined<T extends object>(options: T): T {
  const copy = { ...options }
  for (const [name, value] of Object.entries(copy)) {
    if (value === undefined) Reflect.deleteProperty(copy, name)
  }
  return copy
}

function readSentinel(value: unknown, place: Place): ResolvedSentinel {
  const given = givenOptions(sentinelOptions, value, place)
  const { optional, filled } = readOptions(sentinelOptions, [given], place)
  const fallback = credentials(optional("username"), optional("password"))
  return {
    sentinels: filled("sentinels").map((address) => withFallback(address, fallback)),
    group: filled("group"),
    role: filled("role"),
    timeout: filled("timeout"),
    ...fallback,
    tls: sentinelTls(given, filled("tls"), inside(place, "tls")),
    socket: filled("socket"),
  }
}

/** Each of the two is filled in by itself, as in Redix. */
function withFallback(address: ResolvedSentinelAddress, fallback: Credentials): ResolvedSentinelAddress {
  const { username = fallback.username, password = fallback.password } = address
  return { ...address, ...credentials(username, password) }
}

/** Of addresses that were read without an error either all URIs have TLS or none. */
function sentinelTls(given: GivenOptions, tls: false | TlsOptions, place: Place): false | TlsOptions {
  const sentinels = given.get("sentinels")
  const hasTls = Array.isArray(sentinels) && sentinels.some(isTlsUri)
  if (!hasTls || tls !== false) return tls
  if (given.has("tls"))
    throw misuse(place, "false contradicts the scheme of the sentinels' URIs, which asks for TLS")
  return {}
}

function isTlsUri(value: unknown): boolean {
  return typeof value === "string" && parseUri(value).tls === true
}

function readAddresses(value: unknown, place: Place): readonly ResolvedSentinelAddress[] {
  if (!Array.isArray(value) || value.length === 0) {
    const got = Array.isArray(value) ? "an empty array" : describe(value)
    throw misuse(place, `expected ${SENTINELS_EXPECTED}, got ${got}`)
  }
  const items: readonly unknown[] = Array.from(value)
  const addresses = items.map((item, index) => readAddress(item, at(place, index)))
  const uris = items.filter((item) => typeof item === "string")
  const withTls = uris.filter(isTlsUri)
  if (withTls.length === 0 || withTls.length === uris.length) return addresses
  throw misuse(place, "some of the URIs ask for TLS and some do not")
}

export function at(place: Place, index: number): Place {
  return { set: place.set, path: `${place.path}[${index}]` }
}

function readAddress(value: unknown, place: Place): ResolvedSentinelAddress {
  if (typeof value !== "string" && !isPlainObject(value)) {
    throw misuse(place, `expected a URI or an object with host and port, got ${describe(value)}`)
  }
  const given =
    typeof value === "string" ? uriOfSentinel(value, place) : givenOptions(sentinelAddress, value, place)
  for (const name of ["host", "port"]) {
    if (!given.has(name)) throw misuse(place, `a ${name} has to be given for each sentinel`)
  }
  const { optional, filled } = readOptions(sentinelAddress, [given], place)
  return {
    host: filled("host"),
    port: filled("port"),
    username: optional("username"),
    password: optional("password"),
  }
}

function uriOfSentinel(uri: string, place: Place): GivenOptions {
  const { path, database, tls: _, ...address } = parseUri(uri, label(place))
  if (path !== undefined) throw misuse(place, "a sentinel is reached by host and port, not by a unix:// URI")
  if (database !== undefined) {
    throw misuse(place, 'a sentinel has no databases; "database" belongs beside "sentinel"')
  }
  return new Map<string, unknown>(Object.entries(address))
}

export function milliseconds(byDefault: number, doc: string, aliases: readonly string[]): OptionRow<number> {
  return numberRow(isDuration, {
    type: "number",
    expected: "a number of milliseconds greater than 0, or Infinity",
    unit: "ms",
    default: byDefault,
    doc,
    aliases,
  })
}

function isDuration(value: number): boolean {
  return value > 0
}

function isCount(value: number): boolean {
  return value === Infinity || (Number.isInteger(value) && value >= 1)
}

function isStrategy(value: unknown): value is PoolStrategy {
  return value === "least-busy" || value === "round-robin" || value === "random"
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535
}

function isString(value: unknown): value is string {
  return typeof value === "string"
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}

/** The system ends a path at a NUL, and would open another one. */
function isPath(value: unknown): value is string {
  return isText(value) && !value.includes("\0")
}

/** Source: https://redis.io/docs/latest/commands/client-setname/ */
function isClientName(value: unknown): value is string {
  return typeof value === "string" && /^[!-~]+$/.test(value)
}

function isPassword(value: unknown): value is Password {
  return typeof value === "string" || typeof value === "function"
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean"
}

function isProtocol(value: unknown): value is Protocol {
  return value === 2 || value === 3
}

function isEncoding(value: unknown): value is Encoding {
  return value === "utf8" || value === "buffer"
}

function isRole(value: unknown): value is "primary" | "replica" {
  return value === "primary" || value === "replica"
}

/** Also of another realm, or of a library: what it can do counts. */
function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === "object" &&
    value !== null &&
    "aborted" in value &&
    typeof value.aborted === "boolean" &&
    "addEventListener" in value &&
    typeof value.addEventListener === "function" &&
    "removeEventListener" in value &&
    typeof value.removeEventListener === "function"
  )
}

function isAnything(value: unknown): value is unknown {
  return value !== undefined
}
