/**
 * A real cluster for tests, examples and benchmarks: nodes on loopback that know each other, and what an operator does
 * to them: slots that move, failovers, deaths, new nodes. What a single node is made of is left to `server.ts`.
 */
import { join } from "node:path"
import type { Certificates } from "./certificates.ts"
import { temporaryFolder } from "./cleanup.ts"
import { freeClusterPort, loopback } from "./port.ts"
import { RedisServer } from "./server.ts"
import { request, requestAll, type SideChannelTarget } from "./side-channel.ts"
import { evenRanges, slotOf } from "./slots.ts"
import { until } from "./wait.ts"

export { evenRanges, keyIn, slotCount, slotOf, tagOf } from "./slots.ts"

/** `[first, last]` slot. */
export type SlotRange = readonly [number, number]

export interface RedisClusterOptions {
  /** Default 3. */
  primaries?: number
  /** Default 1. */
  replicasPerPrimary?: number
  /** What each primary serves. Default: all slots, evenly. */
  slots?: readonly (readonly SlotRange[])[]
  /** Every node asks for it, other nodes included. */
  password?: string
  /** Speaks TLS instead of plain TCP, on the bus and between primary and replica too. */
  tls?: Certificates
  /** Further arguments of every node. They win over those of this class. */
  args?: readonly string[] | ((node: { readonly port: number; readonly index: number }) => readonly string[])
  /** Milliseconds after which a silent node counts as failing. Default 1000. */
  nodeTimeout?: number
}

/** For busy machines; a start takes about three seconds, of which a node waits two before it dares to be a primary. */
const settleTimeoutMs = 30_000
const pollIntervalMs = 15
/** For questions whose answer may be silence, since somebody froze the node. */
const askTimeoutMs = 2000

export class ClusterNode {
  readonly host = loopback
  readonly port: number
  /** The name that the cluster knows it by; it outlives restarts and new addresses. */
  readonly id: string
  readonly server: RedisServer
  /** Holds what the node knows of the cluster. */
  readonly configFile: string
  #frozen = false

  constructor(server: RedisServer, configFile: string, id: string) {
    this.server = server
    this.port = server.port
    this.configFile = configFile
    this.id = id
  }

  /** `host:port` */
  get address(): string {
    return `${this.host}:${this.port}`
  }

  get url(): string {
    return this.server.url
  }

  /** Whether it can answer: neither dead nor frozen. */
  get awake(): boolean {
    return this.server.running && !this.#frozen
  }

  freeze(): void {
    this.#frozen = true
    this.server.pause()
  }

  thaw(): void {
    this.#frozen = false
    this.server.resume()
  }

  /** The reply to one command on a connection of its own, beside the driver. An error reply rejects. */
  send(...command: string[]): Promise<unknown> {
    return this.server.send(...command)
  }
}

/** A slot on its way: both nodes know, keys move when told to. */
export interface Migration {
  readonly slot: number
  readonly from: ClusterNode
  readonly to: ClusterNode
  /** Moves these keys, or all that are there now. What is not there is no error. */
  moveKeys(keys?: readonly string[]): Promise<void>
  /** Moves what is left, and gives the slot to the new owner; resolves when every node has heard of it. */
  finish(): Promise<void>
  /** Calls it off. Keys that have moved go back; only while nobody writes to them. */
  abort(): Promise<void>
}

/** What a node says of itself and of one that it knows. */
interface Described {
  readonly id: string
  readonly address: string
  readonly flags: readonly string[]
  readonly primaryId: string | undefined
  readonly epoch: number
  readonly connected: boolean
  readonly ranges: readonly SlotRange[]
}

export class RedisCluster {
  /** The nodes that were started and not removed, dead ones included: first the primaries of the start, then the replicas. */
  readonly nodes: ClusterNode[] = []
  readonly #options: RedisClusterOptions
  #started = 0
  /** Nodes that were replaced or removed; they are stopped with the rest. */
  readonly #retired: ClusterNode[] = []

