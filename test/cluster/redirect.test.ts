import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { redirectionOf, suggestsRefresh } from "../../src/cluster/redirect.ts"
import { ConnectionError, RedisError } from "../../src/errors.ts"

const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
const port = fc.integer({ min: 1, max: 65_535 })
const slot = fc.integer({ min: 0, max: 16_383 })

function redirection(message: string): ReturnType<typeof redirectionOf> {
  return redirectionOf(new RedisError(message))
}

describe("redirectionOf", () => {
  it("reads MOVED and ASK, with any host and port", () => {
    fc.assert(
      fc.property(fc.constantFrom("MOVED", "ASK"), slot, host, port, (word, at, to, number) => {
        assert.deepEqual(redirection(`${word} ${at} ${to}:${number}`), {
          kind: word.toLowerCase(),
          slot: at,
          to: { host: to, port: number },
        })
      }),
    )
  })

  it("has an empty host for that of the node that said so", () => {
    for (const text of ["MOVED 1 :6381", "MOVED 1 ?:6381"])
      assert.deepEqual(redirection(text), { kind: "moved", slot: 1, to: { host: "", port: 6381 } })
  })

  it("reads TRYAGAIN", () => {
    assert.deepEqual(redirection("TRYAGAIN Multiple keys request during rehashing of slot"), {
      kind: "try-again",
    })
  })

  it("follows nothing that makes no sense", () => {
    for (const text of [
      "MOVED",
      "MOVED 1",
      "MOVED 1 localhost",
      "MOVED 1 localhost:",
      "MOVED 1 localhost:0",
      "MOVED 1 localhost:65536",
      "MOVED 1 localhost:6379x",
      "MOVED 1 local host:6379",
      "MOVED 1 localhost:6379 ",
      "MOVED -1 localhost:6379",
      "MOVED 16384 localhost:6379",
      "MOVED 1.5 localhost:6379",
      "MOVED x localhost:6379",
      "ASK 1 localhost:6379\nMOVED 2 localhost:6380",
      "ERR MOVED 1 localhost:6379",
      "moved 1 localhost:6379",
    ])
      assert.equal(redirection(text), undefined, text)
  })

  it("never throws, and only gives what can be connected to", () => {
    fc.assert(
      fc.property(fc.constantFrom("MOVED ", "ASK ", "", "MOVED 1 "), fc.string(), (start, rest) => {
        const found = redirection(start + rest)
        if (found === undefined || found.kind === "try-again") return
        assert.ok(found.slot >= 0 && found.slot < 16_384)
        assert.ok(found.to.port >= 1 && found.to.port <= 65_535)
        assert.doesNotMatch(found.to.host, /\s/)
      }),
    )
  })

  it("is for error replies only", () => {
    for (const reply of [
      "MOVED 1 localhost:6379",
      new Error("MOVED 1 a:1"),
      new ConnectionError("closed", "x"),
      null,
    ])
      assert.equal(redirectionOf(reply), undefined)
  })
})

describe("suggestsRefresh", () => {
  it("is true of a cluster that is down and a node that is not filled, and of nothing else", () => {
    assert.equal(suggestsRefresh(new RedisError("CLUSTERDOWN Hash slot not served")), true)
    assert.equal(suggestsRefresh(new RedisError("LOADING Redis is loading the dataset in memory")), true)
    for (const other of [
      new RedisError("MASTERDOWN x"),
      new RedisError("ERR CLUSTERDOWN"),
      "CLUSTERDOWN",
      undefined,
    ])
      assert.equal(suggestsRefresh(other), false)
  })
})
