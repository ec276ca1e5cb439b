/**
 * A pool under a random mix of faults: requests, checkouts that are left in any state, `use` and `watch`, with kills,
 * aborts and deadlines. Beside what must hold for every call, a connection is handed on clean, and no place is lost.
 * `REDIX_CHAOS_SEED=123` repeats a run (as far as a network can be repeated), `REDIX_CHAOS_STEPS` makes it longer.
 */
import assert from "node:assert/strict"
import { describe, type TestContext, test } from "node:test"
import { type Checkout, type Command, ConnectionError, Pool } from "@redix/client"
import { FaultProxy } from "../../support/proxy.ts"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { Dice, fault, request } from "./dice.ts"
import { type Calls, equals, nameOf, Recorder, type Settled, unique } from "./invariants.ts"
import { atLeast, closing, quick, recovered } from "./setup.ts"

const seed = Number(process.env["REDIX_CHAOS_SEED"] ?? Date.now() % 1_000_000_000)
const steps = Number(process.env["REDIX_CHAOS_STEPS"] ?? 150)

const COMMAND_TIMEOUT = 600
const PLACES = 4
/** What a release may take: 5 s for what is in flight. */
const RELEASE_TIMEOUT = 5500
/** Changes all the time, so that a WATCH which is left behind makes the next transaction fail. */
const HOT = unique("hot")

type AnyPool = Pool<2 | 3>
type AnyCheckout = Checkout<2 | 3>

/** Users of one pool who behave badly. */
class Users {
  /** Increments in transactions that are never carried out. */
  readonly never: string[] = []
  readonly calls: Calls
  readonly recorder: Recorder
  readonly #dice: Dice
  readonly #pool: AnyPool
  readonly #episodes: Promise<unknown>[] = []

  constructor(dice: Dice, pool: AnyPool, recorder: Recorder) {
    this.#dice = dice
    this.#pool = pool
    this.recorder = recorder
    this.calls = recorder.wrap(pool, { timeout: COMMAND_TIMEOUT })
  }

  /** Lets one of them do something; how that ends is the recorder's business. */
  act(): void {
    const dice = this.#dice
    const episodes: readonly (() => Promise<unknown>)[] = [
      () => this.#request(),
      () => this.#request(),
      () => this.#borrow(),
      () => this.#use(),
      () => this.#watch(),
      () => this.calls.command(["INCR", HOT]),
    ]
    this.#episodes.push(dice.oneOf(episodes)())
  }

  /** Resolves once all have done what they had begun. */
  async done(): Promise<void> {
    await Promise.all(this.#episodes)
  }

  #terms(): { timeout: number; signal?: AbortSignal } {
    const dice = this.#dice
    const timeout = dice.chance(0.2) ? dice.between(1, 80) : COMMAND_TIMEOUT
    if (!dice.chance(0.15)) return { timeout }
    const controller = new AbortController()
    setTimeout(() => controller.abort(), dice.between(0, 60))
    return { timeout, signal: controller.signal }
  }

  async #request(): Promise<void> {
    request(this.#dice, this.calls)
  }

  async #borrow(): Promise<void> {
    const terms = this.#terms()
    const settled = await this.recorder.watch("checkout", this.#pool.checkout(terms), terms)
    if (!settled.ok) return
    const conn = settled.value as AnyCheckout
    const calls = this.recorder.wrap(conn, { timeout: COMMAND_TIMEOUT })
    await assertClean(calls)
    if (this.#dice.chance(0.3)) await atLeast(this.#dice.between(0, 30))
    await this.#leaveTraces(calls)
    await this.#giveBack(conn)
    assert.ok(isOver(await calls.incr()), "a checkout that was given back took a request")
  }

  /** Requests, and then whatever changes the connection, in an order in which nothing is refused. */
  async #leaveTraces(calls: Calls): Promise<void> {
    const dice = this.#dice
    for (let count = dice.between(0, 2); count > 0; count--) request(dice, calls)
    const traces: readonly (() => Promise<unknown>)[] = [
      () => calls.command(["WATCH", HOT]),
      () => calls.noreplyCommand(["SELECT", 7]),
      () => calls.command(["SELECT", 5]),
      () => calls.command(["CLIENT", "TRACKING", "ON"]),
      () => this.#openTransaction(calls),
      // It ends with the checkout, at the latest.
      () => calls.command(["BLPOP", unique("list"), 0], undefined, { timeout: RELEASE_TIMEOUT }),
    ]
    for (const leave of traces) {
      if (!dice.chance(0.2)) continue
      const left = leave()
      // A reply of BLPOP does not come before the checkout is given back.
      if (dice.chance(0.5)) await Promise.race([left, atLeast(20)])
    }
  }

