/**
 * Events whose listeners cannot harm the one who emits. Knows no event names.
 */

import { EventEmitter } from "node:events"

/** A map from event name to payload. */
export type EventMap<Events> = { readonly [Name in keyof Events]: unknown }

export class Emitter<Events extends EventMap<Events>> {
  readonly #emitter = new EventEmitter()

  constructor() {
    // How many listeners an application has is its own affair; a warning would be console output.
    this.#emitter.setMaxListeners(0)
  }

  on<Name extends keyof Events & string>(name: Name, listener: (event: Events[Name]) => void): void {
    this.#emitter.on(name, listener)
  }

  once<Name extends keyof Events & string>(name: Name, listener: (event: Events[Name]) => void): void {
    this.#emitter.once(name, listener)
  }

  off<Name extends keyof Events & string>(name: Name, listener: (event: Events[Name]) => void): void {
    this.#emitter.off(name, listener)
  }

  /** Calls all listeners. What one throws surfaces as an uncaught exception on a later tick; the others are called. */
  emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void {
    for (const listener of this.#emitter.rawListeners(name)) {
      try {
        listener.call(this.#emitter, event)
      } catch (error) {
        setImmediate(() => {
          throw error
        })
      }
    }
  }
}
