/** What the contract tests share: unique keys, closing after a test, and assertions on how a request fails. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { after, type TestContext } from "node:test"
import { fileURLToPath } from "node:url"
import { inspect } from "node:util"
import {
  ConnectionError,
  type ConnectionEvent,
  type DisconnectionEvent,
  RedisError,
  Redix,
  type RedixOptions,
} from "@redix/client"
import { type FakeConnection, FakeServer, handshake } from "../../support/fake-server.ts"
import { RedisServer, type ServerOptions } from "../../support/server.ts"

/** The options that `FakeServer.start` takes. */
export type FakeServerOptions = NonNullable<Parameters<typeof FakeServer.start>[1]>

/** A connection of either protocol. */
export type AnyRedix = Redix<2> | Redix<3> | Redix<2 | 3>

/** What a scripted server answers to one command; nothing for no answer (yet). */
export type Answer = (command: string[], connection: FakeConnection) => string | Buffer | undefined

const run = randomBytes(4).toString("hex")
let counter = 0

/** A key that no other test uses. */
export function uniqueKey(label = "key"): string {
  counter += 1
  return `contract:${run}:${label}:${counter}`
}

/** A real server for all tests of a file, which is stopped after the last of them. */
export async function sharedServer(options: ServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options)
  after(() => server.stop())
  return server
}

/** The same, with a connection to it that all of them may use. */
export async function sharedConnection(): Promise<{ server: RedisServer; conn: Redix }> {
  const server = await RedisServer.start()
  const conn = Redix.start({ host: server.host, port: server.port })
  after(async () => {
    conn.destroy()
    await server.stop()
  })
  await conn.ready()
  return { server, conn }
}

/** The same connection, destroyed when the test has ended. */
export function closing<T extends { destroy(): void }>(t: TestContext, connection: T): T {
  t.after(() => connection.destroy())
  return connection
}

/** A scripted server that shakes hands, answers by `answer`, and stops when the test has ended. */
export async function fakeServer(
  t: TestContext,
  answer: Answer = () => undefined,
  options: FakeServerOptions = {},
): Promise<FakeServer> {
  const server = await FakeServer.start((connection) => {
    connection.onCommand = (command, from) => answer(command, from) ?? handshake(command)
  }, options)
  t.after(() => server.stop())
  return server
}

/** A server that does with a new connection what `onConnection` says, and stops when the test has ended. */
export async function rawServer(
  t: TestContext,
  onConnection: (connection: FakeConnection) => void,
  options: FakeServerOptions = {},
): Promise<FakeServer> {
  const server = await FakeServer.start(onConnection, options)
  t.after(() => server.stop())
  return server
}

/** A connection to a scripted server that answers ECHO only, and everything else when the test writes it. */
export async function echoing(
  t: TestContext,
  options: RedixOptions = {},
): Promise<{ fake: FakeServer; conn: Redix<2 | 3>; connection: FakeConnection }> {
  const fake = await fakeServer(t, (command) => (command[0] === "ECHO" ? `+${command[1]}\r\n` : undefined))
  const at = { host: "127.0.0.1", port: fake.port }
  const quick = { clientInfo: false, backoffInitial: 10, backoffMax: 50 }
  const conn = closing(t, await Redix.connect({ ...at, ...quick, ...options }))
  const connection = fake.connections[0]
  assert.ok(connection)
  return { fake, conn, connection }
}

/** The bytes of commands as every Redis server reads them. */
export function wire(...commands: string[][]): string {
  return commands
    .map(
      (command) =>
        `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`,
    )
    .join("")
}

/** The names of the commands that a scripted server has read, in order. */
export function namesReceived(connection: FakeConnection): string[] {
  return connection.received.map((command) => String(command[0]).toUpperCase())
}

/** Whether a scripted server has read a command that holds this text. */
export function hasReceived(connection: FakeConnection, text: string): boolean {
  return connection.received.some((command) => command.includes(text))
}

/** The error that a promise rejects with. The handler is attached at the call, so a fault may follow it. */
export function rejection(promise: Promise<unknown>): Promise<Error> {
  const error = promise.then(
    (value) => assert.fail(`expected a rejection, got ${inspect(value)}`),
    (reason: unknown) => {
      assert.ok(reason instanceof Error, `expected an Error, got ${inspect(reason)}`)
      return reason
    },
  )
  error.catch(() => undefined)
  return error
}

/** Asserts that this is a `ConnectionError` of that reason and, where given, that outcome. */
export function assertConnectionError(
  error: unknown,
  reason: string,
  outcome?: "not-sent" | "unknown",
): asserts error is ConnectionError {
  assert.ok(error instanceof ConnectionError, `expected a ConnectionError, got ${inspect(error)}`)
  assert.equal(error.reason, reason, inspect(error))
  if (outcome !== undefined) assert.equal(error.outcome, outcome, inspect(error))
}

