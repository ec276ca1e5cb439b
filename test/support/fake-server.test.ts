import assert from "node:assert/strict"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { describe, it } from "node:test"
import { connect as connectTls } from "node:tls"
import { createCertificates } from "../../support/certificates.ts"
import { temporaryFolder } from "../../support/cleanup.ts"
import { bulk, FakeServer, handshake, simple } from "../../support/fake-server.ts"
import { request } from "../../support/side-channel.ts"
import { once, until } from "../../support/wait.ts"

/** A connected socket and everything that it gets. */
function client(port: number): { socket: Socket; chunks: Buffer[] } {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true })
  const chunks: Buffer[] = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  return { socket, chunks }
}

describe("FakeServer", () => {
  it("answers by its script, and like a healthy server where the script has nothing special", async () => {
    await using server = await FakeServer.start((connection) => {
      connection.onCommand = (command) => handshake(command) ?? bulk(command.join(" "))
    })
    assert.equal(await request(server, ["PING"]), "PONG")
    assert.equal(await request(server, ["GET", "a"]), "GET a")
    assert.equal(await request({ ...address(server), auth: { password: "x" } }, ["SELECT", "1"]), "OK")
    assert.match(handshake(["hello", "3", "SETNAME", "me"]) ?? "", /^%7\r\n\$6\r\nserver\r\n/)
    assert.equal(handshake(["GET", "a"]), undefined)
    assert.equal(server.connections.length, 3)
    assert.deepEqual(server.connections[2]?.received, [
      ["AUTH", "x"],
      ["SELECT", "1"],
    ])
  })

  it("hands out connections and commands in their order, late or early", async () => {
    await using server = await FakeServer.start()
    const arrival = server.nextConnection()
    const { socket } = client(server.port)
    const connection = await arrival
    socket.write("HELLO 3\r\nCLIENT SETNAME é\r\n*2\r\n$3\r\nGET\r\n$2\r\né\r\n")
    assert.deepEqual(await connection.nextCommand("client setname"), ["CLIENT", "SETNAME", "Ã©"])
    assert.deepEqual(await connection.nextCommand(), ["GET", "Ã©"])
    assert.deepEqual(connection.received[0], ["HELLO", "3"])
    assert.match(connection.receivedBytes.toString(), /^HELLO 3\r\nCLIENT SETNAME é\r\n/)
    await assert.rejects(connection.nextCommand("SET", 20), /in vain for command SET/)
    await assert.rejects(server.nextConnection(20), /in vain for a connection/)
    socket.destroy()
    await connection.closed
  })

  it("delivers pieces one by one", async () => {
    await using server = await FakeServer.start()
    const { socket, chunks } = client(server.port)
    await once(socket, "connect")
    await (await server.nextConnection()).writeInPieces(bulk("hello"), 3)
    await until(() => Buffer.concat(chunks).length === 11)
    assert.deepEqual(chunks.map(String), ["$5\r", "\nhe", "llo", "\r\n"])
    socket.destroy()
  })

  it("ends in order, or breaks off", async () => {
    await using server = await FakeServer.start()
    const orderly = client(server.port).socket
    ;(await server.nextConnection()).end()
    await once(orderly, "end")
    const broken = client(server.port).socket
    ;(await server.nextConnection()).reset()
    const [error] = await once(broken, "error")
    assert.equal((error as NodeJS.ErrnoException).code, "ECONNRESET")
  })

  it("stops reading, so the peer can send no more", async () => {
    await using server = await FakeServer.start()
    const { socket } = client(server.port)
    const connection = await server.nextConnection()
    connection.pause()
    socket.write(Buffer.alloc(32 * 1024 * 1024, "PING\r\n"))
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.ok(socket.writableLength > 0)
    socket.destroy()
  })

  it("speaks TLS, and can break that off too", async () => {
    const certificates = await createCertificates()
    await using server = await FakeServer.start(
      (connection) => {
        connection.onCommand = () => simple("OK")
      },
      { tls: certificates },
    )
    assert.equal(await request({ ...address(server), certificates }, ["PING"]), "OK")
    const [first] = server.connections
    await first?.closed
    const socket = connectTls({ ...address(server), ca: certificates.ca })
    // Only after a reply has the client nothing left to write of which it could see the end of the connection.
    socket.write("PING\r\n")
    await once(socket, "data")
    server.connections[1]?.reset()
    const [error] = await once(socket, "error")
    assert.equal((error as NodeJS.ErrnoException).code, "ECONNRESET")
  })

  it("listens on a unix socket, or again on a port that it had", async () => {
    const path = join(temporaryFolder("fake"), "s")
    await using local = await FakeServer.start(undefined, { path })
    const socket = connect(path)
    ;(await local.nextConnection()).reset()
    await once(socket, "close")

    const before = await FakeServer.start()
    const left = client(before.port).socket.on("error", () => {})
    await before.nextConnection()
    await Promise.all([before.stop(), once(left, "close")])
    await using after = await FakeServer.start(undefined, { port: before.port })
    assert.equal(after.port, before.port)
  })
})

function address({ host, port }: FakeServer): { host: string; port: number } {
  return { host, port }
}
