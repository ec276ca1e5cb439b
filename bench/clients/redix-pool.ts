// A pool of this repository's driver, by its package name, as far as the workloads of pools need one.
import { Pool, type PoolStrategy } from "@redix/client"

const BUFFER = { encoding: "buffer" } as const

export class RedixPool {
  readonly #pool: Pool

  private constructor(pool: Pool) {
    this.#pool = pool
  }

  /** A pool of the usual size, all of whose connections stand. */
  static async open(url: string, strategy: PoolStrategy): Promise<RedixPool> {
    const pool = Pool.start(url, { strategy })
    let connected = 0
    await new Promise<void>((resolve) => {
      pool.on("connection", () => ++connected === 5 && resolve())
    })
    return new RedixPool(pool)
  }

  get(key: string): Promise<string | null> {
    return this.#pool.command(["GET", key])
  }

  getBuffer(key: string): Promise<Buffer | null> {
    return this.#pool.command(["GET", key], BUFFER)
  }
}
