/**
 * What shifts replies in other clients: whose reply is whose must never be in doubt, or the connection has to go.
 * Almost all of it is about requests of one connection that are issued in one turn.
 */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Command } from "@redix/client"
import { bulk, error as errorReply, simple } from "../../support/fake-server.ts"
import { nextPoll, until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { type Calls, equals, type Settled, unique } from "./invariants.ts"
import {
  atLeast,
  connected,
  echoes,
  failureOf,
  proxied,
  recovered,
  refusalOf,
  replyOf,
  scripted,
  seededRandom,
} from "./setup.ts"

const server = await sharedServer()
const send = (...command: string[]) => server.send(...command)
const misuse = { misuse: true } as const

function assertMisuse(settled: Settled): void {
  assert.ok(!settled.ok && settled.error instanceof TypeError)
}

describe("noreply inside a MULTI sent by hand", () => {
  const spellings: readonly Command[] = [["MULTI"], ["multi"], [Buffer.from("Multi")]]
  const ends: readonly Command[] = [["EXEC"], ["exec"], ["DISCARD"], [Buffer.from("Discard")]]

  for (const [index, start] of [...spellings, ...spellings].entries()) {
    const end = ends[index % ends.length] as Command
    test(`is refused between ${String(start[0])} and ${String(end[0])}, and nothing moves (${index})`, async (t) => {
      const { calls, recorder, seen } = await connected(t, { host: server.host, port: server.port })
      const [queued, silent] = [unique("key"), unique("key")]
      // All in one turn: what is open is known in the order of writing, before any reply has come.
      const settled = await Promise.all([
        calls.echo(),
        calls.command(start),
        calls.command(["INCR", queued]),
        calls.noreplyCommand(["INCR", silent], undefined, { ...misuse, increments: [silent] }),
        calls.noreplyPipeline([["INCR", silent]], undefined, misuse),
        calls.transactionPipeline([["INCR", silent]], undefined, misuse),
        calls.command(end),
        calls.echo(),
        calls.incrSilently(2),
        calls.incrAtomically(2),
        calls.echo(),
      ])
      const isExec = String(end[0]).toLowerCase() === "exec"
      assert.equal(replyOf(settled[1] as Settled), "OK")
      assert.equal(replyOf(settled[2] as Settled), "QUEUED")
      for (const each of settled.slice(3, 6)) assertMisuse(each)
      assert.deepEqual(replyOf(settled[6] as Settled), isExec ? [1] : "OK")
      for (const each of settled.slice(7)) replyOf(each)
      assert.equal(await send("GET", queued), isExec ? "1" : null)
      assert.equal(seen.disconnections.length, 0)
      await recorder.verify(send)
    })
  }

  test("is refused as well when the MULTI stands in a pipeline, or was refused for being the second", async (t) => {
    const { calls, recorder } = await connected(t, { host: server.host, port: server.port })
    replyOf(await calls.pipeline([["ECHO", "a"], ["MULTI"], ["ECHO", "b"]]))
    assertMisuse(await calls.noreplyCommand(["ECHO", "x"], undefined, misuse))
    refusalOf(await calls.command(["MULTI"]), "ERR")
    assertMisuse(await calls.noreplyCommand(["ECHO", "x"], undefined, misuse))
    assert.deepEqual(replyOf(await calls.command(["EXEC"])), ["b"])
    replyOf(await calls.pipeline([["MULTI"], ["ECHO", "c"], ["EXEC"]]))
    replyOf(await calls.incrSilently(2))
    replyOf(await calls.echo())
    await recorder.verify(send)
  })

  test("is allowed again when the MULTI was aborted before it was written, or went with its connection", async (t) => {
    const { proxy, calls, recorder, seen } = await proxied(t, server)
    const controller = new AbortController()
    const never = calls.command(["MULTI"], { signal: controller.signal })
    controller.abort()
    assert.equal((await never).ok, false)
    replyOf(await calls.incrSilently(1))
    replyOf(await calls.command(["MULTI"]))
    proxy.cut()
    await until(() => seen.connections.length === 2)
    replyOf(await calls.incrSilently(1))
    replyOf(await calls.incrAtomically(2))
    await recorder.verify(send)
  })

  test("the commands that would open or shift it are refused within noreply itself", async (t) => {
    const { calls, recorder } = await connected(t, { host: server.host, port: server.port })
    const refused: Command[] = [
      ["MULTI"],
      ["exec"],
      ["Discard"],
      ["WATCH", "k"],
      ["CLIENT", "REPLY", "OFF"],
      ["HELLO"],
    ]
    const settled = refused.flatMap((command) => [
      calls.noreplyCommand(command, undefined, misuse),
      calls.noreplyPipeline([["ECHO", "a"], command], undefined, misuse),
      calls.echo(),
    ])
    for (const [index, each] of (await Promise.all(settled)).entries()) {
      if (index % 3 === 2) replyOf(each)
      else assertMisuse(each)
    }
    await recorder.verify()
  })
})

describe("an abandoned blocking command", () => {
  const ways: readonly (readonly [string, (calls: Calls, key: string) => Promise<Settled>])[] = [
    [
      "aborted",
      (calls, key) =>
        calls.command(["BLPOP", key, 0], { signal: AbortSignal.timeout(150) }, { timeout: 5000 }),
    ],
    ["timed out", (calls, key) => calls.command(["BLPOP", key, 0], { timeout: 150 })],
    [
      "aborted in a pipeline",
      (calls, key) =>
        calls.pipeline(
          [
            ["ECHO", "a"],
            ["BLPOP", key, 0],
          ],
          { signal: AbortSignal.timeout(150) },
        ),
    ],
    ["timed out with its block time", (calls, key) => calls.command(["BRPOP", key, 30], { timeout: 150 })],
  ]
  for (const [how, abandon] of ways) {
    test(`${how} drops its connection: what is pushed later stays, and nobody gets it instead`, async (t) => {
      const { calls, recorder, seen } = await connected(t, { host: server.host, port: server.port })
      for (let round = 1; round <= 3; round++) {
        const key = unique("list")
        const abandoned = abandon(calls, key)
        const behind = [calls.incr(), calls.echo()]
        assert.equal((await abandoned).ok, false)
        for (const each of behind) failureOf(await each, "disconnected", "unknown")
        await until(async () => String(await send("INFO", "clients")).includes("blocked_clients:0\r\n"))
        await send("RPUSH", key, "for nobody")
        await recovered(calls)
        assert.equal(await send("LLEN", key), 1)
        assert.equal(seen.disconnections.length, round)
      }
      await recorder.verify(send)
    })
  }

  test("that is abandoned before it was written drops nothing", async (t) => {
    const { calls, recorder, seen } = await connected(t, { host: server.host, port: server.port })
    const controller = new AbortController()
    const before = calls.echo()
    const abandoned = calls.command(
      ["BLPOP", unique("list"), 0],
      { signal: controller.signal },
      { timeout: 5000 },
    )
    const behind = calls.echo()
    controller.abort(new Error("changed my mind"))
    const settled = await abandoned
    assert.ok(!settled.ok && settled.error === controller.signal.reason)
    replyOf(await before)
    replyOf(await behind)
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify()
  })
})

describe("a refused CLIENT REPLY", () => {
  test("by an ACL: noreply rejects with the server's error, every neighbour has its own reply", async (t) => {
    await send("ACL", "SETUSER", "silent", "on", ">pw", "~*", "+@all", "-client|reply")
    const { calls, recorder, seen } = await connected(t, {
      host: server.host,
      port: server.port,
      username: "silent",
      password: "pw",
    })
    for (let round = 0; round < 10; round++) {
      const keys = [unique("key"), unique("key")]
      const neighbours = [calls.echo(), calls.incr()]
      const refused = [
        calls.noreplyCommand(["SET", keys[0] as string, "v"]),
        calls.noreplyPipeline([
          ["SET", keys[1] as string, "v"],
          ["NOSUCHCOMMAND"],
          ["GET", keys[1] as string],
        ]),
      ]
      neighbours.push(
        calls.echo(),
        calls.pipeline(
          [
            ["ECHO", "a"],
            ["ECHO", "b"],
          ],
          undefined,
          { check: equals(["a", "b"]) },
        ),
      )
      for (const each of refused) refusalOf(await each, "NOPERM")
      for (const each of neighbours) replyOf(await each)
    }
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify(send)
  })

  test("half refused: a connection that may be mute for ever is dropped at the deadline", async (t) => {
    let mute = false
    const { fake, calls, recorder, seen } = await scripted(t, (command) => {
      if (command[0] === "CLIENT" && command[1] === "REPLY") mute = true
      return mute && command[0] !== "PING" ? "" : echoes(command)
    })
    replyOf(await calls.echo())
    const silent = calls.noreplyCommand(["SET", "k", "v"], { timeout: 150 })
    const behind = calls.echo({ timeout: 5000 })
    assert.equal((await silent).ok, false)
    failureOf(await behind, "disconnected", "unknown")
    mute = false
    await recovered(calls)
    assert.equal(fake.connections.length, 2)
    assert.equal(seen.disconnections.length, 1)
    await recorder.verify()
  })

  test("whose replies come one by one, or with a late neighbour, is counted to the last of them", async (t) => {
    const { calls, recorder, seen } = await scripted(t, (command, connection) => {
      if (command[0] === "ECHO") {
        void Promise.resolve().then(() => connection.write(bulk(command[1] as string)))
        return ""
      }
      if (command[0] === "CLIENT" && command[1] === "REPLY")
        return errorReply("NOPERM this user has no permissions to run the 'client|reply' command")
      return command[0] === "SET" ? simple("OK") : undefined
    })
    const first = calls.noreplyPipeline([
      ["SET", "a", "1"],
      ["SET", "b", "2"],
      ["SET", "c", "3"],
    ])
    refusalOf(await first, "NOPERM")
    replyOf(await calls.command(["SET", "d", "4"]))
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify()
  })
})

describe("an abort in the same turn", () => {
  test("leaves out what is aborted, and every other request has its own reply", async (t) => {
    const random = seededRandom(7)
    const received: string[] = []
    const { calls, recorder, seen } = await scripted(t, (command) => {
      if (command[0] === "ECHO") received.push(command[1] as string)
      return echoes(command)
    })
    for (let round = 0; round < 30; round++) {
      received.length = 0
      const wanted: string[] = []
      const settled: Promise<Settled>[] = []
      const controllers: AbortController[] = []
      for (let index = 0; index < 50; index++) {
        const padding = random() < 0.1 ? "x".repeat(20_000) : "x".repeat(Math.floor(random() * 30))
        const text = `${unique()}:${padding}`
        const controller = new AbortController()
        const isAborted = random() < 0.5
        if (isAborted) controllers.push(controller)
        else wanted.push(text)
        settled.push(
          calls.command(["ECHO", text], isAborted ? { signal: controller.signal } : undefined, {
            check: equals(text),
          }),
        )
        // Some at once, the others at the end of the turn.
        if (isAborted && random() < 0.5) controller.abort()
      }
      for (const controller of controllers) controller.abort()
      const results = await Promise.all(settled)
      assert.equal(results.filter(({ ok }) => ok).length, wanted.length)
      replyOf(await calls.echo())
      received.pop()
      assert.deepEqual(received, wanted)
    }
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify()
  })

  test("of everything sends nothing; of a part of a big turn nothing is cut in its middle", async (t) => {
    const { calls, recorder } = await connected(t, { host: server.host, port: server.port })
    const controller = new AbortController()
    const { signal } = controller
    const big = "y".repeat(300_000)
    const aborted = [
      calls.incr({ signal }),
      calls.incrAtomically(3, { signal }),
      calls.incrSilently(3, { signal }),
      calls.command(["ECHO", big], { signal }),
      calls.pipeline(
        [
          ["ECHO", big],
          ["ECHO", "b"],
        ],
        { signal },
      ),
    ]
    const kept = [calls.incr(), calls.command(["ECHO", big], undefined, { check: equals(big) }), calls.echo()]
    controller.abort(new Error("all of these"))
    const late = calls.incr({ signal })
    for (const each of [...aborted, late]) {
      const settled = await each
      assert.ok(!settled.ok && settled.error === signal.reason)
    }
    for (const each of kept) replyOf(await each)
    await recorder.verify(async (...command) => {
      const values = (await send(...command)) as unknown[]
      assert.equal(values.filter((value) => value !== null).length, 1, "an aborted one was sent")
      return values
    })
  })

  test("after the write throws the late reply away, whatever its shape", async (t) => {
    const { proxy, calls, recorder, seen } = await proxied(t, server)
    proxy.delay(60)
    const controller = new AbortController()
    const { signal } = controller
    const aborted = [
      calls.incr({ signal }),
      calls.pipeline([["ECHO", "a"], ["LRANGE", "k", 0, -1], ["NOSUCHCOMMAND"]], {
        signal,
        encoding: "buffer",
      }),
      calls.incrAtomically(2, { signal }),
      calls.incrSilently(2, { signal }),
    ]
    const kept = [calls.echo(), calls.echo({ encoding: "buffer" }), calls.incr()]
    await atLeast(20)
    controller.abort()
    for (const each of aborted) assert.equal((await each).ok, false)
    for (const each of kept) replyOf(await each)
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify(send)
  })
})

describe("encodings that differ between requests of one chunk", () => {
  const noText = Buffer.from([0xff, 0xfe, 0x00, 0x0d, 0x0a, 0xc3, 0x28, 0xe2, 0x82])

  for (const pieceSize of [0, 1, 7]) {
    test(`each has its own (${pieceSize ? `pieces of ${pieceSize}` : "whole"}), also beside those given up`, async (t) => {
      const random = seededRandom(pieceSize + 1)
      const { proxy, calls, recorder, seen } = await proxied(t, server)
      replyOf(await calls.command(["MSET", "faults:no-text", noText, "faults:text", "é€😀"]))
      if (pieceSize) proxy.split(pieceSize)
      for (let round = 0; round < 5; round++) {
        const pending: Promise<Settled>[] = []
        for (let index = 0; index < 40; index++) {
          const encoding = random() < 0.5 ? "buffer" : "utf8"
          const asked = (value: Buffer) => (encoding === "buffer" ? value : value.toString())
          const values = [asked(noText), asked(Buffer.from("é€😀"))]
          const exactly = (expected: unknown) => ({ check: isExactly(expected) })
          const kind = Math.floor(random() * 4)
          if (kind === 0)
            pending.push(calls.command(["GET", "faults:no-text"], { encoding }, exactly(values[0])))
          else if (kind === 1)
            pending.push(
              calls.command(["MGET", "faults:no-text", "faults:text"], { encoding }, exactly(values)),
            )
          else if (kind === 2)
            pending.push(
              calls.pipeline(
                [
                  ["GET", "faults:text"],
                  ["GET", "faults:no-text"],
                ],
                { encoding },
                exactly([...values].reverse()),
              ),
            )
          else {
            const signal = AbortSignal.timeout(Math.floor(random() * 5))
            pending.push(calls.command(["GET", "faults:no-text"], { encoding, signal }, exactly(values[0])))
          }
        }
        await Promise.all(pending)
      }
      assert.equal(seen.disconnections.length, 0)
      await recorder.verify()
    })
  }

  /** Type and all: text is no bytes. */
  function isExactly(expected: unknown) {
    return (value: unknown): string | undefined => {
      try {
        assert.deepStrictEqual(value, expected)
        return undefined
      } catch {
        return `has another value, or the encoding of another request: ${String(value)}`
      }
    }
  }
})

describe("pushes of RESP3", () => {
  test("between replies, in any piece of them, are nobody's reply", async (t) => {
    const { proxy, calls, recorder, seen } = await proxied(t, server, { protocol: 3 })
    replyOf(await calls.command(["CLIENT", "TRACKING", "ON", "BCAST"]))
    proxy.split(3)
    for (let round = 0; round < 20; round++) {
      const mine = [calls.incr(), calls.echo(), calls.command(["MGET", "a", "b"]), calls.incrAtomically(2)]
      await send("SET", "faults:pushed", `${round}`)
      mine.push(calls.echo({ timeout: 5000 }))
      for (const each of mine) replyOf(await each)
    }
    await nextPoll()
    assert.equal(seen.disconnections.length, 0)
    await recorder.verify(send)
  })
})

describe("requests issued from within an event or a rejection", () => {
  test("of the drop belong to the next connection, and get no reply of the last one", async (t) => {
    const { proxy, conn, calls, recorder, seen } = await proxied(t, server)
    const issued: Promise<Settled>[] = []
    conn.on("disconnection", () => issued.push(calls.incr(), calls.echo()))
    conn.on("connection", () => issued.push(calls.incr(), calls.echo()))
    for (let round = 1; round <= 10; round++) {
      await conn.ready({ timeout: 10_000 })
      proxy.cutAfterBytes("to-client", 10, round % 2 ? "fin" : "rst")
      const first = calls.incr().then(() => calls.echo())
      const second = calls.echo().then(() => calls.incr())
      await Promise.all([first, second])
      await until(() => seen.disconnections.length === round)
      await recovered(calls)
    }
    await Promise.all(issued)
    assert.ok(issued.length >= 40)
    await recorder.verify(send)
  })
})
