/**
 * One object of each class whose objects live for moments only, such as requests. When a full garbage collection finds no
 * object of a class, V8 forgets their hidden class, and with it all code that was compiled for such objects: after each
 * pause a client would begin anew with slow code, which costs up to half of its speed for the next tenths of a second.
 */

const kept: object[] = []

/** Keeps the object for good. */
export function keepOne(object: object): void {
  kept.push(object)
}

/** A function for objects that are kept only. */
export function unused(): void {}
