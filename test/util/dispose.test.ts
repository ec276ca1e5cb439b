import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { nameAsyncDispose } from "../../src/util/dispose.ts"

describe("nameAsyncDispose", () => {
  it("leaves a prototype alone where the symbol exists, or the method is missing", () => {
    const prototype = { undefined: (): void => {} }
    nameAsyncDispose(prototype)
    nameAsyncDispose({})
    assert.deepEqual(Reflect.ownKeys(prototype), ["undefined"])
    assert.equal(typeof Symbol.asyncDispose, "symbol")
  })
})
