/** The examples: each runs to its end against a real server, or a real cluster. */
import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { exampleFiles, needsCluster, runExample } from "../scripts/run-examples.ts"
import { RedisCluster } from "../support/cluster.ts"
import { RedisServer } from "../support/server.ts"

describe("examples", { concurrency: 2 }, () => {
  for (const file of exampleFiles()) {
    test(file, async () => {
      await using server = await (needsCluster(file) ? RedisCluster.start() : RedisServer.start())
      const urls = server instanceof RedisCluster ? server.urls(3) : [server.url]
      const { code, output } = await runExample(file, urls)
      assert.equal(code, 0, output)
      assert.doesNotMatch(output, /Warning:/)
    })
  }
})
