/**
 * A cluster as a user sees it: start, commands, nodes, checkouts, end. Leaves the way of each request to the routers, and
 * who has which slots to the topology.
 */

import { Client } from "../client.ts"
import {
  type ClusterOptions,
  type ClusterRequestOptions,
  type KeyedCheckoutOptions,
  type ResolvedClusterOptions,
  resolveClusterOptions,
  type ScanOptions,
} from "../cluster-options.ts"
import { type AnyFailure, declared, safeCommands } from "../commands.ts"
import type { CombinedStats } from "../connection/stats.ts"
import type { Checkout } from "../dedicated/checkout.ts"
import { use, type WatchCallback, type WatchedKeys } from "../dedicated/use.ts"
import type { Lifecycle } from "../lifecycle.ts"
import type { Encoding, Protocol, WatchOptions } from "../options.ts"
import type {
  Command,
  CommandParameter,
  PipelineParameter,
  PipelineReplies,
  ReplyOf,
} from "../protocol/command-map.ts"
import type { Redix } from "../redix.ts"
import { registeredAs } from "../registry.ts"
import { ClusterBackend } from "./backend.ts"
import { checkOutKey, known, watchKeys } from "./checkouts.ts"
import { ClusterLifecycle } from "./cluster-lifecycle.ts"
import type { ClusterCommands, SafeClusterCommands } from "./commands.ts"
import { sendCommand, sendPipeline, sendTransaction, sendWithoutReply } from "./requests.ts"
import { scan } from "./scan.ts"

/** A node of a cluster, as {@link Cluster.nodes} tells of it. */
export interface ClusterNodeInfo<P extends Protocol = Protocol> {
  readonly host: string
  readonly port: number
  readonly role: "primary" | "replica"
  /** The connection that the cluster has to it. */
  readonly connection: Redix<P>
}

/**
 * A Redis or Valkey cluster: one connection to each node, and each command to the node that has its keys.
 *
 * It finds the nodes by those it is given, follows where slots go, and keeps the process alive until it is closed.
 *
 * @example
 * const cluster = await Cluster.connect({ nodes: ["redis://localhost:7000"] })
 * await cluster.command(["SET", "key", "value"])
 * await cluster.close()
 *
 * Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 */
export class Cluster<out P extends Protocol = 2> extends Client implements ClusterCommands<P> {
  /** The version of the wire protocol that the replies' types go by. */
  readonly protocol: P
  readonly #backend: ClusterBackend
  #safe: SafeClusterCommands<P> | undefined

  /** Use {@link Cluster.start} or {@link Cluster.connect}. */
  private constructor(protocol: P, backend: ClusterBackend, lifecycle: Lifecycle) {
    super(backend, lifecycle)
    this.#backend = backend
    this.protocol = protocol
  }

  /**
   * Starts a cluster client and returns it at once; it connects in the background, and until then commands wait.
   * @throws TypeError for options that are no options, Error for a name that is in use
   */
  static start<P extends Protocol = 2>(options: ClusterOptions<P>): Cluster<P>
  static start<P extends Protocol = 2>(...args: readonly unknown[]): Cluster<P> {
    return Cluster.#from<P>(resolveClusterOptions(args), false)
  }

  /**
   * Starts a cluster client and resolves to it once a node is connected. When none of the `nodes` can tell who has which
   * slots, it rejects with a `ConnectionError` of reason `"no-reachable-node"`, and nothing is left.
   */
  static connect<P extends Protocol = 2>(options: ClusterOptions<P>): Promise<Cluster<P>>
  static async connect<P extends Protocol = 2>(...args: readonly unknown[]): Promise<Cluster<P>> {
    const cluster = Cluster.#from<P>(resolveClusterOptions(args), true)
    await cluster.ready()
    return cluster
  }

