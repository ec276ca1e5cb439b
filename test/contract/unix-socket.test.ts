/** Section 3 of the contract, the option `path` and `unix://`. */
import assert from "node:assert/strict"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, test } from "node:test"
import { Redix } from "@redix/client"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import {
  closing,
  connectionFailure,
  nextConnection,
  nextFailedConnection,
  sharedServer,
  uniqueKey,
} from "./helpers.ts"

const server = await sharedServer({ unixSocket: true })
const path = String(server.path)

describe("unix sockets", () => {
  test("path leads to a Unix domain socket, and the address of its events is the path", async (t) => {
    const conn = closing(t, Redix.start({ path, database: 2 }))
    const event = await nextConnection(conn)
    assert.equal(event.address, path)
    const key = uniqueKey()
    await conn.command(["SET", key, "v"])
    assert.equal(await conn.command(["GET", key]), "v")
    assert.match(String(await conn.command(["CLIENT", "INFO"])), / db=2 /)
  })

  test("unix:// is the same", async (t) => {
    const conn = closing(t, await Redix.connect(`unix://${path}`))
    assert.equal(await conn.command(["PING"]), "PONG")
    const named = closing(t, await Redix.connect(`unix://${path}`, { clientName: "socket", database: 1 }))
    assert.match(String(await named.command(["CLIENT", "INFO"])), / name=socket .* db=1 /)
  })

  test("reconnects", async (t) => {
    const conn = closing(t, await Redix.connect({ path, backoffInitial: 10 }))
    const back = nextConnection(conn)
    await server.send("CLIENT", "KILL", "ID", String(await conn.command(["CLIENT", "ID"])))
    await back
    assert.equal(await conn.command(["PING"]), "PONG")
  })

  test("a socket that is not there is refused, and found once it is", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "redix-"))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const later = join(folder, "later.sock")
    const error = await connectionFailure(Redix.connect({ path: later }), "refused", "not-sent")
    assert.equal((error.cause as { code?: string }).code, "ENOENT")
    const conn = closing(t, Redix.start({ path: later, backoffInitial: 10, backoffMax: 50 }))
    const failed = await nextFailedConnection(conn)
    assert.equal(failed.address, later)
    const fake = await FakeServer.start(
      (connection) => {
        connection.onCommand = (command) => handshake(command)
      },
      { path: later },
    )
    t.after(() => fake.stop())
    await conn.ready({ timeout: 20_000 })
    assert.equal(conn.status, "connected")
  })
})
