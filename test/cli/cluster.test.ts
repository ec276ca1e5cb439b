/** Every mode of the tool with a real cluster of three primaries and three replicas. */
import assert from "node:assert/strict"
import { after, before, beforeEach, describe, test } from "node:test"
import { type ClusterNode, keyIn, RedisCluster, slotOf } from "../../support/cluster.ts"
import { FakeCluster } from "../../support/fake-cluster.ts"
import { RedisServer } from "../../support/server.ts"
import { key, Terminal } from "../../support/terminal.ts"
import { until } from "../../support/wait.ts"
import { run } from "./run.ts"

let cluster: RedisCluster
let single: RedisServer
let seed: ClusterNode

before(async () => {
  ;[cluster, single] = await Promise.all([RedisCluster.start(), RedisServer.start()])
})
after(() => Promise.all([cluster.stop(), single.stop()]))
beforeEach(async () => {
  ;[seed] = (await cluster.primaries()) as [ClusterNode]
  await Promise.all((await cluster.primaries()).map((node) => node.send("FLUSHALL")))
})

const at = () => ["--cluster", "--url", seed.url]

/** A key that some other primary has than the one that is asked first. */
async function strangersKey(): Promise<string> {
  for (let index = 0; ; index++) {
    const name = `stranger:${index}`
    if ((await cluster.primaryOf(slotOf(name))) !== seed) return name
  }
}

describe("redix --cluster COMMAND", () => {
  test("finds keys wherever they are, by one node or several, as URLs or host and port", async () => {
    const name = await strangersKey()
    assert.equal((await run([...at(), "SET", name, "1"])).stdout, "OK\n")
    const [first = "", second = ""] = cluster.urls(2)
    const places = [
      ["--url", first],
      ["--url", second, "--url", first],
      ["--url", "redis://127.0.0.1:1", "--url", `${first}/0`],
      ["-h", seed.host, "-p", `${seed.port}`],
    ]
    for (const place of places) {
      const { code, stdout, stderr } = await run(["--cluster", ...place, "GET", name])
      assert.deepEqual([code, stdout, stderr], [0, "1\n", ""], place.join(" "))
    }
    const { stdout } = await run(["--cluster", "GET", name], { env: { REDIS_URL: first } })
    assert.equal(stdout, "1\n")
  })

  test("is advised by a server that knows another node", async () => {
    const { code, stderr } = await run(["--url", seed.url, "GET", await strangersKey()])
    assert.equal(code, 1)
    assert.match(stderr, /\(error\) MOVED \d+ .*\n.*with --cluster it is found/)
  })

  test("says what to do about errors of a cluster", async () => {
    const crossing = await run([...at(), "MSET", "a", "1", "b", "2"])
    assert.equal(crossing.code, 1)
    assert.match(crossing.stderr, /CROSSSLOT.*\n.*give them one \{tag\}/)
    const nobody = await run(["--cluster", "-h", "127.0.0.1", "-p", "1", "PING"])
    assert.equal(nobody.code, 3)
    assert.match(nobody.stderr, /127\.0\.0\.1:1: .*ECONNREFUSED[\s\S]*nothing listens there/)
    const alone = await run(["--cluster", "--url", single.url, "PING"])
    assert.equal(alone.code, 3)
    assert.match(alone.stderr, /this server is no node of a cluster: leave --cluster out/)
  })

  test("does not send what is of one connection", async () => {
    const refusals: [string[], RegExp][] = [
      [["MULTI"], /as a whole/],
      [["SELECT", "1"], /database 0 only/],
      [["SCAN", "0"], /cursors are those of one node/],
      [["CLIENT", "TRACKING", "ON"], /without --cluster/],
      [["SUBSCRIBE", "a"], /use redix subscribe/],
    ]
    for (const [words, message] of refusals) {
      const { code, stderr } = await run([...at(), ...words])
      assert.equal(code, 2, words.join(" "))
      assert.match(stderr, message)
    }
  })

  test("takes options that make sense with it, and shows no password", async () => {
    const wrong: [string[], RegExp][] = [
      [["--url", "redis://a", "--url", "redis://b", "PING"], /only --cluster takes several/],
      [["--cluster", "--url", "redis://a:1/3", "PING"], /database 0 only/],
      [["--cluster", "-n", "3", "PING"], /database 0 only/],
      [["--cluster", "-s", "/tmp/x", "PING"], /--socket/],
      [["--cluster", "--url", "redis://a", "-p", "1", "PING"], /by --url, or/],
      [["--cluster", "--url", "redis://a", "--url", "rediss://b", "PING"], /ask for TLS/],
      [["--cluster", "--url", "redis://u:hidden@a", "--url", "redis://b", "PING"], /hold for all nodes/],
      [["--cluster", "--url", "http://u:hidden@a", "PING"], /has to be redis:/],
      [["--cluster", "--url", "redis://u:hid%den@a", "PING"], /percent-encoded/],
    ]
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await run(args)
      assert.equal(code, 2, args.join(" "))
      assert.match(stderr, message)
      assert.doesNotMatch(stdout + stderr, /hid/)
    }
    const refused = await run(["--cluster", "--url", seed.url.replace("//", "//me:hidden@"), "PING"])
    assert.equal(refused.code, 3)
    assert.match(refused.stderr, /WRONGPASS[\s\S]*check user and password/)
    assert.doesNotMatch(refused.stderr, /hidden/)
  })
})

