/** Section 8 of the contract: which node a command goes to, by its keys; also of commands that the driver does not know. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { Cluster, type Command, RedisError } from "@redix/client"
import { array, bulk, error, integer, simple } from "../../../support/fake-server.ts"
import { evenRanges } from "../../../support/slots.ts"
import { closing, redisFailure, uniqueKey } from "../helpers.ts"
import {
  connected,
  type FakeNode,
  fakeNodes,
  forgetReceived,
  keyA,
  keyB,
  keyC,
  keyIn,
  quick,
  scripted,
  sharedClient,
  slotOf,
  slotOfEach,
  spelled,
} from "./setup.ts"

const { real, cluster } = await sharedClient({ replicasPerPrimary: 0 }, {}, 1)

describe("with real nodes", () => {
  test("every key is found, wherever it is", async () => {
    const keys = Array.from({ length: 300 }, () => uniqueKey())
    await Promise.all(keys.map((key) => cluster.command(["SET", key, `value of ${key}`])))
    const values = await Promise.all(keys.map((key) => cluster.command(["GET", key])))
    assert.deepEqual(
      values,
      keys.map((key) => `value of ${key}`),
    )
    for (const node of real.nodes) assert.ok(Number(await node.send("DBSIZE")) > 50)
  })

  test("commands with keys in odd places get their replies", async () => {
    const [one, two] = [keyIn(5000, uniqueKey()), keyIn(5000, uniqueKey())]
    const stream = uniqueKey("stream")
    const replies: readonly (readonly [Command, unknown])[] = [
      [["SADD", one, "a", "b"], 2],
      [["SADD", two, "b"], 1],
      [["sintercard", 2, one, two], 1],
      [["SINTER", one, two], ["b"]],
      [
        ["EVAL", "return {KEYS[1], ARGV[1]}", 1, one, "x"],
        [one, "x"],
      ],
      [["EVAL", "return 'no keys'", 0], "no keys"],
      [["XADD", stream, "1-1", "f", "v"], "1-1"],
      [["XREAD", "COUNT", 1, "STREAMS", stream, "0"], [[stream, [["1-1", ["f", "v"]]]]]],
      [["XGROUP", "CREATE", stream, "g", "0"], "OK"],
      [["XREADGROUP", "GROUP", "g", "c", "STREAMS", stream, ">"], [[stream, [["1-1", ["f", "v"]]]]]],
      [["XINFO", "GROUPS", uniqueKey("no stream")], "error"],
      [["OBJECT", "ENCODING", uniqueKey("no key")], null],
      [["ZUNIONSTORE", keyIn(1, "d"), 1, keyIn(1, "s")], 0],
      [["BITOP", "NOT", keyIn(2, "d"), keyIn(2, "s")], 0],
      [["PING"], "PONG"],
      [["ECHO", "text"], "text"],
    ]
    for (const [command, expected] of replies) {
      const result = await cluster.safe.command(command as string[])
      if (expected === "error") {
        assert.ok(!result.ok && result.error instanceof RedisError && result.error.code === "ERR")
      } else {
        assert.deepEqual(result, { ok: true, value: expected }, String(command[0]))
      }
    }
    assert.ok(Number(await cluster.command(["MEMORY", "USAGE", stream])) > 0)
  })

  test("keys are bytes", async () => {
    for (let round = 0; round < 50; round++) {
      const key = Buffer.concat([Buffer.from([0xff, round, 0xc3, 0x28, 0]), Buffer.from(uniqueKey())])
      assert.equal(await cluster.command(["SET", key, key]), "OK")
      assert.deepEqual(await cluster.command(["GET", key], { encoding: "buffer" }), key)
      assert.equal(await cluster.command(["GET", new Uint8Array(key)], { encoding: "utf8" }), key.toString())
    }
  })

  test("a command over several slots is refused", async () => {
    for (const command of [
      ["SINTER", keyA(), keyB()],
      ["RENAME", keyA(), keyB()],
      ["SUNIONSTORE", keyA(), keyB(), keyC()],
      ["EVAL", "return 1", 2, keyA(), keyB()],
    ] as const) {
      await redisFailure(cluster.command([...command]), "CROSSSLOT")
    }
  })
})

describe("the node that a command goes to", () => {
  const script = "return 1"
  const forms = (key: string): Command[] => [
    ["GET", key],
    ["get", key],
    ["gEt", key],
    [Buffer.from("GET"), Buffer.from(key)],
    ["GET", new Uint8Array(Buffer.from(key))],
    ["SET", key, "{other}"],
    ["HSET", key, "{other}", "{another}"],
    ["SETRANGE", key, 0, "x"],
    ["EVAL", script, 1, key],
    ["eval", script, "1", key, "{other}"],
    ["EVALSHA", "abc", 2, key, `${key}2`],
    ["EVAL_RO", script, 1, key],
    ["FCALL", "f", 1, key, "{other}"],
    ["FCALL_RO", "f", Buffer.from("1"), key],
    ["LMPOP", 1, key, "LEFT"],
    ["ZMPOP", 1, key, "MIN"],
    ["SINTERCARD", 1, key],
    ["ZINTERCARD", 2, key, `${key}2`],
    ["ZDIFF", 1, key],
    ["ZINTER", 1, key],
    ["ZUNION", 1, key, "WITHSCORES"],
    ["ZUNIONSTORE", key, 1, `${key}2`],
    ["XREAD", "COUNT", 1, "STREAMS", key, "0"],
    ["xread", "streams", key, "$"],
    ["XREADGROUP", "GROUP", "{other}", "STREAMS", "STREAMS", key, ">"],
    ["OBJECT", "ENCODING", key],
    ["object", "freq", key],
    ["XINFO", "STREAM", key],
    ["XGROUP", "CREATE", key, "{other}", "$"],
    ["MEMORY", "USAGE", key],
    ["BITOP", "AND", key, `${key}2`],
    ["SORT", key, "BY", "nosort"],
    ["GEORADIUS", key, 1, 1, 1, "m"],
    ["COPY", key, `${key}2`],
    ["MGET", key, `${key}2`],
    ["SPUBLISH", key, "{other}"],
    ["MIGRATE", "127.0.0.1", 7000, key, 0, 100],
  ]

  test("is the one that serves the slot of its key", async (t) => {
    const { fake, cluster } = await scripted(t)
    for (const slot of [0, 5461, 5462, 8000, 10_922, 10_923, 16_383]) {
      const key = keyIn(slot, "k")
      const owner = fake.primaryOf(slot)
      for (const command of forms(key)) {
        forgetReceived(fake)
        assert.equal(await cluster.command(command as string[]), "OK")
        assert.equal(
          owner.commands.length,
          1,
          `${command.join(" ")} at ${fake.nodes.map((node) => node.commands.length)}`,
        )
        assert.equal(fake.commands.length, 1)
      }
    }
  })

  test("is that of the keys behind KEYS in MIGRATE, whose empty key is none", async (t) => {
    const { cluster, c } = await scripted(t)
    const command = ["MIGRATE", "127.0.0.1", "7000", "", "0", "100", "KEYS", keyC("1"), keyC("2")]
    assert.equal(await cluster.command(command), "OK")
    assert.deepEqual(c.commands, [command])
  })

  test("is that of the key of DEBUG OBJECT, which the server itself takes for keyless", async (t) => {
    const { cluster, c } = await scripted(t)
    await cluster.command(["DEBUG", "OBJECT", keyC()])
    await cluster.command(["debug", "object", keyC()])
    assert.equal(c.commands.filter(([name]) => name?.toUpperCase() === "DEBUG").length, 2)
  })

  test("goes by the hash tag of the key, the first one that is not empty", async (t) => {
    const { fake, cluster } = await scripted(t)
    for (const key of [
      "foo",
      "bar",
      "hello",
      "",
      "{user1000}.following",
      "foo{}{bar}",
      "{}",
      "foo{{bar}}zap",
      "foo{bar}{zap}",
      "{unclosed",
      "}reversed{",
      "a}b{c}d",
      "ключ{тег}",
      "😀",
    ]) {
      forgetReceived(fake)
      await cluster.command(["GET", key])
      assert.equal(fake.primaryOf(slotOf(key)).commands.length, 1, key)
    }
    const bytes = [
      Buffer.from([0xff, 0xfe, 0x00]),
      Buffer.concat([Buffer.from([0xff]), Buffer.from("{user}"), Buffer.from([0xfe])]),
      Buffer.concat([Buffer.from("{"), Buffer.from([0x80, 0x81]), Buffer.from("}x")]),
    ]
    for (const key of bytes) {
      forgetReceived(fake)
      await cluster.command(["GET", key])
      assert.equal(fake.primaryOf(slotOf(key)).commands.length, 1, key.toString("hex"))
    }
    for (const key of [12_345, 7n, 1e21]) {
      const text = key === 1e21 ? "1000000000000000000000" : `${key}`
      forgetReceived(fake)
      await cluster.command(["GET", key])
      assert.equal(fake.primaryOf(slotOf(text)).commands.length, 1, text)
    }
  })

  test("without a key is any primary, whatever the route", async (t) => {
    const fake = await fakeNodes(t, { replicasPerPrimary: 1 })
    const cluster = await connected(t, fake, { readFromReplicas: true })
    for (let round = 0; round < 20; round++) {
      for (const command of [
        ["DBSIZE"],
        ["TIME"],
        ["EVAL", script, 0],
        ["PUBLISH", "channel", "x"],
        ["RANDOMKEY"],
      ]) {
        const route = round % 2 === 0 ? "primary" : "prefer-replica"
        assert.equal(await cluster.command(command, { route }), "OK")
      }
    }
    const primaries = fake.nodes.slice(0, 3)
    assert.equal(primaries.flatMap((node) => node.commands).length, 100)
    assert.equal(fake.commands.length, 100)
  })

  test("is found among a hundred, too", async (t) => {
    const fake = await fakeNodes(t, { primaries: 100 })
    const cluster = closing(t, await Cluster.connect({ nodes: fake.urls(2), ...quick }))
    const slots = slotOfEach(100)
    const commands = slots.map((slot): string[] => ["GET", keyIn(slot, "k")])
    assert.deepEqual(
      await cluster.pipeline(commands),
      slots.map(() => "OK"),
    )
    for (const [index, command] of commands.entries()) assert.deepEqual(fake.node(index).commands, [command])
    assert.equal(evenRanges(100).length, slots.length)
  })
})

/** What `COMMAND INFO` says of a command: where its keys are. */
function described(
  name: string,
  flags: readonly string[],
  first: number,
  last: number,
  step: number,
): string {
  const none = array()
  return array(
    ...[bulk(name), integer(-2), array(...flags.map(simple))],
    ...[integer(first), integer(last), integer(step), none, none, none, none],
  )
}

