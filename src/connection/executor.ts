/** The one contract between what makes requests and what carries them out: a connection, a pool, a cluster. */

import type { Request } from "./request.ts"

export interface Executor {
  /**
   * Takes a request on: encodes it at once, and settles it whatever happens. Never throws; misuse rejects the request
   * with a `TypeError`.
   */
  submit<Payload>(request: Request<Payload>, payload: Payload): void
}
