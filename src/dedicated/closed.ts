/** The errors of those who wait for a dedicated connection or use one that is not theirs any more. */

import type { Request } from "../connection/request.ts"
import { ConnectionError } from "../errors.ts"
import { commandChecker } from "../protocol/encode.ts"

/** It is closed, for good; unless it is a part of something that goes on without it. */
export function closedError(message: string, address?: string, final = true): ConnectionError {
  return new ConnectionError("closed", message, { address, final })
}

/** What waited for an attempt to connect that has failed. */
export function failedError(cause: ConnectionError | undefined): ConnectionError {
  if (cause === undefined) return closedError("the connection is closed")
  const { address, final, message } = cause
  return new ConnectionError("closed", `no connection: ${message}`, { address, cause, final })
}

/** Nothing is opened just after that has failed. */
export function backingOffError(cause: ConnectionError): ConnectionError {
  const message = `no connection: waiting for the next attempt after: ${cause.message}`
  return new ConnectionError("closed", message, { address: cause.address, cause })
}

export function overloadedError(most: number): ConnectionError {
  return new ConnectionError(
    "overloaded",
    `${most} requests wait for a connection of their own (maxInFlight)`,
  )
}

export function tooLateError(timeout: number, most: number): ConnectionError {
  const message = `no connection of its own within ${timeout} ms (there may be ${most}, see maxDedicated)`
  return new ConnectionError("timeout", message)
}

/** Rejects a request that nobody will carry out; misuse is told first. Whether it was none. */
export function refuse<Payload>(
  request: Request<Payload>,
  payload: Payload,
  error: ConnectionError,
): boolean {
  try {
    request.encode(commandChecker, payload)
  } catch (misuse) {
    request.fail(misuse)
    return false
  }
  request.fail(error)
  return true
}
