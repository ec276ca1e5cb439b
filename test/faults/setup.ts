/** What the fault tests share: servers and connections that end with their test, and waiting for a recovery. */
import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { inspect } from "node:util"
import {
  ConnectionError,
  type ConnectionEvent,
  type DisconnectionEvent,
  RedisError,
  Redix,
  type RedixOptions,
} from "@redix/client"
import { bulk, type FakeConnection, FakeServer, handshake } from "../../support/fake-server.ts"
import { FaultProxy } from "../../support/proxy.ts"
import { until } from "../../support/wait.ts"
import { type Calls, Recorder, type Settled } from "./invariants.ts"

/** A connection of either protocol. */
export type AnyRedix = Redix<2> | Redix<3> | Redix<2 | 3>

/** What a scripted server answers to one command; nothing for no answer (yet). */
export type Script = (command: string[], connection: FakeConnection) => string | Buffer | undefined

/** Comes back soon, and asks for nothing but a PING. */
export const quick = { clientInfo: false, backoffInitial: 5, backoffMax: 20 } as const

/** The same connection, destroyed when the test has ended. */
export function closing<T extends { destroy(): void }>(t: TestContext, connection: T): T {
  t.after(() => connection.destroy())
  return connection
}

/** A scripted server that shakes hands where the script has no answer, and stops with the test. */
export async function fakeServer(
  t: TestContext,
  script: Script = echoes,
  options: Parameters<typeof FakeServer.start>[1] = {},
): Promise<FakeServer> {
  const server = await FakeServer.start((connection) => {
    connection.onCommand = (command, from) => script(command, from) ?? handshake(command)
  }, options)
  t.after(() => server.stop())
  return server
}

/** Answers ECHO, and only that. */
export function echoes(command: readonly string[]): string | undefined {
  return command[0] === "ECHO" ? bulk(command[1] ?? "") : undefined
}

/** A connection and its recorded calls. */
export interface Recorded {
  readonly conn: AnyRedix
  readonly calls: Calls
  readonly recorder: Recorder
  readonly seen: Seen
}

/** A connection that is up, recorded, and destroyed with the test. */
export async function connected(t: TestContext, options: RedixOptions): Promise<Recorded> {
  const started = recorded(t, options)
  await started.conn.ready({ timeout: 10_000 })
  return started
}

/** A connection that was started, recorded, and is destroyed with the test. */
export function recorded(t: TestContext, options: RedixOptions): Recorded {
  const conn: AnyRedix = closing(t, Redix.start({ ...quick, ...options }))
  const recorder = new Recorder()
  const calls = recorder.wrap(conn, { timeout: options.commandTimeout ?? 5000 })
  return { conn, calls, recorder, seen: watchEvents(conn) }
}

/** A connection through a proxy that can fail. */
export async function proxied(
  t: TestContext,
  target: { host: string; port: number },
  options: RedixOptions = {},
): Promise<Recorded & { readonly proxy: FaultProxy }> {
  const proxy = await FaultProxy.start({ host: target.host, port: target.port })
  t.after(() => proxy.stop())
  return { proxy, ...(await connected(t, { host: proxy.host, port: proxy.port, ...options })) }
}

/** A connection to a scripted server. */
export async function scripted(
  t: TestContext,
  script: Script = echoes,
  options: RedixOptions = {},
): Promise<Recorded & { readonly fake: FakeServer }> {
  const fake = await fakeServer(t, script)
  return { fake, ...(await connected(t, { host: fake.host, port: fake.port, ...options })) }
}

/** The events of a connection so far, with their times. */
export interface Seen {
  readonly connections: ConnectionEvent[]
  readonly disconnections: DisconnectionEvent[]
  readonly failures: DisconnectionEvent[]
  readonly failureTimes: number[]
}

export function watchEvents(conn: AnyRedix): Seen {
  const seen: Seen = { connections: [], disconnections: [], failures: [], failureTimes: [] }
  conn.on("connection", (event) => seen.connections.push(event))
  conn.on("disconnection", (event) => seen.disconnections.push(event))
  conn.on("failedConnection", (event) => {
    seen.failures.push(event)
    seen.failureTimes.push(performance.now())
  })
  return seen
}

/** Resolves once a tagged ECHO has come back. */
export async function recovered(calls: Calls, timeout = 15_000): Promise<void> {
  await until(async () => (await calls.echo()).ok, { timeout, message: "a tagged ECHO to come back" })
}

/** The value of a call that must have succeeded. */
export function replyOf(settled: Settled): unknown {
  assert.ok(settled.ok, `expected a value, got ${settled.ok || inspect(settled.error)}`)
  return settled.value
}

/** The `ConnectionError` of a call that must have failed for this reason and, where given, with this outcome. */
export function failureOf(
  settled: Settled,
  reason: string,
  outcome?: "not-sent" | "unknown",
): ConnectionError {
  assert.ok(!settled.ok, `expected ${reason}, got the value ${settled.ok && inspect(settled.value)}`)
  const { error } = settled
  assert.ok(error instanceof ConnectionError, `expected ${reason}, got ${inspect(error)}`)
  assert.equal(error.reason, reason, inspect(error))
  if (outcome) assert.equal(error.outcome, outcome, inspect(error))
  return error
}

/** The `RedisError` of a call that the server must have refused with this code. */
export function refusalOf(settled: Settled, code: string): RedisError {
  assert.ok(!settled.ok, `expected ${code}, got the value ${settled.ok && inspect(settled.value)}`)
  const { error } = settled
  assert.ok(error instanceof RedisError, `expected ${code}, got ${inspect(error)}`)
  assert.equal(error.code, code)
  return error
}

/** Asserts that the reason of a disconnection, or the cause of a "disconnected", is a broken protocol. */
export function assertProtocolError(error: unknown): void {
  assert.ok(error instanceof ConnectionError, inspect(error))
  assert.equal(error.reason, "protocol-error", inspect(error))
}

/** A value that can be compared and read: errors, bytes, maps and sets spelled out. */
export function plain(value: unknown): unknown {
  if (value instanceof RedisError) return { error: value.message }
  if (Buffer.isBuffer(value)) return { bytes: value.toString("latin1") }
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map)
    return { map: [...value].map(([key, item]: [unknown, unknown]) => [plain(key), plain(item)]) }
  if (value instanceof Set) return { set: [...value].map(plain) }
  if (typeof value === "bigint") return { bigint: `${value}` }
  return value
}

/** How a call ended, in the same form; only a reply is accepted. */
export function plainReply(settled: Settled): unknown {
  if (settled.ok) return plain(settled.value)
  assert.ok(settled.error instanceof RedisError, `expected a reply, got ${inspect(settled.error)}`)
  return plain(settled.error)
}

/** Keeps the event loop busy, so that nothing of this process happens for that long. */
export function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/** Resolves after at least that long. Only where the contract bounds a time. */
export function atLeast(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

/** Numbers in [0, 1) that the seed decides (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
