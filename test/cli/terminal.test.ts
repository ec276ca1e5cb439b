/** The terminal itself: how it is left and found again, what it cannot do, and what data must not do to it. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import { RedisServer } from "../../support/server.ts"
import { key, program, Terminal } from "../../support/terminal.ts"
import { until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { run } from "./run.ts"

const server = await sharedServer()
const prompt = `127.0.0.1:${server.port}>`
const tool = `'${process.execPath}' '${program}'`
const ctrlZ = "\u001a"

/** A shell that can stop its jobs and take them back. */
async function shell(env: Record<string, string> = {}): Promise<Terminal> {
  const terminal = new Terminal([], {
    command: "exec bash --norc --noprofile -i",
    env: { PS1: "shell> ", ...env },
  })
  await terminal.shows(() => terminal.lastLine === "shell>")
  return terminal
}

const atShell = (terminal: Terminal) => terminal.shows(() => terminal.lastLine.startsWith("shell>"))

/** It echoes, and takes lines. */
async function assertSane(terminal: Terminal): Promise<void> {
  terminal.enter("clear; stty -a")
  await terminal.shows(/ icanon[\s\S]* echo /)
}

describe("the terminal", () => {
  test("is given back by Ctrl-Z, and taken again with what was typed", async () => {
    await using terminal = await shell()
    terminal.enter(`${tool} --url ${server.url}`)
    await terminal.shows(() => terminal.lastLine === prompt)
    terminal.type("SET suspended ")
    await terminal.shows(() => terminal.cursorLine.before.endsWith("SET suspended "))
    terminal.type(ctrlZ)
    await atShell(terminal)
    await assertSane(terminal)
    terminal.enter("clear; fg")
    await terminal.shows(() => terminal.cursorLine.before === `${prompt} SET suspended `)
    terminal.type(`yes${key.enter}`)
    await terminal.shows(/^OK$/m)
    assert.equal(await server.send("GET", "suspended"), "yes")
    terminal.type(key.ctrlD)
    await atShell(terminal)
    await assertSane(terminal)
  })

  test("is given back by Ctrl-Z while a command runs", async () => {
    await using terminal = await shell()
    terminal.enter(`${tool} --url ${server.url}`)
    await terminal.shows(() => terminal.lastLine === prompt)
    terminal.enter("BLPOP nothing 0")
    await until(async () => String(await server.send("INFO", "clients")).includes("blocked_clients:1"))
    terminal.type(ctrlZ)
    await atShell(terminal)
    await assertSane(terminal)
    terminal.enter("clear; fg")
    await server.send("RPUSH", "nothing", "came")
    await terminal.shows('2) "came"')
    await terminal.shows(() => terminal.lastLine === prompt)
    terminal.type("typed")
    await terminal.shows(() => terminal.cursorLine.before === `${prompt} typed`)
    terminal.type(`${key.ctrlC}${key.ctrlD}`)
    await atShell(terminal)
    await assertSane(terminal)
  })

  test("is as it was after SIGTERM, and after an error that nobody foresaw", async () => {
    for (const end of ["SIGTERM", "crash"] as const) {
      await using terminal = await shell(
        end === "crash"
          ? {
              NODE_OPTIONS:
                "--import=data:text/javascript,process.once('SIGUSR2',()=>{throw%20new%20Error('unforeseen')})",
            }
          : {},
      )
      terminal.enter(`sh -c 'echo process $$; exec ${tool.replaceAll("'", "")} --url ${server.url}'`)
      await terminal.shows(() => terminal.lastLine === prompt)
      const pid = Number(/^process (\d+)$/m.exec(terminal.text)?.[1])
      process.kill(pid, end === "crash" ? "SIGUSR2" : "SIGTERM")
      await atShell(terminal)
      await assertSane(terminal)
    }
  })

  test("is not written to with sequences that it does not know", async () => {
    await using terminal = new Terminal(["--url", server.url], { env: { TERM: "dumb" } })
    await terminal.shows(() => terminal.lastLine === prompt)
    terminal.enter("SET dumb 1")
    await terminal.shows(/^OK$/m)
    terminal.enter("HGETALL dumb")
    await terminal.shows("WRONGTYPE")
    terminal.type(key.ctrlC)
    await terminal.shows("Ctrl-C once more")
    terminal.type(key.ctrlD)
    assert.equal(await terminal.exited, 0)
    assert.ok(!terminal.output.includes("\u001b"), JSON.stringify(terminal.output))
  })

  test("has no colours with NO_COLOR, in no mode", async () => {
    for (const args of [["GET", "x"], ["INCR", "text"], ["doctor", "--pings", "1"], ["--help"], ["NOSUCH"]]) {
      await server.send("SET", "text", "a")
      await using terminal = new Terminal(["--url", server.url, ...args], { env: { NO_COLOR: "1" } })
      await terminal.exited
      assert.doesNotMatch(terminal.output, /\p{Cc}\[[\d;]*m/u, args.join(" "))
    }
  })

  test("has nothing done to it by data, as text or as JSON", async () => {
    const evil = "\u001b[2J\u009b2J\u0007\u202e\u2066\u007f\r"
    await server.send("HSET", evil, evil, evil)
    const commands = [
      ["KEYS", "*2J*"],
      ["HGETALL", evil],
      ["EVAL", "return redis.error_reply(KEYS[1])", "1", evil],
    ]
    for (const format of ["--pretty", "--json"]) {
      for (const words of commands) {
        const { stdout, stderr } = await run(["--url", server.url, format, ...words])
        assert.doesNotMatch(stdout + stderr, /[^\P{Cc}\n]|\p{Cf}/u, `${format} ${words[0]}`)
      }
    }
    const { stdout } = await run(["--url", server.url, "--json", "HGETALL", evil])
    assert.deepEqual(JSON.parse(stdout), { [evil]: evil })
    await server.send("DEL", evil)
  })

  test("shows a star for each column of a password, whatever its characters", async () => {
    await using terminal = new Terminal(["--url", server.url])
    await terminal.shows(() => terminal.lastLine === prompt)
    terminal.type("AUTH 密码é́😀x")
    await terminal.shows(() => terminal.cursorLine.before === `${prompt} AUTH ********`)
    terminal.type(`${key.left}${key.left}${key.backspace}`)
    await terminal.shows(() => terminal.cursorLine.before === `${prompt} AUTH *****`)
    assert.doesNotMatch(terminal.output, /密|码|😀/u)
  })
})

describe("--askpass", () => {
  test("takes characters in pieces, and no keys that write nothing", async () => {
    const password = "pä€😀s"
    await using guarded = await RedisServer.start({ args: ["--requirepass", password] })
    await using terminal = new Terminal(["-h", "127.0.0.1", "-p", `${guarded.port}`, "--askpass", "PING"])
    await terminal.shows("Password:")
    terminal.type(`${password}\u001b[D\u001b[3~${key.enter}`)
    await terminal.shows(/^PONG$/m)
    assert.doesNotMatch(terminal.output, /€/)
  })

  test("is ended by SIGTERM and Ctrl-C, and can be stopped", async () => {
    for (const end of ["SIGTERM", "Ctrl-C"] as const) {
      await using terminal = new Terminal(["--askpass", "PING"])
      await terminal.shows("Password:")
      if (end === "SIGTERM") terminal.kill(end)
      else terminal.type(key.ctrlC)
      assert.equal(await terminal.exited, end === "SIGTERM" ? 143 : 130)
    }
    await using terminal = await shell()
    terminal.enter(`${tool} --url ${server.url} --askpass ACL WHOAMI`)
    await terminal.shows("Password:")
    terminal.type(`wro${ctrlZ}`)
    await atShell(terminal)
    await assertSane(terminal)
    terminal.enter("clear; fg")
    await terminal.shows("Password:")
    terminal.type(`ng${key.enter}`)
    await atShell(terminal)
    await assertSane(terminal)
    assert.doesNotMatch(terminal.output, /wro|ng\r\n/)
  })
})

describe("a reader that has seen enough", () => {
  test("ends the tool, with the exit code of a broken pipe", async () => {
    await server.send("EVAL", "for i = 1, 50000 do redis.call('RPUSH', 'long', i) end", "0")
    for (const args of ["LRANGE long 0 -1", "--json LRANGE long 0 -1", "--replies"]) {
      const input = args === "--replies" ? "yes PING |" : ""
      await using terminal = new Terminal([], {
        command: `(${input} ${tool} --url ${server.url} ${args}; echo "code $?" >&2) | head -c 5`,
      })
      await terminal.exited
      await terminal.shows("code 141")
    }
  })
})

describe("a command without a reply", () => {
  test("is said to have run, maybe", async () => {
    await using fake = await FakeServer.start((connection) => {
      connection.onCommand = (command) => {
        if (command[0] !== "INCR") return handshake(command)
        connection.destroy()
        return undefined
      }
    })
    const { code, stderr } = await run(["--url", fake.url, "INCR", "a"])
    assert.equal(code, 3)
    assert.match(stderr, /it may have run on the server/)
  })
})
