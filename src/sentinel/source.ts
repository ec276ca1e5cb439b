/** A {@link Source} by way of sentinels. Joins the asking and the watching; knows no connection. */

import type {
  AttemptOwner,
  ConnectionAttempt,
  ConnectionOptions,
  Role,
  Source,
  SourceListener,
  Watch,
} from "../connection/options.ts"
import type { ResolvedSentinel } from "../options.ts"
import type { Endpoint } from "../transport/transport.ts"
import { SentinelDirectory } from "./directory.ts"
import { SentinelAttempt } from "./sentinel-attempt.ts"
import { watchPrimary } from "./watcher.ts"

export class SentinelSource implements Source {
  readonly #directory: SentinelDirectory

  constructor(options: ResolvedSentinel) {
    this.#directory = new SentinelDirectory(options)
  }

  get role(): Role {
    return this.#directory.options.role
  }

  attempt(
    options: ConnectionOptions,
    database: number | undefined,
    owner: AttemptOwner,
    announced: Endpoint | undefined,
  ): ConnectionAttempt {
    return new SentinelAttempt(this.#directory, options, database, owner, announced)
  }

  watch(listener: SourceListener): Watch {
    return watchPrimary(this.#directory, listener)
  }

  isStale(address: string, primary: string): boolean {
    const isPrimary = address === primary
    return this.role === "primary" ? !isPrimary : isPrimary
  }
}
