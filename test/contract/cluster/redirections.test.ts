/** Section 8 of the contract: MOVED, ASK and TRYAGAIN are followed, each command by itself, none twice, within one deadline. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { RedisError } from "@redix/client"
import { freePort } from "../../../support/port.ts"
import { until } from "../../../support/wait.ts"
import { atLeast, connectionFailure, redisFailure } from "../helpers.ts"
import {
  answering,
  ask,
  assertFailedPlace,
  assertRefusedPlace,
  first,
  keyA,
  keyB,
  keyC,
  keyIn,
  moved,
  type NodeScript,
  scripted,
  slotA,
  slotB,
  spelled,
  tryAgain,
} from "./setup.ts"

/** Does not tell the layout any more, so that nothing but a redirection can teach it. */
const secretive: NodeScript = ([name]) =>
  name === "CLUSTER" ? "-ERR nobody is told who has which slots\r\n" : undefined

describe("MOVED", () => {
  test("is followed, and the next command goes right at once", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    fake.script = secretive
    a.script = answering({ GET: moved(slotA, b), SET: moved(slotA, b) })
    b.script = answering({ GET: "+from b\r\n" })
    assert.equal(await cluster.command(["GET", keyA()]), "from b")
    assert.equal(await cluster.command(["SET", keyA("other"), "1"]), "OK")
    assert.deepEqual(spelled(a.commands), [`GET ${keyA()}`])
    assert.deepEqual(spelled(b.commands), [`GET ${keyA()}`, `SET ${keyA("other")} 1`])
  })

  test("is about its slot only, until the layout says more", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    fake.script = secretive
    a.script = first("GET", moved(slotA, b))
    await cluster.command(["GET", keyA()])
    await cluster.command(["GET", keyIn(slotA + 1)])
    assert.deepEqual(spelled(a.commands), [`GET ${keyA()}`, `GET ${keyIn(slotA + 1)}`])
    assert.equal(b.commands.length, 1)
  })

  test("has the layout asked for again, without being told to wait for it", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    a.script = first("GET", moved(slotA, b))
    assert.equal(fake.layoutsAsked, 0)
    await cluster.command(["GET", keyA()])
    await until(() => fake.layoutsAsked > 0)
  })

  test("to a node that nobody has heard of connects to it", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    fake.script = secretive
    const added = await fake.addNode()
    a.script = first("SET", moved(slotA, added))
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    assert.deepEqual(added.commands, [["SET", keyA(), "1"]])
  })

  test("without a host means the node that said so", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    fake.script = secretive
    a.script = first("SET", moved(slotA, `:${b.port}`))
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    assert.deepEqual(b.commands, [["SET", keyA(), "1"]])
  })

  test("with a question mark for a host does too", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    fake.script = secretive
    a.script = first("SET", moved(slotA, `?:${b.port}`))
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    assert.deepEqual(b.commands, [["SET", keyA(), "1"]])
  })

  test("to a node that nobody can reach is closed, and was not sent there", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    fake.script = secretive
    a.script = answering({ SET: moved(slotA, `127.0.0.1:${await freePort()}`) })
    const replies = await cluster.pipeline([
      ["SET", keyA(), "1"],
      ["SET", keyB(), "1"],
    ])
    assertFailedPlace(replies[0], "closed", "not-sent")
    assert.equal(replies[1], "OK")
  })

  test("to a node that is lost with the command is disconnected, and nothing is sent again", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    a.script = answering({ INCR: moved(slotA, b) })
    b.script = ([name], _, connection) => {
      if (name === "INCR") connection.reset()
      return undefined
    }
    await connectionFailure(cluster.command(["INCR", keyA()]), "disconnected", "unknown")
    await until(() => cluster.safe.command(["GET", keyB()]).then(({ ok }) => ok))
    assert.equal(fake.commands.filter(([name]) => name === "INCR").length, 2)
  })
})

