import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { ConnectionError, RedisError } from "../src/errors.ts"
import { unwrap } from "../src/unwrap.ts"

describe("unwrap", () => {
  it("gives the same replies when there is no error among them", () => {
    for (const replies of [
      [],
      ["OK", 1, null],
      [[new RedisError("ERR inside")]],
      [new Error("no reply of ours")],
    ]) {
      assert.equal(unwrap(replies), replies)
    }
  })

  it("leaves null alone, a transaction that was not run", () => assert.equal(unwrap(null), null))

  it("throws the first of the errors", () => {
    const [first, second] = [new RedisError("ERR first"), new RedisError("ERR second")]
    assert.throws(
      () => unwrap([1, first, null, second]),
      (error) => error === first,
    )
    const lost = new ConnectionError("disconnected", "lost")
    assert.throws(
      () => unwrap([lost, first]),
      (error) => error === lost,
    )
  })
})
