// `node --import tsx bench/micro.ts [regex]`: what the encoder, the parser and the way to a slot cost by themselves, without a socket, a
// server or a promise, in nanoseconds for a command or a reply. Reads `src`, not `dist`. Wall time, unlike main.ts.
import { Bench } from "tinybench"
import { slotOfCommand } from "../src/cluster/routing.ts"
import { slotOf } from "../src/cluster/slots.ts"
import { commandInfo } from "../src/protocol/command-info.ts"
import { firstKeyPlace, keysOf } from "../src/protocol/command-keys.ts"
import { Encoder } from "../src/protocol/encode.ts"
import { INCOMPLETE, Parser } from "../src/protocol/parser.ts"

/** A task does its operation so many times, so that the clock is read rarely. */
interface Task {
  readonly name: string
  readonly operations: number
  run(): void
}

const COMMANDS = 100
const REPLY_BYTES = 65_536
const OPTIONS = { time: 200, warmupTime: 100 }

const key8 = "key:0001"
const key20 = "some-key:00000000001"
const cyrillic50 = "Съешь же ещё этих мягких французских булок, да чаю"

const encoderTasks: readonly Task[] = [
  encoding("GET, key of 8", ["GET", key8]),
  encoding("GET, key of 20", ["GET", key20]),
  encoding("SET, 30 characters", ["SET", key20, "x".repeat(30)]),
  encoding("SET, 100 characters", ["SET", key20, "x".repeat(100)]),
  encoding("SET, 1000 characters", ["SET", key20, "x".repeat(1000)]),
  encoding("SET, 50 non-ASCII characters", ["SET", key20, cyrillic50]),
  encoding("SET, a Buffer of 1 KiB", ["SET", key20, Buffer.alloc(1024, "x")]),
  encoding("SET, a Buffer of 16 KiB", ["SET", key20, Buffer.alloc(16_384, "x")]),
  encoding("EXPIRE, a number", ["EXPIRE", key20, 3600]),
  encoding("MSET, 20 keys", ["MSET", ...Array.from({ length: 20 }, () => [key20, "value"]).flat()]),
]

const parserTasks: readonly Task[] = [
  parsing("+OK", "+OK\r\n"),
  parsing("integer", ":12345\r\n"),
  parsing("null", "$-1\r\n"),
  parsing("8 characters", bulk("x".repeat(8))),
  parsing("20 characters", bulk("x".repeat(20))),
  parsing("100 characters", bulk("x".repeat(100))),
  parsing("1000 characters", bulk("x".repeat(1000))),
  parsing("50 non-ASCII characters", bulk(cyrillic50)),
  parsing("20 bytes as a Buffer", bulk("x".repeat(20)), true),
  parsing("array of 10 strings", `*10\r\n${bulk("x".repeat(20)).repeat(10)}`),
  whole("array of 10 000 strings, 64 KiB pieces", `*10000\r\n${bulk("x".repeat(20)).repeat(10_000)}`, 65_536),
  whole("array of 10 000 strings, 1460 B pieces", `*10000\r\n${bulk("x".repeat(20)).repeat(10_000)}`, 1460),
  whole("1 MiB string", bulk("x".repeat(1 << 20)), 65_536),
  whole("1 MiB non-ASCII string", bulk(cyrillic50.repeat(11_000)), 65_536),
  whole("1 MiB Buffer", bulk("x".repeat(1 << 20)), 65_536, true),
]

// `repeat` would make a tree, which is slower to walk.
const key100 = new Array<string>(100).fill("x").join("")
const tagged = `{${key8}}:profile`
const bytes20 = Buffer.from(key20)
const getBytes = Buffer.from("GET")
const get20 = ["GET", key20]
const mget = ["MGET", ...Array.from({ length: 100 }, (_, i) => `user:${i}`)]
const evalOne = ["EVAL", "return redis.call('GET', KEYS[1])", 1, key20]
const xread = ["XREAD", "COUNT", 10, "BLOCK", 100, "STREAMS", key20, "other", "0", "0"]