describe("redix --cluster < file", () => {
  test("sends commands to their nodes, and prints replies in their order", async () => {
    const count = 2500
    const names = Array.from({ length: count }, (_, index) => `pipe:${index}`)
    const input = names.map((name, index) => `SET ${name} ${index}\nGET ${name}\n`).join("")
    const { code, stdout, stderr } = await run([...at(), "--raw"], { input })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /^5,000 commands, no errors/)
    assert.equal(stdout, names.map((_, index) => `OK\n${index}\n`).join(""))
    assert.deepEqual(
      await cluster.values(names),
      names.map((_, index) => `${index}`),
    )
  })

  test("sends each transaction as a whole, and not at all where it cannot be", async () => {
    const long = "INCR {tx}:n\n".repeat(1500)
    const input = `MULTI\n${long}EXEC\nMULTI\nSET a 1\nSET b 1\nEXEC\nMULTI\nSET {c}1 1\nWATCH {c}1\nEXEC\nGET {tx}:n\nMULTI\nINCR {tx}:n\n`
    const { code, stdout, stderr } = await run([...at(), "--raw"], { input })
    assert.equal(code, 1)
    assert.match(stderr, /^ {2}line 1503 {2}MULTI {2}CROSSSLOT/m)
    assert.match(stderr, /^ {2}line 1508 {2}SET {2}not sent: between MULTI and EXEC: WATCH in a cluster/m)
    assert.match(stderr, /^ {2}line 1513 {2}INCR {2}not sent: MULTI has no EXEC/m)
    assert.deepEqual(await cluster.values(["{tx}:n", "a", "b", "{c}1"]), ["1500", null, null, null])
    assert.match(stdout, /^1500$/m)
  })

  test("tells what one node did for itself", async () => {
    const { code, stderr } = await run(at(), { input: "SET a 1\nFLUSHALL\nDBSIZE\nSCAN 0\n" })
    assert.equal(code, 1)
    assert.match(stderr, /line 2 and 1 other: carried out by one node of the cluster only/)
    assert.match(stderr, /line 4 {2}SCAN {2}not sent/)
  })

  test("advises --cluster for a file that was sent to one node", async () => {
    const { code, stderr } = await run(["--url", seed.url], { input: `GET ${await strangersKey()}\n` })
    assert.equal(code, 1)
    assert.match(stderr, /MOVED[\s\S]*with --cluster it is found/)
  })

  test("keeps the order of one key's commands while its slot moves", async () => {
    const name = await strangersKey()
    const from = await cluster.primaryOf(slotOf(name))
    const input = Array.from({ length: 6000 }, (_, index) => `RPUSH ${name} ${index}\n`).join("")
    const [result] = await Promise.all([run(at(), { input }), cluster.migrateSlot(slotOf(name), seed)])
    try {
      assert.equal(result.code, 0, result.stderr)
      const all = await seed.send("LRANGE", name, "0", "-1")
      assert.deepEqual(
        all,
        Array.from({ length: 6000 }, (_, index) => `${index}`),
      )
    } finally {
      await cluster.migrateSlot(slotOf(name), from)
    }
  })
})

