/**
 * Row 36 of the fault matrix: a primary of a cluster is killed, frozen, and replaced in peace, under a stream of writes.
 * `REDIX_CLUSTER_SEED=123` repeats the writes of a run.
 */
import assert from "node:assert/strict"
import { after, before, beforeEach, describe, type TestContext, test } from "node:test"
import { Cluster } from "@redix/client"
import { type ClusterNode, RedisCluster } from "../../support/cluster.ts"
import { evenRanges } from "../../support/slots.ts"
import { until } from "../../support/wait.ts"
import { assertNothing, Load, type Write } from "./cluster-setup.ts"
import { closing } from "./setup.ts"

/** From the promotion to the next write that is acknowledged, by contract. */
const recoveryMs = 2000
const seed = Number(process.env["REDIX_CLUSTER_SEED"] ?? Date.now() % 1_000_000_000)

const ranges = evenRanges(3)
const isIn =
  ([first, last]: readonly [number, number]) =>
  (slot: number) =>
    first <= slot && slot <= last
/** Some slots of every primary. */
const slots = Array.from({ length: 60 }, (_, index) => Math.floor((index * 16_384) / 60))

let real: RedisCluster
before(async () => {
  // Otherwise one missing range stops the whole cluster, and nothing were to be seen of the others.
  real = await RedisCluster.start({ args: ["--cluster-require-full-coverage", "no"] })
})
after(() => real?.stop())
// A failed test must not spoil the next one.
beforeEach(() => real.mend())

interface Failover {
  readonly load: Load
  readonly isAffected: (slot: number) => boolean
  readonly brokenAt: number
  readonly promotedAt: number
}

/** Causes a failover of the primary of one range, and waits until its slots are written to again. */
async function failover(
  t: TestContext,
  index: number,
  cause: (primary: ClusterNode) => Promise<unknown> | undefined,
): Promise<Failover> {
  t.diagnostic(`REDIX_CLUSTER_SEED=${seed}`)
  const range = ranges[index] ?? [0, 0]
  const isAffected = isIn(range)
  const old = await real.primaryOf(range[0])
  const cluster = closing(
    t,
    await Cluster.connect({
      nodes: real.urls(),
      clientInfo: false,
      backoffInitial: 50,
      backoffMax: 300,
      timeout: 500,
      commandTimeout: 1000,
      healthCheckInterval: 500,
    }),
  )
  const load = new Load(cluster, { slots, seed, timeout: 1000 })
  t.after(() => load.stop())
  await until(() => load.acknowledgedAfter(0).length > 300)
  assert.deepEqual(load.failed, [])
  const brokenAt = performance.now()
  const caused = cause(old)
  await until(
    async () => {
      const primary = await real.findPrimaryOf(range[0])
      return primary !== undefined && primary !== old
    },
    { timeout: 20_000, message: "a replica to take over" },
  )
  const promotedAt = performance.now()
  await caused
  t.diagnostic(`promoted after ${Math.round(promotedAt - brokenAt)} ms`)
  await until(() => load.acknowledgedAfter(promotedAt, isAffected).length > 50, {
    timeout: 20_000,
    message: () => `writes to be acknowledged again: ${JSON.stringify(load.tally())}`,
  })
  const [first] = load.acknowledgedAfter(promotedAt, isAffected)
  const recovered = (first?.settledAt ?? Number.NaN) - promotedAt
  t.diagnostic(`acknowledged again after another ${Math.round(recovered)} ms`)
  assert.ok(recovered < recoveryMs, `took ${recovered} ms`)
  await load.stop()
  t.diagnostic(JSON.stringify(load.tally()))
  await real.mend()
  return { load, isAffected, brokenAt, promotedAt }
}

/** Asserts that nothing failed but what had to do with the primary that failed. */
function assertOthersUnharmed({ load, isAffected, brokenAt, promotedAt }: Failover): void {
  const strangers = load.failed.filter(({ slot, what }) => !isAffected(slot) && what !== "noreply")
  assert.deepEqual(strangers.slice(0, 5), [])
  // While it lasted they were served.
  const meanwhile = load
    .acknowledgedAfter(brokenAt, (slot) => !isAffected(slot))
    .filter(({ issuedAt }) => issuedAt < promotedAt + 100)
  assert.ok(meanwhile.length > 10, `${meanwhile.length}`)
}

async function accounts({ load }: Failover, mayBeLost?: (write: Write) => boolean): Promise<void> {
  const values = await real.values(load.writes.map(({ key }) => key))
  assertNothing(load.judge(values, mayBeLost))
}

describe("row 36: the primary of a range of slots fails under a stream of writes", () => {
  test("killed: only its range fails, writes come back, none has run twice", async (t) => {
    const done = await failover(t, 0, (primary) => real.kill(primary))
    assertOthersUnharmed(done)
    // What a primary had not passed on to its replica when it died is lost with it.
    await accounts(done, ({ slot, issuedAt }) => done.isAffected(slot) && issuedAt < done.promotedAt)
  })

  test("frozen, and thawed afterwards: only its range fails, writes come back, none has run twice", async (t) => {
    const done = await failover(t, 1, (primary) => {
      real.freeze(primary)
      return undefined
    })
    assertOthersUnharmed(done)
    await accounts(done, ({ slot, issuedAt }) => done.isAffected(slot) && issuedAt < done.promotedAt)
  })

  test("replaced in peace: nothing that was acknowledged is lost, none has run twice", async (t) => {
    const done = await failover(t, 2, (primary) => real.failover(primary))
    assertOthersUnharmed(done)
    await accounts(done)
  })
})
