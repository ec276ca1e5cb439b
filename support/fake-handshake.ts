/** What a healthy server says while a client introduces itself, so that a script states only what is special. */
import { array, bulk, integer, simple } from "./resp-literals.ts"

const greeting: readonly (readonly [string, string])[] = [
  ["server", bulk("redis")],
  ["version", bulk("7.0.15")],
  ["proto", integer(3)],
  ["id", integer(1)],
  ["mode", bulk("standalone")],
  ["role", bulk("master")],
  ["modules", array()],
]

/** The answer to `HELLO 3`. */
const hello3 = `%${greeting.length}\r\n${greeting.map(([key, value]) => bulk(key) + value).join("")}`

/** The answer to a command out of a handshake; `undefined` for every other command. */
export function handshake(command: readonly string[]): string | undefined {
  const [name = "", first = ""] = command.map((word) => word.toUpperCase())
  switch (name) {
    case "PING":
      return command[1] === undefined ? simple("PONG") : bulk(command[1])
    case "AUTH":
    case "SELECT":
    case "READONLY":
      return simple("OK")
    case "CLIENT":
      return first === "SETINFO" || first === "SETNAME" ? simple("OK") : undefined
    case "HELLO":
      return first === "3" ? hello3 : undefined
    default:
      return undefined
  }
}
