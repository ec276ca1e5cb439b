/** What an editor shows while a command is written, asked of the language service of a compiler that has one. */
import assert from "node:assert/strict"
import { createRequire } from "node:module"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
// Not imported: there are several compilers here, and only the others have no such interface any more.
const ts: typeof import("typescript6.0") = createRequire(import.meta.url)("typescript6.0")

/** The completions at the mark `|` in a program. */
function completionsAt(program: string): readonly string[] {
  const file = join(root, "test/types/program.ts")
  const text = program.replace("|", "")
  const snapshot = (name: string) => (name === file ? text : ts.sys.readFile(name))
  const service = ts.createLanguageService({
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const content = snapshot(name)
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content)
    },
    getCurrentDirectory: () => root,
    getCompilationSettings: () => ({ strict: true, module: ts.ModuleKind.NodeNext, skipLibCheck: true }),
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
  })
  const completions = service.getCompletionsAtPosition(file, program.indexOf("|"), {})
  return completions?.entries.map(({ name }) => name) ?? []
}

const HEAD = `import type { Redix } from "@redix/client"\ndeclare const conn: Redix\n`

for (const line of [
  `conn.command(["|"])`,
  `conn.command(["HGET|", "k"], { encoding: "buffer" })`,
  `conn.pipeline([["INCR", "a"], ["|"]])`,
  `conn.transactionPipeline([["|", "a"]])`,
  `conn.safe.command(["|"])`,
]) {
  test(`command names complete in ${line}`, () => {
    const names = completionsAt(HEAD + line)
    for (const name of ["GET", "HGETALL", "CONFIG", "JSON.SET", "VSIM"]) assert.ok(names.includes(name), name)
    for (const name of ["SUBSCRIBE", "CONFIG GET"]) assert.ok(!names.includes(name), name)
  })
}
