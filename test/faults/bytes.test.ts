/** Rows 1 to 9 of the fault matrix: the bytes of replies, cut, changed, huge and hostile. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { describe, type TestContext, test } from "node:test"
import { fileURLToPath } from "node:url"
import { inspect } from "node:util"
import { type Command, ConnectionError, type RedixOptions, type RequestOptions } from "@redix/client"
import { bulk, type FakeConnection } from "../../support/fake-server.ts"
import { nextPoll, until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { nameOf, type Settled } from "./invariants.ts"
import { judge } from "./resp-judge.ts"
import {
  assertProtocolError,
  atLeast,
  connected,
  echoes,
  failureOf,
  fakeServer,
  plain,
  plainReply,
  proxied,
  type Recorded,
  recovered,
  replyOf,
  scripted,
  seededRandom,
} from "./setup.ts"

const server = await sharedServer()

/** A reply on the wire, as text, and as bytes where that differs. */
type Reply = readonly [wire: string, text: unknown, bytes?: unknown]

const bytes = (text: string) => ({ bytes: Buffer.from(text).toString("latin1") })

/** Every type, alone and nested, with the lengths 0 and null, with CRLF and with letters of 1 to 4 bytes. */
const replies2: readonly Reply[] = [
  ["+OK\r\n", "OK", bytes("OK")],
  ["+\r\n", "", bytes("")],
  ["-ERR no such thing: é\r\n", { error: "ERR no such thing: é" }],
  [":0\r\n", 0],
  [":-42\r\n", -42],
  [":9007199254740991\r\n", 9007199254740991],
  [":9007199254740993\r\n", { bigint: "9007199254740993" }],
  [":-9223372036854775808\r\n", { bigint: "-9223372036854775808" }],
  ["$5\r\nhello\r\n", "hello", bytes("hello")],
  ["$0\r\n\r\n", "", bytes("")],
  ["$-1\r\n", null],
  ["*-1\r\n", null],
  ["*0\r\n", []],
  [bulk("a\r\n$3\r\nb\r\n"), "a\r\n$3\r\nb\r\n", bytes("a\r\n$3\r\nb\r\n")],
  [bulk("\uFEFFdéjà → 😀"), "\uFEFFdéjà → 😀", bytes("\uFEFFdéjà → 😀")],
  [
    "*4\r\n*2\r\n$1\r\nx\r\n:1\r\n*-1\r\n-WRONGTYPE in here\r\n*1\r\n*1\r\n+y\r\n",
    [["x", 1], null, { error: "WRONGTYPE in here" }, [["y"]]],
    [[bytes("x"), 1], null, { error: "WRONGTYPE in here" }, [[bytes("y")]]],
  ],
]

/** What only RESP3 has. Attributes are skipped, pushes are never a reply. */
const replies3: readonly Reply[] = [
  ["_\r\n", null],
  ["#t\r\n", true],
  ["#f\r\n", false],
  [",3.25\r\n", 3.25],
  [",-1e-7\r\n", -1e-7],
  [",inf\r\n", Infinity],
  [",-inf\r\n", -Infinity],
  [
    "(3492890328409238509324850943850943825024385\r\n",
    { bigint: "3492890328409238509324850943850943825024385" },
  ],
  ["=9\r\ntxt:é\r\nx\r\n", "é\r\nx", bytes("é\r\nx")],
  ["!10\r\nERR a\r\nbcd\r\n", { error: "ERR a\r\nbcd" }],
  [
    "%2\r\n+a\r\n:1\r\n$1\r\nb\r\n*1\r\n$1\r\nc\r\n",
    {
      map: [
        ["a", 1],
        ["b", ["c"]],
      ],
    },
    {
      map: [
        ["a", 1],
        ["b", [bytes("c")]],
      ],
    },
  ],
  ["%0\r\n", { map: [] }],
  ["~2\r\n$1\r\na\r\n$1\r\nb\r\n", { set: ["a", "b"] }, [bytes("a"), bytes("b")]],
  ["|1\r\n+ttl\r\n:100\r\n$1\r\nv\r\n", "v", bytes("v")],
  [">2\r\n$7\r\nmessage\r\n*1\r\n$1\r\nx\r\n:7\r\n", 7],
]

