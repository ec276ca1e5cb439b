import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { inspect } from "node:util"
import { ConnectionError, nameError, RedisError, RedixError, withoutStack } from "../src/errors.ts"

/** The same module once more, as an application has it that loads both builds. */
async function otherCopy(): Promise<typeof import("../src/errors.ts")> {
  const address = new URL("../src/errors.ts?copy", import.meta.url).href
  return await import(address)
}

describe("RedisError", () => {
  const rows: readonly (readonly [message: string, code: string])[] = [
    ["ERR unknown command 'NOPE'", "ERR"],
    ["WRONGTYPE Operation against a key", "WRONGTYPE"],
    ["MOVED 3999 127.0.0.1:6381", "MOVED"],
    ["NOAUTH", "NOAUTH"],
    ["", ""],
    [" leading", ""],
    ["ERR\tno", "ERR\tno"],
  ]
  for (const [message, code] of rows) {
    it(`has the first word for its code: ${JSON.stringify(message)}`, () => {
      const error = new RedisError(message)
      assert.deepEqual([error.message, error.code, error.command], [message, code, undefined])
    })
  }

  it("has a name, a command and a cause", () => {
    const cause = new RedisError("ERR first")
    const error = new RedisError("EXECABORT no", "EXEC", { cause })
    assert.deepEqual([error.name, error.command, error.cause], ["RedisError", "EXEC", cause])
    assert.equal(String(error), "RedisError: EXECABORT no")
    assert.ok(!("cause" in new RedisError("ERR")))
  })
})

describe("ConnectionError", () => {
  it("is not sent, not final and without an address unless it says so", () => {
    const error = new ConnectionError("closed", "no connection")
    const { name, reason, message, outcome, final, address } = error
    assert.deepEqual(
      { name, reason, message, outcome, final, address },
      {
        name: "ConnectionError",
        reason: "closed",
        message: "no connection",
        outcome: "not-sent",
        final: false,
        address: undefined,
      },
    )
    assert.ok(!("cause" in error))
  })

  it("says what it was given", () => {
    const cause = new Error("ECONNRESET")
    const error = new ConnectionError("disconnected", "lost", {
      cause,
      address: "[::1]:6379",
      outcome: "unknown",
      final: true,
    })
    assert.deepEqual(
      [error.cause, error.address, error.outcome, error.final],
      [cause, "[::1]:6379", "unknown", true],
    )
  })

  it("is printed with its name and its message", () => {
    assert.match(inspect(new ConnectionError("timeout", "no reply")), /^ConnectionError: no reply/)
  })
})

describe("instanceof", () => {
  class OwnError extends RedisError {}

  const rows: readonly (readonly [
    what: string,
    value: unknown,
    kinds: readonly [boolean, boolean, boolean],
  ])[] = [
    ["a RedixError", new RedixError("x"), [true, false, false]],
    ["a RedisError", new RedisError("x"), [true, true, false]],
    ["a ConnectionError", new ConnectionError("closed", "x"), [true, false, true]],
    ["a subclass of a user's own", new OwnError("x"), [true, true, false]],
    ["an Error", new Error("x"), [false, false, false]],
    ["an object with the name", { name: "RedisError" }, [false, false, false]],
    ["null", null, [false, false, false]],
    ["undefined", undefined, [false, false, false]],
    ["a string", "RedisError", [false, false, false]],
  ]
  for (const [what, value, kinds] of rows) {
    it(`tells what ${what} is`, () => {
      assert.deepEqual(
        [value instanceof RedixError, value instanceof RedisError, value instanceof ConnectionError],
        kinds,
      )
    })
  }

  it("means a subclass of a user's own as usual", () => {
    assert.ok(new OwnError("x") instanceof OwnError)
    assert.ok(!(new RedisError("x") instanceof OwnError))
    assert.ok(new OwnError("x") instanceof Error)
  })

  it("holds for the errors of another copy of the package, in both directions", async () => {
    const other = await otherCopy()
    assert.notEqual(other.RedisError, RedisError)
    const [here, there] = [new RedisError("ERR"), new other.RedisError("ERR")]
    assert.ok(
      there instanceof RedisError && there instanceof RedixError && !(there instanceof ConnectionError),
    )
    assert.ok(here instanceof other.RedisError && here instanceof other.RedixError)
    assert.ok(new other.ConnectionError("closed", "x") instanceof ConnectionError)
    assert.ok(!(there instanceof OwnError))
  })
})

describe("nameError", () => {
  it("gives an error reply the name of its command", () => {
    const error = new RedisError("ERR no")
    assert.equal(nameError(error, "GET"), error)
    assert.equal(error.command, "GET")
    assert.equal(nameError(error, undefined).command, undefined)
  })

  it("takes nothing else", () => {
    for (const value of ["ERR", null, new Error("ERR")])
      assert.throws(() => nameError(value, "GET"), TypeError)
  })
})

describe("withoutStack", () => {
  it("makes an error without frames, and those after it with", () => {
    const error = withoutStack(() => new RedisError("ERR no"))
    assert.doesNotMatch(String(error.stack), /\n\s+at /)
    assert.match(String(new RedisError("ERR no").stack), /\n\s+at /)
  })

  it("restores the limit also when the making throws", () => {
    const limit = Error.stackTraceLimit
    assert.throws(() =>
      withoutStack(() => {
        throw new Error("no")
      }),
    )
    assert.equal(Error.stackTraceLimit, limit)
  })
})
