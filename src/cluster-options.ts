/**
 * The options of a cluster and of requests to one: their types, and their tables. What they share with a connection's is
 * in options.ts; leaves to everybody else what an option does.
 */

import { isUint8Array } from "node:util/types"
import { flag, isBoolean, isPort, isText, milliseconds, port } from "./option-kinds.ts"
import {
  type CheckoutOptions,
  checkoutOptions,
  dedicatedRows,
  type Encoding,
  fill,
  type Protocol,
  type RedixOptions,
  type RequestOptions,
  type ResolvedOptions,
  redixRows,
  requestRows,
} from "./options.ts"
import {
  at,
  checkOptions,
  type GivenOptions,
  givenOptions,
  label,
  misuse,
  numberRow,
  type OptionRows,
  type OptionSet,
  optionSet,
  type Place,
  readOptions,
  row,
} from "./options-table.ts"
import type { Argument } from "./protocol/types.ts"
import { parseUri, type UriParts } from "./uri.ts"
import { describe, isPlainObject } from "./util/describe.ts"

/** A node of a cluster to begin with. */
export interface ClusterSeed {
  /** Host name or IP address. Default: `"localhost"`. */
  host?: string | undefined
  /** Port, 1 to 65535. Default: `6379`. */
  port?: number | undefined
}

/** Where a node that is announced at an address can be reached from here; `undefined` for where it says. */
export type NatMap =
  | Readonly<Record<string, { readonly host: string; readonly port: number }>>
  | ((host: string, port: number) => { readonly host: string; readonly port: number } | undefined)

type NotOfAConnection =
  | "host"
  | "port"
  | "path"
  | "database"
  | "exitOnDisconnection"
  | "readonly"
  | "sentinel"

/** Options of a cluster: those of a connection hold for each of its nodes. `nodes` has to be given. */
export interface ClusterOptions<P extends Protocol = Protocol>
  extends Omit<RedixOptions<P>, NotOfAConnection> {
  /**
   * Some nodes of the cluster, which are asked for all the others: URIs, or objects with `host` and `port`. Only hosts and
   * ports matter; the schemes `rediss://` and `valkeys://` turn TLS on for all nodes, and then every URI has to have it.
   */
  nodes: readonly (string | ClusterSeed)[]
  /** A cluster has the database 0 only. */
  database?: 0 | undefined
  /** Whether there are connections to replicas, for requests with the option `route`. Default: `false`. */
  readFromReplicas?: boolean | undefined
  /**
   * Milliseconds from one look at who has which slots to the next, if there is no reason for one before; `Infinity` for
   * never. Default: `30_000`.
   */
  topologyRefreshInterval?: number | undefined
  /** How often a command is sent on to where the cluster says. Default: `5`. */
  maxRedirections?: number | undefined
  /**
   * Where nodes can be reached from here: by the address that they are announced at, `"host:port"`, or a function.
   * Default: where they say.
   */
  natMap?: NatMap | undefined
  /**
   * Number of connections, 1 or more, that may be in use by single callers (blocking commands, checkouts) at a time, to all
   * nodes together. Default: `100`.
   */
  maxDedicated?: number | undefined
}

/** Options of one request to a cluster. */
export interface ClusterRequestOptions<E extends Encoding = Encoding> extends RequestOptions<E> {
  /**
   * Which node may answer what only reads: the primary; a replica; or a replica, and where there is none the primary. Needs
   * the option `readFromReplicas`. Default: `"primary"`.
   */
  route?: "primary" | "replica" | "prefer-replica" | undefined
  /**
   * Whether `MGET`, `MSET`, `DEL`, `UNLINK`, `EXISTS` and `TOUCH` with keys in several slots are sent as several commands.
   * They are not atomic then. Default: `false`: the server refuses them (`CROSSSLOT`).
   */
  split?: boolean | undefined
}

/** Options of `checkout` and `use` of a cluster. */
export interface KeyedCheckoutOptions extends CheckoutOptions {
  /** The connection is one to the node that has this key. Has no default. */
  key: Argument
}

