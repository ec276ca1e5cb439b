/**
 * The program that closing.test.ts runs: brings a connection into a state, ends it, and says on its own end what became
 * of every promise. That it ends at all is what is tested, so nothing in here may keep it alive or end it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { ConnectionError, Redix } from "@redix/client"

const { state, how, live, mute, refusing, silent } = JSON.parse(process.argv[2] ?? "{}")
const quiet = { clientInfo: false, host: "127.0.0.1" }

/** @type {Record<string, string>} */
const report = {}

/**
 * @param {string} name
 * @param {Promise<unknown>} promise
 */
function watch(name, promise) {
  report[name] = "pending"
  promise.then(
    (value) => {
      report[name] =
        value instanceof ConnectionError ? `error ${value.reason}` : `value ${JSON.stringify(value)}`
    },
    (error) => {
      report[name] = error instanceof ConnectionError ? `${error.reason} ${error.outcome}` : `${error}`
    },
  )
}

process.on("exit", () => process.stdout.write(JSON.stringify(report)))

/** @param {Redix} conn */
function askAll(conn) {
  watch("command", conn.command(["GET", "k"], { timeout: 60_000 }))
  watch(
    "pipeline",
    conn.pipeline(
      [
        ["GET", "k"],
        ["GET", "k"],
      ],
      { timeout: 60_000 },
    ),
  )
  watch("transaction", conn.transactionPipeline([["GET", "k"]], { timeout: 60_000 }))
  watch("noreply", conn.noreplyCommand(["GET", "k"], { timeout: 60_000 }))
  watch("signalled", conn.command(["GET", "k"], { signal: new AbortController().signal, timeout: 60_000 }))
}

/** Waits for the connection and what it promises. @type {Record<string, () => Promise<Redix>>} */
const states = {
  async "handshake unanswered"() {
    const conn = Redix.start({ ...quiet, port: silent, timeout: 60_000 })
    watch("ready", conn.ready())
    askAll(conn)
    await sleep(100)
    return conn
  },
  async "TLS handshake unanswered"() {
    const conn = Redix.start({ ...quiet, port: silent, tls: true, timeout: 60_000 })
    watch("ready", conn.ready())
    askAll(conn)
    await sleep(100)
    return conn
  },
  async "just started"() {
    const conn = Redix.start({ ...quiet, port: live })
    watch("ready", conn.ready())
    askAll(conn)
    return conn
  },
  async "looking up a name"() {
    const conn = Redix.start({
      ...quiet,
      host: "example.invalid",
      port: live,
      timeout: 60_000,
      socket: { lookup() {} },
    })
    watch("ready", conn.ready())
    askAll(conn)
    await sleep(30)
    return conn
  },
  async "waiting for the password"() {
    const conn = Redix.start({ ...quiet, port: live, timeout: 60_000, password: () => new Promise(() => {}) })
    watch("ready", conn.ready())
    askAll(conn)
    await sleep(30)
    return conn
  },
  async "between attempts"() {
    const conn = Redix.start({ ...quiet, port: refusing, backoffInitial: 600_000, backoffMax: 600_000 })
    watch("ready", conn.ready())
    await new Promise((resolve) => conn.once("failedConnection", resolve))
    await sleep(10)
    return conn
  },
  async idle() {
    return Redix.connect({ ...quiet, port: live })
  },
  async "replies under way"() {
    const conn = await Redix.connect({ ...quiet, port: live })
    askAll(conn)
    return conn
  },
  async "replies that never come"() {
    const conn = await Redix.connect({ ...quiet, port: mute })
    askAll(conn)
    await sleep(30)
    return conn
  },
  async "timed out, and still in flight"() {
    const conn = await Redix.connect({ ...quiet, port: mute })
    await conn.safe.command(["GET", "k"], { timeout: 20 })
    return conn
  },
  async blocking() {
    const conn = await Redix.connect({ ...quiet, port: live })
    watch("before", conn.command(["ECHO", "a"]))
    watch("blocking", conn.command(["BLPOP", `closing:${process.pid}`, 0]))
    await sleep(50)
    return conn
  },
  async "more than the socket takes"() {
    const conn = await Redix.connect({ ...quiet, port: mute })
    for (let index = 0; index < 100; index++)
      watch(`set ${index}`, conn.command(["SET", "k", Buffer.alloc(400_000)], { timeout: 60_000 }))
    await sleep(50)
    watch("late", conn.command(["SET", "k", "v"], { timeout: 60_000 }))
    return conn
  },
  async "within a MULTI"() {
    const conn = await Redix.connect({ ...quiet, port: live })
    await conn.command(["MULTI"])
    watch("queued", conn.command(["INCR", "k"]))
    return conn
  },
  async "closed already"() {
    const conn = await Redix.connect({ ...quiet, port: live })
    await conn.close()
    askAll(conn)
    watch("ready", conn.ready())
    return conn
  },
}

const make = states[state]
if (!make) throw new Error(`no such state: ${state}`)
const conn = await make()
watch("closed", conn.closed)
if (how === "destroy") conn.destroy()
else if (how === "close") watch("close", conn.close({ timeout: 200 }))
else {
  watch("close", conn.close({ timeout: 100 }))
  watch("close again", conn.close())
  conn.destroy()
  conn.destroy()
}
