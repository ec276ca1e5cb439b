/** The first part of the tour: what one does with a connection on a good day. */
import { Redix } from "@redix/client"
import type { Stage } from "./stage.ts"
import { count, paint, print } from "./terminal.ts"

type Key = (name: string) => string

export async function connecting(stage: Stage, url: string): Promise<Redix> {
  stage.title("Connect", "in the background with start, or awaited with connect")
  const conn = await stage.show(() => Redix.connect(url))
  const info = await conn.safe.command(["INFO", "server"])
  const [, name, version] = /(valkey|redis)_version:(\S+)/.exec(info.ok ? String(info.value) : "") ?? []
  stage.say(`${name ?? "a server"} ${version ?? "that does not tell its version"} at ${conn.address}`)
  return conn
}

export async function commands(stage: Stage, conn: Redix, key: Key): Promise<void> {
  stage.title("Commands are arrays", "every command of every server version; replies are typed")
  const greeting = key("greeting")
  const visits = key("visits")
  await stage.show(() => conn.command(["SET", greeting, "hello", "EX", 60]))
  const text = await stage.show(() => conn.command(["GET", greeting]))
  const visit = await stage.show(() => conn.command(["INCRBY", visits, 41]))
  stage.say(`TypeScript knows: string | null, and number. ${text?.toUpperCase()} ${visit + 1}`)
}

export async function dataTypes(stage: Stage, conn: Redix, key: Key): Promise<void> {
  stage.title("Data types", "lists, sets, hashes, sorted sets, streams")
  const [queue, tags, user, scores, events] = [
    key("queue"),
    key("tags"),
    key("user"),
    key("scores"),
    key("events"),
  ]
  await stage.show(() => conn.command(["RPUSH", queue, "first", "second", "third"]))
  await stage.show(() => conn.command(["LRANGE", queue, 0, -1]))
  await stage.show(() => conn.command(["SADD", tags, "red", "green", "red"]))
  await stage.show(() => conn.command(["HSET", user, "name", "Ada", "born", 1815]))
  await stage.show(() => conn.command(["HGETALL", user]))
  await stage.show(() => conn.command(["ZADD", scores, 9.5, "Ada", 7, "Bob"]))
  await stage.show(() => conn.command(["ZRANGE", scores, 0, -1, "WITHSCORES"]))
  await stage.show(() => conn.command(["XADD", events, "*", "type", "login"]))
  await stage.show(() => conn.command(["XRANGE", events, "-", "+"]))
}

export async function bytes(stage: Stage, conn: Redix, key: Key): Promise<void> {
  stage.title("Bytes", "go out as they are, and come back as they are with encoding: buffer")
  const pixel = key("pixel")
  await stage.show(() => conn.command(["SET", pixel, Buffer.from([0x89, 0xff, 0x00])]))
  await stage.show(() => conn.command(["GET", pixel], { encoding: "buffer" }))
}

/** As many commands go into the pipeline. */
const COMMANDS = 1000

/** What the same commands may take one by one, over a slow network. */
const ONE_BY_ONE_MS = 1500

export async function pipelines(stage: Stage, conn: Redix, key: Key): Promise<void> {
  stage.title("Pipelines", `${count(COMMANDS)} commands in one round trip`)
  const counter = key("counter")
  const list = Array.from({ length: COMMANDS }, () => ["INCR", counter] as const)
  const roundTrip = await warmUp(conn, list)
  const few = list.slice(0, Math.max(10, Math.round(ONE_BY_ONE_MS / roundTrip)))

  const single = await stage.time(async () => {
    for (const command of few) await conn.command(command)
  })
  const concurrent = await stage.time(() => Promise.all(list.map((command) => conn.command(command))))
  const pipelined = await stage.time(() => conn.pipeline(list))
  await stage.pause()

  const perCommand = single / few.length
  bar("one by one", perCommand, perCommand)
  bar("concurrent", concurrent / COMMANDS, perCommand, "written together, once per tick")
  bar("pipeline", pipelined / COMMANDS, perCommand)
  await stage.pause()
}

/** Runs everything once, so that what is measured is not the compiler. Returns the time of a round trip, in ms. */
async function warmUp(conn: Redix, list: readonly (readonly [string, string])[]): Promise<number> {
  for (let i = 0; i < 3; i++) await conn.pipeline(list)
  await Promise.all(list.map((command) => conn.command(command)))
  const start = performance.now()
  for (const command of list.slice(0, 20)) await conn.command(command)
  return (performance.now() - start) / 20
}

/** A bar for the time of one command, as a part of `whole`. */
function bar(name: string, ms: number, whole: number, note?: string): void {
  const width = Math.max(1, Math.round((40 * ms) / whole))
  const time = `${(ms * 1000).toFixed(1)} µs a command`
  const parts = [name.padEnd(11), paint.green("█".repeat(width)), time]
  if (ms < whole) parts.push(paint.bold(`${(whole / ms).toFixed(whole / ms < 10 ? 1 : 0)}× as fast`))
  if (note !== undefined) parts.push(paint.dim(note))
  print(`     ${parts.join("  ")}`)
}

export async function transactions(stage: Stage, conn: Redix, key: Key): Promise<void> {
  stage.title("Transactions", "MULTI … EXEC in one round trip: all or nothing")
  const [from, to] = [key("from"), key("to")]
  await stage.show(() =>
    conn.transactionPipeline([
      ["DECRBY", from, 100],
      ["INCRBY", to, 100],
    ]),
  )
}
