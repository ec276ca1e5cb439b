// Very many nodes of a cluster that share all slots evenly, in the parent's process: they answer GET with the small value,
// and DBSIZE with how often any of them was asked who has which slots. Leaner than support/fake-cluster.ts, which notes all
// that it is told, and writes each reply by itself.
import { createServer, type Server, type Socket } from "node:net"
import { listen, loopback } from "../support/port.ts"
import { array, bulk, integer, simple } from "../support/resp-literals.ts"
import { RespReader } from "../support/resp-reader.ts"
import { evenRanges } from "../support/slots.ts"
import { smallValue } from "./data.ts"

/** Listening a thousand times at once makes the system refuse some. */
const TOGETHER = 50

const VALUE = bulk(smallValue)
const OK = simple("OK")

export class FakeNodes {
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  #ports: number[] = []
  #layout = ""
  #layoutsAsked = 0

  static async start(count: number): Promise<FakeNodes> {
    const nodes = new FakeNodes()
    await nodes.#start(count)
    return nodes
  }

  /** Of one of them, from which all others are found. */
  get url(): string {
    return `redis://${loopback}:${this.#ports[0]}`
  }

  stop(): void {
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #start(count: number): Promise<void> {
    for (let begin = 0; begin < count; begin += TOGETHER) {
      const some = Array.from({ length: Math.min(TOGETHER, count - begin) }, () => this.#listen())
      this.#ports.push(...(await Promise.all(some)))
    }
    const shards = evenRanges(count).map(([first, last], index) =>
      array(integer(first), integer(last), this.#node(index)),
    )
    this.#layout = array(...shards)
  }

  #node(index: number): string {
    const id = index.toString(16).padStart(40, "0")
    return array(bulk(loopback), integer(this.#ports[index] ?? 0), bulk(id), array())
  }

  #listen(): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
    this.#servers.push(server)
    return listen(server)
  }

  #serve(socket: Socket): void {
    const reader = new RespReader({ encoding: "latin1" })
    this.#sockets.add(socket)
    socket.once("close", () => this.#sockets.delete(socket)).on("error", () => socket.destroy())
    socket.on("data", (chunk: Buffer) => {
      let answers = ""
      for (const command of reader.push(chunk)) answers += this.#answer(command)
      socket.write(answers)
    })
  }

  #answer(command: unknown): string {
    const name = Array.isArray(command) ? String(command[0]) : ""
    if (name === "GET") return VALUE
    if (name === "DBSIZE") return integer(this.#layoutsAsked)
    if (name !== "CLUSTER") return OK
    this.#layoutsAsked++
    return this.#layout
  }
}