/** The `ConnectionError` that a promise rejects with. */
export function connectionFailure(
  promise: Promise<unknown>,
  reason: string,
  outcome?: "not-sent" | "unknown",
): Promise<ConnectionError> {
  const error = rejection(promise).then((reject) => {
    assertConnectionError(reject, reason, outcome)
    return reject
  })
  error.catch(() => undefined)
  return error
}

/** The `RedisError` that a promise rejects with. */
export function redisFailure(promise: Promise<unknown>, code: string): Promise<RedisError> {
  const error = rejection(promise).then((reject) => {
    assert.ok(reject instanceof RedisError, `expected a RedisError, got ${inspect(reject)}`)
    assert.equal(reject.code, code, inspect(reject))
    return reject
  })
  error.catch(() => undefined)
  return error
}

/** Asserts that a call does not throw but rejects with a `TypeError` whose message matches the patterns. */
export async function misuse(call: () => Promise<unknown>, ...patterns: RegExp[]): Promise<TypeError> {
  let promise: Promise<unknown> | undefined
  assert.doesNotThrow(() => {
    promise = call()
  }, "misuse must reject, never throw out of the call")
  assert.ok(promise instanceof Promise, `expected a promise, got ${inspect(promise)}`)
  const error = await rejection(promise)
  assert.ok(error instanceof TypeError, `expected a TypeError, got ${inspect(error)}`)
  for (const pattern of patterns) assert.match(error.message, pattern)
  return error
}

/** Asserts that a call throws a `TypeError` whose message matches the patterns. */
export function throwsTypeError(call: () => unknown, ...patterns: RegExp[]): TypeError {
  let thrown: unknown
  try {
    const value = call()
    // A connection that should never have been made must not keep the process alive.
    if (typeof value === "object" && value !== null && "destroy" in value) (value as AnyRedix).destroy()
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown instanceof TypeError, `expected a TypeError, got ${inspect(thrown)}`)
  for (const pattern of patterns) assert.match(thrown.message, pattern)
  return thrown
}

/** The next `connection` event. */
export function nextConnection(connection: AnyRedix): Promise<ConnectionEvent> {
  return new Promise((resolve) => {
    connection.once("connection", resolve)
  })
}

/** The next `disconnection` event. */
export function nextDisconnection(connection: AnyRedix): Promise<DisconnectionEvent> {
  return new Promise((resolve) => {
    connection.once("disconnection", resolve)
  })
}

/** The next `failedConnection` event. */
export function nextFailedConnection(connection: AnyRedix): Promise<DisconnectionEvent> {
  return new Promise((resolve) => {
    connection.once("failedConnection", resolve)
  })
}

/** Resolves after a turn of the event loop in which timers, sockets and immediates all had their chance. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(() => setImmediate(resolve), 1)
  })
}

/** Resolves after at least so many milliseconds. Only for what the contract bounds by time. */
export function atLeast(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

/** What a child process wrote, and how it ended. */
export interface ChildResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

const root = fileURLToPath(new URL("../../", import.meta.url))

interface RunOptions {
  /** It is not to end: it is killed a second after it has written this. */
  readonly lingersAfter?: string
  /** When it is killed if it has not ended by itself, in ms. */
  readonly limit?: number
}

/** Runs a script in a Node.js of its own. */
export function runNode(
  source: string,
  { type = "module", ...options }: RunOptions & { readonly type?: "module" | "commonjs" } = {},
): Promise<ChildResult> {
  return runNodeWith([`--input-type=${type}`, "--eval", source], options)
}

/** Runs a Node.js with these arguments. */
export function runNodeWith(
  args: readonly string[],
  { lingersAfter, limit = 30_000 }: RunOptions = {},
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "pipe"],
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const before = stdout
      stdout += text
      if (lingersAfter === undefined || before.includes(lingersAfter) || !stdout.includes(lingersAfter))
        return
      setTimeout(() => child.kill("SIGKILL"), 1_000)
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    const killer = setTimeout(() => child.kill("SIGKILL"), limit)
    child.once("error", reject)
    child.once("close", (code, signal) => {
      clearTimeout(killer)
      resolve({ code, signal, stdout, stderr })
    })
  })
}

/** Asserts that a child process ended by itself, without an error, and returns what it wrote. */
export function assertEndedByItself(result: ChildResult): string {
  assert.equal(result.signal, null, `the process did not end by itself: ${result.stdout}${result.stderr}`)
  assert.equal(result.code, 0, result.stderr)
  return result.stdout
}
