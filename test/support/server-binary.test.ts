import assert from "node:assert/strict"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, it } from "node:test"
import { findServer } from "../../support/server-binary.ts"

describe("findServer", () => {
  it("finds a server that tells its version, and looks only once", async () => {
    assert.match((await findServer()).version, /^\d+\.\d+\.\d+/)
    assert.equal(await findServer(), await findServer())
  })

  it("does not replace a server that was asked for", async (t) => {
    const before = process.env["REDIS_SERVER_BIN"]
    process.env["REDIS_SERVER_BIN"] = "/nowhere/redis-server"
    t.after(() => {
      if (before === undefined) delete process.env["REDIS_SERVER_BIN"]
      else process.env["REDIS_SERVER_BIN"] = before
    })
    await assert.rejects(findServer({}), /REDIS_SERVER_BIN names no working .*: \/nowhere\/redis-server/)
  })

  it("says what to install when there is none", async () => {
    const finding = findServer({ skip: ["REDIS_SERVER_BIN", "path", "system", "cache", "fetch"] })
    await assert.rejects(finding, /`apt-get install redis-tools` or `brew install redis`/)
  })

  // Needs Debian and its archive.
  it("fetches one, of which two processes at once see one whole", {
    skip: !process.env["TEST_FETCH"],
  }, async (t) => {
    const parent = await mkdtemp(join(tmpdir(), "redix-fetch-"))
    t.after(() => rm(parent, { recursive: true, force: true }))
    const cache = join(parent, "redis-server")
    const skip = ["REDIS_SERVER_BIN", "path", "system"] as const
    const both = await Promise.all([findServer({ skip, cache }), findServer({ skip, cache })])
    assert.deepEqual(
      both.map(({ source }) => source),
      ["fetch", "fetch"],
    )
    assert.equal((await findServer({ skip: [...skip, "fetch"], cache })).source, "cache")
    assert.deepEqual(await readdir(parent), ["redis-server"])
  })
})
