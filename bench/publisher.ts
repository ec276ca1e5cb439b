// The subscriber's handle on a process that publishes: its CPU time is not the subscriber's. Says when a window of
// messages is to be published, and nothing else.
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { Publication } from "./publication.ts"

const PROGRAM = fileURLToPath(new URL("./publisher-worker.ts", import.meta.url))

/** The first message to the publishing process; each further one, whatever it is, asks for one more window. */
export interface PublisherTask {
  readonly url: string
  readonly publication: Publication
}

export class Publisher {
  readonly #process: ChildProcess

  private constructor() {
    this.#process = fork(PROGRAM)
  }

  static async start(task: PublisherTask): Promise<Publisher> {
    const publisher = new Publisher()
    const ready = once(publisher.#process, "message")
    const ended = once(publisher.#process, "exit").then(() => Promise.reject(new Error("no publisher")))
    publisher.#process.send(task)
    await Promise.race([ready, ended])
    ended.catch(() => {})
    return publisher
  }

  publishWindow(): void {
    this.#process.send("publish")
  }

  async stop(): Promise<void> {
    if (!this.#process.connected) return
    const ended = once(this.#process, "exit")
    this.#process.disconnect()
    await ended
  }
}
