/** The contract of every client, on a cluster. All keys of a case are in one slot. */
import { Cluster } from "@redix/client"
import { RedisCluster } from "../../../support/cluster.ts"
import { changing, type Topology } from "./bed.ts"
import { conformance } from "./suite.ts"

const topology: Topology = {
  name: "Cluster",
  manyConnections: true,
  refused: [...changing, ["ASKING"], ["READONLY"], ["READWRITE"]],
  failsOneByOne: true,
  needsKey: true,
  usesClientReply: false,
  nobodyThere: "no-reachable-node",
  async setUp() {
    const cluster = await RedisCluster.start()
    const url = ({ host, port }: { host: string; port: number }) => `redis://${host}:${port}`
    const nodes = cluster.nodes.map(url)
    return {
      servers: cluster.nodes,
      start: (options) => Cluster.start<2 | 3>({ nodes, ...options }),
      connect: (options) => Cluster.connect<2 | 3>({ nodes, ...options }),
      startAt: (place, options) => Cluster.start<2 | 3>({ nodes: [url(place)], ...options }),
      connectAt: (place, options) => Cluster.connect<2 | 3>({ nodes: [url(place)], ...options }),
      named: (name) => Cluster.named(name),
      program: (options) => `
        import { Cluster } from "@redix/client"
        const client = await Cluster.connect(${JSON.stringify({ nodes, ...options })})
      `,
      stop: () => cluster.stop(),
    }
  },
}

conformance(topology)
