/** JSON of whatever a server may reply: valid, harmless, and with everything in it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { json } from "../../src/cli/print.ts"
import { quote } from "../../src/cli/quote.ts"
import { statementsOf } from "../../src/cli/words.ts"
import { ConnectionError, RedisError } from "../../src/index.ts"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import { run } from "./run.ts"

const scalar = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    -0,
    1e300,
    5e-324,
  ),
  fc.integer(),
  fc.bigInt(),
  fc.string({ unit: "binary" }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.string().map((message) => new RedisError(`ERR ${message}`)),
  fc.string().map((message) => new ConnectionError("disconnected", message)),
)
const { reply } = fc.letrec<{ reply: unknown }>((tie) => ({
  reply: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("reply"), { maxLength: 4 }),
    fc.array(tie("reply"), { maxLength: 4 }).map((items) => new Set(items)),
    fc.array(fc.tuple(tie("reply"), tie("reply")), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
}))

describe("--json", () => {
  test("is one valid value, in which nothing does anything to a terminal", () => {
    fc.assert(
      fc.property(reply, (value) => {
        const line = json(value)
        JSON.parse(line)
        assert.doesNotMatch(line, /\p{Cc}|\p{Cf}/u)
        assert.deepEqual(JSON.parse(json(value, 2)), JSON.parse(line))
      }),
      { numRuns: 2000 },
    )
  })

  test("keeps digits, bytes, and keys that are no text", () => {
    const value = new Map<unknown, unknown>([
      [1n, 123456789012345678901234567890n],
      [Buffer.from([0xff]), Buffer.from([0xff])],
      [Buffer.from([0xfe]), Number.NaN],
      [[1, "a"], Number.NEGATIVE_INFINITY],
      [null, new RedisError("ERR inside")],
    ])
    assert.equal(
      json(value),
      '{"1":123456789012345678901234567890,"\\"\\\\xff\\"":{"base64":"/w=="},"\\"\\\\xfe\\"":"nan","[1,\\"a\\"]":"-inf","null":{"error":"ERR inside"}}',
    )
  })

  test("is that of every type of RESP3, from the server to the line", async () => {
    const wire =
      "%2\r\n+a\r\n*6\r\n:9223372036854775807\r\n(3492890328409238509324850943850943825024385\r\n,inf\r\n,nan\r\n#t\r\n_\r\n+b\r\n~2\r\n=5\r\ntxt:x\r\n-ERR inside\r\n"
    await using fake = await FakeServer.start((connection) => {
      connection.onCommand = (command) => (command[0] === "TYPES" ? wire : handshake(command))
    })
    const { code, stdout, stderr } = await run(["--url", fake.url, "--json", "TYPES"])
    assert.equal(code, 0, stderr)
    assert.equal(
      stdout,
      '{"a":[9223372036854775807,3492890328409238509324850943850943825024385,"inf","nan",true,null],"b":["x",{"error":"ERR inside"}]}\n',
    )
  })
})

describe("text in quotes", () => {
  test("is read back as it was, also where it is long", () => {
    for (const unit of ["😀\r\n", '\u009b\\"', "a\u0301"]) {
      const text = `x${unit.repeat(1_100_000 / unit.length)}`
      const [statement] = statementsOf(quote(text))
      assert.ok(statement?.words[0]?.equals(Buffer.from(text)), unit)
    }
    const bytes = Buffer.alloc(3_000_001, 0xff)
    assert.ok(statementsOf(quote(bytes))[0]?.words[0]?.equals(bytes))
  })
})
