/** Which sentinel is asked, in which order, what counts as an answer, and what is told when there is none. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { inspect } from "node:util"
import { PubSub, Redix } from "@redix/client"
import { array, bulk, error, nullBulk, simple } from "../../support/fake-server.ts"
import { freePort } from "../../support/server.ts"
import { until } from "../../support/wait.ts"
import { assertConnectionError, closing, connectionFailure, rawServer } from "../contract/helpers.ts"
import { Clock } from "../util/clock.ts"
import { at, FakeRedis, FakeSentinel, group, quick, silence, through } from "./fakes.ts"
import { connected, reaches, sentinelFailures, started } from "./setup.ts"

describe("the order of sentinels", () => {
  test("the first one that answers decides, and the others are not asked", async (t) => {
    const primary = await FakeRedis.start(t)
    const [first, second] = [await FakeSentinel.start(t, primary), await FakeSentinel.start(t, primary)]
    const { conn, seen } = await connected(t, through([first, second]))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    assert.deepEqual(seen.log, [`connection ${at(primary)}`])
    assert.ok(first.asked >= 1)
    assert.equal(second.connections.length, 0)
  })

  test("is that of the list, each failure being told, and the server's address is the connection's", async (t) => {
    const primary = await FakeRedis.start(t)
    const dead = `127.0.0.1:${await freePort()}`
    const closes = await rawServer(t, (connection) => connection.end())
    const garbage = await rawServer(t, (connection) => connection.write("HTTP/1.1 400 Bad Request\r\n\r\n"))
    const good = await FakeSentinel.start(t, primary)
    const urls = [`redis://${dead}`, closes.url, garbage.url, good.url]
    const { seen } = await connected(t, through(urls))
    assert.deepEqual(sentinelFailures(seen), [
      [dead, "refused"],
      [at(closes), "refused"],
      [at(garbage), "protocol-error"],
    ])
    assert.equal(seen.log.at(-1), `connection ${at(primary)}`)
    assert.equal(seen.connections[0]?.reconnection, false)
  })

  test("begins with the first again on every attempt", async (t) => {
    const primary = await FakeRedis.start(t)
    const first = await FakeSentinel.start(t, primary)
    const second = await FakeSentinel.start(t, primary)
    await first.stop()
    const { conn, seen } = await connected(t, through([first, second]))
    assert.deepEqual(sentinelFailures(seen), [[at(first), "refused"]])
    await first.listen(t)
    const again = new Promise((resolve) => conn.once("connection", resolve))
    for (const each of primary.open) each.reset()
    await again
    assert.ok(first.asked >= 1)
    assert.equal(seen.failures.length, 1)
  })

  test("asks anew on every attempt, and follows what the answer has become", async (t) => {
    const [old, next] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    const sentinel = await FakeSentinel.start(t, old)
    const { conn } = await connected(t, through([sentinel]))
    sentinel.primary = next
    await old.stop()
    await reaches(conn, at(next))
    assert.equal(await conn.command(["ECHO", "b"]), "b")
  })

  test("accepts objects with host and port as well", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const sentinels = [{ host: sentinel.host, port: sentinel.port }]
    const { conn } = await connected(t, { ...quick, sentinel: { group, sentinels } })
    assert.equal(await conn.command(["ECHO", "c"]), "c")
  })

  test("a sentinel is left alone after its answer, but for the one that is listened to", async (t) => {
    const primary = await FakeRedis.start(t)
    const [first, second] = [await FakeSentinel.start(t, primary), await FakeSentinel.start(t, primary)]
    await first.stop()
    await connected(t, through([first, second]))
    await until(() => second.listeners.length === 1 && second.open.length === 1)
  })
})

describe("a sentinel that fails", () => {
  for (const [what, options, timeout] of [
    ["the timeout of sentinels, not that of the connection", { timeout: 150 }, 150],
    ["500 ms by default", {}, 500],
  ] as const) {
    test(`by silence is given up after ${what}`, async (t) => {
      const clock = new Clock(t)
      const primary = await FakeRedis.start(t)
      const [mute, good] = [await FakeSentinel.start(t), await FakeSentinel.start(t, primary)]
      mute.freeze()
      const { conn, seen } = started(t, through([mute, good], options))
      await clock.standUntil(() => mute.received.length > 0)
      await clock.pass(timeout - 10)
      assert.deepEqual(sentinelFailures(seen), [])
      await clock.pass(20)
      await clock.standUntil(() => conn.status === "connected")
      assert.deepEqual(sentinelFailures(seen), [[at(mute), "timeout"]])
    })
  }

  test("by silence at the question only is given up just the same", async (t) => {
    const primary = await FakeRedis.start(t)
    const [mute, good] = [await FakeSentinel.start(t), await FakeSentinel.start(t, primary)]
    mute.script = ([name]) => (name?.toUpperCase() === "SENTINEL" ? silence : undefined)
    const { seen } = await connected(t, through([mute, good], { timeout: 100 }))
    assert.deepEqual(sentinelFailures(seen), [[at(mute), "timeout"]])
    await until(() => mute.open.length <= 1, { message: "the connection to the mute sentinel to be closed" })
  })

  const answers: readonly (readonly [string, string])[] = [
    ["a null array", "*-1\r\n"],
    ["a null", nullBulk],
    ["an error", error("ERR something is wrong")],
    ["a failure to find the group", error("ERR No such master with that name")],
    ["a number", ":1\r\n"],
    ["a text", simple("OK")],
    ["an empty array", array()],
    ["a host without a port", array(bulk("127.0.0.1"))],
    ["a port that is none", array(bulk("127.0.0.1"), bulk("port"))],
    ["port 0", array(bulk("127.0.0.1"), bulk("0"))],
    ["a port that is too high", array(bulk("127.0.0.1"), bulk("65536"))],
    ["an empty host", array(bulk(""), bulk("6379"))],
    ["nulls", array(nullBulk, nullBulk)],
    ["an array of arrays", array(array(bulk("127.0.0.1")), array(bulk("6379")))],
    ["bytes that are no RESP", "what?\r\n"],
  ]
  for (const [what, bytes] of answers) {
    test(`by answering ${what} hands over to the next`, async (t) => {
      const primary = await FakeRedis.start(t)
      const [odd, good] = [await FakeSentinel.start(t), await FakeSentinel.start(t, primary)]
      odd.script = ([, verb]) => (verb?.toUpperCase() === "GET-MASTER-ADDR-BY-NAME" ? bytes : undefined)
      const { conn, seen } = await connected(t, through([odd, good]))
      assert.equal(await conn.command(["ECHO", "a"]), "a")
      assert.equal(seen.failures.length, 1, inspect(seen.log))
      assert.equal(seen.failures[0]?.sentinelAddress, at(odd))
    })
  }

  test("to list the sentinels that it knows does no harm", async (t) => {
    const primary = await FakeRedis.start(t)
    for (const bytes of [error("ERR no"), "*-1\r\n", ":1\r\n", array(array(bulk("ip"))), array(bulk("x"))]) {
      const sentinel = await FakeSentinel.start(t, primary)
      sentinel.script = ([, verb]) => (verb?.toUpperCase() === "SENTINELS" ? bytes : undefined)
      const { conn, seen } = await connected(t, through([sentinel]))
      assert.equal(await conn.command(["ECHO", "a"]), "a")
      assert.deepEqual(seen.failures, [])
    }
  })

  test("does not end a connection that must not reconnect, as long as another one succeeds", async (t) => {
    const primary = await FakeRedis.start(t)
    const good = await FakeSentinel.start(t, primary)
    const dead = `redis://127.0.0.1:${await freePort()}`
    const { conn } = await connected(t, { ...through([dead, good]), exitOnDisconnection: true })
    assert.equal(await conn.command(["ECHO", "a"]), "a")
  })
})

describe("the address of a sentinel", () => {
  test("is confirmed by ROLE, before anything of the caller is sent", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const { conn } = started(t, through([sentinel]))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    const names = primary.received.map(([name]) => name?.toUpperCase())
    assert.ok(names.includes("ROLE"), inspect(names))
    assert.ok(names.indexOf("ROLE") < names.indexOf("ECHO"), inspect(names))
  })

  test("of a replica instead of the primary is not used: the next sentinel is asked", async (t) => {
    const [primary, replica] = [await FakeRedis.start(t), await FakeRedis.start(t, "slave")]
    const [lying, good] = [await FakeSentinel.start(t, replica), await FakeSentinel.start(t, primary)]
    const { conn, seen } = started(t, through([lying, good]))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    assert.deepEqual(sentinelFailures(seen), [[at(lying), "wrong-role"]])
    assert.equal(seen.log.at(-1), `connection ${at(primary)}`)
    assert.deepEqual(replica.ran("ECHO"), [])
    await until(() => replica.open.length === 0)
  })

  for (const [what, bytes] of [
    ["refused", error("NOPERM this user has no permissions to run the 'role' command")],
    ["answered with nonsense", simple("OK")],
    ["answered by a sentinel", array(bulk("sentinel"), array(bulk("mymaster")))],
  ] as const) {
    test(`where ROLE is ${what} is not used`, async (t) => {
      const [primary, odd] = [await FakeRedis.start(t), await FakeRedis.start(t)]
      odd.script = ([name]) => (name?.toUpperCase() === "ROLE" ? bytes : undefined)
      const [first, second] = [await FakeSentinel.start(t, odd), await FakeSentinel.start(t, primary)]
      const { conn, seen } = started(t, through([first, second]))
      assert.equal(await conn.command(["ECHO", "a"]), "a")
      assert.equal(seen.failures[0]?.sentinelAddress, at(first))
      assert.deepEqual(odd.ran("ECHO"), [])
    })
  }

  test("where nobody listens, or the handshake fails, makes the next sentinel be asked", async (t) => {
    const primary = await FakeRedis.start(t)
    const locked = await FakeRedis.start(t, "master", { login: { password: "other" } })
    const gone = { host: "127.0.0.1", port: await freePort() }
    const sentinels = [
      await FakeSentinel.start(t, gone),
      await FakeSentinel.start(t, locked),
      await FakeSentinel.start(t, primary),
    ]
    const { seen } = await connected(t, through(sentinels))
    assert.deepEqual(sentinelFailures(seen), [
      [at(sentinels[0] as FakeSentinel), "refused"],
      [at(sentinels[1] as FakeSentinel), "authentication"],
    ])
    assert.equal(seen.log.at(-1), `connection ${at(primary)}`)
  })

  test("that is mute is given up, and the next sentinel asked", async (t) => {
    const [primary, mute] = [await FakeRedis.start(t), await FakeRedis.start(t)]
    mute.script = () => silence
    const [first, second] = [await FakeSentinel.start(t, mute), await FakeSentinel.start(t, primary)]
    const { seen } = await connected(t, { ...through([first, second]), timeout: 400 })
    assert.deepEqual(seen.failures[0]?.sentinelAddress, at(first))
    assert.equal(seen.failures[0]?.error.reason, "timeout")
    assert.equal(seen.log.at(-1), `connection ${at(primary)}`)
  })
})

describe("learned sentinels", () => {
  test("are tried after the listed ones", async (t) => {
    const primary = await FakeRedis.start(t)
    const learned = await FakeSentinel.start(t, primary)
    const [first, second] = [await FakeSentinel.start(t, primary), await FakeSentinel.start(t, primary)]
    first.others = [learned, second]
    const { conn, seen } = await connected(t, through([first, second]))
    assert.equal(learned.connections.length, 0)
    await Promise.all([first.stop(), second.stop()])
    for (const each of primary.open) each.reset()
    await until(() => seen.connections.length === 2)
    assert.equal(await conn.command(["ECHO", "a"]), "a")
    assert.deepEqual(sentinelFailures(seen), [
      [at(first), "refused"],
      [at(second), "refused"],
    ])
    assert.ok(learned.asked >= 1)
  })

  test("lead on to what they know", async (t) => {
    const primary = await FakeRedis.start(t)
    const [first, second] = [await FakeSentinel.start(t, primary), await FakeSentinel.start(t, primary)]
    const third = await FakeSentinel.start(t, primary)
    first.others = [second]
    second.others = [first, third]
    const { seen } = await connected(t, through([first]))
    const again = async (count: number) => {
      for (const each of primary.open) each.reset()
      await until(() => seen.connections.length === count)
    }
    await first.stop()
    await again(2)
    await second.stop()
    await again(3)
    assert.ok(third.asked >= 1)
  })

  test("are not forgotten because the last one that answered does not name itself", async (t) => {
    const primary = await FakeRedis.start(t)
    const [listed, last, third] = [
      await FakeSentinel.start(t, primary),
      await FakeSentinel.start(t, primary),
      await FakeSentinel.start(t, primary),
    ]
    listed.others = [last, third]
    last.others = [listed, third]
    third.others = [listed, last]
    const { seen } = await connected(t, through([listed]))
    await Promise.all([listed.stop(), third.stop()])
    for (let count = 2; count <= 5; count++) {
      for (const each of primary.open) each.reset()
      await until(() => seen.connections.length === count)
    }
    assert.ok(!seen.log.includes("failed no-viable-sentinel"), seen.log.join(", "))
  })

  test("are not asked twice when they are listed as well", async (t) => {
    const [first, second] = [await FakeSentinel.start(t), await FakeSentinel.start(t)]
    first.others = [second]
    second.others = [first]
    const { seen } = started(t, through([first, second]))
    await until(() => seen.log.includes("failed no-viable-sentinel"))
    assert.deepEqual(seen.log.slice(0, 3), [
      `failed ${at(first)}`,
      `failed ${at(second)}`,
      "failed no-viable-sentinel",
    ])
  })

  test("are asked in the same attempt when the listed one leads astray", async (t) => {
    const [primary, replica] = [await FakeRedis.start(t), await FakeRedis.start(t, "slave")]
    const [listed, learned] = [await FakeSentinel.start(t, replica), await FakeSentinel.start(t, primary)]
    listed.others = [learned]
    const conn = closing(t, await Redix.connect(through([listed])))
    assert.equal(await conn.command(["ECHO", "a"]), "a")
  })
})

describe("when no sentinel helps", () => {
  const secrets = ["sentinel-secret", "server-secret", "uri-secret"]

  test("`connect` rejects with what each of them said, and with no secret", async (t) => {
    const replica = await FakeRedis.start(t, "slave", { login: { password: "server-secret" } })
    const dead = `127.0.0.1:${await freePort()}`
    const login = { password: "sentinel-secret" }
    const unknowing = await FakeSentinel.start(t, undefined, { login })
    const lying = await FakeSentinel.start(t, replica, { login })
    const broken = await FakeSentinel.start(t, replica, { login })
    broken.script = ([name]) =>
      name === "SENTINEL" ? error("IDONTKNOW the reason of this sentinel") : undefined
    const wary = await FakeSentinel.start(t, replica, { login: { password: "another" } })
    const uri = wary.url.replace("//", "//:uri-secret@")
    const options = {
      ...through([`redis://${dead}`, unknowing, lying, broken, uri], { password: "sentinel-secret" }),
      password: "server-secret",
    }
    const failure = await connectionFailure(Redix.connect(options), "no-viable-sentinel", "not-sent")
    assert.equal(failure.final, true)
    for (const each of [dead, at(unknowing), at(lying), at(broken), at(wary)]) {
      assert.ok(failure.message.includes(each), `${each} is missing in: ${failure.message}`)
    }
    assert.match(failure.message, /mymaster/)
    assert.match(failure.message, /ECONNREFUSED/)
    assert.match(failure.message, /the reason of this sentinel/)
    assert.match(failure.message, /WRONGPASS/)
    const everything = inspect(failure, { depth: 20, showHidden: true }) + String(failure.stack)
    for (const secret of secrets) assert.ok(!everything.includes(secret), everything)
  })

  test("what waits rejects with it as the cause, and it is all tried again after the backoff", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t)
    const { conn, seen } = started(t, through([sentinel]))
    const waiting = await connectionFailure(conn.command(["ECHO", "a"]), "closed", "not-sent")
    assertConnectionError(waiting.cause, "no-viable-sentinel")
    sentinel.primary = primary
    await reaches(conn, at(primary))
    assert.ok(sentinel.asked >= 2)
    assert.equal(seen.log[0], `failed ${at(sentinel)}`)
    assert.equal(seen.log[1], "failed no-viable-sentinel")
  })

  test("`connect` of a PubSub rejects just the same", async (t) => {
    const sentinel = await FakeSentinel.start(t)
    await connectionFailure(PubSub.connect(through([sentinel])), "no-viable-sentinel")
  })

  test("a connection that must not reconnect ends with it", async (t) => {
    const sentinel = await FakeSentinel.start(t)
    const { conn } = started(t, { ...through([sentinel]), exitOnDisconnection: true })
    assertConnectionError(await conn.closed, "no-viable-sentinel")
    assert.equal(conn.status, "closed")
  })

  test("a group that no sentinel knows is named", async (t) => {
    const sentinel = await FakeSentinel.start(t)
    sentinel.group = "another"
    const failure = await connectionFailure(Redix.connect(through([sentinel])), "no-viable-sentinel")
    assert.match(failure.message, new RegExp(group))
  })
})

describe("while sentinels are asked", () => {
  test("commands wait, and run once the server is found", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    let open = false
    const held: (() => void)[] = []
    sentinel.script = (command, connection) => {
      if (open || command[0]?.toUpperCase() !== "SENTINEL") return undefined
      held.push(() => connection.write(sentinel.reply(command, connection) ?? ""))
      return silence
    }
    const { conn } = started(t, through([sentinel], { timeout: 10_000 }))
    const replies = Promise.all([
      conn.command(["ECHO", "a"]),
      conn.pipeline([
        ["ECHO", "b"],
        ["ECHO", "c"],
      ]),
    ])
    await until(() => held.length > 0)
    assert.equal(conn.status, "connecting")
    open = true
    for (const answer of held) answer()
    assert.deepEqual(await replies, ["a", ["b", "c"]])
    assert.deepEqual(primary.ran("ECHO"), ["a", "b", "c"])
  })

  for (const end of ["close", "destroy"] as const) {
    test(`\`${end}\` ends it at once, and leaves no connection behind`, async (t) => {
      const clock = new Clock(t)
      const sentinel = await FakeSentinel.start(t)
      sentinel.freeze()
      const { conn } = started(t, { ...through([sentinel], { timeout: 20_000 }), timeout: 20_000 })
      const waiting = connectionFailure(conn.command(["ECHO", "a"]), "closed", "not-sent")
      await until(() => sentinel.received.length > 0)
      const ended = conn[end]()
      assert.equal((await clock.stand(waiting)).final, true)
      await ended
      assert.equal(await conn.closed, undefined)
      await clock.standUntil(() => sentinel.open.length === 0)
    })
  }

  test("`destroy` in the middle of confirming the role leaves no connection behind", async (t) => {
    const primary = await FakeRedis.start(t)
    primary.script = () => silence
    const sentinel = await FakeSentinel.start(t, primary)
    const { conn } = started(t, { ...through([sentinel]), timeout: 60_000 })
    await until(() => primary.received.length > 0)
    conn.destroy()
    await until(() => sentinel.open.length === 0 && primary.open.length === 0)
  })

  test("a server that only then starts to listen is found by a later attempt", async (t) => {
    const port = await freePort()
    const sentinel = await FakeSentinel.start(t, { host: "127.0.0.1", port })
    const { conn, seen } = started(t, through([sentinel]))
    await until(() => seen.failures.length > 0)
    const primary = await FakeRedis.start(t, "master", { port })
    await reaches(conn, at(primary))
    assert.equal(seen.disconnections.length, 0)
  })

  test("a server in place of a sentinel is no sentinel", async (t) => {
    const primary = await FakeRedis.start(t)
    const sentinel = await FakeSentinel.start(t, primary)
    const { seen } = await connected(t, through([primary.url, sentinel]))
    assert.equal(seen.failures[0]?.sentinelAddress, at(primary))
  })
})
