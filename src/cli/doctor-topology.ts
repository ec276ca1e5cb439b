/** How servers belong together: primary and replicas, a group of Sentinel, a cluster; and when that last changed. */

import { ConnectionError } from "../index.ts"
import { type Connection, connectSentinel, type Target } from "./connect.ts"
import { endpointOf } from "./doctor-network.ts"
import { explain } from "./explain.ts"
import type { Findings } from "./findings.ts"
import { infoFields, listFields, mapFields, numberField } from "./info.ts"
import { isDown, type KnownNode, knownNodes, primariesOf, replicasOf } from "./known-nodes.ts"
import { counted, grouped, longDuration } from "./terminal.ts"

type Info = ReadonlyMap<string, string>

/** A replica that is further behind, in bytes, would lose that much in a failover. */
const MUCH_LAG = 1024 * 1024
const NO_ID = /^0+$/

export async function examineReplication(conn: Connection, info: Info, findings: Findings): Promise<void> {
  const role = info.get("role")
  if (role === undefined) {
    const reply = await conn.safe.command(["ROLE"])
    if (reply.ok && Array.isArray(reply.value)) findings.ok("role", String(reply.value[0]))
    else findings.skip("role", "not to be learned by this user")
    return
  }
  if (role === "slave") examineReplica(info, findings)
  else examinePrimary(info, findings)
  lastFailover(info, findings)
}

function examinePrimary(info: Info, findings: Findings): void {
  const offset = numberField(info, "master_repl_offset") ?? 0
  const replicas = [...info]
    .filter(([name, value]) => /^slave\d+$/.test(name) && value.includes("="))
    .map(([, value]) => listFields(value))
  if (replicas.length === 0) {
    findings.ok("role", "primary, without replicas")
    return
  }
  const shown = replicas.map((each) => {
    const behind = Math.max(0, offset - (numberField(each, "offset") ?? 0))
    return { text: `${each.get("ip")}:${each.get("port")}`, behind, state: each.get("state") ?? "" }
  })
  const list = shown.map(
    ({ text, behind }) => `${text}${behind > 0 ? ` (${grouped(behind)} bytes behind)` : ""}`,
  )
  const text = `primary of ${counted(replicas.length, "replica")}: ${list.join(", ")}`
  const bad = shown.filter(({ state, behind }) => state !== "online" || behind > MUCH_LAG)
  if (bad.length === 0) findings.ok("role", text)
  else {
    const names = bad.map((each) => `${each.text} ${each.state}`).join(", ")
    findings.warn("role", text, `not in step: ${names}; a failover now would lose writes`)
  }
}

function examineReplica(info: Info, findings: Findings): void {
  const primary = `${info.get("master_host")}:${info.get("master_port")}`
  const text = `replica of ${primary}`
  if (info.get("master_link_status") === "up") {
    const silent = numberField(info, "master_last_io_seconds_ago") ?? 0
    findings.ok(
      "role",
      `${text}, in step, last heard of it ${longDuration(silent * 1000)} ago; writes go to ${primary}`,
    )
    return
  }
  const down = numberField(info, "master_link_down_since_seconds")
  const since = down === undefined || down < 0 ? "" : ` for ${longDuration(down * 1000)}`
  findings.problem(
    "role",
    `${text}, but the link to it is down${since}`,
    "is the primary up? See the replica's log",
  )
}

/** A server that has taken over keeps the name of the history that it took over from. */
function lastFailover(info: Info, findings: Findings): void {
  const before = info.get("master_replid2")
  const state = info.get("master_failover_state")
  if (state !== undefined && state !== "no-failover") {
    findings.warn("failover", `one is under way: ${state}`, "wait until it is done")
  } else if (before !== undefined && !NO_ID.test(before) && info.get("role") === "master") {
    const at = numberField(info, "second_repl_offset") ?? 0
    findings.ok("failover", `this server took over since it was started, at offset ${grouped(at)}`)
  } else {
    findings.ok("failover", "none since the server was started")
  }
}

