/** The tool as other programs run it: without a terminal, with its input, output and exit code as values. */
import { spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { cleanEnvironment, program } from "../../support/terminal.ts"

export interface RunResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string | Buffer
  readonly env?: Readonly<Record<string, string>>
}

/** Runs the tool to its end. */
export async function run(args: readonly string[], { input = "", env }: RunOptions = {}): Promise<RunResult> {
  const child = spawn(process.execPath, [program, ...args], { env: cleanEnvironment(env) })
  // It may end before it has read all of it.
  child.stdin.on("error", () => undefined).end(input)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve).once("error", reject)
  })
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { code, stdout, stderr }
}
