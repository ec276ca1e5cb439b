/** Pipelines that are split and encoded in one pass: the same is sent as by looking closely, whatever happens meanwhile. */
import assert from "node:assert/strict"
import { describe, it, test } from "node:test"
import { type Argument, Cluster, ConnectionError } from "@redix/client"
import fc from "fast-check"
import { Chooser } from "../../src/cluster/chooser.ts"
import { Draft } from "../../src/cluster/draft.ts"
import { Drafts } from "../../src/cluster/drafts.ts"
import type { ClusterNode } from "../../src/cluster/node.ts"
import { SlotMap } from "../../src/cluster/slot-map.ts"
import { SLOTS } from "../../src/cluster/slots.ts"
import { slotOf } from "../../support/slots.ts"
import { until } from "../../support/wait.ts"
import {
  ask,
  connected,
  fakeNodes,
  first,
  keyA,
  keyB,
  keyC,
  keyIn,
  moved,
  scripted,
  slotA,
  slotB,
  slotC,
  spelled,
  tryAgain,
  warm,
} from "../contract/cluster/setup.ts"
import { naiveEncoding } from "../protocol/naive-encoder.ts"

type Commands = ReadonlyArray<readonly Argument[]>

/** Drafts for three nodes, of which only the drafts are looked at; the first has slots up to 4999, the second up to 9999. */
function threeNodes(last = SLOTS - 1): { drafts: Drafts; nodes: ClusterNode[] } {
  const nodes = ["a", "b", "c"].map((address) => ({ address, draft: new Draft() }) as ClusterNode)
  const map = new SlotMap()
  const bounds = [0, 5000, 10_000, last + 1]
  map.replace(
    nodes.map((primary, index) => ({
      first: bounds[index] ?? 0,
      last: (bounds[index + 1] ?? 0) - 1,
      shard: { primary, replicas: [] },
    })),
  )
  let turn = 0
  return { drafts: new Drafts(new Chooser(map, () => nodes[turn++ % nodes.length])), nodes }
}

/** What the nodes would be sent, with the places of these commands. */
function sentTo(nodes: readonly ClusterNode[]): { places: number[]; bytes: Buffer }[] {
  return nodes.map(({ draft }) => ({ places: draft.takePlaces(), bytes: Buffer.concat(draft.takeBytes()) }))
}

function withGetter(command: readonly unknown[], index: number, get: () => unknown): readonly Argument[] {
  const array = [...command]
  Object.defineProperty(array, index, { enumerable: true, configurable: true, get })
  return array as Argument[]
}

