/** `await using` on runtimes that lack `Symbol.asyncDispose`. */

/**
 * Where the symbol is missing, a method `[Symbol.asyncDispose]` is keyed by `"undefined"`; this gives it the key that
 * compilers fall back to.
 */
export function nameAsyncDispose(prototype: object): void {
  if (typeof Symbol.asyncDispose === "symbol") return
  const method = Object.getOwnPropertyDescriptor(prototype, "undefined")
  if (method === undefined) return
  Object.defineProperty(prototype, Symbol.for("nodejs.asyncDispose"), method)
  Reflect.deleteProperty(prototype, "undefined")
}