describe("redix --cluster < file, when a node is lost", () => {
  test("tells which lines may have run, and sends nothing twice and nothing more", async () => {
    const [low, high] = [keyIn(1), keyIn(16_000)]
    const lost = new Set<unknown>()
    await using fake = await FakeCluster.start({
      script: ([name, , value], _node, connection) => {
        if (name !== "SET") return
        if (value === "lost") lost.add(connection)
        if (!lost.has(connection)) return "+OK\r\n"
        // By then the replies to what came before it are on their way.
        setImmediate(() => connection.destroy())
        return ""
      },
    })
    const lines = [
      `SET ${low} 1`,
      `SET ${high} 2`,
      "# a comment",
      `SET ${high} lost`,
      `SET ${low} 5`,
      `SET ${high} 6`,
    ]
    // More than what is sent at a time.
    const later = Array.from({ length: 3000 }, (_, index) => `SET ${low} later:${index}`)
    const input = [...lines, ...later].join("\n")
    const args = ["--cluster", "--url", fake.urls(1)[0] ?? "", "--timeout", "1000"]
    const { code, stderr } = await run(args, { input })
    assert.equal(code, 3)
    assert.match(stderr, /^998 commands, no errors/)
    assert.match(stderr, /what is in lines 4, 6 may have run or not/)
    assert.match(stderr, /nothing after line 1001 was sent/)
    const values = fake.commands.filter(([name]) => name === "SET").map(([, , value]) => value)
    assert.equal(new Set(values).size, values.length, "nothing was sent twice")
    assert.ok(!values.includes("later:2000"))
  })
})

describe("the prompt of a cluster", () => {
  const prompt = () => `cluster ${seed.address} (3 nodes)>`

  async function open(): Promise<Terminal> {
    const terminal = new Terminal(at())
    await terminal.shows(() => terminal.lastLine === prompt())
    return terminal
  }

  test("shows the cluster, and follows keys unseen", async () => {
    await using terminal = await open()
    const name = await strangersKey()
    terminal.enter(`SET ${name} here`)
    await terminal.shows(/^OK$/m)
    terminal.enter(`GET ${name}`)
    await terminal.shows(/^"here"$/m)
    assert.doesNotMatch(terminal.text, /MOVED/)
    terminal.enter("MGET a b c")
    await terminal.shows(/CROSSSLOT.*\n.*\{tag\}/)
    terminal.enter("DBSIZE")
    await terminal.shows(/\(integer\) \d\n {2}of one node of the cluster only/)
    terminal.enter("SCAN 0")
    await terminal.shows("SCAN in a cluster: its cursors are those of one node")
  })

  test("collects transactions, and sends them as a whole", async () => {
    await using terminal = await open()
    terminal.enter("MULTI")
    await terminal.shows("MULTI in a cluster is sent as a whole: :pipeline, MULTI, …, EXEC, :send")
    for (const line of [":pipeline", "GET a", "MULTI", "SET {t}1 x", "INCR {t}2", "EXEC", ":send"])
      terminal.enter(line)
    await terminal.shows(/5› EXEC\n1\) "OK"\n2\) \(integer\) 1\n5 commands in one round trip/)
    for (const line of [":pipeline", "MULTI", "SET a 1", ":send"]) terminal.enter(line)
    await terminal.shows("not sent: MULTI has no EXEC")
  })

  test("shows when a node is away, and when another has taken its place", async () => {
    await using terminal = await open()
    const name = await strangersKey()
    const lost = await cluster.primaryOf(slotOf(name))
    const [replica] = await cluster.replicasOf(lost)
    assert.ok(replica)
    terminal.type("GET half")
    await cluster.kill(lost)
    await terminal.shows(`${lost.address} disconnected`)
    await terminal.shows(() => terminal.cursorLine.before.includes("(2 of 3 nodes)> GET half"))
    await cluster.promoted(replica)
    await terminal.shows(() => terminal.cursorLine.before === `${prompt()} GET half`)
    terminal.enter("")
    terminal.enter(`SET ${name} again`)
    await terminal.shows(/^OK$/m)
    await cluster.restart(lost)
    await cluster.healthy()
  })

  test("subscribes, and comes back", async () => {
    await using terminal = await open()
    terminal.enter("SUBSCRIBE news")
    await terminal.shows("subscribed to the channel news")
    await seed.send("PUBLISH", "news", "from a node")
    await terminal.shows('news  "from a node"')
    terminal.type(key.ctrlC)
    await terminal.shows(() => terminal.lastLine === prompt())
  })
})

