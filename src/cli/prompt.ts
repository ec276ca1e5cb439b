/**
 * What stands before the line that is being typed: where the connection is, how it is, and what commands have made of it.
 * Learns that from them and their replies; leaves to others when it is shown.
 */

import { Cluster, type Protocol, RedixError } from "../index.ts"
import type { CommandFacts } from "./catalogue.ts"
import { addressOf, type Connection } from "./connect.ts"
import type { Context } from "./context.ts"
import type { Paint } from "./terminal.ts"

export class Prompt {
  readonly #conn: Connection
  readonly #paint: Paint
  /** The first node that a cluster was asked for by. */
  readonly #seed: string
  #database: number
  #isInTransaction = false

  constructor(context: Context, conn: Connection, paint: Paint) {
    this.#conn = conn
    this.#paint = paint
    this.#seed = (context.target.seeds ?? []).map(addressOf)[0] ?? ""
    this.#database = databaseOf(context)
  }

  /** @param collected how many commands of a pipeline there are, if one is being collected */
  text(collected: number | undefined): string {
    const { bold, red, yellow, dim, cyan } = this.#paint
    const pipeline = collected === undefined ? "" : cyan(` pipeline:${collected + 1}`)
    if (this.#conn instanceof Cluster)
      return `${clusterState(this.#conn, this.#seed, this.#paint)}${pipeline}> `
    const isUp = this.#conn.status === "connected"
    const database = this.#database === 0 ? "" : `[${this.#database}]`
    const place = `${this.#conn.address}${database}`
    const state = isUp ? "" : red(" (reconnecting)")
    const transaction = this.#isInTransaction && isUp ? yellow(" (MULTI)") : ""
    return `${isUp ? bold(place) : dim(place)}${state}${transaction}${pipeline}> `
  }

  /** A command has been answered. */
  onReply(command: CommandFacts | undefined, words: readonly Buffer[], reply: unknown): void {
    if (reply instanceof RedixError) return
    const isQueued = String(reply) === "QUEUED"
    if (command?.name === "SELECT" && !isQueued) this.#database = Number(`${words[1] ?? 0}`)
    if (command?.name === "MULTI") this.#isInTransaction = true
    if (command?.name === "EXEC" || command?.name === "DISCARD") this.#isInTransaction = false
  }

  /** The transaction is over, by an error or with the connection. */
  onTransactionLost(): void {
    this.#isInTransaction = false
  }
}

/** By what a cluster was found, and how many of its primaries are there. */
function clusterState(cluster: Cluster<Protocol>, seed: string, { bold, dim, red }: Paint): string {
  const primaries = cluster.nodes("primary")
  const up = primaries.filter(({ connection }) => connection.status === "connected").length
  if (up === 0) return `${dim(`cluster ${seed}`)}${red(" (reconnecting)")}`
  const all = up === primaries.length
  return `${bold(`cluster ${seed}`)} ${all ? dim(`(${up} nodes)`) : red(`(${up} of ${primaries.length} nodes)`)}`
}

function databaseOf({ options, target }: Context): number {
  const inUrl = /^[a-z]+:\/\/[^/]*\/(\d+)/i.exec(target.url ?? "")?.[1]
  return options.integer("db", 0) ?? Number(inUrl ?? 0)
}
