/** A command on its way through a cluster: follows where an error reply sends it, as another request each time. */

import { encodeCommand } from "../connection/commands.ts"
import type { Reject, ReplyFacts, RequestTerms, Resolve } from "../connection/request.ts"
import { SingleRequest } from "../connection/single-request.ts"
import { nameError, RedisError } from "../errors.ts"
import { commandInfo } from "../protocol/command-info.ts"
import type { CommandSink } from "../protocol/encode.ts"
import { keepOne, unused } from "../util/keep.ts"
import { ASKING } from "./asking.ts"
import type { ClusterNode } from "./node.ts"
import { takeOpening } from "./opening.ts"
import type { Call, Hop } from "./routed.ts"

/** Who sends routed commands. */
export interface CommandRouter {
  /** The command was answered by an error that may not be for its caller; whether it was sent on. */
  follow(request: RoutedCommand, error: RedisError): boolean
}

/** What is not like most about a command, or its way. */
export interface Detour {
  readonly call?: Call | undefined
  /** Whether it is carried out on a connection of its own. */
  readonly isBlocking?: boolean
  /** After redirections. */
  readonly hop?: Hop
  /** Whether the next reply is the one to ASKING. */
  isAskingOwed?: boolean
}

export class RoutedCommand extends SingleRequest {
  size = 0
  since = 0
  terms: RequestTerms | undefined
  protected phase = 0
  readonly asBytes: boolean
  readonly router: CommandRouter
  /** `undefined` for nearly all commands. */
  detour: Detour | undefined
  /** What was sent, kept for sending it again. */
  command: readonly unknown[] | undefined
  /** Where it was sent. */
  node: ClusterNode | undefined
  protected readonly resolve: Resolve<unknown>
  protected readonly reject: Reject

  constructor(
    resolve: Resolve<unknown>,
    reject: Reject,
    asBytes: boolean,
    router: CommandRouter,
    detour: Detour | undefined,
  ) {
    super()
    this.resolve = resolve
    this.reject = reject
    this.asBytes = asBytes
    this.router = router
    this.detour = detour
  }

  /** The same for another attempt: whoever has asked is answered by that one. */
  successor(hop: Hop): RoutedCommand {
    const { resolve, reject, asBytes, router, detour } = this
    const next = new RoutedCommand(resolve, reject, asBytes, router, { ...detour, hop, isAskingOwed: false })
    next.command = this.command
    return next
  }

  encode(sink: CommandSink, command: readonly unknown[]): void {
    const opening = takeOpening(this)
    if (opening !== undefined) {
      sink.opened(opening, command)
      return
    }
    if (this.detour?.hop?.isAsking === true) {
      sink.raw(ASKING)
      this.detour.isAskingOwed = true
    }
    encodeCommand(this, sink, command, 0)
  }

  /** Looked up where there is an error: most commands are answered without. */
  protected get shownName(): string | undefined {
    return commandInfo(this.command?.[0]).shownName
  }

  /** Repeats what single requests do: where code is shared by kinds of requests, it is slower for each of them. */
  override accept(reply: unknown, facts: ReplyFacts): boolean {
    if (this.detour?.isAskingOwed === true) {
      this.detour.isAskingOwed = false
      return false
    }
    if (!this.settle() || (facts.isError && this.follows(reply))) return true
    if (facts.failure !== undefined) this.reject(facts.failure)
    else if (facts.isError) this.reject(nameError(reply, this.shownName))
    else this.resolve(reply)
    return true
  }

  protected override follows(error: unknown): boolean {
    return error instanceof RedisError && this.router.follow(this, error)
  }
}

keepOne(new RoutedCommand(unused, unused, false, { follow: () => false }, undefined))
