/**
 * Writes what the driver knows of commands out of the table in `facts/`: the types of replies, and the data that it looks
 * at when it runs. With `--check` it writes nothing and fails where what is there is not what it would write.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Fact, readFacts } from "../facts/table.ts"
import { commandTable } from "./generate/command-table.ts"
import { replyTypes } from "./generate/reply-types.ts"

const folder = fileURLToPath(new URL("../src/protocol/", import.meta.url))

const OUTPUTS: Record<string, (facts: readonly Fact[]) => string> = {
  "builtin-replies.ts": replyTypes,
  "command-table.ts": commandTable,
}

const check = process.argv.includes("--check")
const facts = [...readFacts().values()]
for (const [file, generate] of Object.entries(OUTPUTS)) {
  const text = generate(facts)
  if (!check) writeFileSync(folder + file, text)
  else if (readFileSync(folder + file, "utf8") !== text) {
    console.error(`src/protocol/${file} is not what facts/ says: npm run generate`)
    process.exitCode = 1
  }
}
console.log(`${facts.length} entries of the table`)
