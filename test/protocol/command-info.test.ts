/** The facts of single commands, however their names and arguments are spelled. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { argumentText, commandInfo, type SessionEffectKind } from "../../src/protocol/command-info.ts"

/** The same command as people may write it: any case, and as bytes. */
function spellings(command: readonly unknown[]): ReadonlyArray<readonly unknown[]> {
  const each = (change: (text: string) => unknown): readonly unknown[] =>
    command.map((argument) => (typeof argument === "string" ? change(argument) : argument))
  const mixed = (text: string): string =>
    Array.from(text, (letter, index) => (index % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())).join(
      "",
    )
  return [
    command,
    each((text) => text.toLowerCase()),
    each(mixed),
    each((text) => Buffer.from(text.toLowerCase())),
    each((text) => new Uint8Array(Buffer.from(text))),
  ]
}

const refusalOf = (command: readonly unknown[]): string | undefined =>
  commandInfo(command[0]).special?.refusal?.(command)
const blockMsOf = (command: readonly unknown[]): number =>
  commandInfo(command[0]).special?.blockMs?.(command) ?? 0
const effectOf = (command: readonly unknown[]): SessionEffectKind | undefined =>
  commandInfo(command[0]).special?.sessionEffect?.(command)

describe("commandInfo", () => {
  it("knows a command by its name in capitals, in any spelling and as often as it is asked", () => {
    for (let round = 0; round < 2; round++) {
      for (const [name] of spellings(["BLPOP"])) {
        assert.equal(commandInfo(name).name, "BLPOP")
        assert.ok(commandInfo(name).special !== undefined)
      }
    }
  })

  it("knows nothing special of the usual commands", () => {
    for (const name of [
      "GET",
      "set",
      "JSON.SET",
      "NEWCOMMAND",
      "",
      "é",
      "CLIENTS",
      "constructor",
      "__proto__",
    ]) {
      assert.equal(commandInfo(name).special, undefined)
      assert.equal(commandInfo(name).name, name === "é" ? name : name.toUpperCase())
    }
  })

  it("takes anything for a name, which the encoder refuses later", () => {
    assert.equal(commandInfo(12).name, "12")
    assert.equal(commandInfo(12n).name, "12")
    for (const name of [undefined, null, {}, [], true, Symbol("x")]) assert.equal(commandInfo(name).name, "")
  })

  it("still knows commands after thousands of names were made up", () => {
    for (let index = 0; index < 3000; index++) commandInfo(`made-up-${index}`)
    assert.equal(commandInfo("subscribe").name, "SUBSCRIBE")
    assert.equal(commandInfo("sUbScRiBe").special?.refusal?.(["sUbScRiBe"]) !== undefined, true)
    assert.equal(commandInfo("one-more").name, "ONE-MORE")
  })
})

describe("a refusal", () => {
  const refused: readonly (readonly [command: readonly string[], instead: RegExp])[] = [
    [["SUBSCRIBE", "a"], /use PubSub/],
    [["PSUBSCRIBE", "a"], /use PubSub/],
    [["SSUBSCRIBE", "a"], /use PubSub/],
    [["UNSUBSCRIBE", "a"], /use PubSub/],
    [["PUNSUBSCRIBE", "a"], /use PubSub/],
    [["SUNSUBSCRIBE", "a"], /use PubSub/],
    [["SUBSCRIBE"], /use PubSub/],
    [["MONITOR"], /use redis-cli/],
    [["HELLO", "3"], /use the option "protocol"/],
    [["RESET"], /use a new connection \(duplicate\)/],
    [["SYNC"], /open a socket of your own/],
    [["PSYNC", "?", "-1"], /open a socket of your own/],
    [["REPLCONF", "ACK", "0"], /open a socket of your own/],
    [["CLIENT", "REPLY", "OFF"], /use noreplyCommand or noreplyPipeline/],
    [["CLIENT", "REPLY"], /use noreplyCommand or noreplyPipeline/],
  ]

  for (const [command, instead] of refused) {
    it(`names what to use instead of ${command.join(" ")}, in any spelling`, () => {
      for (const spelling of spellings(command)) assert.match(refusalOf(spelling) ?? "", instead)
    })
  }

  it("is for no other command", () => {
    for (const command of [
      ["GET", "SUBSCRIBE"],
      ["CLIENT"],
      ["CLIENT", "ID"],
      ["CLIENT", "REPLYX"],
      ["CLIENT", "KILL", "REPLY"],
      ["CLIENT", "SETNAME", "reply"],
      ["PUBSUB", "CHANNELS"],
      ["PUBLISH", "a", "b"],
      [" SUBSCRIBE", "a"],
      ["SUBSCRIBE\0", "a"],
      ["BLPOP", "a", "0"],
      ["MULTI"],
      ["AUTH", "x"],
      ["SELECT", "1"],
      ["QUIT"],
    ]) {
      for (const spelling of spellings(command))
        assert.equal(refusalOf(spelling), undefined, command.join(" "))
    }
  })
})

