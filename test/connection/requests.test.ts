/** What each kind of request makes of its replies, without a connection. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Executor } from "../../src/connection/executor.ts"
import type { ReplyFacts, Request } from "../../src/connection/request.ts"
import {
  sendCommand,
  sendPipeline,
  sendTransaction,
  sendWithoutReply,
} from "../../src/connection/requests.ts"
import { ConnectionError, RedisError, RedixError } from "../../src/errors.ts"
import { Encoder } from "../../src/protocol/encode.ts"
import { valuesOf } from "../protocol/reading.ts"

/** Takes one request on, and shows the test what was encoded and what it is answered with. */
class Desk implements Executor {
  commands: unknown[] = []
  #request: Request | undefined

  submit<Payload>(request: Request<Payload>, payload: Payload): void {
    const encoder = new Encoder()
    try {
      request.encode(encoder, payload)
    } catch (error) {
      request.fail(error)
      return
    }
    this.#request = request
    this.commands = valuesOf(Buffer.concat(encoder.take()), false)
    encoder.recycle()
  }

  get request(): Request {
    return this.#request ?? assert.fail("nothing was submitted")
  }

  /** The next replies, an `Error` being an error reply; tells whether the last one was the request's last. */
  answer(...replies: unknown[]): boolean {
    return replies.map((reply) => this.request.accept(reply, factsOf(reply))).at(-1) ?? false
  }
}

function factsOf(reply: unknown): ReplyFacts {
  const holdsErrors = Array.isArray(reply) && reply.some((element) => element instanceof RedisError)
  return { isError: reply instanceof RedisError, holdsErrors, failure: undefined }
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => assert.fail("expected a rejection"),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Error)
  return error
}

const failed: ReplyFacts = {
  isError: false,
  holdsErrors: false,
  failure: new RedixError("too long a string"),
}

describe("a command", () => {
  it("resolves with its reply", async () => {
    const desk = new Desk()
    const reply = sendCommand(desk, ["GET", "k"], undefined)
    assert.deepEqual(desk.commands, [["GET", "k"]])
    assert.equal(desk.request.label, "GET")
    assert.equal(desk.answer("v"), true)
    assert.equal(await reply, "v")
  })

  it("rejects with an error reply that bears its name", async () => {
    const desk = new Desk()
    const reply = sendCommand(desk, ["get", "s3cret"], undefined)
    const error = new RedisError("WRONGTYPE no")
    assert.equal(desk.answer(error), true)
    assert.equal(await rejection(reply), error)
    assert.deepEqual([error.code, error.command], ["WRONGTYPE", "GET"])
  })

  it("rejects when its reply cannot be had as text", async () => {
    const desk = new Desk()
    const reply = sendCommand(desk, ["GET", "k"], undefined)
    assert.equal(desk.request.accept(null, failed), true)
    assert.equal(await rejection(reply), failed.failure)
  })

  it("takes its reply also when its caller has gone", async () => {
    const desk = new Desk()
    const reply = sendCommand(desk, ["GET", "k"], undefined)
    desk.request.fail("gone")
    assert.equal(desk.answer("v"), true)
    await assert.rejects(reply, (error) => error === "gone")
  })

  for (const [command, message] of [
    ["GET", /a command must be an array such as \["GET", "key"\], got a string/],
    [null, /got null/],
    [[], /a command must not be empty/],
    [["SUBSCRIBE", "s3cret"], /^command SUBSCRIBE is refused: .*use PubSub/],
    [["SET", "s3cret", {}], /^command SET: argument 2 must be/],
  ] as const) {
    it(`rejects misuse: ${JSON.stringify(command)}`, async () => {
      const wrong: unknown = command
      const error = await rejection(sendCommand(new Desk(), wrong as readonly unknown[], undefined))
      assert.ok(error instanceof TypeError)
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /s3cret/)
    })
  }

  it("wants bytes where the options say so", () => {
    const desk = new Desk()
    void sendCommand(desk, ["GET", "k"], { encoding: "buffer" })
    assert.equal(desk.request.asBytes, true)
    void sendCommand(desk, ["GET", "k"], { encoding: "utf8" })
    assert.equal(desk.request.asBytes, false)
  })

  it("is not submitted when its signal was aborted before", async () => {
    const desk = new Desk()
    const reply = sendCommand(desk, ["GET", "k"], { signal: AbortSignal.abort("why") })
    await assert.rejects(reply, (error) => error === "why")
    assert.deepEqual(desk.commands, [])
  })
})

