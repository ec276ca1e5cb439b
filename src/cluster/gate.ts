/**
 * What a request has to pass before it can be sent to a node: it has to be known who has which slots, and which keys it
 * has. Leaves to others which node that is then.
 */

import { CommandRequest } from "../connection/command-request.ts"
import type { Request } from "../connection/request.ts"
import type { WaitingRoom } from "../connection/waiting-room.ts"
import { ConnectionError } from "../errors.ts"
import { keysOf } from "../protocol/command-keys.ts"
import { KeyResolver } from "./key-resolver.ts"
import type { ClusterNode } from "./node.ts"
import type { SlotMap } from "./slot-map.ts"

type Keys = readonly unknown[]

export interface GateKeeper {
  readonly map: SlotMap
  readonly waiting: WaitingRoom
  /** How many may wait. */
  readonly maxInFlight: number
  /** Any node. */
  someone(): ClusterNode | undefined
  /** Why nothing can be sent: it is closed, or not known who has which slots, and nobody is being asked for that. */
  refusal(): ConnectionError | undefined
}

export class Gate {
  readonly #keeper: GateKeeper
  readonly #resolver = new KeyResolver((question) => this.#ask(question))

  constructor(keeper: GateKeeper) {
    this.#keeper = keeper
  }

  /** Goes on once it is known who has which slots. */
  pass(request: Request, proceed: () => void): void {
    const { map, waiting } = this.#keeper
    const refusal = this.#keeper.refusal() ?? (map.isKnown ? undefined : this.#overload())
    if (refusal !== undefined) waiting.refuse(request, refusal)
    else if (map.isKnown) proceed()
    else waiting.hold(request, proceed)
  }

  /** Goes on with the keys of each command, asking the server where need be. */
  withKeys(request: Request, commands: readonly Keys[], proceed: (keys: readonly Keys[]) => void): void {
    const known = commands.map((command) => keysOf(command))
    let found: readonly Keys[] = []
    const release = this.#keeper.waiting.holdUntil(request, () => proceed(found))
    const finding = known.map((keys, index) =>
      keys === "unknown" ? this.#resolver.keysOf(commands[index] ?? []) : keys,
    )
    Promise.all(finding).then(
      (keys) => {
        found = keys
        release()
      },
      (error: unknown) => request.fail(notAsked(error)),
    )
  }

  /** It was found out anew who has which slots, and so it is what commands there are. */
  onKnown(): void {
    this.#resolver.forgetUnknown()
  }

  #ask(question: readonly unknown[]): Promise<unknown> {
    const node = this.#keeper.someone()
    return new Promise((resolve, reject) => {
      const request = new CommandRequest(resolve, reject, true)
      if (node === undefined) reject(new ConnectionError("closed", "there is no node to ask"))
      else node.connection.submit(request, question)
    })
  }

  #overload(): ConnectionError | undefined {
    const { waiting, maxInFlight } = this.#keeper
    if (waiting.size < maxInFlight) return undefined
    return new ConnectionError("overloaded", `${maxInFlight} requests are waiting (maxInFlight)`)
  }
}

/** The command itself was not sent, whatever became of the question. */
function notAsked(error: unknown): unknown {
  if (!(error instanceof ConnectionError)) return error
  const message = `the server could not be asked for the command's keys: ${error.message}`
  return new ConnectionError(error.reason, message, {
    address: error.address,
    outcome: "not-sent",
    cause: error,
  })
}
