/**
 * From options of the program to a connection: the one place that decides what is connected to and how. Knows nothing of
 * what the connection is for.
 */

import { readFileSync } from "node:fs"
import {
  Cluster,
  type ClusterSeed,
  type Commands,
  ConnectionError,
  type ConnectionEvents,
  type Protocol,
  PubSub,
  Redix,
  type RedixOptions,
  type SentinelAddress,
  type SentinelOptions,
  type Status,
  type TlsOptions,
} from "../index.ts"
import type { Options } from "./args.ts"
import { EXIT, Interrupted, UsageError } from "./exit.ts"
import type { Interruption } from "./interrupt.ts"
import { askSecret } from "./secret.ts"

/** What commands are sent over: one server, or a cluster. All that the modes of the tool ask of either. */
export interface Connection extends Commands<Protocol> {
  readonly address: string
  readonly protocol: Protocol
  readonly status: Status
  on<Name extends keyof ConnectionEvents>(name: Name, listener: (event: ConnectionEvents[Name]) => void): this
  destroy(): void
}

/** Where to, and how. */
export interface Target {
  /** `undefined` where the options say all. */
  readonly url: string | undefined
  readonly options: RedixOptions
  /** Nodes of a cluster to begin with, where it is one. */
  readonly seeds: readonly Required<ClusterSeed>[] | undefined
  /** Ends the waiting for a connection. */
  readonly interruption: Interruption
  /** What it is called where a person sees it; without any password. */
  readonly label: string
}

/** Whether the protocol was asked for; otherwise an older one does as well. */
const chosenProtocol = new WeakSet<Target>()

/** Reads the options of the connection. Throws a {@link UsageError}. Asks for a password if it has to. */
export async function targetOf(options: Options, interruption: Interruption): Promise<Target> {
  const given = options.texts("url")
  const urls = given.length > 0 || saysWhere(options) ? given : fromEnvironment("REDIS_URL")
  const sentinel = sentinelOf(options)
  if (sentinel && (urls.length > 0 || ["host", "port", "socket"].some((name) => options.has(name)))) {
    throw new UsageError("--sentinel finds the server: not together with --url, --host, --port or --socket")
  }
  const isCluster = options.has("cluster")
  if (urls.length > 1 && !isCluster)
    throw new UsageError("--url is given twice: only --cluster takes several")
  const cluster = isCluster ? clusterOf(options, urls) : undefined
  const milliseconds = options.integer("timeout", 0)
  const timeout = milliseconds === 0 ? Number.POSITIVE_INFINITY : milliseconds
  const target: Target = {
    url: cluster ? undefined : urls[0],
    interruption,
    label: cluster ? `cluster ${cluster.seeds.map(addressOf).join(", ")}` : labelOf(urls[0], options),
    seeds: cluster?.seeds,
    options: {
      ...(cluster ? {} : { host: options.text("host"), port: options.integer("port", 1, 65_535) }),
      path: options.text("socket"),
      database: options.integer("db", 0),
      username: options.text("user") ?? cluster?.username,
      password: await passwordOf(options, cluster ? undefined : urls[0], cluster?.password, interruption),
      tls: tlsOf(options) ?? (cluster?.isSecure ? true : undefined),
      sentinel,
      protocol: protocolOf(options),
      timeout,
      commandTimeout: timeout,
      // A person watches: the waits are for people.
      backoffInitial: 250,
      backoffMax: 2000,
    },
  }
  if (options.has("protocol")) chosenProtocol.add(target)
  return target
}

/** Connects; where nobody asked for a protocol, with the older one if the server does not know the newer. */
export async function connect(target: Target, extra: RedixOptions = {}): Promise<Connection> {
  if (target.seeds) return connectCluster(target)
  return withOlderProtocol(target, (older) =>
    opened(target, (...args) => Redix.connect<Protocol>(...args), { ...extra, ...older }),
  )
}

/** A cluster; with connections to replicas too where they are to be looked at. */
export function connectCluster(
  target: Target,
  readFromReplicas: boolean = false,
): Promise<Cluster<Protocol>> {
  const { path: _, sentinel: __, database: ___, ...options } = target.options
  const nodes = target.seeds ?? []
  return withOlderProtocol(target, (older) =>
    checked(() =>
      unlessInterrupted(
        Cluster.connect<Protocol>({ ...options, ...older, nodes, readFromReplicas }),
        target.interruption,
      ),
    ),
  )
}

async function withOlderProtocol<T>(
  target: Target,
  open: (older: { readonly protocol?: 2 }) => Promise<T>,
): Promise<T> {
  try {
    return await open({})
  } catch (error) {
    if (chosenProtocol.has(target) || !knowsNoHello(error)) throw error
    return open({ protocol: 2 })
  }
}

