/** The error of a transaction whose keys are in several slots, or that has none: no node could carry it out. */

import { RedisError, withoutStack } from "../errors.ts"

/** Made here, with the code that a server has for it as well. */
export function crossSlot(): RedisError {
  return withoutStack(
    () =>
      new RedisError(
        "CROSSSLOT the keys of a transaction must hash to one slot, and it must have at least one",
      ),
  )
}
