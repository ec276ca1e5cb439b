/** Values that are not what they should be, for error messages. */

/** Whether it is an object that was written as `{ … }`, in this realm or another: no array, no instance of a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || isRootPrototype(prototype)
}

/** What a wrong value is. Never shows it: it may be a secret. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (value === "") return "an empty string"
  if (Array.isArray(value)) return "an array"
  if (typeof value !== "object") return `a ${typeof value}`
  if (isPlainObject(value)) return "an object"
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1)
  return tag === "Object" ? "an instance of a class" : `an instance of ${tag}`
}

/** `Object.prototype` of any realm: nothing is behind it, and it has the method by which one asks. */
function isRootPrototype(prototype: unknown): boolean {
  return (
    typeof prototype === "object" &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf")
  )
}