interface Form {
  readonly protocol: 2 | 3
  readonly encoding: "utf8" | "buffer"
  readonly stream: Buffer
  readonly expected: readonly unknown[]
}

function form(protocol: 2 | 3, encoding: "utf8" | "buffer"): Form {
  const replies = protocol === 2 ? replies2 : [...replies2, ...replies3]
  return {
    protocol,
    encoding,
    stream: Buffer.from(replies.map(([wire]) => wire).join("")),
    expected: replies.map(([, text, asBytes]) =>
      encoding === "buffer" && asBytes !== undefined ? asBytes : text,
    ),
  }
}

const forms: readonly Form[] = [form(2, "utf8"), form(2, "buffer"), form(3, "utf8"), form(3, "buffer")]

/** How a scripted server sends the stream, once it has read all the commands that are to be answered. */
type Delivery = (connection: FakeConnection) => void | Promise<void>

interface Stage extends Recorded {
  /** Sends that many commands in one go; their replies are what `deliver` writes. */
  ask(count: number, deliver: Delivery, options?: RequestOptions): Promise<Settled[]>
}

/** A connection to a server that has only the stream of the moment to say. */
async function stage(t: TestContext, options: RedixOptions = {}): Promise<Stage> {
  let missing = 0
  let deliver: Delivery = () => undefined
  const fake = await fakeServer(t, (command, connection) => {
    if (command[0] === "ECHO") return echoes(command)
    if (command[0] !== "GET") return undefined
    missing -= 1
    if (missing === 0) void deliver(connection)
    return undefined
  })
  const up = await connected(t, {
    host: fake.host,
    port: fake.port,
    backoffInitial: 1,
    backoffMax: 2,
    ...options,
  })
  const ask: Stage["ask"] = (count, delivery, requestOptions) => {
    missing = count
    deliver = delivery
    const gets = Array.from({ length: count }, (_, index) =>
      up.calls.command(["GET", `${index}`], requestOptions),
    )
    return Promise.all(gets)
  }
  return { ...up, ask }
}

