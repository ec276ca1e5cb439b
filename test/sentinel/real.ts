/**
 * Sentinel as it is: one primary, two replicas, three sentinels on loopback, what they announce, and a stream of
 * writes that is accounted for. Knows nothing of which fault a test causes.
 */
import assert from "node:assert/strict"
import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { inspect } from "node:util"
import { ConnectionError, type Redix } from "@redix/client"
import { array, bulk } from "../../support/fake-server.ts"
import { RespReader } from "../../support/resp-reader.ts"
import { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"

/** As the setting is told to a driver and to a test. */
const group = "mymaster"

/** What one sentinel announced, and when. */
export interface Announcement {
  readonly port: number
  readonly at: number
}

export class Group {
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]

  /** A group that is ready for a failover. */
  static async start(): Promise<Group> {
    const eager = ["--repl-diskless-sync-delay", "0"]
    const primary = await RedisServer.start({ args: eager })
    const follow = ["--replicaof", primary.host, `${primary.port}`, ...eager]
    const replicas = await Promise.all([0, 1].map(() => RedisServer.start({ args: follow })))
    const sentinelConfig = [
      `sentinel monitor ${group} ${primary.host} ${primary.port} 2`,
      `sentinel down-after-milliseconds ${group} 500`,
      `sentinel failover-timeout ${group} 2000`,
      `sentinel parallel-syncs ${group} 2`,
    ].join("\n")
    const sentinels = await Promise.all([0, 1, 2].map(() => RedisServer.start({ sentinelConfig })))
    const whole = new Group([primary, ...replicas], sentinels)
    await whole.healthy()
    return whole
  }

  private constructor(servers: readonly RedisServer[], sentinels: readonly RedisServer[]) {
    this.servers = servers
    this.sentinels = sentinels
  }

  async stop(): Promise<void> {
    await Promise.all([...this.servers, ...this.sentinels].map((each) => each.stop()))
  }

  /** The options of a connection: the sentinels in this order. */
  options(sentinels: readonly RedisServer[] = this.sentinels) {
    return { sentinels: sentinels.map(({ url }) => url), group }
  }

  byPort(port: number): RedisServer {
    const server = this.servers.find((each) => each.port === port)
    assert.ok(server, `no server of the group has port ${port}`)
    return server
  }

  /** The primary that all running sentinels agree on, once they do. */
  async primary(): Promise<RedisServer> {
    let ports: unknown[] = []
    await until(
      async () => {
        ports = await Promise.all(this.sentinels.map((each) => this.#ask(each, "GET-MASTER-ADDR-BY-NAME")))
        return ports.every((each) => Array.isArray(each) && inspect(each) === inspect(ports[0]))
      },
      { timeout: 20_000, interval: 50, message: () => `the sentinels to agree: ${inspect(ports)}` },
    )
    const address: unknown = ports[0]
    assert.ok(Array.isArray(address))
    return this.byPort(Number(address[1]))
  }

  /** Resolves when another failover may come: everybody is up, in step and known to everybody. */
  async healthy(): Promise<void> {
    const primary = await this.primary()
    const others = this.servers.filter((each) => each !== primary)
    const state = async () => {
      const following = await Promise.all(
        others.map((each) => each.send("INFO", "replication").then(String, String)),
      )
      if (!following.every((text) => text.includes(`master_port:${primary.port}\r\nmaster_link_status:up`))) {
        return "replicas are not in step"
      }
      const quorum = await Promise.all(this.sentinels.map((each) => this.#ask(each, "CKQUORUM")))
      if (!quorum.every((each) => String(each).startsWith("OK 3"))) return `quorum: ${inspect(quorum)}`
      const known = await Promise.all(this.sentinels.map((each) => this.#ask(each, "REPLICAS")))
      const good = known.map((list) => (Array.isArray(list) ? list.filter(isFine).length : 0))
      return good.every((count) => count === others.length) ? "" : `replicas known as fine: ${inspect(good)}`
    }
    let last = ""
    await until(
      async () => {
        last = await state()
        return last === ""
      },
      { timeout: 30_000, interval: 50, message: () => last },
    )
  }

  /** Makes a server that was the primary follow the new one at once; sentinels take about ten seconds for that. */
  async demote(server: RedisServer): Promise<void> {
    const primary = await this.primary()
    assert.notEqual(primary, server)
    await server.send("REPLICAOF", primary.host, `${primary.port}`)
    await this.healthy()
  }

  /** The sentinel that somebody listens to, once there is exactly one. */
  async listenedTo(): Promise<RedisServer> {
    let found: RedisServer[] = []
    await until(
      async () => {
        const up = this.sentinels.filter(({ running }) => running)
        const lists = await Promise.all(up.map((each) => each.send("CLIENT", "LIST").then(String, String)))
        found = up.filter((_, index) => / sub=1 /.test(lists[index] ?? ""))
        return found.length === 1
      },
      { interval: 50, message: () => `one sentinel that is listened to, but there are ${found.length}` },
    )
    return found[0] as RedisServer
  }

  /** Listens to what one sentinel announces, beside the driver. The next switch, and a way to stop. */
  async listen(sentinel: RedisServer): Promise<{ next: Promise<Announcement>; stop: () => void }> {
    const socket = connect(sentinel.port, sentinel.host)
    const reader = new RespReader({ encoding: "utf8" })
    let confirmed = false
    const next = new Promise<Announcement>((resolve, reject) => {
      socket.on("error", reject)
      socket.on("close", () => reject(new Error("the sentinel closed the connection")))
      socket.on("data", (chunk: Buffer) => {
        for (const value of reader.push(chunk)) {
          if (!Array.isArray(value)) continue
          confirmed = true
          const [kind, , payload] = value
          const words = String(payload).split(" ")
          if (kind === "message" && words[0] === group) {
            resolve({ port: Number(words[4]), at: performance.now() })
          }
        }
      })
    })
    next.catch(() => undefined)
    socket.write(array(bulk("SUBSCRIBE"), bulk("+switch-master")))
    await until(() => confirmed)
    return { next, stop: () => socket.destroy() }
  }

  #ask(sentinel: RedisServer, question: string): Promise<unknown> {
    return sentinel.send("SENTINEL", question, group).catch((error: unknown) => String(error))
  }
}

/**
 * Whether a sentinel describes a replica as one that is up. What it knows of the link to the primary may be ten seconds
 * old, so that is asked of the replica itself.
 */
function isFine(description: unknown): boolean {
  return Array.isArray(description) && description[description.indexOf("flags") + 1] === "slave"
}

/** One write, and what became of it. */
interface Write {
  readonly key: string
  readonly issuedAt: number
  settledAt: number
  outcome: "acknowledged" | "not-sent" | "unknown" | "refused"
}

let streams = 0

/** A stream of writes, each to a key of its own, so that a key tells how often its write has run. */
export class Writes {
  readonly all: Write[] = []
  readonly #conn: Redix<2>
  readonly #prefix: string
  #stopped = false
  readonly #workers: Promise<void>[]

  constructor(conn: Redix<2>) {
    this.#conn = conn
    streams += 1
    this.#prefix = `write:${streams}`
    this.#workers = Array.from({ length: 4 }, () => this.#work())
  }

  acknowledgedAfter(time: number): Write[] {
    return this.all.filter(({ outcome, issuedAt }) => outcome === "acknowledged" && issuedAt > time)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#workers)
  }

  /** How often the write to each of these keys has run, as this server knows it. */
  async counts(server: RedisServer): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    for (let begin = 0; begin < this.all.length; begin += 1000) {
      const keys = this.all.slice(begin, begin + 1000).map(({ key }) => key)
      const values = await server.send("MGET", ...keys)
      assert.ok(Array.isArray(values))
      for (const [index, key] of keys.entries()) counts.set(key, Number(values[index] ?? 0))
    }
    return counts
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const write: Write = {
        key: `${this.#prefix}:${this.all.length}`,
        issuedAt: performance.now(),
        settledAt: 0,
        outcome: "unknown",
      }
      this.all.push(write)
      const result = await this.#conn.safe.command(["INCR", write.key], { timeout: 30_000 })
      write.settledAt = performance.now()
      if (result.ok) {
        assert.equal(result.value, 1, `${write.key} ran twice`)
        write.outcome = "acknowledged"
      } else if (result.error instanceof ConnectionError) {
        write.outcome = result.error.outcome
      } else {
        write.outcome = "refused"
      }
      await sleep(2)
    }
  }
}

/**
 * Asserts what has to hold after a failover that was announced at that time to the connection: what was acknowledged
 * from then on is on the new primary, and nothing ran twice or although it was not sent.
 */
export async function assertAccounts(
  writes: Writes,
  announced: Announcement,
  next: RedisServer,
  old?: RedisServer,
): Promise<void> {
  const here = await writes.counts(next)
  const there = old ? await writes.counts(old) : new Map<string, number>()
  // What is issued in the few milliseconds in which the news has come to the test, but not yet to the driver.
  const later = announced.at + 50
  for (const { key, outcome, issuedAt } of writes.all) {
    const [runs = 0, elsewhere = 0] = [here.get(key), there.get(key)]
    assert.ok(runs <= 1 && elsewhere <= 1, `${key} ran ${runs} and ${elsewhere} times`)
    if (outcome === "not-sent" || outcome === "refused") {
      assert.equal(runs + elsewhere, 0, `${key} ran, but its outcome was ${outcome}`)
    }
    if (outcome === "acknowledged" && issuedAt > later) {
      assert.equal(
        runs,
        1,
        `${key} was acknowledged ${issuedAt - announced.at} ms after the switch, and is lost`,
      )
    }
  }
}
