import assert from "node:assert/strict"
import { connect, type Socket } from "node:net"
import { after, before, beforeEach, describe, it } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { FakeServer } from "../../support/fake-server.ts"
import { FaultProxy } from "../../support/proxy.ts"
import { once, until } from "../../support/wait.ts"

/** A socket that keeps what it gets and how it ends. */
class Client {
  readonly socket: Socket
  readonly chunks: string[] = []
  ending: "open" | "fin" | "rst" | "refused" = "open"

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port, noDelay: true })
    this.socket.on("data", (chunk) => this.chunks.push(String(chunk)))
    this.socket.on("end", () => {
      this.ending = "fin"
    })
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      this.ending = error.code === "ECONNREFUSED" ? "refused" : "rst"
    })
  }

  get text(): string {
    return this.chunks.join("")
  }

  async say(word: string): Promise<void> {
    this.socket.write(`${word}\r\n`)
    await this.hears(`<${word}>`)
  }

  async hears(text: string): Promise<void> {
    await until(() => this.text.endsWith(text), { timeout: 2000, message: () => `${text}, got ${this.text}` })
  }

  async ends(): Promise<string> {
    await until(() => this.ending !== "open", { timeout: 2000, message: "the end of the connection" })
    return this.ending
  }
}

describe("FaultProxy", () => {
  let server: FakeServer
  let proxy: FaultProxy
  const clients: Client[] = []
  const open = () => {
    const client = new Client(proxy.port)
    clients.push(client)
    return client
  }

  before(async () => {
    server = await FakeServer.start((connection) => {
      connection.onCommand = ([word]) => `<${word}>`
    })
    proxy = await FaultProxy.start(server)
  })
  beforeEach(() => proxy.restore())
  after(async () => {
    for (const { socket } of clients) socket.destroy()
    await proxy.stop()
    await proxy.stop()
    await server.stop()
  })

  it("passes bytes and both kinds of ends on, and counts", async () => {
    const client = open()
    await client.say("one")
    assert.deepEqual(proxy.bytes, { toClient: 5, toServer: 5 })
    assert.equal(proxy.connections, 1)
    assert.equal(proxy.openConnections, 1)
    server.connections.at(-1)?.end()
    assert.equal(await client.ends(), "fin")
    await until(() => proxy.openConnections === 0)
    const other = open()
    await other.say("two")
    server.connections.at(-1)?.reset()
    assert.equal(await other.ends(), "rst")
    const leaving = open()
    await leaving.say("three")
    leaving.socket.resetAndDestroy()
    await server.connections.at(-1)?.closed
  })

  it("ends all connections in order, or breaks them off", async () => {
    const [a, b] = [open(), open()]
    await Promise.all([a.say("x"), b.say("y")])
    proxy.cut()
    assert.deepEqual([await a.ends(), await b.ends()], ["fin", "fin"])
    const c = open()
    await c.say("z")
    proxy.reset()
    assert.equal(await c.ends(), "rst")
    await until(() => proxy.openConnections === 0)
  })

  it("refuses new connections only, until it accepts again", async () => {
    const old = open()
    await old.say("a")
    proxy.refuse()
    assert.equal(await open().ends(), "refused")
    await old.say("b")
    await proxy.accept()
    await open().say("c")
  })

  it("swallows a direction, and delivers it later", async () => {
    const client = open()
    await client.say("a")
    proxy.blackhole("to-client")
    client.socket.write("b\r\n")
    await server.connections.at(-1)?.nextCommand("b")
    const late = open()
    late.socket.write("c\r\n")
    await sleep(20)
    assert.equal(client.text + late.text, "<a>")
    proxy.blackhole("both")
    client.socket.end("d\r\n")
    await sleep(20)
    assert.deepEqual(server.connections.at(-2)?.received, [["a"], ["b"]])
    proxy.restore()
    await client.hears("<a><b><d>")
    await late.hears("<c>")
    assert.equal(await client.ends(), "fin")
  })

  it("keeps the connection of a client that is gone in a black hole", async () => {
    const client = open()
    await client.say("a")
    proxy.blackhole("both")
    client.socket.resetAndDestroy()
    await sleep(20)
    const connection = server.connections.at(-1)!
    assert.equal(await Promise.race([connection.closed.then(() => "closed"), sleep(10, "open")]), "open")
    proxy.restore()
    await connection.closed
  })

  it("holds replies back", async () => {
    const client = open()
    await client.say("a")
    proxy.delay(50)
    const start = performance.now()
    await client.say("b")
    assert.ok(performance.now() - start >= 49)
  })

  it("splits replies into pieces", async () => {
    proxy.split(2)
    const client = open()
    await client.say("abc")
    assert.deepEqual(client.chunks, ["<a", "bc", ">"])
  })

  it("changes replies, knowing where they are", async () => {
    const seen: number[] = []
    const client = open()
    await client.say("a")
    proxy.mutate((chunk, connection, offset) => {
      seen.push(connection, offset)
      return Buffer.from(String(chunk).toUpperCase())
    })
    client.socket.write("b\r\n")
    await client.hears("<B>")
    assert.deepEqual(seen, [proxy.connections - 1, 3])
  })

  it("ends one connection after exactly so many bytes", async () => {
    for (const ending of ["fin", "rst"] as const) {
      const client = open()
      await client.say("a")
      proxy.cutAfterBytes("to-client", 4, ending)
      client.socket.write("bb\r\nc\r\n")
      assert.equal(await client.ends(), ending)
      assert.equal(client.text, "<a><bb>")
      await open().say("again")
    }
  })

  it("loses the reply to a command that the server has got, or half of the command", async () => {
    const client = open()
    proxy.cutAfterBytes("to-client", 0, "rst")
    client.socket.write("a\r\n")
    assert.equal(await client.ends(), "rst")
    assert.equal(client.text, "")
    assert.deepEqual(server.connections.at(-1)?.received, [["a"]])

    const other = open()
    await other.say("b")
    proxy.cutAfterBytes("to-server", 2, "fin")
    other.socket.write("long\r\n")
    assert.equal(await other.ends(), "fin")
    assert.equal(String(server.connections.at(-1)?.receivedBytes), "b\r\nlo")
  })

  it("breaks a connection off when the server cannot be reached", async () => {
    const gone = await FakeServer.start()
    await gone.stop()
    await using lonely = await FaultProxy.start(gone)
    const client = new Client(lonely.port)
    assert.equal(await client.ends(), "rst")
  })

  it("slows a fast server down to a slow client", async () => {
    const client = open()
    await client.say("a")
    const connection = server.connections.at(-1)!
    client.socket.pause()
    const before = proxy.bytes.toClient
    const size = 32 * 1024 * 1024
    connection.write(Buffer.alloc(size))
    await sleep(100)
    assert.ok(proxy.bytes.toClient - before < size)
    client.socket.resume()
    await until(() => proxy.bytes.toClient - before === size)
    await once(client.socket.end(), "close")
  })
})
