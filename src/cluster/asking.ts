/** ASKING, as bytes: the one command that the driver puts before others here. */

import { encodeOnce } from "../protocol/encode.ts"

/** Source: https://redis.io/docs/latest/commands/asking/ */
export const ASKING: Uint8Array = encodeOnce(["ASKING"])
