import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { inspect } from "node:util"
import { type Credentials, Handshake, type HandshakeSettings } from "../../src/connection/handshake.ts"
import { ConnectionError, type ConnectionErrorReason, RedisError } from "../../src/errors.ts"
import { VERSION } from "../../src/version.ts"
import { RespReader } from "../../support/resp-reader.ts"

interface Setting extends Partial<HandshakeSettings>, Partial<Credentials> {
  readonly database?: number
}

function handshake(setting: Setting = {}): Handshake {
  const settings = {
    protocol: 2,
    clientName: undefined,
    clientInfo: false,
    readonly: false,
    ...setting,
  } as const
  const { username, password } = setting
  return new Handshake(settings, setting.database, { username, password }, "host:1")
}

function commandsOf(shake: Handshake): unknown[] {
  return new RespReader({ encoding: "utf8" }).push(Buffer.from(shake.bytes()))
}

const info = [
  ["CLIENT", "SETINFO", "LIB-NAME", "redix-ts"],
  ["CLIENT", "SETINFO", "LIB-VER", VERSION],
]

function error(message: string): RedisError {
  return new RedisError(message)
}

/** What is to be done after the next reply; an `Error` is an error reply. */
function answer(shake: Handshake, reply: unknown): "write" | "wait" | "done" {
  const next = shake.accept(reply, reply instanceof Error)
  return next === "wait" && shake.isDone ? "done" : next
}

/** The error with which the handshake ends when these are the replies. */
function failure(setting: Setting, replies: readonly unknown[]): ConnectionError {
  const shake = handshake(setting)
  try {
    for (const reply of replies) answer(shake, reply)
  } catch (thrown) {
    assert.ok(thrown instanceof ConnectionError)
    assert.equal(thrown.address, "host:1")
    assert.equal(thrown.outcome, "not-sent")
    assert.match(thrown.message, /\(host:1\)$/)
    return thrown
  }
  return assert.fail("expected an error")
}

describe("the steps of a handshake", () => {
  const rows: readonly (readonly [what: string, setting: Setting, commands: readonly string[][]])[] = [
    ["nothing to set up", {}, [["PING"]]],
    ["a password", { password: "pw" }, [["AUTH", "pw"]]],
    ["an empty password", { password: "" }, [["AUTH", ""]]],
    ["a user", { username: "me", password: "pw" }, [["AUTH", "me", "pw"]]],
    ["a user without a password", { username: "me" }, [["PING"]]],
    ["RESP3", { protocol: 3 }, [["HELLO", "3"]]],
    ["RESP3 and a password", { protocol: 3, password: "pw" }, [["HELLO", "3", "AUTH", "default", "pw"]]],
    [
      "RESP3 and a user",
      { protocol: 3, username: "me", password: "pw" },
      [["HELLO", "3", "AUTH", "me", "pw"]],
    ],
    ["RESP3 and a user without a password", { protocol: 3, username: "me" }, [["HELLO", "3"]]],
    ["a database", { database: 3 }, [["SELECT", "3"]]],
    ["database 0", { database: 0 }, [["SELECT", "0"]]],
    ["a name", { clientName: "näme" }, [["CLIENT", "SETNAME", "näme"]]],
    ["a replica", { readonly: true }, [["READONLY"]]],
    ["the driver's name", { clientInfo: true }, info],
    [
      "everything",
      { username: "me", password: "pw", database: 1, clientName: "n", readonly: true, clientInfo: true },
      [["AUTH", "me", "pw"], ["SELECT", "1"], ["CLIENT", "SETNAME", "n"], ["READONLY"], ...info],
    ],
    [
      "everything in RESP3",
      { protocol: 3, password: "pw", database: 1, clientName: "n", readonly: true, clientInfo: true },
      [
        ["HELLO", "3", "AUTH", "default", "pw"],
        ["SELECT", "1"],
        ["CLIENT", "SETNAME", "n"],
        ["READONLY"],
        ...info,
      ],
    ],
  ]

  for (const [what, setting, commands] of rows) {
    it(`are one write for ${what}, and done with the last reply`, () => {
      const shake = handshake(setting)
      assert.deepEqual(commandsOf(shake), commands)
      const verdicts = commands.map(() => answer(shake, "OK"))
      assert.deepEqual(verdicts, [...commands.slice(1).map(() => "wait"), "done"])
    })
  }
})