describe("redix --cluster subscribe", () => {
  test("hears what is published at any node", async () => {
    const heard = run([...at(), "subscribe", "c.*", "--count", "3"])
    const nodes = await cluster.primaries()
    await until(async () => {
      const counts = await Promise.all(nodes.map((node) => node.send("PUBSUB", "NUMPAT")))
      return counts.some((count) => Number(count) > 0)
    })
    for (const [index, node] of nodes.entries()) await node.send("PUBLISH", `c.${index}`, `m${index}`)
    const { code, stdout } = await heard
    assert.equal(code, 0)
    assert.deepEqual(stdout.trim().split("\n").sort(), ["m0", "m1", "m2"])
  })

  test("listens to shard channels where their slot is", async () => {
    const name = await strangersKey()
    const owner = await cluster.primaryOf(slotOf(name))
    if (Number.parseInt(owner.server.version, 10) < 7) return
    const heard = run([...at(), "subscribe", "--shard", name, "--count", "1"])
    await until(async () => Number(((await owner.send("PUBSUB", "SHARDNUMSUB", name)) as unknown[])[1]) === 1)
    await owner.send("SPUBLISH", name, "sharded")
    assert.equal((await heard).stdout, "sharded\n")
  })
})

describe("redix --cluster bench", () => {
  test("spreads its keys over all nodes, and leaves nothing behind", async () => {
    const nodes = await cluster.primaries()
    await Promise.all(nodes.map((node) => node.send("CONFIG", "RESETSTAT")))
    const { code, stdout, stderr } = await run([...at(), "bench", "--json", "--requests", "2000"])
    assert.equal(code, 0, stderr)
    const { tests } = JSON.parse(stdout)
    assert.equal(tests.length, 8)
    for (const { name, errors } of tests) assert.equal(errors, 0, name)
    for (const node of nodes) {
      const stats = String(await node.send("INFO", "commandstats"))
      for (const name of ["set", "get", "mget"]) {
        const calls = Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, "m").exec(stats)?.[1] ?? 0)
        assert.ok(calls > 200, `${name} at ${node.address}: ${calls}`)
      }
      assert.equal(await node.send("DBSIZE"), 0)
    }
  })
})

describe("redix --cluster doctor", () => {
  test("looks at every node, slots, replicas and agreement", async () => {
    await using terminal = new Terminal([...at(), "doctor", "--pings", "20"], { rows: 60 })
    assert.equal(await terminal.exited, 0)
    await terminal.shows(/no problems/)
    for (const line of [
      /^✔ handshake +cluster of 6 nodes in .*, protocol 3$/m,
      /^✔ slots +16,384 of 16,384 served by 3 nodes, epoch \d+$/m,
      /^✔ agreement +6 nodes asked, all of one opinion$/m,
      /^! user +6 nodes: default: .*no password$/m,
      /^✔ round trip/m,
    ]) {
      assert.match(terminal.text, line)
    }
    assert.equal(terminal.text.match(/^✔ node .* primary: answers in .*, ok, epoch .*, slots /gm)?.length, 3)
    assert.equal(terminal.text.match(/^✔ node .* replica: answers in /gm)?.length, 3)
    assert.equal(terminal.text.match(/^✔ replicas /gm)?.length, 3)
  })

  test("finds what is wrong: a slot that is open, a replica that is down, a slot that nobody has", async () => {
    const name = await strangersKey()
    const slot = slotOf(name)
    const owner = await cluster.primaryOf(slot)
    const [replica] = await cluster.replicasOf(owner)
    assert.ok(replica)
    const migration = await cluster.startMigration(slot, seed)
    await cluster.kill(replica)
    await until(async () =>
      String(await seed.send("CLUSTER", "NODES"))
        .split("\n")
        .some((line) => line.startsWith(replica.id) && /[ ,]fail[ ,]/.test(line)),
    )
    const bad = await run([...at(), "doctor", "--pings", "1"])
    assert.match(bad.stdout, new RegExp(`! moving +.*\\[${slot}-`))
    assert.match(bad.stdout, new RegExp(`! replicas +${owner.address}: ${replica.address} \\(down\\)`))
    await migration.abort()
    await cluster.restart(replica)
    await owner.send("CLUSTER", "DELSLOTS", `${slot}`)
    await until(async () => String(await owner.send("CLUSTER", "INFO")).includes("cluster_state:fail"))
    const { code, stdout } = await run(["--cluster", "--url", owner.url, "doctor", "--json", "--pings", "1"])
    assert.equal(code, 1)
    const { ok, findings } = JSON.parse(stdout)
    assert.equal(ok, false)
    assert.ok(
      findings.some(
        ({ what, verdict }: { what: string; verdict: string }) => what !== "user" && verdict === "problem",
      ),
      stdout,
    )
    await owner.send("CLUSTER", "ADDSLOTS", `${slot}`)
    await cluster.healthy()
  })

  test("has the exit code of a connection that there is not", async () => {
    const { code, stdout } = await run(["--cluster", "--url", "redis://127.0.0.1:1", "doctor"])
    assert.equal(code, 3)
    assert.match(stdout, /✘ TCP +.*ECONNREFUSED/)
  })
})
