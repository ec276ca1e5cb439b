/** The one contract between what makes requests and what carries them out: a connection, a pool, a cluster. */

import type { Request } from "./request.ts"
import type { Placed } from "./trace.ts"

export interface Executor {
  /** The index of the database that requests are carried out in, where that is known. */
  readonly database?: number
  /**
   * Takes a request on: encodes it at once, and settles it whatever happens. Never throws; misuse rejects the request
   * with a `TypeError`.
   */
  submit<Payload>(request: Request<Payload>, payload: Payload): void
  /** The same, and says who carries it out: where that is somebody else, of several. */
  submitTraced?<Payload>(request: Request<Payload>, payload: Payload, placed: Placed): void
}
