/** `--help`: all that there is, and nothing that there is not. */
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, test } from "node:test"
import { fileURLToPath } from "node:url"
import { type Mode, OPTION_ROWS } from "../../src/cli/args.ts"
import { EXIT } from "../../src/cli/exit.ts"
import { helpText } from "../../src/cli/help.ts"
import { createPaint } from "../../src/cli/terminal.ts"

const folder = fileURLToPath(new URL("../../src/cli/", import.meta.url))
const sources = readdirSync(folder).map((name) => readFileSync(`${folder}${name}`, "utf8"))
const paint = createPaint(false)
const modes: readonly Mode[] = ["run", "subscribe", "bench", "doctor"]
const docs = readFileSync(new URL("../../docs/redix-command.md", import.meta.url), "utf8")

describe("--help", () => {
  test("has every option of its mode with its letter, value and meaning", () => {
    for (const { name, short, value, group, doc } of OPTION_ROWS) {
      const shown = `${short ? `-${short},` : "   "} --${name}${value ? ` ${value}` : ""} `
      const own = modes.filter(
        (mode) => mode === "run" || mode === group || ["Connection", "Output"].includes(group),
      )
      for (const mode of own) {
        const line = helpText(mode, paint)
          .split("\n")
          .find((each) => each.includes(shown))
        assert.ok(line?.endsWith(doc), `--${name} in the help of ${mode}: ${line}`)
      }
    }
  })

  test("has the options that the code asks for, and no others", () => {
    const code = sources.join("\n")
    const asked = new Set<string>()
    for (const [, name = ""] of code.matchAll(/options\.(?:has|text|texts|integer)\(\s*"([a-z-]+)"/g))
      asked.add(name)
    // Lists of names that are asked for one by one.
    for (const [, list = ""] of code.matchAll(
      /\[((?:"[a-z-]+",?\s*)+)\](?: as const\))?\s*\.?(?:some|find|filter)/g,
    ))
      for (const [, name = ""] of list.matchAll(/"([a-z-]+)"/g)) asked.add(name)
    const known = OPTION_ROWS.map(({ name }) => name)
    assert.deepEqual(
      known.filter((name) => !asked.has(name)),
      [],
    )
    assert.deepEqual(
      [...asked].filter((name) => !known.includes(name)),
      [],
    )
  })

  test("has every variable of the environment that the code reads", () => {
    const read = new Set(
      sources.flatMap((code) =>
        [...code.matchAll(/(?:env\[|fromEnvironment\()"([A-Z_]+)"/g)].map(([, name = ""]) => name),
      ),
    )
    for (const name of read) assert.ok(helpText("run", paint).includes(name), name)
  })

  test("has every exit code, as the documentation has", () => {
    for (const code of Object.values(EXIT)) {
      assert.match(helpText("run", paint), new RegExp(`^ .*\\b${code}\\b`, "m"))
      assert.match(docs, new RegExp(`^\\| .*\\b${code}\\b.*\\|$`, "m"))
    }
  })

  test("names no option in the documentation that there is not", () => {
    const known = new Set(OPTION_ROWS.map(({ name }) => name))
    const named = [...docs.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g)].map(([, name = ""]) => name)
    assert.deepEqual(
      [...new Set(named)].filter((name) => !known.has(name)),
      [],
    )
  })
})
