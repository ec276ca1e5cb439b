// The process that publishes: pipelined PUBLISH commands over a bare socket, a window at each request. Ends when the
// subscriber's process lets go, and when the server refuses a command.
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { messagesOf, type Publication } from "./publication.ts"
import type { PublisherTask } from "./publisher.ts"

const ERROR_REPLY = "-"

let socket: Socket | undefined
let window: Buffer

process.on("message", (message) => {
  if (socket === undefined) start(message as PublisherTask).catch(fail)
  else socket.write(window)
})
process.on("disconnect", () => process.exit())

async function start({ url, publication }: PublisherTask): Promise<void> {
  const { hostname, port } = new URL(url)
  socket = connect({ host: hostname, port: Number(port || 6379), noDelay: true })
  window = encoded(publication)
  socket.on("error", fail).on("close", () => process.exit(1))
  socket.on("data", (replies) => {
    if (replies.includes(ERROR_REPLY)) fail(replies.toString().slice(0, 200))
  })
  await once(socket, "connect")
  process.send?.("ready")
}

function encoded(publication: Publication): Buffer {
  const commands = messagesOf(publication).map(({ channel, payload }) =>
    ["*3\r\n", ...["PUBLISH", channel, payload].map((part) => `$${part.length}\r\n${part}\r\n`)].join(""),
  )
  return Buffer.from(commands.join(""), "latin1")
}

function fail(why: unknown): never {
  console.error(`publisher: ${why}`)
  process.exit(1)
}