/** Options of `scan` of a cluster. */
export interface ScanOptions {
  /** Only keys that match this pattern. Default: all. */
  match?: string | undefined
  /** About how many keys a server looks at for each of its replies. Default: what the server has, `10`. */
  count?: number | undefined
  /** Only keys of this type: `"string"`, `"list"`, `"hash"`, … Default: all. */
  type?: string | undefined
  /** Ends the iteration, which rejects with its reason. Default: none. */
  signal?: AbortSignal | undefined
}

/** {@link ClusterOptions}, checked, copied and with their defaults. */
export interface ResolvedClusterOptions extends ResolvedOptions {
  readonly nodes: readonly ResolvedSeed[]
  readonly readFromReplicas: boolean
  readonly topologyRefreshInterval: number
  readonly maxRedirections: number
  readonly natMap: NatMap | undefined
  readonly maxDedicated: number
}

export interface ResolvedSeed {
  readonly host: string
  readonly port: number
}

type ClusterOnly = Omit<ResolvedClusterOptions, keyof ResolvedOptions>

/** How to find the nodes of a cluster. */
export type ResolvedClusterPlace = Pick<
  ResolvedClusterOptions,
  "nodes" | "natMap" | "topologyRefreshInterval"
>

const NODES_EXPECTED = "an array of at least one node, each a URI or an object with host and port"
const NAT_MAP_EXPECTED = 'an object such as { "10.0.0.1:6379": { host, port } }, or a function'

const seedRows: OptionRows<ResolvedSeed> = {
  host: row(isText, { ...redixRows.host, doc: "host name or IP address" }),
  port: numberRow(isPort, { ...port, default: 6379, doc: "port" }),
}

/** For whatever finds the nodes of a cluster. */
export const placeRows: OptionRows<ResolvedClusterPlace> = {
  nodes: {
    type: "(string | ClusterSeed)[]",
    expected: NODES_EXPECTED,
    doc: "some nodes of the cluster, which are asked for all the others; has to be given",
    aliases: ["seeds", "rootNodes", "startupNodes"],
    read: readSeeds,
  },
  topologyRefreshInterval: milliseconds(
    30_000,
    "time from one look at who has which slots to the next, if there is no reason for one before",
    ["slotsRefreshInterval"],
  ),
  natMap: row(isNatMap, {
    type: "object | function",
    expected: NAT_MAP_EXPECTED,
    doc: "where nodes can be reached from here, by the address that they are announced at",
    aliases: ["nodeAddressMap"],
  }),
}

const clusterRows: OptionRows<ClusterOnly> = {
  nodes: placeRows.nodes,
  readFromReplicas: row(isBoolean, {
    ...flag,
    default: false,
    doc: "whether there are connections to replicas, for requests with the option `route`",
    aliases: ["useReplicas", "scaleReads"],
  }),
  topologyRefreshInterval: placeRows.topologyRefreshInterval,
  maxRedirections: numberRow((value) => Number.isInteger(value) && value >= 0, {
    type: "number",
    expected: "an integer of 0 or more",
    default: 5,
    doc: "how often a command is sent on to where the cluster says",
    aliases: ["maxCommandRedirections"],
  }),
  natMap: placeRows.natMap,
  ...dedicatedRows,
}

const NODES_HINT = 'the addresses of a cluster\'s nodes belong into the option "nodes"'
const hints = {
  host: NODES_HINT,
  port: NODES_HINT,
  path: NODES_HINT,
  uri: NODES_HINT,
  url: NODES_HINT,
} as const

export const clusterOnlyOptions: OptionSet<ClusterOnly> = optionSet("Cluster", clusterRows)
const clusterOptions: OptionSet<ResolvedClusterOptions> = optionSet(
  "Cluster",
  { ...redixRows, ...clusterRows },
  hints,
)
export const seedOptions: OptionSet<ResolvedSeed> = optionSet("Cluster", seedRows)

