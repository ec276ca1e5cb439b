/** Breaking a TCP connection off. */
import type { Socket } from "node:net"

/**
 * Sends an RST. Not while an end is on its way: Node.js 20 then neither resets nor closes the socket, and never ends.
 */
export function reset(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy()
  else socket.resetAndDestroy()
}
