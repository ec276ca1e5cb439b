/**
 * Waiting for something to become true or to happen, always with a deadline.
 * Knows nothing of servers or sockets.
 */
import { setTimeout as sleep } from "node:timers/promises"

export interface UntilOptions {
  /** Milliseconds after which the wait fails. Default 10 000. */
  timeout?: number
  /** Milliseconds between two looks. Default 5. */
  interval?: number
  /** What was waited for, for the error. A function is asked only when the wait has failed. */
  message?: string | (() => string)
}

/** The truthy kinds of `T`. */
export type Truthy<T> = Exclude<T, false | 0 | 0n | "" | null | undefined>

/** The first truthy value of `condition`. What `condition` throws ends the wait. */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeout = 10_000, interval = 5, message = "condition" }: UntilOptions = {},
): Promise<Truthy<T>> {
  const deadline = performance.now() + timeout
  for (;;) {
    const value = await condition()
    if (value) return value as Truthy<T>
    if (performance.now() >= deadline) {
      throw new Error(
        `waited ${timeout} ms in vain for: ${typeof message === "string" ? message : message()}`,
      )
    }
    await sleep(interval)
  }
}

/** As much of an event emitter as {@link once} needs. */
export interface OnceEmitter {
  once(event: string, listener: (...values: never[]) => void): unknown
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
