/** A command's opening and the rest are the same bytes as the whole of it, and nobody else's opening is ever sent. */
import assert from "node:assert/strict"
import { describe, it, test } from "node:test"
import fc from "fast-check"
import { openCommand, openCommandOf, opening, takeOpening } from "../../src/cluster/opening.ts"
import { slotOfCommand, UNKNOWN } from "../../src/cluster/routing.ts"
import { commandInfo } from "../../src/protocol/command-info.ts"
import { commandChecker, Encoder } from "../../src/protocol/encode.ts"
import type { Argument } from "../../src/protocol/types.ts"
import { BLOCK_SIZE } from "../../src/util/bytes.ts"
import { slotOf as slotBitByBit } from "../../support/slots.ts"
import { ask, type FakeNode, keyA, keyB, moved, scripted, slotA, spelled } from "../contract/cluster/setup.ts"
import { argument, naiveEncoding } from "../protocol/naive-encoder.ts"

type Command = readonly unknown[]

/** The slot as the opening has it. */
function open(command: Command): number {
  return openCommand(command[0], command, commandInfo(command[0]))
}

/** Encodes commands as a cluster does: by their opening where they have one. */
function encodeAll(encoder: Encoder, commands: readonly Command[]): number[] {
  return commands.map((command) => {
    const slot = open(command)
    if (slot === UNKNOWN) encoder.command(command)
    else encoder.opened(opening, command)
    return slot
  })
}

function taken(encoder: Encoder): Buffer {
  const { size } = encoder
  const bytes = Buffer.concat(encoder.take())
  encoder.recycle()
  assert.equal(bytes.length, size)
  return bytes
}

function forgetReceived(...nodes: readonly FakeNode[]): void {
  for (const { received } of nodes) received.length = 0
}

/** An array that calls back when the element is read the first time. */
function calling<T>(elements: readonly T[], index: number, callback: () => void): T[] {
  const array = [...elements]
  const value = array[index]
  let hasCalled = false
  Object.defineProperty(array, index, {
    enumerable: true,
    configurable: true,
    get() {
      if (!hasCalled) {
        hasCalled = true
        callback()
      }
      return value
    },
  })
  return array
}

const name = fc.constantFrom("GET", "get", "Get", "SET", "EXPIRE", "DEL", "MGET", "HSET", "ZADD", "GETRANGE")
const unit = fc.constantFrom(
  "{",
  "}",
  "a",
  "b",
  "{}",
  "\0",
  "\x7f",
  "\r\n",
  "é",
  "漢",
  "😀",
  "\ud83d",
  "\u0080",
)
const key = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit, maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ minLength: 0, maxLength: 40 }) },
  fc.constantFrom(0, 1, 9, 10, 19, 20, 29, 30, 31, 32, 33, 99, 100).map((length) => "\x7f".repeat(length)),
  fc.string({ unit: "binary", maxLength: 40 }),
)
const rest = fc.oneof(
  { weight: 5, arbitrary: fc.array(fc.oneof(fc.string({ maxLength: 40 }), argument), { maxLength: 4 }) },
  fc.constantFrom(7, 8, 9, 96, 97, 98, 99, 120).map((length) => new Array<Argument>(length).fill("x")),
)
const usual = fc
  .tuple(name, key, rest)
  .map(([first, second, others]): Argument[] => [first, second, ...others])
const odd = fc.oneof(
  fc.tuple(name).map((words): Argument[] => [...words]),
  fc.tuple(name, argument).map((words): Argument[] => [...words]),
  fc.tuple(name, key).map(([first, second]): Argument[] => [Buffer.from(first), second]),
  fc.constantFrom<Argument[]>(["PING"], ["EVAL", "x", 1, "k"], ["OBJECT", "ENCODING", "k"], ["NOSUCH", "k"]),
)
const commands = fc.array(fc.oneof({ weight: 6, arbitrary: usual }, odd), { minLength: 1, maxLength: 12 })

