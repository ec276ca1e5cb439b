// The parent's handle on a worker process: starts it, asks it one thing at a time, ends it. A worker that dies or
// hangs fails what it was asked.
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { ClientName } from "./clients/registry.ts"
import type { Answer, Request, Targets } from "./messages.ts"
import type { Sample } from "./workloads/workload.ts"

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url))
const NODE_OPTIONS = ["--import", import.meta.resolve("tsx"), "--expose-gc", "--max-old-space-size=6144"]
const LONGEST_REQUEST = 120_000 // ms

export class Child {
  readonly #process: ChildProcess

  private constructor() {
    this.#process = fork(WORKER, [], { execArgv: NODE_OPTIONS })
  }

  static async start(client: ClientName, targets: Targets): Promise<Child> {
    const child = new Child()
    try {
      await child.#ask({ kind: "open", client, targets })
      return child
    } catch (error) {
      await child.stop()
      throw error
    }
  }

  get alive(): boolean {
    return this.#process.connected
  }

  async prepare(workload: string, seconds: number): Promise<void> {
    await this.#ask({ kind: "prepare", workload, seconds })
  }

  async measure(workload: string): Promise<Sample> {
    const sample = await this.#ask({ kind: "measure", workload })
    if (sample === undefined) throw new Error("the worker measured nothing")
    return sample
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.#process
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#process, "exit")
    if (this.#process.connected) this.#process.disconnect()
    else this.#process.kill("SIGKILL")
    await ended
  }

  async #ask(request: Request): Promise<Sample | undefined> {
    if (!this.#process.connected) throw new Error("the worker has ended")
    const abort = new AbortController()
    const answered = once(this.#process, "message", { signal: abort.signal })
    const died = once(this.#process, "exit", { signal: abort.signal })
    const hung = setTimeout(() => this.#process.kill("SIGKILL"), LONGEST_REQUEST)
    this.#process.send(request)
    try {
      return unpack(await Promise.race([answered, died.then(throwDeath)]))
    } finally {
      clearTimeout(hung)
      abort.abort()
      await Promise.allSettled([answered, died])
    }
  }
}

function unpack([message]: unknown[]): Sample | undefined {
  const answer = message as Answer
  if (!answer.ok) throw new Error(answer.error)
  return answer.sample
}

function throwDeath([code, signal]: unknown[]): never {
  throw new Error(`the worker ended (${String(signal ?? code)})`)
}