  #openTransaction(calls: Calls): Promise<unknown> {
    const key = unique("never")
    this.never.push(key)
    return calls.pipeline([["MULTI"], ["INCR", key]])
  }

  async #giveBack(conn: AnyCheckout): Promise<void> {
    if (this.#dice.chance(0.15)) conn.destroy()
    const ways: readonly (() => Promise<unknown>)[] = [
      () => conn.release(),
      () => conn.close(),
      () => conn[Symbol.asyncDispose](),
      () => Promise.all([conn.release(), conn.close({ timeout: 1 }), conn.release()]),
      () => {
        const released = conn.release()
        conn.destroy()
        return released
      },
    ]
    const given = this.#dice
      .oneOf(ways)()
      .catch((cause: unknown) => {
        throw new Error("giving back rejected", { cause })
      })
    await this.recorder.watch("release", given, { timeout: RELEASE_TIMEOUT })
  }

  #use(): Promise<Settled> {
    const terms = this.#terms()
    const key = unique("key")
    const used = this.#pool.use((conn) => {
      // What is not awaited is waited for at the end.
      if (this.#dice.chance(0.3)) conn.command(["INCR", HOT]).catch(() => undefined)
      return conn.command(["INCR", key])
    }, terms)
    const timeout = terms.timeout + COMMAND_TIMEOUT + RELEASE_TIMEOUT
    return this.recorder.watch("use", used, { ...terms, timeout, check: equals(1), increments: [key] })
  }

  #watch(): Promise<Settled> {
    const terms = this.#terms()
    const key = unique("key")
    const watched = this.#pool.watch(
      [key, HOT],
      async (conn): Promise<Command[]> => {
        if (this.#dice.chance(0.3)) await conn.command(["GET", HOT])
        return [["INCR", key]]
      },
      { ...terms, retries: 3 },
    )
    const timeout = 4 * (terms.timeout + 3 * COMMAND_TIMEOUT + RELEASE_TIMEOUT)
    return this.recorder.watch("watch", watched, {
      ...terms,
      timeout,
      increments: [key],
      unacknowledged: true,
      check: (value) => (value === null ? undefined : equals([1])(value)),
    })
  }
}

/** As if it were new: whoever had it before has left nothing. */
async function assertClean(calls: Calls): Promise<void> {
  const isNew = / db=0 .* multi=-1 /
  await Promise.all([
    calls.command(["CLIENT", "INFO"], undefined, {
      check: (value) => (isNew.test(String(value)) ? undefined : `is not clean: ${String(value)}`),
    }),
    calls.pipeline(
      [
        ["CLIENT", "TRACKINGINFO"],
        ["INCR", HOT],
      ],
      undefined,
      {
        check: (value) =>
          /flags,off\b|^.*\boff\b/.test(text(value)) ? undefined : `is tracking: ${text(value)}`,
      },
    ),
    calls.incrAtomically(2),
  ])
}

function text(value: unknown): string {
  if (value instanceof Map) return [...value].map(([key, each]) => `${String(key)},${text(each)}`).join()
  if (value instanceof Set) return [...value].map(text).join()
  return Array.isArray(value) ? value.map(text).join() : String(value)
}

function isOver(settled: Settled): boolean {
  return !settled.ok && settled.error instanceof ConnectionError && settled.error.outcome === "not-sent"
}

/** Every place can be had, and no more than that. */
async function assertPlaces(pool: AnyPool): Promise<void> {
  const borrow = (timeout: number): Promise<AnyCheckout> => pool.checkout({ timeout })
  const held = await Promise.all(Array.from({ length: PLACES }, () => borrow(5000)))
  const oneMore = await borrow(50).then(
    () => "another one",
    (error: unknown) => nameOf({ ok: false, error }),
  )
  assert.equal(oneMore, "timeout")
  await Promise.all(held.map((conn) => conn.release()))
}

async function chaos(t: TestContext, server: RedisServer, protocol: 2 | 3): Promise<void> {
  const dice = new Dice(seed + protocol)
  const proxy = await FaultProxy.start({ host: server.host, port: server.port })
  t.after(() => proxy.stop())
  const options = {
    ...quick,
    host: proxy.host,
    port: proxy.port,
    size: 3,
    maxDedicated: PLACES,
    commandTimeout: COMMAND_TIMEOUT,
    healthCheckInterval: 300,
    timeout: 400,
    maxInFlight: 500,
  }
  const pool = closing(t, Pool.start<2 | 3>({ ...options, protocol }))
  const recorder = new Recorder()
  const users = new Users(dice, pool, recorder)
  for (let step = 0; step < steps; step++) {
    for (let burst = dice.between(1, 12); burst > 0; burst--) users.act()
    if (dice.chance(0.2)) await fault(dice, proxy, server)
    await atLeast(dice.between(0, 12))
  }
  proxy.restore()
  await proxy.accept()
  await users.done()
  await recovered(users.calls)
  await assertPlaces(pool)
  await recorder.verify((...command) => server.send(...command))
  if (users.never.length > 0) {
    const counts = await server.send("MGET", ...users.never)
    assert.deepEqual(
      counts,
      users.never.map(() => null),
      "a transaction that was left open was carried out",
    )
  }
  t.diagnostic(JSON.stringify(recorder.tally()))
  assert.ok((recorder.tally()["ok"] ?? 0) > recorder.size / 30, "hardly anything was answered")
  await pool.close()
  await until(() => proxy.openConnections === 0, { message: "the end of every connection" })
}

describe("row 20: a random mix of faults, on a pool", () => {
  for (const protocol of [2, 3] as const) {
    test(`RESP${protocol}: every invariant holds, connections are clean, and no place is lost`, async (t) => {
      t.diagnostic(`seed ${seed}`)
      const server = await RedisServer.start()
      t.after(() => server.stop())
      try {
        await chaos(t, server, protocol)
      } catch (cause) {
        throw new Error(`with REDIX_CHAOS_SEED=${seed} REDIX_CHAOS_STEPS=${steps}: ${String(cause)}`, {
          cause,
        })
      }
    })
  }
})