  /** The types of options do not say their protocol: that it is `P` is for those to see to who call this. */
  static #from<P extends Protocol>(options: ResolvedClusterOptions, exitOnFirstFailure: boolean): Cluster<P>
  static #from(options: ResolvedClusterOptions, exitOnFirstFailure: boolean): Cluster<Protocol> {
    const lifecycle = new ClusterLifecycle(options.name)
    const backend = new ClusterBackend(options, lifecycle, exitOnFirstFailure)
    const cluster = new Cluster<Protocol>(options.protocol, backend, lifecycle)
    lifecycle.bind(cluster)
    return cluster
  }

  /**
   * The `Cluster` that is registered under the name.
   * @throws Error when nothing is, or something else
   */
  static named(name: string): Cluster {
    return registeredAs("Cluster", name, (found) => found instanceof Cluster)
  }

  command<const C extends Command, E extends Encoding = "utf8">(
    command: CommandParameter<C>,
    options?: ClusterRequestOptions<E>,
  ): Promise<ReplyOf<C, P, E>> {
    return declared(sendCommand(this.#backend.routers, command, options, this))
  }

  pipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: ClusterRequestOptions<E>,
  ): Promise<PipelineReplies<Cs, P, E, AnyFailure>> {
    return declared(sendPipeline(this.#backend.routers, commands, options, this))
  }

  transactionPipeline<const Cs extends readonly Command[], E extends Encoding = "utf8">(
    commands: PipelineParameter<Cs>,
    options?: ClusterRequestOptions<E>,
  ): Promise<PipelineReplies<Cs, P, E, AnyFailure> | null> {
    return declared(sendTransaction(this.#backend.routers, commands, options, this))
  }

  noreplyCommand<const C extends Command>(
    command: CommandParameter<C>,
    options?: ClusterRequestOptions,
  ): Promise<void> {
    return sendWithoutReply(this.#backend.routers, [command], options, this)
  }

  noreplyPipeline<const Cs extends readonly Command[]>(
    commands: PipelineParameter<Cs>,
    options?: ClusterRequestOptions,
  ): Promise<void> {
    return sendWithoutReply(this.#backend.routers, commands, options, this)
  }

  /**
   * Sums over the connections to all nodes, and each of those that there are. The driver's own questions count, and what is
   * redirected counts for each node that it was sent to.
   */
  override stats(): CombinedStats {
    return this.#backend.stats()
  }

  get safe(): SafeClusterCommands<P> {
    this.#safe ??= safeCommands(this)
    return this.#safe
  }

  /**
   * The nodes that there are connections to, for what is to be done at each of them. Replicas are among them with the option
   * `readFromReplicas` only.
   *
   * @example
   * const sizes = await Promise.all(cluster.nodes("primary").map(({ connection }) => connection.command(["DBSIZE"])))
   */
  nodes(role: "primary" | "replica" | "all" = "all"): ClusterNodeInfo<P>[] {
    if (!ROLES.has(role)) throw new TypeError('the role must be "primary", "replica" or "all"')
    if (this.status === "closed") return []
    const nodes = this.#backend.topology.map.nodes().filter((node) => role === "all" || node.role === role)
    return nodes.map(({ host, port, role: is, redix }) => ({
      host,
      port,
      role: is,
      connection: ofProtocol<P>(redix),
    }))
  }

  /**
   * All keys of all primaries, as `SCAN` gives them: a key that is there all the time is given at least once, but for one
   * that moves to another node meanwhile: that one may be given twice, or not at all.
   *
   * @example
   * for await (const key of cluster.scan({ match: "user:*" })) console.log(key)
   *
   * Source: https://redis.io/docs/latest/commands/scan/
   */
  scan(options?: ScanOptions): AsyncGenerator<string, void, undefined> {
    const { checkouts, topology } = this.#backend
    return scan((checked) => known(checkouts, "a scan", checked), topology.map, options)
  }

  /**
   * A connection of one's own to the node that has the key's slot, until it is given back; as on a `Pool`. It follows no
   * redirections.
   *
   * @example
   * await using conn = await cluster.checkout({ key: "user:1" })
   */
  async checkout(options: KeyedCheckoutOptions): Promise<Checkout<P>> {
    return checkOutKey(this.#backend.checkouts, this.protocol, options)
  }

  /** Checks a connection out, calls `callback` with it and gives it back, also when that throws; as on a `Pool`. */
  async use<T>(
    callback: (conn: Checkout<P>) => T | PromiseLike<T>,
    options: KeyedCheckoutOptions,
  ): Promise<T> {
    return use(() => this.checkout(options), callback)
  }

  /** Optimistic locking, as on a `Pool`; all keys have to be in one slot. */
  async watch<const Cs extends readonly Command[]>(
    keys: WatchedKeys,
    callback: WatchCallback<P, Cs>,
    options?: WatchOptions,
  ): Promise<PipelineReplies<Cs, P> | null> {
    return watchKeys(this.#backend.checkouts, this.protocol, keys, callback, options)
  }
}

const ROLES: ReadonlySet<unknown> = new Set(["primary", "replica", "all"])

/** The connections of nodes have the cluster's own protocol. */
function ofProtocol<P extends Protocol>(redix: Redix<Protocol>): Redix<P>
function ofProtocol(redix: Redix<Protocol>): Redix<Protocol> {
  return redix
}