describe("keys of commands that the driver does not know", () => {
  const questions = (nodes: readonly FakeNode[], sub: string): string[][] =>
    nodes.flatMap(({ received }) =>
      received.filter(([name, second]) => name?.toUpperCase() === "COMMAND" && second?.toUpperCase() === sub),
    )
  /** What arrived beside the questions. */
  const asked = (node: FakeNode): string[][] =>
    node.commands.filter(([name]) => name?.toUpperCase() !== "COMMAND")

  test("are asked of the server once, and remembered by the name in any case", async (t) => {
    const { fake, cluster, a, b, c } = await scripted(
      t,
      {},
      {
        script: ([name, sub, what]) =>
          name === "COMMAND" && sub?.toUpperCase() === "INFO" && what?.toUpperCase() === "MY.SET"
            ? array(described("my.set", ["write"], 2, 2, 1))
            : undefined,
      },
    )
    assert.equal(await cluster.command(["MY.SET", "{other}", keyA(), "1"]), "OK")
    assert.equal(await cluster.command(["my.set", "{other}", keyB(), "2"]), "OK")
    assert.deepEqual(
      await cluster.pipeline([
        ["My.Set", "{other}", keyC(), "3"],
        ["GET", keyA()],
        [Buffer.from("MY.SET"), "{other}", keyA(), "4"],
      ] as string[][]),
      ["OK", "OK", "OK"],
    )
    assert.equal(questions(fake.nodes, "INFO").length, 1)
    assert.equal(questions(fake.nodes, "GETKEYS").length, 0)
    assert.deepEqual(spelled(asked(a)), [
      `MY.SET {other} ${keyA()} 1`,
      `GET ${keyA()}`,
      `MY.SET {other} ${keyA()} 4`,
    ])
    assert.deepEqual(spelled(asked(b)), [`my.set {other} ${keyB()} 2`])
    assert.deepEqual(spelled(asked(c)), [`My.Set {other} ${keyC()} 3`])
  })

  test("that move about are asked for by COMMAND GETKEYS", async (t) => {
    const { fake, cluster, a, b, c } = await scripted(
      t,
      {},
      {
        script: ([name, sub, ...rest]) => {
          if (name !== "COMMAND") return undefined
          if (sub?.toUpperCase() === "INFO")
            return array(described("my.zip", ["write", "movablekeys"], 0, 0, 0))
          // The key is the last word.
          return sub?.toUpperCase() === "GETKEYS" ? array(bulk(rest.at(-1) ?? "")) : undefined
        },
      },
    )
    assert.equal(await cluster.command(["MY.ZIP", "{other}", keyB()]), "OK")
    assert.deepEqual(
      await cluster.pipeline([
        ["MY.ZIP", keyA()],
        ["MY.ZIP", 1, 2, keyC()],
        ["GET", keyA()],
      ] as string[][]),
      ["OK", "OK", "OK"],
    )
    assert.equal(questions(fake.nodes, "INFO").length, 1)
    assert.equal(questions(fake.nodes, "GETKEYS").length, 3)
    assert.deepEqual(spelled(asked(a)), [`MY.ZIP ${keyA()}`, `GET ${keyA()}`])
    assert.deepEqual(spelled(asked(b)), [`MY.ZIP {other} ${keyB()}`])
    assert.deepEqual(spelled(asked(c)), [`MY.ZIP 1 2 ${keyC()}`])
  })

  test("that the server does not know either: it goes to any primary, and nobody is asked again", async (t) => {
    const { fake, cluster } = await scripted(t)
    for (let round = 0; round < 5; round++) assert.equal(await cluster.command(["NO.SUCH", keyA()]), "OK")
    assert.equal(questions(fake.nodes, "INFO").length, 1)
    assert.equal(fake.nodes.flatMap(asked).length, 5)
  })

  test("that the server must not tell: the command is sent nevertheless, and asked for again", async (t) => {
    const { fake, cluster } = await scripted(
      t,
      {},
      { script: ([name]) => (name === "COMMAND" ? error("NOPERM this user has no permissions") : undefined) },
    )
    assert.equal(await cluster.command(["MY.SET", keyA()]), "OK")
    const before = questions(fake.nodes, "INFO").length
    assert.equal(await cluster.command(["MY.SET", keyA()]), "OK")
    assert.ok(questions(fake.nodes, "INFO").length > before)
  })

  test("count for transactions too", async (t) => {
    const { cluster, b } = await scripted(
      t,
      {},
      {
        script: ([name, sub]) =>
          name === "COMMAND" && sub === "INFO" ? array(described("my.set", ["write"], 1, 1, 1)) : undefined,
      },
    )
    assert.deepEqual(
      await cluster.transactionPipeline([
        ["MY.SET", keyB()],
        ["GET", keyB()],
      ] as string[][]),
      ["OK", "OK"],
    )
    assert.deepEqual(spelled(asked(b)), ["MULTI", `MY.SET ${keyB()}`, `GET ${keyB()}`, "EXEC"])
    await redisFailure(
      cluster.transactionPipeline([
        ["MY.SET", keyB()],
        ["MY.SET", keyC()],
      ] as string[][]),
      "CROSSSLOT",
    )
  })
})
