/** The transport against sockets of this process: what is written, read, and told at the end. */
import assert from "node:assert/strict"
import { once } from "node:events"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { describe, it, type TestContext } from "node:test"
import { createServer as createTlsServer } from "node:tls"
import { socketDial } from "../../src/transport/socket.ts"
import type { Transport, TransportEvents } from "../../src/transport/transport.ts"
import { createCertificates } from "../../support/certificates.ts"
import { until } from "../../support/wait.ts"

/** Notes everything that a transport tells. */
class Notes implements TransportEvents {
  readonly told: string[] = []
  error: Error | undefined
  #memory = new Uint8Array(8)
  #received: Buffer[] = []

  get received(): string {
    return Buffer.concat(this.#received).toString()
  }

  onOpen(): void {
    this.told.push("open")
  }

  target(): Uint8Array {
    return this.#memory
  }

  onRead(count: number): void {
    this.#received.push(Buffer.from(this.#memory.subarray(0, count)))
    this.#memory = new Uint8Array(1 + (count % 7))
  }

  onDrain(): void {
    this.told.push("drain")
  }

  onClose(error: Error | undefined): void {
    this.told.push("close")
    this.error = error
  }
}

interface Pair {
  readonly notes: Notes
  readonly transport: Transport
  readonly peer: Socket
}

async function listening(t: TestContext, server: Server): Promise<number> {
  const peers = new Set<Socket>()
  server.on("connection", (peer) => peers.add(peer.on("error", () => {})))
  t.after(() => {
    for (const peer of peers) peer.destroy()
    server.close()
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

/** A transport that has connected, and the peer's end of it. */
async function connected(t: TestContext): Promise<Pair> {
  const server = createServer()
  const port = await listening(t, server)
  const notes = new Notes()
  const accepted = once(server, "connection") as Promise<[Socket]>
  const transport = socketDial({ tls: undefined, socket: { noDelay: true } })(
    { host: "127.0.0.1", port },
    notes,
  )
  t.after(() => transport.destroy())
  assert.equal(transport.stage, "connecting")
  const [peer] = await accepted
  await until(() => notes.told.includes("open"))
  return { notes, transport, peer }
}

describe("a transport over TCP", () => {
  it("tells when it is open, and closes when it is destroyed", async (t) => {
    const { notes, transport } = await connected(t)
    assert.deepEqual([transport.stage, transport.isClosed, transport.buffered], ["open", false, 0])
    transport.destroy()
    assert.equal(transport.isClosed, false)
    await until(() => transport.isClosed)
    assert.deepEqual([notes.told, notes.error], [["open", "close"], undefined])
  })

  it("writes the pieces as one, in order, and says that their memory is free", async (t) => {
    const { transport, peer } = await connected(t)
    const received: Buffer[] = []
    peer.on("data", (chunk: Buffer) => received.push(chunk))
    assert.equal(transport.write([Buffer.from("a"), Buffer.from("bc"), Buffer.from("d")]), true)
    assert.equal(transport.write([Buffer.from("e")]), true)
    await until(() => Buffer.concat(received).length === 5)
    assert.equal(Buffer.concat(received).toString(), "abcde")
  })

  it("reads into the memory that it is given, whatever its size, and tells new events of what comes then", async (t) => {
    const { notes, transport, peer } = await connected(t)
    peer.write("0123456789".repeat(20))
    await until(() => notes.received.length === 200)
    assert.equal(notes.received, "0123456789".repeat(20))
    const others = new Notes()
    transport.events = others
    peer.write("later")
    await until(() => others.received.length === 5)
    assert.equal(notes.received.length, 200)
    transport.destroy()
    await until(() => transport.isClosed)
    assert.deepEqual([notes.told, others.told], [["open"], ["close"]])
  })

  it("says that memory is not free while the peer does not read, and when it has drained", async (t) => {
    const { notes, transport, peer } = await connected(t)
    peer.pause()
    const piece = Buffer.alloc(1 << 20)
    let writes = 0
    while (transport.write([piece])) assert.ok(++writes < 200)
    assert.ok(transport.buffered > 0)
    assert.equal(transport.write([Buffer.from("small")]), false)
    peer.resume()
    await until(() => notes.told.includes("drain"))
    assert.equal(transport.buffered, 0)
    assert.equal(transport.write([Buffer.from("small")]), true)
  })

  it("closes without an error when the peer ends", async (t) => {
    const { notes, peer } = await connected(t)
    peer.end()
    await until(() => notes.told.includes("close"))
    assert.deepEqual([notes.told, notes.error], [["open", "close"], undefined])
  })

  it("closes with the error of a connection that was reset", async (t) => {
    const { notes, peer } = await connected(t)
    peer.resetAndDestroy()
    await until(() => notes.told.includes("close"))
    assert.match(String(notes.error?.message), /ECONNRESET/)
  })

  it("closes with the error of a connection that was refused", async (t) => {
    const server = createServer()
    const port = await listening(t, server)
    server.close()
    const notes = new Notes()
    const transport = socketDial({ tls: undefined, socket: {} })({ host: "127.0.0.1", port }, notes)
    await until(() => transport.isClosed)
    assert.deepEqual([notes.told, transport.stage], [["close"], "connecting"])
    assert.match(String(notes.error?.message), /ECONNREFUSED/)
  })
})

describe("a transport over TLS", () => {
  it("says of a large piece that it is still read while anything waits to be written", async (t) => {
    const { ca, serverCert, serverKey } = await createCertificates()
    const server = createTlsServer({ cert: serverCert, key: serverKey }, (peer) => peer.pause())
    const port = await listening(t, server)
    const notes = new Notes()
    const transport = socketDial({ tls: { ca }, socket: {} })({ host: "127.0.0.1", port }, notes)
    t.after(() => transport.destroy())
    await until(() => notes.told.includes("open"))
    transport.write([Buffer.alloc(1 << 20)])
    transport.write([Buffer.from("small")])
    assert.ok(transport.buffered > 0)
  })
})