type RequestOnly = Pick<ClusterRequestOptions, "route" | "split">

const clusterRequestRows: OptionRows<RequestOnly> = {
  route: row(isRoute, {
    type: '"primary" | "replica" | "prefer-replica"',
    expected: '"primary", "replica" or "prefer-replica"',
    default: "primary",
    doc: "which node may answer what only reads; needs the option `readFromReplicas`",
  }),
  split: row(isBoolean, {
    ...flag,
    default: false,
    doc: "whether `MGET`, `MSET`, `DEL`, `UNLINK`, `EXISTS` and `TOUCH` with keys in several slots are sent as several commands",
  }),
}

export const clusterRequestOnlyOptions: OptionSet<RequestOnly> = optionSet(
  "Cluster request",
  clusterRequestRows,
)
const clusterRequestOptions: OptionSet<ClusterRequestOptions> = optionSet("Cluster request", {
  ...requestRows,
  ...clusterRequestRows,
})

export const keyedCheckoutOptions: OptionSet<KeyedCheckoutOptions> = optionSet("Cluster checkout", {
  key: row(isArgument, {
    type: "Argument",
    expected: "a key: a string, bytes or a number",
    doc: "the connection is one to the node that has this key; has to be given",
  }),
  ...checkoutOptions.rows,
})

export const scanOptions: OptionSet<ScanOptions> = optionSet("Cluster scan", {
  match: row(isText, { type: "string", expected: "a pattern", doc: "only keys that match this pattern" }),
  count: numberRow((value) => Number.isSafeInteger(value) && value >= 1, {
    type: "number",
    expected: "an integer of 1 or more",
    doc: "about how many keys a server looks at for each of its replies",
  }),
  type: row(isText, { type: "string", expected: "a type of keys", doc: "only keys of this type" }),
  signal: requestRows.signal,
})

/** Throws a `TypeError` unless it is allowed as {@link KeyedCheckoutOptions}. */
export function checkKeyedCheckoutOptions(options: unknown): void {
  const given = givenOptions(keyedCheckoutOptions, options ?? {})
  readOptions(keyedCheckoutOptions, [given]).filled("key")
  checkOptions(keyedCheckoutOptions, options)
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link ScanOptions}. */
export function checkScanOptions(options: unknown): void {
  checkOptions(scanOptions, options)
}

/** The options of `Cluster.start(...args)`. Throws a `TypeError` for anything else than one object with options. */
export function resolveClusterOptions(args: readonly unknown[]): ResolvedClusterOptions {
  const [options] = args
  if (args.length !== 1 || !isPlainObject(options)) {
    const got = args.length === 1 ? describe(options) : `${args.length} arguments`
    throw new TypeError(
      `Cluster options: expected an object such as { nodes: ["redis://localhost:7000"] }, got ${got}`,
    )
  }
  const given = givenOptions(clusterOptions, options)
  refuseOtherPlaces(given, "Cluster")
  const { optional, filled } = readOptions(clusterOptions, [given])
  const nodes = filled("nodes")
  return {
    ...fill(clusterOptions, [given]),
    // It is the one that there is.
    database: undefined,
    ...tlsOf(given, { set: "Cluster", path: "nodes" }, given),
    nodes,
    readFromReplicas: filled("readFromReplicas"),
    topologyRefreshInterval: filled("topologyRefreshInterval"),
    maxRedirections: filled("maxRedirections"),
    natMap: optional("natMap"),
    maxDedicated: filled("maxDedicated"),
  }
}

/** Throws a `TypeError` unless it is `undefined` or allowed as {@link ClusterRequestOptions}. */
export function checkClusterRequestOptions(options: unknown, readFromReplicas: boolean): void {
  checkOptions(clusterRequestOptions, options)
  if (readFromReplicas || !isPlainObject(options)) return
  const { route } = options
  if (route === undefined || route === "primary") return
  throw new TypeError(
    'Cluster request option "route": only with the option "readFromReplicas" of the cluster',
  )
}

