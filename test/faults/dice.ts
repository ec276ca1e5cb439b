/** Row 20 of the fault matrix, by dice: requests of any kind, and faults of any kind. What must hold is left to the tests. */
import { RedisError, type RequestOptions } from "@redix/client"
import type { Direction, FaultProxy } from "../../support/proxy.ts"
import type { RedisServer } from "../../support/server.ts"
import { type Calls, unique } from "./invariants.ts"
import { atLeast, seededRandom } from "./setup.ts"

/** Decisions that the seed makes. */
export class Dice {
  readonly #random: () => number

  constructor(from: number) {
    this.#random = seededRandom(from)
  }

  chance(probability: number): boolean {
    return this.#random() < probability
  }

  /** From `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1))
  }

  oneOf<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)] as T
  }
}

/** Issues one request of any kind; how it ends is the recorder's business. */
export function request(dice: Dice, calls: Calls): void {
  const controller = new AbortController()
  const options: RequestOptions = {}
  if (dice.chance(0.3)) options.encoding = "buffer"
  if (dice.chance(0.15)) options.timeout = dice.between(1, 80)
  const isAborted = dice.chance(0.15)
  if (isAborted) options.signal = controller.signal
  const kinds: readonly (() => unknown)[] = [
    () => calls.echo(options),
    () => calls.echo(options),
    () => calls.incr(options),
    () => calls.incr(options),
    () => calls.incrAtomically(dice.between(1, 4), options),
    () => calls.incrSilently(dice.between(1, 4), options),
    () => mixedPipeline(calls, options),
    () => largeEcho(calls, dice.between(1, 200_000), options),
    () => refusedTransaction(calls, options),
  ]
  dice.oneOf(kinds)()
  // Now and then something that blocks: giving it up drops the connection.
  if (dice.chance(0.02)) void calls.command(["BLPOP", unique("list"), 0.05], options, { timeout: 2000 })
  if (!isAborted) return
  if (dice.chance(0.4)) controller.abort()
  else setTimeout(() => controller.abort(), dice.between(0, 60))
}

/** Two writes, a tag, and an error in its place. */
function mixedPipeline(calls: Calls, options: RequestOptions): void {
  const keys = [unique("key"), unique("key")] as const
  const tag = unique()
  void calls.pipeline(
    [
      ["INCR", keys[0]],
      ["ECHO", tag],
      ["LPUSH", keys[0], "x"],
      ["INCR", keys[1]],
    ],
    options,
    {
      increments: keys,
      check: (value) => {
        const [first, echoed, refused, last] = value as unknown[]
        const isRight = first === 1 && String(echoed) === tag && refused instanceof RedisError && last === 1
        return isRight ? undefined : `got the replies ${String(value)}`
      },
    },
  )
}

function largeEcho(calls: Calls, size: number, options: RequestOptions): void {
  const text = unique().padEnd(size, "\r\n€")
  void calls.command(["ECHO", text], options, {
    check: (value) => (String(value) === text ? undefined : "got another large reply"),
  })
}

/** One of its commands is refused while it is queued, so that none of them may run. */
function refusedTransaction(calls: Calls, options: RequestOptions): void {
  const key = unique("key")
  void calls.transactionPipeline([["INCR", key], ["NOSUCHCOMMAND"]], options, {
    increments: [key],
    check: () => "was not refused",
  })
}

/** Breaks something, and mends it after a while. */
export async function fault(dice: Dice, proxy: FaultProxy, server: RedisServer): Promise<void> {
  const direction = dice.oneOf<Direction>(["to-client", "to-server"])
  const faults: readonly (() => void | Promise<void>)[] = [
    () => proxy.cut(),
    () => proxy.reset(),
    () => proxy.cutAfterBytes(direction, dice.between(0, 3000), dice.oneOf(["fin", "rst"])),
    () => proxy.cutAfterBytes(direction, dice.between(0, 60), dice.oneOf(["fin", "rst"])),
    () => proxy.delay(dice.between(1, 60), dice.oneOf(["both", "to-client"])),
    () => proxy.split(dice.between(1, 2000)),
    () => proxy.restore(),
    async () => void (await server.send("CLIENT", "KILL", "TYPE", "normal")),
    async () => {
      proxy.refuse()
      if (dice.chance(0.8)) proxy.reset()
      await atLeast(dice.between(0, 60))
      await proxy.accept()
    },
    async () => {
      proxy.blackhole(dice.oneOf<Direction | "both">(["both", "to-client", "to-server"]))
      await atLeast(dice.between(0, dice.chance(0.3) ? 600 : 50))
      if (dice.chance(0.3)) proxy.reset()
      proxy.restore()
    },
    async () => {
      server.pause()
      await atLeast(dice.between(0, 150))
      server.resume()
    },
  ]
  await dice.oneOf(faults)()
}
