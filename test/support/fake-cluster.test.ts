import assert from "node:assert/strict"
import { connect } from "node:net"
import { describe, it } from "node:test"
import { FakeCluster } from "../../support/fake-cluster.ts"
import { error } from "../../support/fake-server.ts"
import { request } from "../../support/side-channel.ts"
import { once, until } from "../../support/wait.ts"

describe("FakeCluster", () => {
  it("tells who serves what, as it was told, and records what arrives where", async () => {
    await using cluster = await FakeCluster.start({ primaries: 2, replicasPerPrimary: 1 })
    const [first, second, replica] = cluster.nodes
    assert.ok(first && second && replica)
    const slots = await request(second, ["CLUSTER", "SLOTS"])
    assert.deepEqual(
      slots,
      [
        [0, 8191, ...[0, 2]],
        [8192, 16_383, ...[1, 3]],
      ].map(([from, to, ...indexes]) => [
        from,
        to,
        ...indexes.map((index) => [
          "127.0.0.1",
          cluster.node(index ?? 0).port,
          `${index}`.padStart(40, "0"),
          [],
        ]),
      ]),
    )
    const shards = await request(first, ["CLUSTER", "SHARDS"])
    assert.ok(Array.isArray(shards) && shards.length === 2)
    cluster.assign(100, second)
    assert.equal(cluster.layout.length, 4)
    assert.equal(cluster.primaryOf(99), first)
    assert.equal(cluster.primaryOf(100), second)
    second.layout = "ERR not now"
    await assert.rejects(request(second, ["cluster", "slots"]), /ERR not now/)
    assert.equal(await request(replica, ["GET", "a"]), "OK")
    assert.deepEqual(cluster.commands, [["GET", "a"]])
    assert.deepEqual(replica.commands, [["GET", "a"]])
    assert.equal(cluster.layoutsAsked, 3)
    assert.equal(second.layoutsAsked, 2)
    assert.deepEqual(await replica.nextCommand("GET"), ["GET", "a"])
  })

  it("answers by the script of the node, then by that of the cluster", async () => {
    await using cluster = await FakeCluster.start({
      script: ([name, key]) => (name === "GET" ? error(`MOVED 1 ${key}`) : undefined),
    })
    const [first, second] = cluster.nodes
    assert.ok(first && second)
    first.script = ([name], _, connection) => {
      if (name === "GET") return error("ASK 1 here:1")
      if (name === "DROP") connection.reset()
      return name === "HUSH" ? "" : undefined
    }
    await assert.rejects(request(first, ["GET", "a"]), /ASK 1 here:1/)
    await assert.rejects(request(second, ["GET", "there:2"]), /MOVED 1 there:2/)
    await assert.rejects(request(first, ["HUSH"], 50), /no reply/)
    await assert.rejects(request(first, ["DROP"]))
  })

  it("knows transactions, and what the third protocol is", async () => {
    await using cluster = await FakeCluster.start({ primaries: 1 })
    const [node] = cluster.nodes
    assert.ok(node)
    const socket = connect(node.port, node.host).on("error", () => {})
    let text = ""
    socket.on("data", (chunk: Buffer) => {
      text += chunk
    })
    socket.write("MULTI\r\nSET a 1\r\nINCR b\r\nEXEC\r\nEXEC\r\nHELLO 3\r\nCLUSTER SLOTS\r\n")
    await until(() => text.endsWith("%0\r\n"))
    assert.ok(
      text.startsWith("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+OK\r\n-ERR EXEC without MULTI\r\n%7\r\n"),
    )
    assert.equal(cluster.openConnections, 1)
    node.reset()
    await once(socket, "close")
    await until(() => cluster.openConnections === 0)
  })

  it("has a thousand nodes if need be, and one that stops and comes back", async () => {
    await using cluster = await FakeCluster.start({ primaries: 1000 })
    assert.equal(new Set(cluster.nodes.map(({ port }) => port)).size, 1000)
    const last = cluster.primaryOf(16_383)
    const slots = await request(last, ["CLUSTER", "SLOTS"])
    assert.ok(Array.isArray(slots) && slots.length === 1000)
    await last.server.stop()
    await assert.rejects(request(last, ["PING"]), { code: "ECONNREFUSED" })
    await cluster.restart(last)
    assert.equal(await request(last, ["PING"]), "PONG")
  })
})
