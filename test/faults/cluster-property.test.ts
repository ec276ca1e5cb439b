/**
 * Random pipelines over hash-tagged keys against a model, while slots move between real nodes. Each run has another seed;
 * `REDIX_CLUSTER_SEED=123` repeats the pipelines of one, `REDIX_CLUSTER_PIPELINES` makes it longer.
 */
import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import { Cluster, RedisError } from "@redix/client"
import { keyIn, RedisCluster } from "../../support/cluster.ts"
import { unique } from "./invariants.ts"
import { closing, plain, seededRandom } from "./setup.ts"

const seed = Number(process.env["REDIX_CLUSTER_SEED"] ?? Date.now() % 1_000_000_000)
const pipelines = Number(process.env["REDIX_CLUSTER_PIPELINES"] ?? 400)
/** How often slots have to move meanwhile. */
const leastMoves = 50

/** What one Redis would reply. Each worker has keys of its own, and so one of these. */
class Model {
  readonly #values = new Map<string, string>()

  run([name, key = "", value = ""]: readonly string[]): unknown {
    const current = this.#values.get(key)
    switch (name) {
      case "SET":
        this.#values.set(key, value)
        return "OK"
      case "GET":
        return current ?? null
      case "INCR": {
        if (current !== undefined && !/^-?\d+$/.test(current)) {
          return { error: "ERR value is not an integer or out of range" }
        }
        const next = Number(current ?? 0) + 1
        this.#values.set(key, `${next}`)
        return next
      }
      case "DEL":
        return this.#values.delete(key) ? 1 : 0
      default:
        throw new Error(`unknown to the model: ${name}`)
    }
  }
}

class Dice {
  readonly #random: () => number

  constructor(from: number) {
    this.#random = seededRandom(from)
  }

  /** From 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end)
  }

  oneOf<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }
}

/** Slots that keys are in; half of them move. */
const slots = [3, 1000, 5000, 6000, 9000, 11_000, 14_000, 16_300]

let real: RedisCluster
before(async () => {
  real = await RedisCluster.start({ replicasPerPrimary: 0 })
})
after(() => real?.stop())

describe("pipelines over a cluster whose slots move", () => {
  test("reply as one Redis would", async (t) => {
    t.diagnostic(`REDIX_CLUSTER_SEED=${seed}`)
    // What counts is that replies are right, not how long a slot may be on its way.
    const cluster = closing(
      t,
      await Cluster.connect({ nodes: real.urls(), clientInfo: false, maxRedirections: 50 }),
    )
    let stopped = false
    const moving = new Dice(seed)
    let moves = 0
    let isMoving = true
    const mover = (async () => {
      const primaries = await real.primaries()
      while (!stopped) {
        const slot = moving.oneOf(slots.slice(0, 4))
        const from = await real.primaryOf(slot)
        const to = moving.oneOf(primaries.filter((node) => node !== from))
        const migration = await real.startMigration(slot, to)
        await migration.moveKeys()
        await migration.finish()
        moves += 1
      }
    })()
    // What it fails of is reported at the end.
    mover
      .catch(() => undefined)
      .finally(() => {
        isMoving = false
      })
    const workers = Array.from({ length: 4 }, async (_, worker) => {
      const dice = new Dice(seed + worker + 1)
      const model = new Model()
      const keys = slots.flatMap((slot) => [
        keyIn(slot, unique(`a${worker}`)),
        keyIn(slot, unique(`b${worker}`)),
      ])
      for (let round = 0; round < pipelines / 4 || (moves < leastMoves && isMoving); round++) {
        const commands = Array.from({ length: 1 + dice.below(30) }, (): string[] => {
          const key = dice.oneOf(keys)
          const name = dice.oneOf(["SET", "SET", "GET", "GET", "INCR", "INCR", "DEL"])
          return name === "SET" ? [name, key, dice.oneOf(["7", "41", "text", "", "2 \r\n"])] : [name, key]
        })
        const expected = commands.map((command) => model.run(command))
        // One by one, now and then, so that single commands have their share.
        if (dice.below(8) === 0) {
          for (const [index, command] of commands.entries()) {
            const result = await cluster.safe.command(command)
            assert.ok(
              result.ok || result.error instanceof RedisError,
              `${command}: ${String(!result.ok && result.error)}`,
            )
            assert.deepEqual(plain(result.ok ? result.value : result.error), expected[index])
          }
        } else {
          const replies = await cluster.pipeline(commands)
          assert.deepEqual(replies.map(plain), expected, `pipeline ${round} of worker ${worker}`)
        }
      }
    })
    try {
      await Promise.all(workers)
    } catch (cause) {
      throw new Error(
        `with REDIX_CLUSTER_SEED=${seed} REDIX_CLUSTER_PIPELINES=${pipelines}: ${String(cause)}`,
        { cause },
      )
    } finally {
      stopped = true
      await Promise.allSettled([...workers, mover])
    }
    await mover
    t.diagnostic(`${moves} moves of slots meanwhile`)
    assert.ok(moves >= leastMoves, "hardly any slot has moved")
  })
})
