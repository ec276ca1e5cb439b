/**
 * The resilience story: a load of increments while the connection is broken twice, with books that are checked against
 * the server in the end.
 */
import type { ConnectionEvent, DisconnectionEvent, Redix, Status } from "@redix/client"
import { Ledger } from "./ledger.ts"
import { incrementAll } from "./load.ts"
import type { Stage } from "./stage.ts"
import type { Target } from "./target.ts"
import { count, LiveText, paint, print } from "./terminal.ts"

const COUNTERS = 100

/** The time of the load before, between and after the two disruptions. */
const PHASE_MS = 1800
const QUICK_PHASE_MS = 300

const RECONNECT_TIMEOUT_MS = 20_000

/** Returns whether the books are right. */
export async function resilience(stage: Stage, conn: Redix, target: Target): Promise<boolean> {
  stage.title("When the network fails", `50 callers, ${COUNTERS} counters, and ${target.disruption}`)
  stage.say("nothing is ever sent twice: a rejected command says whether it may have run")
  print()
  const counters = Array.from({ length: COUNTERS }, (_, n) => target.key(`counter:${n}`))
  const ledger = new Ledger(COUNTERS)
  await underLoad(stage, conn, target, counters, ledger)
  await conn.ready({ timeout: RECONNECT_TIMEOUT_MS, signal: stage.signal })
  const values = (await conn.command(["MGET", ...counters])).map(Number)
  return report(ledger, values)
}

async function underLoad(
  stage: Stage,
  conn: Redix,
  target: Target,
  counters: readonly string[],
  ledger: Ledger,
): Promise<void> {
  let reconnections = 0
  const start = performance.now()
  const live = new LiveText(() => statusLine(conn.status, ledger, reconnections), 1000)
  const tell = (news: string) => {
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    live.note(`     ${paint.dim(`${seconds.padStart(4)} s`)}  ${news}`)
  }
  const onDisconnection = ({ error }: DisconnectionEvent) => tell(paint.red(`disconnected: ${error.message}`))
  const onConnection = ({ reconnection }: ConnectionEvent) => {
    if (reconnection) reconnections += 1
    tell(paint.green("connected again"))
  }
  conn.on("disconnection", onDisconnection).on("connection", onConnection)
  const stopLoad = new AbortController()
  const load = incrementAll(conn, counters, ledger, stopLoad.signal)
  try {
    const phase = stage.quick ? QUICK_PHASE_MS : PHASE_MS
    await stage.wait(phase)
    for (let time = 1; time <= 2; time++) {
      const reconnected = nextConnection(conn, stage.signal)
      // It may reject, by Ctrl-C, before anybody waits for it.
      reconnected.catch(() => {})
      if (await target.disrupt(conn, tell)) await reconnected
      await stage.wait(phase)
    }
  } finally {
    stopLoad.abort()
    await load
    conn.off("disconnection", onDisconnection).off("connection", onConnection)
    live.stop()
  }
}

function nextConnection(conn: Redix, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(RECONNECT_TIMEOUT_MS)])
  return new Promise((resolve, reject) => {
    conn.once("connection", () => resolve())
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  })
}

const MARKS: Record<Status, string> = {
  connected: paint.green("● connected   "),
  connecting: paint.yellow("○ connecting  "),
  disconnected: paint.red("○ disconnected"),
  closed: paint.red("○ closed      "),
}

function statusLine(status: Status, ledger: Ledger, reconnections: number): string {
  const facts = [
    `sent ${count(ledger.sent)}`,
    `acknowledged ${count(ledger.acknowledged)}`,
    `not sent ${count(ledger.notSent)}`,
    `unknown ${count(ledger.unknown)}`,
    `reconnections ${reconnections}`,
  ]
  if (ledger.refused > 0) facts.splice(4, 0, `refused ${count(ledger.refused)}`)
  return `     ${MARKS[status]}  ${facts.join("  ")}`
}

function report(ledger: Ledger, values: readonly number[]): boolean {
  const total = values.reduce((sum, value) => sum + value, 0)
  const rows: [name: string, value: number, meaning: string][] = [
    ["sent", ledger.sent, ""],
    ["acknowledged", ledger.acknowledged, "the caller has the reply"],
    ["not sent", ledger.notSent, "rejected, and surely never run: safe to issue again"],
    ["unknown", ledger.unknown, "rejected, and may have run"],
    ["refused", ledger.refused, "answered with an error by the server"],
    ["on the server", total, "acknowledged ≤ this ≤ acknowledged + unknown"],
  ]
  print()
  for (const [name, value, meaning] of rows) {
    if (name === "refused" && value === 0) continue
    print(`     ${name.padEnd(14)}${paint.bold(count(value).padStart(10))}  ${paint.dim(meaning)}`)
  }
  print()
  const violations = ledger.violations(values)
  for (const violation of violations) print(`     ${paint.red(`✗ ${violation}`)}`)
  if (violations.length > 0) return false
  const verdict = `${values.length} of ${values.length} counters are right: no acknowledged increment is missing, none ran twice`
  print(`     ${paint.green(`✓ ${verdict}`)}`)
  return true
}