describe("ASK", () => {
  test("is followed with ASKING right before the command, and changes nothing for the next one", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = answering({ GET: ask(slotA, b) })
    b.script = answering({ GET: "+from b\r\n" })
    assert.equal(await cluster.command(["GET", keyA()]), "from b")
    assert.deepEqual(spelled(b.commands), ["ASKING", `GET ${keyA()}`])
    assert.equal(await cluster.command(["GET", keyA("other")]), "from b")
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    assert.deepEqual(spelled(a.commands), [`GET ${keyA()}`, `GET ${keyA("other")}`, `SET ${keyA()} 1`])
  })

  test("ASKING and its command stay together among whatever else goes there", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = answering({ GET: ask(slotA, b) })
    const traffic: Promise<unknown>[] = []
    for (let round = 0; round < 50; round++) {
      traffic.push(cluster.command(["GET", keyA(`${round}`)]), cluster.command(["SET", keyB(), `${round}`]))
      if (round % 10 === 0) await atLeast(1)
    }
    await Promise.all(traffic)
    const words = spelled(b.commands)
    assert.equal(words.filter((each) => each === "ASKING").length, 50)
    for (const [index, each] of words.entries()) {
      if (each === "ASKING") assert.match(words[index + 1] ?? "", /^GET/)
    }
  })

  test("comes to each command by itself", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name, key]) => (name === "GET" && key === keyA("gone") ? ask(slotA, b) : undefined)
    assert.deepEqual(
      await cluster.pipeline([
        ["GET", keyA("here")],
        ["GET", keyA("gone")],
        ["SET", keyA("here"), "1"],
        ["GET", keyA("gone")],
      ]),
      ["OK", "OK", "OK", "OK"],
    )
    assert.equal(a.commands.length, 4)
    assert.deepEqual(spelled(b.commands), ["ASKING", `GET ${keyA("gone")}`, "ASKING", `GET ${keyA("gone")}`])
  })

  test("to a node that nobody has heard of connects to it; without a host it is the node that said so", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    const added = await fake.addNode()
    a.script = first("SET", ask(slotA, added), ask(slotA, `:${b.port}`))
    assert.equal(await cluster.command(["SET", keyA(), "1"]), "OK")
    assert.equal(await cluster.command(["SET", keyA(), "2"]), "OK")
    assert.deepEqual(spelled(added.commands), ["ASKING", `SET ${keyA()} 1`])
    assert.deepEqual(spelled(b.commands), ["ASKING", `SET ${keyA()} 2`])
  })

  test("an error reply to ASKING reaches nobody but the one who asked", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = answering({ GET: ask(slotA, b) })
    b.script = answering({ ASKING: "-NOPERM no asking\r\n", GET: "-NOPERM no get\r\n" })
    const others = Array.from({ length: 5 }, () => cluster.command(["SET", keyB(), "1"]))
    assert.ok((await redisFailure(cluster.command(["GET", keyA()]), "NOPERM")) instanceof RedisError)
    assert.deepEqual(await Promise.all(others), ["OK", "OK", "OK", "OK", "OK"])
  })
})

describe("TRYAGAIN", () => {
  test("is tried again after 20 ms and more, growing", async (t) => {
    const { cluster, a } = await scripted(t)
    a.script = first("MGET", tryAgain, tryAgain, tryAgain, tryAgain, tryAgain)
    assert.equal(await cluster.command(["MGET", keyA("1"), keyA("2")]), "OK" as never)
    assert.equal(a.commands.length, 6)
    const gaps = a.times.slice(1).map((time, index) => time - (a.times[index] ?? 0))
    for (const gap of gaps) assert.ok(gap > 18, `${gaps}`)
    // Whatever a busy machine adds, it adds to each of them.
    assert.ok((gaps.at(-1) ?? 0) > 1.4 * Math.min(...gaps), `${gaps}`)
  })

  test("counts as a redirection", async (t) => {
    const { cluster, a } = await scripted(t, { maxRedirections: 3 })
    a.script = answering({ MGET: tryAgain })
    await connectionFailure(cluster.command(["MGET", keyA("1"), keyA("2")]), "too-many-redirections")
    assert.equal(a.commands.length, 4)
  })

  test("after an ASK is tried where the ASK led to, or begins anew; either way it ends well", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = answering({ MGET: ask(slotA, b) })
    b.script = first("MGET", tryAgain, tryAgain)
    assert.equal(await cluster.command(["MGET", keyA("1"), keyA("2")]), "OK" as never)
    const words = spelled(b.commands)
    for (const [index, each] of words.entries()) {
      if (each.startsWith("MGET")) assert.equal(words[index - 1], "ASKING")
    }
  })

  test("does not hold up other commands", async (t) => {
    const { cluster, a } = await scripted(t, { maxRedirections: 8 })
    a.script = first("MGET", tryAgain, tryAgain, tryAgain)
    let settled = false
    const slow = cluster.command(["MGET", keyA("1"), keyA("2")]).finally(() => {
      settled = true
    })
    await until(() => a.commands.length > 0)
    assert.equal(await cluster.command(["GET", keyA()]), "OK")
    assert.equal(settled, false)
    await slow
  })
})

