/** One command and its reply: formats, exit codes, where the tool connects to, and how it ends. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import { createCertificates } from "../../support/certificates.ts"
import { temporaryFolder } from "../../support/cleanup.ts"
import { RedisServer } from "../../support/server.ts"
import { cleanEnvironment, key, program, Terminal } from "../../support/terminal.ts"
import { until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { run } from "./run.ts"

const server = await sharedServer({ unixSocket: true })
await server.send("HSET", "hash", "field", "value")
await server.send("SET", "text", "grüße\n")
const at = () => ["--url", server.url]

describe("redix COMMAND", () => {
  test("prints the reply with its type in a terminal, and as it is elsewhere", async () => {
    await using terminal = new Terminal([...at(), "HGETALL", "hash"])
    assert.equal(await terminal.exited, 0)
    await terminal.shows('1# "field" => "value"')
    assert.deepEqual(await run([...at(), "HGETALL", "hash"]), {
      code: 0,
      stdout: "field\nvalue\n",
      stderr: "",
    })
    assert.equal((await run([...at(), "GET", "text"])).stdout, "grüße\n\n")
  })

  test("prints JSON, or types also without a terminal", async () => {
    assert.equal((await run([...at(), "--json", "HGETALL", "hash"])).stdout, '{"field":"value"}\n')
    assert.equal((await run([...at(), "--pretty", "GET", "text"])).stdout, '"grüße\\n"\n')
    assert.equal(
      (await run([...at(), "--protocol", "2", "--json", "HGETALL", "hash"])).stdout,
      '["field","value"]\n',
    )
  })

  test("ends with 1 for an error reply, which goes to the standard error", async () => {
    const { code, stdout, stderr } = await run([...at(), "INCR", "text"])
    assert.deepEqual([code, stdout], [1, ""])
    assert.match(stderr, /^\(error\) ERR value is not an integer/)
    const json = await run([...at(), "--json", "INCR", "text"])
    assert.deepEqual([json.code, JSON.parse(json.stdout).error.slice(0, 3)], [1, "ERR"])
  })

  test("helps whoever has forgotten how a command goes", async () => {
    await using wrong = new Terminal([...at(), "GET"])
    assert.equal(await wrong.exited, 1)
    await wrong.shows(/wrong number of arguments[\s\S]*GET key/)
    await using stray = new Terminal([...at(), "GET", "text", "--json"])
    assert.equal(await stray.exited, 1)
    await stray.shows("--json was sent to the server: options of redix stand before the command")
  })

  test("ends with 2 for wrong arguments, before it connects", async () => {
    for (const [args, message] of [
      [["--no-such", "PING"], /unknown option --no-such/],
      [["--url", "http://x", "PING"], /expected it to begin with redis:/],
      [["--json", "--raw", "PING"], /one of them/],
      [["--cert", "x", "PING"], /--cert and --key belong together/],
      [["--ca", "/no/such/file", "PING"], /--ca: ENOENT/],
      [["--sentinel", "a:1", "--port", "1", "PING"], /not together/],
      [["--replica", "PING"], /needs --sentinel/],
      [["SUBSCRIBE", "a"], /use redix subscribe/],
      [["MONITOR"], /cannot be sent/],
    ] as const) {
      const { code, stdout, stderr } = await run(args)
      assert.deepEqual([code, stdout], [2, ""], args.join(" "))
      assert.match(stderr, message)
      assert.doesNotMatch(stderr, /^ +at /m)
    }
  })

  test("ends with 3 and advice where nothing answers", async () => {
    const { code, stderr } = await run(["-p", "1", "-h", "127.0.0.1", "PING"])
    assert.equal(code, 3)
    assert.match(stderr, /ECONNREFUSED[\s\S]*nothing listens there/)
  })

  test("takes its last argument from the standard input, byte for byte", async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 34])
    assert.equal((await run([...at(), "-x", "SET", "bytes"], { input: bytes })).code, 0)
    assert.equal((await run([...at(), "--pretty", "GET", "bytes"])).stdout, '"\\x00\\xff\\n\\r\\""\n')
    const child = spawn(process.execPath, [program, ...at(), "GET", "bytes"], { env: cleanEnvironment() })
    const chunks: Buffer[] = []
    for await (const chunk of child.stdout) chunks.push(chunk)
    assert.deepEqual(Buffer.concat(chunks), Buffer.concat([bytes, Buffer.from("\n")]))
  })

  test("has colours in a terminal, unless NO_COLOR is set", async () => {
    await using coloured = new Terminal([...at(), "GET", "text"])
    await coloured.exited
    await until(() => coloured.output.includes("\u001b[32m"))
    await using plain = new Terminal([...at(), "GET", "text"], { env: { NO_COLOR: "1" } })
    await plain.exited
    await plain.shows('"grüße')
    assert.ok(!plain.output.includes("\u001b[3"))
  })

  test("ends quietly when whoever read its output has gone", async () => {
    await server.send(
      "EVAL",
      "for i = 1, 20000 do redis.call('RPUSH', 'list', string.rep('x', 100)) end",
      "0",
    )
    await using terminal = new Terminal([], {
      command: `{ '${process.execPath}' '${program}' --url ${server.url} LRANGE list 0 -1; echo "code $?" >&2; } | head -n 1 >/dev/null`,
    })
    await terminal.exited
    await terminal.shows("code 141")
    assert.equal(terminal.text, "code 141")
  })

  test("is interrupted by Ctrl-C and by SIGTERM, also while it connects", async () => {
    await using waiting = new Terminal([...at(), "BLPOP", "nothing", "0"])
    await until(async () => /blocked_clients:1/.test(String(await server.send("INFO", "clients"))))
    waiting.type(key.ctrlC)
    assert.equal(await waiting.exited, 130)
    await until(async () => /blocked_clients:0/.test(String(await server.send("INFO", "clients"))))
    await waiting.shows(() => waiting.text === "^C")

    const silent = createServer(() => connected()).listen(0, "127.0.0.1")
    let connected = () => {}
    const connection = new Promise<void>((resolve) => {
      connected = resolve
    })
    await until(() => silent.listening)
    const address = silent.address()
    assert.ok(typeof address === "object" && address !== null)
    await using connecting = new Terminal([
      "-h",
      "127.0.0.1",
      "-p",
      `${address.port}`,
      "--timeout",
      "0",
      "PING",
    ])
    await connection
    connecting.kill("SIGTERM")
    assert.equal(await connecting.exited, 143)
    silent.close()
  })

  test("tells its version, and all about itself", async () => {
    const manifest = new URL("../../package.json", import.meta.url)
    const { version, bin } = JSON.parse(readFileSync(manifest, "utf8"))
    assert.equal(fileURLToPath(new URL(bin.redix, manifest)), program)
    assert.equal((await run(["--version"])).stdout, `redix ${version}\n`)
    const { stdout, code } = await run(["--help"])
    assert.equal(code, 0)
    for (const word of [
      "subscribe",
      "bench",
      "doctor",
      "--sentinel",
      "REDIS_URL",
      "Exit codes",
      "--askpass",
    ]) {
      assert.ok(stdout.includes(word), word)
    }
    assert.ok(stdout.split("\n").every((line) => line.length <= 130))
    for (const mode of ["subscribe", "bench", "doctor"]) {
      assert.match((await run([mode, "--help"])).stdout, new RegExp(`redix .*${mode}`))
    }
  })
})

describe("the connection", () => {
  test("is the one that REDIS_URL names, unless an option says where", async () => {
    const env = { REDIS_URL: `${server.url}/3` }
    assert.equal((await run(["SET", "here", "3"], { env })).stdout, "OK\n")
    assert.equal((await run([...at(), "-n", "3", "GET", "here"])).stdout, "3\n")
    const elsewhere = await run(["-h", "127.0.0.1", "-p", "1", "PING"], { env })
    assert.match(elsewhere.stderr, /127\.0\.0\.1:1/)
  })

  test("goes over a Unix socket", async () => {
    assert.ok(server.path)
    assert.equal((await run(["-s", server.path, "PING"])).stdout, "PONG\n")
    assert.equal((await run(["--url", `unix://${server.path}`, "PING"])).stdout, "PONG\n")
  })

  test("goes over TLS, with trust in whom one says", async () => {
    const certificates = await createCertificates()
    await using secure = await RedisServer.start({ tls: { certificates } })
    const ca = ["--ca", certificates.caFile]
    assert.equal((await run(["--url", secure.url, ...ca, "PING"])).stdout, "PONG\n")
    assert.equal((await run(["-p", `${secure.port}`, ...ca, "PING"])).stdout, "PONG\n")
    assert.equal((await run(["--url", secure.url, "--insecure", "PING"])).stdout, "PONG\n")
    const { code, stderr } = await run(["--url", secure.url, "PING"])
    assert.equal(code, 3)
    assert.match(stderr, /--ca FILE says whom to trust/)
  })

  test("shows its certificate to a server that asks for one", async () => {
    const certificates = await createCertificates()
    await using secure = await RedisServer.start({ tls: { certificates } })
    const files = [
      "--cert",
      join(certificates.dir, "client.crt"),
      "--key",
      join(certificates.dir, "client.key"),
    ]
    const { stdout } = await run(["--url", secure.url, "--ca", certificates.caFile, ...files, "PING"])
    assert.equal(stdout, "PONG\n")
  })
})

describe("a password", () => {
  const secret = "s3cret-pässword"
  let guarded: RedisServer
  before(async () => {
    guarded = await RedisServer.start({ args: ["--requirepass", secret], auth: { password: secret } })
    await guarded.send("ACL", "SETUSER", "app", "on", `>${secret}`, "~*", "+@all")
  })
  after(() => guarded.stop())

  test("is asked for without being shown", async () => {
    await using terminal = new Terminal(["--url", guarded.url, "-u", "app", "--askpass", "ACL", "WHOAMI"])
    await terminal.shows("Password:")
    terminal.type(`wrong\u0015${secret}x${key.backspace}${key.enter}`)
    assert.equal(await terminal.exited, 0)
    await terminal.shows('"app"')
    assert.ok(!terminal.output.includes(secret) && !terminal.output.includes("wrong"))
  })

  test("may be left out by Ctrl-C, which leaves the terminal as it was", async () => {
    await using terminal = new Terminal([], {
      command: `'${process.execPath}' '${program}' --url ${guarded.url} --askpass PING; echo "code $?"; stty -a`,
    })
    await terminal.shows("Password:")
    terminal.type(key.ctrlC)
    await terminal.exited
    await terminal.shows(/code 130[\s\S]* icanon[\s\S]* echo /)
  })

  test("is asked for in the terminal also where commands come from elsewhere", async () => {
    await using terminal = new Terminal([], {
      command: `echo PING | '${process.execPath}' '${program}' --url ${guarded.url} --askpass --replies`,
    })
    await terminal.shows("Password:")
    terminal.enter(secret)
    assert.equal(await terminal.exited, 0)
    await terminal.shows(/PONG[\s\S]*1 command, no errors/)
  })

  test("comes from the environment, the URL or an option", async () => {
    const encoded = encodeURIComponent(secret)
    const ok = [
      run(["--url", guarded.url, "PING"], { env: { REDIS_PASSWORD: secret } }),
      run(["PING"], {
        env: { REDIS_URL: guarded.url.replace("//", `//app:${encoded}@`), REDIS_PASSWORD: "wrong" },
      }),
      run(["--url", guarded.url, "--password", secret, "PING"]),
    ]
    for (const { stdout, stderr } of await Promise.all(ok)) assert.deepEqual([stdout, stderr], ["PONG\n", ""])
  })

  test("that is wrong or missing is said so, and not shown", async () => {
    const wrong = await run(["--url", guarded.url.replace("//", "//:not-this-one@"), "PING"])
    assert.equal(wrong.code, 3)
    assert.match(wrong.stderr, /WRONGPASS[\s\S]*--askpass/)
    assert.ok(!wrong.stderr.includes("not-this-one"))
    const missing = await run(["--url", guarded.url, "PING"])
    assert.equal(missing.code, 3)
    assert.match(missing.stderr, /NOAUTH/)
    const misread = await run(["--url", "redis://user:pw/with-slash@host", "PING"])
    assert.equal(misread.code, 2)
    assert.ok(!misread.stderr.includes("with-slash"))
  })

  test("is not to be seen in the list of processes", { skip: process.platform !== "linux" }, async () => {
    await using terminal = new Terminal(["--url", guarded.url, "--password", secret, "BLPOP", "nothing", "0"])
    await until(async () => /blocked_clients:1/.test(String(await guarded.send("INFO", "clients"))))
    const line = readFileSync(`/proc/${terminal.pid}/cmdline`, "utf8")
    assert.match(line, /^redix/)
    assert.ok(!line.includes(secret))
    terminal.type(key.ctrlC)
    assert.equal(await terminal.exited, 130)
  })
})

test("the history is nowhere but at the prompt", async () => {
  const file = join(temporaryFolder("history"), "history")
  await run([...at(), "PING"], { env: { REDIX_HISTORY: file } })
  assert.throws(() => readFileSync(file))
})
