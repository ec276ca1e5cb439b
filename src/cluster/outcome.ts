/** Whether something may have been carried out, where one error is to speak of several commands, or of fewer than before. */

import { ConnectionError, type Outcome, withoutStack } from "../errors.ts"

/** The same error, of what was not sent. */
export function asNotSent(error: ConnectionError): ConnectionError {
  return withOutcome(error, "not-sent")
}

/** The error in the name of all: only where none of them was sent, it says so. */
export function ofAll(error: ConnectionError, replies: readonly unknown[]): ConnectionError {
  return replies.every(isNotSent) ? error : withOutcome(error, "unknown")
}

function isNotSent(reply: unknown): boolean {
  return reply instanceof ConnectionError && reply.outcome === "not-sent"
}

function withOutcome(error: ConnectionError, outcome: Outcome): ConnectionError {
  if (error.outcome === outcome) return error
  const { reason, message, address, cause, final } = error
  return withoutStack(() => new ConnectionError(reason, message, { address, cause, final, outcome }))
}