describe("at most maxRedirections are followed", () => {
  for (const [limit, options] of [
    [5, {}],
    [2, { maxRedirections: 2 }],
    [0, { maxRedirections: 0 }],
  ] as const) {
    test(`${limit}: a loop of MOVED ends, after as many`, async (t) => {
      const { fake, cluster, a, b } = await scripted(t, options)
      a.script = answering({ GET: moved(slotA, b) })
      b.script = answering({ GET: moved(slotA, a) })
      const error = await connectionFailure(cluster.command(["GET", keyA()]), "too-many-redirections")
      assert.equal(error.final, false)
      assert.equal(fake.commands.length, limit + 1)
    })
  }

  test("of MOVED, ASK and TRYAGAIN together", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    a.script = first("GET", moved(slotA, b), tryAgain, ask(slotA, b), moved(slotA, b))
    b.script = first("GET", ask(slotA, a), moved(slotA, a), moved(slotA, a), moved(slotA, a))
    await connectionFailure(cluster.command(["GET", keyA()]), "too-many-redirections")
    assert.equal(fake.commands.filter(([name]) => name === "GET").length, 6)
  })

  test("and as many as that still end well", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    fake.script = secretive
    a.script = first("GET", moved(slotA, b), moved(slotA, b), moved(slotA, b))
    b.script = first("GET", moved(slotA, a), moved(slotA, a))
    assert.equal(await cluster.command(["GET", keyA()]), "OK")
    assert.equal(fake.commands.length, 6)
  })

  test("in a pipeline only the place of that command fails", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = ([name, key]) => (name === "GET" && key === keyA("loop") ? moved(slotA, b) : undefined)
    b.script = ([name, key]) => (name === "GET" && key === keyA("loop") ? moved(slotA, a) : undefined)
    const replies = await cluster.pipeline([
      ["SET", keyA(), "1"],
      ["GET", keyA("loop")],
      ["SET", keyB(), "1"],
    ])
    assert.equal(replies[0], "OK")
    assertFailedPlace(replies[1], "too-many-redirections")
    assert.equal(replies[2], "OK")
  })

  test("a node that sends to itself is a loop like any other", async (t) => {
    const { cluster, a } = await scripted(t)
    a.script = answering({ GET: moved(slotA, a) })
    await connectionFailure(cluster.command(["GET", keyA()]), "too-many-redirections")
    assert.equal(a.commands.length, 6)
  })
})

describe("redirections that make no sense go to the caller as they are", () => {
  for (const text of [
    "MOVED",
    "MOVED 100",
    "MOVED x 127.0.0.1:7001",
    "MOVED 16384 127.0.0.1:7001",
    "MOVED -1 127.0.0.1:7001",
    "MOVED 1.5 127.0.0.1:7001",
    "MOVED 100 127.0.0.1",
    "MOVED 100 127.0.0.1:",
    "MOVED 100 127.0.0.1:port",
    "MOVED 100 127.0.0.1:0",
    "MOVED 100 127.0.0.1:65536",
    "MOVED  127.0.0.1:7001",
    "ASK",
    "ASK 100",
    "ASK 16384 127.0.0.1:7001",
    "ASK 100 127.0.0.1:-1",
    "MOVEDX 100 127.0.0.1:7001",
    "TRYAGAINX later",
  ]) {
    test(text, async (t) => {
      const { fake, cluster, a } = await scripted(t)
      a.script = answering({ GET: `-${text}\r\n` })
      const error = await redisFailure(cluster.command(["GET", keyA()]), text.split(" ")[0] ?? "")
      assert.equal(error.message, text)
      assert.equal(fake.commands.length, 1)
      const replies = await cluster.pipeline([
        ["GET", keyA()],
        ["SET", keyA(), "1"],
      ])
      assertRefusedPlace(replies[0], error.code)
      assert.equal(replies[1], "OK")
    })
  }
})

