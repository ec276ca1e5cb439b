/** What the contract tests of `Pool` share: pools that end with their test, and what the server knows of their connections. */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { inspect } from "node:util"
import { ConnectionError, Pool, type PoolOptions } from "@redix/client"
import { bulk, type FakeConnection, type FakeServer } from "../../../support/fake-server.ts"
import type { RedisServer } from "../../../support/server.ts"
import { until } from "../../../support/wait.ts"
import { type Answer, closing, fakeServer, rejection, uniqueKey } from "../helpers.ts"

/** Comes back soon, and asks for nothing but a PING. */
export const quick = { clientInfo: false, backoffInitial: 5, backoffMax: 20 } as const

/** So long that nothing that happens within a test has waited for it. */
export const noBackoff = { clientInfo: false, backoffInitial: 60_000, backoffMax: 60_000 } as const

/** One of the server's clients, as `CLIENT LIST` describes it. */
export interface Listed {
  readonly id: string
  readonly db: string
  readonly user: string
  readonly cmd: string
  readonly blocked: boolean
}

/** A pool at a real server, and how it looks from there. */
export interface Watched {
  readonly pool: Pool
  /** The connections of the pool that the server has. */
  listed(): Promise<Listed[]>
  /** Resolves to them once there are so many. */
  untilListed(count: number): Promise<Listed[]>
  /** Resolves to the blocked ones once there are so many. */
  untilBlocked(count: number): Promise<Listed[]>
  /** Has the server break these connections off; resolves when they are gone there. */
  kill(connections: readonly Listed[]): Promise<void>
}

/** A pool whose `size` connections are all up, destroyed with the test. */
export async function watched(
  t: TestContext,
  server: RedisServer,
  options: PoolOptions<2> = {},
): Promise<Watched> {
  const clientName = uniqueKey("pool").replaceAll(":", "-")
  const { size = 2 } = options
  const pool = closing(
    t,
    await Pool.connect({ host: server.host, port: server.port, clientName, ...options, size }),
  )
  const listed = async () => {
    const lines = String(await server.send("CLIENT", "LIST")).split("\n")
    return lines.filter((line) => line.includes(` name=${clientName} `)).map(parse)
  }
  const untilCount = async (wanted: (each: Listed) => boolean, count: number) => {
    let found: Listed[] = []
    await until(
      async () => {
        found = (await listed()).filter(wanted)
        return found.length === count
      },
      { message: () => `${count} connections: ${inspect(found)}` },
    )
    return found
  }
  const all: Watched = {
    pool,
    listed,
    untilListed: (count) => untilCount(() => true, count),
    untilBlocked: (count) => untilCount(({ blocked }) => blocked, count),
    async kill(connections) {
      const ids = connections.map(({ id }) => id)
      for (const id of ids) await server.send("CLIENT", "KILL", "ID", id)
      await until(async () => (await listed()).every(({ id }) => !ids.includes(id)))
    },
  }
  await all.untilListed(size)
  return all
}

function parse(line: string): Listed {
  const field = (name: string) => new RegExp(`(?:^| )${name}=([^ ]*)`).exec(line)?.[1] ?? ""
  return {
    id: field("id"),
    db: field("db"),
    user: field("user"),
    cmd: field("cmd"),
    blocked: field("flags").includes("b"),
  }
}

/** Answers ECHO, and leaves everything else to be. */
export const echoes: Answer = (command) => (command[0] === "ECHO" ? bulk(command[1] ?? "") : undefined)

/** A pool at a scripted server, all of whose `size` connections are up. */
export async function scripted(
  t: TestContext,
  answer: Answer = echoes,
  options: PoolOptions<2> = {},
): Promise<{ pool: Pool; fake: FakeServer }> {
  const fake = await fakeServer(t, answer)
  const { size = 2 } = options
  const pool = closing(
    t,
    await Pool.connect({ host: fake.host, port: fake.port, ...quick, ...options, size }),
  )
  await until(() => fake.connections.filter(({ received }) => received.length > 0).length === size)
  // Until then a connection counts as connecting: the PING was answered, but perhaps not yet read.
  await until(async () => {
    await pool.command(["ECHO", "up"])
    return fake.connections.every((each) => each.received.length > 0)
  })
  return { pool, fake }
}

/** The connection that has received a command which holds this text, once there is one. */
export function connectionWith(fake: FakeServer, text: string): Promise<FakeConnection> {
  return until(
    () => fake.connections.find(({ received }) => received.some((words) => words.includes(text))),
    {
      message: `no connection has received ${text}`,
    },
  )
}

/** How many commands of that name the server has received. */
export function countReceived(fake: FakeServer, name: string): number {
  return fake.connections
    .flatMap(({ received }) => received)
    .filter((words) => words[0]?.toUpperCase() === name).length
}

/** The `ConnectionError`, of whatever reason, that a promise rejects with; surely nothing was sent. */
export function notSent(promise: Promise<unknown>): Promise<ConnectionError> {
  const error = rejection(promise).then((reason) => {
    assert.ok(reason instanceof ConnectionError, inspect(reason))
    assert.equal(reason.outcome, "not-sent", inspect(reason))
    return reason
  })
  error.catch(() => undefined)
  return error
}

/** Every way to send that command. */
export function everyWay(
  client: Pick<Pool, "command" | "pipeline" | "transactionPipeline" | "noreplyCommand" | "noreplyPipeline">,
  command: readonly string[] = ["PING"],
): (() => Promise<unknown>)[] {
  return [
    () => client.command(command),
    () => client.pipeline([command]),
    () => client.transactionPipeline([command]),
    () => client.noreplyCommand(command),
    () => client.noreplyPipeline([command]),
  ]
}
