/** The contract of every client, on one connection. */
import { Redix } from "@redix/client"
import { RedisServer } from "../../../support/server.ts"
import type { Topology } from "./bed.ts"
import { conformance } from "./suite.ts"

const topology: Topology = {
  name: "Redix",
  manyConnections: false,
  refused: [],
  failsOneByOne: false,
  needsKey: false,
  usesClientReply: true,
  nobodyThere: "refused",
  async setUp() {
    const server = await RedisServer.start()
    const at = { host: server.host, port: server.port }
    return {
      servers: [at],
      start: (options) => Redix.start<2 | 3>({ ...at, ...options }),
      connect: (options) => Redix.connect<2 | 3>({ ...at, ...options }),
      startAt: (place, options) => Redix.start<2 | 3>({ ...place, ...options }),
      connectAt: (place, options) => Redix.connect<2 | 3>({ ...place, ...options }),
      named: (name) => Redix.named(name),
      program: (options) => `
        import { Redix } from "@redix/client"
        const client = await Redix.connect(${JSON.stringify({ ...at, ...options })})
      `,
      stop: () => server.stop(),
    }
  },
}

conformance(topology)