describe("CLUSTERDOWN and LOADING", () => {
  for (const text of ["CLUSTERDOWN Hash slot not served", "LOADING Redis is loading the dataset in memory"]) {
    test(`${text.split(" ")[0]} goes to the caller, and has the layout asked for again`, async (t) => {
      const { fake, cluster, a } = await scripted(t)
      a.script = answering({ SET: `-${text}\r\n` })
      await redisFailure(cluster.command(["SET", keyA(), "1"]), text.split(" ")[0] ?? "")
      await until(() => fake.layoutsAsked > 0)
      assert.deepEqual(fake.commands, [["SET", keyA(), "1"]])
    })
  }
})

describe("nothing runs twice, and order is kept", () => {
  test("only what was redirected is sent again", async (t) => {
    const { fake, cluster, a, b } = await scripted(t)
    a.script = ([name, key]) => (name === "INCR" && key === keyA("7") ? moved(slotA, b) : undefined)
    const keys = Array.from({ length: 10 }, (_, index) => keyA(`${index}`))
    const replies = await cluster.pipeline(keys.map((key): string[] => ["INCR", key]))
    assert.deepEqual(
      replies,
      keys.map(() => "OK"),
    )
    assert.equal(a.commands.length, 10)
    assert.deepEqual(spelled(b.commands), [`INCR ${keyA("7")}`])
    assert.equal(fake.commands.length, 11)
  })

  test("the redirected commands of one slot are sent again together, in order", async (t) => {
    const { fake, cluster, a, b, c } = await scripted(t)
    fake.script = secretive
    a.script = answering({ SET: moved(slotA, b) })
    const values = Array.from({ length: 20 }, (_, index) => `${index}`)
    const pipeline = cluster.pipeline(
      values.flatMap((value): string[][] => [
        ["SET", keyA(), value],
        ["SET", keyC(), value],
      ]),
    )
    const traffic = Array.from({ length: 50 }, () => cluster.command(["GET", keyB()]))
    await Promise.all([pipeline, ...traffic])
    const arrived = spelled(b.commands)
    const begin = arrived.indexOf(`SET ${keyA()} 0`)
    assert.deepEqual(
      arrived.slice(begin, begin + 20),
      values.map((value) => `SET ${keyA()} ${value}`),
    )
    assert.deepEqual(
      spelled(c.commands),
      values.map((value) => `SET ${keyC()} ${value}`),
    )
  })

  test("also with ASK, each with its own ASKING", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = answering({ SET: ask(slotA, b) })
    await cluster.pipeline(["1", "2", "3"].map((value): string[] => ["SET", keyA(), value]))
    assert.deepEqual(
      spelled(b.commands),
      ["1", "2", "3"].flatMap((value) => ["ASKING", `SET ${keyA()} ${value}`]),
    )
  })

  test("also where two slots move to two nodes", async (t) => {
    const { fake, cluster, a, b, c } = await scripted(t)
    fake.script = secretive
    a.script = answering({ SET: moved(slotA, c) })
    b.script = answering({ SET: moved(slotB, c) })
    const replies = await cluster.pipeline(
      ["1", "2", "3"].flatMap((value): string[][] => [
        ["SET", keyA(), value],
        ["SET", keyB(), value],
      ]),
    )
    assert.ok(replies.every((reply) => reply === "OK"))
    for (const key of [keyA(), keyB()]) {
      assert.deepEqual(
        spelled(c.commands).filter((command) => command.includes(key)),
        ["1", "2", "3"].map((value) => `SET ${key} ${value}`),
      )
    }
  })
})

