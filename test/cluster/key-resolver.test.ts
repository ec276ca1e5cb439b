import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { KeyResolver } from "../../src/cluster/key-resolver.ts"
import { ConnectionError, RedisError } from "../../src/errors.ts"

type Reply = unknown

/** A server that says this of commands, and notes what it was asked. */
function server(infos: Record<string, Reply>, getKeys: Reply = null) {
  const asked: string[] = []
  const resolver = new KeyResolver(async (command) => {
    const [, sub, name = ""] = command.map(String)
    asked.push(`${sub} ${name}`)
    const reply = sub === "INFO" ? infos[name] : getKeys
    if (reply instanceof Error) throw reply
    return reply
  })
  return { resolver, asked }
}

/** What COMMAND INFO says of one command, in bytes as it is asked for. */
function info(first: number, last: number, step: number, ...flags: string[]): Reply {
  return [[Buffer.from("x"), -2, flags.map((flag) => Buffer.from(flag)), first, last, step, []]]
}

describe("KeyResolver", () => {
  it("finds keys from the first to the last, every so many", async () => {
    const { resolver } = server({
      ONE: info(1, 1, 1),
      ALL: info(1, -1, 1),
      PAIRS: info(2, -1, 2),
      "BUT.ONE": info(1, -2, 1),
    })
    assert.deepEqual(await resolver.keysOf(["ONE", "a", "b"]), ["a"])
    assert.deepEqual(await resolver.keysOf(["ALL", "a", "b"]), ["a", "b"])
    assert.deepEqual(await resolver.keysOf(["PAIRS", "x", "a", 1, "b", 2]), ["a", "b"])
    assert.deepEqual(await resolver.keysOf(["BUT.ONE", "a", "b", "c"]), ["a", "b"])
  })

  it("finds none beyond the end of a short command", async () => {
    const { resolver } = server({ ONE: info(1, 1, 1), FAR: info(3, -1, 1), BACK: info(1, -4, 1) })
    assert.deepEqual(await resolver.keysOf(["ONE"]), [])
    assert.deepEqual(await resolver.keysOf(["FAR", "a"]), [])
    assert.deepEqual(await resolver.keysOf(["BACK", "a"]), [])
  })

  it("does not turn in circles on a step of 0", async () => {
    const { resolver } = server({ ODD: info(1, 2, 0) })
    assert.deepEqual(await resolver.keysOf(["ODD", "a", "b", "c"]), ["a", "b"])
  })

  it("asks once for a name, in any spelling, as text or bytes", async () => {
    const { resolver, asked } = server({ "MY.SET": info(1, 1, 1) })
    for (const name of ["my.set", "MY.SET", "My.Set", Buffer.from("my.set")])
      assert.deepEqual(await resolver.keysOf([name, "k"]), ["k"])
    assert.deepEqual(asked, ["INFO MY.SET"])
  })

  it("asks for the keys of each command where they move about", async () => {
    const { resolver, asked } = server({ "MY.EVAL": info(0, 0, 0, "movablekeys") }, [Buffer.from("k")])
    assert.deepEqual(await resolver.keysOf(["MY.EVAL", 1, "k"]), [Buffer.from("k")])
    await resolver.keysOf(["my.eval", 1, "k"])
    assert.deepEqual(asked, ["INFO MY.EVAL", "GETKEYS MY.EVAL", "GETKEYS my.eval"])
  })

  it("takes a command that the server does not know either for one without keys, and remembers that", async () => {
    const { resolver, asked } = server({ "NO.SUCH": [null] })
    assert.deepEqual(await resolver.keysOf(["NO.SUCH", "k"]), [])
    assert.deepEqual(await resolver.keysOf(["NO.SUCH", "k"]), [])
    assert.deepEqual(asked, ["INFO NO.SUCH"])
  })

  it("forgets when it is told to what the server did not know, and nothing else", async () => {
    const infos: Record<string, Reply> = {
      "MY.SET": [null],
      "MY.GET": info(1, 1, 1),
      "MY.PING": info(0, 0, 0),
    }
    const { resolver, asked } = server(infos)
    for (const name of Object.keys(infos)) await resolver.keysOf([name, "k"])
    infos["MY.SET"] = info(1, 1, 1)
    resolver.forgetUnknown()
    assert.deepEqual(await resolver.keysOf(["MY.SET", "k"]), ["k"])
    assert.deepEqual(await resolver.keysOf(["MY.GET", "k"]), ["k"])
    assert.deepEqual(await resolver.keysOf(["MY.PING", "k"]), [])
    assert.deepEqual(asked, ["INFO MY.SET", "INFO MY.GET", "INFO MY.PING", "INFO MY.SET"])
  })

  it("takes an error and nonsense for no keys, and asks again the next time", async () => {
    for (const reply of [new RedisError("NOPERM x"), "OK", [], [[]], [["x", 2, [], "1", 1, 1]]]) {
      const { resolver, asked } = server({ ODD: reply })
      assert.deepEqual(await resolver.keysOf(["ODD", "k"]), [])
      assert.deepEqual(await resolver.keysOf(["ODD", "k"]), [])
      assert.equal(asked.length, 2)
    }
  })

  it("takes a command whose keys the server cannot find for one without", async () => {
    const refusal = new RedisError("ERR The command has no key arguments")
    const { resolver } = server({ MOVES: info(0, 0, 0, "movablekeys") }, refusal)
    assert.deepEqual(await resolver.keysOf(["MOVES", "k"]), [])
  })

  it("rejects where the server could not be asked", async () => {
    const lost = new ConnectionError("disconnected", "x")
    const { resolver } = server({ LOST: lost })
    await assert.rejects(resolver.keysOf(["LOST", "k"]), (error) => error === lost)
  })

  it("does not remember without end what users make up", async () => {
    const { resolver, asked } = server(
      Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`X${index}`, info(1, 1, 1)])),
    )
    for (let index = 0; index < 3000; index++) await resolver.keysOf([`x${index}`, "k"])
    assert.equal(asked.length, 3000)
    await resolver.keysOf(["X0", "k"])
    assert.equal(asked.length, 3000)
    await resolver.keysOf(["X2999", "k"])
    assert.equal(asked.length, 3001)
  })

  it("does not remember without end either what the server does not know", async () => {
    const { resolver, asked } = server(
      Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`X${index}`, [null]])),
    )
    for (let index = 0; index < 3000; index++) await resolver.keysOf([`x${index}`, "k"])
    await resolver.keysOf(["X0", "k"])
    assert.equal(asked.length, 3000)
    await resolver.keysOf(["X2999", "k"])
    assert.equal(asked.length, 3001)
  })
})