describe("row 1 and 2: replies in pieces", () => {
  for (const { protocol, encoding, stream, expected } of forms) {
    const under = `RESP${protocol}, ${encoding}`

    test(`cut in two at every byte they have their exact values (${under})`, async (t) => {
      const { ask, recorder, seen } = await stage(t, { protocol })
      for (let cut = 1; cut < stream.length; cut++) {
        const settled = await ask(
          expected.length,
          async (connection) => {
            connection.write(stream.subarray(0, cut))
            await nextPoll()
            connection.write(stream.subarray(cut))
          },
          { encoding },
        )
        assert.deepEqual(settled.map(plainReply), expected, `cut at ${cut}`)
      }
      assert.equal(seen.disconnections.length, 0)
      await recorder.verify()
    })

    for (const size of [1, 2, 3, 7]) {
      test(`dripped ${size} by ${size} they have their exact values (${under})`, async (t) => {
        const { ask, recorder } = await stage(t, { protocol })
        const settled = await ask(expected.length, (connection) => connection.writeInPieces(stream, size), {
          encoding,
        })
        assert.deepEqual(settled.map(plainReply), expected)
        await recorder.verify()
      })
    }

    test(`coalesced by the thousand, and late, they have their exact values (${under})`, async (t) => {
      const { ask, recorder } = await stage(t, { protocol })
      const times = 100
      const settled = await ask(
        expected.length * times,
        async (connection) => {
          await atLeast(100)
          connection.write(Buffer.concat(Array.from({ length: times }, () => stream)))
        },
        { encoding },
      )
      const whole = Array.from({ length: times }, () => expected).flat()
      assert.deepEqual(settled.map(plainReply), whole)
      await recorder.verify()
    })

    test(`as one pipeline, dripped, they have their exact values (${under})`, async (t) => {
      let missing = expected.length
      const { calls, recorder } = await scripted(
        t,
        (command, connection) => {
          if (command[0] === "GET" && --missing === 0) void connection.writeInPieces(stream, 5)
          return undefined
        },
        { protocol },
      )
      const commands = expected.map((_, index): Command => ["GET", `${index}`])
      assert.deepEqual(plain(replyOf(await calls.pipeline(commands, { encoding }))), expected)
      await recorder.verify()
    })
  }

  test("of a real server, a byte at a time, delayed, hold every byte and every letter", async (t) => {
    const { proxy, calls, recorder } = await proxied(t, server)
    const everyByte = Buffer.from(Array.from({ length: 512 }, (_, index) => (index * 7) % 256))
    const text = "äöü\r\n€😀\r\n\u0000\r\n".repeat(20)
    replyOf(await calls.command(["MSET", "faults:bytes", everyByte, "faults:text", text]))
    proxy.split(1)
    proxy.delay(30)
    const asBytes = calls.command(["GET", "faults:bytes"], { encoding: "buffer" })
    const asText = calls.command(["GET", "faults:text"])
    const both = calls.command(["MGET", "faults:text", "faults:bytes", "faults:none"], { encoding: "buffer" })
    const broken = calls.command(["GET", "faults:bytes"])
    assert.deepEqual(replyOf(await asBytes), everyByte)
    assert.equal(replyOf(await asText), text)
    assert.deepEqual(replyOf(await both), [Buffer.from(text), everyByte, null])
    // What is no UTF-8 becomes what Node.js makes of the whole, wherever it was cut.
    assert.equal(replyOf(await broken), everyByte.toString("utf8"))
    await recorder.verify()
  })
})

describe("row 3: a byte of the stream is changed", () => {
  const random = seededRandom(20_241_101)

  /** Every bit of its own, and what means something: other types, digits, ends of lines. */
  function replacements(original: number): number[] {
    const meaningful = [..."\r\n0129-+:$*_%"].map((letter) => letter.charCodeAt(0))
    const flipped = [0, 1, 2, 3, 4, 5, 6, 7].map((bit) => original ^ (1 << bit))
    const candidates = [...meaningful, ...flipped].filter((candidate) => candidate !== original)
    return [...new Set(candidates)].filter(() => random() < 0.5)
  }

  const streams = {
    2: "+OK\r\n:12\r\n$5\r\nhello\r\n*2\r\n$1\r\na\r\n*1\r\n:7\r\n$-1\r\n-ERR e\r\n$2\r\né\r\n",
    3: "%1\r\n+a\r\n,1.5\r\n~2\r\n:1\r\n$1\r\nb\r\n#t\r\n_\r\n=7\r\ntxt:abc\r\n(123\r\n!5\r\nERR x\r\n+OK\r\n",
  }

  for (const protocol of [2, 3] as const) {
    test(`RESP${protocol}: a legal value of that stream, or the connection is destroyed`, async (t) => {
      const original = Buffer.from(streams[protocol])
      const count = judge(original, protocol).replies.length
      const { ask, conn, calls, recorder, seen } = await stage(t, { protocol })
      assert.deepEqual(
        (await ask(count, (connection) => connection.write(original))).map(plainReply),
        judge(original, protocol).replies.map(({ value }) => value),
      )
      for (let position = 0; position < original.length; position++) {
        for (const replacement of replacements(original[position] as number)) {
          const stream = Buffer.from(original)
          stream[position] = replacement
          await conn.ready({ timeout: 10_000 })
          await tryStream(stream, `byte ${position} = ${replacement}: ${inspect(stream.toString("latin1"))}`)
        }
      }
      await recovered(calls)
      await recorder.verify()

      async function tryStream(stream: Buffer, label: string): Promise<void> {
        const { replies, end } = judge(stream, protocol)
        const certain = replies.findIndex(({ doubtful }) => doubtful) < 0
        const isComplete = certain && end === "clean" && replies.length === count
        const mustBeRefused = certain && end === "illegal" && replies.length < count
        const dropped = seen.disconnections.length
        const settled = await ask(count, (connection) => {
          connection.write(stream)
          // The driver has to break off by itself; where it may well wait for more bytes, there are no more.
          if (!isComplete && !mustBeRefused) connection.end()
        })
        let refused = false
        for (const [index, each] of settled.entries()) {
          const judged = replies[index]
          if (!each.ok && each.error instanceof ConnectionError) {
            assert.equal(nameOf(each), "disconnected", label)
            // A reply before the doubt has arrived, whatever follows.
            const before = replies.slice(0, index + 1)
            const mayFail = index >= replies.length || before.some(({ doubtful }) => doubtful)
            assert.ok(refused || mayFail, `${label}: reply ${index} is lost`)
            if (mustBeRefused) assertProtocolError(each.error.cause)
            refused = true
            continue
          }
          assert.ok(!refused, `${label}: reply ${index} behind a broken one`)
          if (judged) assert.deepEqual(plainReply(each), judged.value, `${label}: reply ${index}`)
          else assert.equal(end, "open", `${label}: reply ${index} out of nowhere: ${inspect(each)}`)
        }
        if (isComplete) assert.equal(refused, false, label)
        else await until(() => seen.disconnections.length > dropped, { message: `${label}: to be dropped` })
      }
    })
  }
})

