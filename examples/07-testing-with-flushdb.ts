// Tests of code that uses Redis: a database of their own, emptied before each test, and one connection for all of them.
//
// FLUSHDB removes everything in the database. Database 15 is for tests here: keep nothing else in it.
import assert from "node:assert/strict"
import { after, beforeEach, describe, test } from "node:test"
import { type Commands, Redix } from "@redix/client"

// What is tested: a counter of visits. It takes the connection as an argument instead of looking for it, so that a test
// can hand it another one.
async function countVisit(redis: Commands, page: string): Promise<number> {
  return redis.command(["HINCRBY", "visits", page, 1])
}

async function visitsOf(redis: Commands, page: string): Promise<number> {
  return Number((await redis.command(["HGET", "visits", page])) ?? 0)
}

describe("visits", () => {
  // Options win over the URI, so whatever database the URI names, this is database 15.
  const conn = Redix.start(process.env["REDIS_URL"] ?? "redis://localhost:6379", { database: 15 })

  beforeEach(async () => {
    await conn.command(["FLUSHDB"])
  })

  // Without this the open connection would keep the test process alive.
  after(() => conn.close())

  test("begin at 0", async () => {
    assert.equal(await visitsOf(conn, "/home"), 0)
  })

  test("are counted for each page", async () => {
    assert.equal(await countVisit(conn, "/home"), 1)
    assert.equal(await countVisit(conn, "/home"), 2)
    assert.equal(await countVisit(conn, "/about"), 1)
    assert.equal(await visitsOf(conn, "/home"), 2)
  })

  test("of earlier tests are gone", async () => {
    assert.equal(await conn.command(["DBSIZE"]), 0)
  })
})