describe("Drafts", () => {
  const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "binary", maxLength: 60 }))
  const value = fc.oneof(
    text,
    fc.constantFrom(100, 1000, 4095, 4096).map((length) => "é".repeat(length)),
    fc.double({ noNaN: true }),
    fc.integer(),
  )
  const name = fc.constantFrom("SET", "set", "GETSET", "APPEND")
  const key = fc.oneof(
    { weight: 5, arbitrary: text },
    fc.integer(),
    fc.bigInt(),
    fc.uint8Array({ maxLength: 50 }),
    fc.constantFrom(4096).map((length) => "k".repeat(length)),
    fc.constantFrom(4096).map((length) => new Uint8Array(length).fill(7)),
  )
  const command: fc.Arbitrary<readonly Argument[]> = fc.oneof(
    fc.tuple(name, key, value),
    fc.tuple(fc.constant("GET"), key),
    fc.tuple(fc.constant(Buffer.from("GET")), key),
    fc.tuple(fc.constant("HSET"), key, fc.array(value, { minLength: 2, maxLength: 12 })).map((parts) => {
      const [word, place, values] = parts
      return [word, place, ...values]
    }),
  )

  it("gives each node what the plainest encoder makes of its commands, in their order", () => {
    const { drafts, nodes } = threeNodes()
    fc.assert(
      fc.property(fc.array(command, { minLength: 1, maxLength: 60 }), (commands) => {
        const drafted = drafts.of(commands)
        assert.ok(drafted)
        const owner = (each: readonly Argument[]) => {
          const slot = slotOf(each[1] instanceof Uint8Array ? each[1] : plain(each[1]))
          return slot < 5000 ? 0 : slot < 10_000 ? 1 : 2
        }
        for (const [index, { places, bytes }] of sentTo(nodes).entries()) {
          const expected = [...commands.keys()].filter((place) => owner(commands[place] ?? []) === index)
          assert.deepEqual(places, expected)
          assert.equal(drafted.nodes.includes(nodes[index] as ClusterNode), places.length > 0)
          assert.ok(
            bytes.equals(Buffer.concat(expected.map((place) => naiveEncoding(commands[place] ?? [])))),
          )
        }
        assert.equal(drafted.commands.length, commands.length)
        for (const place of commands.keys()) assert.deepEqual(drafted.commands.at(place), commands[place])
        drafts.clear(drafted.nodes)
        assert.ok(nodes.every(({ draft }) => draft.isEmpty))
      }),
    )
  })

  const left: readonly [why: string, commands: readonly unknown[]][] = [
    ["nothing", []],
    ["what is no command", [["GET", keyA()], "GET"]],
    ["an empty command", [["GET", keyA()], []]],
    [
      "a special command",
      [
        ["GET", keyA()],
        ["BLPOP", keyA(), 0],
      ],
    ],
    ["a command without a key", [["GET", keyA()], ["PING"]]],
    ["a command that lacks its key", [["GET", keyA()], ["GET"]]],
    [
      "a command that only the server knows",
      [
        ["GET", keyA()],
        ["NOSUCH", "k"],
      ],
    ],
    [
      "bytes",
      [
        ["GET", keyA()],
        ["SET", keyA(), Buffer.from("v")],
      ],
    ],
    [
      "a long text",
      [
        ["GET", keyA()],
        ["SET", keyA(), "v".repeat(4097)],
      ],
    ],
    [
      "a long key",
      [
        ["GET", keyA()],
        ["GET", "k".repeat(4097)],
      ],
    ],
    [
      "a long key of bytes",
      [
        ["GET", keyA()],
        ["GET", new Uint8Array(4097)],
      ],
    ],
    [
      "misuse",
      [
        ["GET", keyA()],
        ["GET", undefined],
      ],
    ],
    [
      "what is no number",
      [
        ["GET", keyA()],
        ["EXPIRE", keyA(), Number.NaN],
      ],
    ],
    ["a hole", [["GET", keyA()], Object.assign(["SET", keyA()], { length: 3 })]],
    ["a hole among commands", Object.assign([["GET", keyA()]], { length: 3 })],
  ]
  for (const [why, commands] of left) {
    it(`leaves a pipeline with ${why} to others, and nothing of it anywhere`, () => {
      const { drafts, nodes } = threeNodes()
      assert.equal(drafts.of(commands as Commands), undefined)
      assert.deepEqual(
        sentTo(nodes).map(({ places, bytes }) => [places.length, bytes.length]),
        [0, 1, 2].map(() => [0, 0]),
      )
      const drafted = drafts.of([["GET", keyA()]])
      assert.equal(drafted?.nodes[0], nodes[0])
    })
  }

  it("leaves a pipeline with a slot that nobody is known to have to others: its commands must stay together", () => {
    const { drafts } = threeNodes(12_000)
    assert.equal(
      drafts.of([
        ["GET", keyA()],
        ["GET", keyC()],
      ]),
      undefined,
    )
    assert.ok(
      drafts.of([
        ["GET", keyA()],
        ["GET", keyB()],
      ]),
    )
  })

  it("goes on after whatever an array throws, and however long it says that it is", () => {
    const { drafts, nodes } = threeNodes()
    const usual: Commands = [
      ["GET", keyA()],
      ["GET", keyB()],
    ]
    const hurt = () => {
      throw new Error("not to be read")
    }
    const bad: (readonly unknown[])[] = [
      withGetter(usual, 0, hurt),
      withGetter(usual, 1, hurt),
      [["GET", keyA()], withGetter(["GET", keyB()], 1, hurt)],
      [["GET", keyA()], withGetter(["SET", keyB(), ""], 2, hurt)],
      new Proxy([...usual], { get: (target, name) => (name === "length" ? 1e9 : Reflect.get(target, name)) }),
      new Proxy([...usual], {
        get: (target, name) => (name === "length" ? 1.25 : Reflect.get(target, name)),
      }),
    ]
    for (const commands of bad) {
      assert.equal(drafts.of(commands as Commands), undefined)
      assert.ok(nodes.every(({ draft }) => draft.isEmpty))
      const drafted = drafts.of(usual)
      assert.ok(drafted)
      drafts.clear(drafted.nodes)
    }
  })

  it("makes no room by the length of a first command that is longer than others", () => {
    const { drafts } = threeNodes()
    const wide: Argument[] = ["SADD", keyA(), ...new Array<string>(50_000).fill("m")]
    const commands: Commands = [wide, ...new Array<Argument[]>(100_000).fill(["GET", keyA()])]
    const drafted = drafts.of(commands)
    assert.ok(drafted)
    assert.equal(drafted.commands.at(0)?.length, wide.length)
    assert.deepEqual(drafted.commands.at(100_000), ["GET", keyA()])
  })

  it("drafts one pipeline at a time, until that is sent", () => {
    const { drafts, nodes } = threeNodes()
    let inner: unknown = "not called"
    const command = withGetter(["SET", keyA(), ""], 2, () => {
      inner = drafts.of([["GET", keyA()]])
      return "v"
    })
    const drafted = drafts.of([command, ["GET", keyB()]])
    assert.ok(drafted)
    assert.equal(inner, undefined)
    assert.equal(drafts.of([["GET", keyC()]]), undefined)
    assert.equal(sentTo(nodes)[0]?.bytes.toString(), naiveEncoding(["SET", keyA(), "v"]).toString())
    drafts.clear(drafted.nodes)
    assert.ok(drafts.of([["GET", keyC()]]))
  })
})

