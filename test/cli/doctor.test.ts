/** The doctor: each thing that it looks at, well and not well. */
import assert from "node:assert/strict"
import { createServer } from "node:net"
import { describe, test } from "node:test"
import { createCertificates } from "../../support/certificates.ts"
import { RedisServer } from "../../support/server.ts"
import { Terminal } from "../../support/terminal.ts"
import { until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { run } from "./run.ts"

const server = await sharedServer()

interface Finding {
  readonly verdict: string
  readonly what: string
  readonly text: string
  readonly advice?: string
}

/** What it finds, by what it looked at; of several the last one. */
async function examine(
  args: readonly string[],
): Promise<{ code: number | null; found: Record<string, Finding> }> {
  const { code, stdout, stderr } = await run([...args, "doctor", "--json", "--pings", "20"])
  assert.equal(stderr, "")
  const { findings } = JSON.parse(stdout) as { findings: Finding[] }
  return { code, found: Object.fromEntries(findings.map((finding) => [finding.what, finding])) }
}

function assertFound(
  found: Record<string, Finding>,
  what: string,
  verdict: string,
  text: RegExp,
  advice?: RegExp,
): void {
  const finding = found[what]
  assert.ok(finding, `nothing about ${what}: ${JSON.stringify(found, undefined, 1)}`)
  assert.equal(finding.verdict, verdict, JSON.stringify(finding))
  assert.match(finding.text, text)
  if (advice) assert.match(finding.advice ?? "", advice)
}

describe("redix doctor", () => {
  test("looks at everything between here and a server, each in a line", async () => {
    await using terminal = new Terminal(["-h", "localhost", "-p", `${server.port}`, "doctor"], { rows: 60 })
    assert.equal(await terminal.exited, 0)
    await terminal.shows(/no problems/)
    for (const line of [
      /^✔ name +localhost is .*127\.0\.0\.1/m,
      /^✔ TCP +127\.0\.0\.1:\d+ answers/m,
      /^✔ handshake +localhost:\d+ in .*, protocol 3$/m,
      /^! user +default: commands \+@all.*no password$/m,
      /^ +→ whoever reaches the port/m,
      /^✔ server +(Redis|Valkey) [\d.]+, standalone, up for/m,
      /^✔ memory +.*used, no limit, noeviction$/m,
      /^✔ persistence/m,
      /^✔ clients +\d+ connected of/m,
      /^✔ clock +the server's is .* this machine's$/m,
      /^✔ role +primary, without replicas$/m,
      /^✔ failover +none since the server was started$/m,
      /^✔ round trip +p50 .*p95 .*p99 .*max .* of 200$/m,
    ]) {
      assert.match(terminal.text, line)
    }
  })

  test("says what to do where no name, no port or no answer is", async () => {
    const unknown = await examine(["-h", "no-such-host.invalid"])
    assert.equal(unknown.code, 3)
    assertFound(unknown.found, "name", "problem", /no-such-host/, /check the name/)
    const refused = await examine(["-h", "127.0.0.1", "-p", "1"])
    assert.equal(refused.code, 3)
    assertFound(refused.found, "TCP", "problem", /ECONNREFUSED/, /nothing listens there/)
    const silent = createServer().listen(0, "127.0.0.1")
    await until(() => silent.listening)
    const address = silent.address()
    assert.ok(typeof address === "object" && address !== null)
    const mute = await examine(["-h", "127.0.0.1", "-p", `${address.port}`, "--timeout", "300"])
    silent.close()
    assert.equal(mute.code, 3)
    assertFound(mute.found, "handshake", "problem", /./, /nothing answers there in time/)
    const noSocket = await examine(["-s", "/no/such/socket"])
    assertFound(noSocket.found, "socket", "problem", /ENOENT/, /unixsocket/)
  })

  test("looks at the certificate, and whom it is trusted by", async () => {
    const certificates = await createCertificates()
    await using secure = await RedisServer.start({ tls: { certificates } })
    const trusted = await examine(["--url", secure.url, "--ca", certificates.caFile])
    assert.equal(trusted.code, 0)
    // Those of the tests live for two days.
    assertFound(trusted.found, "certificate", "warning", /by ca, until \d{4}-\d\d-\d\d: ends in/, /renew/)
    assertFound(trusted.found, "TLS", "ok", /TLSv1\.[23], /)
    const untrusted = await examine(["--url", secure.url])
    assert.equal(untrusted.code, 3)
    assertFound(untrusted.found, "certificate", "problem", /not trusted/, /--ca FILE/)
    const misnamed = await examine([
      "--url",
      secure.url,
      "--ca",
      certificates.caFile,
      "--servername",
      "other.example",
    ])
    assertFound(misnamed.found, "certificate", "problem", /ALTNAME/, /--servername/)
    const plain = await examine(["-h", "127.0.0.1", "-p", `${server.port}`, "--tls", "--timeout", "2000"])
    assert.equal(plain.code, 3)
    assertFound(plain.found, "TLS", "problem", /./, /is it a TLS port/)
  })

  test("looks at the user and what it may do", async () => {
    await using guarded = await RedisServer.start({ args: ["--requirepass", "pw"], auth: { password: "pw" } })
    const missing = await examine(["--url", guarded.url])
    assert.equal(missing.code, 3)
    assertFound(missing.found, "auth", "problem", /NOAUTH/, /--askpass/)
    const wrong = await examine(["--url", guarded.url, "--password", "wrong-one"])
    assertFound(wrong.found, "auth", "problem", /WRONGPASS/)
    assert.ok(!JSON.stringify(wrong).includes("wrong-one"))
    const right = await examine(["--url", guarded.url, "--password", "pw"])
    assert.equal(right.code, 0)
    assertFound(right.found, "user", "ok", /default: commands \+@all/)
    await guarded.send("ACL", "SETUSER", "little", "on", ">pw", "~a:*", "+ping", "+get")
    const little = await examine(["--url", guarded.url, "-u", "little", "--password", "pw"])
    assert.equal(little.code, 1)
    assertFound(little.found, "server", "problem", /NOPERM/, /ACL SETUSER/)
    assertFound(little.found, "round trip", "ok", /p50/)
  })

  test("tells primaries and replicas apart, and whether they are in step", async () => {
    const primary = await RedisServer.start({ args: ["--repl-diskless-sync-delay", "0"] })
    await using replica = await RedisServer.start({ args: ["--replicaof", primary.host, `${primary.port}`] })
    await until(async () => /master_link_status:up/.test(String(await replica.send("INFO", "replication"))))
    await until(async () => /state=online/.test(String(await primary.send("INFO", "replication"))))
    const of = await examine(["--url", primary.url])
    assertFound(of.found, "role", "ok", new RegExp(`primary of 1 replica: .*:${replica.port}`))
    const it = await examine(["--url", replica.url])
    assertFound(it.found, "role", "ok", new RegExp(`replica of .*:${primary.port}, in step`))
    await primary.stop()
    await until(async () => /master_link_status:down/.test(String(await replica.send("INFO", "replication"))))
    const alone = await examine(["--url", replica.url])
    assert.equal(alone.code, 1)
    assertFound(alone.found, "role", "problem", /the link to it is down/, /is the primary up/)
    await replica.send("REPLICAOF", "NO", "ONE")
    const promoted = await examine(["--url", replica.url])
    assertFound(promoted.found, "failover", "ok", /this server took over/)
  })

  test("asks sentinels, and looks at their group", async () => {
    const primary = await RedisServer.start()
    const config = `sentinel monitor group ${primary.host} ${primary.port} 1`
    await using sentinel = await RedisServer.start({ sentinelConfig: config })
    const at = ["--sentinel", `127.0.0.1:${sentinel.port}`, "--group", "group"]
    const { code, found } = await examine(at)
    assert.equal(code, 0, JSON.stringify(found))
    assertFound(found, "sentinel", "ok", new RegExp(`the primary of group is 127.0.0.1:${primary.port}`))
    assertFound(found, "quorum", "ok", /OK 1 usable/)
    assertFound(found, "group", "warning", /0 replicas, 1 sentinel, quorum 1/)
    assertFound(found, "failovers", "ok", /none so far; the primary has been that for/)
    assertFound(found, "handshake", "ok", new RegExp(`127.0.0.1:${primary.port} in`))
    assert.equal((await run([...at, "SET", "through", "sentinel"])).stdout, "OK\n")
    assert.equal(await primary.send("GET", "through"), "sentinel")
    const mistaken = await examine(["-h", "127.0.0.1", "-p", `${sentinel.port}`])
    assertFound(mistaken.found, "server", "warning", /sentinel/, /--sentinel HOST:PORT/)
    const unknown = await examine(["--sentinel", `127.0.0.1:${sentinel.port}`, "--group", "other"])
    assert.equal(unknown.code, 3)
    assertFound(unknown.found, "sentinel", "problem", /knows no group other/, /--group/)
    const nobody = await examine(["--sentinel", "127.0.0.1:1"])
    assert.equal(nobody.code, 3)
    assertFound(nobody.found, "sentinel", "problem", /127\.0\.0\.1:1/, /nothing listens there/)
    await primary.stop()
  })

  test("looks at the slots and nodes of a cluster", async () => {
    await using node = await RedisServer.start({ args: ["--cluster-enabled", "yes"] })
    const empty = await examine(["--url", node.url])
    assert.equal(empty.code, 1)
    assertFound(empty.found, "cluster", "problem", /fail, 1 node, 0 of 16,384 slots/, /ADDSLOTS/)
    await node.send("CLUSTER", "ADDSLOTSRANGE", "0", "16383").catch(() => undefined)
    await until(async () => /cluster_state:ok/.test(String(await node.send("CLUSTER", "INFO"))))
    const whole = await examine(["--url", node.url])
    assert.equal(whole.code, 0)
    assertFound(whole.found, "cluster", "ok", /ok, 1 node, 16,384 of 16,384 slots served/)
    assertFound(whole.found, "node", "warning", /slots 0-16383; no replica/)
  })
})