describe("a pipeline", () => {
  it("resolves with all replies, errors in their places with their names", async () => {
    const desk = new Desk()
    const replies = sendPipeline(
      desk,
      [
        ["SET", "k", 1],
        ["incr", "k"],
        ["GET", "k"],
      ],
      undefined,
    )
    const error = new RedisError("ERR no")
    assert.equal(desk.answer("OK", error), false)
    assert.equal(desk.answer(null), true)
    assert.deepEqual(await replies, ["OK", error, null])
    assert.equal(error.command, "INCR")
  })

  it("names the errors of any mix of commands", async () => {
    for (const names of [["A", "A", "A"], ["A", "A", "B"], ["A", "B", "A"], ["A", "B", "B", "C"], ["A"]]) {
      const desk = new Desk()
      const promise = sendPipeline(
        desk,
        names.map((name) => [name.toLowerCase()]),
        undefined,
      )
      desk.answer(...names.map(() => new RedisError("ERR no")))
      const replies = await promise
      assert.deepEqual(
        replies.map((reply) => reply instanceof RedisError && reply.command),
        names,
      )
    }
  })

  it("rejects as a whole when one reply cannot be had as text, after the last one", async () => {
    const desk = new Desk()
    const replies = sendPipeline(
      desk,
      [
        ["GET", "a"],
        ["GET", "b"],
      ],
      undefined,
    )
    assert.equal(desk.request.accept(null, failed), false)
    assert.equal(desk.answer("b"), true)
    assert.equal(await rejection(replies), failed.failure)
  })

  for (const [commands, message] of [
    [[], /at least one command, got an empty array/],
    [["GET", "s3cret"], /^pipeline element 0: a command must be an array.* got a string$/],
    ["GET", /a pipeline must be an array of commands.*got a string/],
    [[["GET", "k"], "s3cret"], /^pipeline element 1: a command must be an array.* got a string$/],
    [[["GET", "k"], []], /^pipeline element 1: a command must not be empty/],
    [[["GET", "k"], ["MONITOR"]], /^pipeline element 1: command MONITOR is refused/],
    [
      [
        ["GET", "k"],
        ["SET", "s3cret", null],
      ],
      /^pipeline element 1: command SET: argument 2 .* got null$/,
    ],
  ] as const) {
    it(`rejects misuse: ${JSON.stringify(commands)}`, async () => {
      const wrong: unknown = commands
      const error = await rejection(sendPipeline(new Desk(), wrong as readonly unknown[][], undefined))
      assert.ok(error instanceof TypeError)
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /s3cret/)
    })
  }

  it("blocks for the sum of what its commands outside of a MULTI may block", () => {
    const desk = new Desk()
    void sendPipeline(
      desk,
      [["BLPOP", "a", 1], ["MULTI"], ["BLPOP", "a", 5], ["EXEC"], ["BLPOP", "a", 2]],
      undefined,
    )
    assert.equal(desk.request.terms?.blockMs, 3000)
    assert.equal(desk.request.terms?.timeoutMs(100), 3100)
  })
})

describe("a transaction", () => {
  it("is MULTI, its commands and EXEC, and resolves with EXEC's replies", async () => {
    const desk = new Desk()
    const replies = sendTransaction(
      desk,
      [
        ["INCR", "k"],
        ["GET", "k"],
      ],
      undefined,
    )
    assert.deepEqual(desk.commands, [["MULTI"], ["INCR", "k"], ["GET", "k"], ["EXEC"]])
    assert.equal(desk.request.isRefusedInMulti, true)
    assert.equal(desk.answer("OK", "QUEUED", "QUEUED"), false)
    assert.equal(desk.answer([1, "1"]), true)
    assert.deepEqual(await replies, [1, "1"])
  })

  it("names the errors among the replies", async () => {
    const desk = new Desk()
    const replies = sendTransaction(
      desk,
      [
        ["INCR", "k"],
        ["lpush", "k"],
      ],
      undefined,
    )
    const error = new RedisError("WRONGTYPE no")
    desk.answer("OK", "QUEUED", "QUEUED", [1, error])
    assert.deepEqual(await replies, [1, error])
    assert.equal(error.command, "LPUSH")
  })

  it("resolves with null when what was watched has changed", async () => {
    const desk = new Desk()
    const replies = sendTransaction(desk, [["GET", "k"]], undefined)
    assert.equal(desk.answer("OK", "QUEUED", null), true)
    assert.equal(await replies, null)
  })

  it("rejects with EXECABORT, whose cause is the first command that was refused", async () => {
    const desk = new Desk()
    const replies = sendTransaction(desk, [["GET"], ["NOPE"]], undefined)
    const [first, second] = [new RedisError("ERR wrong number"), new RedisError("ERR unknown command")]
    desk.answer("OK", first, second, new RedisError("EXECABORT discarded"))
    const error = await rejection(replies)
    assert.ok(error instanceof RedisError)
    assert.deepEqual([error.code, error.command, error.cause], ["EXECABORT", "EXEC", first])
    assert.equal(first.command, "GET")
  })

  it("rejects with the refusal of its MULTI", async () => {
    const desk = new Desk()
    const replies = sendTransaction(desk, [["GET", "k"]], undefined)
    const refusal = new RedisError("NOPERM no MULTI")
    desk.answer(refusal, "v", new RedisError("ERR EXEC without MULTI"))
    assert.equal(await rejection(replies), refusal)
    assert.equal(refusal.command, "MULTI")
  })

  it("takes no answer to EXEC that is none", () => {
    const desk = new Desk()
    void sendTransaction(desk, [["GET", "k"]], undefined).catch(() => {})
    assert.throws(
      () => desk.answer("OK", "QUEUED", "OK"),
      (error) => error instanceof ConnectionError && error.reason === "protocol-error",
    )
  })

  for (const name of ["multi", "EXEC", "Discard"]) {
    it(`refuses ${name} among its commands`, async () => {
      const error = await rejection(sendTransaction(new Desk(), [["GET", "k"], [name]], undefined))
      assert.match(
        error.message,
        /^pipeline element 1: command \w+ is refused here: transactionPipeline sends MULTI/,
      )
    })
  }

  it("blocks for nothing, whatever its commands are", () => {
    const desk = new Desk()
    void sendTransaction(desk, [["BLPOP", "a", 5]], undefined)
    assert.equal(desk.request.terms?.blockMs ?? 0, 0)
  })
})