/** Commands in some order, long arguments by their first letter and their length. */
function abridged(commands: readonly (readonly string[])[]): string[] {
  const short = (word: string) => (word.length > 100 ? `${word[0]}*${word.length}` : word)
  return commands.map((command) => command.map(short).join(" ")).sort()
}

function plain(key: Argument | undefined): string {
  return String(key)
}

// ── with nodes ──────────────────────────────────────────────────────────────────────────────────────────────────────

test("large keys: as text and as bytes, however large", async (t) => {
  const { cluster, fake } = await scripted(t)
  for (const length of [4096, 4097, 8192, 16_384, 65_536, 200_000]) {
    const text = "k".repeat(length)
    const replies = await cluster.pipeline([
      ["GET", text],
      ["GET", Buffer.from(text)],
      ["SET", text, "v"],
    ])
    assert.deepEqual(replies, ["OK", "OK", "OK"])
    const got = fake.commands.filter(([, key]) => key === text)
    assert.deepEqual(got.map(([word]) => word).sort(), ["GET", "GET", "SET"])
  }
})

test("a key whose memory is given away while the pipeline is read: that is misuse, and nothing is sent", async (t) => {
  const { cluster, fake } = await scripted(t)
  const key = new Uint8Array(Buffer.from(keyA("k".repeat(10_000))))
  const thief = withGetter(["SET", keyB(), ""], 2, () => {
    if (key.length > 0) structuredClone(key.buffer, { transfer: [key.buffer] })
    return "v"
  })
  await assert.rejects(cluster.pipeline([["GET", key], thief]), TypeError)
  assert.deepEqual(
    await cluster.pipeline([
      ["GET", keyA()],
      ["GET", keyB()],
    ]),
    ["OK", "OK"],
  )
  assert.deepEqual(spelled(fake.commands), [`GET ${keyA()}`, `GET ${keyB()}`])
})

test("commands are sent on as they were at the call, each as long as it was, to wherever they are sent", async (t) => {
  const { cluster, a, b, c } = await scripted(t)
  const sent: string[][] = [
    ["SET", keyA("1"), "first"],
    ["GET", keyA("2")],
    ["HSET", keyB("3"), "f", "v", "g", "w"],
    ["SET", keyA("4"), "fourth", "EX", "10"],
    ["DEL", keyC("5"), keyC("6")],
    ["GET", keyA("7")],
  ]
  const script = first("GET", moved(slotA, b), tryAgain)
  const hset = first("HSET", ask(slotB, c))
  a.script = (command, node, connection) =>
    command[0] === "SET" ? ask(slotA, b) : script(command, node, connection)
  b.script = hset
  const commands = sent.map((command) => [...command])
  const replies = cluster.pipeline(commands as [string, ...string[]][])
  for (const command of commands) {
    command[0] = "DEL"
    command[1] = "other"
    command.push("more")
  }
  commands.length = 0
  assert.deepEqual(await replies, new Array(6).fill("OK"))
  const wanted = spelled(sent)
  assert.deepEqual(
    spelled(a.commands).sort(),
    [0, 1, 3, 5]
      .map((place) => wanted[place])
      .concat(spelled(a.commands).filter((_, at) => at > 3))
      .sort(),
  )
  assert.deepEqual(
    spelled(b.commands.filter(([word]) => word === "SET")).sort(),
    [wanted[0], wanted[3]].sort(),
  )
  assert.ok(spelled(b.commands).includes(wanted[1] ?? ""))
  assert.deepEqual(spelled(c.commands), [wanted[4], "ASKING", wanted[2]])
  for (const command of [a, b, c].flatMap((node) => spelled(node.commands)))
    assert.ok(command === "ASKING" || wanted.includes(command), command)
})