  /** A cluster that works: every node knows all others, every slot is served, every replica is in step. */
  static async start(options: RedisClusterOptions = {}): Promise<RedisCluster> {
    const cluster = new RedisCluster(options)
    try {
      await cluster.#start()
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  private constructor(options: RedisClusterOptions) {
    this.#options = options
  }

  /** The URIs of all nodes, or of the first few. */
  urls(count: number = this.nodes.length): string[] {
    return this.nodes.slice(0, count).map(({ url }) => url)
  }

  /** The nodes that can answer. */
  get awake(): ClusterNode[] {
    return this.nodes.filter((node) => node.awake)
  }

  /** The node that has this port. */
  byPort(port: number): ClusterNode {
    return found(
      this.nodes.find((node) => node.port === port),
      `a node with port ${port}`,
    )
  }

  /** The node that serves the slot, as it says itself. Of two that say so it is the one that was appointed last. */
  async primaryOf(slot: number): Promise<ClusterNode> {
    return found(await this.findPrimaryOf(slot), `a primary of slot ${slot}`)
  }

  /** The same, or nothing while nobody serves it. */
  async findPrimaryOf(slot: number): Promise<ClusterNode | undefined> {
    const claims = await this.#selves()
    const claimants = claims.filter(([, self]) => covers(self.ranges, slot))
    claimants.sort(([, one], [, other]) => other.epoch - one.epoch)
    return claimants[0]?.[0]
  }

  /** The nodes that are primaries by their own account, in the order of {@link nodes}. */
  async primaries(): Promise<ClusterNode[]> {
    return (await this.#selves()).filter(([, self]) => self.flags.includes("master")).map(([node]) => node)
  }

  /** The nodes that follow this one by their own account. */
  async replicasOf(primary: ClusterNode): Promise<ClusterNode[]> {
    return (await this.#selves()).filter(([, self]) => self.primaryId === primary.id).map(([node]) => node)
  }

  /** The values of keys, wherever they are, in that order; `null` for what nobody has. Not while a slot moves. */
  async values(keys: readonly string[]): Promise<(string | null)[]> {
    const owners = await this.#selves()
    owners.sort(([, one], [, other]) => one.epoch - other.epoch)
    const values = new Map<string, string | null>()
    // Where two claim a slot, the one that was appointed last overwrites what the other said.
    for (const [node, { ranges }] of owners) {
      const own = keys.filter((key) => covers(ranges, slotOf(key)))
      if (own.length === 0) continue
      const replies = await requestAll(
        this.#target(node),
        own.map((key) => ["GET", key]),
      )
      for (const [index, reply] of replies.entries()) {
        if (reply instanceof Error) throw reply
        values.set(own[index] as string, typeof reply === "string" ? reply : null)
      }
    }
    return keys.map((key) => {
      const value = values.get(key)
      if (value === undefined) throw new Error(`nobody serves slot ${slotOf(key)} of ${key}`)
      return value
    })
  }

  /** Gives a slot with all of its keys to another primary; resolves when every node has heard of it. */
  async migrateSlot(slot: number, to: ClusterNode): Promise<void> {
    const migration = await this.startMigration(slot, to)
    await migration.finish()
  }

  /** Opens the move of a slot: what its old owner has not is answered with ASK from here on. */
  async startMigration(slot: number, to: ClusterNode): Promise<Migration> {
    const from = await this.primaryOf(slot)
    if (from === to) throw new Error(`slot ${slot} is already served by ${to.address}`)
    await to.send("CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", from.id)
    await from.send("CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", to.id)
    return {
      slot,
      from,
      to,
      moveKeys: (keys) => (keys ? this.#move(from, to, keys) : this.#moveAll(slot, from, to)),
      finish: async () => {
        await this.#moveAll(slot, from, to)
        await this.#assign(slot, from, to)
      },
      abort: async () => {
        await from.send("CLUSTER", "SETSLOT", `${slot}`, "STABLE")
        await this.#moveAll(slot, to, from)
        await to.send("CLUSTER", "SETSLOT", `${slot}`, "STABLE")
      },
    }
  }

  /** Makes a replica take over in peace; resolves to it when every node that is awake has heard of it. */
  async failover(primary: ClusterNode): Promise<ClusterNode> {
    const replica = found((await this.replicasOf(primary))[0], `a replica of ${primary.address}`)
    await replica.send("CLUSTER", "FAILOVER")
    await this.promoted(replica)
    return replica
  }

  /** Resolves when this node is a primary by its own account and by that of everybody who is awake. */
  async promoted(node: ClusterNode): Promise<void> {
    const knows = async (each: ClusterNode) => {
      const view = await this.#view(each)
      return view.some(
        ({ id, flags, ranges }) => id === node.id && flags.includes("master") && ranges.length > 0,
      )
    }
    await this.#everybody(knows, () => `${node.address} to be known as a primary`)
  }

  /** SIGKILL. {@link restart} brings it back. */
  kill(node: ClusterNode): Promise<void> {
    return node.server.kill()
  }

  async restart(node: ClusterNode): Promise<void> {
    await node.server.restart()
    node.thaw()
  }

  /** SIGSTOP: the system still accepts connections and bytes for it, but nothing answers. */
  freeze(node: ClusterNode): void {
    node.freeze()
  }

  thaw(node: ClusterNode): void {
    node.thaw()
  }

  /** A new node that everybody knows: without slots, or as a replica in step with `replicaOf`. */
  async addNode({ replicaOf }: { replicaOf?: ClusterNode } = {}): Promise<ClusterNode> {
    const node = await this.#startNode(temporaryFolder("node"))
    const known = this.awake
    this.nodes.push(node)
    await Promise.all(known.map((each) => meet(each, node)))
    await this.#acquainted()
    if (replicaOf) await this.#follow(node, replicaOf)
    await this.healthy()
    return node
  }

  /** Removes a node for good: it is killed, and everybody forgets it. */
  async forget(node: ClusterNode): Promise<void> {
    await this.kill(node)
    this.#retire(node)
    await Promise.all(this.awake.map((each) => each.send("CLUSTER", "FORGET", node.id).catch(ignoreUnknown)))
  }

  /** The same node under another port, as after the restart of a container: it keeps its id, its role and its slots, not its data. */
  async relocate(node: ClusterNode): Promise<ClusterNode> {
    await this.kill(node)
    const moved = await this.#startNode(node.configFile)
    this.nodes.splice(this.nodes.indexOf(node), 1, moved)
    this.#retired.push(node)
    await this.#everybody(
      async (each) => (await this.#view(each)).some(({ address }) => address === moved.address),
      () => `the new address ${moved.address} to be known`,
    )
    return moved
  }

  /**
   * Makes good what tests did: wakes the frozen, restarts the dead, and waits until the cluster works. Slots that have
   * moved stay where they are.
   */
  async mend(): Promise<void> {
    for (const node of this.nodes) node.thaw()
    await Promise.all(this.nodes.filter(({ server }) => !server.running).map((node) => this.restart(node)))
    await this.healthy()
  }

  /** Resolves when every node takes the cluster for sound and knows the same owners, and every replica is in step. */
  async healthy(): Promise<void> {
    let trouble = ""
    await until(
      async () => {
        trouble = await this.#trouble().catch(String)
        return trouble === ""
      },
      { timeout: settleTimeoutMs, interval: pollIntervalMs, message: () => `a healthy cluster: ${trouble}` },
    )
  }

  /** Empties every primary. */
  async flush(): Promise<void> {
    await Promise.all((await this.primaries()).map((node) => node.send("FLUSHALL")))
  }

  /** Kills every node and removes its folder. May be called again. */
  async stop(): Promise<void> {
    await Promise.all([...this.nodes, ...this.#retired].map(({ server }) => server.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #start(): Promise<void> {
    const { primaries = 3, replicasPerPrimary = 1, slots } = this.#options
    const ranges = slots ?? evenRanges(primaries).map((range) => [range])
    const folders = Array.from({ length: primaries * (1 + replicasPerPrimary) }, () =>
      temporaryFolder("node"),
    )
    const starts = await Promise.allSettled(folders.map((folder) => this.#startNode(folder)))
    for (const each of starts) if (each.status === "fulfilled") this.nodes.push(each.value)
    for (const each of starts) if (each.status === "rejected") throw each.reason
    const heads = this.nodes.slice(0, primaries)
    await Promise.all(
      this.nodes.map((node, index) => node.send("CLUSTER", "SET-CONFIG-EPOCH", `${index + 1}`)),
    )
    await Promise.all(
      heads.map((node, index) => {
        const own = ranges[index] ?? []
        if (own.length === 0) return undefined
        return serve(node, own)
      }),
    )
    // Everybody is introduced to everybody, since word of mouth takes seconds.
    await Promise.all(
      this.nodes.flatMap((node, index) => this.nodes.slice(index + 1).map((other) => meet(node, other))),
    )
    await this.#acquainted()
    await Promise.all(
      this.nodes
        .slice(primaries)
        .map((node, index) => this.#follow(node, heads[index % primaries] as ClusterNode)),
    )
    await this.healthy()
  }

  /** `place` is a new folder, or the configuration of a node that was. */
  async #startNode(place: string): Promise<ClusterNode> {
    const configFile = place.endsWith(".conf") ? place : join(place, "nodes.conf")
    const index = this.#started++
    for (let attempt = 1; ; attempt++) {
      const port = await freeClusterPort()
      try {
        const server = await RedisServer.start(this.#serverOptions(port, index, configFile))
        const node = new ClusterNode(server, configFile, String(await server.send("CLUSTER", "MYID")))
        return node
      } catch (error) {
        const portWasLost = error instanceof Error && /address already in use/i.test(error.message)
        if (!portWasLost || attempt === 5) throw error
      }
    }
  }

  #serverOptions(port: number, index: number, configFile: string): Parameters<typeof RedisServer.start>[0] {
    const { password, tls, args = [], nodeTimeout = 1000 } = this.#options
    const list = ["--cluster-enabled", "yes", "--cluster-config-file", configFile]
    list.push("--cluster-node-timeout", `${nodeTimeout}`, "--cluster-replica-validity-factor", "0")
    list.push("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0")
    // A replica that has not heard anything from its primary is not worth mentioning to clients.
    list.push("--repl-ping-replica-period", "1")
    if (password !== undefined) list.push("--requirepass", password, "--masterauth", password)
    if (tls) {
      list.push("--tls-cluster", "yes", "--tls-replication", "yes")
      // On the bus each node is a client of the others, and has to show a certificate as one.
      list.push("--tls-client-cert-file", tls.clientCertFile, "--tls-client-key-file", tls.clientKeyFile)
    }
    list.push(...(typeof args === "function" ? args({ port, index }) : args))
    return {
      port,
      args: list,
      ...(tls && { tls: { certificates: tls } }),
      ...(password !== undefined && { auth: { password } }),
    }
  }

  async #follow(node: ClusterNode, primary: ClusterNode): Promise<void> {
    await until(
      () =>
        node.send("CLUSTER", "REPLICATE", primary.id).then(
          () => true,
          () => false,
        ),
      { timeout: settleTimeoutMs, interval: pollIntervalMs, message: `${node.address} to become a replica` },
    )
  }

  /** Resolves when everybody who is awake has shaken hands with everybody. */
  async #acquainted(): Promise<void> {
    const ids = this.nodes.map(({ id }) => id)
    const knowsAll = async (each: ClusterNode) => {
      const known = new Set((await this.#view(each)).map(({ id }) => id))
      return ids.every((id) => known.has(id))
    }
    await this.#everybody(knowsAll, () => "every node to know every other")
  }

  async #everybody(holds: (node: ClusterNode) => Promise<boolean>, message: () => string): Promise<void> {
    await until(
      async () => {
        const verdicts = await Promise.all(this.awake.map((node) => holds(node).catch(() => false)))
        return verdicts.every(Boolean)
      },
      { timeout: settleTimeoutMs, interval: pollIntervalMs, message },
    )
  }

  async #moveAll(slot: number, from: ClusterNode, to: ClusterNode): Promise<void> {
    for (;;) {
      const keys = await from.send("CLUSTER", "GETKEYSINSLOT", `${slot}`, "100")
      if (!Array.isArray(keys) || keys.length === 0) return
      await this.#move(from, to, keys.map(String))
    }
  }

  async #move(from: ClusterNode, to: ClusterNode, keys: readonly string[]): Promise<void> {
    const { password } = this.#options
    const login = password === undefined ? [] : ["AUTH", password]
    await from.send("MIGRATE", to.host, `${to.port}`, "", "0", "5000", ...login, "KEYS", ...keys)
  }

  /** The new owner hears of it first, so that there is no moment in which nobody serves the slot. */
  async #assign(slot: number, from: ClusterNode, to: ClusterNode): Promise<void> {
    await until(() => this.#knowsEpochs(to), {
      timeout: settleTimeoutMs,
      interval: pollIntervalMs,
      message: `${to.address} to know the epochs of all primaries`,
    })
    await to.send("CLUSTER", "SETSLOT", `${slot}`, "NODE", to.id)
    await from.send("CLUSTER", "SETSLOT", `${slot}`, "NODE", to.id)
    const others = (await this.primaries()).filter((node) => node !== from && node !== to)
    const tell = (node: ClusterNode) => node.send("CLUSTER", "SETSLOT", `${slot}`, "NODE", to.id)
    await Promise.all(others.map(tell))
    await this.#everybody(
      async (each) => {
        const knows = (await this.#view(each)).some(({ id, ranges }) => id === to.id && covers(ranges, slot))
        // Where many slots move, what the old owner had sent before can win over that for good.
        if (!knows && others.includes(each)) await tell(each)
        return knows
      },
      () => `everybody to know that slot ${slot} is served by ${to.address}`,
    )
  }

  /**
   * Only a node that does raises its own above all others when it is given a slot. Otherwise what the old owner had sent
   * before wins at others, for good, and the keys are lost.
   */
  async #knowsEpochs(node: ClusterNode): Promise<boolean> {
    const [selves, view] = await Promise.all([this.#selves(), this.#view(node)])
    const known = new Map(view.map(({ id, epoch }) => [id, epoch]))
    return selves.every(([, self]) => self.primaryId !== undefined || known.get(self.id) === self.epoch)
  }

  /** What is wrong, or nothing. */
  async #trouble(): Promise<string> {
    const selves = await this.#selves()
    if (selves.length < this.nodes.length) return "not all nodes are awake"
    const layout = (view: readonly Described[]) =>
      view
        .map(({ id, primaryId, ranges }) => `${id} ${primaryId ?? ""} ${ranges.join(" ")}`)
        .sort()
        .join("\n")
    const views = await Promise.all(this.nodes.map((node) => this.#view(node)))
    for (const [index, view] of views.entries()) {
      const { address } = this.nodes[index] as ClusterNode
      const bad = view.find(
        ({ flags, connected }) => !connected || flags.some((flag) => /fail|handshake/.test(flag)),
      )
      if (bad) return `${address} takes ${bad.address} for ${bad.flags}`
      if (layout(view) !== layout(views[0] ?? [])) return `${address} knows other owners`
    }
    for (const [node, self] of selves) {
      const info = String(await node.send("CLUSTER", "INFO"))
      if (!info.includes("cluster_state:ok")) return `${node.address} is not ok`
      const told = await node.send("CLUSTER", "SLOTS")
      if (mentioned(told) < this.nodes.filter(({ id }) => isOfUse(id, views[0] ?? [])).length) {
        return `${node.address} does not tell clients of all nodes`
      }
      if (self.primaryId === undefined) continue
      const replication = String(await node.send("INFO", "replication"))
      if (!replication.includes("master_link_status:up")) return `${node.address} is not in step`
    }
    return ""
  }

  /** What each node that is awake says of itself. One that dies meanwhile says nothing. */
  async #selves(): Promise<(readonly [ClusterNode, Described])[]> {
    const selves = await Promise.all(
      this.nodes.map(async (node) => {
        const view = node.awake ? await this.#view(node).catch(() => []) : []
        const self = view.find(({ flags }) => flags.includes("myself"))
        return self && ([node, self] as const)
      }),
    )
    return selves.filter((each) => each !== undefined)
  }

  async #view(node: ClusterNode): Promise<Described[]> {
    const text = String(await request(this.#target(node), ["CLUSTER", "NODES"], askTimeoutMs))
    return text
      .trim()
      .split("\n")
      .map((line) => describeNode(line))
  }

  #target(node: ClusterNode): SideChannelTarget {
    const { tls: certificates, password } = this.#options
    return {
      host: node.host,
      port: node.port,
      auth: password === undefined ? undefined : { password },
      certificates,
    }
  }

  #retire(node: ClusterNode): void {
    const index = this.nodes.indexOf(node)
    if (index < 0) return
    this.nodes.splice(index, 1)
    this.#retired.push(node)
  }
}

/** `id host:port@bus[,name] flags primary ping pong epoch link [range …]` */
function describeNode(line: string): Described {
  const [id = "", address = "", flags = "", primaryId, , , epoch, link, ...slots] = line.split(" ")
  return {
    id,
    address: address.replace(/@.*/, ""),
    flags: flags.split(","),
    primaryId: primaryId === "-" ? undefined : primaryId,
    epoch: Number(epoch),
    connected: link === "connected",
    // What is in brackets is on its way and still served here.
    ranges: slots.filter((each) => !each.startsWith("[")).map(parseRange),
  }
}

function parseRange(text: string): SlotRange {
  const [first = 0, last = first] = text.split("-").map(Number)
  return [first, last]
}

function covers(ranges: readonly SlotRange[], slot: number): boolean {
  return ranges.some(([first, last]) => first <= slot && slot <= last)
}

/** How many nodes a reply to `CLUSTER SLOTS` names. */
function mentioned(reply: unknown): number {
  if (!Array.isArray(reply)) return 0
  const ports = reply.flatMap((entry: unknown) => (Array.isArray(entry) ? entry.slice(2) : []))
  return new Set(ports.map((place: unknown) => (Array.isArray(place) ? place[1] : undefined))).size
}

/** Whether a node serves slots, or follows one that does. */
function isOfUse(id: string, view: readonly Described[]): boolean {
  const self = view.find((each) => each.id === id)
  return view.some((each) => each.ranges.length > 0 && (each.id === id || each.id === self?.primaryId))
}

async function serve(node: ClusterNode, ranges: readonly SlotRange[]): Promise<void> {
  // Before version 7 there are no ranges.
  const all = ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, add) => first + add),
  )
  await node.send("CLUSTER", "ADDSLOTS", ...all.map(String))
}

async function meet(node: ClusterNode, other: ClusterNode): Promise<void> {
  await node.send("CLUSTER", "MEET", other.host, `${other.port}`)
}

function ignoreUnknown(error: unknown): void {
  if (!(error instanceof Error && /unknown node/i.test(error.message))) throw error
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`there is not ${what}`)
  return value
}