const garbage: readonly (readonly [name: string, bytes: string | Buffer])[] = [
  ["an answer in HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"],
  ["zeros", Buffer.alloc(16)],
  ["an empty line", "\r\n"],
  ["a line without a type", "hello\r\n"],
  ["a TLS alert", Buffer.from([21, 3, 3, 0, 2, 2, 10])],
  ["a bulk without its CRLF", "$2\r\nabcd\r\n"],
  ["a length that is not digits", "$1x\r\na\r\n"],
  ["a negative length", "*-2\r\n"],
  ["an integer that is none", ":1.5\r\n"],
  ["an integer without digits", ":\r\n"],
]

describe("row 4: garbage", () => {
  for (const [name, junk] of garbage) {
    test(`${name} between replies drops the connection: what came before counts, nothing after it`, async (t) => {
      const { ask, calls, recorder, seen } = await stage(t)
      let from: FakeConnection | undefined
      const [first, ...others] = await ask(3, (connection) => {
        from = connection
        connection.write(
          Buffer.concat([Buffer.from("+first\r\n"), Buffer.from(junk), Buffer.from("+b\r\n+c\r\n")]),
        )
      })
      assert.equal(replyOf(first as Settled), "first")
      for (const other of others) {
        const error = failureOf(other, "disconnected", "unknown")
        assertProtocolError(error.cause)
      }
      await from?.closed
      await recovered(calls)
      assert.equal(seen.disconnections.length, 1)
      assertProtocolError(seen.disconnections[0]?.error)
      await recorder.verify()
    })
  }

  test("in place of a handshake's reply fails the attempt, which is made again", async (t) => {
    let broken = 3
    const { seen, calls, recorder } = await scripted(t, (command) => {
      if (command[0] === "PING" && broken > 0) return broken-- % 2 ? "hello\r\n" : "$3\r\nPONG\r\n"
      return echoes(command)
    })
    await recovered(calls)
    assert.equal(seen.failures.length, 3)
    for (const { error } of seen.failures) assertProtocolError(error)
    await recorder.verify()
  })
})