describe("commands without replies", () => {
  it("are framed by CLIENT REPLY OFF and ON, and done with the one OK", async () => {
    const desk = new Desk()
    const done = sendWithoutReply(
      desk,
      [
        ["SET", "k", 1],
        ["INCR", "k"],
      ],
      undefined,
    )
    const frame = (word: string): string[] => ["CLIENT", "REPLY", word]
    assert.deepEqual(desk.commands, [frame("OFF"), ["SET", "k", "1"], ["INCR", "k"], frame("ON")])
    assert.deepEqual([desk.request.isRefusedInMulti, desk.request.mustBeAnswered], [true, true])
    assert.equal(desk.answer("OK"), true)
    assert.equal(await done, undefined)
    assert.equal(desk.request.mustBeAnswered, false)
  })

  it("are all answered when CLIENT is refused, and reject with that", async () => {
    const desk = new Desk()
    const done = sendWithoutReply(
      desk,
      [
        ["SET", "k", 1],
        ["INCR", "k"],
      ],
      undefined,
    )
    const refusal = new RedisError("NOPERM no CLIENT")
    assert.equal(desk.answer(refusal, "OK", 2), false)
    assert.equal(await rejection(done), refusal)
    assert.equal(refusal.command, "CLIENT")
    assert.equal(desk.request.mustBeAnswered, false)
    assert.equal(desk.answer(new RedisError("NOPERM no CLIENT")), true)
  })

  it("take no other answer", () => {
    const desk = new Desk()
    void sendWithoutReply(desk, [["SET", "k", 1]], undefined).catch(() => {})
    assert.throws(
      () => desk.answer("QUEUED"),
      (error) => error instanceof ConnectionError && error.reason === "protocol-error",
    )
  })

  for (const name of ["MULTI", "exec", "DISCARD", "watch"]) {
    it(`refuse ${name} among them`, async () => {
      const error = await rejection(sendWithoutReply(new Desk(), [[name, "k"]], undefined))
      assert.match(error.message, /^pipeline element 0: command \w+ is refused here: without replies/)
    })
  }

  it("remember the database of no SELECT, since nothing says that it was accepted", () => {
    const desk = new Desk()
    void sendWithoutReply(
      desk,
      [
        ["SELECT", 3],
        ["AUTH", "x"],
      ],
      undefined,
    )
    assert.deepEqual(
      desk.request.terms?.effects?.map(({ kind, replyIndex, database }) => [kind, replyIndex, database]),
      [
        ["select", 0, undefined],
        ["auth", 0, undefined],
      ],
    )
  })
})

describe("a request", () => {
  it("settles once", async () => {
    const desk = new Desk()
    const reply = sendCommand(desk, ["GET", "k"], undefined)
    desk.answer("first")
    desk.request.fail(new Error("second"))
    desk.answer("third")
    assert.equal(await reply, "first")
    assert.equal(desk.request.isSettled, true)
  })

  it("tells its owner of the abort and of the settlement, and leaves its signal", () => {
    const desk = new Desk()
    const controller = new AbortController()
    void sendCommand(desk, ["GET", "k"], { signal: controller.signal }).catch(() => {})
    const told: unknown[] = []
    desk.request.attach({
      onRequestAborted: (request, reason) => {
        told.push(reason)
        request.fail(reason)
      },
      onRequestSettled: (request) => told.push(request),
      afterAborts: () => {},
    })
    controller.abort("why")
    assert.deepEqual(told, ["why", desk.request])
  })
})