describe("a block time", () => {
  const rows: readonly (readonly [command: readonly unknown[], ms: number])[] = [
    [["BLPOP", "a", "b", "5"], 5000],
    [["BLPOP", "a", 5], 5000],
    [["BLPOP", "a", 5n], 5000],
    [["BLPOP", "a", Buffer.from("5")], 5000],
    [["BLPOP", "a", "0.25"], 250],
    [["BLPOP", "a", 0], Infinity],
    [["BLPOP", "a", "0"], Infinity],
    [["BLPOP", "a", "0.0"], Infinity],
    [["BLPOP", "a", -1], 0],
    [["BLPOP", "a", "soon"], 0],
    [["BLPOP", "a", ""], 0],
    [["BLPOP", "a", " "], 0],
    [["BLPOP", "a", undefined], 0],
    [["BLPOP", "a", Number.NaN], 0],
    [["BLPOP"], 0],
    [["BRPOP", "a", 1], 1000],
    [["BRPOPLPUSH", "a", "b", 2], 2000],
    [["BLMOVE", "a", "b", "LEFT", "RIGHT", 3], 3000],
    [["BZPOPMIN", "a", 4], 4000],
    [["BZPOPMAX", "a", 0], Infinity],
    [["BLMPOP", 1.5, 2, "a", "b", "LEFT", "COUNT", 10], 1500],
    [["BLMPOP", "0", 1, "a", "LEFT"], Infinity],
    [["BZMPOP", 7, 1, "a", "MIN"], 7000],
    [["WAIT", 1, 100], 100],
    [["WAIT", 1, 0], Infinity],
    [["WAIT", 1], 0],
    [["WAITAOF", 1, 0, 250], 250],
    [["WAITAOF", 1, 0, 0], Infinity],
    [["XREAD", "BLOCK", 300, "STREAMS", "s", "$"], 300],
    [["XREAD", "COUNT", 2, "BLOCK", "300", "STREAMS", "s", "$"], 300],
    [["XREAD", "BLOCK", 0, "STREAMS", "s", "$"], Infinity],
    [["XREAD", "COUNT", 2, "STREAMS", "s", "$"], 0],
    [["XREAD", "STREAMS", "BLOCK", "5", "0", "0"], 0],
    [["XREAD", "BLOCK"], 0],
    [["XREADGROUP", "GROUP", "g", "c", "BLOCK", 40, "STREAMS", "s", ">"], 40],
    [["XREADGROUP", "GROUP", "BLOCK", "STREAMS", "COUNT", 1, "BLOCK", 60, "STREAMS", "s", ">"], 60],
    [["XREADGROUP", "GROUP", "BLOCK", "5", "STREAMS", "s", ">"], 0],
    [["LPOP", "a", "5"], 0],
    [["GET", "BLOCK"], 0],
  ]

  for (const [command, ms] of rows) {
    it(`is ${ms} ms for ${command.map(argumentText).join(" ")}`, () => {
      for (const spelling of spellings(command)) assert.equal(blockMsOf(spelling), ms)
    })
  }
})

describe("a session effect", () => {
  const rows: readonly (readonly [command: readonly string[], effect: SessionEffectKind | undefined])[] = [
    [["MULTI"], "multi"],
    [["EXEC"], "exec"],
    [["DISCARD"], "discard"],
    [["WATCH", "a"], "watch"],
    [["UNWATCH"], "unwatch"],
    [["SELECT", "3"], "select"],
    [["AUTH", "a", "b"], "auth"],
    [["CLIENT", "TRACKING", "ON"], "tracking-on"],
    [["CLIENT", "TRACKING", "ON", "BCAST"], "tracking-on"],
    [["CLIENT", "TRACKING", "OFF"], "tracking-off"],
    [["QUIT"], "quit"],
    [["ASKING"], "routing"],
    [["READONLY"], "routing"],
    [["READWRITE"], "routing"],
    [["CLIENT", "SETNAME", "a"], "lasting"],
    [["CLIENT", "NO-EVICT", "ON"], "lasting"],
    [["CLIENT", "NO-TOUCH", "ON"], "lasting"],
    [["SCRIPT", "DEBUG", "YES"], "lasting"],
    [["SCRIPT", "LOAD", "return 1"], undefined],
    [["CLIENT", "TRACKINGINFO"], undefined],
    [["CLIENT", "ID"], undefined],
    [["CLIENT"], undefined],
    [["GET", "MULTI"], undefined],
  ]

  for (const [command, effect] of rows) {
    it(`is ${effect ?? "none"} for ${command.join(" ")}, in any spelling`, () => {
      for (const spelling of spellings(command)) assert.equal(effectOf(spelling), effect)
    })
  }
})

describe("argumentText", () => {
  it("shows arguments as text, and anything else as nothing", () => {
    const rows: readonly (readonly [unknown, string])[] = [
      ["é", "é"],
      [Buffer.from([0xe9]), "é"],
      [new Uint8Array([65]), "A"],
      [1.5, "1.5"],
      [2n ** 64n, "18446744073709551616"],
      [null, ""],
      [undefined, ""],
      [{}, ""],
    ]
    for (const [argument, text] of rows) assert.equal(argumentText(argument), text)
  })
})