const routingTasks: readonly Task[] = [
  routing("slot of a key of 8", () => slotOf(key8)),
  routing("slot of a key of 20", () => slotOf(key20)),
  routing("slot of a key of 100", () => slotOf(key100)),
  routing("slot of a hash tag", () => slotOf(tagged)),
  routing("slot of 50 non-ASCII characters", () => slotOf(cyrillic50)),
  routing("slot of a Buffer of 20", () => slotOf(bytes20)),
  routing("first key, GET", () => firstKeyPlace(commandInfo("GET"))),
  routing("first key, get", () => firstKeyPlace(commandInfo("get"))),
  routing("first key, a Buffer", () => firstKeyPlace(commandInfo(getBytes))),
  routing("slot of a command, GET, key of 20", () => slotOfCommand(get20)),
  routing("slot of a command, EVAL of one key", () => slotOfCommand(evalOne)),
  routing("slot of a command, XREAD", () => slotOfCommand(xread)),
  routing("keys, GET", () => keysOf(get20).length),
  routing("keys, MGET of 100", () => keysOf(mget).length),
  routing("keys, EVAL of one key", () => keysOf(evalOne).length),
  routing("keys, XREAD", () => keysOf(xread).length),
]

await main(new RegExp(process.argv[2] ?? ""))

async function main(only: RegExp): Promise<void> {
  const tasks = [...encoderTasks, ...parserTasks, ...routingTasks].filter(({ name }) => only.test(name))
  const bench = new Bench(OPTIONS)
  for (const { name, run } of tasks) bench.add(name, run, { async: false })
  await bench.run()
  const rows = bench.tasks.map((task, i) => rowOf(task.name, task.result, tasks[i]!.operations))
  console.table(Object.fromEntries(rows))
}

function rowOf(
  name: string,
  result: Bench["tasks"][number]["result"],
  operations: number,
): [string, unknown] {
  if (result.state !== "completed") return [name, { state: result.state }]
  const nanoseconds = (ms: number): number => Number(((ms * 1e6) / operations).toPrecision(3))
  const { min, p50 } = result.latency
  return [name, { "ns, fastest": nanoseconds(min), "ns, median": nanoseconds(p50) }]
}

function encoding(name: string, command: readonly unknown[]): Task {
  const encoder = new Encoder()
  return {
    name: `encode ${name}`,
    operations: COMMANDS,
    run: () => {
      for (let i = 0; i < COMMANDS; i++) encoder.command(command)
      encoder.take()
      encoder.recycle()
    },
  }
}

/** A chunk full of the same small reply. */
function parsing(name: string, reply: string, asBytes = false): Task {
  const count = Math.floor(REPLY_BYTES / Buffer.byteLength(reply))
  return task(name, Buffer.from(reply.repeat(count)), count, REPLY_BYTES, asBytes)
}

/** One large reply that arrives in pieces. */
function whole(name: string, reply: string, pieceBytes: number, asBytes = false): Task {
  return task(name, Buffer.from(reply), 1, pieceBytes, asBytes)
}

function task(name: string, bytes: Buffer, replies: number, pieceBytes: number, asBytes: boolean): Task {
  const parser = new Parser(false)
  const run = (): void => {
    const found = parseInPieces(parser, bytes, pieceBytes, asBytes)
    if (found !== replies) throw new Error(`${name}: ${found} replies instead of ${replies}`)
  }
  return { name: `parse ${name}`, operations: replies, run }
}

/** Copies as the kernel would, to where the parser wants the bytes. */
function parseInPieces(parser: Parser, bytes: Buffer, pieceBytes: number, asBytes: boolean): number {
  let found = 0
  let offset = 0
  while (offset < bytes.length) {
    const target = parser.target()
    const count = Math.min(target.length, pieceBytes, bytes.length - offset)
    bytes.copy(target, 0, offset, offset + count)
    parser.received(count)
    offset += count
    while (parser.next(asBytes) !== INCOMPLETE) found++
  }
  return found
}

/** The sum keeps the engine from leaving out what nobody looks at. */
function routing(name: string, once: () => number): Task {
  let sum = 0
  const run = (): void => {
    for (let i = 0; i < COMMANDS; i++) sum = (sum + once()) | 0
  }
  return { name: `route ${name}`, operations: COMMANDS, run }
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}
