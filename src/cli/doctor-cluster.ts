/** A cluster, node by node: the way to each, its state, what it knows of the others, and who has which slots. */

import type { Cluster, ClusterNodeInfo, Protocol } from "../index.ts"
import { addressOf, type Target } from "./connect.ts"
import { examineNetwork } from "./doctor-network.ts"
import { examineServer } from "./doctor-server.ts"
import { explain } from "./explain.ts"
import { type Finding, Findings } from "./findings.ts"
import { infoFields } from "./info.ts"
import { isDown, type KnownNode, knownNodes, primariesOf, replicasOf } from "./known-nodes.ts"
import { counted, duration, grouped } from "./terminal.ts"

const ALL_SLOTS = 16_384

type Node = ClusterNodeInfo<Protocol>

interface OfNode {
  readonly node: string
  readonly finding: Finding
}

/** Whether one of the nodes that were given can be reached. Which cannot is not fatal, as long as there is one. */
export async function examineSeeds(target: Target, findings: Findings): Promise<boolean> {
  let reachable = 0
  for (const seed of target.seeds ?? []) {
    const own = new Findings(undefined)
    const options = { ...target.options, host: seed.host, port: seed.port }
    if (await examineNetwork({ ...target, url: undefined, options }, own)) reachable += 1
    const isOnly = target.seeds?.length === 1
    for (const each of own.all)
      findings.add(isOnly ? each : { ...each, text: `${addressOf(seed)}: ${each.text}` })
  }
  return reachable > 0
}

export async function examineCluster(cluster: Cluster<Protocol>, findings: Findings): Promise<void> {
  const nodes = cluster.nodes()
  await Promise.allSettled(nodes.map(({ connection }) => connection.ready({ timeout: READY_MS })))
  const views = new Map<string, KnownNode[]>()
  const others: OfNode[] = []
  for (const node of nodes) {
    const view = await examineNode(node, findings)
    if (view === undefined) continue
    views.set(addressOf(node), view)
    others.push(...(await examineInfo(node)))
  }
  for (const each of together(others)) findings.add(each)
  const [best] = [...views.values()].sort((one, other) => highestEpoch(other) - highestEpoch(one))
  if (best === undefined) {
    findings.problem("slots", "no node could tell who has which", "see what is said of each node")
    return
  }
  examineSlots(best, findings)
  examineReplicas(best, findings)
  examineAgreement(views, findings)
}

/** How long a node that is not connected yet is waited for, in ms. */
const READY_MS = 3000

/** The way to the node and its state; what it knows of the cluster. */
async function examineNode(node: Node, findings: Findings): Promise<KnownNode[] | undefined> {
  const { role, connection } = node
  const name = `${addressOf(node)} ${role}`
  if (connection.status !== "connected") {
    findings.problem(
      "node",
      `${name}: not to be reached from here (${connection.status})`,
      "is it up? The address that it announces has to be reachable from here: see cluster-announce-ip",
    )
    return undefined
  }
  const sentAt = performance.now()
  const pinged = await connection.safe.command(["PING"])
  const took = duration(performance.now() - sentAt)
  const state = await connection.safe.command(["CLUSTER", "INFO"])
  const known = await connection.safe.command(["CLUSTER", "NODES"])
  const failed = [pinged, state, known].find((result) => !result.ok)
  if (failed && !failed.ok) {
    const { problem, advice } = explain(failed.error)
    findings.problem("node", `${name}: ${problem}`, advice)
    return undefined
  }
  const fields = infoFields(state.ok ? state.value : "")
  const view = knownNodes(known.ok ? String(known.value) : "")
  const own = view.find(({ flags }) => flags.includes("myself"))
  const text = `${name}: answers in ${took}, ${fields.get("cluster_state")}, epoch ${own?.epoch ?? "?"} of ${fields.get("cluster_current_epoch")}${role === "primary" ? `, slots ${own?.slots.join(" ") || "none"}` : ""}`
  if (fields.get("cluster_state") === "ok") findings.ok("node", text)
  else findings.problem("node", text, "it refuses commands: see the slots below, and its log")
  return view
}

/** What is not well at the node by itself. */
async function examineInfo(node: Node): Promise<OfNode[]> {
  const { role, connection } = node
  const own = new Findings(undefined)
  const reply = await connection.safe.command(["INFO"])
  const info = infoFields(reply.ok ? reply.value : "")
  await examineServer(connection, info, own, reply.ok ? undefined : reply.error)
  if (role === "replica" && reply.ok && info.get("master_link_status") !== "up")
    own.problem("replication", "the link to its primary is down", "see the replica's log")
  const bad = own.all.filter(({ verdict }) => verdict === "warning" || verdict === "problem")
  return bad.map((finding) => ({ node: addressOf(node), finding }))
}