describe("row 5: a reply that nobody asked for", () => {
  const ghosts: readonly (readonly [name: string, bytes: string])[] = [
    ["a string", "+ghost\r\n"],
    ["a bulk", "$5\r\nghost\r\n"],
    ["an error", "-ERR ghost\r\n"],
    ["an array", "*1\r\n$5\r\nghost\r\n"],
    ["a push that is none in RESP2", ">2\r\n$7\r\nmessage\r\n$5\r\nghost\r\n"],
  ]

  for (const [name, ghost] of ghosts) {
    test(`${name} on an idle connection drops it and reaches no later caller`, async (t) => {
      const { fake, calls, recorder, seen } = await scripted(t)
      replyOf(await calls.echo())
      const [connection] = fake.connections
      connection?.write(ghost)
      await connection?.closed
      await recovered(calls)
      assertProtocolError(seen.disconnections[0]?.error)
      assert.equal(fake.connections.length, 2)
      await recorder.verify()
    })
  }

  test("behind an answer drops the connection, and what is issued on that answer does not get it", async (t) => {
    const { ask, calls, recorder, seen } = await stage(t)
    for (let round = 0; round < 20; round++) {
      const next: Promise<Settled>[] = []
      await recovered(calls)
      const dropped = seen.disconnections.length
      // In the very turn in which the answer arrives, while the reply too many may still lie in the parser.
      const asked = ask(1, (connection) => connection.write("+answer\r\n+ghost\r\n"))
      void asked.then(() => next.push(calls.echo(), calls.incr()))
      const [answer] = await asked
      assert.equal(replyOf(answer as Settled), "answer")
      await until(() => seen.disconnections.length > dropped)
      assertProtocolError(seen.disconnections.at(-1)?.error)
      await Promise.all(next)
    }
    await recorder.verify()
  })

  test("is not a push of RESP3: that is nobody's reply and no fault", async (t) => {
    const { fake, calls, recorder, seen } = await scripted(t, echoes, { protocol: 3 })
    const [connection] = fake.connections
    for (let round = 0; round < 10; round++) {
      connection?.write(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nx\r\n")
      await calls.echo()
    }
    assert.equal(seen.disconnections.length, 0)
    assert.equal(fake.connections.length, 1)
    await recorder.verify()
  })
})

const mib = 1024 * 1024

describe("row 6: a huge bulk", () => {
  test("of 256 MiB arrives whole, with no more than about twice the memory and no long stall", async (t) => {
    const { calls, recorder } = await connected(t, {
      host: server.host,
      port: server.port,
      commandTimeout: 40_000,
    })
    const size = 256 * mib
    const marks = [0, 1, 65_530, 65_536, mib, 100 * mib + 7, 255 * mib, size - 5]
    for (const mark of marks) replyOf(await calls.command(["SETRANGE", "faults:huge", mark, "mark!"]))
    const histogram = monitorEventLoopDelay({ resolution: 10 })
    const before = process.memoryUsage().arrayBuffers
    let peak = 0
    const watcher = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
    }, 5)
    t.after(() => clearInterval(watcher))
    histogram.enable()
    const huge = calls.command(["GET", "faults:huge"], { encoding: "buffer" })
    const behind = calls.echo()
    const value = replyOf(await huge)
    histogram.disable()
    clearInterval(watcher)
    replyOf(await behind)
    assert.ok(Buffer.isBuffer(value))
    assert.equal(value.length, size)
    for (const mark of marks.slice(1))
      assert.equal(value.toString("latin1", mark, mark + 5), "mark!", `at ${mark}`)
    assert.equal(value.indexOf("mark!", 101 * mib, "latin1"), 255 * mib)
    t.diagnostic(`peak ${Math.round(peak / mib)} MiB, longest stall ${Math.round(histogram.max / 1e6)} ms`)
    assert.ok(peak < 2.5 * size, `${Math.round(peak / mib)} MiB at the peak`)
    // 200 ms by contract; the rest is for a busy machine. A quadratic way takes minutes.
    assert.ok(histogram.max < 1.5e9, `stalled for ${histogram.max / 1e6} ms`)
    await recorder.verify()
    await server.send("DEL", "faults:huge")
  })

  test("of 24 MiB of text in pieces of 16 KiB, cutting letters, is the exact text", async (t) => {
    const text = "€😀é".repeat((24 * mib) / 9)
    const { ask, recorder } = await stage(t, { commandTimeout: 40_000 })
    const [settled, next] = await ask(2, async (connection) => {
      await connection.writeInPieces(bulk(text), 16 * 1024 + 1)
      connection.write("+next\r\n")
    })
    assert.ok(replyOf(settled as Settled) === text, "the text has changed")
    assert.equal(replyOf(next as Settled), "next")
    await recorder.verify()
  })
})

