/** The examples: each runs to its end against a real server. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { exampleFiles, runExample } from "../scripts/run-examples.ts"
import { RedisServer } from "../support/server.ts"

describe("examples", { concurrency: 2 }, () => {
  for (const file of exampleFiles()) {
    test(file, async () => {
      await using server = await RedisServer.start()
      const { code, output } = await runExample(file, server.url)
      assert.equal(code, 0, output)
      assert.doesNotMatch(output, /Warning:/)
    })
  }
})
