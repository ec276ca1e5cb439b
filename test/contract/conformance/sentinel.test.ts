/** The contract of every client, on one connection that sentinels lead to the primary. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { type DisconnectionEvent, Redix, type SentinelOptions } from "@redix/client"
import { freePort } from "../../../support/server.ts"
import { Group } from "../../sentinel/real.ts"
import type { Topology } from "./bed.ts"
import { conformance } from "./suite.ts"

const topology: Topology = {
  name: "Redix through Sentinel",
  manyConnections: false,
  refused: [],
  failsOneByOne: false,
  needsKey: false,
  usesClientReply: true,
  nobodyThere: "no-viable-sentinel",
  async setUp() {
    const group = await Group.start()
    // No case may be taken for a dead primary: some make the servers wait.
    const patience = ["SET", "mymaster", "down-after-milliseconds", "60000"]
    await Promise.all(group.sentinels.map((each) => each.send("SENTINEL", ...patience)))
    const sentinel: SentinelOptions = group.options()
    const only = ({ host, port }: { host: string; port: number }): SentinelOptions => ({
      ...sentinel,
      sentinels: [{ host, port }],
    })
    return {
      servers: group.servers,
      start: (options) => Redix.start<2 | 3>({ sentinel, ...options }),
      connect: (options) => Redix.connect<2 | 3>({ sentinel, ...options }),
      startAt: (place, options) => Redix.start<2 | 3>({ sentinel: only(place), ...options }),
      connectAt: (place, options) => Redix.connect<2 | 3>({ sentinel: only(place), ...options }),
      named: (name) => Redix.named(name),
      program: (options) => `
        import { Redix } from "@redix/client"
        const client = await Redix.connect(${JSON.stringify({ sentinel, ...options })})
      `,
      stop: () => group.stop(),
    }
  },
}

conformance(topology)

test("the error of a sentinel that fails is not final: the connection goes on", async (t) => {
  const conn = Redix.start({
    sentinel: { sentinels: [`redis://127.0.0.1:${await freePort()}`], group: "mymaster" },
  })
  t.after(() => conn.destroy())
  const { error, sentinelAddress } = await new Promise<DisconnectionEvent>((resolve) => {
    conn.once("failedConnection", resolve)
  })
  assert.notEqual(sentinelAddress, undefined)
  assert.equal(error.final, false)
})
