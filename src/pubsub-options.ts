/**
 * The options of Pub/Sub: their types, and their tables. What they share with a connection's is in options.ts, and with a
 * cluster's in cluster-options.ts; leaves to everybody else what an option does.
 */

import {
  type ClusterSeed,
  type NatMap,
  placeRows,
  type ResolvedClusterPlace,
  refuseOtherPlaces,
  tlsOf,
} from "./cluster-options.ts"
import { flag, isBoolean } from "./option-kinds.ts"
import {
  fill,
  type Protocol,
  type RedixOptions,
  type ResolvedOptions,
  redixRows,
  startSources,
  uriHints,
} from "./options.ts"
import {
  type GivenOptions,
  givenOptions,
  inside,
  type OptionRows,
  type OptionSet,
  optionSet,
  type Place,
  readOptions,
  row,
} from "./options-table.ts"

/** Options of a connection for Pub/Sub: those of a connection, and a few more. */
export interface PubSubOptions<P extends Protocol = Protocol> extends RedixOptions<P> {
  /** Whether the server is asked for the id of the connection after connecting, see `clientId`. Default: `false`. */
  fetchClientIdOnConnect?: boolean | undefined
  /**
   * Subscribes in a cluster: to shard channels at the node that has their slot, to others at any. The other options hold
   * for all nodes. Not together with `host`, `port`, `path`, `sentinel`, a `database` other than 0 or
   * `exitOnDisconnection`. Default: none.
   */
  cluster?: PubSubClusterOptions | undefined
}

/** How to find the nodes of a cluster. */
export interface PubSubClusterOptions {
  /**
   * Some nodes of the cluster, which are asked for all the others: URIs, or objects with `host` and `port`. Only hosts and
   * ports matter; the schemes `rediss://` and `valkeys://` turn TLS on for all nodes, and then every URI has to have it.
   */
  nodes: readonly (string | ClusterSeed)[]
  /**
   * Where nodes can be reached from here: by the address that they are announced at, `"host:port"`, or a function.
   * Default: where they say.
   */
  natMap?: NatMap | undefined
  /**
   * Milliseconds from one look at who has which slots to the next, if there is no reason for one before; `Infinity` for
   * never. Default: `30_000`.
   */
  topologyRefreshInterval?: number | undefined
}

/** {@link PubSubOptions}, checked, copied and with their defaults. */
export interface ResolvedPubSubOptions extends ResolvedOptions {
  readonly fetchClientIdOnConnect: boolean
  readonly cluster?: ResolvedClusterPlace | undefined
}

type PubSubOnly = Pick<ResolvedPubSubOptions, "fetchClientIdOnConnect"> & {
  readonly cluster: ResolvedClusterPlace | undefined
}

const pubsubRows: OptionRows<PubSubOnly> = {
  fetchClientIdOnConnect: row(isBoolean, {
    ...flag,
    default: false,
    doc: "whether the server is asked for the id of the connection after connecting (`clientId`)",
  }),
  cluster: {
    type: "PubSubClusterOptions",
    expected: "an object with the nodes of a cluster",
    doc: "subscribes in a cluster, see below; not together with `host`, `port`, `path`, `sentinel`, `database` or `exitOnDisconnection`",
    read: readCluster,
  },
}

/** What the options of Pub/Sub have beside those of a connection. */
export const pubsubOnlyOptions: OptionSet<PubSubOnly> = optionSet("PubSub", pubsubRows)
const pubsubOptions: OptionSet<ResolvedOptions & PubSubOnly> = optionSet(
  "PubSub",
  { ...redixRows, ...pubsubRows },
  uriHints,
)
export const pubsubClusterOptions: OptionSet<ResolvedClusterPlace> = optionSet("PubSub", placeRows)

/** The options of `PubSub.start(...args)`, as those of `Redix.start`. */
export function resolvePubSubOptions(args: readonly unknown[]): ResolvedPubSubOptions {
  const sources = startSources(pubsubOptions, args)
  const { optional, filled } = readOptions(pubsubOptions, sources)
  const fetchClientIdOnConnect = filled("fetchClientIdOnConnect")
  const cluster = optional("cluster")
  const usual = { ...fill(pubsubOptions, sources), fetchClientIdOnConnect, cluster }
  return cluster === undefined ? usual : { ...usual, ...clusterTls(sources) }
}

const CLUSTER: Place = { set: "PubSub", path: "cluster" }

/** Refuses what contradicts the option `cluster`, and finds out whether its nodes ask for TLS. */
function clusterTls(sources: readonly GivenOptions[]): { tls?: Record<string, never> } {
  for (const given of sources) refuseOtherPlaces(given, "PubSub")
  const [settings = new Map<string, unknown>()] = sources
  const given = givenOptions(pubsubClusterOptions, settings.get("cluster"), CLUSTER)
  return tlsOf(given, inside(CLUSTER, "nodes"), settings)
}

function readCluster(value: unknown, place: Place): ResolvedClusterPlace {
  const given = givenOptions(pubsubClusterOptions, value, place)
  const { optional, filled } = readOptions(pubsubClusterOptions, [given], place)
  return {
    nodes: filled("nodes"),
    natMap: optional("natMap"),
    topologyRefreshInterval: filled("topologyRefreshInterval"),
  }
}
