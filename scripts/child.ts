/** Runs a Node.js script to its end and gathers what it printed. */
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { killAtExit } from "../support/cleanup.ts"

export interface ChildResult {
  /** `0` if it ended by itself, and well. */
  readonly code: number
  readonly output: string
}

export interface ChildOptions {
  readonly cwd: string
  readonly env?: Record<string, string>
  /** Milliseconds after which the script is killed, which its result then says. */
  readonly timeout: number
}

export async function runNode(args: readonly string[], options: ChildOptions): Promise<ChildResult> {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  killAtExit(child)
  let late = ""
  const timer = setTimeout(() => {
    late = `killed: it had not ended by itself after ${options.timeout / 1000} s\n`
    child.kill("SIGKILL")
  }, options.timeout)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve).once("error", reject)
  })
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  clearTimeout(timer)
  return { code: code ?? 1, output: stdout + stderr + late }
}
