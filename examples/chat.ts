// A chat: run it in two terminals (`npm run example chat`) and type. Ctrl-D or Ctrl-C ends it.
import { userInfo } from "node:os"
import { createInterface, type Interface } from "node:readline"
import { PubSub, Redix } from "@redix/client"

interface Line {
  readonly from: string
  readonly text: string
}

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379"
const room = "redix-example:chat"
const me = process.argv[2] ?? `${userInfo().username}-${process.pid}`
const isTerminal = process.stdin.isTTY === true

/** Where lines are typed, while somebody may type. */
let terminal: Interface | undefined

/** Writes a line above the one that is being typed. */
function show(text: string): void {
  if (isTerminal) process.stdout.write("\r\x1b[K")
  console.log(text)
  if (isTerminal) terminal?.prompt(true)
}

async function say(text: string): Promise<void> {
  const line: Line = { from: me, text }
  const result = await conn.safe.command(["PUBLISH", room, JSON.stringify(line)])
  if (!result.ok) show(`(not sent: ${result.error.message})`)
}

// Two connections: one that speaks, and one that listens.
const conn = await Redix.connect(url)
const pubsub = await PubSub.connect(url)

const subscription = await pubsub.subscribe(room, (event) => {
  switch (event.type) {
    case "subscribed":
      show(`(you are in ${room} as ${me})`)
      break
    case "message": {
      const { from, text }: Line = JSON.parse(String(event.payload))
      if (from !== me) show(`${from}: ${text}`)
      break
    }
    case "disconnected":
      show("(the connection is lost: until it is back, you miss what others say)")
      break
  }
})
await say("(joined)")

// Nothing is awaited between this line and the loop, or the first lines would be lost.
terminal = createInterface({
  input: process.stdin,
  output: process.stdout,
  terminal: isTerminal,
  prompt: "> ",
})
terminal.once("close", () => {
  terminal = undefined
})
if (isTerminal) terminal.prompt()
for await (const text of terminal) {
  if (text.trim() !== "") await say(text)
  if (isTerminal) terminal?.prompt()
}

// The end of a file or of a pipe leads here as well.
await subscription.unsubscribe()
await say("(left)")
await pubsub.close()
await conn.close()
