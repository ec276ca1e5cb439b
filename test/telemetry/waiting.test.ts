/** What is told of requests that wait before any connection carries them out, and what stats say of them. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { CommandRequest } from "../../src/connection/command-request.ts"
import type { Place, Placed } from "../../src/connection/trace.ts"
import { PoolWaitingRoom } from "../../src/pool/waiting-room.ts"
import { nullBulk } from "../../support/fake-server.ts"
import { freePort } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { connectionFailure, misuse } from "../contract/helpers.ts"
import { hesitant, started } from "../pool/setup.ts"
import { assertAccounted, heard, kinds } from "./setup.ts"

describe("while no connection of a pool stands", () => {
  test("requests are told of at the call, and once, and wait in the stats", async (t) => {
    const { pool, fake, greet } = await hesitant(t, {}, () => nullBulk)
    const all = heard(t)
    const replies = Promise.all([
      pool.command(["GET", "a"]),
      pool.pipeline([["GET", "b"]]),
      pool.safe.command(["GET", "c"], { timeout: 5 }),
    ])
    await misuse(() => pool.command([] as never))
    assert.deepEqual(kinds(all).slice(0, 6), ["start", "end", "start", "end", "start", "end"])
    assert.deepEqual([pool.stats().accepted, pool.stats().waiting, pool.stats().settled], [3, 3, 0])
    await until(() => pool.stats().settled === 1)
    assert.deepEqual([pool.stats().accepted, pool.stats().waiting], [3, 2])
    await greet(1)
    await replies
    const [failed, ...others] = assertAccounted(all, 3)
    assert.deepEqual(others, [])
    assert.deepEqual(failed?.commands, [["GET", "c"]])
    for (const { event } of all) assert.equal(event.address, `${fake.host}:${fake.port}`)
    const { accepted, settled, waiting, inFlight, refused } = pool.stats()
    assert.deepEqual([accepted, settled, waiting, inFlight, refused], [3, 3, 0, 0, 0])
  })

  test("what is one too many was refused", async (t) => {
    const { pool, greet } = await hesitant(t, { maxInFlight: 1 }, () => nullBulk)
    const all = heard(t)
    const waits = pool.command(["GET", "a"])
    await connectionFailure(pool.command(["GET", "b"]), "overloaded", "not-sent")
    assert.deepEqual([pool.stats().accepted, pool.stats().waiting, pool.stats().refused], [1, 1, 1])
    await greet(0)
    await waits
    assert.equal(assertAccounted(all, 2).length, 1)
    assert.deepEqual([pool.stats().accepted, pool.stats().settled, pool.stats().refused], [1, 1, 1])
  })
})

test("what has waited is told of with the connection that carries it out in the end", () => {
  const places: Place[] = []
  const untraced: unknown[] = []
  const carrier = {
    submit: (_: unknown, payload: unknown) => void untraced.push(payload),
    submitTraced: (_: unknown, __: unknown, to: Placed) => to.carriedBy({ address: "the first that stands" }),
  }
  const room = new PoolWaitingRoom(carrier, Number.POSITIVE_INFINITY, 10)
  const placed = {
    carriedBy: (place: Place) => void places.push(place),
    partlyCarriedBy: () => assert.fail("it is carried out by one"),
  }
  const request = (): CommandRequest =>
    new CommandRequest(
      () => {},
      () => {},
      false,
    )
  room.add(request(), ["GET", "a"], placed)
  room.add(request(), ["GET", "b"])
  room.proceedAll()
  assert.deepEqual(places, [{ address: "the first that stands" }])
  assert.deepEqual(untraced, [["GET", "b"]])
  assert.deepEqual([room.stats().accepted, room.stats().waiting], [0, 0])
})

describe("a server that takes no dedicated connections", () => {
  test("what blocks is told of, and was refused while the next attempt is waited for", async (t) => {
    const port = await freePort()
    const pool = started(
      t,
      { host: "127.0.0.1", port },
      { size: 1, backoffInitial: 5000, backoffMax: 30_000 },
    )
    const all = heard(t)
    await connectionFailure(pool.command(["BLPOP", "a", 1]), "closed", "not-sent")
    await until(() => pool.status === "disconnected")
    const before = pool.stats()
    await connectionFailure(pool.command(["BLPOP", "b", 1]), "closed", "not-sent")
    assert.equal(assertAccounted(all, 2).length, 2)
    const { accepted, settled, refused } = pool.stats()
    assert.deepEqual([accepted, settled, refused - before.refused], [1, 1, 1])
  })

  test("what comes after the end was refused, too; misuse is nobody's", async (t) => {
    const { pool, greet } = await hesitant(t, { size: 1 }, () => nullBulk)
    await greet(0)
    await pool.ready()
    await pool.close()
    await connectionFailure(pool.command(["BLPOP", "a", 1]), "closed", "not-sent")
    await misuse(() => pool.command(["BLPOP", {}, 1] as never))
    assert.deepEqual([pool.stats().accepted, pool.stats().refused], [0, 1])
  })
})
