/** The prompt, in a terminal: lines, hints, completion, history, and how the connection is. */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { temporaryFolder } from "../../support/cleanup.ts"
import { RedisServer } from "../../support/server.ts"
import { key, program, Terminal, type TerminalOptions } from "../../support/terminal.ts"
import { until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"

const server = await sharedServer()
const prompt = `127.0.0.1:${server.port}>`

/** The tool at its prompt. */
async function open(options: TerminalOptions = {}, args: readonly string[] = []): Promise<Terminal> {
  const terminal = new Terminal(["--url", server.url, ...args], options)
  await terminal.shows(() => terminal.lastLine === prompt)
  return terminal
}

/** Waits for a reply and the prompt after it. */
async function replied(terminal: Terminal, reply: string | RegExp, next: string = prompt): Promise<void> {
  await terminal.shows(reply)
  await terminal.shows(() => terminal.lastLine === next)
}

describe("the prompt", () => {
  test("greets, answers and leaves", async () => {
    await using terminal = await open()
    assert.match(terminal.text, /^(Redis|Valkey) \d+\.\d+\.\d+\. Tab completes/)
    terminal.enter("SET greeting 'hello world'")
    await replied(terminal, /^OK$/m)
    terminal.enter("GET greeting")
    await replied(terminal, /^"hello world"$/m)
    terminal.enter("HINCRBY greeting f 1")
    await replied(terminal, "(error) WRONGTYPE")
    terminal.type(key.ctrlD)
    assert.equal(await terminal.exited, 0)
  })

  test("leaves by words as well, and by Ctrl-C twice", async () => {
    for (const word of ["quit", "exit", ":quit"]) {
      await using terminal = await open()
      terminal.enter(word)
      assert.equal(await terminal.exited, 0)
    }
    await using terminal = await open()
    terminal.type(key.ctrlC)
    await replied(terminal, "Ctrl-C once more, or Ctrl-D, leaves")
    terminal.type(key.ctrlC)
    assert.equal(await terminal.exited, 130)
  })

  test("leaves the terminal as it was, however it ends", async () => {
    for (const end of ["quit", "SIGTERM"] as const) {
      const tool = `'${process.execPath}' '${program}' --url ${server.url}`
      await using terminal = new Terminal([], {
        command: `sh -c "echo process \\$\\$; exec ${tool}"; echo "code $?"; stty -a`,
      })
      await terminal.shows(() => terminal.lastLine === prompt)
      if (end === "quit") terminal.enter("quit")
      else process.kill(Number(/process (\d+)/.exec(terminal.text)?.[1]), end)
      await terminal.exited
      await terminal.shows(end === "quit" ? "code 0" : "code 143")
      await terminal.shows(/ icanon[\s\S]* echo /)
    }
  })

  test("shows what is still expected while one types", async () => {
    await using terminal = await open()
    const hint = (after: string) => terminal.shows(() => terminal.cursorLine.after === after)
    terminal.type("GETRANGE")
    await hint(" key start end")
    terminal.type(" k 0 ")
    await hint("end")
    terminal.type("-1")
    await hint("")
    // The hint is no part of the line.
    terminal.type(`${key.ctrlC}LPOS k e`)
    await hint(" [RANK rank] [COUNT num-matches] [MAXLEN len]")
    terminal.type(key.enter)
    await replied(terminal, "(nil)")
    assert.match(terminal.text, /LPOS k e\n\(nil\)/)
  })

  test("keeps a hint in one row, whatever the width", async () => {
    await using terminal = await open({ columns: 50 })
    terminal.type("SET k v")
    await terminal.shows(() => /> SET k v .*…$/.test(terminal.lastLine))
    assert.equal(terminal.text.split("\n").filter((line) => line.includes("SET k v")).length, 1)
    terminal.resize(200, 40)
    terminal.type(" ")
    await terminal.shows(() => terminal.cursorLine.after.includes("KEEPTTL]"))
  })

  test("completes commands and their words", async () => {
    await using terminal = await open()
    terminal.type(`hgeta${key.tab}`)
    await terminal.shows(() => terminal.cursorLine.before.endsWith("> hgetall "))
    terminal.type(key.ctrlC)
    terminal.type(`CONFIG RES${key.tab}`)
    await terminal.shows(() => terminal.cursorLine.before.endsWith("> CONFIG RESETSTAT "))
    terminal.type(key.ctrlC)
    terminal.type(`SET k v KE${key.tab}`)
    await terminal.shows(() => terminal.cursorLine.before.endsWith("> SET k v KEEPTTL "))
    terminal.type(key.ctrlC)
    terminal.type(`ZRANGE z 0 1 ${key.tab}${key.tab}`)
    await terminal.shows(/BYSCORE +BYLEX +REV +LIMIT +WITHSCORES/)
  })

  test("goes on over lines while a quote is open", async () => {
    await using terminal = await open()
    terminal.enter('EVAL "')
    await terminal.shows(() => terminal.lastLine === "…>")
    terminal.enter("local sum = 0")
    terminal.enter("for i = 1, ARGV[1] do sum = sum + i end")
    terminal.enter("return {sum, 'a'}")
    terminal.enter('" 0 4')
    await replied(terminal, /1\) \(integer\) 10/)
    // The next time it is one line.
    terminal.type(key.up)
    await terminal.shows('EVAL "\\nlocal sum = 0\\nfor')
    terminal.type(key.enter)
    await terminal.shows(() => (terminal.text.match(/\(integer\) 10/g) ?? []).length === 2)
  })

  test("forgets a line, and lines that are open, by Ctrl-C", async () => {
    await using terminal = await open()
    terminal.type("SET forgotten 1")
    await terminal.shows("SET forgotten 1")
    terminal.type(key.ctrlC)
    await terminal.shows(() => terminal.lastLine === prompt)
    terminal.enter('SET forgotten "')
    await terminal.shows(() => terminal.lastLine === "…>")
    terminal.type(key.ctrlC)
    await terminal.shows(() => terminal.lastLine === prompt)
    terminal.enter("EXISTS forgotten")
    await replied(terminal, "(integer) 0")
  })

  test("says where a line cannot be understood", async () => {
    await using terminal = await open()
    terminal.enter('SET "a"b c')
    await replied(terminal, "line 1, column 8: expected a space after the quote")
  })

  test("shows the database and an open transaction", async () => {
    await using terminal = await open()
    const in3 = `127.0.0.1:${server.port}[3]>`
    terminal.enter("SELECT 3")
    await terminal.shows(() => terminal.lastLine === in3)
    terminal.enter("MULTI")
    await terminal.shows(() => terminal.lastLine === `${in3.slice(0, -1)} (MULTI)>`)
    terminal.enter("INCR tx")
    await terminal.shows(/^QUEUED$/m)
    terminal.enter("EXEC")
    await replied(terminal, /^1\) \(integer\) 1$/m, in3)
  })

  test("puts what is pasted behind the prompts that it is for", async () => {
    await using terminal = await open()
    terminal.type("SET p 1\nINCR p\nINCR p\nGET p\n")
    await replied(terminal, /^"3"$/m)
    assert.deepEqual(terminal.text.split("\n").slice(1, -1), [
      `${prompt} SET p 1`,
      "OK",
      `${prompt} INCR p`,
      "(integer) 2",
      `${prompt} INCR p`,
      "(integer) 3",
      `${prompt} GET p`,
      '"3"',
    ])
  })

  test("ends a command that takes too long by Ctrl-C, and goes on", async () => {
    await using terminal = await open()
    terminal.enter("BLPOP nothing 0")
    await until(async () => /blocked_clients:1/.test(String(await server.send("INFO", "clients"))))
    terminal.type(key.ctrlC)
    await terminal.shows("interrupted: it may have run on the server")
    await replied(terminal, "connected again")
    terminal.enter("PING")
    await replied(terminal, /^PONG$/m)
  })

  test("has formats, and can be told one beforehand", async () => {
    await using terminal = await open({}, ["--json"])
    terminal.enter("MGET a b")
    await replied(terminal, /^\[\n {2}null,\n {2}null\n\]$/m)
    terminal.enter(":format pretty")
    terminal.enter("MGET a b")
    await replied(terminal, /^2\) \(nil\)$/m)
  })
})

