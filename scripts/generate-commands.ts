/**
 * Writes what the driver knows of commands out of the table in `facts/`: the types of replies, and the data that it looks
 * at when it runs; and what the command line tool tells people of them. With `--check` it writes nothing and fails where what is there is not what it would write.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { type Fact, readFacts } from "../facts/table.ts"
import { commandFacts } from "./generate/command-facts.ts"
import { commandTable } from "./generate/command-table.ts"
import { replyTypes } from "./generate/reply-types.ts"

const folder = fileURLToPath(new URL("../src/", import.meta.url))

const OUTPUTS: Record<string, (facts: readonly Fact[]) => string> = {
  "protocol/builtin-replies.ts": replyTypes,
  "protocol/command-table.ts": commandTable,
  "cli/command-facts.ts": commandFacts,
}

const check = process.argv.includes("--check")
const facts = [...readFacts().values()]
for (const [file, generate] of Object.entries(OUTPUTS)) {
  const text = generate(facts)
  if (!check) writeFileSync(folder + file, text)
  else if (readFileSync(folder + file, "utf8") !== text) {
    console.error(`src/${file} is not what facts/ says: npm run generate`)
    process.exitCode = 1
  }
}
console.log(`${facts.length} entries of the table`)
