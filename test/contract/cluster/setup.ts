/** What the tests of the cluster share: clusters real and scripted, and clients of them that end with their test. */
import assert from "node:assert/strict"
import { after, type TestContext } from "node:test"
import { inspect } from "node:util"
import { Cluster, type ClusterOptions, RedisError } from "@redix/client"
import { RedisCluster, type RedisClusterOptions } from "../../../support/cluster.ts"
import {
  FakeCluster,
  type FakeClusterOptions,
  type FakeNode,
  type NodeScript,
} from "../../../support/fake-cluster.ts"
import { evenRanges, keyIn } from "../../../support/slots.ts"
import { until } from "../../../support/wait.ts"
import { closing } from "../helpers.ts"

export { FakeCluster, type FakeNode, type NodeScript } from "../../../support/fake-cluster.ts"
export { keyIn, slotOf } from "../../../support/slots.ts"
export { assertConnectionError as assertFailedPlace } from "../helpers.ts"

/** Comes back soon, and introduces itself with a PING only. */
export const quick = { clientInfo: false, backoffInitial: 10, backoffMax: 50 } as const

/** The options of a client, without the seeds. */
export type Options<P extends 2 | 3 = 2> = Partial<ClusterOptions<P>>

/** A real cluster for all tests of a file, which is stopped after the last of them. */
export async function sharedCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const real = await RedisCluster.start(options)
  after(() => real.stop())
  return real
}

/**
 * The same, with a client that all of them may use.
 * @param seeds how many of the nodes it is told of
 */
export async function sharedClient(
  options: RedisClusterOptions = {},
  clientOptions: Options = {},
  seeds?: number,
): Promise<{ real: RedisCluster; cluster: Cluster }> {
  const real = await RedisCluster.start(options)
  const cluster = Cluster.start({ nodes: real.urls(seeds), ...clientOptions })
  after(async () => {
    cluster.destroy()
    await real.stop()
  })
  await cluster.ready()
  return { real, cluster }
}

/** Scripted nodes that stop with the test. */
export async function fakeNodes(t: TestContext, options: FakeClusterOptions = {}): Promise<FakeCluster> {
  const fake = await FakeCluster.start(options)
  t.after(() => fake.stop())
  return fake
}

/** A client of all nodes that is up, and destroyed with the test. */
export async function connected<P extends 2 | 3 = 2>(
  t: TestContext,
  to: RedisCluster | FakeCluster,
  options: Options<P> = {},
): Promise<Cluster<P>> {
  return closing(t, await Cluster.connect<P>({ nodes: to.urls(), ...quick, ...options }))
}

/** A client of all nodes that was just started, and is destroyed with the test. */
export function started(t: TestContext, to: RedisCluster | FakeCluster, options: Options<2> = {}): Cluster {
  return closing(t, Cluster.start({ nodes: to.urls(), ...quick, ...options }))
}

export interface Scripted {
  readonly fake: FakeCluster
  readonly cluster: Cluster
  /** The first three nodes: A serves the first third of the slots, and so on. */
  readonly a: FakeNode
  readonly b: FakeNode
  readonly c: FakeNode
}

/** Three scripted primaries, and a client that has a connection to each of them. */
export async function scripted(
  t: TestContext,
  options: Options<2> = {},
  fakeOptions: FakeClusterOptions = {},
): Promise<Scripted> {
  const fake = await fakeNodes(t, fakeOptions)
  const cluster = await connected(t, fake, options)
  const [a, b, c] = [fake.node(0), fake.node(1), fake.node(2)]
  await warm(fake, cluster)
  return { fake, cluster, a, b, c }
}

/** Sends a command to every node, so that no connection is to be made any more, and forgets what arrived. */
export async function warm(fake: FakeCluster, cluster: Cluster): Promise<void> {
  await until(
    async () => {
      const pings = fake.layout.map(({ slots: [first] }) => cluster.command(["GET", keyIn(first, "warm")]))
      return (await Promise.allSettled(pings)).every(({ status }) => status === "fulfilled")
    },
    { message: "an answer of every node" },
  )
  forgetReceived(fake)
}

/** Resolves when the connections to all nodes that the client knows stand, those to replicas too. */
export async function allReady(cluster: Cluster<2> | Cluster<3>): Promise<void> {
  await Promise.all(cluster.nodes("all").map(({ connection }) => connection.ready({ timeout: 10_000 })))
}

/** As if nothing had arrived yet. */
export function forgetReceived(fake: FakeCluster): void {
  for (const { received, times } of fake.nodes) {
    received.length = 0
    times.length = 0
  }
}

/** Slots in the middle of the ranges of three primaries. */
export const [slotA, slotB, slotC] = [100, 8000, 16_000] as const

/** A key that the first primary of three serves; one of the second; one of the third. */
export const keyA = (name = "k"): string => keyIn(slotA, name)
export const keyB = (name = "k"): string => keyIn(slotB, name)
export const keyC = (name = "k"): string => keyIn(slotC, name)

/** A slot of each of so many evenly divided primaries. */
export function slotOfEach(primaries: number): number[] {
  return evenRanges(primaries).map(([first, last]) => Math.floor((first + last) / 2))
}

/** Answers these commands, whatever their arguments. */
export function answering(answers: Readonly<Record<string, string>>): NodeScript {
  return ([name = ""]) => answers[name.toUpperCase()]
}

/** The first answers to a command of that name, one after another; after them the usual one. */
export function first(name: string, ...answers: readonly string[]): NodeScript {
  let next = 0
  return ([word = ""]) => (word.toUpperCase() === name ? answers[next++] : undefined)
}

/** `-MOVED 866 127.0.0.1:7001` */
export function moved(slot: number, to: { readonly address: string } | string): string {
  return `-MOVED ${slot} ${typeof to === "string" ? to : to.address}\r\n`
}

/** `-ASK 866 127.0.0.1:7001` */
export function ask(slot: number, to: { readonly address: string } | string): string {
  return `-ASK ${slot} ${typeof to === "string" ? to : to.address}\r\n`
}

export const tryAgain = "-TRYAGAIN Multiple keys request during rehashing of slot\r\n"

/** Words of commands, one command a string: `["SET k 1", "GET k"]`. */
export function spelled(commands: readonly (readonly string[])[]): string[] {
  return commands.map((command) => command.join(" "))
}

/** Asserts that a value inside of a pipeline's replies is an error reply of that code. */
export function assertRefusedPlace(value: unknown, code: string): asserts value is RedisError {
  assert.ok(value instanceof RedisError, `expected a RedisError, got ${inspect(value)}`)
  assert.equal(value.code, code)
}

/** Runs a command until it succeeds, which it has to in time. */
export async function answers(
  cluster: Cluster<2> | Cluster<3>,
  command: readonly string[],
  timeout = 10_000,
): Promise<unknown> {
  let last: unknown
  const value = await until(
    async () => {
      const result = await cluster.safe.command(command)
      if (result.ok) return { reply: result.value as unknown }
      last = result.error
      return undefined
    },
    { timeout, message: () => `a reply to ${command[0]}; the last failure: ${inspect(last)}` },
  )
  return value.reply
}