/** Throws where options that `set` is given say that it is not in a cluster, but elsewhere. */
export function refuseOtherPlaces(given: GivenOptions, set: string): void {
  const place = (path: string): Place => ({ set, path })
  for (const name of ["host", "port", "path"]) if (given.has(name)) throw misuse(place(name), NODES_HINT)
  if (given.has("sentinel")) throw misuse(place("sentinel"), "a cluster is not found through sentinels")
  if (given.has("exitOnDisconnection") && given.get("exitOnDisconnection") !== false)
    throw misuse(place("exitOnDisconnection"), "a cluster outlives the connections to its nodes")
  if (given.has("readonly") && given.get("readonly") !== false)
    throw misuse(
      place("readonly"),
      'replicas are read with "readFromReplicas", and the option "route" of a request',
    )
  const database = given.get("database")
  if (database !== undefined && database !== 0)
    throw misuse(place("database"), `a cluster has the database 0 only, got ${describe(database)}`)
}

/**
 * A TLS scheme turns TLS on for all nodes.
 * @param given where the `nodes` are, which are at the place
 * @param settings where `tls` is
 */
export function tlsOf(
  given: GivenOptions,
  place: Place,
  settings: GivenOptions,
): { tls?: Record<string, never> } {
  const nodes = given.get("nodes")
  const uris = Array.isArray(nodes) ? nodes.filter((node) => typeof node === "string") : []
  const withTls = uris.filter((uri) => parseUri(uri, label(place)).tls === true)
  if (withTls.length === 0) return {}
  if (withTls.length < uris.length) throw misuse(place, "some of the URIs ask for TLS and some do not")
  const tls = settings.get("tls")
  if (tls === false)
    throw misuse(
      { set: place.set, path: "tls" },
      'false contradicts the scheme of the "nodes", which asks for TLS',
    )
  return tls === undefined ? { tls: {} } : {}
}

function readSeeds(value: unknown, place: Place): readonly ResolvedSeed[] {
  if (!Array.isArray(value) || value.length === 0) {
    const got = Array.isArray(value) ? "an empty array" : describe(value)
    throw misuse(place, `expected ${NODES_EXPECTED}, got ${got}`)
  }
  const items: readonly unknown[] = Array.from(value)
  return items.map((item, index) => readSeed(item, at(place, index)))
}

function readSeed(value: unknown, place: Place): ResolvedSeed {
  if (typeof value !== "string" && !isPlainObject(value))
    throw misuse(place, `expected a URI or an object with host and port, got ${describe(value)}`)
  const given = typeof value === "string" ? uriOfSeed(value, place) : givenOptions(seedOptions, value, place)
  const { filled } = readOptions(seedOptions, [given], place)
  return { host: filled("host"), port: filled("port") }
}

function uriOfSeed(uri: string, place: Place): GivenOptions {
  const { path, database, username, password, tls: _, ...address }: UriParts = parseUri(uri, label(place))
  if (path !== undefined)
    throw misuse(place, "the nodes of a cluster are reached by host and port, not by a unix:// URI")
  if (database !== undefined) throw misuse(place, "a cluster has no databases to choose from")
  if (username !== undefined || password !== undefined)
    throw misuse(place, 'credentials hold for all nodes: give them as the options "username" and "password"')
  return new Map<string, unknown>(Object.entries(address))
}

function isArgument(value: unknown): value is Argument {
  return (
    typeof value === "string" || isUint8Array(value) || typeof value === "bigint" || Number.isFinite(value)
  )
}

function isNatMap(value: unknown): value is NatMap {
  if (typeof value === "function") return true
  return isPlainObject(value) && Object.values(value).every(isTarget)
}

function isTarget(value: unknown): boolean {
  return (
    isPlainObject(value) &&
    isText(value["host"]) &&
    typeof value["port"] === "number" &&
    isPort(value["port"])
  )
}

function isRoute(value: unknown): value is "primary" | "replica" | "prefer-replica" {
  return value === "primary" || value === "replica" || value === "prefer-replica"
}