test("a slot that nobody is known to have: its commands stay together, and in order", async (t) => {
  const fake = await fakeNodes(t)
  fake.layout = fake.layout.slice(0, 2)
  const cluster = await connected(t, fake)
  const [a, b, c] = [fake.node(0), fake.node(1), fake.node(2)]
  await warm(fake, cluster)
  for (const node of [a, b]) node.script = ([word]) => (word === "APPEND" ? moved(slotC, c) : undefined)
  const commands = Array.from({ length: 20 }, (_, place): Argument[] => ["APPEND", keyC(), place])
  await cluster.pipeline(commands as [string, ...Argument[]][])
  assert.deepEqual(
    spelled(c.commands),
    commands.map((command) => command.join(" ")),
  )
  assert.ok(a.commands.length === 0 || b.commands.length === 0)
})

test("whoever is told of a lost connection while a pipeline is sent may send more: all is sent as it is", async (t) => {
  const { cluster, fake, a } = await scripted(t)
  const extra: Promise<unknown>[] = []
  let isTold = false
  cluster.on("disconnection", () => {
    if (isTold) return
    isTold = true
    for (let count = 0; count < 3; count++)
      extra.push(
        cluster.safe.pipeline([
          ["SET", keyB(`b${count}`), "x".repeat(3000)],
          ["SET", keyC(`c${count}`), "y".repeat(3000)],
        ]),
        cluster.safe.command(["SET", keyC(`d${count}`), "z".repeat(3000)]),
      )
  })
  // The connection is given up at once: the bytes to be written are not there any more.
  const bytes = new Uint8Array(10_000)
  const lost = cluster.safe.command(["SET", keyA(), bytes])
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  const own: [string, ...string[]][] = [
    ...Array.from({ length: 10 }, (_, each): [string, string, string] => [
      "SET",
      keyA(`${each}`),
      "a".repeat(3000),
    ]),
    ["SET", keyB("own"), "B".repeat(3000)],
    ["SET", keyC("own"), "C".repeat(3000)],
  ]
  const replies = await cluster.pipeline(own)
  assert.ok(isTold)
  assert.ok(replies.slice(0, 10).every((reply) => reply instanceof ConnectionError))
  assert.deepEqual(replies.slice(10), ["OK", "OK"])
  assert.ok(!(await lost).ok)
  await Promise.all(extra)
  assert.deepEqual(a.commands, [])
  const expected = [
    ["SET", keyB("own"), "B".repeat(3000)],
    ["SET", keyC("own"), "C".repeat(3000)],
  ]
  for (let count = 0; count < 3; count++)
    expected.push(
      ["SET", keyB(`b${count}`), "x".repeat(3000)],
      ["SET", keyC(`c${count}`), "y".repeat(3000)],
      ["SET", keyC(`d${count}`), "z".repeat(3000)],
    )
  assert.deepEqual(abridged(fake.commands), abridged(expected))
})

test("calls from within the reading of a pipeline, in this cluster and another: each is sent as it is", async (t) => {
  const { cluster, fake } = await scripted(t)
  const other = await connected(t, fake)
  await warm(fake, other)
  const inner: Promise<unknown>[] = []
  let hasCalled = false
  const command = withGetter(["SET", keyA("outer"), ""], 2, () => {
    if (!hasCalled) {
      hasCalled = true
      for (const each of [cluster, other])
        inner.push(
          each.pipeline([
            ["SET", keyA("in"), "v"],
            ["SET", keyB("in"), "v"],
          ]),
          each.command(["APPEND", keyB("in"), "w"]),
        )
    }
    return "v"
  })
  await cluster.pipeline([["SET", keyB("before"), "v"], command, ["SET", keyC("after"), "v"]])
  await Promise.all(inner)
  const expected = [
    ["SET", keyB("before"), "v"],
    ["SET", keyA("outer"), "v"],
    ["SET", keyC("after"), "v"],
  ]
  for (let count = 0; count < 2; count++)
    expected.push(["SET", keyA("in"), "v"], ["SET", keyB("in"), "v"], ["APPEND", keyB("in"), "w"])
  assert.deepEqual(spelled(fake.commands).sort(), spelled(expected).sort())
})