describe("row 7: a huge array", () => {
  test("of a million elements of a real server", async (t) => {
    const { calls, recorder } = await connected(t, {
      host: server.host,
      port: server.port,
      commandTimeout: 40_000,
    })
    const script = "local t = {} for i = 1, 1000000 do t[i] = i end return t"
    const value = replyOf(await calls.command(["EVAL", script, 0]))
    assert.ok(Array.isArray(value))
    assert.equal(value.length, 1_000_000)
    assert.ok(value.every((item, index) => item === index + 1))
    replyOf(await calls.echo())
    await recorder.verify()
  })

  test("in chunks, over several health check intervals: bytes that arrive are progress", async (t) => {
    const { ask, recorder, seen } = await stage(t, { healthCheckInterval: 600, commandTimeout: 40_000 })
    const count = 1_000_000
    const started = performance.now()
    const [settled, next] = await ask(2, async (connection) => {
      connection.write(`*${count}\r\n`)
      for (let part = 0; part < 20; part++) {
        await atLeast(100)
        connection.write("$3\r\nabc\r\n".repeat(count / 20))
      }
      connection.write("+next\r\n")
    })
    const value = replyOf(settled as Settled)
    assert.ok(Array.isArray(value))
    assert.equal(value.length, count)
    assert.ok(value.every((item) => item === "abc"))
    assert.equal(replyOf(next as Settled), "next")
    assert.ok(
      performance.now() - started > 3 * 600,
      "it must last longer than the interval to prove anything",
    )
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify()
  })
})

describe("row 8: deep nesting", () => {
  const depth = 100_000
  const nests: readonly (readonly [name: string, protocol: 2 | 3, bytes: string])[] = [
    ["arrays", 2, `${"*1\r\n".repeat(depth)}:1\r\n`],
    ["arrays with siblings", 2, `${"*2\r\n:0\r\n".repeat(depth)}:1\r\n`],
    ["maps", 3, `${"%1\r\n+k\r\n".repeat(depth)}:1\r\n`],
    ["attributes", 3, `${"|1\r\n+k\r\n".repeat(depth)}:1\r\n${":2\r\n".repeat(depth)}`],
  ]
  for (const [name, protocol, nest] of nests) {
    for (const encoding of ["utf8", "buffer"] as const) {
      test(`${depth} nested ${name} are a value, or a clean protocol error (${encoding})`, async (t) => {
        const { ask, calls, recorder } = await stage(t, { protocol, commandTimeout: 10_000 })
        const [settled, next] = await ask(
          2,
          (connection) => connection.writeInPieces(`${nest}+next\r\n`, 8192),
          {
            encoding,
          },
        )
        if (settled?.ok) {
          let found = 0
          let inner = settled.value
          while (Array.isArray(inner) || inner instanceof Map) {
            inner = inner instanceof Map ? inner.get("k") : inner.at(-1)
            found += 1
          }
          assert.equal(found, name === "attributes" ? 0 : depth)
          assert.equal(String(replyOf(next as Settled)), "next")
        } else {
          assertProtocolError(failureOf(settled as Settled, "disconnected").cause)
          failureOf(next as Settled, "disconnected")
        }
        await recovered(calls)
        await recorder.verify()
      })
    }
  }

  test("nesting that is never finished goes with its connection", async (t) => {
    const { ask, calls, recorder } = await stage(t)
    const [settled] = await ask(1, async (connection) => {
      await connection.writeInPieces("*1\r\n".repeat(depth), 8192)
      connection.end()
    })
    failureOf(settled as Settled, "disconnected", "unknown")
    await recovered(calls)
    await recorder.verify()
  })
})

