/** What was entered at the prompt before, in a file that only its owner reads. Never with a password. */

import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"
import { secretStart } from "./sensitive.ts"

export const MOST_ENTRIES = 1000

export class History {
  readonly #file: string | undefined

  constructor(file: string | undefined) {
    this.#file = file
  }

  /** The entries, the last one first, as `node:readline` wants them. */
  load(): string[] {
    if (this.#file === undefined || !existsSync(this.#file)) return []
    try {
      const entries = readFileSync(this.#file, "utf8")
        .split("\n")
        .filter((entry) => entry !== "")
      const kept = entries.slice(-MOST_ENTRIES)
      // Now and then, so that it does not grow for ever.
      if (entries.length > 2 * MOST_ENTRIES)
        writeFileSync(this.#file, `${kept.join("\n")}\n`, { mode: 0o600 })
      return kept.reverse()
    } catch {
      return []
    }
  }

  /** Remembers the line, unless it has a password in it; whether it did. */
  add(line: string): boolean {
    if (line.includes("\n") || secretStart(line) !== undefined) return false
    if (this.#file === undefined) return true
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
      appendFileSync(this.#file, `${line}\n`, { mode: 0o600 })
    } catch {
      // A prompt without a memory is still a prompt.
    }
    return true
  }
}

/** `REDIX_HISTORY`, the folder for such things if there is one, or the home folder; `undefined` for nowhere. */
export function historyFile(env: NodeJS.ProcessEnv): string | undefined {
  const chosen = env["REDIX_HISTORY"]
  if (chosen !== undefined) return chosen === "" ? undefined : chosen
  const state = env["XDG_STATE_HOME"] || join(homedir(), ".local/state")
  if (env["XDG_STATE_HOME"] || existsSync(state)) return join(state, "redix/history")
  return join(homedir(), ".redix_history")
}
