/** One limit for connections to several servers, as a cluster has it. */
import assert from "node:assert/strict"
import { after, before, describe, type TestContext, test } from "node:test"
import { sendCommand } from "../../src/connection/requests.ts"
import { checkOut } from "../../src/dedicated/checkout.ts"
import { DedicatedConnections } from "../../src/dedicated/connections.ts"
import { DedicatedLimit } from "../../src/dedicated/limit.ts"
import { SHARED_REFUSALS, screen } from "../../src/dedicated/screening.ts"
import { openConnection } from "../../src/open/open.ts"
import { resolveOptions } from "../../src/options.ts"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { connectionFailure } from "../contract/helpers.ts"
import { clients } from "../pool/setup.ts"

let a: RedisServer
let b: RedisServer

before(async () => {
  ;[a, b] = await Promise.all([RedisServer.start(), RedisServer.start()])
})

after(() => Promise.all([a?.stop(), b?.stop()]))

class Place {
  readonly connections: DedicatedConnections
  readonly #options

  constructor(t: TestContext, limit: DedicatedLimit, { host, port }: RedisServer) {
    this.#options = resolveOptions([{ host, port, clientInfo: false, exitOnDisconnection: true }])
    this.connections = new DedicatedConnections(
      limit,
      this.#options,
      () => true,
      (listener, delay) => openConnection(this.#options, listener, false, { isReplaceable: true, delay }),
    )
    t.after(() => this.connections.destroy())
  }

  checkout() {
    return checkOut(this.connections, this.#options, 2, {})
  }

  /** As a pool does it. */
  command(command: readonly unknown[]): Promise<unknown> {
    const executor = {
      submit: <Payload>(request: Parameters<typeof screen<Payload>>[0], payload: Payload) => {
        assert.equal(screen(request, payload, SHARED_REFUSALS), "dedicated")
        this.connections.run(request, payload)
      },
    }
    return sendCommand(executor, command, undefined)
  }
}

describe("a limit for several servers", () => {
  test("an idle connection to one makes room for another", async (t) => {
    const limit = new DedicatedLimit(2)
    const [atA, atB] = [new Place(t, limit, a), new Place(t, limit, b)]
    const both = await Promise.all([atA.checkout(), atA.checkout()])
    await Promise.all(both.map((conn) => conn.release()))
    assert.equal(await clients(a), 2)
    const conn = await atB.checkout()
    await until(async () => (await clients(a)) === 1)
    assert.equal(await clients(b), 1)
    await conn.release()
    await Promise.all([atA.connections.close(0), atB.connections.close(0)])
    await until(async () => (await clients(a)) + (await clients(b)) === 0)
  })

  test("whoever came first is served first, wherever the connection leads that becomes free", async (t) => {
    const limit = new DedicatedLimit(1)
    const [atA, atB] = [new Place(t, limit, a), new Place(t, limit, b)]
    const held = await atA.checkout()
    const order: string[] = []
    const blocks = atB.command(["BLPOP", "none", 0.01]).then((reply) => {
      assert.equal(reply, null)
      order.push("b")
    })
    const again = atA.checkout().then((conn) => {
      order.push("a")
      return conn
    })
    await held.release()
    await blocks
    await (await again).release()
    assert.deepEqual(order, ["b", "a"])
  })

  test("one server's end leaves the others their turn", async (t) => {
    const limit = new DedicatedLimit(1)
    const [atA, atB] = [new Place(t, limit, a), new Place(t, limit, b)]
    const held = await atA.checkout()
    const refused = connectionFailure(atA.command(["BLPOP", "none", 0]), "closed", "not-sent")
    const waits = atB.checkout()
    atA.connections.destroy()
    await refused
    assert.equal(held.status, "closed")
    await (await waits).release()
  })
})
