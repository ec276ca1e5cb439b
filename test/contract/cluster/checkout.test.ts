/** Section 8 of the contract: `checkout`, `use` and `watch`, on the node that serves the slot of a key. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { ConnectionError, RedisError, Redix } from "@redix/client"
import { until } from "../../../support/wait.ts"
import { connectionFailure, misuse, rejection, uniqueKey } from "../helpers.ts"
import {
  connected,
  keyA,
  keyB,
  keyIn,
  scripted,
  sharedClient,
  slotA,
  slotB,
  slotC,
  slotOf,
  spelled,
} from "./setup.ts"

const { real, cluster } = await sharedClient({ replicasPerPrimary: 0 })

describe("with real nodes", () => {
  test("checkout gives a connection of one's own to the node of the key", async () => {
    for (const slot of [slotA, slotB, slotC]) {
      const key = keyIn(slot, uniqueKey())
      const conn = await cluster.checkout({ key })
      assert.ok(conn instanceof Redix)
      assert.equal(await conn.command(["CLUSTER", "MYID"]), (await real.primaryOf(slot)).id)
      assert.equal(await conn.command(["WATCH", key]), "OK")
      await cluster.command(["SET", key, "changed"])
      assert.equal(await conn.command(["MULTI"]), "OK")
      assert.equal(await conn.command(["SET", key, "mine"]), "QUEUED")
      assert.equal(await conn.command(["EXEC"]), null)
      assert.equal(await conn.transactionPipeline([["GET", key]]).then((replies) => replies?.[0]), "changed")
      await conn.release()
    }
    const bytes = await cluster.checkout({ key: Buffer.from(keyIn(slotB)) })
    assert.equal(await bytes.command(["CLUSTER", "MYID"]), (await real.primaryOf(slotB)).id)
    await bytes.release()
  })

  test("once given back it is of no use, and giving it back again does nothing", async () => {
    for (const giveBack of ["release", "close", "dispose", "destroy"] as const) {
      const conn = await cluster.checkout({ key: keyA() })
      if (giveBack === "dispose") await conn[Symbol.asyncDispose]()
      else await conn[giveBack]()
      await connectionFailure(conn.command(["PING"]), "closed", "not-sent")
      await conn.release()
      await conn.close()
      conn.destroy()
    }
    assert.equal(await cluster.command(["SET", keyIn(slotA, uniqueKey()), "1"]), "OK")
  })

  test("what is left of MULTI and WATCH does not reach the next one", async (t) => {
    const own = await connected(t, real, { maxDedicated: 1 })
    const key = keyIn(slotA, uniqueKey())
    const first = await own.checkout({ key })
    await first.command(["WATCH", key])
    await first.command(["MULTI"])
    await first.release()
    await own.command(["SET", key, "1"])
    const second = await own.checkout({ key })
    assert.deepEqual(await second.transactionPipeline([["GET", key]]), ["1"])
    await second.release()
  })

  test("use gives back also on a throw, and returns what the callback returns", async (t) => {
    const own = await connected(t, real, { maxDedicated: 1 })
    const key = keyIn(slotC, uniqueKey())
    let kept: Redix | undefined
    const id = await own.use(
      async (conn) => {
        kept = conn
        return conn.command(["CLUSTER", "MYID"])
      },
      { key },
    )
    assert.equal(id, (await real.primaryOf(slotC)).id)
    assert.ok(kept)
    await connectionFailure(kept.command(["PING"]), "closed")
    const failure = new Error("mine")
    await assert.rejects(
      own.use(
        () => {
          throw failure
        },
        { key },
      ),
      (error) => error === failure,
    )
    // With one connection at most, this would wait if the last one had not been given back.
    assert.equal(await own.use((conn) => conn.command(["PING"]), { key, timeout: 2000 }), "PONG")
  })

  test("more than maxDedicated wait for one that is given back, or for their deadline, or an abort", async (t) => {
    const own = await connected(t, real, { maxDedicated: 1 })
    const held = await own.checkout({ key: keyA() })
    await connectionFailure(own.checkout({ key: keyB(), timeout: 100 }), "timeout", "not-sent")
    const controller = new AbortController()
    const aborted = assert.rejects(own.checkout({ key: keyA(), signal: controller.signal }), {
      name: "AbortError",
    })
    controller.abort()
    await aborted
    const next = own.checkout({ key: keyB(), timeout: 10_000 })
    await held.release()
    const conn = await next
    assert.equal(await conn.command(["PING"]), "PONG")
    await conn.release()
  })

  test("watch runs again until nobody interferes, and gives up after its retries", async () => {
    const key = keyIn(slotB, uniqueKey())
    await cluster.command(["SET", key, "0"])
    const increment = () =>
      cluster.watch(
        [key],
        async (conn) => {
          const value = Number(await conn.command(["GET", key]))
          return [["SET", key, value + 1]]
        },
        { retries: 100 },
      )
    const all = await Promise.all(Array.from({ length: 8 }, increment))
    for (const replies of all) assert.deepEqual(replies, ["OK"])
    assert.equal(await cluster.command(["GET", key]), "8")

    let runs = 0
    const interfered = await cluster.watch(
      [key],
      async () => {
        runs += 1
        await cluster.command(["INCR", key])
        return [["SET", key, "never"]]
      },
      { retries: 3 },
    )
    assert.equal(interfered, null)
    assert.ok(runs === 3 || runs === 4, `${runs}`)
    assert.notEqual(await cluster.command(["GET", key]), "never")
  })

  test("watch with null gives up, with a throw rejects with it; either way nothing stays watched", async (t) => {
    const own = await connected(t, real, { maxDedicated: 1 })
    const key = keyIn(slotA, uniqueKey())
    assert.equal(await own.watch([key], () => null), null)
    const failure = new Error("mine")
    await assert.rejects(
      own.watch([key], async () => {
        throw failure
      }),
      (error) => error === failure,
    )
    await own.command(["SET", key, "1"])
    const conn = await own.checkout({ key })
    assert.deepEqual(await conn.transactionPipeline([["GET", key]]), ["1"])
    await conn.release()
  })

  test("watch takes several keys of one slot", async () => {
    const keys = [keyIn(slotC, uniqueKey()), keyIn(slotC, uniqueKey())]
    const replies = await cluster.watch(keys, () => keys.map((key): string[] => ["SET", key, "1"]))
    assert.deepEqual(replies, ["OK", "OK"])
  })

  test("after a slot has moved, checkouts go to its new owner", async () => {
    const slot = 5
    await cluster.command(["SET", keyIn(slot), "1"])
    const to = await real.primaryOf(16_000)
    await real.migrateSlot(slot, to)
    // Teaches the client.
    assert.equal(await cluster.command(["GET", keyIn(slot)]), "1")
    const conn = await cluster.checkout({ key: keyIn(slot) })
    assert.equal(await conn.command(["GET", keyIn(slot)]), "1")
    await conn.release()
    assert.deepEqual(await cluster.watch([keyIn(slot)], () => [["INCR", keyIn(slot)]]), [2])
  })
})

describe("checkouts", () => {
  test("need to know the slot", async (t) => {
    const { fake, cluster } = await scripted(t)
    await misuse(() => (cluster.checkout as unknown as () => Promise<unknown>)(), /key/)
    await misuse(() => cluster.checkout({} as never), /key/)
    await misuse(() => cluster.checkout({ key: true } as never), /key/)
    await misuse(() => cluster.checkout({ key: keyA(), nonsense: 1 } as never), /nonsense/)
    await misuse(() => (cluster.use as unknown as (fn: unknown) => Promise<unknown>)(async () => 1), /key/)
    await misuse(() => cluster.use(undefined as never, { key: keyA() }))
    await misuse(() => cluster.watch([], () => null))
    await misuse(() => cluster.watch([keyA()], undefined as never))
    const crossed = await rejection(cluster.watch([keyA(), keyB()], () => null))
    assert.ok(crossed instanceof TypeError || (crossed instanceof RedisError && crossed.code === "CROSSSLOT"))
    assert.ok(!fake.commands.some(([name]) => name === "WATCH"))
  })

  test("that drop do not come back: every call rejects until they are given back", async (t) => {
    const { cluster, a } = await scripted(t)
    const conn = await cluster.checkout({ key: keyA() })
    await conn.command(["WATCH", keyA()])
    const mine = a.open.find(({ received }) => received.some(([name]) => name === "WATCH"))
    assert.ok(mine)
    const lost = rejection(
      (async () => {
        for (;;) await conn.command(["GET", keyA()])
      })(),
    )
    mine.reset()
    assert.ok((await lost) instanceof ConnectionError)
    for (let round = 0; round < 3; round++)
      assert.ok((await rejection(conn.command(["GET", keyA()]))) instanceof ConnectionError)
    await conn.release()
    const next = await cluster.checkout({ key: keyA() })
    assert.equal(await next.command(["GET", keyA()]), "OK")
    await next.release()
  })

  test("use a connection that nobody else uses, and the next one has it again", async (t) => {
    const { cluster, b } = await scripted(t)
    const conn = await cluster.checkout({ key: keyB() })
    await conn.command(["GET", keyB("mine")])
    await cluster.command(["GET", keyB("others")])
    const having = (key: string) => b.open.filter(({ received }) => spelled(received).includes(`GET ${key}`))
    assert.equal(having(keyB("mine")).length, 1)
    assert.notEqual(having(keyB("mine"))[0], having(keyB("others"))[0])
    await conn.release()
    const open = b.open.length
    await cluster.use((next) => next.command(["GET", keyB("again")]), { key: keyB() })
    await until(() => b.open.length === open)
    assert.equal(having(keyB("again"))[0], having(keyB("mine"))[0])
    assert.equal(slotOf(keyB()), slotB)
  })
})
