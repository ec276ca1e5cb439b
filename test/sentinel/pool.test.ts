/** A pool whose server is found by Sentinel: all of its connections follow the primary, dedicated ones included. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Pool } from "@redix/client"
import { until } from "../../support/wait.ts"
import { connectionFailure, uniqueKey } from "../contract/helpers.ts"
import { at, FakeRedis, FakeSentinel, through } from "./fakes.ts"

/** So long that whatever succeeds within a test cannot have waited for it. */
const noBackoff = { backoffInitial: 60_000, backoffMax: 60_000, size: 3 } as const

describe("a pool by way of sentinels", () => {
  test("follows the primary with all of its connections, and lets go of the dedicated ones", async (t) => {
    const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    const sentinel = await FakeSentinel.start(t, old)
    const pool = await Pool.connect({ ...through([sentinel]), ...noBackoff })
    t.after(() => pool.destroy())
    await until(() => old.open.length === 3)
    await pool.use((conn) => conn.command(["ECHO", "idle"]))
    const conn = await pool.checkout()
    const other = await pool.checkout()
    await other.release()
    await until(() => sentinel.listeners.length === 1)

    sentinel.primary = next
    sentinel.announce(old, next)
    await until(() => old.open.length === 0 && next.open.length === 3)
    assert.equal((await conn.closed)?.reason, "disconnected")
    await connectionFailure(conn.command(["ECHO", "lost"]), "closed", "not-sent")
    await conn.release()

    assert.equal(pool.status, "connected")
    assert.equal(pool.address, at(next))
    const word = uniqueKey()
    assert.equal(await pool.command(["ECHO", word]), word)
    assert.equal(await pool.use((own) => own.command(["ECHO", word])), word)
    assert.deepEqual(next.ran("ECHO"), [word, word])
    await pool.close()
    await until(() => next.open.length === 0)
  })
})
