/** Closes a transport that nobody listens to any more. */

import type { Transport, TransportEvents } from "../transport/transport.ts"

/** What still arrives while a transport closes goes nowhere. */
const nowhere = new Uint8Array(1024)

/** Destroys the transport, which tells its former owner nothing more; resolves when it has closed. */
export function discard(transport: Transport): Promise<void> {
  if (transport.isClosed) return Promise.resolve()
  return new Promise((resolve) => {
    const events: TransportEvents = {
      onOpen: () => {},
      target: () => nowhere,
      onRead: () => {},
      onDrain: () => {},
      onClose: () => resolve(),
    }
    transport.events = events
    transport.destroy()
  })
}