describe(":commands of the prompt", () => {
  test("send a pipeline", async () => {
    await using terminal = await open()
    terminal.enter(":pipeline")
    await terminal.shows(() => terminal.lastLine.endsWith("pipeline:1>"))
    terminal.enter("SET pipe 1")
    terminal.enter("LPUSH pipe x")
    terminal.enter("INCR pipe")
    await terminal.shows(() => terminal.lastLine.endsWith("pipeline:4>"))
    assert.equal(await server.send("EXISTS", "pipe"), 0)
    terminal.enter(":send")
    await replied(terminal, /^3 commands in one round trip/m)
    assert.match(
      terminal.text,
      /^1› SET pipe 1\nOK\n2› LPUSH pipe x\n\(error\) WRONGTYPE.*\n3› INCR pipe\n\(integer\) 2$/m,
    )
  })

  test("tell times, and what they know of a command", async () => {
    await using terminal = await open()
    terminal.enter(":time PING")
    await replied(terminal, /^PONG\n[\d.]+ (µs|ms|s)$/m)
    terminal.enter(":time")
    await replied(terminal, "times are shown")
    terminal.enter("PING")
    await terminal.shows(() => (terminal.text.match(/^PONG\n[\d.]+ (µs|ms|s)$/gm) ?? []).length === 2)
    terminal.enter(":help getrange")
    await replied(terminal, /GETRANGE key start end\n {2}reply: string\n {2}since 2\.4\.0/)
    terminal.enter(":help")
    await replied(terminal, /At the prompt/)
    terminal.enter(":nonsense")
    await replied(terminal, ":nonsense is not known")
  })
})

