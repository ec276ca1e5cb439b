/** What is refused in a cluster, where callers share connections and the driver chooses nodes. */

import { type Refusals, SHARED_REFUSALS } from "../dedicated/screening.ts"

export const REFUSALS: Refusals = {
  ...SHARED_REFUSALS,
  routing:
    'the driver chooses nodes by itself: use the option "route", or a connection of your own (checkout)',
}
