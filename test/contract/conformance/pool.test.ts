/** The contract of every client, on a pool. */
import { Pool } from "@redix/client"
import { RedisServer } from "../../../support/server.ts"
import { changing, type Topology } from "./bed.ts"
import { conformance } from "./suite.ts"

const topology: Topology = {
  name: "Pool",
  manyConnections: true,
  refused: changing,
  failsOneByOne: false,
  needsKey: false,
  usesClientReply: true,
  nobodyThere: "refused",
  async setUp() {
    const server = await RedisServer.start()
    const at = { host: server.host, port: server.port, size: 3 }
    return {
      servers: [server],
      start: (options) => Pool.start<2 | 3>({ ...at, ...options }),
      connect: (options) => Pool.connect<2 | 3>({ ...at, ...options }),
      startAt: ({ host, port }, options) => Pool.start<2 | 3>({ host, port, size: 3, ...options }),
      connectAt: ({ host, port }, options) => Pool.connect<2 | 3>({ host, port, size: 3, ...options }),
      named: (name) => Pool.named(name),
      program: (options) => `
        import { Pool } from "@redix/client"
        const client = await Pool.connect(${JSON.stringify({ ...at, ...options })})
      `,
      stop: () => server.stop(),
    }
  },
}

conformance(topology)
