/** Section 3 of the contract, `safe`: the same calls, never rejecting. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisError, Redix } from "@redix/client"
import { assertConnectionError, closing, fakeServer, sharedConnection, uniqueKey } from "./helpers.ts"

const { conn } = await sharedConnection()

describe("safe", () => {
  test("a reply is { ok: true, value }", async () => {
    const key = uniqueKey()
    assert.deepEqual(await conn.safe.command(["INCR", key]), { ok: true, value: 1 })
    assert.deepEqual(await conn.safe.command(["GET", uniqueKey()]), { ok: true, value: null })
    assert.deepEqual(
      await conn.safe.pipeline([
        ["INCR", key],
        ["GET", key],
      ]),
      { ok: true, value: [2, "2"] },
    )
    assert.deepEqual(await conn.safe.transactionPipeline([["INCR", key]]), { ok: true, value: [3] })
    assert.deepEqual(await conn.safe.noreplyCommand(["INCR", key]), { ok: true, value: undefined })
    assert.deepEqual(await conn.safe.noreplyPipeline([["INCR", key]]), { ok: true, value: undefined })
    assert.deepEqual(await conn.safe.command(["GET", key], { encoding: "buffer" }), {
      ok: true,
      value: Buffer.from("5"),
    })
  })

  test("a server error is { ok: false, error: RedisError }", async () => {
    const result = await conn.safe.command(["NOSUCHCOMMAND"])
    assert.ok(!result.ok)
    assert.ok(result.error instanceof RedisError)
    const transaction = await conn.safe.transactionPipeline([["NOSUCHCOMMAND"]])
    assert.ok(!transaction.ok)
    assert.ok(transaction.error instanceof RedisError)
    assert.equal(transaction.error.code, "EXECABORT")
  })

  test("server errors inside a pipeline stay in its value", async () => {
    const result = await conn.safe.pipeline([["NOSUCHCOMMAND"], ["PING"]])
    assert.ok(result.ok)
    assert.ok(result.value[0] instanceof RedisError)
    assert.equal(result.value[1], "PONG")
  })

  test("a connection error is { ok: false, error: ConnectionError }", async (t) => {
    const fake = await fakeServer(t)
    const own = closing(t, await Redix.connect({ host: "127.0.0.1", port: fake.port }))
    const slow = await own.safe.command(["SLOW"], { timeout: 50 })
    assert.ok(!slow.ok)
    assertConnectionError(slow.error, "timeout", "unknown")
    own.destroy()
    for (const result of await Promise.all([
      own.safe.command(["PING"]),
      own.safe.pipeline([["PING"]]),
      own.safe.transactionPipeline([["PING"]]),
      own.safe.noreplyCommand(["PING"]),
      own.safe.noreplyPipeline([["PING"]]),
    ])) {
      assert.ok(!result.ok)
      assertConnectionError(result.error, "closed", "not-sent")
    }
  })

  test("misuse is a value too and nothing is thrown out of the call", async () => {
    for (const call of [
      () => conn.safe.command([]),
      () => conn.safe.command("PING" as never),
      () => conn.safe.command(["GET", undefined] as never),
      () => conn.safe.command(["SUBSCRIBE", "c"]),
      () => conn.safe.command(["PING"], { timeout: -1 }),
      () => conn.safe.command(["PING"], { nonsense: true } as never),
      () => conn.safe.pipeline([]),
      () => conn.safe.pipeline(undefined as never),
      () => conn.safe.transactionPipeline([[]]),
      () => conn.safe.noreplyCommand(["MULTI"]),
      () => conn.safe.noreplyPipeline([]),
    ]) {
      const result: { ok: boolean; error?: Error } = await call()
      assert.equal(result.ok, false)
      assert.ok(result.error instanceof TypeError)
    }
  })

  test("an abort is a value too", async () => {
    const reason = new Error("not wanted any more")
    assert.deepEqual(await conn.safe.command(["PING"], { signal: AbortSignal.abort(reason) }), {
      ok: false,
      error: reason,
    })
  })
})