describe("row 9: a length that cannot be true", () => {
  const claims: readonly (readonly [bytes: string, protocol: 2 | 3])[] = [
    ["*2147483647\r\n", 2],
    ["*4294967296\r\n", 2],
    ["$2147483647\r\n", 2],
    ["$10000000000\r\n", 2],
    ["$9223372036854775807\r\n", 2],
    ["$9223372036854775808\r\n", 2],
    ["*9223372036854775808\r\n", 2],
    ["*99999999999999999999999999999999\r\n", 2],
    ["%2147483647\r\n", 3],
    ["~9223372036854775807\r\n", 3],
    ["=10000000000\r\n", 3],
    ["|2147483647\r\n", 3],
  ]
  for (const [claim, protocol] of claims) {
    test(`${claim.trim()} allocates nothing; the request fails, the connection comes back`, async (t) => {
      const { ask, calls, recorder } = await stage(t, { protocol, healthCheckInterval: 250 })
      const before = process.memoryUsage()
      let during = before
      const [settled] = await ask(
        1,
        async (connection) => {
          connection.write(claim)
          await nextPoll()
          connection.write("$5\r\nhello\r\n".repeat(100))
          await nextPoll()
          during = process.memoryUsage()
        },
        { timeout: 150 },
      )
      assert.ok(settled && !settled.ok)
      if (nameOf(settled) !== "timeout") assertProtocolError(failureOf(settled, "disconnected").cause)
      await until(() => during !== before)
      for (const kind of ["arrayBuffers", "heapUsed"] as const) {
        const grown = (during[kind] - before[kind]) / mib
        assert.ok(grown < 64, `${kind} grew by ${grown} MiB`)
      }
      await recovered(calls)
      await recorder.verify()
    })
  }

  test(":2^63 and beyond is never a wrong digit", async (t) => {
    const { ask, calls, recorder } = await stage(t)
    const [settled] = await ask(1, (connection) => connection.write(":9223372036854775808\r\n"))
    if (settled?.ok) assert.equal(settled.value, 9223372036854775808n)
    else assertProtocolError(failureOf(settled as Settled, "disconnected").cause)
    await recovered(calls)
    await recorder.verify()
  })

  test("a thousand nested claims of 2^20 elements in 12 KB are no gigabytes", () => {
    // In a process of its own, which a driver that believes them would bring down.
    const source = `
      import { createServer } from "node:net"
      import { Redix } from "@redix/client"
      const server = createServer((socket) => {
        let greeted = false
        socket.on("error", () => undefined)
        socket.on("data", () => {
          socket.write(greeted ? "*1048576\\r\\n".repeat(1000) : "+PONG\\r\\n")
          greeted = true
        })
      })
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
      const conn = await Redix.connect({ host: "127.0.0.1", port: server.address().port, clientInfo: false })
      const before = process.memoryUsage().rss
      const error = await conn.command(["GET", "k"], { timeout: 1500 }).catch((reason) => reason)
      const grown = Math.round((process.memoryUsage().rss - before) / 2 ** 20)
      console.log(JSON.stringify({ reason: error.reason, grown }))
      conn.destroy()
      server.close()
    `
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--max-old-space-size=1500", "--input-type=module", "--eval", source],
      { cwd: fileURLToPath(new URL("../../", import.meta.url)), encoding: "utf8", timeout: 40_000 },
    )
    assert.equal(status, 0, stderr.slice(0, 400))
    const { reason, grown } = JSON.parse(stdout) as { reason: string; grown: number }
    assert.match(reason, /^(timeout|disconnected)$/)
    assert.ok(grown < 512, `grew by ${grown} MiB`)
  })
})
