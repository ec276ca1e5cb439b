import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Session } from "../../src/connection/session.ts"
import { RedisError } from "../../src/errors.ts"
import { Encoder } from "../../src/protocol/encode.ts"
import { StubRequest } from "./stubs.ts"

type Commands = ReadonlyArray<readonly (string | number)[]>

/** A connection as a session sees it: requests in the order of writing, and the replies to them. */
class Conversation {
  readonly session: Session
  #unanswered: StubRequest[] = []

  constructor(database?: number) {
    this.session = new Session(database)
  }

  /** Writes a request of the commands, which is not answered yet. */
  write(...commands: Commands): StubRequest {
    const request = new StubRequest()
    request.encode(new Encoder(), commands)
    this.#unanswered.push(request)
    if (request.terms?.effects !== undefined) this.session.onWritten(request.terms)
    return request
  }

  /** The next replies; an `Error` is an error reply. */
  answer(...replies: unknown[]): this {
    for (const reply of replies) {
      const [request] = this.#unanswered
      assert.ok(request !== undefined, "a request is in flight")
      const { terms } = request
      const index = terms === undefined ? -1 : terms.repliesSeen++
      for (const effect of terms?.effects ?? []) {
        if (effect.replyIndex === index) this.session.onReply(effect, reply, reply instanceof Error)
      }
      if (request.accept(reply)) this.#unanswered.shift()
      if (this.session.isStale) this.session.replay(this.#unanswered)
    }
    return this
  }

  /** Writes a command and answers it. */
  say(command: readonly (string | number)[], reply: unknown = "OK"): this {
    this.write(command)
    return this.answer(reply)
  }

  /** Takes a request back that was never sent. */
  withdraw(request: StubRequest): void {
    this.#unanswered = this.#unanswered.filter((other) => other !== request)
    if (request.terms?.effects !== undefined) this.session.replay(this.#unanswered)
  }
}

const refusal = new RedisError("ERR no")
const outOfRange = new RedisError("ERR DB index is out of range")

describe("an open MULTI", () => {
  it("is known in the order of writing, before any reply", () => {
    const talk = new Conversation()
    assert.equal(talk.session.isMultiOpen, false)
    talk.write(["GET", "k"])
    assert.equal(talk.session.isMultiOpen, false)
    talk.write(["MULTI"])
    assert.equal(talk.session.isMultiOpen, true)
    talk.write(["SET", "k", 1])
    assert.equal(talk.session.isMultiOpen, true)
    talk.write(["EXEC"])
    assert.equal(talk.session.isMultiOpen, false)
    talk.write(["multi"])
    assert.equal(talk.session.isMultiOpen, true)
    talk.write(["discard"])
    assert.equal(talk.session.isMultiOpen, false)
  })

  it("stays open when older replies come", () => {
    const talk = new Conversation()
    talk.write(["MULTI"])
    talk.write(["EXEC"])
    talk.write(["MULTI"])
    talk.answer("OK", [])
    assert.equal(talk.session.isMultiOpen, true)
    talk.answer("OK")
    assert.equal(talk.session.isMultiOpen, true)
  })

  it("is not open when it was refused", () => {
    const talk = new Conversation().say(["MULTI"], refusal)
    assert.equal(talk.session.isMultiOpen, false)
  })

  it("stays open when a second one is refused", () => {
    const talk = new Conversation()
      .say(["MULTI"])
      .say(["MULTI"], new RedisError("ERR MULTI calls can not be nested"))
    assert.equal(talk.session.isMultiOpen, true)
    talk.say(["EXEC"], new RedisError("EXECABORT"))
    assert.equal(talk.session.isMultiOpen, false)
  })

  it("may begin and end within one pipeline", () => {
    const talk = new Conversation()
    talk.write(["MULTI"], ["SET", "k", 1], ["EXEC"])
    assert.equal(talk.session.isMultiOpen, false)
    talk.write(["EXEC"], ["MULTI"], ["SET", "k", 1])
    assert.equal(talk.session.isMultiOpen, true)
  })

  it("is not open when its request was withdrawn", () => {
    const talk = new Conversation()
    talk.withdraw(talk.write(["MULTI"]))
    assert.equal(talk.session.isMultiOpen, false)
  })

  it("is open again when the EXEC behind it was withdrawn, answered or not", () => {
    for (const isAnswered of [false, true]) {
      const talk = new Conversation()
      talk.write(["MULTI"])
      const exec = talk.write(["EXEC"])
      if (isAnswered) talk.answer("OK")
      talk.withdraw(exec)
      assert.equal(talk.session.isMultiOpen, true, `answered: ${isAnswered}`)
    }
  })

  it("is as the requests left say when one in the middle was withdrawn", () => {
    const talk = new Conversation()
    talk.write(["MULTI"])
    const exec = talk.write(["EXEC"])
    const multi = talk.write(["MULTI"])
    talk.withdraw(multi)
    assert.equal(talk.session.isMultiOpen, false)
    talk.write(["MULTI"])
    talk.withdraw(exec)
    assert.equal(talk.session.isMultiOpen, true)
  })

  it("is not open when it was refused, and what follows it in its pipeline is not answered yet", () => {
    const talk = new Conversation()
    talk.write(["MULTI"], ["GET", "k"])
    talk.answer(refusal)
    assert.equal(talk.session.isMultiOpen, false)
    talk.withdraw(talk.write(["UNWATCH"]))
    assert.equal(talk.session.isMultiOpen, false)
  })
})

describe("the database", () => {
  it("is the given one at first", () => {
    assert.equal(new Conversation().session.database, undefined)
    assert.equal(new Conversation(4).session.database, 4)
  })

  const rows: readonly (readonly [
    what: string,
    database: number | undefined,
    say: (talk: Conversation) => void,
  ])[] = [
    ["an accepted SELECT", 3, (talk) => talk.say(["SELECT", 3])],
    ["the last of several", 5, (talk) => talk.say(["SELECT", "3"]).say(["select", "5"])],
    ["no refused SELECT", 1, (talk) => talk.say(["SELECT", 99], refusal)],
    ["no SELECT without a number", 1, (talk) => talk.say(["SELECT", "x"])],
    ["no SELECT that is not answered", 1, (talk) => void talk.write(["SELECT", 3])],
    [
      "a SELECT in a pipeline, by its own reply",
      3,
      (talk) => {
        talk.write(["GET", "k"], ["SELECT", 3], ["SELECT", 4])
        talk.answer(refusal, "OK", refusal)
      },
    ],
    [
      "a SELECT in a MULTI, once it was carried out",
      3,
      (talk) => talk.say(["MULTI"]).say(["SELECT", 3], "QUEUED").say(["EXEC"], ["OK"]),
    ],
    ["no SELECT in a MULTI before that", 1, (talk) => talk.say(["MULTI"]).say(["SELECT", 3], "QUEUED")],
    [
      "no SELECT that was discarded",
      1,
      (talk) => talk.say(["MULTI"]).say(["SELECT", 3], "QUEUED").say(["DISCARD"]),
    ],
    [
      "no SELECT whose EXEC was not carried out",
      1,
      (talk) => talk.say(["WATCH", "k"]).say(["MULTI"]).say(["SELECT", 3], "QUEUED").say(["EXEC"], null),
    ],
    [
      "no SELECT whose EXEC was refused",
      1,
      (talk) => talk.say(["MULTI"]).say(["SELECT", 3], "QUEUED").say(["EXEC"], new RedisError("EXECABORT")),
    ],
    [
      "no SELECT that failed in its EXEC",
      1,
      (talk) => talk.say(["MULTI"]).say(["SELECT", 99], "QUEUED").say(["EXEC"], [outOfRange]),
    ],
    [
      "a SELECT beside which something else failed in its EXEC",
      5,
      (talk) =>
        talk
          .say(["MULTI"])
          .say(["INCR", "k"], "QUEUED")
          .say(["SELECT", 5], "QUEUED")
          .say(["EXEC"], [refusal, "OK"]),
    ],
    [
      "no SELECT of an earlier transaction",
      1,
      (talk) =>
        talk.say(["MULTI"]).say(["SELECT", 3], "QUEUED").say(["DISCARD"]).say(["MULTI"]).say(["EXEC"], []),
    ],
    [
      "a SELECT in a MULTI in one pipeline",
      3,
      (talk) => {
        talk.write(["MULTI"], ["SELECT", 3], ["EXEC"])
        talk.answer("OK", "QUEUED", ["OK"])
      },
    ],
    [
      "a SELECT after a transaction",
      6,
      (talk) => talk.say(["MULTI"]).say(["SELECT", 3], "QUEUED").say(["EXEC"], ["OK"]).say(["SELECT", 6]),
    ],
  ]

  for (const [what, database, say] of rows) {
    it(`is that of ${what}`, () => {
      const talk = new Conversation(1)
      say(talk)
      assert.equal(talk.session.database, database)
    })
  }

  it("is that of a SELECT before whose MULTI was withdrawn", () => {
    const talk = new Conversation(1)
    const multi = talk.write(["MULTI"])
    talk.write(["SELECT", 3])
    talk.withdraw(multi)
    talk.answer("OK")
    assert.equal(talk.session.database, 3)
  })

  it("is that of a SELECT after a MULTI that was refused", () => {
    const talk = new Conversation(1)
    talk.write(["MULTI"], ["SELECT", 3], ["EXEC"])
    talk.answer(new RedisError("NOPERM no MULTI"), "OK", new RedisError("ERR EXEC without MULTI"))
    assert.equal(talk.session.database, 3)
  })

  it("outlives the connection", () => {
    const talk = new Conversation(1).say(["SELECT", 3])
    talk.session.reset()
    assert.equal(talk.session.database, 3)
  })
})

describe("a WATCH", () => {
  it("is over with what is written next: EXEC, DISCARD or UNWATCH", () => {
    for (const end of ["EXEC", "DISCARD", "UNWATCH"]) {
      const talk = new Conversation()
      assert.equal(talk.session.isWatchWritten, false)
      talk.write(["WATCH", "k"])
      assert.equal(talk.session.isWatchWritten, true)
      talk.write([end])
      assert.equal(talk.session.isWatchWritten, false)
    }
  })

  it("is not over by an EXEC that was never sent", () => {
    const talk = new Conversation()
    talk.say(["WATCH", "k"])
    talk.withdraw(talk.write(["EXEC"]))
    assert.equal(talk.session.isWatchWritten, true)
  })
})

describe("Session.reset", () => {
  const rows: readonly (readonly [what: string, isLost: boolean, say: (talk: Conversation) => void])[] = [
    ["nothing", false, () => {}],
    ["commands without effects", false, (talk) => talk.say(["GET", "k"]).say(["SET", "k", 1])],
    ["SELECT", false, (talk) => talk.say(["SELECT", 1])],
    ["WATCH", true, (talk) => talk.say(["WATCH", "k"])],
    ["a refused WATCH", false, (talk) => talk.say(["WATCH"], refusal)],
    ["WATCH and UNWATCH", false, (talk) => talk.say(["WATCH", "k"]).say(["UNWATCH"])],
    ["WATCH and EXEC", false, (talk) => talk.say(["WATCH", "k"]).say(["MULTI"]).say(["EXEC"], [])],
    ["WATCH and a failed EXEC", false, (talk) => talk.say(["WATCH", "k"]).say(["MULTI"]).say(["EXEC"], null)],
    ["WATCH and DISCARD", false, (talk) => talk.say(["WATCH", "k"]).say(["MULTI"]).say(["DISCARD"])],
    ["MULTI", true, (talk) => talk.say(["MULTI"])],
    ["a MULTI that is not answered", true, (talk) => void talk.write(["MULTI"])],
    ["a refused MULTI", false, (talk) => talk.say(["MULTI"], refusal)],
    ["a whole transaction", false, (talk) => talk.say(["MULTI"]).say(["EXEC"], [])],
    ["AUTH", true, (talk) => talk.say(["AUTH", "user", "s3cret"])],
    ["a refused AUTH", false, (talk) => talk.say(["AUTH", "s3cret"], new RedisError("WRONGPASS"))],
    ["CLIENT TRACKING ON", true, (talk) => talk.say(["CLIENT", "TRACKING", "ON"])],
    [
      "CLIENT TRACKING ON and OFF",
      false,
      (talk) => talk.say(["CLIENT", "TRACKING", "ON"]).say(["client", "tracking", "off"]),
    ],
    ["AUTH and a transaction", true, (talk) => talk.say(["AUTH", "x"]).say(["MULTI"]).say(["EXEC"], [])],
  ]

  for (const [what, isLost, say] of rows) {
    it(`tells that ${isLost ? "something" : "nothing"} was lost after ${what}, and only once`, () => {
      const talk = new Conversation()
      say(talk)
      assert.equal(talk.session.reset(), isLost)
      assert.equal(talk.session.isMultiOpen, false)
      assert.equal(talk.session.reset(), false)
    })
  }

  it("tells that a WATCH is lost although an EXEC without MULTI was refused", () => {
    const talk = new Conversation()
      .say(["WATCH", "k"])
      .say(["EXEC"], new RedisError("ERR EXEC without MULTI"))
    assert.equal(talk.session.reset(), true)
  })

  it("forgets a SELECT that waited for its EXEC", () => {
    const talk = new Conversation(1).say(["MULTI"]).say(["SELECT", 3], "QUEUED")
    talk.session.reset()
    talk.say(["MULTI"]).say(["EXEC"], [])
    assert.equal(talk.session.database, 1)
  })
})
