/**
 * One listener for each `AbortSignal`, however many things wait for it. Knows nothing of requests.
 *
 * Why: an application hands one signal to thousands of requests. A listener for each makes Node.js print a warning
 * from the eleventh on, and adding one takes time proportional to those already there.
 */

export interface Abortable {
  /** The signal was aborted. Called once; the thing does not wait for the signal any more then. */
  onAbort(reason: unknown): void
  /** All things that waited for the signal have been told. */
  afterAbort?(): void
}

interface Waiting {
  readonly things: Set<Abortable>
  readonly listener: () => void
}

const waiting = new WeakMap<AbortSignal, Waiting>()

/** Tells `thing` when `signal` is aborted, until {@link forgetAbort}. The signal must not be aborted yet. */
export function onAbort(signal: AbortSignal, thing: Abortable): void {
  const known = waiting.get(signal)
  if (known !== undefined) {
    known.things.add(thing)
    return
  }
  const things = new Set([thing])
  const listener = (): void => {
    const told: Abortable[] = []
    for (const each of things) {
      told.push(each)
      each.onAbort(signal.reason)
    }
    waiting.delete(signal)
    for (const each of told) each.afterAbort?.()
  }
  waiting.set(signal, { things, listener })
  signal.addEventListener("abort", listener, { once: true })
}

export function forgetAbort(signal: AbortSignal, thing: Abortable): void {
  const known = waiting.get(signal)
  if (known === undefined || !known.things.delete(thing) || known.things.size > 0) return
  waiting.delete(signal)
  signal.removeEventListener("abort", known.listener)
}
