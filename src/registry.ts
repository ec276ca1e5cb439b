/**
 * Names of connections. One registry for the process, also where both builds of the package are loaded. Knows nothing
 * of what is registered.
 */

const REGISTRY = Symbol.for("@redix/client@0/registry")

function registry(): Map<string, object> {
  const known: unknown = Reflect.get(globalThis, REGISTRY)
  if (known instanceof Map) return known
  const made = new Map<string, object>()
  Object.defineProperty(globalThis, REGISTRY, { value: made })
  return made
}

/** Registers `thing`. @throws Error when the name is in use */
export function register(name: string, thing: object): void {
  assertFree(name)
  registry().set(name, thing)
}

/** @throws Error when the name is in use */
export function assertFree(name: string): void {
  if (registry().has(name)) {
    throw new Error(
      `the name "${name}" is in use: close what bears it, or get it with Redix.named("${name}")`,
    )
  }
}

/** Frees the name, if `thing` bears it. */
export function unregister(name: string, thing: object): void {
  if (registry().get(name) === thing) registry().delete(name)
}

/**
 * What is registered under the name, if `is` says that it is of that kind.
 * @throws Error when it is not
 */
export function registeredAs<T>(kind: string, name: string, is: (found: unknown) => found is T): T {
  const found = registered(name)
  if (is(found)) return found
  throw new Error(
    `${found === undefined ? "nothing" : `something other than a ${kind}`} is registered under the name "${name}"`,
  )
}

/** What is registered under the name, or `undefined`. */
export function registered(name: string): object | undefined {
  return registry().get(name)
}
