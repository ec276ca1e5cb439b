/** Says which server the tests will run with, and fetches one if there is none. */
import { findServer } from "../support/server-binary.ts"

try {
  const { command, argv0, version, source } = await findServer()
  console.log(`${argv0} ${version} (${source}: ${command})`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
