/** Signals, and readers that go away: the ends that come from outside. Knows nothing of what is going on meanwhile. */

import { EXIT } from "./exit.ts"

export interface Interruption {
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal
  /** The exit code of what has come, if something has. */
  readonly code: number | undefined
  /** As if Ctrl-C had been pressed: for terminals in a mode in which it is but a key. */
  interrupt(): void
}

/** Listens to signals from now on. The second one ends the program at once. */
export function listenForSignals(): Interruption {
  const controller = new AbortController()
  let code: number | undefined
  const come = (its: number) => {
    if (code !== undefined) process.exit(its)
    code = its
    controller.abort()
  }
  process.on("SIGINT", () => come(EXIT.interrupted))
  process.on("SIGTERM", () => come(EXIT.terminated))
  return {
    signal: controller.signal,
    get code() {
      return code
    },
    interrupt: () => come(EXIT.interrupted),
  }
}

/** `redix … | head`: whoever read the output has seen enough. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      process.exit(error.code === "EPIPE" ? EXIT.brokenPipe : EXIT.failed)
    })
  }
}