test("misuse anywhere in a pipeline: the error says where, nothing is sent, and the next one is sent whole", async (t) => {
  const { cluster, fake } = await scripted(t)
  for (const misuse of [undefined, Number.NaN, {}, [1]]) {
    for (const place of [1, 2]) {
      const command = ["SET", keyB(), "v"]
      command[place] = misuse as string
      await assert.rejects(
        cluster.pipeline([["SET", keyA(), "v"], command as [string, ...string[]], ["GET", keyC()]]),
        (error) =>
          error instanceof TypeError &&
          error.message.startsWith(`pipeline element 1: command SET: argument ${place} must be`),
      )
    }
  }
  await assert.rejects(
    cluster.noreplyPipeline([
      ["SET", keyA(), "v"],
      ["SET", keyB(), {} as string],
    ]),
    TypeError,
  )
  assert.deepEqual(fake.commands, [])
  assert.deepEqual(
    await cluster.pipeline([
      ["SET", keyA(), "v"],
      ["GET", keyB()],
    ]),
    ["OK", "OK"],
  )
  assert.deepEqual(spelled(fake.commands), [`SET ${keyA()} v`, `GET ${keyB()}`])
})

test("aborted, timed out, closed: a drafted pipeline settles, and is sent nowhere before its time", async (t) => {
  const { cluster, fake, a } = await scripted(t)
  const pipeline = (options: { signal?: AbortSignal; timeout?: number }) =>
    cluster.pipeline(
      [
        ["SET", keyA(), "v"],
        ["SET", keyB(), "v"],
      ],
      options,
    )
  const controller = new AbortController()
  const aborted = assert.rejects(pipeline({ signal: controller.signal }), { message: "enough" })
  controller.abort(new Error("enough"))
  await aborted
  await cluster.pipeline([
    ["GET", keyA()],
    ["GET", keyB()],
  ])
  assert.deepEqual(spelled(fake.commands), [`GET ${keyA()}`, `GET ${keyB()}`])
  a.script = ([word]) => (word === "SET" ? "" : undefined)
  const [silent, answered] = await pipeline({ timeout: 30 })
  assert.ok(silent instanceof ConnectionError)
  assert.equal(silent.reason, "timeout")
  assert.match(silent.message, /a part of a pipeline, 1 of 2/)
  assert.equal(answered, "OK")
  const open = assert.rejects(cluster.pipeline([["SET", keyA(), "v"]]), {
    reason: "closed",
    outcome: "unknown",
  })
  await until(() => a.commands.filter(([word]) => word === "SET").length === 2)
  cluster.destroy()
  await open
  await assert.rejects(pipeline({}), { reason: "closed", outcome: "not-sent" })
  await assert.rejects(
    cluster.pipeline([
      ["SET", keyA(), "v"],
      ["SET", keyB(), undefined as unknown as string],
    ]),
    TypeError,
  )
})

test("nodes that are not connected yet are sent their part once they are", async (t) => {
  const fake = await fakeNodes(t)
  const cluster = Cluster.start({ nodes: fake.urls(1), clientInfo: false })
  t.after(() => cluster.destroy())
  await cluster.ready()
  const commands: Argument[][] = []
  for (let each = 0; each < 300; each++)
    commands.push(["SET", keyIn((each * 54) % SLOTS, String(each)), "v".repeat(each * 7)])
  const replies = await cluster.pipeline(commands as [string, ...Argument[]][])
  assert.ok(replies.every((reply) => reply === "OK"))
  assert.deepEqual(spelled(fake.commands).sort(), commands.map((command) => command.join(" ")).sort())
})

test("pipelines as bytes, without replies, and for primaries by name are drafted alike", async (t) => {
  const { cluster, fake } = await scripted(t)
  const commands: [string, string][] = [
    ["GET", keyA()],
    ["GET", keyB()],
    ["GET", keyC()],
  ]
  const bytes = await cluster.pipeline(commands, { encoding: "buffer" })
  assert.deepEqual(
    bytes,
    [0, 1, 2].map(() => Buffer.from("OK")),
  )
  await cluster.noreplyPipeline(commands)
  assert.equal(fake.commands.length, 6)
})
