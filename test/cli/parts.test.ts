/** The smaller parts of the tool, each by itself. */
import assert from "node:assert/strict"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { readArguments } from "../../src/cli/args.ts"
import { drawHistogram, sparkline } from "../../src/cli/chart.ts"
import { UsageError } from "../../src/cli/exit.ts"
import { Histogram } from "../../src/cli/histogram.ts"
import { History, historyFile, MOST_ENTRIES } from "../../src/cli/history.ts"
import { secretStart } from "../../src/cli/sensitive.ts"
import { createPaint } from "../../src/cli/terminal.ts"
import { temporaryFolder } from "../../support/cleanup.ts"

describe("arguments", () => {
  test("of the tool end where the command begins", () => {
    const { mode, options, words } = readArguments(["-p", "6380", "--json", "SET", "k", "-5", "--raw", "-h"])
    assert.equal(mode, "run")
    assert.equal(options.integer("port", 1), 6380)
    assert.ok(options.has("json") && !options.has("raw"))
    assert.deepEqual(words, ["SET", "k", "-5", "--raw", "-h"])
  })

  test("may stand before and after a mode of the tool", () => {
    const { mode, options, words } = readArguments([
      "-h",
      "example.com",
      "subscribe",
      "a",
      "--count",
      "2",
      "b*",
    ])
    assert.equal(mode, "subscribe")
    assert.equal(options.text("host"), "example.com")
    assert.equal(options.integer("count", 1), 2)
    assert.deepEqual(words, ["a", "b*"])
  })

  test("that are wrong are named", () => {
    const wrong: [string[], RegExp][] = [
      [["--prot", "3", "PING"], /unknown option --prot: did you mean --protocol\?/],
      [["--count", "1", "PING"], /--count is an option of redix subscribe/],
      [["--host"], /host.* needs a value/],
      [["-h"], /-h is the host.*--help/],
      [["-p", "1", "-p", "2", "PING"], /--port is given twice/],
      [["doctor", "now"], /redix doctor takes no arguments/],
    ]
    for (const [args, message] of wrong) {
      assert.throws(
        () => readArguments(args),
        (error: unknown) => {
          assert.ok(error instanceof UsageError, String(error))
          assert.match(error.message, message)
          return true
        },
      )
    }
    const { options } = readArguments(["-p", "70000"])
    assert.throws(
      () => options.integer("port", 1, 65_535),
      /--port: expected an integer of between 1 and 65535/,
    )
  })
})

describe("passwords", () => {
  test("are found in every command that has one", () => {
    const lines = [
      "AUTH |pw",
      "auth |user pw",
      "  AUTH '|pw",
      ":time AUTH |pw",
      "HELLO 3 AUTH |u pw",
      "CONFIG SET requirepass |pw",
      "config set maxclients 10 masterauth |pw",
      "ACL SETUSER u |on >pw",
      "MIGRATE h 1 k 0 1 COPY AUTH2 |u pw",
    ]
    for (const line of lines) {
      const at = line.indexOf("|")
      const from = secretStart(line.replace("|", ""))
      assert.ok(from !== undefined && from <= at, line)
    }
    for (const line of ["AUTH", "GET AUTH x", "CONFIG SET maxmemory 1", "ACL GETUSER u", ""]) {
      assert.equal(secretStart(line), undefined, line)
    }
  })
})

describe("history", () => {
  test("is kept in a file for its owner alone, without passwords", () => {
    const file = join(temporaryFolder("history"), "deep/history")
    const history = new History(file)
    assert.deepEqual(history.load(), [])
    assert.ok(history.add("SET a 1"))
    assert.ok(!history.add("AUTH secret"))
    assert.ok(history.add("GET a"))
    assert.equal(readFileSync(file, "utf8"), "SET a 1\nGET a\n")
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(new History(file).load(), ["GET a", "SET a 1"])
  })

  test("does not grow for ever", () => {
    const file = join(temporaryFolder("history"), "history")
    writeFileSync(file, Array.from({ length: 5000 }, (_, index) => `GET ${index}\n`).join(""))
    const entries = new History(file).load()
    assert.equal(entries.length, MOST_ENTRIES)
    assert.equal(entries[0], "GET 4999")
    assert.equal(readFileSync(file, "utf8").trim().split("\n").length, MOST_ENTRIES)
  })

  test("is where the environment says", () => {
    assert.equal(historyFile({ XDG_STATE_HOME: "/state" }), "/state/redix/history")
    assert.equal(historyFile({ REDIX_HISTORY: "/h", XDG_STATE_HOME: "/state" }), "/h")
    assert.equal(historyFile({ REDIX_HISTORY: "" }), undefined)
  })
})

describe("a histogram", () => {
  test("keeps percentiles to within two per cent", () => {
    const histogram = new Histogram()
    for (let us = 1; us <= 100_000; us++) histogram.record(us / 1000)
    for (const percent of [1, 50, 90, 99, 99.9]) {
      const exact = percent
      assert.ok(Math.abs(histogram.percentile(percent) / exact - 1) < 0.02, `p${percent}`)
    }
    assert.deepEqual([histogram.count, histogram.min, histogram.max], [100_000, 0.001, 100])
    assert.equal(histogram.percentile(100), 100)
  })

  test("has rows with everything in them, and not too many", () => {
    const histogram = new Histogram()
    for (const ms of [0.05, 0.06, 0.2, 3, 40, 1500]) histogram.record(ms)
    const rows = histogram.rows(12)
    assert.ok(rows.length <= 12)
    assert.equal(
      rows.reduce((sum, { count }) => sum + count, 0),
      6,
    )
    assert.deepEqual(new Histogram().rows(12), [])
    assert.equal(new Histogram().percentile(50), 0)
  })

  test("is drawn with a bar for each row", () => {
    const histogram = new Histogram()
    for (let index = 0; index < 10; index++) histogram.record(0.1)
    histogram.record(0.9)
    const lines = drawHistogram(histogram, 80, createPaint(false))
    assert.match(lines[0] ?? "", /≤ \d+ µs █+ +90\.9 % {2}10/)
    assert.ok(lines.every((line) => line.length <= 80))
    assert.match(sparkline(histogram), /^█.*▁$/)
  })
})