describe("what an error reply means", () => {
  const anything: Setting = { password: "pw", database: 3, clientName: "n", readonly: true, clientInfo: true }
  const rows: readonly (readonly [
    setting: Setting,
    replies: unknown[],
    reason: ConnectionErrorReason,
    says: RegExp,
  ])[] = [
    [
      { password: "pw" },
      [error("WRONGPASS invalid username-password pair")],
      "authentication",
      /answered AUTH with: WRONGPASS/,
    ],
    [
      { password: "pw" },
      [error("ERR invalid password")],
      "authentication",
      /AUTH with: ERR invalid password/,
    ],
    [
      { password: "pw" },
      [error("ERR Client sent AUTH, but no password is set")],
      "authentication",
      /no password is set/,
    ],
    [
      { password: "pw" },
      [error("ERR AUTH <password> called without any password configured")],
      "authentication",
      /AUTH/,
    ],
    [{ password: "pw" }, [error("NOPERM this user has no permissions")], "authentication", /NOPERM/],
    [{ password: "pw" }, [error("LOADING Redis is loading")], "handshake", /LOADING/],
    [{ password: "pw" }, [error("ERR max number of clients reached")], "handshake", /max number of clients/],
    [{}, [error("NOAUTH Authentication required.")], "authentication", /answered PING with: NOAUTH/],
    [{}, [error("ERR max number of clients reached")], "handshake", /max number of clients/],
    [{}, [error("DENIED Redis is running in protected mode")], "handshake", /protected mode/],
    [{}, [error("MISCONF no")], "handshake", /MISCONF/],
    [
      { database: 3 },
      [error("NOAUTH Authentication required.")],
      "authentication",
      /answered SELECT 3 with: NOAUTH/,
    ],
    [
      { database: 99 },
      [error("ERR DB index is out of range")],
      "handshake",
      /answered SELECT 99 with: ERR DB index/,
    ],
    [{ database: 3 }, [error("NOPERM no SELECT")], "handshake", /NOPERM/],
    [
      { clientName: "n" },
      [error("ERR Client names cannot contain spaces")],
      "handshake",
      /answered CLIENT SETNAME with/,
    ],
    [
      { readonly: true },
      [error("ERR This instance has cluster support disabled")],
      "handshake",
      /answered READONLY with/,
    ],
    [
      { clientInfo: true },
      [error("NOAUTH Authentication required.")],
      "authentication",
      /answered CLIENT SETINFO with: NOAUTH/,
    ],
    [
      { clientInfo: true },
      [error("ERR something else")],
      "handshake",
      /CLIENT SETINFO with: ERR something else/,
    ],
    [anything, ["OK", error("ERR DB index is out of range")], "handshake", /SELECT 3/],
    [anything, ["OK", "OK", "OK", error("ERR no")], "handshake", /READONLY/],
    [
      { protocol: 3 },
      [error("ERR unknown command 'HELLO'")],
      "handshake",
      /does not speak RESP3: use protocol: 2/,
    ],
    [{ protocol: 3 }, [error("NOPROTO unsupported protocol version")], "handshake", /does not speak RESP3/],
    [
      { protocol: 3 },
      [error("NOAUTH HELLO must be called with the client already authenticated")],
      "authentication",
      /HELLO 3/,
    ],
    [
      { protocol: 3, password: "pw" },
      [error("WRONGPASS invalid")],
      "authentication",
      /answered HELLO 3 with: WRONGPASS/,
    ],
    [{ protocol: 3, password: "pw" }, [error("NOPERM no")], "authentication", /NOPERM/],
    [{ protocol: 3 }, [error("NOPERM no")], "handshake", /NOPERM/],
  ]

  for (const [setting, replies, reason, says] of rows) {
    const last = replies[replies.length - 1]
    it(`is "${reason}" for ${inspect(setting, { breakLength: Infinity })} and ${String(last)}`, () => {
      const thrown = failure(setting, replies)
      assert.equal(thrown.reason, reason)
      assert.match(thrown.message, says)
      assert.equal(thrown.cause, last)
    })
  }

  for (const message of [
    "LOADING Redis is loading",
    "MASTERDOWN Link with MASTER is down",
    "NOPERM no PING",
  ]) {
    it(`is as good as an answer to PING: ${message}`, () => {
      assert.equal(answer(handshake(), error(message)), "done")
    })
  }

  for (const message of [
    "ERR unknown subcommand 'SETINFO'. Try CLIENT HELP.",
    "ERR Unknown subcommand or wrong number of arguments for 'SETINFO'",
    "ERR wrong number of arguments for 'client' command",
    "NOPERM this user has no permissions to run the 'client|setinfo' command",
  ]) {
    it(`is ignored of SETINFO: ${message}`, () => {
      const shake = handshake({ database: 1, clientInfo: true })
      assert.equal(answer(shake, "OK"), "wait")
      assert.equal(answer(shake, error(message)), "wait")
      assert.equal(answer(shake, error(message)), "done")
    })

    it(`asks for a PING when nothing but SETINFO was answered: ${message}`, () => {
      const shake = handshake({ clientInfo: true })
      assert.equal(answer(shake, error(message)), "wait")
      assert.equal(answer(shake, error(message)), "write")
      assert.deepEqual(commandsOf(shake), [["PING"]])
      assert.equal(answer(shake, "PONG"), "done")
    })
  }

  it("asks for no PING when one SETINFO was accepted", () => {
    for (const isFirst of [true, false]) {
      const shake = handshake({ clientInfo: true })
      const refused = error("ERR unknown subcommand")
      answer(shake, isFirst ? "OK" : refused)
      assert.equal(answer(shake, isFirst ? refused : "OK"), "done")
    }
  })

  it("is told of the PING after refused SETINFOs as well", () => {
    const refused = error("ERR unknown subcommand")
    const thrown = failure({ clientInfo: true }, [refused, refused, error("NOAUTH Authentication required.")])
    assert.equal(thrown.reason, "authentication")
  })

  it("is a protocol error for a reply too many", () => {
    assert.equal(failure({}, ["PONG", "PONG"]).reason, "protocol-error")
  })
})

describe("a password", () => {
  const setting: Setting = { username: "me", password: "s3cret" }

  it("is in no error of its own", () => {
    for (const protocol of [2, 3] as const) {
      const thrown = failure({ ...setting, protocol }, [error("WRONGPASS invalid")])
      assert.doesNotMatch(inspect(thrown, { depth: 9, showHidden: true }), /s3cret/)
    }
  })

  // Servers list the arguments of a command that they do not know: HELLO before 6.0, or AUTH where it was renamed.
  for (const [protocol, message] of [
    [2, "ERR unknown command `AUTH`, with args beginning with: `me`, `s3cret`, "],
    [3, "ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `me`, `s3cret`, "],
  ] as const) {
    it(`is in no error either when the server repeats it: ${message}`, () => {
      const thrown = failure({ ...setting, protocol }, [error(message)])
      assert.doesNotMatch(inspect(thrown, { depth: 9, showHidden: true }), /s3cret/)
    })
  }
})
