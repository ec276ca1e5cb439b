/**
 * One command to a server beside the driver under test: a connection of its own for each, RESP2 only. Knows how
 * to reach a server and to log in; which server is the business of its callers.
 */
import { connect, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import type { Certificates } from "./certificates.ts"
import { array, bulk } from "./resp-literals.ts"
import { RespReader, type RespValue } from "./resp-reader.ts"

export interface Credentials {
  username?: string
  password: string
}

export interface SideChannelTarget {
  readonly host: string
  readonly port: number
  readonly auth?: Credentials | undefined
  readonly certificates?: Certificates | undefined
}

/**
 * The reply to `command`; an error reply rejects, and so does silence for `timeout` ms. Returns only when the
 * server has closed the connection, so it does not count as a client any more.
 */
export async function request(
  target: SideChannelTarget,
  command: readonly string[],
  timeout = 15_000,
): Promise<RespValue> {
  const [reply] = await requestAll(target, [command], timeout)
  if (reply instanceof Error) throw reply
  return reply as RespValue
}

/** The same for many commands at once. Error replies are values in their places; a login that fails rejects. */
export function requestAll(
  target: SideChannelTarget,
  wanted: readonly (readonly string[])[],
  timeout = 15_000,
): Promise<RespValue[]> {
  const logins = target.auth ? [authentication(target.auth)] : []
  const commands = [...logins, ...wanted]
  const what = wanted[0]?.[0]
  const replies: RespValue[] = []
  return new Promise((resolve, reject) => {
    const reader = new RespReader({ encoding: "utf8" })
    const socket = open(target)
    const failed = (cause: unknown) => {
      socket.destroy()
      reject(cause)
    }
    socket.setTimeout(timeout, () => failed(new Error(`no reply to ${what} within ${timeout} ms`)))
    socket.on("error", failed)
    socket.on("data", (chunk: Buffer) => {
      try {
        replies.push(...reader.push(chunk))
      } catch (cause) {
        failed(cause)
        return
      }
      if (replies.length >= commands.length) socket.end()
    })
    socket.on("close", () => {
      // The login comes first, so its failure says more than what it does to the command.
      const failure = replies.slice(0, logins.length).find((reply) => reply instanceof Error)
      if (failure) reject(failure)
      else if (replies.length < commands.length) reject(new Error(`connection lost before ${what}'s reply`))
      else resolve(replies.slice(logins.length, commands.length))
    })
    socket.write(commands.map((words) => array(...words.map((word) => bulk(word)))).join(""))
  })
}

function open({ host, port, certificates }: SideChannelTarget): Socket {
  if (!certificates) return connect({ host, port })
  const { ca, clientCert, clientKey } = certificates
  return connectTls({ host, port, ca, cert: clientCert, key: clientKey })
}

function authentication({ username, password }: Credentials): string[] {
  return username === undefined ? ["AUTH", password] : ["AUTH", username, password]
}
