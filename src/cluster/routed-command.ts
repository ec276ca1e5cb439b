/** A command on its way through a cluster: follows where an error reply sends it, as another request each time. */

import { CommandRequest } from "../connection/command-request.ts"
import type { Reject, ReplyFacts, Resolve } from "../connection/request.ts"
import { RedisError } from "../errors.ts"
import { commandInfo } from "../protocol/command-info.ts"
import type { CommandSink } from "../protocol/encode.ts"
import { ASKING } from "./asking.ts"
import type { ClusterNode } from "./node.ts"
import type { Call, Hop } from "./routed.ts"

/** Who sends routed commands. */
export interface CommandRouter {
  /** The command was answered by an error that may not be for its caller; whether it was sent on. */
  follow(request: RoutedCommand, error: RedisError): boolean
}

export class RoutedCommand extends CommandRequest {
  readonly router: CommandRouter
  /** For nearly all commands `undefined`. */
  readonly call: Call | undefined
  /** Whether it is carried out on a connection of its own. */
  isBlocking = false
  /** Whether there is nothing special about the command. */
  isUsual = false
  /** What was sent, kept for sending it again. */
  command: readonly unknown[] | undefined
  /** Where it was sent. */
  node: ClusterNode | undefined
  /** After redirections. */
  hop: Hop | undefined
  #isAskingOwed = false

  constructor(
    resolve: Resolve<unknown>,
    reject: Reject,
    asBytes: boolean,
    router: CommandRouter,
    call: Call | undefined,
  ) {
    super(resolve, reject, asBytes)
    this.router = router
    this.call = call
  }

  /** The same for another attempt: whoever has asked is answered by that one. */
  successor(hop: Hop): RoutedCommand {
    const next = new RoutedCommand(this.resolve, this.reject, this.asBytes, this.router, this.call)
    next.hop = hop
    next.isBlocking = this.isBlocking
    next.isUsual = this.isUsual
    next.command = this.command
    return next
  }

  override encode(sink: CommandSink, command: readonly unknown[]): void {
    if (this.hop?.isAsking === true) {
      sink.raw(ASKING)
      this.#isAskingOwed = true
    }
    if (this.isUsual) sink.command(command)
    else super.encode(sink, command)
  }

  /** Looked up where there is an error: the usual command is answered without. */
  protected override get shownName(): string | undefined {
    return this.isUsual ? commandInfo(this.command?.[0]).shownName : super.shownName
  }

  override accept(reply: unknown, facts: ReplyFacts): boolean {
    if (!this.#isAskingOwed) return super.accept(reply, facts)
    this.#isAskingOwed = false
    return false
  }

  protected override follows(error: unknown): boolean {
    return error instanceof RedisError && this.router.follow(this, error)
  }
}
