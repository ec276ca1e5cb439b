/** What the pool tests share: pools that end with their test, and what the server knows of their connections. */
import type { TestContext } from "node:test"
import { Pool, type PoolOptions } from "@redix/client"
import { bulk, FakeServer, handshake } from "../../support/fake-server.ts"
import { FaultProxy, type ProxyTarget } from "../../support/proxy.ts"
import type { RedisServer } from "../../support/server.ts"
import { until } from "../../support/wait.ts"

/** Comes back soon, and asks for nothing but a PING. */
export const quick = { clientInfo: false, backoffInitial: 5, backoffMax: 20, size: 2 } as const

type Target = { readonly host: string; readonly port: number }

/** A pool that was started, and is destroyed with the test. */
export function started(t: TestContext, target: Target, options: PoolOptions<2> = {}): Pool {
  const pool: Pool = Pool.start({ ...quick, host: target.host, port: target.port, ...options })
  t.after(() => pool.destroy())
  return pool
}

/** A pool all of whose shared connections stand. */
export async function connected(t: TestContext, target: Target, options: PoolOptions<2> = {}): Promise<Pool> {
  const pool = started(t, target, options)
  let count = 0
  await new Promise<void>((resolve) => {
    pool.on("connection", () => {
      count += 1
      if (count === (options.size ?? quick.size)) resolve()
    })
  })
  return pool
}

/** A pool at a server that greets only whom it is told to, and answers the rest by `answer`. */
export async function hesitant(
  t: TestContext,
  options: PoolOptions<2> = {},
  answer: (command: string[]) => string = echoed,
): Promise<{ pool: Pool; fake: FakeServer; greet: (index: number) => Promise<void> }> {
  const fake = await FakeServer.start((connection) => {
    connection.onCommand = (command) =>
      command[0] === "PING" ? undefined : (handshake(command) ?? answer(command))
  })
  t.after(() => fake.stop())
  const pool = started(t, fake, { size: 3, ...options })
  const greet = async (index: number): Promise<void> => {
    await until(() => (fake.connections[index]?.received.length ?? 0) > 0)
    fake.connections[index]?.write("+PONG\r\n")
  }
  return { pool, fake, greet }
}

function echoed([name, text = ""]: string[]): string {
  return name === "ECHO" ? bulk(text) : "+OK\r\n"
}

export async function proxyTo(t: TestContext, target: ProxyTarget): Promise<FaultProxy> {
  const proxy = await FaultProxy.start({ host: target.host, port: target.port })
  t.after(() => proxy.stop())
  return proxy
}

/** Waits until the server holds so many blocked clients. */
export function blocked(server: RedisServer, count: number): Promise<boolean> {
  return until(async () => (await clientsInfo(server, "blocked_clients")) === count, {
    message: `${count} blocked clients`,
  })
}

/** How many connections the server has, without the one that asks. */
export async function clients(server: RedisServer): Promise<number> {
  return (await clientsInfo(server, "connected_clients")) - 1
}

async function clientsInfo(server: RedisServer, field: string): Promise<number> {
  const info = String(await server.send("INFO", "clients"))
  return Number(new RegExp(`${field}:(\\d+)`).exec(info)?.[1])
}

/** A promise with its handles. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