describe("one deadline holds over all redirections", () => {
  test("a loop with slow answers ends in time", async (t) => {
    const { fake, cluster, a, b } = await scripted(t, { maxRedirections: 1000 })
    const slow =
      (reply: string): NodeScript =>
      ([name], _, connection) => {
        if (name !== "GET") return undefined
        setTimeout(() => connection.write(reply), 300)
        return ""
      }
    a.script = slow(moved(slotA, b))
    b.script = slow(moved(slotA, a))
    await connectionFailure(cluster.command(["GET", keyA()], { timeout: 700 }), "timeout")
    // Each answer takes 300 ms.
    assert.ok(fake.commands.length <= 3, `${fake.commands.length}`)
    const sent = fake.commands.length
    await atLeast(400)
    assert.equal(fake.commands.length, sent)
  })

  test("TRYAGAIN does not outlast it", async (t) => {
    const { cluster, a } = await scripted(t, { maxRedirections: 1000 })
    a.script = answering({ MGET: tryAgain })
    await connectionFailure(cluster.command(["MGET", keyA("1"), keyA("2")], { timeout: 200 }), "timeout")
    const sent = a.commands.length
    assert.ok(sent > 1 && sent <= 10, `${sent}`)
    await atLeast(200)
    assert.equal(a.commands.length, sent)
  })

  test("connecting to the target counts", async (t) => {
    const { fake, cluster, a } = await scripted(t)
    fake.script = secretive
    const added = await fake.addNode()
    added.script = () => ""
    a.script = answering({ GET: moved(slotA, added) })
    await connectionFailure(cluster.command(["GET", keyA()], { timeout: 200 }), "timeout", "not-sent")
    assert.deepEqual(added.commands, [])
  })

  test("in a pipeline it ends the redirected part only", async (t) => {
    const { cluster, a, b, c } = await scripted(t)
    a.script = answering({ SET: moved(slotA, b) })
    b.script = ([name]) => (name === "SET" ? "" : undefined)
    const replies = await cluster.pipeline(
      [
        ["SET", keyA(), "1"],
        ["SET", keyC(), "1"],
      ],
      { timeout: 250 },
    )
    assertFailedPlace(replies[0], "timeout", "unknown")
    assert.equal(replies[1], "OK")
    assert.equal(c.commands.length, 1)
  })
})

describe("an abort", () => {
  test("while the target is silent rejects with the reason of the signal", async (t) => {
    const { cluster, a, b } = await scripted(t)
    a.script = answering({ GET: moved(slotA, b) })
    let answer: (() => void) | undefined
    b.script = ([name], _, connection) => {
      if (name !== "GET") return undefined
      answer = () => connection.write("+late\r\n")
      return ""
    }
    const controller = new AbortController()
    const reason = new Error("enough")
    const command = cluster.command(["GET", keyA()], { signal: controller.signal })
    const rejected = assert.rejects(command, (thrown) => thrown === reason)
    await until(() => answer)
    controller.abort(reason)
    await rejected
    answer?.()
    assert.equal(await cluster.command(["SET", keyB(), "1"]), "OK")
  })

  test("before the redirection has come: it is not followed any more", async (t) => {
    const { cluster, a, b } = await scripted(t)
    let answer: (() => void) | undefined
    a.script = ([name], _, connection) => {
      if (name !== "INCR") return undefined
      answer = () => connection.write(moved(slotA, b))
      return ""
    }
    const controller = new AbortController()
    const rejected = assert.rejects(cluster.command(["INCR", keyA()], { signal: controller.signal }), {
      name: "AbortError",
    })
    await until(() => answer)
    controller.abort()
    await rejected
    answer?.()
    // What is issued later has its reply, so the one that came too late was taken off its place.
    assert.equal(await cluster.command(["SET", keyB(), "1"]), "OK")
    assert.equal(b.commands.filter(([name]) => name === "INCR").length, 0)
  })

  test("while it waits to try again: it is sent no more", async (t) => {
    const { cluster, a } = await scripted(t, { maxRedirections: 1000 })
    a.script = answering({ MGET: tryAgain })
    const controller = new AbortController()
    const rejected = assert.rejects(
      cluster.command(["MGET", keyA("1"), keyA("2")], { signal: controller.signal }),
      { name: "AbortError" },
    )
    await until(() => a.commands.length === 3)
    controller.abort()
    await rejected
    await atLeast(250)
    assert.equal(a.commands.length, 3)
  })
})