/** A connection for messages; it stands. In a cluster, shard channels are subscribed to where their slots are. */
export function connectPubSub(target: Target): Promise<PubSub> {
  const { protocol: _, ...options } = target.options
  const { seeds, interruption } = target
  if (seeds === undefined) return opened({ ...target, options }, (...args) => PubSub.connect(...args), {})
  const { path: __, sentinel: ___, database: ____, ...own } = options
  return checked(() => unlessInterrupted(PubSub.connect({ ...own, cluster: { nodes: seeds } }), interruption))
}

/** A connection to one sentinel, with what is known of them. */
export function connectSentinel(
  target: Target,
  address: { host: string; port: number },
): Promise<Connection> {
  const sentinel = target.options.sentinel
  const listed = sentinel?.sentinels.find(
    (each): each is SentinelAddress =>
      typeof each !== "string" && each.host === address.host && each.port === address.port,
  )
  const opening = Redix.connect<Protocol>({
    ...address,
    username: listed?.username ?? sentinel?.username,
    password: listed?.password ?? sentinel?.password,
    tls: sentinel?.tls,
    timeout: target.options.timeout,
    commandTimeout: target.options.commandTimeout,
    protocol: 2,
  })
  return unlessInterrupted(opening, target.interruption)
}

type Arguments = readonly [RedixOptions] | readonly [string, RedixOptions]

async function opened<T extends { destroy(): void }>(
  target: Target,
  open: (...args: Arguments) => Promise<T>,
  extra: RedixOptions,
): Promise<T> {
  const options = { ...target.options, ...extra }
  return checked(() =>
    unlessInterrupted(
      target.url === undefined ? open(options) : open(target.url, options),
      target.interruption,
    ),
  )
}

/** Mistakes in options are those of whoever has called the program. */
async function checked<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

/** The attempt, unless somebody has no more patience with it. */
async function unlessInterrupted<T extends { destroy(): void }>(
  opening: Promise<T>,
  interruption: Interruption,
): Promise<T> {
  const { signal } = interruption
  let giveUp = () => {}
  const interrupted = new Promise<never>((_, reject) => {
    giveUp = () => reject(new Interrupted(interruption.code ?? EXIT.interrupted))
  })
  if (signal.aborted) giveUp()
  signal.addEventListener("abort", giveUp, { once: true })
  try {
    return await Promise.race([opening, interrupted])
  } catch (error) {
    opening.then(
      (late) => late.destroy(),
      () => undefined,
    )
    throw error
  } finally {
    signal.removeEventListener("abort", giveUp)
  }
}

/** Before version 6 there is only one protocol, and no `HELLO`. */
function knowsNoHello(error: unknown): boolean {
  return (
    error instanceof ConnectionError &&
    (error.reason === "handshake" || error.reason === "no-reachable-node") &&
    /unknown command|NOPROTO/i.test(`${error.message} ${String(error.cause)}`)
  )
}

/** The URL of the environment may have a password, which is for no other server. */
function saysWhere(options: Options): boolean {
  return ["host", "port", "socket", "sentinel"].some((name) => options.has(name))
}

function labelOf(url: string | undefined, options: Options): string {
  const sentinels = options.texts("sentinel")
  if (sentinels.length > 0)
    return `${options.text("group") ?? "mymaster"} of ${sentinels.map(withoutUser).join(", ")}`
  const base = url === undefined ? "" : withoutUser(url)
  if (options.has("socket")) return options.text("socket") ?? ""
  if (base !== "" && !options.has("host") && !options.has("port")) return base
  return `${options.text("host") ?? "localhost"}:${options.text("port") ?? "6379"}`
}

function withoutUser(url: string): string {
  return url.replace(/^([a-z]+:\/\/)?.*@/i, "$1")
}

function fromEnvironment(name: string): string[] {
  const value = process.env[name]
  return value ? [value] : []
}

interface ClusterTarget {
  readonly seeds: readonly Required<ClusterSeed>[]
  readonly isSecure: boolean
  readonly username: string | undefined
  readonly password: string | undefined
}

/** What the URLs say of a cluster: each where a node is, and all of them the same of everything else. */
function clusterOf(options: Options, urls: readonly string[]): ClusterTarget {
  const other = ["socket", "sentinel"].find((name) => options.has(name))
  if (other !== undefined) throw new UsageError(`--cluster: its nodes are not found by --${other}`)
  if ((options.integer("db", 0) ?? 0) > 0)
    throw new UsageError("--cluster: a cluster has the database 0 only")
  if (urls.length === 0) {
    const seed = {
      host: options.text("host") ?? "localhost",
      port: options.integer("port", 1, 65_535) ?? 6379,
    }
    return { seeds: [seed], isSecure: false, username: undefined, password: undefined }
  }
  if (options.has("host") || options.has("port"))
    throw new UsageError("--cluster: nodes are given by --url, or one of them by --host and --port")
  const nodes = urls.map(nodeOf)
  const [first = nodeOf("")] = nodes
  const same = (of: (node: ClusterNode) => unknown) => nodes.every((node) => of(node) === of(first))
  if (!same(({ isSecure }) => isSecure))
    throw new UsageError("--cluster: some --url ask for TLS and some do not")
  if (!same(({ username }) => username) || !same(({ password }) => password))
    throw new UsageError("--cluster: user and password hold for all nodes, and those of --url differ")
  return { ...first, seeds: nodes.map(({ seed }) => seed) }
}

