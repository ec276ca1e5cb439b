/** Conformance: blocking commands, their deadlines, and what an abort of them leaves. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { atLeast, connectionFailure, redisFailure } from "../helpers.ts"
import { type Bed, clientName, keys } from "./bed.ts"

export function blockingCases(bed: Bed): void {
  describe("blocking commands", () => {
    test("get what comes, or null when their time is over", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name })
      const key = keys()
      const pop = own.command(["BLPOP", key("list"), 0])
      await bed.untilBlocked(name, 1)
      await bed.client.command(["RPUSH", key("list"), "v"])
      assert.deepEqual(await pop, [key("list"), "v"])
      assert.equal(await own.command(["BLPOP", key("none"), 0.01]), null)
      assert.equal(await own.command(["XREAD", "BLOCK", 10, "STREAMS", key("none"), "$"]), null)
    })

    test("the block time is added to the default timeout, and 0 means none", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name, commandTimeout: 200 })
      const key = keys()
      assert.equal(await own.command(["BLPOP", key("none"), 0.4]), null)
      const forever = own.command([Buffer.from("blpop"), key("list"), 0])
      await bed.untilBlocked(name, 1)
      await atLeast(400)
      await bed.client.command(["RPUSH", key("list"), "v"])
      assert.deepEqual(await forever, [key("list"), "v"])
    })

    test("one that times out is forgotten by the server: nothing is popped for nobody", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name, backoffInitial: 10 })
      const key = keys()
      await connectionFailure(own.command(["BLPOP", key(), 0], { timeout: 100 }), "timeout", "unknown")
      await bed.untilBlocked(name, 0)
      assert.equal(await bed.client.command(["RPUSH", key(), "v"]), 1)
      assert.equal(await bed.client.command(["LLEN", key()]), 1)
      await own.ready({ timeout: 10_000 })
      assert.deepEqual(await own.command(["BLPOP", key(), 0]), [key(), "v"])
    })

    test("one that is aborted likewise, alone and in a pipeline", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name, backoffInitial: 10 })
      const key = keys()
      for (const send of [
        (signal: AbortSignal) => own.command(["BRPOP", key(), 0], { signal }),
        (signal: AbortSignal) =>
          own.pipeline(
            [
              ["INCR", key("n")],
              ["BRPOP", key(), 0],
            ],
            { signal },
          ),
      ]) {
        const controller = new AbortController()
        const reason = new Error("not wanted")
        const pop = assert.rejects(send(controller.signal), (error) => error === reason)
        await bed.untilBlocked(name, 1)
        controller.abort(reason)
        await pop
        await bed.untilBlocked(name, 0)
        assert.equal(await bed.client.command(["RPUSH", key(), "v"]), 1)
        assert.equal(await bed.client.command(["LPOP", key()]), "v")
        await own.ready({ timeout: 10_000 })
      }
    })

    test("do not block in a transaction", async () => {
      const key = keys()
      const replies: readonly unknown[] | null = await bed.client.transactionPipeline([
        ["BLPOP", key("none"), 0],
        ["INCR", key("n")],
      ])
      assert.deepEqual(replies, [null, 1])
    })

    test("with an argument that is no number get the server's error", async () => {
      const key = keys()
      const error = await redisFailure(bed.client.command(["BLPOP", key(), "soon"]), "ERR")
      assert.match(error.message, /timeout/)
    })

    test("are not waited for by close: they reject with closed, outcome unknown", async (t) => {
      const name = clientName()
      const own = await bed.own(t, { clientName: name })
      const pop = connectionFailure(own.command(["BLPOP", keys()(), 0]), "closed", "unknown")
      await bed.untilBlocked(name, 1)
      await own.close({ timeout: Number.POSITIVE_INFINITY })
      assert.equal((await pop).final, true)
      await bed.untilBlocked(name, 0)
    })

    if (bed.topology.manyConnections) {
      test("hold up nobody: neither other calls nor each other", async (t) => {
        const name = clientName()
        const own = await bed.own(t, { clientName: name })
        const key = keys()
        const lists = Array.from({ length: 10 }, (_, index) => key(`list ${index}`))
        const pops = lists.map((list) => own.command(["BLPOP", list, 0]))
        await bed.untilBlocked(name, lists.length)
        for (let round = 0; round < 20; round++) {
          assert.equal(await own.command(["ECHO", `${round}`], { timeout: 5000 }), `${round}`)
          assert.equal(await own.command(["INCR", key("n")], { timeout: 5000 }), round + 1)
        }
        for (const list of [...lists].reverse()) await own.command(["RPUSH", list, list])
        assert.deepEqual(
          await Promise.all(pops),
          lists.map((list) => [list, list]),
        )
      })

      test("that are aborted leave everything else in flight alone", async (t) => {
        const name = clientName()
        const own = await bed.own(t, { clientName: name })
        const key = keys()
        const controller = new AbortController()
        const { signal } = controller
        const kept = own.command(["BLPOP", key("kept"), 0])
        const aborted = assert.rejects(own.command(["BLPOP", key("aborted"), 0], { signal }), {
          name: "AbortError",
        })
        await bed.untilBlocked(name, 2)
        const resume = await bed.holdWrites(t)
        const write = own.command(["INCR", key("n")])
        await bed.untilBlocked(name, 3)
        controller.abort()
        await aborted
        await bed.untilBlocked(name, 2)
        await resume()
        assert.equal(await write, 1)
        await bed.client.command(["RPUSH", key("kept"), "v"])
        assert.deepEqual(await kept, [key("kept"), "v"])
        assert.equal(own.status, "connected")
      })
    }
  })
}