describe("openCommand", () => {
  it("and what follows are the bytes of the plainest encoder, and the slot is that of the key", () => {
    fc.assert(
      fc.property(commands, fc.nat({ max: 200 }), (all, filled) => {
        const encoder = new Encoder()
        // The end of a block may come anywhere.
        const filler = ["SET", "k", Buffer.alloc(BLOCK_SIZE - 400 + filled, "f").toString("latin1")]
        const before = filled < 3 ? [] : [filler]
        for (const each of before) encoder.command(each)
        const slots = encodeAll(encoder, all)
        const bytes = taken(encoder)
        assert.ok(bytes.equals(Buffer.concat([...before, ...all].map(naiveEncoding))), "bytes")
        for (const [place, slot] of slots.entries()) {
          const command = all[place] ?? []
          if (slot === UNKNOWN) continue
          assert.equal(slot, slotBitByBit(String(command[1])))
          assert.equal(slot, slotOfCommand(command))
        }
      }),
      { numRuns: 500 },
    )
  })

  it("opens every usual command, and no other", () => {
    const of = (...command: Argument[]) => open(command) !== UNKNOWN
    assert.ok(of("GET", ""))
    assert.ok(of("get", "k".repeat(32)))
    assert.ok(of("SET", "k", new Uint8Array(3)))
    assert.ok(of("DEL", ...new Array<string>(98).fill("k")))
    assert.ok(!of("GET", "k".repeat(33)))
    assert.ok(!of("DEL", ...new Array<string>(99).fill("k")))
    assert.ok(!of("GET"))
    assert.ok(!of("GET", "é"))
    assert.ok(!of("GET", 1))
    assert.ok(!of("GET", Buffer.from("k")))
    assert.ok(!of(Buffer.from("GET"), "k"))
    assert.ok(!of("BLPOP", "k", 0))
    assert.ok(!of("PING", "k"))
  })

  it("copies bytes as numbers, of which none is changed: not even where they are nearly no number", () => {
    for (let length = 0; length <= 32; length++) {
      const encoder = new Encoder()
      const command = ["GET", "\x7f".repeat(length)]
      encodeAll(encoder, [command])
      assert.ok(taken(encoder).equals(naiveEncoding(command)))
    }
  })

  it("goes by the length of the array, whatever lies beyond", () => {
    const short = Object.assign(["GET"], {})
    Object.setPrototypeOf(short, Object.create(Array.prototype, { 1: { value: "k" } }))
    assert.equal(short.length, 1)
    assert.equal(short[1], "k")
    const encoder = new Encoder()
    encodeAll(encoder, [short])
    assert.equal(taken(encoder).toString(), "*1\r\n$3\r\nGET\r\n")
  })

  it("leaves nothing when an argument that follows is none, also over the end of a block", () => {
    for (const misuse of [undefined, null, Number.NaN, {}, [], true]) {
      for (let left = 0; left < 160; left += 5) {
        const encoder = new Encoder()
        encoder.command(["SET", "k", "x".repeat(4000)])
        while (encoder.size < BLOCK_SIZE - 200 - left) encoder.command(["GET", "filler"])
        const { size } = encoder
        const command = ["SET", "k".repeat(32), misuse]
        assert.notEqual(open(command), UNKNOWN)
        assert.throws(
          () => encoder.opened(opening, command),
          (error) =>
            error instanceof TypeError && error.message.startsWith("command SET: argument 2 must be"),
        )
        encoder.rewind(size)
        encodeAll(encoder, [["GET", "after"]])
        const bytes = taken(encoder)
        assert.equal(bytes.length, size + naiveEncoding(["GET", "after"]).length)
        assert.ok(bytes.subarray(size).equals(naiveEncoding(["GET", "after"])))
      }
    }
  })

  it("is not mixed with that of a call from within the reading of the array", () => {
    for (const index of [0, 1]) {
      const command = calling(["SET", "outer", "v"], index, () => open(["APPEND", "inner", "w"]))
      const encoder = new Encoder()
      encodeAll(encoder, [command])
      assert.equal(taken(encoder).toString(), naiveEncoding(["SET", "outer", "v"]).toString())
    }
    const proxy = new Proxy(["SET", "outer", "v"], {
      get(target, property, receiver) {
        if (property === "length") open(["APPEND", "inner"])
        return Reflect.get(target, property, receiver)
      },
    })
    const encoder = new Encoder()
    encodeAll(encoder, [proxy])
    assert.equal(taken(encoder).toString(), naiveEncoding(["SET", "outer", "v"]).toString())
  })

  it("keeps no name for others that was another one when it was looked up", () => {
    const info = commandInfo("GET")
    const command = ["GET", "k"]
    let reads = 0
    Object.defineProperty(command, 0, { get: () => (reads++ === 0 ? "GET" : "DEL") })
    open(command)
    const encoder = new Encoder()
    encodeAll(encoder, [["GET", "mine"]])
    assert.equal(commandInfo("GET"), info)
    assert.equal(taken(encoder).toString(), naiveEncoding(["GET", "mine"]).toString())
  })
})

