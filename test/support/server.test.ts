import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { connect, createServer } from "node:net"
import { describe, it } from "node:test"
import { connect as connectTls } from "node:tls"
import { createCertificates } from "../../support/certificates.ts"
import { listen } from "../../support/port.ts"
import { freePort, RedisServer } from "../../support/server.ts"
import { request } from "../../support/side-channel.ts"
import { once, until } from "../../support/wait.ts"

describe("RedisServer", () => {
  it("answers when it has started, and leaves nothing when it has stopped", async () => {
    const server = await RedisServer.start({ unixSocket: true })
    assert.equal(await server.send("PING"), "PONG")
    assert.equal(await server.send("SET", "key", "é\r\n"), "OK")
    assert.equal(await server.send("GET", "key"), "é\r\n")
    assert.equal(await server.send("DEBUG", "SLEEP", "0"), "OK")
    await assert.rejects(server.send("NOSUCH"), /^Error: ERR unknown command/)
    assert.equal(server.url, `redis://127.0.0.1:${server.port}`)
    assert.ok(existsSync(server.path!))
    const { pid, dir } = server
    await Promise.all([server.stop(), server.stop()])
    await server.stop()
    assert.equal(server.running, false)
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" })
    assert.equal(existsSync(dir), false)
  })

  it("comes back after SIGKILL on the same port, with acknowledged writes if asked for", async () => {
    await using server = await RedisServer.start({ appendOnly: true })
    const { pid, port } = server
    await server.send("SET", "key", "value")
    await server.kill()
    assert.equal(server.running, false)
    await assert.rejects(server.send("PING"), { code: "ECONNREFUSED" })
    await server.restart()
    assert.notEqual(server.pid, pid)
    assert.equal(server.port, port)
    assert.equal(await server.send("GET", "key"), "value")
  })

  it("can be frozen, thawed, and killed while frozen", async () => {
    await using server = await RedisServer.start()
    server.pause()
    await assert.rejects(request(server, ["PING"], 50), /no reply to PING within 50 ms/)
    server.resume()
    assert.equal(await server.send("PING"), "PONG")
    server.pause()
    await server.kill("SIGTERM")
    assert.equal(server.running, false)
  })

  it("sees only the other clients, and can kill them", async () => {
    await using server = await RedisServer.start()
    const other = connect({ host: server.host, port: server.port }).on("error", () => {})
    await once(other, "connect")
    const list = String(await server.send("CLIENT", "LIST", "TYPE", "normal"))
      .trim()
      .split("\n")
    // One of the two asks.
    assert.equal(list.length, 2)
    const killed = once(other, "close")
    assert.equal(await server.send("CLIENT", "KILL", "LADDR", `${server.host}:${server.port}`), 1)
    await killed
  })

  it("starts with a password, and logs in for commands", async () => {
    await using server = await RedisServer.start({
      args: ["--requirepass", "one"],
      auth: { password: "one" },
    })
    await server.send("CONFIG", "SET", "requirepass", "two")
    await assert.rejects(server.send("PING"), /WRONGPASS/)
    server.auth = { username: "default", password: "two" }
    assert.equal(await server.send("PING"), "PONG")
    server.auth = undefined
    await assert.rejects(server.send("PING"), /NOAUTH/)
  })

  it("speaks TLS, also to clients with a certificate only", async () => {
    const certificates = await createCertificates()
    await using server = await RedisServer.start({ tls: { certificates, clientAuth: true } })
    assert.equal(server.url, `rediss://127.0.0.1:${server.port}`)
    assert.equal(await server.send("PING"), "PONG")
    const stranger = connectTls({ host: server.host, port: server.port, ca: certificates.ca })
    const [error] = await once(stranger, "error")
    assert.match(String(error), /certificate required/i)
    const wary = connectTls({ host: server.host, port: server.port, ca: certificates.otherCa })
    const [distrust] = await once(wary, "error")
    assert.match(String(distrust), /self-signed certificate|unable to/)
  })

  it("runs as a sentinel, which keeps what it has learned over a restart", async () => {
    await using primary = await RedisServer.start()
    const watched = `sentinel monitor main ${primary.host} ${primary.port} 1`
    await using sentinel = await RedisServer.start({ sentinelConfig: watched })
    const address = () => sentinel.send("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")
    assert.deepEqual(await address(), [primary.host, `${primary.port}`])
    await sentinel.send("SENTINEL", "REMOVE", "main")
    await sentinel.restart()
    assert.equal(await address(), null)
  })

  it("shows the log of a server that does not start", async () => {
    await assert.rejects(
      RedisServer.start({ args: ["--no-such-option", "1"] }),
      /ended before .*no-such-option/s,
    )
  })

  it("fails when the port that was asked for is taken, even by a real server", async () => {
    await using other = await RedisServer.start()
    await assert.rejects(RedisServer.start({ port: other.port }), /address already in use/i)
    assert.equal(await other.send("PING"), "PONG")
  })
})

describe("freePort", () => {
  it("returns different ports which are free and leave room for a cluster bus", async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, freePort))
    assert.equal(new Set(ports).size, 20)
    assert.ok(ports.every((port) => port + 10_000 < 32_768))
    const server = createServer()
    assert.equal(await listen(server, ports[0]), ports[0])
    await assert.rejects(listen(createServer(), ports[0]), /cannot listen on/)
    server.close()
    await until(() => !server.listening)
  })
})
