/** A transaction on its way through a cluster: what was not carried out where it was sent is sent elsewhere as a whole. */

import type { Reject, ReplyFacts, Resolve } from "../connection/request.ts"
import type { Placed } from "../connection/trace.ts"
import { TransactionRequest } from "../connection/transaction-request.ts"
import { RedisError } from "../errors.ts"
import type { CommandSink } from "../protocol/encode.ts"
import { keepOne, unused } from "../util/keep.ts"
import { ASKING } from "./asking.ts"
import type { ClusterNode } from "./node.ts"
import type { Hop } from "./routed.ts"

type Commands = ReadonlyArray<readonly unknown[]>

export interface TransactionRouter {
  /** The transaction was not carried out, because of the error; whether it was sent on. */
  followTransaction(request: RoutedTransaction, error: RedisError): boolean
}

export class RoutedTransaction extends TransactionRequest {
  readonly router: TransactionRouter
  readonly placed: Placed | undefined
  /** What was sent, kept for sending it again. */
  commands: Commands | undefined
  /** Where it was sent. */
  node: ClusterNode | undefined
  /** After redirections. */
  hop: Hop | undefined
  #isAskingOwed = false

  constructor(
    resolve: Resolve<unknown[] | null>,
    reject: Reject,
    asBytes: boolean,
    router: TransactionRouter,
    placed: Placed | undefined,
  ) {
    super(resolve, reject, asBytes)
    this.router = router
    this.placed = placed
  }

  successor(hop: Hop): RoutedTransaction {
    const next = new RoutedTransaction(this.resolve, this.reject, this.asBytes, this.router, this.placed)
    next.hop = hop
    return next
  }

  override encode(sink: CommandSink, commands: Commands): void {
    if (this.hop?.isAsking === true) {
      sink.raw(ASKING)
      this.#isAskingOwed = true
    }
    super.encode(sink, commands)
  }

  override accept(reply: unknown, facts: ReplyFacts): boolean {
    if (!this.#isAskingOwed) return super.accept(reply, facts)
    this.#isAskingOwed = false
    return false
  }

  protected override follows(error: unknown): boolean {
    return error instanceof RedisError && this.router.followTransaction(this, error)
  }
}

keepOne(new RoutedTransaction(unused, unused, false, { followTransaction: () => false }, undefined))