interface ClusterNode extends Omit<ClusterTarget, "seeds"> {
  readonly seed: Required<ClusterSeed>
}

/** Nothing of a URL is repeated in an error: there may be a password in it. */
function nodeOf(url: string): ClusterNode {
  const parts =
    /^(redis|rediss|valkey|valkeys):\/\/(?:(.*)@)?(?:\[([^\]]+)\]|([^:/?#[\]]*))(?::(\d+))?(?:\/(\d*))?$/is.exec(
      url,
    )
  if (!parts)
    throw new UsageError(
      "--cluster: each --url has to be redis://, rediss://, valkey:// or valkeys://HOST:PORT",
    )
  const [, scheme = "", credentials, bracketed, plain, port = "6379", database = ""] = parts
  if (Number(database) > 0) throw new UsageError("--cluster: a cluster has the database 0 only")
  if (Number(port) < 1 || Number(port) > 65_535)
    throw new UsageError("--cluster: a --url has a port that is none")
  const colon = credentials?.indexOf(":") ?? -1
  const user = colon === -1 ? credentials : credentials?.slice(0, colon)
  return {
    seed: { host: bracketed ?? (plain || "localhost"), port: Number(port) },
    isSecure: /^(rediss|valkeys)$/i.test(scheme),
    username: user ? decoded(user) : undefined,
    password: colon === -1 ? undefined : decoded(credentials?.slice(colon + 1) ?? ""),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new UsageError("--url: user and password have to be percent-encoded")
  }
}

/** `host:port`, as the driver writes it. */
export function addressOf({ host, port }: Required<ClusterSeed>): string {
  return `${(host ?? "").includes(":") ? `[${host}]` : host}:${port}`
}

async function passwordOf(
  options: Options,
  url: string | undefined,
  ofCluster: string | undefined,
  interruption: Interruption,
): Promise<string | undefined> {
  if (options.has("askpass")) {
    if (options.has("password")) throw new UsageError("--password and --askpass: one of them")
    return askSecret("Password: ", interruption)
  }
  const given = options.text("password")
  if (given !== undefined) return given
  if (ofCluster !== undefined) return ofCluster
  const isInUrl = url !== undefined && /^[a-z]+:\/\/[^/?#@]*:.*@/i.test(url)
  return isInUrl ? undefined : process.env["REDIS_PASSWORD"] || undefined
}

function tlsOf(options: Options): boolean | TlsOptions | undefined {
  const details: TlsOptions = {}
  const ca = options.text("ca")
  const cert = options.text("cert")
  const key = options.text("key")
  const servername = options.text("servername")
  if ((cert === undefined) !== (key === undefined)) throw new UsageError("--cert and --key belong together")
  if (ca !== undefined) details.ca = fileText("ca", ca)
  if (cert !== undefined) details.cert = fileText("cert", cert)
  if (key !== undefined) details.key = fileText("key", key)
  if (servername !== undefined) details.servername = servername
  if (options.has("insecure")) details.rejectUnauthorized = false
  if (Object.keys(details).length > 0) return details
  return options.has("tls") ? true : undefined
}

function fileText(option: string, file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`--${option}: ${reason}`, { cause: error })
  }
}

function sentinelOf(options: Options): SentinelOptions | undefined {
  const sentinels = options.texts("sentinel").map(sentinelAddress)
  if (sentinels.length === 0) {
    const alone = ["group", "replica", "sentinel-user", "sentinel-password"].find((name) => options.has(name))
    if (alone !== undefined) throw new UsageError(`--${alone} needs --sentinel`)
    return undefined
  }
  const tls = tlsOf(options)
  return {
    sentinels,
    group: options.text("group") ?? "mymaster",
    role: options.has("replica") ? "replica" : "primary",
    username: options.text("sentinel-user"),
    password: options.text("sentinel-password") ?? (process.env["REDIS_SENTINEL_PASSWORD"] || undefined),
    ...(tls === undefined ? {} : { tls }),
    timeout: options.integer("timeout", 0) || 2000,
  }
}

function sentinelAddress(text: string): string | SentinelAddress {
  if (text.includes("://")) return text
  const [, bracketed, plain, port = "26379"] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return { host, port: Number(port) }
  throw new UsageError("--sentinel: expected HOST:PORT or a URL")
}

function protocolOf(options: Options): Protocol {
  const text = options.text("protocol") ?? "3"
  if (text === "2") return 2
  if (text === "3") return 3
  throw new UsageError("--protocol: expected 2 or 3")
}
