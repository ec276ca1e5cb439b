// Which clients there are, and where each one's adapter is. An adapter is loaded only in the process that measures it.
import type { Connect } from "./client.ts"
import type { ConnectCluster } from "./cluster-client.ts"
import type { ConnectSubscriber } from "./subscriber.ts"

export const CLIENT_NAMES = ["redix", "redis-untimed", "redis-default", "ioredis", "ioredis-auto"] as const

export type ClientName = (typeof CLIENT_NAMES)[number]

export function isClientName(name: string): name is ClientName {
  return (CLIENT_NAMES as readonly string[]).includes(name)
}

export async function loadClient(name: ClientName): Promise<Connect> {
  switch (name) {
    case "redix":
      return (await import("./redix.ts")).connectRedix
    case "redis-untimed":
      return (await import("./redis-untimed.ts")).connectRedisUntimed
    case "redis-default":
      return (await import("./redis-default.ts")).connectRedisDefault
    case "ioredis":
      return (await import("./ioredis.ts")).connectIoredis
    case "ioredis-auto":
      return (await import("./ioredis.ts")).connectIoredisAuto
  }
}

export async function loadSubscriber(name: ClientName): Promise<ConnectSubscriber> {
  switch (name) {
    case "redix":
      return (await import("./redix-subscriber.ts")).connectRedixSubscriber
    case "redis-untimed":
    case "redis-default":
      return (await import("./redis-subscriber.ts")).connectRedisSubscriber
    case "ioredis":
    case "ioredis-auto":
      return (await import("./ioredis-subscriber.ts")).connectIoredisSubscriber
  }
}

export async function loadCluster(name: ClientName): Promise<ConnectCluster> {
  switch (name) {
    case "redix":
      return (await import("./redix-cluster.ts")).connectRedixCluster
    case "redis-untimed":
      return (await import("./redis-cluster.ts")).connectRedisClusterUntimed
    case "redis-default":
      return (await import("./redis-cluster.ts")).connectRedisClusterDefault
    case "ioredis":
      return (await import("./ioredis-cluster.ts")).connectIoredisCluster
    case "ioredis-auto":
      return (await import("./ioredis-cluster.ts")).connectIoredisClusterAuto
  }
}
