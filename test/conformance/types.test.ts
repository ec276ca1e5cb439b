/** For each form, TypeScript chooses the very type that the reply was held against. */
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { chosenReply, factOf } from "../../facts/chosen-reply.ts"
import { type Protocol, printReplyType } from "../../facts/reply-type.ts"
import { readFacts } from "../../facts/table.ts"
import { readForms } from "./forms.ts"

const run = promisify(execFile)
const root = fileURLToPath(new URL("../..", import.meta.url))
// In the project, so that the compiler finds its dependencies.
const folder = join(root, `node_modules/.cache/form-types-${process.pid}`)

const HEAD = `import type { Reply, ReplyOf } from "@redix/client"
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_proof: Equal<A, B>): void {}
`

test("the compiler chooses the type that the replies are held against", async (t) => {
  await mkdir(folder, { recursive: true })
  t.after(() => rm(folder, { recursive: true, force: true }))
  const lines = typeTests()
  await writeFile(join(folder, "forms.ts"), `${HEAD}${lines.join("\n")}\n`)
  const config = { extends: join(root, "tsconfig.json"), include: ["./forms.ts"], exclude: [] }
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config))
  const compiler = join(root, "node_modules/typescript/bin/tsc")
  const { stdout } = await run(process.execPath, [compiler, "-p", folder]).catch((error) => error)
  assert.equal(stdout, "", explained(stdout, lines))
  t.diagnostic(`${lines.length} types of ${readForms().length} forms`)
})

function typeTests(): string[] {
  const facts = readFacts()
  return readForms().flatMap(({ command }) => {
    const fact = factOf(facts, command)
    if (!fact || fact.refused !== undefined) return []
    // What is filled in when it is sent is not known when it is compiled.
    const words = command.map((word) => (/^\{\w+\}$/.test(word) ? "string" : JSON.stringify(word)))
    return ([2, 3] as const).map(
      (protocol: Protocol) =>
        `same<ReplyOf<readonly [${words.join(", ")}], ${protocol}>, ${printReplyType(chosenReply(fact, command, protocol))}>(true)`,
    )
  })
}

/** The compiler's errors, with the lines that they are about. */
function explained(output: string, lines: readonly string[]): string {
  const offset = HEAD.split("\n").length
  return output.replace(
    /forms\.ts\((\d+),.*/g,
    (error, line) => `${lines[Number(line) - offset]}\n    ${error}`,
  )
}
