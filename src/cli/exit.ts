/** How the program ends: its exit codes, and the errors that it ends with. Knows nothing of what went wrong. */

/** The exit codes, as `--help` lists them. */
export const EXIT = {
  ok: 0,
  /** An error reply, or a check that failed. */
  failed: 1,
  /** Wrong arguments, or input that cannot be read. */
  usage: 2,
  /** No connection, or it was lost. */
  connection: 3,
  interrupted: 130,
  /** Whoever read the output has gone. */
  brokenPipe: 141,
  terminated: 143,
} as const

/** A mistake in how the program was called. Its message is all that a person needs. */
export class UsageError extends Error {}

/** Ended by a signal. */
export class Interrupted extends Error {
  readonly code: number

  constructor(code: number) {
    super("interrupted")
    this.code = code
  }
}