/** Asks every sentinel; whether any of them knows a server. */
export async function examineSentinels(target: Target, findings: Findings): Promise<boolean> {
  const sentinel = target.options.sentinel
  if (sentinel === undefined) return false
  const primaries = new Map<string, string[]>()
  let answer: Connection | undefined
  for (const each of sentinel.sentinels) {
    const address = typeof each === "string" ? endpointOf(each, {}) : each
    const name = `${address.host}:${address.port}`
    try {
      const conn = await connectSentinel(target, { host: address.host, port: address.port })
      const reply = await conn.command(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinel.group])
      if (Array.isArray(reply)) {
        const primary = reply.map(String).join(":")
        primaries.set(primary, [...(primaries.get(primary) ?? []), name])
        findings.ok("sentinel", `${name}: the primary of ${sentinel.group} is ${primary}`)
        if (answer === undefined) answer = conn
        else conn.destroy()
      } else {
        findings.problem(
          "sentinel",
          `${name} knows no group ${sentinel.group}`,
          "check --group: SENTINEL MASTERS lists them",
        )
        conn.destroy()
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const { problem, advice } = explain(error)
      const text = error instanceof ConnectionError ? problem : `${name}: ${problem}`
      findings.problem("sentinel", text.includes(name) ? text : `${name}: ${text}`, advice)
    }
  }
  if (primaries.size > 1) {
    const views = [...primaries].map(([primary, by]) => `${primary} (${by.join(", ")})`).join(" or ")
    findings.problem(
      "agreement",
      `the sentinels do not agree: ${views}`,
      "a failover is under way, or they cannot see each other",
    )
  }
  if (answer === undefined) return false
  try {
    await examineGroup(answer, sentinel.group, findings)
  } finally {
    answer.destroy()
  }
  return true
}

async function examineGroup(sentinel: Connection, group: string, findings: Findings): Promise<void> {
  const quorum = await sentinel.safe.command(["SENTINEL", "CKQUORUM", group])
  if (quorum.ok) findings.ok("quorum", String(quorum.value))
  else
    findings.problem(
      "quorum",
      explain(quorum.error).problem,
      "start the sentinels that are missing, at least as many as the quorum",
    )
  const reply = await sentinel.safe.command(["SENTINEL", "MASTER", group])
  if (!reply.ok) return
  const state = mapFields(reply.value)
  const flags = String(state.get("flags") ?? "")
  const replicas = numberField(state, "num-slaves") ?? 0
  const others = numberField(state, "num-other-sentinels") ?? 0
  const text = `${counted(replicas, "replica")}, ${counted(others + 1, "sentinel")}, quorum ${String(state.get("quorum") ?? "?")}`
  if (/down/.test(flags))
    findings.problem("group", `${text}; the primary is down (${flags})`, "a failover should follow")
  else if (replicas === 0) findings.warn("group", text, "there is nothing to fail over to: add a replica")
  else if (others < 2) findings.warn("group", text, "at least three sentinels are needed to decide safely")
  else findings.ok("group", text)
  const epoch = numberField(state, "config-epoch") ?? 0
  const since = numberField(state, "role-reported-time")
  const when =
    since === undefined
      ? ""
      : `; the primary has been that for ${longDuration(since)}, as far as this sentinel has seen`
  findings.ok("failovers", `${epoch === 0 ? "none so far" : `${counted(epoch, "failover")} so far`}${when}`)
}

/** The cluster that a single server is a node of, as it sees it. `--cluster` looks at all of them. */
export async function examineClusterNode(conn: Connection, findings: Findings): Promise<void> {
  const reply = await conn.safe.command(["CLUSTER", "INFO"])
  if (!reply.ok) {
    findings.problem(
      "cluster",
      explain(reply.error).problem,
      "let the user have CLUSTER INFO and CLUSTER NODES",
    )
    return
  }
  const info = infoFields(reply.value)
  const slots = numberField(info, "cluster_slots_assigned") ?? 0
  const ok = numberField(info, "cluster_slots_ok") ?? 0
  const text = `${info.get("cluster_state")}, ${counted(numberField(info, "cluster_known_nodes") ?? 0, "node")}, ${grouped(slots)} of 16,384 slots served, epoch ${info.get("cluster_current_epoch")}`
  if (info.get("cluster_state") === "ok" && ok === slots) findings.ok("cluster", text)
  else if (slots < 16_384)
    findings.problem(
      "cluster",
      text,
      "slots without a node: CLUSTER ADDSLOTS, or bring back the nodes that had them",
    )
  else findings.problem("cluster", text, "nodes are down: CLUSTER NODES says which")
  const nodes = await conn.safe.command(["CLUSTER", "NODES"])
  if (nodes.ok) examineNodes(knownNodes(String(nodes.value)), findings)
}

function examineNodes(view: readonly KnownNode[], findings: Findings): void {
  for (const node of primariesOf(view)) {
    const replicas = replicasOf(node, view)
    const replicated =
      replicas.length === 0 ? "no replica" : `replicas ${replicas.map((each) => each.address).join(", ")}`
    const line = `${node.address}: slots ${node.slots.join(" ") || "none"}; ${replicated}; epoch ${node.epoch}`
    if (isDown(node)) findings.problem("node", `${line}; down`, "bring it back, or let a replica take over")
    else if (node.slots.length > 0 && replicas.length === 0)
      findings.warn("node", line, "if it is lost, so are its slots: give it a replica")
    else findings.ok("node", line)
  }
}
