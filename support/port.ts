/** Listening: which ports of loopback are free, and how to get hold of one. */
import { randomInt } from "node:crypto"
import { createServer, type Server } from "node:net"

/** The one address that everything in this folder listens on. */
export const loopback = "127.0.0.1"

/**
 * Below the range that systems take the ports of outgoing connections from (Linux: from 32768), and so is the
 * port of a cluster bus, 10 000 higher. A port of a dead server out of that range could be taken by any outgoing
 * connection before the server is back. Worse, a client that knocks at it again and again at last gets it as its
 * own local port, and then is connected to itself.
 */
const lowest = 12_000
const highest = 22_000

/** From the port of a node to that of its cluster bus. */
const busOffset = 10_000

const handedOut = new Set<number>()

/** A port on loopback that nobody listens on. Not the same one twice in a process; others may still take it. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = randomInt(lowest, highest)
    if (handedOut.has(port)) continue
    const server = createServer()
    if (!(await tryToListen(server, port))) continue
    await new Promise((resolve) => server.close(resolve))
    handedOut.add(port)
    return port
  }
  throw new Error(`no free port between ${lowest} and ${highest}`)
}

/** A port as {@link freePort} finds it, with a port for the cluster bus, 10 000 higher, that is free as well. */
export async function freeClusterPort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = await freePort()
    const bus = createServer()
    if (!(await tryToListen(bus, port + busOffset))) continue
    await new Promise((resolve) => bus.close(resolve))
    return port
  }
  throw new Error("no free port with a free port for the cluster bus")
}

/** Makes `server` listen on `port` of loopback, or on a free one, and returns the number. */
export async function listen(server: Server, port?: number): Promise<number> {
  for (let attempt = 0; attempt < 10; attempt++) {
    const candidate = port ?? (await freePort())
    if (await tryToListen(server, candidate)) return candidate
    if (port !== undefined) break
  }
  throw new Error(`cannot listen on ${port ?? "any port that was free a moment ago"}`)
}

/** Makes `server` listen on a unix socket. */
export function listenOnPath(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(path, () => {
      server.off("error", reject)
      resolve()
    })
  })
}

function tryToListen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      server.off("listening", onListening)
      if (error.code === "EADDRINUSE") resolve(false)
      else reject(error)
    }
    const onListening = () => {
      server.off("error", onError)
      resolve(true)
    }
    server.once("error", onError).once("listening", onListening)
    server.listen({ host: loopback, port, exclusive: true })
  })
}
