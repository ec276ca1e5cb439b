/** Commands from the standard input: what becomes of them, and what is told of them. */
import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { temporaryFolder } from "../../support/cleanup.ts"
import { FakeServer, handshake } from "../../support/fake-server.ts"
import { key, program, Terminal } from "../../support/terminal.ts"
import { until } from "../../support/wait.ts"
import { sharedServer } from "../contract/helpers.ts"
import { run } from "./run.ts"

const server = await sharedServer()
const at = () => ["--url", server.url]
const folder = temporaryFolder("pipe")

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe("redix < file", () => {
  test("sends every command in order, and counts them", async () => {
    const lines = Array.from({ length: 12_345 }, (_, index) => `RPUSH all ${index}`).join("\n")
    const { code, stdout, stderr } = await run(at(), { input: lines })
    assert.deepEqual([code, stdout], [0, ""], stderr)
    assert.match(stderr, /^12,345 commands, no errors, /)
    const all = await server.send("LRANGE", "all", "0", "-1")
    assert.deepEqual(
      all,
      Array.from({ length: 12_345 }, (_, index) => `${index}`),
    )
  })

  test("lists errors by their lines", async () => {
    const input = 'SET text a\n\n# a comment\nINCR text\nEVAL "return\n1" 0\nLPUSH text b\nNOSUCH\n'
    const { code, stderr } = await run(at(), { input })
    assert.equal(code, 1)
    assert.match(stderr, /^5 commands, 3 errors/)
    assert.match(stderr, /^ {2}line 4 {2}INCR {2}ERR value is not an integer/m)
    assert.match(stderr, /^ {2}line 7 {2}LPUSH {2}WRONGTYPE/m)
    assert.match(stderr, /^ {2}line 8 {2}NOSUCH {2}ERR unknown command/m)
  })

  test("does not list errors without end", async () => {
    const { code, stderr } = await run(at(), { input: `SET n x\n${"INCR n\n".repeat(3000)}` })
    assert.equal(code, 1)
    assert.equal(stderr.match(/ {2}line /g)?.length, 20)
    assert.match(stderr, /… and 2,980 more errors/)
  })

  test("prints the replies where they are asked for", async () => {
    const input = 'SET a "x y"\nGET a\nGET none\n'
    assert.equal((await run([...at(), "--raw"], { input })).stdout, "OK\nx y\n\n")
    assert.equal((await run([...at(), "--json"], { input })).stdout, '"OK"\n"x y"\nnull\n')
    assert.equal((await run([...at(), "--replies"], { input })).stdout, 'OK\n"x y"\n(nil)\n')
  })

  test("says line and column of input that it cannot read, and sends what stands before it", async () => {
    const { code, stderr } = await run(at(), { input: 'SET good 1\nSET bad "a"b\nSET later 1\n' })
    assert.equal(code, 2)
    assert.match(stderr, /^1 command, no errors/)
    assert.match(stderr, /line 2, column 12: expected a space after the quote/)
    assert.deepEqual(await server.send("MGET", "good", "later"), ["1", null])
    const open = await run(at(), { input: 'PING\nSET a "b\nPING' })
    assert.equal(open.code, 2)
    assert.match(open.stderr, /line 2, column 7: the quote that opens here is never closed/)
    const protocol = await run(at(), { input: "*1\r\n$4\r\nPING\r\n" })
    assert.match(protocol.stderr, /line 1, column 1: .*wire protocol/)
  })

  test("does not send what would take the connection from the commands after it", async () => {
    const { code, stderr } = await run(at(), { input: "SET sub 1\nSUBSCRIBE a\nSET sub 2\n" })
    assert.equal(code, 1)
    assert.match(stderr, /line 2 {2}SUBSCRIBE {2}not sent: SUBSCRIBE: use redix subscribe/)
    assert.equal(await server.send("GET", "sub"), "2")
  })

  test("keeps a transaction together over pipelines", async () => {
    const input = `MULTI\n${"INCR tx\n".repeat(2500)}EXEC\n`
    const { code, stderr } = await run(at(), { input })
    assert.equal(code, 0, stderr)
    assert.equal(await server.send("GET", "tx"), "2500")
  })

  test("does what there is to do of input that comes slowly", async () => {
    await using terminal = new Terminal([], {
      command: `(echo "SET slow 1"; cat) | '${process.execPath}' '${program}' --url ${server.url}`,
    })
    await until(async () => (await server.send("GET", "slow")) === "1")
    terminal.type(`INCR slow${key.enter}`)
    await until(async () => (await server.send("GET", "slow")) === "2")
    terminal.type(key.ctrlD)
    assert.equal(await terminal.exited, 0)
    await terminal.shows("2 commands, no errors")
  })

  test("shows in a terminal how far it is", async () => {
    const path = file("many.txt", "INCR bar\n".repeat(300_000))
    await using terminal = new Terminal([], {
      command: `'${process.execPath}' '${program}' --url ${server.url} < ${path}`,
    })
    assert.equal(await terminal.exited, 0)
    await terminal.shows(/^300,000 commands, no errors/)
    // The bar was there, and is gone.
    assert.match(terminal.output, /━.* \d+ % /)
    assert.equal(terminal.text.split("\n").length, 1)
  })

  test("is interrupted by Ctrl-C, and tells what it had done", async () => {
    await using terminal = new Terminal([], {
      command: `(yes 'INCR forever') | '${process.execPath}' '${program}' --url ${server.url}; echo "code $?"`,
    })
    await until(async () => Number(await server.send("GET", "forever")) > 5000)
    terminal.type(key.ctrlC)
    await terminal.exited
    await terminal.shows(/[\d,]+ commands, no errors[\s\S]*interrupted: what was on its way may have run/)
  })

  test("tells which commands may have run when the connection is lost", async () => {
    await using fake = await FakeServer.start((connection) => {
      connection.onCommand = (command) => {
        if (command[0] !== "INCR") return handshake(command)
        if (command[1] === "last") connection.destroy()
        return undefined
      }
    })
    const { code, stderr } = await run(["--url", fake.url], { input: "\nINCR a\nINCR b\nINCR last\n" })
    assert.equal(code, 3)
    assert.match(stderr, /^0 commands/)
    assert.match(stderr, /what is in lines 2 to 4 may have run or not\n {2}nothing after line 4 was sent/)
  })
})