describe("takeOpening", () => {
  const [one, other] = [{}, {}]
  const openOf = (request: object, command: Command): number =>
    openCommandOf(request, command[0], command, commandInfo(command[0]))

  it("gives it once, and only to whom it is for", () => {
    openOf(one, ["GET", "k"])
    assert.equal(takeOpening(other), undefined)
    assert.equal(takeOpening(one), opening)
    assert.equal(takeOpening(one), undefined)
  })

  it("gives none that was written over, or that there was not", () => {
    openOf(one, ["GET", "k"])
    openOf(other, ["SET", "k", "v"])
    assert.equal(takeOpening(one), undefined)
    openOf(one, ["GET", "k"])
    openOf(other, ["PING"])
    assert.equal(takeOpening(one), undefined)
    assert.equal(takeOpening(other), undefined)
    openOf(one, ["GET", "k"])
    open(["GET", "of a pipeline"])
    assert.equal(takeOpening(one), undefined)
  })

  it("serves those who only check", () => {
    openOf(one, ["SET", "k", "v"])
    commandChecker.opened(opening, ["SET", "k", "v"])
    assert.throws(() => commandChecker.opened(opening, ["SET", "k", {}]), TypeError)
  })
})

test("a call from within the reading of a command: both are sent as they are", async (t) => {
  const { cluster, a, b } = await scripted(t)
  for (const index of [0, 1]) {
    let inner: Promise<unknown> = Promise.resolve()
    const command = calling(["SET", keyA("outer"), "v"], index, () => {
      inner = cluster.command(["APPEND", keyB("inner"), "w"])
    })
    await Promise.all([cluster.command(command), inner])
  }
  assert.deepEqual(new Set(spelled(a.commands)), new Set([`SET ${keyA("outer")} v`]))
  assert.deepEqual(new Set(spelled(b.commands)), new Set([`APPEND ${keyB("inner")} w`]))
})

test("misuse after the key: nothing is sent, and the next command is not touched", async (t) => {
  const { cluster, a } = await scripted(t)
  for (const misuse of [undefined, Number.NaN, {}]) {
    const next = assert.rejects(
      cluster.command(["SET", keyA(), misuse as string]),
      (error) => error instanceof TypeError && error.message.startsWith("command SET: argument 2 must be"),
    )
    await Promise.all([next, cluster.command(["GET", keyA()])])
  }
  assert.deepEqual(new Set(spelled(a.commands)), new Set([`GET ${keyA()}`]))
})

test("the caller may use the array again at once, also where the command is sent on", async (t) => {
  const { cluster, a, b } = await scripted(t)
  a.script = ([word]) => (word === "SET" ? moved(slotA, b) : undefined)
  const command: string[] = ["SET", keyA(), "first"]
  const sent = cluster.command(command)
  command[0] = "DEL"
  command[1] = keyB()
  command.length = 2
  await sent
  assert.deepEqual(spelled(b.commands), [`SET ${keyA()} first`])
})

test("an element that is another one each time it is read: what was sent is what is sent on", async (t) => {
  const { cluster, a, b } = await scripted(t)
  a.script = ([word]) => (word === "SET" ? ask(slotA, b) : undefined)
  for (const index of [2, 3]) {
    const command = ["SET", keyA(), "v", "NX"] as [string, string, string, string]
    let reads = 0
    Object.defineProperty(command, index, { get: () => keyA(`${reads++}`) })
    await cluster.command(command)
    assert.equal(a.commands.length, 1)
    assert.deepEqual(b.commands, [["ASKING"], ...a.commands])
    forgetReceived(a, b)
  }
})

test("a call from within the reading of any element, to the same node: it goes first", async (t) => {
  const { cluster, a } = await scripted(t)
  for (const index of [0, 1, 2, 3]) {
    let inner: Promise<unknown> = Promise.resolve()
    const command = calling(["SET", keyA("outer"), "v", "NX"], index, () => {
      inner = cluster.command(["APPEND", keyA("inner"), "w"])
    })
    await Promise.all([cluster.command(command as [string, ...string[]]), inner])
    assert.deepEqual(spelled(a.commands), [`APPEND ${keyA("inner")} w`, `SET ${keyA("outer")} v NX`])
    forgetReceived(a)
  }
})

test("a cluster that refuses: the error names the command, and its opening is nobody else's", async (t) => {
  const { cluster, a } = await scripted(t, { maxInFlight: 1 })
  a.script = ([word]) => (word === "GET" ? "" : undefined)
  const held = cluster.safe.command(["GET", keyA()])
  const refused = cluster.command(["SET", keyA(), "v"])
  await assert.rejects(refused, { name: "ConnectionError", reason: "overloaded" })
  await assert.rejects(cluster.command(["SET", keyA(), {} as string]), TypeError)
  await a.nextCommand("GET")
  cluster.destroy()
  await held
  await assert.rejects(cluster.command(["SET", keyA(), "v"]), { reason: "closed" })
  await assert.rejects(cluster.command(["SET", keyA(), {} as string]), TypeError)
  assert.deepEqual(spelled(a.commands), [`GET ${keyA()}`])
})