describe("messages at the prompt", () => {
  test("come until Ctrl-C", async () => {
    await using terminal = await open()
    terminal.enter("PSUBSCRIBE prompt.*")
    await terminal.shows("subscribed to the pattern prompt.*")
    await server.send("PUBLISH", "prompt.a", "hello")
    await terminal.shows(/prompt\.a {2}"hello"/)
    terminal.type(key.ctrlC)
    await terminal.shows(() => terminal.lastLine === prompt)
    terminal.enter("PING")
    await replied(terminal, /^PONG$/m)
  })
})

describe("the history", () => {
  test("is there the next time, and has no passwords", async () => {
    const file = join(temporaryFolder("history"), "history")
    const env = { REDIX_HISTORY: file }
    {
      await using terminal = await open({ env })
      terminal.enter("SET remembered 1")
      await replied(terminal, /^OK$/m)
      terminal.enter("AUTH s3cret")
      await replied(terminal, "(error)")
      terminal.enter("ACL SETUSER someone on >s3cret")
      await terminal.shows(() => (terminal.text.match(/^OK$/gm) ?? []).length === 2)
      assert.ok(!terminal.output.includes("s3cret"))
      assert.match(terminal.text, /> AUTH \*{6}\n/)
      terminal.type(key.up)
      await terminal.shows(() => terminal.cursorLine.before.endsWith("> SET remembered 1"))
    }
    assert.equal(readFileSync(file, "utf8"), "SET remembered 1\n")
    await using terminal = await open({ env })
    terminal.type(key.up)
    await terminal.shows(() => terminal.cursorLine.before.endsWith("> SET remembered 1"))
  })

  test("never shows a password, whatever is corrected, and forgets it", async () => {
    const file = join(temporaryFolder("history"), "history")
    await using terminal = await open({ env: { REDIX_HISTORY: file } })
    terminal.type(`AUTH s3cret${key.left}${key.left}X${key.backspace}`)
    await terminal.shows(() => terminal.cursorLine.before.endsWith("AUTH ****"))
    terminal.type(key.enter)
    await replied(terminal, "(error)")
    // The command before it is no command any more.
    terminal.type(`AUTH s3cret${key.left.repeat(11)}Y`)
    await terminal.shows(/> YAUTH \*{6}$/)
    terminal.type(key.enter)
    await replied(terminal, "unknown command 'YAUTH'")
    terminal.enter("PING")
    await replied(terminal, /^PONG$/m)
    const typed = terminal.output.replace(/\(error\).*/g, "").replaceAll("<password>", "")
    assert.doesNotMatch(typed, /s3c|cret|X/)
    assert.equal(readFileSync(file, "utf8"), "PING\n")
  })
})

describe("a connection that is lost", () => {
  test("is shown at the prompt, and made again", async () => {
    await using own = await RedisServer.start()
    await using terminal = new Terminal(["--url", `${own.url}/2`])
    const up = `127.0.0.1:${own.port}[2]>`
    await terminal.shows(() => terminal.lastLine === up)
    terminal.type("GET half-typed")
    await terminal.shows("GET half-typed")
    await own.kill()
    await terminal.shows(/disconnected: .*\n127\.0\.0\.1:\d+\[2\] \(reconnecting\)> GET half-typed$/)
    await own.restart()
    await terminal.shows(() => terminal.lastLine === `${up} GET half-typed`)
    assert.match(terminal.text, /connected again/)
    terminal.type(key.enter)
    await replied(terminal, "(nil)", up)
    // The database is the one that was chosen.
    terminal.enter("SET two 2")
    await replied(terminal, /^OK$/m, up)
    assert.equal(await own.send("EXISTS", "two"), 0)
  })

  test("fails what is sent meanwhile, with the reason", async () => {
    await using own = await RedisServer.start()
    await using terminal = new Terminal(["--url", own.url])
    await terminal.shows(() => terminal.lastLine.endsWith(">"))
    await own.kill()
    await terminal.shows("(reconnecting)>")
    terminal.enter("PING")
    await terminal.shows(/\(error\) .*\n/)
    await terminal.shows(() => terminal.lastLine.endsWith("(reconnecting)>"))
    terminal.type(key.ctrlD)
    assert.equal(await terminal.exited, 0)
  })
})
