/**
 * Waiting: for a condition or an event, with a deadline, and for the event loop to look at its sockets.
 * Knows nothing of servers and connections.
 */
import { setImmediate as nextImmediate, setTimeout as sleep } from "node:timers/promises"

export interface UntilOptions {
  /** Milliseconds after which the wait fails. Default 10 000. */
  timeout?: number
  /** Milliseconds between two looks. Default 5. */
  interval?: number
  /** What was waited for, for the error. A function is asked only when the wait has failed. */
  message?: string | (() => string)
}

/** The real time, also in tests that let time stand. */
const now = performance.now.bind(performance)

/** The truthy kinds of `T`. */
export type Truthy<T> = Exclude<T, false | 0 | 0n | "" | null | undefined>

/** The first truthy value of `condition`. What `condition` throws ends the wait. */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeout = 10_000, interval = 5, message = "condition" }: UntilOptions = {},
): Promise<Truthy<T>> {
  const deadline = now() + timeout
  for (;;) {
    const value = await condition()
    if (value) return value as Truthy<T>
    if (now() >= deadline) {
      throw new Error(
        `waited ${timeout} ms in vain for: ${typeof message === "string" ? message : message()}`,
      )
    }
    await sleep(interval)
  }
}

/** As much of an event emitter as {@link once} needs. */
export interface OnceEmitter {
  once(event: string, listener: (...values: unknown[]) => void): unknown
}

/**
 * The values of the next `event`. Unlike `events.once` of Node.js it has a deadline (10 000 ms by default), and
 * an `error` event in between does not end the wait.
 */
export function once(
  emitter: OnceEmitter,
  event: string,
  { timeout = 10_000 }: { timeout?: number } = {},
): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`waited ${timeout} ms in vain for event: ${event}`)),
      timeout,
    )
    emitter.once(event, (...values: unknown[]) => {
      clearTimeout(timer)
      resolve(values)
    })
  })
}

/**
 * Resolves after every socket of this process had its turn: what was written before is read by then, if the
 * reader is in this process and reads.
 */
export async function nextPoll(): Promise<void> {
  // The first one may come in this turn of the event loop, before sockets are looked at.
  await nextImmediate()
  await nextImmediate()
}