/** What is said of several nodes alike is said once. */
function together(all: readonly OfNode[]): Finding[] {
  const groups = new Map<string, { finding: Finding; nodes: string[] }>()
  for (const { node, finding } of all) {
    const key = `${finding.what} ${finding.text}`
    const group = groups.get(key) ?? { finding, nodes: [] }
    groups.set(key, { finding, nodes: [...group.nodes, node] })
  }
  return [...groups.values()].map(({ finding, nodes }) => ({
    ...finding,
    text: `${nodes.length === 1 ? nodes[0] : `${nodes.length} nodes`}: ${finding.text}`,
  }))
}

function examineSlots(view: readonly KnownNode[], findings: Findings): void {
  const primaries = primariesOf(view)
  const count = (nodes: readonly KnownNode[]) => nodes.reduce((sum, node) => sum + slotCount(node), 0)
  const [served, assigned] = [count(primaries.filter((node) => !isDown(node))), count(primaries)]
  const text = `${grouped(served)} of ${grouped(ALL_SLOTS)} served by ${counted(primaries.filter((node) => slotCount(node) > 0).length, "node")}, epoch ${highestEpoch(view)}`
  if (assigned < ALL_SLOTS)
    findings.problem(
      "slots",
      `${text}; ${grouped(ALL_SLOTS - assigned)} belong to nobody`,
      "redis-cli --cluster fix assigns them",
    )
  else if (served < ALL_SLOTS)
    findings.problem("slots", text, "bring back the nodes that have the others, or let replicas take over")
  else findings.ok("slots", text)
  const moving = primaries.flatMap(({ address, slots }) =>
    slots.filter((slot) => slot.startsWith("[")).map((slot) => `${slot} at ${address}`),
  )
  if (moving.length > 0)
    findings.warn(
      "moving",
      `${counted(moving.length, "slot")} open: ${moving.slice(0, 5).join(", ")}`,
      "if nobody is moving slots now, redis-cli --cluster fix closes them",
    )
}

function examineReplicas(view: readonly KnownNode[], findings: Findings): void {
  for (const node of view.filter((each) => slotCount(each) > 0)) {
    const { address, flags } = node
    const replicas = replicasOf(node, view)
    const up = replicas.filter((replica) => !isDown(replica))
    const list = replicas
      .map((each) => (up.includes(each) ? each.address : `${each.address} (down)`))
      .join(", ")
    const text = `${address}: ${replicas.length === 0 ? "none" : list}`
    if (flags.includes("fail"))
      findings.problem("primary", `${address} is down`, "bring it back, or let a replica take over")
    if (up.length === 0)
      findings.warn("replicas", text, "if it is lost, so are its slots: give it a replica that is up")
    else if (up.length < replicas.length) findings.warn("replicas", text, "bring back the one that is down")
    else findings.ok("replicas", text)
  }
}

/** Nodes that disagree send callers in circles. */
function examineAgreement(views: ReadonlyMap<string, readonly KnownNode[]>, findings: Findings): void {
  const maps = new Map<string, string[]>()
  for (const [address, view] of views) {
    const owners = view
      .filter((node) => slotCount(node) > 0)
      .map(({ id, slots }) => `${id} ${slots.filter((slot) => !slot.startsWith("[")).join(" ")}`)
      .sort()
      .join("\n")
    maps.set(owners, [...(maps.get(owners) ?? []), address])
  }
  const links = [...views].flatMap(([address, view]) =>
    view
      .filter(
        ({ link, flags }) =>
          link === "disconnected" && !flags.includes("myself") && !flags.includes("noaddr"),
      )
      .map((node) => `${address} → ${node.address}`),
  )
  if (maps.size > 1)
    findings.problem(
      "agreement",
      `nodes do not agree on who has which slots: ${[...maps.values()].map((names) => names.join(", ")).join(" against ")}`,
      "a failover or a move may be under way; if it lasts, see whether their bus ports (port + 10000) reach each other",
    )
  else findings.ok("agreement", `${counted(views.size, "node")} asked, all of one opinion`)
  if (links.length > 0)
    findings.warn(
      "bus",
      `no link: ${links.slice(0, 6).join(", ")}`,
      "bus ports (port + 10000) have to be reachable between nodes",
    )
}

/** Of ranges such as `0-5460` and `7`; what is in brackets is on its way. */
function slotCount({ slots }: KnownNode): number {
  return slots
    .filter((slot) => !slot.startsWith("["))
    .reduce((sum, slot) => {
      const [first = "", last = first] = slot.split("-")
      return sum + Number(last) - Number(first) + 1
    }, 0)
}

function highestEpoch(view: readonly KnownNode[]): number {
  return Math.max(0, ...view.map(({ epoch }) => epoch))
}
